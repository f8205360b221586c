//! The assembly Core's test data writes scripts in (Core: `ParseScript`, `core_io.cpp`).

use bitcoin::ScriptBuf;
use bitcoin::hex::FromHex;
use bitcoin::script::{Builder, PushBytesBuf};

/// Largest magnitude a decimal number may have.
const NUMBER_LIMIT: u64 = 0xffff_ffff;
/// The opcode that is named although it lies among those that push.
const RESERVED: u8 = 0x50;
/// The first opcode of [`NAMES`].
const FIRST: u8 = 0x61;
/// Core's names of the opcodes from `OP_NOP` to `OP_CHECKSIGADD`, in order and without their prefix.
const NAMES: &str = "\
    NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP 2OVER 2ROT 2SWAP \
    IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL \
    EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT \
    BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX \
    WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY CHECKMULTISIG \
    CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD";

/// The script that `text` writes: decimal numbers and `'quoted text'` are pushed, `0x` bytes are taken as they are, and
/// all else is the name of an opcode, with or without `OP_`.
pub(crate) fn parse(text: &str) -> ScriptBuf {
    let mut script = Vec::new();
    for word in text.split_ascii_whitespace() {
        script.extend(parse_word(word).unwrap_or_else(|| panic!("cannot read `{word}` of the script `{text}`")));
    }
    script.into()
}

fn parse_word(word: &str) -> Option<Vec<u8>> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = word.parse().ok()?;
        return (number.unsigned_abs() <= NUMBER_LIMIT).then(|| Builder::new().push_int(number).into_bytes());
    }
    if let Some(raw) = word.strip_prefix("0x").and_then(|hex| Vec::from_hex(hex).ok()) {
        return (!raw.is_empty()).then_some(raw);
    }
    if let Some(quoted) = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let data = PushBytesBuf::try_from(quoted.as_bytes().to_vec()).ok()?;
        return Some(Builder::new().push_slice(data).into_bytes());
    }
    opcode(word.strip_prefix("OP_").unwrap_or(word)).map(|opcode| vec![opcode])
}

fn opcode(name: &str) -> Option<u8> {
    if name == "RESERVED" {
        return Some(RESERVED);
    }
    let position = NAMES.split(' ').position(|known| known == name)?;
    Some(FIRST + u8::try_from(position).ok()?)
}

#[test]
fn words_become_what_core_makes_of_them() {
    for (text, hex) in [
        ("", ""),
        (" 0 1\t-1\n16  17 ", "00514f600111"),
        ("-2 128 -4294967295", "01820280000 5ffffffff80"),
        ("0x4c 0x0102 NOP OP_NOP", "4c01026161"),
        ("'' 'Az'", "0002417a"),
        ("RESERVED 0NOTEQUAL OP_CHECKSIGADD CHECKLOCKTIMEVERIFY RETURN", "5092bab16a"),
    ] {
        assert_eq!(parse(text).to_hex_string(), hex.replace(' ', ""), "{text}");
    }
    let long = format!("'{}'", "a".repeat(76));
    assert_eq!(parse(&long).as_bytes()[..3], [0x4c, 76, b'a']);
}

#[test]
fn what_core_refuses_is_refused() {
    for word in ["4294967296", "-4294967296", "0x", "0x1", "0xzz", "'", "PUSHDATA1", "OP_1", "OP_OP_NOP", "NOP2", "-"] {
        assert_eq!(parse_word(word), None, "{word}");
    }
}
