//! Lock times at their edges, absolute and relative.

use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all::*;

use crate::lock::{ENVELOPES, Lock};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, number_bytes};
use crate::spend::Spend;

/// The first lock time that is not a height.
const THRESHOLD: i64 = 500_000_000;

pub(crate) fn lock_time(rng: &mut Rng, spend: &mut Spend) {
    let any = i64::from(rng.u32());
    let lock_time =
        rng.pick(&[0, 1, 127, 128, THRESHOLD - 1, THRESHOLD, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, any, any, any]);
    let of_transaction = lock_time + rng.pick(&[0, 0, 0, 0, 1, -1, THRESHOLD, 1000]);
    spend.lock_time = u32::try_from(of_transaction).unwrap_or(if of_transaction < 0 { 0 } else { u32::MAX });
    let sequence = spend.input().sequence;
    // A final input would switch the lock time off.
    spend.input_mut().sequence = if rng.chance(85) && sequence == u32::MAX { 0xffff_fffe } else { sequence };
    check(rng, spend, lock_time, OP_CLTV);
}

pub(crate) fn sequence(rng: &mut Rng, spend: &mut Spend) {
    const DISABLED: u32 = 1 << 31;
    const SECONDS: u32 = 1 << 22;
    const MASK: u32 = 0xffff;
    let mut sequence = rng.pick(&[0, 1, MASK - 1, MASK, 16, 17]) | if rng.chance(50) { SECONDS } else { 0 };
    let of_input = sequence.wrapping_add(rng.pick(&[0, 0, 0, 0, 1, u32::MAX, SECONDS]));
    // Bits without meaning.
    let noise = |rng: &mut Rng| if rng.chance(30) { rng.u32() & !(DISABLED | SECONDS | MASK) } else { 0 };
    sequence |= noise(rng) | if rng.chance(10) { DISABLED } else { 0 };
    spend.input_mut().sequence = of_input | noise(rng) | if rng.chance(5) { DISABLED } else { 0 };
    spend.version = rng.pick(&[2, 2, 2, 2, 2, 3, 1, 0, 0x7fff_ffff, 0x8000_0000, u32::MAX]);
    let above = if rng.chance(5) { 1 << 32 } else { 0 };
    check(rng, spend, i64::from(sequence) | above, OP_CSV);
}

fn check(rng: &mut Rng, spend: &mut Spend, number: i64, opcode: Opcode) {
    let mut bytes = number_bytes(if rng.chance(8) { -number } else { number });
    if rng.chance(10) {
        bytes.resize(rng.between(4, 6).max(bytes.len()), 0); // no longer minimal, or too long
    }
    let mut script = ScriptBuilder::default();
    script.push(&bytes).op(opcode).op(OP_DROP).number(1);
    let envelope = rng.pick(ENVELOPES);
    Lock::new(rng, spend, envelope, script.build()).open(spend, Vec::new());
}
