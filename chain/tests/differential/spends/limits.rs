//! Scripts at the limits of size, operations, stack and elements: just inside and just outside.

use bitcoin::opcodes::all::*;

use crate::lock::Envelope::{self, Bare, P2sh, P2wsh, Tapscript};
use crate::lock::{ENVELOPES, Lock};
use crate::rng::Rng;
use crate::script::ScriptBuilder;
use crate::spend::Spend;

/// 201 operations, among them those that are not executed and the keys of a multisig.
pub(crate) fn operations(rng: &mut Rng, spend: &mut Spend) {
    let envelope = rng.pick(ENVELOPES);
    let mut left = rng.between(200, 203);
    let mut script = ScriptBuilder::default();
    if rng.chance(50) && envelope != Tapscript {
        let keys = rng.between(0, 20);
        script.number(0).number(0);
        for _ in 0..keys {
            script.number(1);
        }
        script.number(keys as i64).op(OP_CHECKMULTISIGVERIFY);
        left -= keys + 1;
    }
    if rng.chance(50) {
        let inside = rng.between(0, 50);
        // OP_RESERVED looks like an operation and is not counted.
        script.number(0).op(OP_IF).ops(OP_NOP, inside).op(OP_RESERVED).op(OP_ENDIF);
        left -= inside + 2;
    }
    script.ops(OP_NOP, left).number(1);
    Lock::new(rng, spend, envelope, script.build()).open(spend, Vec::new());
}

/// 1000 elements, on both stacks together.
pub(crate) fn stack(rng: &mut Rng, spend: &mut Spend) {
    let envelope = rng.pick(&[Bare, P2sh, Tapscript]);
    // The redeem script is an element too while scriptSig runs.
    let most = if envelope == P2sh { rng.pick(&[998, 999]) } else { 1000 };
    let count = most + rng.below(3) - 1;
    let before = rng.between(500, 900);
    let on_alt_stack = rng.between(0, 90);
    let mut script = ScriptBuilder::default();
    script.ops(OP_TOALTSTACK, on_alt_stack);
    let mut missing = count - before;
    if !missing.is_multiple_of(3) || rng.chance(50) {
        let pushed = missing % 3 + 3 * rng.between(0, 10);
        script.ops(OP_PUSHNUM_1, pushed);
        missing -= pushed;
    }
    script.ops(OP_3DUP, missing.min(300) / 3);
    if envelope == Tapscript {
        let left = count - on_alt_stack - 1;
        script.ops(OP_2DROP, left / 2).ops(OP_DROP, left % 2);
    }
    Lock::new(rng, spend, envelope, script.build()).open(spend, vec![vec![1]; before]);
}

/// 520 bytes, pushed by the script or for it, and never executed or else.
pub(crate) fn element(rng: &mut Rng, spend: &mut Spend) {
    let envelope = rng.pick(&[Bare, P2sh, P2wsh, Tapscript]);
    let length = rng.between(518, 521);
    let element = rng.bytes(length);
    let mut script = ScriptBuilder::default();
    let items = match rng.below(3) {
        0 => {
            script.op(OP_DROP);
            vec![element]
        }
        1 if envelope != P2sh => {
            script.push(&element).op(OP_DROP);
            Vec::new()
        }
        2 if envelope != P2sh => {
            script.number(0).op(OP_IF).push(&element).op(OP_ENDIF);
            Vec::new()
        }
        // The redeem script is the element: two pushes, two drops, and the number at the end.
        _ => {
            script.push(&[7; 250]).op(OP_DROP).push(&vec![7; length - 258]).op(OP_DROP);
            Vec::new()
        }
    };
    script.number(1);
    Lock::new(rng, spend, envelope, script.build()).open(spend, items);
}

/// 10,000 bytes of script, without a limit for tapscripts.
pub(crate) fn script(rng: &mut Rng, spend: &mut Spend) {
    let envelope = rng.pick(&[Bare, P2wsh, Tapscript]);
    let length = rng.between(9_998, 10_002);
    let mut script = ScriptBuilder::default();
    while script.len() + 1000 < length {
        script.push(&rng.array::<520>()).op(OP_DROP);
    }
    // Two more with three bytes each in front, and the number at the end.
    let rest = length - script.len() - 2 * 4 - 1;
    script.push(&vec![7; rest / 2]).op(OP_DROP).push(&vec![8; rest - rest / 2]).op(OP_DROP).number(1);
    assert_eq!(script.len(), length);
    if rng.chance(30) && envelope == Bare {
        // As a scriptSig.
        spend.input_mut().script_sig = script.build();
        spend.input_mut().spent.script_pubkey = vec![OP_NOP.to_u8()];
    } else {
        Lock::new(rng, spend, envelope, script.build()).open(spend, Vec::new());
    }
}

/// 20 keys, no more signatures than keys, and no fewer than none of either.
pub(crate) fn multisig(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let keys = rng.pick(&[0, 1, 2, 20, 20, 20, 21]);
    let signatures = rng.pick(&[0, 0, 0, 1, keys, keys + 1]);
    let mut script = ScriptBuilder::default();
    script.number(if rng.chance(5) { -1 } else { signatures });
    for _ in 0..keys {
        script.push(&[2; 5]);
    }
    script.number(if rng.chance(8) { -1 } else { keys }).op(OP_CHECKMULTISIG);
    // Signatures that are not there fail without an error.
    if signatures > 0 && rng.chance(90) {
        script.op(OP_NOT);
    }
    let missing = usize::from(rng.chance(5));
    let items = vec![Vec::new(); (1 + signatures as usize).saturating_sub(missing)];
    Lock::new(rng, spend, envelope, script.build()).open(spend, items);
}

/// A tapscript starts with at most 1000 elements of at most 520 bytes.
pub(crate) fn tapscript_items(rng: &mut Rng, spend: &mut Spend) {
    let count = rng.between(998, 1002);
    let mut items = vec![vec![1]; count];
    if rng.chance(30) {
        let which = rng.below(count);
        let length = rng.between(519, 521);
        items[which] = rng.bytes(length);
    }
    let mut script = ScriptBuilder::default();
    script.ops(OP_2DROP, (count - 1) / 2).ops(OP_DROP, (count - 1) % 2).op(OP_SIZE).op(OP_NIP);
    Lock::new(rng, spend, Tapscript, script.build()).open(spend, items);
}
