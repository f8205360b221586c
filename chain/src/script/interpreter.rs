//! The stack machine (Core: `EvalScript`, `script/interpreter.cpp`).
//!
//! This file holds the loop and the limits; the operations stand by family in `control`, `stack_operations`,
//! `arithmetic`, `crypto` and `multisig`.

mod arithmetic;
mod control;
mod crypto;
mod multisig;
mod stack_operations;

use bitcoin::opcodes::{Opcode, all::*};

use super::conditions::Conditions;
use super::instructions::decode_op_n;
use super::sighash::TaprootSpend;
use super::stack::{Element, Stack};
use super::{
    Instruction, Instructions, MAX_OPS_PER_SCRIPT, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE, MAX_STACK_SIZE,
    ScriptError, ScriptVerifyFlags, TransactionSignatureChecker, number,
};

/// Which edition of Script runs (Core: `SigVersion`, `script/interpreter.h`; taproot key paths run none).
#[derive(Debug, Clone, Copy)]
pub(super) enum SigVersion {
    /// Bare scripts and redeem scripts.
    Base,
    /// Version 0 witness programs (BIP141).
    WitnessV0,
    /// Leaves of version 0xc0 (BIP342).
    Tapscript(TapscriptState),
}

/// What a tapscript carries through its execution (Core: `ScriptExecutionData`, `script/interpreter.h`).
#[derive(Debug, Clone, Copy)]
pub(super) struct TapscriptState {
    /// What its signatures commit to; the position of the last `OP_CODESEPARATOR` changes as it runs.
    pub(super) spend: TaprootSpend,
    /// How much more signature checking the size of the witness pays for.
    pub(super) validation_weight_left: i64,
}

/// Runs `script` on `stack` and returns the stack it leaves.
pub(super) fn eval_script<'s>(
    stack: Stack<'s>,
    script: &'s [u8],
    flags: ScriptVerifyFlags,
    version: SigVersion,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<Stack<'s>, ScriptError> {
    Interpreter {
        script,
        code_start: 0,
        flags,
        version,
        checker,
        stack,
        alt_stack: Vec::new(),
        conditions: Conditions::default(),
        operation_count: 0,
    }
    .run()
}

struct Interpreter<'s, 'c, 't> {
    script: &'s [u8],
    /// Offset behind the last executed `OP_CODESEPARATOR`: signatures sign the script from here.
    code_start: usize,
    flags: ScriptVerifyFlags,
    version: SigVersion,
    checker: &'c mut TransactionSignatureChecker<'t>,
    stack: Stack<'s>,
    alt_stack: Vec<Element<'s>>,
    conditions: Conditions,
    /// Operations above `OP_16`, and the keys of multisigs, of a legacy or version 0 script.
    operation_count: usize,
}

impl<'s> Interpreter<'s, '_, '_> {
    fn run(mut self) -> Result<Stack<'s>, ScriptError> {
        if self.has_legacy_limits() && self.script.len() > MAX_SCRIPT_SIZE {
            return Err(ScriptError::ScriptSize);
        }
        let mut instructions = Instructions::new(self.script);
        let mut position = 0u32;
        while let Some(instruction) = instructions.next() {
            let instruction = instruction.map_err(|_| ScriptError::BadOpcode)?;
            self.check_limits(instruction)?;
            let executed = self.conditions.all_taken();
            if executed && instruction.is_data_push() {
                if self.requires_minimal() && !instruction.is_minimal_push() {
                    return Err(ScriptError::MinimalData);
                }
                self.stack.push(Element::Pushed(instruction.data));
            } else if executed || is_conditional(instruction.opcode) {
                self.execute(instruction.opcode, instructions.position(), position)?;
            }
            if self.stack.len() + self.alt_stack.len() > MAX_STACK_SIZE {
                return Err(ScriptError::StackSize);
            }
            position += 1;
        }
        if !self.conditions.is_empty() {
            return Err(ScriptError::UnbalancedConditional);
        }
        Ok(self.stack)
    }

    /// The limits that hold for every operation, executed or not.
    fn check_limits(&mut self, instruction: Instruction<'_>) -> Result<(), ScriptError> {
        if instruction.data.len() > MAX_SCRIPT_ELEMENT_SIZE {
            return Err(ScriptError::PushSize);
        }
        // OP_RESERVED, which lies below OP_1, does not count.
        if self.has_legacy_limits() && instruction.opcode.to_u8() > OP_PUSHNUM_16.to_u8() {
            self.count_operations(1)?;
        }
        if is_disabled(instruction.opcode) {
            return Err(ScriptError::DisabledOpcode);
        }
        if instruction.opcode == OP_CODESEPARATOR
            && matches!(self.version, SigVersion::Base)
            && self.flags.contains(ScriptVerifyFlags::CONST_SCRIPTCODE)
        {
            return Err(ScriptError::OpCodeSeparator);
        }
        Ok(())
    }

    fn count_operations(&mut self, operations: usize) -> Result<(), ScriptError> {
        self.operation_count += operations;
        if self.operation_count > MAX_OPS_PER_SCRIPT { Err(ScriptError::OpCount) } else { Ok(()) }
    }

    /// Tapscript drops the limits on size and operations: its budget of validation weight takes their place (BIP342).
    fn has_legacy_limits(&self) -> bool {
        !matches!(self.version, SigVersion::Tapscript(_))
    }

    fn requires_minimal(&self) -> bool {
        self.flags.contains(ScriptVerifyFlags::MINIMALDATA)
    }

    /// The number `depth` below the top.
    fn number(&self, depth: usize) -> Result<i64, ScriptError> {
        number::decode(&self.stack.peek(depth)?, self.requires_minimal(), number::OPERAND_SIZE)
    }

    fn push_number(&mut self, value: i64) {
        self.stack.push(number::encode(value));
    }

    /// Executes one operation that is not a data push. `next` is the offset of the operation that follows, `position` the
    /// index of this one.
    fn execute(&mut self, opcode: Opcode, next: usize, position: u32) -> Result<(), ScriptError> {
        match opcode {
            OP_PUSHNUM_NEG1 => self.push_number(-1),
            OP_NOP => {}
            OP_CLTV => self.check_lock_time_verify()?,
            OP_CSV => self.check_sequence_verify()?,
            OP_NOP1 | OP_NOP4 | OP_NOP5 | OP_NOP6 | OP_NOP7 | OP_NOP8 | OP_NOP9 | OP_NOP10 => self.upgradable_nop()?,
            OP_IF | OP_NOTIF => self.enter_conditional(opcode == OP_NOTIF)?,
            OP_ELSE => self.toggle_conditional()?,
            OP_ENDIF => self.leave_conditional()?,
            OP_VERIFY => self.verify(ScriptError::Verify)?,
            OP_RETURN => return Err(ScriptError::OpReturn),

            OP_TOALTSTACK => self.move_to_alt_stack()?,
            OP_FROMALTSTACK => self.move_from_alt_stack()?,
            OP_2DROP => self.stack.drop_top(2)?,
            OP_2DUP => self.stack.copy(2, 0)?,
            OP_3DUP => self.stack.copy(3, 0)?,
            OP_2OVER => self.stack.copy(2, 2)?,
            OP_2ROT => self.stack.rotate(6, 2)?,
            OP_2SWAP => self.stack.rotate(4, 2)?,
            OP_IFDUP => self.if_dup()?,
            OP_DEPTH => self.depth(),
            OP_DROP => self.stack.drop_top(1)?,
            OP_DUP => self.stack.copy(1, 0)?,
            OP_NIP => self.nip()?,
            OP_OVER => self.stack.copy(1, 1)?,
            OP_PICK | OP_ROLL => self.pick_or_roll(opcode == OP_ROLL)?,
            OP_ROT => self.stack.rotate(3, 1)?,
            OP_SWAP => self.stack.rotate(2, 1)?,
            OP_TUCK => self.tuck()?,
            OP_SIZE => self.size()?,
            OP_EQUAL => self.equal()?,
            OP_EQUALVERIFY => {
                self.equal()?;
                self.verify(ScriptError::EqualVerify)?;
            }

            OP_1ADD | OP_1SUB | OP_NEGATE | OP_ABS | OP_NOT | OP_0NOTEQUAL => self.unary(opcode)?,
            OP_ADD
            | OP_SUB
            | OP_BOOLAND
            | OP_BOOLOR
            | OP_NUMEQUAL
            | OP_NUMNOTEQUAL
            | OP_LESSTHAN
            | OP_GREATERTHAN
            | OP_LESSTHANOREQUAL
            | OP_GREATERTHANOREQUAL
            | OP_MIN
            | OP_MAX => self.binary(opcode)?,
            OP_NUMEQUALVERIFY => {
                self.binary(OP_NUMEQUAL)?;
                self.verify(ScriptError::NumEqualVerify)?;
            }
            OP_WITHIN => self.within()?,

            OP_RIPEMD160 | OP_SHA1 | OP_SHA256 | OP_HASH160 | OP_HASH256 => self.hash(opcode)?,
            OP_CODESEPARATOR => self.code_separator(next, position),
            OP_CHECKSIG => self.check_sig()?,
            OP_CHECKSIGVERIFY => {
                self.check_sig()?;
                self.verify(ScriptError::CheckSigVerify)?;
            }
            OP_CHECKSIGADD => self.check_sig_add()?,
            OP_CHECKMULTISIG => self.check_multisig()?,
            OP_CHECKMULTISIGVERIFY => {
                self.check_multisig()?;
                self.verify(ScriptError::CheckMultisigVerify)?;
            }
            _ => self.push_number(decode_op_n(opcode).ok_or(ScriptError::BadOpcode)?.into()),
        }
        Ok(())
    }
}

/// Opcodes that run in branches that are not taken: `OP_IF` to `OP_ENDIF`, `OP_VERIF` and `OP_VERNOTIF` among them, which
/// therefore fail wherever they stand.
fn is_conditional(opcode: Opcode) -> bool {
    (OP_IF.to_u8()..=OP_ENDIF.to_u8()).contains(&opcode.to_u8())
}

/// Opcodes that fail even where they are not executed (CVE-2010-5137).
fn is_disabled(opcode: Opcode) -> bool {
    matches!(
        opcode,
        OP_CAT
            | OP_SUBSTR
            | OP_LEFT
            | OP_RIGHT
            | OP_INVERT
            | OP_AND
            | OP_OR
            | OP_XOR
            | OP_2MUL
            | OP_2DIV
            | OP_MUL
            | OP_DIV
            | OP_MOD
            | OP_LSHIFT
            | OP_RSHIFT
    )
}
