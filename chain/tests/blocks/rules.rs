//! Each rule about blocks broken once: the reason must be Core's, and the verdict must not condemn a hash for what anyone
//! could have done to a good block.

use std::collections::HashMap;
use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::block::Version;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, CompactTarget, OutPoint, Script, ScriptBuf, Sequence, TxIn, TxOut, Witness};
use cairn_chain::coins::{Coin, CoinScript, CoinsError, CoinsView};
use cairn_chain::hash::sha256d;
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::validation::{Verdict, check_block, merkle_root};

use crate::builder::{Chain, SUBSIDY, commit, commitment_output, mine, seal, spend};

/// A chain on which the first two coinbases can be spent in the next block.
fn chain() -> Chain {
    Chain::new(101, RegtestOptions::default())
}

/// A copy of a block with one change, sealed again.
fn changed(block: &Block, change: impl FnOnce(&mut Block)) -> Block {
    let mut block = block.clone();
    change(&mut block);
    seal(&mut block);
    block
}

#[test]
fn untouched_blocks_are_valid() {
    let chain = chain();
    assert!(chain.judge(&chain.block_spending(&[1, 2])).is_ok());
    assert!(chain.judge(&chain.block_spending(&[])).is_ok());
}

#[test]
fn headers() {
    let chain = chain();
    let good = chain.block_spending(&[]);
    let mut block = good.clone();
    block.header.nonce = (0..)
        .find(|&nonce| {
            let header = bitcoin::block::Header { nonce, ..good.header };
            header.validate_pow(header.target()).is_err()
        })
        .unwrap();
    chain.assert_rejects(&block, "high-hash", Verdict::InvalidHeader);

    let with_header = |change: fn(&mut Block)| changed(&good, change);
    let block = with_header(|block| block.header.bits = CompactTarget::from_consensus(0x207f_fffe));
    chain.assert_rejects(&block, "bad-diffbits", Verdict::InvalidHeader);
    let block = with_header(|block| block.header.time -= 6 * 600);
    chain.assert_rejects(&block, "time-too-old", Verdict::InvalidHeader);
    assert!(chain.judge(&with_header(|block| block.header.time -= 6 * 600 - 1)).is_ok());
    let block = with_header(|block| block.header.time += 7_201);
    chain.assert_rejects(&block, "time-too-new", Verdict::TooNew);
    assert!(chain.judge(&with_header(|block| block.header.time += 7_200)).is_ok());
    for version in [3, 0, -1] {
        let block = changed(&good, |block| block.header.version = Version::from_consensus(version));
        chain.assert_rejects(&block, &format!("bad-version({version:#010x})"), Verdict::InvalidHeader);
    }
    let block = changed(&good, |block| block.header.prev_blockhash = good.block_hash());
    chain.assert_rejects(&block, "prev-blk-not-found", Verdict::MissingParent);
}

#[test]
fn periods_do_not_start_far_before_the_last_one_ended() {
    let mut chain = Chain::new(142, RegtestOptions { enforce_bip94: true, ..RegtestOptions::default() });
    let mut last = chain.empty_block();
    last.header.time += 3_000;
    seal(&mut last);
    chain.accept(&last);
    let at = |offset: u32| {
        let mut block = chain.empty_block();
        block.header.time = last.header.time - offset;
        seal(&mut block);
        block
    };
    assert_eq!(chain.next_height(), 144);
    chain.assert_rejects(&at(601), "time-timewarp-attack", Verdict::InvalidHeader);
    assert!(chain.judge(&at(600)).is_ok());
}

#[test]
fn transactions_are_those_the_header_commits_to() {
    let chain = chain();
    let good = chain.block_spending(&[1, 2]);
    let mut block = good.clone();
    block.txdata.pop();
    chain.assert_rejects(&block, "bad-txnmrklroot", Verdict::Mutated);
    let mut block = good.clone();
    block.txdata.push(block.txdata[2].clone());
    assert!(block.check_merkle_root(), "repeating the last of three leaves the root as it is");
    chain.assert_rejects(&block, "bad-txns-duplicate", Verdict::Mutated);
}

#[test]
fn witnesses_are_those_the_coinbase_commits_to() {
    let chain = chain();
    let good = chain.block_spending(&[1]);
    // None of these changes the hash of the block.
    let with_coinbase_witness = |items: &[Vec<u8>]| {
        let mut block = good.clone();
        block.txdata[0].input[0].witness = Witness::from_slice(items);
        block
    };
    let of_sizes = |sizes: &[usize]| sizes.iter().map(|&size| vec![0; size]).collect::<Vec<_>>();
    for sizes in [&[][..], &[31], &[33], &[32, 0]] {
        chain.assert_rejects(&with_coinbase_witness(&of_sizes(sizes)), "bad-witness-nonce-size", Verdict::Mutated);
    }
    chain.assert_rejects(&with_coinbase_witness(&[vec![1; 32]]), "bad-witness-merkle-match", Verdict::Mutated);
    let mut block = good.clone();
    block.txdata[1].input[0].witness.push([0]);
    chain.assert_rejects(&block, "bad-witness-merkle-match", Verdict::Mutated);
    // However large a witness anyone attaches: it is not the block's.
    let mut block = good.clone();
    block.txdata[1].input[0].witness.push(vec![0; 4_000_000]);
    chain.assert_rejects(&block, "bad-witness-merkle-match", Verdict::Mutated);
}

#[test]
fn the_last_commitment_counts() {
    let chain = chain();
    let good = chain.block_spending(&[1]);
    let bogus = commitment_output([7; 32]);
    let before = changed(&good, |block| block.txdata[0].output.insert(1, bogus.clone()));
    assert!(chain.judge(&before).is_ok());
    let after = changed(&good, |block| block.txdata[0].output.push(bogus.clone()));
    chain.assert_rejects(&after, "bad-witness-merkle-match", Verdict::Mutated);
    let too_short = TxOut { script_pubkey: ScriptBuf::from(bogus.script_pubkey[..37].to_bytes()), ..bogus };
    assert!(chain.judge(&changed(&good, |block| block.txdata[0].output.push(too_short))).is_ok());
}

#[test]
fn without_commitment_there_is_no_witness() {
    let chain = chain();
    let good = chain.block_spending(&[1]);
    let block = changed(&good, |block| {
        block.txdata[0].output.truncate(1);
        block.txdata[0].input[0].witness.clear();
    });
    chain.assert_rejects(&block, "unexpected-witness", Verdict::Mutated);
    let mut block = chain.empty_block();
    seal(&mut block);
    block.txdata[0].input[0].witness = Witness::from_slice(&[[0; 32]]);
    chain.assert_rejects(&block, "unexpected-witness", Verdict::Mutated);
}

#[test]
fn sizes() {
    let chain = chain();
    let mut block = chain.empty_block();
    block.txdata.push(spend(chain.coinbase(1), SUBSIDY));
    let padding = |bytes| TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from(vec![0x6a; bytes]) };
    block.txdata[1].output.push(padding(1_000_000));
    commit(&mut block);
    seal(&mut block);
    chain.assert_rejects(&block, "bad-blk-length", Verdict::InvalidBody);

    let mut block = chain.empty_block();
    block.txdata.push(spend(chain.coinbase(1), SUBSIDY));
    block.txdata[1].input[0].witness = Witness::from_slice(&[&vec![0; 3_999_000][..], &[0x51]]);
    commit(&mut block);
    seal(&mut block);
    chain.assert_rejects(&block, "bad-blk-weight", Verdict::Invalid);
    let weight = usize::try_from(block.weight().to_wu()).unwrap();
    block.txdata[1].input[0].witness = Witness::from_slice(&[&vec![0; 3_999_000 - (weight - 4_000_000)][..], &[0x51]]);
    block.txdata[0].output.pop();
    commit(&mut block);
    seal(&mut block);
    assert_eq!(block.weight().to_wu(), 4_000_000);
    // Not too heavy any more, so its script is what fails.
    let reason = "block-script-verify-flag-failed (Push value size limit exceeded)";
    chain.assert_rejects(&block, reason, Verdict::Invalid);

    let block = changed(&chain.block_spending(&[]), |block| {
        block.txdata[0].output[0].script_pubkey = ScriptBuf::from(vec![0xac; 20_001]);
    });
    chain.assert_rejects(&block, "bad-blk-sigops", Verdict::InvalidBody);
    let most = changed(&block, |block| block.txdata[0].output[0].script_pubkey = ScriptBuf::from(vec![0xac; 20_000]));
    assert!(chain.judge(&most).is_ok());
}

#[test]
fn coinbases() {
    let chain = chain();
    let good = chain.block_spending(&[1]);
    let reject_as = |change: fn(&mut Block), reason, verdict| {
        chain.assert_rejects(&changed(&good, change), reason, verdict);
    };
    let reject = |change, reason| reject_as(change, reason, Verdict::InvalidBody);
    reject(|block| drop(block.txdata.remove(0)), "bad-cb-missing");
    reject(|block| block.txdata[1].input[0].previous_output = OutPoint::null(), "bad-cb-multiple");
    reject(|block| block.txdata[0].input[0].script_sig = ScriptBuf::from(vec![0x51]), "bad-cb-length");
    reject(|block| block.txdata[0].input[0].script_sig = ScriptBuf::from(vec![0x51; 101]), "bad-cb-length");
    reject_as(
        |block| block.txdata[0].input[0].script_sig = ScriptBuf::from(vec![1, 101, 0x51]),
        "bad-cb-height",
        Verdict::Invalid,
    );
    reject_as(
        |block| block.txdata[0].output[0].value = Amount::from_sat(SUBSIDY + 1),
        "bad-cb-amount",
        Verdict::Invalid,
    );
    reject(|block| block.txdata[0].output.clear(), "bad-txns-vout-empty");
}

#[test]
fn fees_go_to_the_coinbase() {
    let chain = chain();
    let with_fee = |claimed: u64| {
        let mut block = chain.empty_block();
        block.txdata.push(spend(chain.coinbase(1), SUBSIDY - 1_000));
        block.txdata[0].output[0].value = Amount::from_sat(SUBSIDY + claimed);
        commit(&mut block);
        seal(&mut block);
        block
    };
    assert!(chain.judge(&with_fee(1_000)).is_ok());
    chain.assert_rejects(&with_fee(1_001), "bad-cb-amount", Verdict::Invalid);
}

#[test]
fn coins() {
    let chain = chain();
    let with = |transactions: Vec<bitcoin::Transaction>| {
        let mut block = chain.empty_block();
        block.txdata.extend(transactions);
        commit(&mut block);
        seal(&mut block);
        block
    };
    let first = spend(chain.coinbase(1), SUBSIDY);
    let child = spend(OutPoint { txid: first.compute_txid(), vout: 0 }, SUBSIDY);
    assert!(chain.judge(&with(vec![first.clone(), child.clone()])).is_ok(), "an output of the same block");

    let reject = |transactions, reason| chain.assert_rejects(&with(transactions), reason, Verdict::Invalid);
    reject(vec![child, first.clone()], "bad-txns-inputs-missingorspent");
    reject(vec![first.clone(), spend(chain.coinbase(1), 1)], "bad-txns-inputs-missingorspent");
    reject(vec![spend(chain.coinbase(3), SUBSIDY)], "bad-txns-premature-spend-of-coinbase");
    reject(vec![spend(chain.coinbase(1), SUBSIDY + 1)], "bad-txns-in-belowout");

    let mut twice = first.clone();
    twice.input.push(twice.input[0].clone());
    chain.assert_rejects(&with(vec![twice]), "bad-txns-inputs-duplicate", Verdict::InvalidBody);
    let mut locked = first.clone();
    locked.lock_time = LockTime::from_height(chain.next_height()).unwrap();
    locked.input[0].sequence = Sequence::ZERO;
    reject(vec![locked.clone()], "bad-txns-nonfinal");
    locked.lock_time = LockTime::from_height(chain.next_height() - 1).unwrap();
    assert!(chain.judge(&with(vec![locked])).is_ok());
    let mut locked = first;
    locked.input[0].sequence = Sequence::from_height(102);
    reject(vec![locked.clone()], "bad-txns-nonfinal");
    locked.input[0].sequence = Sequence::from_height(101);
    assert!(chain.judge(&with(vec![locked])).is_ok());
}

#[test]
fn scripts_come_last() {
    let chain = chain();
    let mut block = chain.block_spending(&[1]);
    block.txdata[1].input[0].witness = Witness::from_slice(&[[0x52]]);
    block.txdata[0].output.pop();
    commit(&mut block);
    seal(&mut block);
    let reason = "block-script-verify-flag-failed (Witness program hash mismatch)";
    chain.assert_rejects(&block, reason, Verdict::Invalid);
    let block = changed(&block, |block| block.txdata[0].output[0].value = Amount::from_sat(SUBSIDY + 1));
    chain.assert_rejects(&block, "bad-cb-amount", Verdict::Invalid);
}

#[test]
fn coins_are_not_overwritten() {
    // Without BIP34 two coinbases can be the same.
    let activation_heights = vec!["bip34@1000".parse().unwrap()];
    let mut chain = Chain::new(1, RegtestOptions { activation_heights, ..RegtestOptions::default() });
    let first = chain.empty_block();
    let mut second = first.clone();
    second.txdata[0].input[0].script_sig = ScriptBuf::from(vec![1, 2, 3]);
    seal(&mut second);
    chain.accept(&second);
    let mut third = chain.empty_block();
    third.txdata = second.txdata.clone();
    seal(&mut third);
    chain.assert_rejects(&third, "bad-txns-BIP30", Verdict::Invalid);
    third.txdata[0].input[0].script_sig = ScriptBuf::from(vec![1, 2, 4]);
    seal(&mut third);
    assert!(chain.judge(&third).is_ok());
}

#[test]
fn an_empty_block_has_no_length() {
    let chain = chain();
    let mut block = chain.empty_block();
    block.txdata.clear();
    mine(&mut block);
    chain.assert_rejects(&block, "bad-blk-length", Verdict::InvalidBody);
}

/// A body that is not the block's, but whose two inner merkle nodes, 64 bytes, look like one transaction: it has the root of
/// the real body, so whoever blamed the header for it could be made to refuse the real block.
#[test]
fn merkle_nodes_that_look_like_a_transaction_condemn_nothing() {
    // The number in each was found by trying: the txids have to decode as an input and an output.
    let coinbase =
        [&[1, 0, 0, 0, 1][..], &[0; 32], &[0xff; 4], &[5, 0x51], &140u32.to_le_bytes(), &[0xff; 4], &[1], &[0; 13]];
    let spend = [&[1, 0, 0, 0, 1][..], &[7; 36], &[0], &[0xff; 4], &[1], &[0; 9], &7_713_002u32.to_le_bytes()];
    let (coinbase, spend) = (coinbase.concat(), spend.concat());
    let nodes = [sha256d(&coinbase), sha256d(&spend)];
    let good = [coinbase, spend].map(|bytes| encode::deserialize(&bytes).unwrap());

    let mut block = chain().empty_block();
    block.txdata = good.to_vec();
    seal(&mut block);
    let header = encode::serialize(&block.header);
    let forged = [&header[..], &[1], &nodes[0], &nodes[1]].concat();
    let forged = cairn_chain::primitives::Block::decode(forged).unwrap();
    assert_eq!(forged.hash(), block.block_hash());
    assert_eq!(merkle_root(&forged).root, block.header.merkle_root.to_byte_array());

    let params = ChainParams::regtest(RegtestOptions::default()).consensus;
    let error = check_block(Arc::new(forged), &params).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-cb-missing");
    assert!(!error.verdict().condemns_hash(), "{:?}", error.verdict());
}

/// Coins that cannot be read.
struct BrokenDisk;

impl CoinsView for BrokenDisk {
    fn coin(&self, _: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        Err(CoinsError(Arc::new(std::io::Error::other("broken"))))
    }
}

#[test]
fn our_own_fault_is_not_the_blocks() {
    let chain = chain();
    let error = chain.judge_with_coins(&chain.block_spending(&[1]), &BrokenDisk).unwrap_err();
    assert_eq!((error.verdict(), error.verdict().condemns_hash()), (Verdict::OurFault, false), "{error}");
}

/// The next block with one transaction, which spends as many coins as there are, and those coins.
fn block_spending_coins(chain: &Chain, coins: &[Coin], script_sig: &ScriptBuf) -> (Block, HashMap<OutPoint, Coin>) {
    let mut tx = spend(OutPoint::null(), 0);
    tx.input.clear();
    let mut view = HashMap::new();
    for (vout, coin) in (0..).zip(coins) {
        let outpoint = OutPoint { txid: bitcoin::Txid::all_zeros(), vout };
        view.insert(outpoint, coin.clone());
        tx.input.push(TxIn { previous_output: outpoint, script_sig: script_sig.clone(), ..TxIn::default() });
    }
    let mut block = chain.empty_block();
    block.txdata.push(tx);
    commit(&mut block);
    seal(&mut block);
    (block, view)
}

fn coin(amount: Amount, script_pubkey: &Script) -> Coin {
    Coin { amount, script_pubkey: CoinScript::from(script_pubkey), height: 1, is_coinbase: false }
}

#[test]
fn amounts_that_no_chain_can_hold() {
    let chain = chain();
    let rich = coin(Amount::MAX_MONEY, Script::new());
    let (block, view) = block_spending_coins(&chain, &[rich.clone(), rich.clone()], &ScriptBuf::new());
    let error = chain.judge_with_coins(&block, &view).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-txns-inputvalues-outofrange");

    // Each transaction's fee is in range, and their sum is not.
    let (mut block, view) = block_spending_coins(&chain, &[rich.clone(), rich], &ScriptBuf::new());
    let second = block.txdata[1].input.pop().unwrap();
    let mut other = block.txdata[1].clone();
    other.input = vec![second];
    block.txdata.push(other);
    block.txdata[0].output.pop();
    commit(&mut block);
    seal(&mut block);
    let error = chain.judge_with_coins(&block, &view).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-txns-accumulated-fee-outofrange");
}

#[test]
fn redeem_scripts_count_as_signature_operations() {
    // 500 times OP_CHECKMULTISIG: 20 operations each, which cost four.
    let redeem_script = ScriptBuf::from(vec![0xae; 500]);
    let script_sig = ScriptBuf::from([&[0x4d, 0xf4, 0x01][..], redeem_script.as_bytes()].concat());
    let chain = chain();
    let p2sh = coin(Amount::ONE_SAT, &redeem_script.to_p2sh());
    let reason = |coins: usize| {
        let (block, view) = block_spending_coins(&chain, &vec![p2sh.clone(); coins], &script_sig);
        let error = chain.judge_with_coins(&block, &view).unwrap_err();
        (error.reject_reason().into_owned(), error.verdict())
    };
    assert_eq!(reason(3), ("bad-blk-sigops".to_owned(), Verdict::Invalid));
    assert!(reason(2).0.starts_with("block-script-verify-flag-failed"), "80,000 are allowed");
}

#[test]
fn each_soft_fork_retires_a_version() {
    let heights = ["bip34@1", "dersig@3", "cltv@5"];
    let activation_heights = heights.map(|height| height.parse().unwrap()).to_vec();
    let mut chain = Chain::new(1, RegtestOptions { activation_heights, ..RegtestOptions::default() });
    for lowest in [2, 3, 3, 4] {
        let of_version = |version| {
            let mut block = chain.empty_block();
            block.header.version = Version::from_consensus(version);
            seal(&mut block);
            block
        };
        let reason = format!("bad-version(0x{:08x})", lowest - 1);
        chain.assert_rejects(&of_version(lowest - 1), &reason, Verdict::InvalidHeader);
        let block = of_version(lowest);
        chain.accept(&block);
    }
}
