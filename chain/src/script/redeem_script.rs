//! The redeem script a scriptSig reveals, found without executing anything.

use bitcoin::opcodes::all::*;

use super::instructions::decode_op_n;
use super::{Instructions, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE, MAX_STACK_SIZE, ScriptError};

/// The numbers `OP_1` to `OP_16` push, each at its own index, so that an element can refer to one.
static SMALL_NUMBERS: [u8; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// The element that a scriptSig of pushes leaves on top of the stack, if it leaves any: the redeem script of an input that
/// spends a pay-to-script-hash output (BIP16).
///
/// Policy looks at redeem scripts before any script runs; Core lets its interpreter run the scriptSig for that, without
/// flags and with a checker that refuses every signature (Core: `EvalScript` in `ValidateInputsStandardness`,
/// `policy/policy.cpp`). For a script that only pushes the result is the same. One that does more never reaches that place
/// in Core, because it is not standard, and cannot spend such an output.
///
/// # Errors
///
/// What Core's interpreter would report: the script or an element is too large, the stack holds too many elements, a push
/// is truncated, or `OP_RESERVED` is executed; [`ScriptError::SigPushOnly`] for a script that does more than push.
pub fn redeem_script(script_sig: &[u8]) -> Result<Option<&[u8]>, ScriptError> {
    if script_sig.len() > MAX_SCRIPT_SIZE {
        return Err(ScriptError::ScriptSize);
    }
    let mut top = None;
    for (below, instruction) in Instructions::new(script_sig).enumerate() {
        let instruction = instruction.map_err(|_| ScriptError::BadOpcode)?;
        if !instruction.is_push() {
            return Err(ScriptError::SigPushOnly);
        }
        if instruction.data.len() > MAX_SCRIPT_ELEMENT_SIZE {
            return Err(ScriptError::PushSize);
        }
        top = Some(if instruction.is_data_push() {
            instruction.data
        } else if instruction.opcode == OP_PUSHNUM_NEG1 {
            &[0x81]
        } else {
            let number = usize::from(decode_op_n(instruction.opcode).ok_or(ScriptError::BadOpcode)?);
            &SMALL_NUMBERS[number..=number]
        });
        if below >= MAX_STACK_SIZE {
            return Err(ScriptError::StackSize);
        }
    }
    Ok(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::append_push;

    #[test]
    fn the_last_push_is_on_top() {
        assert_eq!(redeem_script(&[]), Ok(None));
        assert_eq!(redeem_script(&[1, 9, 2, 7, 8]), Ok(Some(&[7, 8][..])));
        assert_eq!(redeem_script(&[1, 9, 0]), Ok(Some(&[][..])));
        assert_eq!(redeem_script(&[1, 9, 0x4f]), Ok(Some(&[0x81][..])));
        assert_eq!(redeem_script(&[1, 9, 0x51]), Ok(Some(&[1][..])));
        assert_eq!(redeem_script(&[1, 9, 0x60]), Ok(Some(&[16][..])));
    }

    #[test]
    fn limits_are_the_interpreters() {
        let push = |length: usize| {
            let mut script = Vec::new();
            append_push(&mut script, &vec![1; length]);
            script
        };
        assert_eq!(redeem_script(&push(520)), Ok(Some(&[1; 520][..])));
        assert_eq!(redeem_script(&push(521)), Err(ScriptError::PushSize));
        assert_eq!(redeem_script(&[0; 1_000]), Ok(Some(&[][..])));
        assert_eq!(redeem_script(&[0; 1_001]), Err(ScriptError::StackSize));
        assert_eq!(redeem_script(&push(520).repeat(20)), Err(ScriptError::ScriptSize));
        assert_eq!(redeem_script(&push(520).repeat(19)), Ok(Some(&[1; 520][..])));
    }

    #[test]
    fn anything_else_fails() {
        assert_eq!(redeem_script(&[0x50]), Err(ScriptError::BadOpcode), "OP_RESERVED");
        assert_eq!(redeem_script(&[1, 1, 2, 1]), Err(ScriptError::BadOpcode), "truncated");
        assert_eq!(redeem_script(&[1, 1, 0x61]), Err(ScriptError::SigPushOnly), "OP_NOP");
    }
}
