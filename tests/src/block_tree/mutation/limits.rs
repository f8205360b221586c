//! Sizes, weights and signature operations, at their limits and beyond.

use bitcoin::{OutPoint, ScriptBuf, TxOut};

use super::super::draft::Draft;
use super::super::forge::Forge;
use super::super::lock::Kind;
use super::super::spend::Spend;
use super::{Effect, Mutation, mutation};
use crate::block_judge::Class;

const SIGOPS: &str = "bad-blk-sigops";
/// Core: `MAX_BLOCK_WEIGHT`, `consensus/consensus.h`.
const MAX_WEIGHT: u64 = 4_000_000;
/// Core: `MAX_BLOCK_SIGOPS_COST`, `consensus/consensus.h`.
const MAX_SIGOPS_COST: usize = 80_000;

pub(super) const ALL: &[Mutation] = &[
    mutation("most weight", Effect::Valid, most_weight),
    mutation("too much weight", Effect::Condemned("bad-blk-weight"), too_much_weight),
    mutation("too large", Effect::Forgotten(Class::Consensus, "bad-blk-length"), too_large),
    mutation("most signature operations", Effect::Valid, most_sigops),
    mutation("too many signature operations", Effect::Forgotten(Class::Consensus, SIGOPS), too_many_sigops),
    mutation("most signature operations, some in P2SH", Effect::Valid, most_p2sh_sigops),
    mutation("too many signature operations, some in P2SH", Effect::Unconnectable(SIGOPS), too_many_p2sh_sigops),
    mutation("most signature operations, some in witnesses", Effect::Valid, most_witness_sigops),
    mutation(
        "too many signature operations, some in witnesses",
        Effect::Unconnectable(SIGOPS),
        too_many_witness_sigops,
    ),
];

/// Adds an output nobody can spend, as large as brings the block to a weight.
fn pad_to(draft: &mut Draft, weight: u64) -> Option<()> {
    let padding = |bytes: usize| ScriptBuf::from(vec![0x6a; bytes]);
    // The length of so long a script takes five bytes.
    draft.add_to_coinbase(padding(70_000));
    draft.pay();
    draft.commit();
    let missing = usize::try_from(weight - draft.block.weight().to_wu()).unwrap();
    let position = draft.block.txdata[0].output.len() - 2;
    draft.coinbase().output[position].script_pubkey = padding(70_000 + missing / 4);
    draft.commit();
    draft.seal();
    (missing % 4 == 0).then_some(())
}

fn most_weight(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    *draft = forge.draft(draft.parent);
    pad_to(draft, MAX_WEIGHT)
}

fn too_much_weight(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    *draft = forge.draft(draft.parent);
    pad_to(draft, MAX_WEIGHT + 4)
}

fn too_large(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.add_to_coinbase(ScriptBuf::from(vec![0x6a; 1_000_000]));
    draft.finish();
    Some(())
}

/// The cost of all signature operations, as rust-bitcoin counts it.
fn sigop_cost(draft: &Draft) -> usize {
    let spent = |outpoint: &OutPoint| -> Option<TxOut> {
        let before = draft.spent.iter().find(|coin| coin.outpoint == *outpoint).map(|coin| coin.output.clone());
        let own = || draft.block.txdata.iter().find(|tx| tx.compute_txid() == outpoint.txid);
        before.or_else(|| own().map(|tx| tx.output[usize::try_from(outpoint.vout).unwrap()].clone()))
    };
    draft.block.txdata.iter().map(|tx| tx.total_sigop_cost(spent)).sum()
}

/// Lets an output of the coinbase bring the cost to `MAX_SIGOPS_COST` and `beyond`.
fn fill_sigops(draft: &mut Draft, beyond: usize) -> Option<()> {
    let missing = (MAX_SIGOPS_COST + beyond).checked_sub(sigop_cost(draft))?;
    draft.add_to_coinbase(ScriptBuf::from(vec![0xac; missing / 4]));
    draft.finish();
    (missing % 4 == 0).then_some(())
}

fn most_sigops(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    fill_sigops(draft, 0)
}

fn too_many_sigops(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    let script = ScriptBuf::from(vec![0xac; MAX_SIGOPS_COST / 4 + 1]);
    draft.add_to_coinbase(script);
    draft.finish();
    Some(())
}

fn most_p2sh_sigops(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    add_sigops(forge, draft, Kind::P2shSigops)?;
    fill_sigops(draft, 0)
}

fn too_many_p2sh_sigops(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    add_sigops(forge, draft, Kind::P2shSigops)?;
    overfill_sigops(draft)
}

fn most_witness_sigops(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    add_sigops(forge, draft, Kind::P2wshSigops)?;
    fill_sigops(draft, 0)
}

fn too_many_witness_sigops(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    add_sigops(forge, draft, Kind::P2wshSigops)?;
    overfill_sigops(draft)
}

/// As little above the limit as can be: an operation outside the witness costs four, so it depends on the witnesses.
fn overfill_sigops(draft: &mut Draft) -> Option<()> {
    let excess = sigop_cost(draft) % 4;
    fill_sigops(draft, if excess == 0 { 4 } else { excess })
}

fn add_sigops(forge: &mut Forge, draft: &mut Draft, kind: Kind) -> Option<()> {
    let coin = forge.coin_of_kind(draft, kind)?;
    forge.add(draft, &Spend::pay_all(coin));
    Some(())
}
