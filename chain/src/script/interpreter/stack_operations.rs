//! Moving elements around, where it takes more than one call.

use super::Interpreter;
use crate::script::ScriptError;

impl Interpreter<'_, '_, '_> {
    pub(super) fn move_to_alt_stack(&mut self) -> Result<(), ScriptError> {
        let top = self.stack.pop()?;
        self.alt_stack.push(top);
        Ok(())
    }

    pub(super) fn move_from_alt_stack(&mut self) -> Result<(), ScriptError> {
        let top = self.alt_stack.pop().ok_or(ScriptError::InvalidAltStackOperation)?;
        self.stack.push(top);
        Ok(())
    }

    pub(super) fn if_dup(&mut self) -> Result<(), ScriptError> {
        let top = self.stack.peek(0)?;
        if top.to_bool() {
            self.stack.push(top);
        }
        Ok(())
    }

    pub(super) fn depth(&mut self) {
        let depth = self.stack.len();
        self.push_length(depth);
    }

    pub(super) fn nip(&mut self) -> Result<(), ScriptError> {
        self.stack.remove(1)?;
        Ok(())
    }

    pub(super) fn tuck(&mut self) -> Result<(), ScriptError> {
        self.stack.require(2)?;
        let top = self.stack.peek(0)?;
        self.stack.insert(2, top)
    }

    /// `OP_PICK` copies, `OP_ROLL` moves the element whose depth is on top.
    pub(super) fn pick_or_roll(&mut self, roll: bool) -> Result<(), ScriptError> {
        self.stack.require(2)?;
        let depth = self.number(0)?;
        self.stack.drop_top(1)?;
        let depth = usize::try_from(depth).map_err(|_| ScriptError::InvalidStackOperation)?;
        let element = if roll { self.stack.remove(depth)? } else { self.stack.peek(depth)? };
        self.stack.push(element);
        Ok(())
    }

    /// `OP_SIZE`: the length of the top element, which stays.
    pub(super) fn size(&mut self) -> Result<(), ScriptError> {
        let size = self.stack.peek(0)?.as_bytes().len();
        self.push_length(size);
        Ok(())
    }

    pub(super) fn equal(&mut self) -> Result<(), ScriptError> {
        let equal = self.stack.peek(1)?.as_bytes() == self.stack.peek(0)?.as_bytes();
        self.stack.drop_top(2)?;
        self.stack.push_bool(equal);
        Ok(())
    }

    fn push_length(&mut self, length: usize) {
        self.push_number(i64::try_from(length).expect("no stack or element is that large"));
    }
}
