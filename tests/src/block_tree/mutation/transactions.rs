//! Transactions that break a rule on their own, and lists of them that the header does not commit to.

use bitcoin::consensus::encode::{self, VarInt};
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, TxIn, TxMerkleNode, Txid, merkle_tree};

use super::super::draft::Draft;
use super::super::forge::Forge;
use super::super::spend::Spend;
use super::{Effect, Mutation, mutation};
use crate::block_judge::Class;

const fn invalid(reason: &'static str) -> Effect {
    Effect::Forgotten(Class::Consensus, reason)
}

const fn mutated(reason: &'static str) -> Effect {
    Effect::Forgotten(Class::Mutated, reason)
}

/// The most satoshis a value or sum may be (Core: `MAX_MONEY`, `consensus/amount.h`).
const MAX_MONEY: u64 = 2_100_000_000_000_000;

pub(super) const ALL: &[Mutation] = &[
    mutation("transactions of another block", mutated("bad-txnmrklroot"), other_transactions),
    mutation("merkle root of another block", mutated("bad-txnmrklroot"), other_merkle_root),
    mutation("last transaction repeated", mutated("bad-txns-duplicate"), last_repeated),
    mutation("last two transactions repeated", mutated("bad-txns-duplicate"), last_two_repeated),
    mutation("no transactions", invalid("bad-blk-length"), no_transactions),
    mutation("no inputs", invalid("bad-txns-vin-empty"), no_inputs),
    mutation("no outputs", invalid("bad-txns-vout-empty"), no_outputs),
    mutation("negative output", invalid("bad-txns-vout-negative"), negative_output),
    mutation("output above the maximum", invalid("bad-txns-vout-toolarge"), output_too_large),
    mutation("outputs above the maximum", invalid("bad-txns-txouttotal-toolarge"), outputs_too_large),
    mutation("input repeated", invalid("bad-txns-inputs-duplicate"), input_repeated),
    mutation("input of nothing", invalid("bad-txns-prevout-null"), null_prevout),
];

fn other_transactions(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    let mut other = draft.block.clone();
    if other.txdata.len() > 1 {
        other.txdata.pop();
    } else {
        other.txdata[0].version.0 += 1;
    }
    draft.mutant = Some(encode::serialize(&other));
    Some(())
}

fn other_merkle_root(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    draft.block.header.merkle_root = TxMerkleNode::from_byte_array(forge.rng.array());
    draft.mine();
    Some(())
}

/// CVE-2012-2459: the tree repeats the last of an odd number, so a list that repeats it has the same root.
fn last_repeated(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    while draft.block.txdata.len() < 3 || draft.block.txdata.len().is_multiple_of(2) {
        forge.add_any(draft)?;
    }
    draft.finish();
    let mut other = draft.block.clone();
    other.txdata.extend(other.txdata.last().cloned());
    draft.mutant = Some(encode::serialize(&other));
    Some(())
}

/// The same one level up.
fn last_two_repeated(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    while draft.block.txdata.len() < 6 || draft.block.txdata.len() % 4 != 2 {
        forge.add_any(draft)?;
    }
    draft.finish();
    let mut other = draft.block.clone();
    other.txdata.extend_from_within(other.txdata.len() - 2..);
    draft.mutant = Some(encode::serialize(&other));
    Some(())
}

fn no_transactions(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.txdata.clear();
    draft.seal();
    Some(())
}

/// A transaction of four zero bytes between version and lock time would have one input; of two, it has neither inputs nor
/// outputs. Other transactions without inputs do not decode.
fn no_inputs(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    let empty = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let txid = Txid::from_byte_array(bitcoin::hashes::sha256d::Hash::hash(&empty).to_byte_array());
    let txids = draft.block.txdata.iter().map(|tx| tx.compute_txid()).chain([txid]);
    let root = merkle_tree::calculate_root(txids.map(|txid| txid.to_raw_hash())).unwrap();
    draft.block.header.merkle_root = root.into();
    draft.mine();
    let count = VarInt::from(draft.block.txdata.len() + 1);
    let transactions = draft.block.txdata.iter().flat_map(encode::serialize);
    let mut bytes = [encode::serialize(&draft.block.header), encode::serialize(&count)].concat();
    bytes.extend(transactions.chain(empty));
    draft.bytes = Some(bytes);
    Some(())
}

fn no_outputs(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    if forge.rng.chance(30) {
        draft.finish();
        draft.coinbase().output.clear();
        draft.seal();
        return Some(());
    }
    with_spend(forge, draft, |spend| spend.outputs.clear())
}

fn negative_output(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    with_spend(forge, draft, |spend| spend.set_value(0, u64::MAX))
}

fn output_too_large(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    with_spend(forge, draft, |spend| spend.set_value(0, MAX_MONEY + 1))
}

fn outputs_too_large(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    with_spend(forge, draft, |spend| {
        spend.outputs.truncate(1);
        spend.outputs.push(spend.outputs[0].clone());
        spend.set_value(0, MAX_MONEY);
        spend.set_value(1, 1);
    })
}

fn input_repeated(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let spend = forge.spend(draft)?;
    forge.add(draft, &spend);
    let tx = draft.block.txdata.last_mut()?;
    tx.input.push(tx.input[0].clone());
    draft.finish();
    Some(())
}

fn null_prevout(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    forge.add_any(draft)?;
    let tx = draft.block.txdata.last_mut()?;
    tx.input.push(TxIn { previous_output: OutPoint::null(), ..TxIn::default() });
    draft.finish();
    Some(())
}

/// Adds a valid transaction with a change, and finishes the block.
fn with_spend(forge: &mut Forge, draft: &mut Draft, change: fn(&mut Spend)) -> Option<()> {
    let mut spend = forge.spend(draft)?;
    change(&mut spend);
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}
