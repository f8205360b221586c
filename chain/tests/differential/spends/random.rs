//! Random scripts: pieces whose result is known beforehand, and opcodes nobody chose.

use bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};
use bitcoin::opcodes::{Opcode, all::*};

use crate::keys::Key;
use crate::lock::Envelope::{self, Tapscript};
use crate::lock::{Lock, public_key};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, number_bytes, push_as};
use crate::spend::Spend;

/// Pieces that leave nothing behind, then one element; one script in three holds something wild.
pub(crate) fn script(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let mut script = ScriptBuilder::default();
    let wild = rng.chance(33);
    for _ in 0..rng.between(1, 8) {
        piece(rng, &mut script, envelope, wild, 0);
    }
    let last = if rng.chance(95) { vec![1] } else { number(rng, 0) };
    script.push(&last);
    let items = if rng.chance(5) { rng.items(2) } else { Vec::new() };
    Lock::new(rng, spend, envelope, script.build()).open(spend, items);
}

/// Bytes without any plan.
pub(crate) fn bytes(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let mut script = ScriptBuilder::default();
    for _ in 0..rng.between(0, 5) {
        match rng.below(4) {
            0 => {
                script.number(rng.between(0, 17) as i64 - 1);
            }
            1 => {
                script.op(rng.pick(&[OP_NOP, OP_DUP, OP_1ADD, OP_DEPTH, OP_SIZE, OP_IFDUP, OP_NOP10, OP_RETURN]));
            }
            _ => wild_operation(rng, &mut script),
        }
    }
    if rng.chance(50) {
        script.number(1);
    }
    let items = rng.items(2);
    Lock::new(rng, spend, envelope, script.build()).open(spend, items);
}

fn piece(rng: &mut Rng, script: &mut ScriptBuilder, envelope: Envelope, wild: bool, depth: usize) {
    match rng.below(if wild { 12 } else { 10 }) {
        0..3 => arithmetic(rng, script),
        3..5 => stack_operations(rng, script),
        5 => hashing(rng, script),
        6 if depth < 4 => conditional(rng, script, envelope, wild, depth),
        7 => failing_check(rng, script, envelope),
        8 => any_push(rng, script),
        9 | 6 => {
            script.op(rng.pick(&[OP_NOP, OP_NOP1, OP_NOP4, OP_NOP10, OP_CODESEPARATOR]));
        }
        _ => wild_operation(rng, script),
    }
}

/// A number in its shortest form, sometimes with zeros behind it, as consensus permits.
fn number(rng: &mut Rng, number: i64) -> Vec<u8> {
    let mut bytes = number_bytes(number);
    if rng.chance(10) && bytes.len() < 4 {
        let sign = bytes.last().map_or_else(|| rng.pick(&[0, 0x80]), |last| last & 0x80);
        if let Some(last) = bytes.last_mut() {
            *last &= 0x7f;
        }
        let longest = if rng.chance(90) { 4 } else { 5 };
        let length = rng.between(bytes.len() + 1, longest);
        bytes.resize(length, 0);
        bytes[length - 1] = sign;
    }
    bytes
}

fn operand(rng: &mut Rng) -> i64 {
    const MAX: i64 = 0x7fff_ffff;
    let any = i64::from(rng.u32().cast_signed());
    let magnitude = rng.pick(&[0, 0, 1, 1, 2, 16, 17, 127, 128, 255, 256, 0x7fff, 0x8000, 0x7f_ffff, MAX, MAX, any]);
    if rng.chance(1) {
        MAX + 1
    } else if rng.chance(30) {
        -magnitude
    } else {
        magnitude
    }
}

/// One operation on numbers, compared with what it should be.
fn arithmetic(rng: &mut Rng, script: &mut ScriptBuilder) {
    let (a, c) = (operand(rng), operand(rng));
    let b = if rng.chance(20) { a } else { operand(rng) };
    let (count, opcode, result): (usize, Opcode, i64) = rng.pick(&[
        (1, OP_1ADD, a + 1),
        (1, OP_1SUB, a - 1),
        (1, OP_NEGATE, -a),
        (1, OP_ABS, a.abs()),
        (1, OP_NOT, i64::from(a == 0)),
        (1, OP_0NOTEQUAL, i64::from(a != 0)),
        (2, OP_ADD, a + b),
        (2, OP_SUB, a - b),
        (2, OP_BOOLAND, i64::from(a != 0 && b != 0)),
        (2, OP_BOOLOR, i64::from(a != 0 || b != 0)),
        (2, OP_NUMEQUAL, i64::from(a == b)),
        (2, OP_NUMNOTEQUAL, i64::from(a != b)),
        (2, OP_LESSTHAN, i64::from(a < b)),
        (2, OP_GREATERTHAN, i64::from(a > b)),
        (2, OP_LESSTHANOREQUAL, i64::from(a <= b)),
        (2, OP_GREATERTHANOREQUAL, i64::from(a >= b)),
        (2, OP_MIN, a.min(b)),
        (2, OP_MAX, a.max(b)),
        (3, OP_WITHIN, i64::from(b <= a && a < c)),
    ]);
    for operand in &[a, b, c][..count] {
        script.push(&number(rng, *operand));
    }
    let result = if rng.chance(4) { result + 1 } else { result };
    script.op(opcode).push(&number_bytes(result));
    script.op(if rng.chance(40) { OP_EQUALVERIFY } else { OP_NUMEQUALVERIFY });
}

/// Small numbers moved around, compared with where a model of the stack has them.
fn stack_operations(rng: &mut Rng, script: &mut ScriptBuilder) {
    let mut model: Vec<u8> = (1..=6).collect();
    for value in &model {
        script.number(i64::from(*value));
    }
    for _ in 0..rng.between(1, 6) {
        let n = model.len();
        let depth = rng.below(n);
        let opcode = rng.pick(&[
            OP_2DUP,
            OP_3DUP,
            OP_2OVER,
            OP_2ROT,
            OP_2SWAP,
            OP_IFDUP,
            OP_DEPTH,
            OP_DUP,
            OP_OVER,
            OP_PICK,
            OP_ROLL,
            OP_ROT,
            OP_SWAP,
            OP_TUCK,
            OP_SIZE,
            OP_TOALTSTACK,
        ]);
        if matches!(opcode, OP_PICK | OP_ROLL) {
            script.number(depth as i64);
        }
        script.op(opcode);
        match opcode {
            OP_2DUP => model.extend_from_within(n - 2..),
            OP_3DUP => model.extend_from_within(n - 3..),
            OP_2OVER => model.extend_from_within(n - 4..n - 2),
            OP_2ROT => model[n - 6..].rotate_left(2),
            OP_2SWAP => model[n - 4..].rotate_left(2),
            OP_IFDUP | OP_DUP => model.push(model[n - 1]), // nothing here is zero
            OP_DEPTH => model.push(n as u8),
            OP_OVER => model.push(model[n - 2]),
            OP_PICK => model.push(model[n - 1 - depth]),
            OP_ROLL => model[n - 1 - depth..].rotate_left(1),
            OP_ROT => model[n - 3..].rotate_left(1),
            OP_SWAP => model.swap(n - 2, n - 1),
            OP_TUCK => model.insert(n - 2, model[n - 1]),
            OP_SIZE => model.push(1),
            // Off the stack and back, below what was second.
            _ => {
                script.op(OP_DROP).op(OP_FROMALTSTACK);
                model.remove(n - 2);
            }
        }
        if model.len() < 6 {
            break;
        }
    }
    let below_top = rng.chance(30).then(|| model.len() - 2);
    if let Some(second) = below_top {
        script.op(OP_NIP);
        model.remove(second);
    }
    for value in model.iter().rev() {
        script.number(i64::from(*value)).op(OP_EQUALVERIFY);
    }
}

fn hashing(rng: &mut Rng, script: &mut ScriptBuilder) {
    let length = rng.pick(&[0, 1, 32, 55, 56, 64, 80]);
    let data = rng.bytes(length);
    let (opcode, hash) = match rng.below(5) {
        0 => (OP_RIPEMD160, ripemd160::Hash::hash(&data).as_byte_array().to_vec()),
        1 => (OP_SHA1, sha1::Hash::hash(&data).as_byte_array().to_vec()),
        2 => (OP_SHA256, sha256::Hash::hash(&data).as_byte_array().to_vec()),
        3 => (OP_HASH160, hash160::Hash::hash(&data).as_byte_array().to_vec()),
        _ => (OP_HASH256, sha256d::Hash::hash(&data).as_byte_array().to_vec()),
    };
    script.push(&data).op(opcode).push(&hash).op(OP_EQUALVERIFY);
}

/// Branches, of which those that are not taken may hold nearly anything.
fn conditional(rng: &mut Rng, script: &mut ScriptBuilder, envelope: Envelope, wild: bool, depth: usize) {
    let minimal = envelope == Tapscript && rng.chance(98);
    let condition: &[u8] =
        if minimal { rng.pick(&[&[], &[1]]) } else { rng.pick(&[&[], &[1], &[0], &[0x80], &[2], &[0, 0x80], &[0, 1]]) };
    let is_true = matches!(condition, [1 | 2] | [0, 1]);
    let opcode = rng.pick(&[OP_IF, OP_NOTIF]);
    let mut taken = is_true == (opcode == OP_IF);
    script.push(condition).op(opcode);
    // Any number of OP_ELSE is allowed, and each turns around what is executed.
    for branch in 0..rng.between(1, 4) {
        if branch > 0 {
            script.op(OP_ELSE);
            taken = !taken;
        }
        if taken {
            piece(rng, script, envelope, wild, depth + 1);
        } else {
            not_executed(rng, script);
        }
    }
    if rng.chance(99) {
        script.op(OP_ENDIF);
    }
}

fn not_executed(rng: &mut Rng, script: &mut ScriptBuilder) {
    for _ in 0..rng.between(0, 3) {
        match rng.below(20) {
            0 => {
                script.op(rng.pick(&[OP_CAT, OP_2MUL, OP_VERIF, OP_VERNOTIF]));
            } // fail even here
            1..4 => {
                script.op(OP_PUSHBYTES_0).op(OP_IF).op(OP_ELSE).op(OP_ENDIF);
            }
            4..8 => {
                script.op(rng.pick(&[OP_RETURN, OP_VER, OP_RESERVED, OP_RESERVED1, OP_CHECKMULTISIG]));
            }
            8..10 => {
                script.raw(&[rng.between(0xba, 0xff) as u8]);
            }
            10..12 => {
                script.op(OP_CODESEPARATOR);
            }
            _ => any_push(rng, script),
        }
    }
}

/// A check that fails without ending the script.
fn failing_check(rng: &mut Rng, script: &mut ScriptBuilder, envelope: Envelope) {
    let key = Key::random(rng);
    let public_key = public_key(rng, &key, envelope);
    // R and S are one: well formed, and signs nothing.
    let signature: &[u8] = if envelope == Tapscript || rng.chance(50) { &[] } else { &[0x30, 6, 2, 1, 1, 2, 1, 1, 1] };
    if envelope != Tapscript && rng.chance(40) {
        script.number(0).push(signature).number(1).push(&public_key).number(1).op(OP_CHECKMULTISIG);
    } else {
        script.push(signature).push(&public_key).op(OP_CHECKSIG);
    }
    script.op(OP_NOT).op(OP_VERIFY);
}

/// A push in any of its forms, which consensus leaves open, and a look at its size.
fn any_push(rng: &mut Rng, script: &mut ScriptBuilder) {
    let length = rng.pick(&[0, 1, 2, 75, 76, 255, 256]);
    let narrowest = usize::from(length > 75) + usize::from(length > 255);
    let width = rng.pick(&[narrowest, 2, 4]);
    let data = rng.bytes(length);
    script.raw(&push_as(&data, width)).op(OP_SIZE).number(length as i64).op(OP_EQUALVERIFY).op(OP_DROP);
}

fn wild_operation(rng: &mut Rng, script: &mut ScriptBuilder) {
    const DISABLED: [Opcode; 8] = [OP_CAT, OP_SUBSTR, OP_INVERT, OP_XOR, OP_2MUL, OP_MOD, OP_LSHIFT, OP_RSHIFT];
    const RESERVED: [Opcode; 6] = [OP_RESERVED, OP_VER, OP_VERIF, OP_VERNOTIF, OP_RESERVED1, OP_RESERVED2];
    match rng.below(20) {
        0..11 => {
            script.raw(&[rng.between(0x4f, 0xba) as u8]);
        }
        11..13 => {
            script.op(rng.pick(&DISABLED));
        }
        13..15 => {
            script.op(rng.pick(&RESERVED));
        }
        15..17 => {
            script.op(rng.pick(&[OP_RETURN, OP_FROMALTSTACK]));
        }
        17 => {
            script.raw(&[rng.byte()]);
        } // perhaps a push that swallows what follows
        _ => {
            script.raw(&[rng.between(0xba, 0xff) as u8]);
        }
    }
}
