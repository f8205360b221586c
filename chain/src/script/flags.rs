//! Which rules a script is verified under.

use bitflags::bitflags;

bitflags! {
    /// Rules that are switched on by height (consensus) or by policy (Core: `script_verify_flag_name`,
    /// `script/interpreter.h`, with the same bits).
    ///
    /// Each flag only narrows what is valid. [`WITNESS`](Self::WITNESS) makes sense only with [`P2SH`](Self::P2SH), and
    /// [`CLEANSTACK`](Self::CLEANSTACK) only with both: see [`is_consistent`](Self::is_consistent).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct ScriptVerifyFlags: u32 {
        /// Evaluate the redeem script of pay-to-script-hash outputs (BIP16).
        const P2SH = 1 << 0;
        /// Signatures are strict DER with a defined hash type, keys compressed or uncompressed (policy).
        const STRICTENC = 1 << 1;
        /// Signatures are strict DER (BIP66).
        const DERSIG = 1 << 2;
        /// The S value of signatures is at most half the order (policy).
        const LOW_S = 1 << 3;
        /// The extra element CHECKMULTISIG removes is empty (BIP147).
        const NULLDUMMY = 1 << 4;
        /// The scriptSig only pushes (policy).
        const SIGPUSHONLY = 1 << 5;
        /// Pushes and numbers have their shortest form (policy).
        const MINIMALDATA = 1 << 6;
        /// NOPs that are reserved for upgrades are not executed (policy).
        const DISCOURAGE_UPGRADABLE_NOPS = 1 << 7;
        /// Exactly one element is left at the end (policy; always so in witnesses).
        const CLEANSTACK = 1 << 8;
        /// `OP_CHECKLOCKTIMEVERIFY` has its meaning (BIP65).
        const CHECKLOCKTIMEVERIFY = 1 << 9;
        /// `OP_CHECKSEQUENCEVERIFY` has its meaning (BIP112).
        const CHECKSEQUENCEVERIFY = 1 << 10;
        /// Witness programs are evaluated (BIP141, BIP143).
        const WITNESS = 1 << 11;
        /// Witness versions without meaning are not spent (policy).
        const DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1 << 12;
        /// The argument of `OP_IF` in version 0 scripts is empty or one (policy).
        const MINIMALIF = 1 << 13;
        /// Signatures that fail are empty (policy).
        const NULLFAIL = 1 << 14;
        /// Keys in version 0 scripts are compressed (policy).
        const WITNESS_PUBKEYTYPE = 1 << 15;
        /// Legacy scripts have neither `OP_CODESEPARATOR` nor a signature to delete (policy).
        const CONST_SCRIPTCODE = 1 << 16;
        /// Taproot and tapscript (BIP341, BIP342).
        const TAPROOT = 1 << 17;
        /// Leaf versions without meaning are not spent (policy).
        const DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1 << 18;
        /// Tapscripts hold no `OP_SUCCESSx` (policy).
        const DISCOURAGE_OP_SUCCESS = 1 << 19;
        /// Tapscripts check no keys of a type without meaning (policy).
        const DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1 << 20;

        /// The rules blocks can be held to (Core: `MANDATORY_SCRIPT_VERIFY_FLAGS`, `policy/policy.h`).
        const MANDATORY = Self::P2SH.bits() | Self::DERSIG.bits() | Self::NULLDUMMY.bits()
            | Self::CHECKLOCKTIMEVERIFY.bits() | Self::CHECKSEQUENCEVERIFY.bits()
            | Self::WITNESS.bits() | Self::TAPROOT.bits();
        /// The rules the mempool holds transactions to (Core: `STANDARD_SCRIPT_VERIFY_FLAGS`, `policy/policy.h`): all but
        /// SIGPUSHONLY, which standardness checks on its own.
        const STANDARD = ((1 << 21) - 1) & !Self::SIGPUSHONLY.bits();
    }
}

impl ScriptVerifyFlags {
    /// Whether each flag's preconditions are set, as Core asserts: WITNESS needs P2SH, CLEANSTACK needs both.
    #[must_use]
    pub fn is_consistent(self) -> bool {
        (!self.contains(Self::WITNESS) || self.contains(Self::P2SH))
            && (!self.contains(Self::CLEANSTACK) || self.contains(Self::P2SH | Self::WITNESS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_knows_21_flags_and_policy_uses_20() {
        assert_eq!(ScriptVerifyFlags::all().bits().count_ones(), 21);
        assert_eq!(ScriptVerifyFlags::STANDARD, ScriptVerifyFlags::all() - ScriptVerifyFlags::SIGPUSHONLY);
        assert!(ScriptVerifyFlags::STANDARD.is_consistent() && ScriptVerifyFlags::MANDATORY.is_consistent());
        assert!(!ScriptVerifyFlags::WITNESS.is_consistent());
        assert!(!(ScriptVerifyFlags::CLEANSTACK | ScriptVerifyFlags::P2SH).is_consistent());
    }
}
