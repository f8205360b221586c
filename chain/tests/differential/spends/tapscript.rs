//! What only tapscripts have: sums of signatures, OP_SUCCESS, open key types and leaf versions, a budget.

use bitcoin::opcodes::all::*;

use crate::keys::Key;
use crate::lock::Envelope::{P2wsh, Tapscript};
use crate::lock::{Lock, random_annex};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, number_bytes};
use crate::spend::{Spend, witness_size};

/// m of n keys, each with a signature or an empty element.
pub(crate) fn check_sig_add(rng: &mut Rng, spend: &mut Spend) {
    let keys: Vec<_> = (0..rng.between(1, 6)).map(|_| Key::random(rng)).collect();
    let signs: Vec<_> = keys.iter().map(|_| rng.chance(60)).collect();
    let mut script = ScriptBuilder::default();
    let start = rng.pick(&[0, 0, 0, -2, 0x7fff_ffff, 0x8000_0000]);
    script.number(start);
    for key in &keys {
        script.push(&key.x_only()).op(OP_CHECKSIGADD);
    }
    let sum = start + signs.iter().filter(|signs| **signs).count() as i64 - i64::from(rng.chance(5));
    script.push(&number_bytes(sum)).op(OP_EQUAL);
    let lock = Lock::new(rng, spend, Tapscript, script.build());
    let signed = keys.iter().zip(&signs).rev();
    let items = signed.map(|(key, signs)| if *signs { lock.sign(rng, spend, key) } else { Vec::new() }).collect();
    lock.open(spend, items);
}

/// An opcode that makes everything around it valid: limits, failures before it, what cannot be read behind it.
pub(crate) fn op_success(rng: &mut Rng, spend: &mut Spend) {
    const SUCCESSES: [u8; 16] = [80, 98, 126, 129, 131, 134, 137, 138, 141, 142, 149, 153, 187, 200, 253, 254];
    const OTHERS: [u8; 14] = [79, 81, 97, 99, 125, 130, 135, 136, 139, 140, 148, 154, 186, 255];
    let mut opcode = rng.pick(&SUCCESSES);
    if rng.chance(20) {
        opcode = rng.pick(&OTHERS);
    }
    let mut script = ScriptBuilder::default();
    let mut items = rng.items(3);
    match rng.below(7) {
        0 => {
            script.op(OP_RETURN);
        }
        1 => {
            script.op(OP_PUSHBYTES_0).op(OP_IF);
        }
        2 => {
            script.op(OP_VERIF);
        }
        3 => {
            script.push(&rng.bytes(521));
        }
        4 => items = vec![Vec::new(); 1001],
        5 => items.push(vec![7; 521]),
        _ => {}
    }
    match rng.below(6) {
        0 => {
            script.push(&[opcode]);
        } // data, not an operation
        1 => {
            script.raw(&[0x4c, 3, opcode, 0]);
        } // the push before it has no end
        2 => {
            script.raw(&[opcode, 0x4d, 1]);
        } // the push behind it has none
        _ => {
            script.raw(&[opcode]);
        }
    }
    Lock::new(rng, spend, Tapscript, script.build()).open(spend, items);
}

/// Keys of 32 bytes are checked, those of other lengths pass with any signature, and those of none fail.
pub(crate) fn unknown_key_type(rng: &mut Rng, spend: &mut Spend) {
    let length = rng.pick(&[0, 0, 1, 2, 31, 33, 33, 34, 65]);
    let key = rng.bytes(length);
    let signed = rng.chance(70);
    let mut script = ScriptBuilder::default();
    match rng.below(3) {
        0 => {
            script.push(&key).op(OP_CHECKSIG);
        }
        1 => {
            script.push(&key).op(OP_CHECKSIGVERIFY).number(1);
        }
        _ => {
            script.number(5).push(&key).op(OP_CHECKSIGADD).number(5 + i64::from(signed)).op(OP_NUMEQUAL);
        }
    }
    let signature_length = rng.pick(&[1, 63, 64, 65, 520]);
    let signature = if signed { rng.bytes(signature_length) } else { Vec::new() };
    Lock::new(rng, spend, Tapscript, script.build()).open(spend, vec![signature]);
}

/// Signature checks that the size of the witness pays for exactly, or that are a few bytes short of it.
pub(crate) fn budget(rng: &mut Rng, spend: &mut Spend) {
    const WEIGHT_PER_CHECK: usize = 50;
    let key = Key::random(rng);
    // Keys of unknown type cost as much as others, and empty signatures cost nothing.
    let public_key = if rng.chance(20) { rng.bytes(33) } else { key.x_only().to_vec() };
    let unsigned = rng.chance(30);
    let checks = rng.between(6, 40);
    let depth = rng.below(2);
    let annex = random_annex(rng, 20);
    let control = vec![0; 33 + 32 * depth];

    let script_with = |padding: usize| {
        let mut script = ScriptBuilder::default();
        script.push(&public_key);
        for _ in 1..checks {
            script.op(OP_2DUP).op(OP_CHECKSIGVERIFY);
        }
        if unsigned {
            script.number(0).push(&public_key).op(OP_CHECKSIG).op(OP_DROP);
        }
        script.op(OP_CHECKSIG).ops(OP_NOP, padding).build()
    };
    let short_of = rng.pick(&[-1, 0, 0, 0, 1, 1, 1, 50]);
    // The budget is the size and one check more.
    let wanted = ((checks - 1) * WEIGHT_PER_CHECK).cast_signed() - short_of;
    let size_with = |padding: usize| {
        let items = [vec![0; 64], script_with(padding), control.clone()];
        witness_size(&items.into_iter().chain(annex.clone()).collect::<Vec<_>>()).cast_signed()
    };
    let padding = (0..2000).find(|&padding| size_with(padding) >= wanted).expect("2000 bytes pay for 40 checks");
    let mut lock = Lock::with_leaf(rng, spend, script_with(padding), 0xc0, depth);
    lock.annex = annex;
    let signature = lock.sign_after(spend, &key, 0, None);
    lock.open(spend, vec![signature]);
}

/// Leaf versions other than tapscript's leave everything open, the script included.
pub(crate) fn leaf_version(rng: &mut Rng, spend: &mut Spend) {
    let version = if rng.chance(60) { rng.byte() & 0xfe } else { rng.pick(&[0xc0, 0xc2, 0xbe, 0x50, 0, 0xfe]) };
    let length = rng.pick(&[0, 1, 30, 600]);
    let script = if rng.chance(50) { rng.bytes(length) } else { vec![OP_PUSHNUM_1.to_u8()] };
    let depth = rng.pick(&[0, 1, 2, 127, 128, 129]);
    let lock = Lock::with_leaf(rng, spend, script, version, depth);
    let items = if rng.chance(30) { rng.items(3) } else { Vec::new() };
    lock.open(spend, items);
}

/// Conditions must be empty or one, except where that is only policy.
pub(crate) fn minimal_if(rng: &mut Rng, spend: &mut Spend) {
    let envelope = rng.pick(&[Tapscript, Tapscript, P2wsh]);
    let opcode = rng.pick(&[OP_IF, OP_NOTIF]);
    let script = ScriptBuilder::default().op(opcode).number(2).op(OP_ELSE).number(3).op(OP_ENDIF).build();
    let condition: &[u8] = rng.pick(&[&[], &[1], &[], &[1], &[0], &[2], &[1, 0], &[0x80], &[0x81], &[1; 40]]);
    Lock::new(rng, spend, envelope, script).open(spend, vec![condition.to_vec()]);
}
