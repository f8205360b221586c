//! `OP_CHECKMULTISIG`.

use super::Interpreter;
use crate::script::{MAX_PUBKEYS_PER_MULTISIG, ScriptError, ScriptVerifyFlags};

/// Where the arguments of a multisig lie: depths below the top of the stack.
///
/// From the top: number of keys, keys, number of signatures, signatures, and one element more than documented.
struct Arguments {
    first_key: usize,
    key_count: usize,
    first_signature: usize,
    signature_count: usize,
}

impl Arguments {
    /// Depth of the element that is removed by mistake.
    fn dummy(&self) -> usize {
        self.first_signature + self.signature_count
    }
}

impl Interpreter<'_, '_, '_> {
    /// Whether each signature is by one of the keys, in the same order.
    pub(super) fn check_multisig(&mut self) -> Result<(), ScriptError> {
        if !self.has_legacy_limits() {
            return Err(ScriptError::TapscriptCheckMultisig);
        }
        let arguments = self.multisig_arguments()?;
        let good = self.check_multisig_signatures(&arguments)?;

        if !good && self.flags.contains(ScriptVerifyFlags::NULLFAIL) {
            for depth in arguments.first_signature..arguments.dummy() {
                if !self.stack.peek(depth)?.as_bytes().is_empty() {
                    return Err(ScriptError::SigNullFail);
                }
            }
        }
        // A bug that became a rule: one element more than needed is removed, and nothing says what it holds.
        let dummy = self.stack.peek(arguments.dummy())?;
        if self.flags.contains(ScriptVerifyFlags::NULLDUMMY) && !dummy.as_bytes().is_empty() {
            return Err(ScriptError::SigNullDummy);
        }
        self.stack.drop_top(arguments.dummy() + 1)?;
        self.stack.push_bool(good);
        Ok(())
    }

    fn multisig_arguments(&mut self) -> Result<Arguments, ScriptError> {
        let key_count = self.count(0, MAX_PUBKEYS_PER_MULTISIG, ScriptError::PubkeyCount)?;
        self.count_operations(key_count)?;
        let first_key = 1;
        let signature_count = self.count(first_key + key_count, key_count, ScriptError::SigCount)?;
        let first_signature = first_key + key_count + 1;
        let arguments = Arguments { first_key, key_count, first_signature, signature_count };
        self.stack.require(arguments.dummy() + 1)?;
        Ok(arguments)
    }

    /// A number from zero to `max`.
    fn count(&self, depth: usize, max: usize, error: ScriptError) -> Result<usize, ScriptError> {
        match usize::try_from(self.number(depth)?) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(error),
        }
    }

    fn check_multisig_signatures(&mut self, arguments: &Arguments) -> Result<bool, ScriptError> {
        let mut script_code = self.script_code();
        for depth in arguments.first_signature..arguments.dummy() {
            let signature = self.stack.peek(depth)?;
            script_code = self.delete_from_script_code(script_code, signature.as_bytes())?;
        }

        let (mut key_depth, mut keys_left) = (arguments.first_key, arguments.key_count);
        let (mut signature_depth, mut signatures_left) = (arguments.first_signature, arguments.signature_count);
        while signatures_left > 0 {
            // Too many signatures have failed for the keys that are left.
            if signatures_left > keys_left {
                return Ok(false);
            }
            let (signature, key) = (self.stack.peek(signature_depth)?, self.stack.peek(key_depth)?);
            if self.check_encodings_and_signature(signature.as_bytes(), key.as_bytes(), &script_code)? {
                signature_depth += 1;
                signatures_left -= 1;
            }
            key_depth += 1;
            keys_left -= 1;
        }
        Ok(true)
    }
}
