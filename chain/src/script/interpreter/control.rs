//! Conditionals, verification and lock times.

use super::{Interpreter, SigVersion};
use crate::script::checker::SEQUENCE_LOCKTIME_DISABLE_FLAG;
use crate::script::{ScriptError, ScriptVerifyFlags, number};

impl Interpreter<'_, '_, '_> {
    /// `OP_IF`, `OP_NOTIF`: runs in untaken branches too, to count how deep they nest.
    pub(super) fn enter_conditional(&mut self, negated: bool) -> Result<(), ScriptError> {
        let mut taken = false;
        if self.conditions.all_taken() {
            let condition = self.stack.peek(0)?;
            let is_minimal = matches!(condition.as_bytes(), [] | [1]);
            match self.version {
                SigVersion::Tapscript(_) if !is_minimal => return Err(ScriptError::TapscriptMinimalIf),
                SigVersion::WitnessV0 if !is_minimal && self.flags.contains(ScriptVerifyFlags::MINIMALIF) => {
                    return Err(ScriptError::MinimalIf);
                }
                SigVersion::Base | SigVersion::WitnessV0 | SigVersion::Tapscript(_) => {}
            }
            taken = condition.to_bool() != negated;
            self.stack.drop_top(1)?;
        }
        self.conditions.enter(taken);
        Ok(())
    }

    /// `OP_ELSE`.
    pub(super) fn toggle_conditional(&mut self) -> Result<(), ScriptError> {
        if self.conditions.is_empty() {
            return Err(ScriptError::UnbalancedConditional);
        }
        self.conditions.toggle();
        Ok(())
    }

    /// `OP_ENDIF`.
    pub(super) fn leave_conditional(&mut self) -> Result<(), ScriptError> {
        if self.conditions.is_empty() {
            return Err(ScriptError::UnbalancedConditional);
        }
        self.conditions.leave();
        Ok(())
    }

    /// `OP_VERIFY`, and the second half of every operation that ends in it.
    pub(super) fn verify(&mut self, error: ScriptError) -> Result<(), ScriptError> {
        if !self.stack.peek(0)?.to_bool() {
            return Err(error);
        }
        self.stack.drop_top(1)
    }

    /// NOPs that future rules may give a meaning.
    pub(super) fn upgradable_nop(&self) -> Result<(), ScriptError> {
        if self.flags.contains(ScriptVerifyFlags::DISCOURAGE_UPGRADABLE_NOPS) {
            return Err(ScriptError::DiscourageUpgradableNops);
        }
        Ok(())
    }

    /// `OP_CHECKLOCKTIMEVERIFY`, a NOP before BIP65; the element stays.
    pub(super) fn check_lock_time_verify(&self) -> Result<(), ScriptError> {
        if !self.flags.contains(ScriptVerifyFlags::CHECKLOCKTIMEVERIFY) {
            return Ok(());
        }
        let lock_time = self.lock_time()?;
        if self.checker.check_lock_time(lock_time) { Ok(()) } else { Err(ScriptError::UnsatisfiedLockTime) }
    }

    /// `OP_CHECKSEQUENCEVERIFY`, a NOP before BIP112; the element stays.
    pub(super) fn check_sequence_verify(&self) -> Result<(), ScriptError> {
        if !self.flags.contains(ScriptVerifyFlags::CHECKSEQUENCEVERIFY) {
            return Ok(());
        }
        let sequence = self.lock_time()?;
        // Left open for future rules.
        if sequence & i64::from(SEQUENCE_LOCKTIME_DISABLE_FLAG) != 0 {
            return Ok(());
        }
        if self.checker.check_sequence(sequence) { Ok(()) } else { Err(ScriptError::UnsatisfiedLockTime) }
    }

    fn lock_time(&self) -> Result<i64, ScriptError> {
        let value = number::decode(&self.stack.peek(0)?, self.requires_minimal(), number::LOCK_TIME_SIZE)?;
        if value < 0 { Err(ScriptError::NegativeLockTime) } else { Ok(value) }
    }
}
