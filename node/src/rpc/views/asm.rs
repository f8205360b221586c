//! The operations of a script as text.

use std::fmt::Write;

use bitcoin::opcodes::{Opcode, all::*};
use cairn_chain::script::{Instruction, Instructions, is_strict_signature, is_unspendable};

use crate::rpc::values::push_hex;

/// Longest push that is shown as the number it would be, in bytes.
const MAX_NUMBER_SIZE: usize = 4;

/// The operations of a script, separated by spaces (Core: `ScriptToAsmStr`, `core_io.cpp`).
///
/// With `decode_signatures` the last byte of what looks like a signature is shown as what it signs, such as `[ALL]`; that is
/// for scripts that may hold signatures.
#[must_use]
pub(in crate::rpc) fn script_asm(script: &[u8], decode_signatures: bool) -> String {
    let decode_signatures = decode_signatures && !is_unspendable(script);
    let mut text = String::with_capacity(2 * script.len() + 16);
    for instruction in Instructions::new(script) {
        if !text.is_empty() {
            text.push(' ');
        }
        match instruction {
            Err(_) => text.push_str("[error]"),
            Ok(Instruction { data, .. }) if data.len() > MAX_NUMBER_SIZE => {
                push_data(&mut text, data, decode_signatures);
            }
            Ok(instruction) if instruction.is_data_push() => {
                write!(text, "{}", number(instruction.data)).expect("a string takes everything");
            }
            Ok(instruction) => text.push_str(opcode_name(instruction.opcode)),
        }
    }
    text
}

fn push_data(text: &mut String, data: &[u8], decode_signatures: bool) {
    match data.split_last() {
        Some((hash_type, signature)) if decode_signatures && is_strict_signature(data) => {
            push_hex(text, signature);
            text.push_str(match hash_type {
                0x01 => "[ALL]",
                0x81 => "[ALL|ANYONECANPAY]",
                0x02 => "[NONE]",
                0x82 => "[NONE|ANYONECANPAY]",
                0x03 => "[SINGLE]",
                _ => "[SINGLE|ANYONECANPAY]",
            });
        }
        _ => push_hex(text, data),
    }
}

/// A number of at most four bytes, however it is padded (Core: `CScriptNum`, `script/script.h`).
fn number(bytes: &[u8]) -> i64 {
    let Some((last, head)) = bytes.split_last() else { return 0 };
    let magnitude = head.iter().rev().fold(i64::from(last & 0x7f), |value, &byte| value << 8 | i64::from(byte));
    if last & 0x80 == 0 { magnitude } else { -magnitude }
}

/// The name of an opcode (Core: `GetOpName`, `script/script.cpp`).
#[must_use]
pub(in crate::rpc) fn opcode_name(opcode: Opcode) -> &'static str {
    NAMES[usize::from(opcode.to_u8())]
}

/// What opcodes are called that have no name.
const UNKNOWN: &str = "OP_UNKNOWN";

/// The names of all opcodes, by their number. Numbers are called by what they push.
static NAMES: [&str; 256] = {
    let mut names = [UNKNOWN; 256];
    names[0] = "0";
    let mut first = OP_PUSHDATA1.to_u8() as usize;
    let mut at = 0;
    while at < FROM_PUSHDATA1.len() {
        names[first] = FROM_PUSHDATA1[at];
        first += 1;
        at += 1;
    }
    names[OP_INVALIDOPCODE.to_u8() as usize] = "OP_INVALIDOPCODE";
    names
};

/// Names from `OP_PUSHDATA1` to `OP_CHECKSIGADD`: every opcode in between has one.
const FROM_PUSHDATA1: [&str; 111] = [
    "OP_PUSHDATA1",
    "OP_PUSHDATA2",
    "OP_PUSHDATA4",
    "-1",
    "OP_RESERVED",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    "OP_NOP",
    "OP_VER",
    "OP_IF",
    "OP_NOTIF",
    "OP_VERIF",
    "OP_VERNOTIF",
    "OP_ELSE",
    "OP_ENDIF",
    "OP_VERIFY",
    "OP_RETURN",
    "OP_TOALTSTACK",
    "OP_FROMALTSTACK",
    "OP_2DROP",
    "OP_2DUP",
    "OP_3DUP",
    "OP_2OVER",
    "OP_2ROT",
    "OP_2SWAP",
    "OP_IFDUP",
    "OP_DEPTH",
    "OP_DROP",
    "OP_DUP",
    "OP_NIP",
    "OP_OVER",
    "OP_PICK",
    "OP_ROLL",
    "OP_ROT",
    "OP_SWAP",
    "OP_TUCK",
    "OP_CAT",
    "OP_SUBSTR",
    "OP_LEFT",
    "OP_RIGHT",
    "OP_SIZE",
    "OP_INVERT",
    "OP_AND",
    "OP_OR",
    "OP_XOR",
    "OP_EQUAL",
    "OP_EQUALVERIFY",
    "OP_RESERVED1",
    "OP_RESERVED2",
    "OP_1ADD",
    "OP_1SUB",
    "OP_2MUL",
    "OP_2DIV",
    "OP_NEGATE",
    "OP_ABS",
    "OP_NOT",
    "OP_0NOTEQUAL",
    "OP_ADD",
    "OP_SUB",
    "OP_MUL",
    "OP_DIV",
    "OP_MOD",
    "OP_LSHIFT",
    "OP_RSHIFT",
    "OP_BOOLAND",
    "OP_BOOLOR",
    "OP_NUMEQUAL",
    "OP_NUMEQUALVERIFY",
    "OP_NUMNOTEQUAL",
    "OP_LESSTHAN",
    "OP_GREATERTHAN",
    "OP_LESSTHANOREQUAL",
    "OP_GREATERTHANOREQUAL",
    "OP_MIN",
    "OP_MAX",
    "OP_WITHIN",
    "OP_RIPEMD160",
    "OP_SHA1",
    "OP_SHA256",
    "OP_HASH160",
    "OP_HASH256",
    "OP_CODESEPARATOR",
    "OP_CHECKSIG",
    "OP_CHECKSIGVERIFY",
    "OP_CHECKMULTISIG",
    "OP_CHECKMULTISIGVERIFY",
    "OP_NOP1",
    "OP_CHECKLOCKTIMEVERIFY",
    "OP_CHECKSEQUENCEVERIFY",
    "OP_NOP4",
    "OP_NOP5",
    "OP_NOP6",
    "OP_NOP7",
    "OP_NOP8",
    "OP_NOP9",
    "OP_NOP10",
    "OP_CHECKSIGADD",
];
