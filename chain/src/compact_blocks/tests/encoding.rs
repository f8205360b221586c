//! The form that compact blocks travel in.

use bitcoin::bip152;
use bitcoin::consensus::{deserialize, serialize};
use proptest::prelude::*;

use super::*;
use crate::primitives::DecodeError;
use crate::serialize::append_compact_size;

/// The bytes of a compact block with these ids, and with a list of carried transactions as it is given.
fn compact(short_ids: usize, prefilled: &[u8]) -> Vec<u8> {
    let mut bytes = core_block().bytes()[..80].to_vec();
    bytes.extend(NONCE.to_le_bytes());
    append_compact_size(&mut bytes, short_ids);
    bytes.resize(bytes.len() + 6 * short_ids, 3);
    bytes.extend(prefilled);
    bytes
}

/// A list of carried transactions, each behind its difference.
fn carried(differences: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_compact_size(&mut bytes, differences.len());
    for difference in differences {
        append_compact_size(&mut bytes, *difference);
        bytes.extend(serialize(&coinbase()));
    }
    bytes
}

fn places(bytes: &[u8]) -> Result<Vec<u16>, CompactBlockError> {
    Ok(CompactBlock::decode(bytes)?.prefilled().iter().map(|prefilled| prefilled.index).collect())
}

#[test]
fn equals_rust_bitcoins_form() {
    let block = core_block();
    let theirs: bitcoin::Block = deserialize(block.bytes()).unwrap();
    let theirs = bip152::HeaderAndShortIds::from_block(&theirs, NONCE, 2, &[]).unwrap();
    let ours = CompactBlock::new(&block, NONCE).unwrap();
    assert_eq!(ours.encode(), serialize(&theirs));
    assert_eq!((ours.header(), ours.hash(), ours.nonce()), (block.header(), block.hash(), NONCE));
    assert_eq!((ours.transaction_count(), ours.short_ids().len(), ours.prefilled().len()), (3, 2, 1));
    let theirs: bip152::HeaderAndShortIds = deserialize(&carrying(&block, &[0, 2]).encode()).unwrap();
    assert_eq!(theirs.prefilled_txs.iter().map(|prefilled| prefilled.idx).collect::<Vec<_>>(), [0, 1], "differences");
}

#[test]
fn indexes_are_differences() {
    assert_eq!(places(&compact(2, &carried(&[0]))), Ok(vec![0]));
    assert_eq!(places(&compact(2, &carried(&[2, 0]))), Ok(vec![2, 3]));
    assert_eq!(places(&compact(2, &carried(&[0, 1, 1]))), Ok(vec![0, 2, 4]));
    assert_eq!(places(&compact(300, &carried(&[0, 253]))), Ok(vec![0, 254]));
}

/// Core: `InitData`, a transaction for which there is neither an id nor another one before.
#[test]
fn nothing_is_carried_beyond_the_end() {
    let beyond = |got, limit| Err(CompactBlockError::PrefilledBeyondEnd { got, limit });
    assert_eq!(places(&compact(2, &carried(&[2]))), Ok(vec![2]));
    assert_eq!(places(&compact(2, &carried(&[3]))), beyond(3, 2));
    assert_eq!(places(&compact(0, &carried(&[0, 1]))), beyond(2, 1));
    assert_eq!(places(&compact(0, &carried(&[65_536]))), beyond(65_536, 0));
    assert_eq!(places(&compact(65_534, &carried(&[0x0200_0000]))), beyond(0x0200_0000, 65_534));
}

#[test]
fn sixteen_bits_count_the_transactions() {
    let too_many = |got| Err(CompactBlockError::TooManyTransactions { got });
    assert_eq!(places(&compact(65_534, &carried(&[65_534]))), Ok(vec![65_534]));
    assert_eq!(places(&compact(65_535, &carried(&[]))), Ok(Vec::new()));
    assert_eq!(places(&compact(65_535, &carried(&[0]))), too_many(65_536));
    assert_eq!(places(&compact(65_536, &carried(&[]))), too_many(65_536));
}

#[test]
fn blocks_without_a_compact_form_have_none() {
    assert_eq!(CompactBlock::new(&block_of(Vec::new()), NONCE), Err(CompactBlockError::NoTransactions));
    // Ten bytes are a transaction to the decoder, if to nobody else.
    let mut bytes = core_block().bytes()[..80].to_vec();
    append_compact_size(&mut bytes, 65_536);
    bytes.resize(bytes.len() + 10 * 65_536, 0);
    let block = Block::decode(bytes).unwrap();
    assert_eq!(CompactBlock::new(&block, NONCE), Err(CompactBlockError::TooManyTransactions { got: 65_536 }));
}

/// Core prefills the first transaction only if it is a coinbase.
#[test]
fn only_a_coinbase_is_carried() {
    let compact = CompactBlock::new(&block_of(vec![numbered(1), numbered(2)]), NONCE).unwrap();
    assert_eq!((compact.short_ids().len(), compact.prefilled().len()), (2, 0));
}

#[test]
fn what_is_no_compact_block_is_refused() {
    assert_eq!(places(&compact(0, &carried(&[]))), Err(CompactBlockError::NoTransactions));
    let mut trailing = compact(1, &carried(&[0]));
    trailing.push(0);
    assert_eq!(places(&trailing), Err(CompactBlockError::Decode(DecodeError::TrailingData { extra: 1 })));
    let mut null = compact(1, &carried(&[0]));
    null[72..76].fill(0);
    assert_eq!(places(&null), Err(CompactBlockError::NullHeader));
    let without_tail = compact(1, &carried(&[0]));
    for end in 0..without_tail.len() {
        assert!(matches!(places(&without_tail[..end]), Err(CompactBlockError::Decode(DecodeError::EndOfData { .. }))));
    }
}

#[test]
fn faults_in_a_transaction_say_where_they_are() {
    let transaction_start = 80 + 8 + 1 + 6 + 1 + 1;
    let bytes = compact(1, &[&[1, 0][..], &serialize(&coinbase())[..4], &[253, 1, 0]].concat());
    let expected = DecodeError::NonCanonicalCompactSize { got: 1, offset: transaction_start + 4 };
    assert_eq!(places(&bytes), Err(CompactBlockError::Decode(expected)));
}

proptest! {
    #[test]
    fn short_ids_are_rust_bitcoins(header: [u8; 80], nonce: u64, wtxid: [u8; 32]) {
        let header: Header = deserialize(&header).unwrap();
        let wtxid = Wtxid::from_byte_array(wtxid);
        let keys = bip152::ShortId::calculate_siphash_keys(&header, nonce);
        let theirs = bip152::ShortId::with_siphash_keys(&wtxid, keys);
        prop_assert_eq!(&ShortIdKey::new(&header, nonce).short_id(&wtxid).0, theirs.as_bytes());
    }

    #[test]
    fn compact_blocks_come_back(
        count in 1u64..40,
        carried in prop::collection::btree_set(0u16..40, 0..10),
    ) {
        let txdata = std::iter::once(coinbase()).chain((1..count).map(numbered)).collect();
        let block = block_of(txdata);
        let carried: Vec<_> = carried.into_iter().filter(|&index| u64::from(index) < count).collect();
        let compact = carrying(&block, &carried);
        let bytes = compact.encode();
        prop_assert_eq!(bytes.capacity() - bytes.len() < 80, true, "little is reserved in vain");
        prop_assert_eq!(CompactBlock::decode(&bytes), Ok(compact));
        prop_assert!(deserialize::<bip152::HeaderAndShortIds>(&bytes).is_ok());
        for end in [0, 88, bytes.len() - 1] {
            prop_assert!(CompactBlock::decode(&bytes[..end]).is_err());
        }
    }

    /// Whatever is decoded is the one compact block with these bytes.
    #[test]
    fn any_bytes_are_judged(
        tail in prop::collection::vec(prop_oneof![4 => 0u8..4, 1 => any::<u8>()], 0..300),
    ) {
        let mut bytes = compact(0, &[]);
        bytes.pop();
        bytes.extend(tail);
        if let Ok(compact) = CompactBlock::decode(&bytes) {
            prop_assert_eq!(compact.encode(), bytes);
            prop_assert!(compact.transaction_count() <= MAX_COMPACT_BLOCK_TRANSACTIONS);
        }
    }
}
