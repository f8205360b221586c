//! Hashes and single signatures.

use std::borrow::Cow;

use bitcoin::hashes::{Hash, ripemd160, sha1};
use bitcoin::opcodes::{Opcode, all::*};

use super::{Interpreter, SigVersion};
use crate::hash::{hash160, sha256, sha256d};
use crate::script::find_and_delete::find_and_delete;
use crate::script::signature::{check_public_key_encoding, check_signature_encoding};
use crate::script::stack::Element;
use crate::script::{ScriptError, ScriptVerifyFlags, VALIDATION_WEIGHT_PER_SIGOP};

impl<'s> Interpreter<'s, '_, '_> {
    pub(super) fn hash(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        let top = self.stack.pop()?;
        let data = top.as_bytes();
        self.stack.push(match opcode {
            OP_RIPEMD160 => Element::computed(ripemd160::Hash::hash(data).as_byte_array()),
            OP_SHA1 => Element::computed(sha1::Hash::hash(data).as_byte_array()),
            OP_SHA256 => Element::computed(&sha256(data)),
            OP_HASH160 => Element::computed(&hash160(data)),
            OP_HASH256 => Element::computed(&sha256d(data)),
            _ => unreachable!("`execute` passes only these"),
        });
        Ok(())
    }

    /// `OP_CODESEPARATOR`: signatures after it sign the script from `next` on, or, in tapscript, its `position`.
    pub(super) fn code_separator(&mut self, next: usize, position: u32) {
        self.code_start = next;
        if let SigVersion::Tapscript(state) = &mut self.version
            && let Some(tapscript) = &mut state.spend.tapscript
        {
            tapscript.code_separator_position = position;
        }
    }

    /// `OP_CHECKSIG`.
    pub(super) fn check_sig(&mut self) -> Result<(), ScriptError> {
        self.stack.require(2)?;
        let (signature, key) = (self.stack.peek(1)?, self.stack.peek(0)?);
        let good = self.check_one(signature.as_bytes(), key.as_bytes())?;
        self.stack.drop_top(2)?;
        self.stack.push_bool(good);
        Ok(())
    }

    /// `OP_CHECKSIGADD`: adds one to a number for a good signature, nothing for an empty one (BIP342).
    pub(super) fn check_sig_add(&mut self) -> Result<(), ScriptError> {
        if self.has_legacy_limits() {
            return Err(ScriptError::BadOpcode);
        }
        self.stack.require(3)?;
        let (signature, sum, key) = (self.stack.peek(2)?, self.number(1)?, self.stack.peek(0)?);
        let good = self.check_one(signature.as_bytes(), key.as_bytes())?;
        self.stack.drop_top(3)?;
        self.push_number(sum + i64::from(good));
        Ok(())
    }

    /// Whether a signature is good; an error where a bad one ends the script (Core: `EvalChecksig`).
    fn check_one(&mut self, signature: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        match self.version {
            SigVersion::Base | SigVersion::WitnessV0 => self.check_one_ecdsa(signature, key),
            SigVersion::Tapscript(_) => self.check_one_schnorr(signature, key),
        }
    }

    /// Core: `EvalChecksigPreTapscript`.
    fn check_one_ecdsa(&mut self, signature: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        let script_code = self.delete_from_script_code(self.script_code(), signature)?;
        let good = self.check_encodings_and_signature(signature, key, &script_code)?;
        if !good && self.flags.contains(ScriptVerifyFlags::NULLFAIL) && !signature.is_empty() {
            return Err(ScriptError::SigNullFail);
        }
        Ok(good)
    }

    /// The script from its last executed `OP_CODESEPARATOR`.
    pub(super) fn script_code(&self) -> Cow<'s, [u8]> {
        Cow::Borrowed(&self.script[self.code_start..])
    }

    /// Deletes a signature from the script code, which only legacy scripts do: a signature cannot sign itself.
    pub(super) fn delete_from_script_code(
        &self,
        script_code: Cow<'s, [u8]>,
        signature: &[u8],
    ) -> Result<Cow<'s, [u8]>, ScriptError> {
        if !matches!(self.version, SigVersion::Base) {
            return Ok(script_code);
        }
        let (kept, found) = match &script_code {
            Cow::Borrowed(script) => find_and_delete(script, signature),
            Cow::Owned(script) => {
                let (kept, found) = find_and_delete(script, signature);
                (Cow::Owned(kept.into_owned()), found)
            }
        };
        if found && self.flags.contains(ScriptVerifyFlags::CONST_SCRIPTCODE) {
            return Err(ScriptError::SigFindAndDelete);
        }
        Ok(kept)
    }

    /// Both encodings first: which of them fails is visible, whatever the signature is.
    pub(super) fn check_encodings_and_signature(
        &mut self,
        signature: &[u8],
        key: &[u8],
        script_code: &[u8],
    ) -> Result<bool, ScriptError> {
        check_signature_encoding(signature, self.flags)?;
        check_public_key_encoding(key, self.flags, &self.version)?;
        let witness_v0 = matches!(self.version, SigVersion::WitnessV0);
        Ok(self.checker.check_ecdsa_signature(signature, key, script_code, witness_v0))
    }

    /// Core: `EvalChecksigTapscript`. The order is consensus: the budget before the key's type, and unknown types pass.
    fn check_one_schnorr(&mut self, signature: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        let SigVersion::Tapscript(state) = &mut self.version else {
            unreachable!("`check_one` passes only tapscripts");
        };
        let signed = !signature.is_empty();
        if signed {
            state.validation_weight_left -= VALIDATION_WEIGHT_PER_SIGOP;
            if state.validation_weight_left < 0 {
                return Err(ScriptError::TapscriptValidationWeight);
            }
        }
        if key.is_empty() {
            return Err(ScriptError::TapscriptEmptyPubkey);
        }
        let is_known_type = key.len() == 32;
        if !is_known_type && self.flags.contains(ScriptVerifyFlags::DISCOURAGE_UPGRADABLE_PUBKEYTYPE) {
            return Err(ScriptError::DiscourageUpgradablePubkeyType);
        }
        if is_known_type && signed {
            self.checker.check_schnorr_signature(signature, key, &state.spend)?;
        }
        Ok(signed)
    }
}
