//! Counting signature operations without executing them.

use bitcoin::opcodes::all::*;

use super::instructions::decode_op_n;
use super::{Instructions, MAX_PUBKEYS_PER_MULTISIG, is_pay_to_script_hash, is_push_only, witness_program};
use crate::primitives::WitnessRef;

/// Signature operations in a script (Core: `CScript::GetSigOpCount`, `script/script.cpp`).
///
/// A multisig counts as many as it can have keys, unless the count is `accurate` and a number stands right before it. What
/// follows a truncated push is not counted.
#[must_use]
pub fn count_sigops(script: &[u8], accurate: bool) -> usize {
    let mut count = 0;
    let mut previous = OP_INVALIDOPCODE;
    for instruction in Instructions::new(script).map_while(Result::ok) {
        count += match instruction.opcode {
            OP_CHECKSIG | OP_CHECKSIGVERIFY => 1,
            OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => match decode_op_n(previous) {
                Some(keys @ 1..) if accurate => usize::from(keys),
                _ => MAX_PUBKEYS_PER_MULTISIG,
            },
            _ => 0,
        };
        previous = instruction.opcode;
    }
    count
}

/// Signature operations in the redeem script an input reveals, if its output pays to a script hash
/// (Core: `CScript::GetSigOpCount(scriptSig)`, `script/script.cpp`; BIP16).
#[must_use]
pub fn count_p2sh_sigops(script_sig: &[u8], script_pubkey: &[u8]) -> usize {
    if !is_pay_to_script_hash(script_pubkey) || !is_push_only(script_sig) {
        return 0;
    }
    count_sigops(last_push(script_sig), true)
}

/// Signature operations of a version 0 witness, native or nested (Core: `CountWitnessSigOps`, `script/interpreter.cpp`;
/// BIP141). Taproot has a budget instead.
#[must_use]
pub fn count_witness_sigops(script_sig: &[u8], script_pubkey: &[u8], witness: WitnessRef<'_>) -> usize {
    let program = witness_program(script_pubkey).or_else(|| {
        let nested = is_pay_to_script_hash(script_pubkey) && is_push_only(script_sig);
        if nested { witness_program(last_push(script_sig)) } else { None }
    });
    match program {
        Some(program) if program.version == 0 && program.program.len() == 20 => 1,
        Some(program) if program.version == 0 && program.program.len() == 32 => {
            witness.last().map_or(0, |script| count_sigops(script, true))
        }
        _ => 0,
    }
}

/// What a script that only pushes pushes last.
fn last_push(script: &[u8]) -> &[u8] {
    Instructions::new(script).map_while(Result::ok).last().map_or(&[], |instruction| instruction.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OP_2 <33 bytes> <33 bytes> <33 bytes> OP_3 OP_CHECKMULTISIG`.
    fn multisig() -> Vec<u8> {
        let key = [&[33][..], &[2; 33]].concat();
        [&[0x52][..], &key, &key, &key, &[0x53, 0xae]].concat()
    }

    #[test]
    fn multisig_counts_its_keys_only_when_accurate() {
        assert_eq!(count_sigops(&multisig(), false), 20);
        assert_eq!(count_sigops(&multisig(), true), 3);
        assert_eq!(count_sigops(&[0xac, 0xad, 0xae], true), 22);
        assert_eq!(count_sigops(&[0xac, 2, 0xac], true), 1, "nothing counts after a truncated push");
    }

    #[test]
    fn redeem_scripts_count_when_all_is_pushed() {
        let p2sh = [&[0xa9, 20][..], &[0; 20], &[0x87]].concat();
        let reveal = [&[0x4c, 105][..], &multisig()].concat();
        assert_eq!(count_p2sh_sigops(&reveal, &p2sh), 3);
        assert_eq!(count_p2sh_sigops(&[&reveal[..], &[0x61]].concat(), &p2sh), 0, "OP_NOP is no push");
        assert_eq!(count_p2sh_sigops(&reveal, &multisig()), 0);
    }

    #[test]
    fn version_0_witnesses_count() {
        let witness = [&[1, 105][..], &multisig()].concat();
        let witness = WitnessRef::decode(&witness).unwrap();
        let program = |version: u8, length: u8| [&[version, length][..], &vec![0; length.into()]].concat();
        assert_eq!(count_witness_sigops(&[], &program(0, 20), WitnessRef::EMPTY), 1);
        assert_eq!(count_witness_sigops(&[], &program(0, 32), witness), 3);
        assert_eq!(count_witness_sigops(&[], &program(0x51, 32), witness), 0);
        let nested = [&[34][..], &program(0, 32)].concat();
        let p2sh = [&[0xa9, 20][..], &[0; 20], &[0x87]].concat();
        assert_eq!(count_witness_sigops(&nested, &p2sh, witness), 3);
    }
}
