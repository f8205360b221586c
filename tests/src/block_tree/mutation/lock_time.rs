//! Absolute and relative lock times at their edges.

use super::super::draft::Draft;
use super::super::forge::{Forge, THRESHOLD};
use super::super::lock::{Kind, SEQUENCE_TIME};
use super::super::spend::Spend;
use super::{Effect, Mutation, mutation};

const REASON: &str = "bad-txns-nonfinal";
const SCRIPT: Effect = Effect::Unconnectable("block-script-verify-flag-failed");
/// The highest sequence that does not switch the lock time off.
const NOT_FINAL: u32 = u32::MAX - 1;

pub(super) const ALL: &[Mutation] = &[
    mutation("locked until the last height", Effect::Valid, final_height),
    mutation("locked until this height", Effect::Condemned(REASON), nonfinal_height),
    mutation("locked until before the median time", Effect::Valid, final_time),
    mutation("locked until the median time", Effect::Condemned(REASON), nonfinal_time),
    mutation("locked and all inputs final", Effect::Valid, final_inputs),
    mutation("coinbase locked until this height", Effect::Condemned(REASON), nonfinal_coinbase),
    mutation("as many blocks as the sequence wants", Effect::Valid, sequence_height),
    mutation("one block less than the sequence wants", Effect::Unconnectable(REASON), sequence_locked_height),
    mutation("as much time as the sequence wants", Effect::Valid, sequence_time),
    mutation("less time than the sequence wants", Effect::Unconnectable(REASON), sequence_locked_time),
    mutation("sequence without meaning in version 1", Effect::Valid, sequence_of_version_1),
    mutation("OP_CHECKLOCKTIMEVERIFY wants more", SCRIPT, cltv_fails),
    mutation("OP_CHECKLOCKTIMEVERIFY and a final input", SCRIPT, cltv_of_final_input),
    mutation("OP_CHECKSEQUENCEVERIFY wants more", SCRIPT, csv_fails),
    mutation("OP_CHECKSEQUENCEVERIFY in version 1", SCRIPT, csv_of_version_1),
];

/// Adds a transaction that spends a coin without locks of time, with these locks, and finishes the block.
fn locked(forge: &mut Forge, draft: &mut Draft, lock_time: u32, sequence: u32) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| !has_lock_time(coin.lock.kind))?;
    let spend = Spend { lock_time, inputs: vec![(coin.clone(), sequence)], ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn has_lock_time(kind: Kind) -> bool {
    matches!(kind, Kind::Cltv | Kind::P2shCltv | Kind::Csv | Kind::BareCsv)
}

fn final_height(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    locked(forge, draft, draft.height - 1, NOT_FINAL)
}

fn nonfinal_height(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    locked(forge, draft, draft.height, NOT_FINAL)
}

fn final_time(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    locked(forge, draft, draft.median - 1, NOT_FINAL)
}

fn nonfinal_time(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    locked(forge, draft, draft.median, NOT_FINAL)
}

fn final_inputs(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let lock_time = forge.rng.pick(&[draft.height + 1, THRESHOLD - 1, u32::MAX]);
    locked(forge, draft, lock_time, u32::MAX)
}

fn nonfinal_coinbase(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    let height = draft.height;
    let coinbase = draft.coinbase();
    coinbase.lock_time = bitcoin::absolute::LockTime::from_consensus(height);
    coinbase.input[0].sequence = bitcoin::Sequence::ZERO;
    draft.finish();
    Some(())
}

/// Spends a coin with a sequence `beyond` the longest that has passed.
fn relative(forge: &mut Forge, draft: &mut Draft, kind: u32, beyond: u32, version: i32) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| !has_lock_time(coin.lock.kind))?;
    let longest = forge.longest(draft, &coin, kind);
    let sequence = (longest < 0xffff).then_some(kind | (longest + beyond))?;
    let spend = Spend { version, inputs: vec![(coin.clone(), sequence)], ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn sequence_height(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    relative(forge, draft, 0, 0, 2)
}

fn sequence_locked_height(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let version = forge.rng.pick(&[2, 3, -1]);
    relative(forge, draft, 0, 1, version)
}

fn sequence_time(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    relative(forge, draft, SEQUENCE_TIME, 0, 2)
}

fn sequence_locked_time(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let version = forge.rng.pick(&[2, 3, -1]);
    relative(forge, draft, SEQUENCE_TIME, 1, version)
}

fn sequence_of_version_1(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let kind = forge.rng.pick(&[0, SEQUENCE_TIME]);
    relative(forge, draft, kind, 1, 1)
}

fn cltv_fails(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| is_cltv(coin.lock.kind) && coin.lock.number > 1)?;
    let lock_time = forge.rng.pick(&[coin.lock.number - 1, 0]);
    let spend = Spend { lock_time, inputs: vec![(coin.clone(), NOT_FINAL)], ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn cltv_of_final_input(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| is_cltv(coin.lock.kind))?;
    let spend = Spend { lock_time: coin.lock.number, ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn is_cltv(kind: Kind) -> bool {
    matches!(kind, Kind::Cltv | Kind::P2shCltv)
}

fn csv_fails(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let longer_than_none = |number: u32| number & !SEQUENCE_TIME > 0;
    let coin = forge.coin_where(draft, |coin| is_csv(coin.lock.kind) && longer_than_none(coin.lock.number))?;
    let sequence = coin.lock.number - 1;
    let spend = Spend { inputs: vec![(coin.clone(), sequence)], ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn csv_of_version_1(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| is_csv(coin.lock.kind))?;
    let sequence = coin.lock.number;
    let spend = Spend { version: 1, inputs: vec![(coin.clone(), sequence)], ..Spend::pay_all(coin) };
    forge.add(draft, &spend);
    draft.finish();
    Some(())
}

fn is_csv(kind: Kind) -> bool {
    matches!(kind, Kind::Csv | Kind::BareCsv)
}
