//! From compact blocks back to blocks.

use proptest::prelude::*;

use super::*;
use crate::hash::sha256d_pair;
use crate::primitives::DecodeError;
use crate::validation::BlockError;

fn total(count: usize, bytes: usize) -> TransactionTotal {
    TransactionTotal { count, bytes }
}

/// Core: `SimpleRoundTripTest`.
#[test]
fn what_is_missing_is_asked_for() {
    let block = core_block();
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[owned(&block, 2)]).unwrap();
    assert_eq!(partial.missing(), [1]);
    assert_eq!(partial.header(), block.header());

    let none = partial.clone().fill(&[], true).unwrap_err();
    assert!(matches!(none, ReconstructionError::WrongCount { got: 0, expected: 1 }) && none.is_fault_of_peer());
    let two = partial.clone().fill(&[bytes_of(&block, 1), bytes_of(&block, 1)], true).unwrap_err();
    assert!(matches!(two, ReconstructionError::WrongCount { got: 2, expected: 1 }));
    let wrong = partial.clone().fill(&[bytes_of(&block, 2)], true).unwrap_err();
    assert!(matches!(wrong, ReconstructionError::WrongTransaction { index: 1 }) && wrong.is_fault_of_peer());

    let sizes = [0, 1, 2].map(|index| bytes_of(&block, index).len());
    let (filled, sources) = partial.fill(&[bytes_of(&block, 1)], true).unwrap();
    assert_eq!(filled, block);
    assert_eq!(
        sources,
        TransactionSources { prefilled: total(1, sizes[0]), pool: total(1, sizes[2]), requested: total(1, sizes[1]) }
    );
}

/// Core: `NonCoinbasePreforwardRTTest`.
#[test]
fn another_than_the_coinbase_may_be_carried() {
    let block = core_block();
    let partial = start(&carrying(&block, &[1]), &[owned(&block, 2)]).unwrap();
    assert_eq!(partial.missing(), [0]);
    assert!(matches!(partial.clone().fill(&[], true), Err(ReconstructionError::WrongCount { .. })));
    assert!(partial.clone().fill(&[bytes_of(&block, 1)], true).is_err());
    assert_eq!(partial.fill(&[bytes_of(&block, 0)], true).unwrap().0, block);
}

/// Core: `SufficientPreforwardRTTest`.
#[test]
fn nothing_may_be_missing() {
    let block = core_block();
    let partial = start(&carrying(&block, &[0, 2]), &[owned(&block, 1)]).unwrap();
    assert!(partial.missing().is_empty());
    assert_eq!(partial.sources().prefilled.count, 2);
    let (filled, sources) = partial.fill(&[], true).unwrap();
    assert_eq!((filled, sources.requested), (block, TransactionTotal::default()));
}

/// Core: `EmptyBlockRoundTripTest`.
#[test]
fn a_coinbase_is_enough() {
    let block = block_of(vec![coinbase()]);
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[ours(&numbered(5))]).unwrap();
    assert!(partial.missing().is_empty());
    assert_eq!(partial.fill(&[], true).unwrap().0, block);
}

/// Core: `ReceiveWithExtraTransactions`.
#[test]
fn a_candidate_may_come_twice() {
    let block = core_block();
    let compact = CompactBlock::new(&block, NONCE).unwrap();
    let (one, two, other) = (owned(&block, 1), owned(&block, 2), ours(&numbered(77)));
    let partial = start(&compact, &[other.clone(), one.clone(), other, owned(&block, 1), one, two]).unwrap();
    assert!(partial.missing().is_empty());
    assert_eq!(partial.sources().pool.count, 2);
    assert_eq!(partial.fill(&[], true).unwrap().0, block);
}

#[test]
fn no_more_candidates_are_looked_at_than_needed() {
    let block = core_block();
    let (one, two) = (owned(&block, 1), owned(&block, 2));
    let mut candidates = [&one, &two, &one].into_iter().map(|candidate| (wtxid(candidate), candidate));
    let compact = CompactBlock::new(&block, NONCE).unwrap();
    PartiallyDownloadedBlock::start(compact, &mut candidates).unwrap();
    assert_eq!(candidates.len(), 1);
    let compact = CompactBlock::new(&block_of(vec![coinbase()]), NONCE).unwrap();
    PartiallyDownloadedBlock::start(compact, &mut candidates).unwrap();
    assert_eq!(candidates.len(), 1, "none is needed");
}

/// Two of one short id are hard to find, so one is passed off as the other.
#[test]
fn two_candidates_for_one_place_are_none() {
    let block = core_block();
    let (right, other) = (owned(&block, 1), ours(&numbered(77)));
    let candidates = [(wtxid(&right), &other), (wtxid(&right), &right), (wtxid(&right), &other)];
    let compact = CompactBlock::new(&block, NONCE).unwrap();
    let partial = PartiallyDownloadedBlock::start(compact, candidates).unwrap();
    assert_eq!((partial.missing(), partial.sources().pool), (vec![1, 2], TransactionTotal::default()));
    let (filled, sources) = partial.fill(&[bytes_of(&block, 1), bytes_of(&block, 2)], true).unwrap();
    assert_eq!((filled, sources.requested.count), (block, 2));
}

#[test]
fn equal_short_ids_in_a_block_are_nobodys_fault() {
    let mut compact = CompactBlock::new(&core_block(), NONCE).unwrap();
    compact.short_ids[1] = compact.short_ids[0];
    let error = start(&compact, &[]).unwrap_err();
    assert!(matches!(error, ReconstructionError::ShortIdCollision) && !error.is_fault_of_peer());
}

/// The pool has another transaction of the same short id: as far as anyone can tell, that is chance.
#[test]
fn a_wrong_candidate_is_nobodys_fault() {
    let block = core_block();
    let wrong = ours(&numbered(77));
    let mut compact = CompactBlock::new(&block, NONCE).unwrap();
    compact.short_ids[0] = ShortIdKey::new(block.header(), NONCE).short_id(&wtxid(&wrong));
    let partial = start(&compact, &[wrong]).unwrap();
    assert_eq!(partial.missing(), [2]);
    let error = partial.fill(&[bytes_of(&block, 2)], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::PossibleCollision(BlockError::BadMerkleRoot { .. })), "{error}");
    assert!(!error.is_fault_of_peer());
}

/// The same, but all the bytes are the peer's.
#[test]
fn a_peer_answers_for_its_own_transactions() {
    let block = core_block();
    let wrong = serialize(&numbered(77));
    let mut compact = CompactBlock::new(&block, NONCE).unwrap();
    compact.short_ids[0] = ShortIdKey::new(block.header(), NONCE).short_id(&wtxid(&ours(&numbered(77))));
    let partial = start(&compact, &[]).unwrap();
    let error = partial.fill(&[wrong, bytes_of(&block, 2)], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::BadMerkleRoot { .. })), "{error}");
    assert!(error.is_fault_of_peer());
}

#[test]
fn what_is_sent_must_be_transactions() {
    let block = core_block();
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[owned(&block, 2)]).unwrap();
    for bytes in [Vec::new(), vec![1], [bytes_of(&block, 1), vec![0]].concat()] {
        let error = partial.clone().fill(&[bytes], true).unwrap_err();
        assert!(error.is_fault_of_peer(), "{error}");
    }
    let error = partial.fill(&[vec![255; 9]], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Decode(DecodeError::SizeTooLarge { .. })), "{error}");
}

/// Core: `IsBlockMutated` with `check_witness_root`.
#[test]
fn witnesses_are_those_the_coinbase_commits_to() {
    let spends = |witness: &[u8]| spend(&[OutPoint { txid: Txid::from_byte_array([3; 32]), vout: 1 }], witness);
    let reserved = [0; 32];
    let root = sha256d_pair(&[0; 32], &spends(b"right").compute_wtxid().to_byte_array());
    let mut committing = coinbase();
    committing.input[0].witness = Witness::from_slice(&[reserved]);
    committing.output[0].script_pubkey =
        ScriptBuf::from([&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &sha256d_pair(&root, &reserved)].concat());

    let block = block_of(vec![committing.clone(), spends(b"right")]);
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[ours(&spends(b"wrong"))]).unwrap();
    assert_eq!(partial.missing(), [1], "another witness is another transaction");
    assert_eq!(partial.fill(&[bytes_of(&block, 1)], true).unwrap().0, block);

    let wrong = block_of(vec![committing, spends(b"wrong")]);
    assert_eq!(wrong.header(), block.header());
    let partial = start(&CompactBlock::new(&wrong, NONCE).unwrap(), &[]).unwrap();
    let error = partial.clone().fill(&[bytes_of(&wrong, 1)], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::BadWitnessMerkleMatch { .. })), "{error}");
    let error = partial.fill(&[bytes_of(&wrong, 1)], false).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::UnexpectedWitness { .. })), "{error}");
}

/// CVE-2012-2459.
#[test]
fn repeated_transactions_are_noticed() {
    let honest = block_of(vec![coinbase(), numbered(1), numbered(2)]);
    let repeated = block_of(vec![coinbase(), numbered(1), numbered(2), numbered(2)]);
    assert_eq!(honest.header(), repeated.header());
    // By short ids alone that would be a collision.
    let partial = start(&carrying(&repeated, &[0, 3]), &[]).unwrap();
    let error = partial.fill(&[bytes_of(&repeated, 1), bytes_of(&repeated, 2)], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::DuplicateTransactions)), "{error}");
}

#[test]
fn an_inner_node_is_no_transaction() {
    // Without inputs and coinbase, 64 bytes long.
    let mut inner = numbered(1);
    inner.input[0].script_sig = ScriptBuf::new();
    inner.output[0].script_pubkey = ScriptBuf::from(vec![0; 4]);
    assert_eq!(serialize(&inner).len(), 64);
    let block = block_of(vec![inner]);
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[]).unwrap();
    let error = partial.fill(&[bytes_of(&block, 0)], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::CoinbaseMissing)), "{error}");
    // What is no coinbase, and no inner node, is for others to judge.
    let block = block_of(vec![numbered(1)]);
    let partial = start(&CompactBlock::new(&block, NONCE).unwrap(), &[owned(&block, 0)]).unwrap();
    assert_eq!(partial.fill(&[], true).unwrap().0, block);
}

/// Short ids may name the whole pool.
#[test]
fn more_than_a_block_is_not_put_together() {
    let large = |number| {
        let mut transaction = numbered(number);
        transaction.output[0].script_pubkey = ScriptBuf::from(vec![0; 1_500_000]);
        transaction
    };
    let block = block_of(vec![coinbase(), large(1), large(2), large(3)]);
    let compact = CompactBlock::new(&block, NONCE).unwrap();
    let pool: Vec<_> = (1..4).map(|index| owned(&block, index)).collect();
    let error = start(&compact, &pool).unwrap().fill(&[], true).unwrap_err();
    assert!(matches!(error, ReconstructionError::PossibleCollision(BlockError::BadWeight { got }) if got > 4_500_000));
    let sent: Vec<_> = (1..4).map(|index| bytes_of(&block, index)).collect();
    let error = start(&compact, &[]).unwrap().fill(&sent, true).unwrap_err();
    assert!(matches!(error, ReconstructionError::Mutated(BlockError::BadWeight { .. })));
}

#[test]
fn as_many_transactions_as_indexes_can_say() {
    let mut compact = CompactBlock::new(&core_block(), NONCE).unwrap();
    let id = |number: u64| ShortId(number.to_le_bytes()[..6].try_into().unwrap());
    compact.short_ids = (0..65_534).map(id).collect();
    let partial = start(&compact, &[]).unwrap();
    let missing = partial.missing();
    assert_eq!((missing.len(), missing[0], missing[65_533]), (65_534, 1, 65_534));
}

proptest! {
    #[test]
    fn blocks_come_back(
        carried in prop::collection::vec(any::<bool>(), 1..40),
        known in prop::collection::vec(any::<bool>(), 40),
        strangers in 0u64..50,
    ) {
        let txdata = std::iter::once(coinbase()).chain((1..carried.len() as u64).map(numbered));
        let block = block_of(txdata.collect());
        let carried: Vec<_> = (0u16..).zip(&carried).filter(|(_, is)| **is).map(|(index, _)| index).collect();
        let known = (0..block.transactions().len()).filter(|&index| known[index]).map(|index| owned(&block, index));
        let pool: Vec<_> = (1000..1000 + strangers).map(|number| ours(&numbered(number))).chain(known).collect();
        let partial = start(&carrying(&block, &carried), &pool).unwrap();
        let missing: Vec<_> = partial.missing().iter().map(|&index| bytes_of(&block, usize::from(index))).collect();
        prop_assert!(partial.missing().is_sorted());
        let (filled, sources) = partial.fill(&missing, true).unwrap();
        let TransactionSources { prefilled, pool, requested } = sources;
        prop_assert_eq!(prefilled.count + pool.count + requested.count, block.transactions().len());
        prop_assert_eq!(81 + prefilled.bytes + pool.bytes + requested.bytes, block.total_size());
        prop_assert_eq!(filled, block);
    }
}
