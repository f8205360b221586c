//! Operations on numbers.

use bitcoin::opcodes::{Opcode, all::*};

use super::Interpreter;
use crate::script::ScriptError;

impl Interpreter<'_, '_, '_> {
    pub(super) fn unary(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        let value = self.number(0)?;
        let result = match opcode {
            OP_1ADD => value + 1,
            OP_1SUB => value - 1,
            OP_NEGATE => -value,
            OP_ABS => value.abs(),
            OP_NOT => i64::from(value == 0),
            OP_0NOTEQUAL => i64::from(value != 0),
            _ => unreachable!("`execute` passes only these"),
        };
        self.stack.drop_top(1)?;
        self.push_number(result);
        Ok(())
    }

    pub(super) fn binary(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        self.stack.require(2)?;
        let (a, b) = (self.number(1)?, self.number(0)?);
        let result = match opcode {
            OP_ADD => a + b,
            OP_SUB => a - b,
            OP_BOOLAND => i64::from(a != 0 && b != 0),
            OP_BOOLOR => i64::from(a != 0 || b != 0),
            OP_NUMEQUAL => i64::from(a == b),
            OP_NUMNOTEQUAL => i64::from(a != b),
            OP_LESSTHAN => i64::from(a < b),
            OP_GREATERTHAN => i64::from(a > b),
            OP_LESSTHANOREQUAL => i64::from(a <= b),
            OP_GREATERTHANOREQUAL => i64::from(a >= b),
            OP_MIN => a.min(b),
            OP_MAX => a.max(b),
            _ => unreachable!("`execute` passes only these"),
        };
        self.stack.drop_top(2)?;
        self.push_number(result);
        Ok(())
    }

    /// `OP_WITHIN`: whether the third element lies from the second, inclusive, to the first, exclusive.
    pub(super) fn within(&mut self) -> Result<(), ScriptError> {
        self.stack.require(3)?;
        let (value, low, high) = (self.number(2)?, self.number(1)?, self.number(0)?);
        self.stack.drop_top(3)?;
        self.stack.push_bool((low..high).contains(&value));
        Ok(())
    }
}
