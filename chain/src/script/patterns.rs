//! Outputs that consensus knows by their form.

use bitcoin::opcodes::{Opcode, all::*};

use super::instructions::decode_op_n;
use super::{Instructions, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE};

/// A witness version and its program (BIP141).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WitnessProgram<'a> {
    /// Version, 0 to 16.
    pub version: u8,
    /// Program, 2 to 40 bytes.
    pub program: &'a [u8],
}

/// The witness program a script is, if it is one: a version opcode and one direct push of 2 to 40 bytes
/// (Core: `CScript::IsWitnessProgram`, `script/script.cpp`).
#[must_use]
pub fn witness_program(script: &[u8]) -> Option<WitnessProgram<'_>> {
    if !(4..=42).contains(&script.len()) || usize::from(script[1]) + 2 != script.len() {
        return None;
    }
    let version = decode_op_n(Opcode::from(script[0]))?;
    Some(WitnessProgram { version, program: &script[2..] })
}

impl WitnessProgram<'_> {
    /// Whether this is pay-to-anchor, which anyone may spend (Core: `CScript::IsPayToAnchor`, `script/script.cpp`).
    #[must_use]
    pub fn is_pay_to_anchor(self) -> bool {
        self.version == 1 && self.program == [0x4e, 0x73]
    }
}

/// Whether a script pays to the hash of another (Core: `CScript::IsPayToScriptHash`, `script/script.cpp`; BIP16).
#[must_use]
pub fn is_pay_to_script_hash(script: &[u8]) -> bool {
    matches!(script, [first, 20, .., last] if script.len() == 23
        && *first == OP_HASH160.to_u8() && *last == OP_EQUAL.to_u8())
}

/// Whether a script does nothing but push (Core: `CScript::IsPushOnly`, `script/script.cpp`).
#[must_use]
pub fn is_push_only(script: &[u8]) -> bool {
    Instructions::new(script).all(|item| item.is_ok_and(super::Instruction::is_push))
}

/// Whether no spend can ever succeed: the set of coins need not remember the output (Core: `CScript::IsUnspendable`,
/// `script/script.h`).
#[must_use]
pub fn is_unspendable(script: &[u8]) -> bool {
    script.first() == Some(&OP_RETURN.to_u8()) || script.len() > MAX_SCRIPT_SIZE
}

/// Whether a script holds nothing but operations that there are, and pushes that are whole and not too long; tapscript knows
/// some more (Core: `CScript::HasValidOps`, `script/script.cpp`).
#[must_use]
pub fn has_valid_ops(script: &[u8]) -> bool {
    /// Core: `MAX_OPCODE`, `script/script.h`.
    const MAX_OPCODE: Opcode = OP_NOP10;
    Instructions::new(script).all(|item| {
        item.is_ok_and(|item| item.opcode.to_u8() <= MAX_OPCODE.to_u8() && item.data.len() <= MAX_SCRIPT_ELEMENT_SIZE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_operations_end_with_the_last_nop() {
        assert!(has_valid_ops(&[]) && has_valid_ops(&[0x51, 0xb9]) && has_valid_ops(&[1, 0xff]));
        assert!(!has_valid_ops(&[0xba]) && !has_valid_ops(&[0x51, 0xff]) && !has_valid_ops(&[2, 0]));
        let push = |length: u16| {
            let [low, high] = length.to_le_bytes();
            [&[0x4d, low, high][..], &vec![0; length.into()]].concat()
        };
        assert!(has_valid_ops(&push(520)) && !has_valid_ops(&push(521)));
    }

    #[test]
    fn outputs_that_nobody_can_spend() {
        assert!(is_unspendable(&[0x6a]) && is_unspendable(&vec![0x51; MAX_SCRIPT_SIZE + 1]));
        assert!(
            !is_unspendable(&[]) && !is_unspendable(&[0x51, 0x6a]) && !is_unspendable(&vec![0x51; MAX_SCRIPT_SIZE])
        );
    }

    #[test]
    fn witness_programs_have_two_to_forty_bytes_behind_a_version() {
        let script = |version: u8, length: u8| [&[version, length][..], &vec![7; length.into()]].concat();
        assert_eq!(witness_program(&script(0, 20)).unwrap().version, 0);
        assert_eq!(witness_program(&script(0x60, 40)).unwrap().version, 16);
        assert!(witness_program(&script(0x51, 1)).is_none());
        assert!(witness_program(&script(0x51, 41)).is_none());
        assert!(witness_program(&script(0x50, 32)).is_none());
        assert!(witness_program(&script(0x61, 32)).is_none());
        assert!(witness_program(&[0x51, 2, 0x4e, 0x73]).unwrap().is_pay_to_anchor());
    }
}
