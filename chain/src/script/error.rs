//! Why a script does not allow a spend: Core's 53 reasons, with Core's names and words.

use thiserror::Error;

/// Defines the enum, its messages and its names from one list.
macro_rules! script_errors {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $message:literal;)*) => {
        /// A rule that a spend breaks.
        ///
        /// The message is Core's `ScriptErrorString` (`script/script_error.cpp`), which reject reasons quote; the name is
        /// Core's `SCRIPT_ERR_` constant without the prefix (`script/script_error.h`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
        pub enum ScriptError {
            $($(#[$doc])* #[error($message)] $variant,)*
        }

        impl ScriptError {
            /// Every error, in Core's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Core's name of the error, for example `EVAL_FALSE`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

script_errors! {
    /// The script ran to its end and left nothing, or something false, on top of the stack.
    EvalFalse = "EVAL_FALSE", "Script evaluated without error but finished with a false/empty top stack element";
    /// `OP_RETURN` was executed.
    OpReturn = "OP_RETURN", "OP_RETURN was encountered";
    /// A number has more than four bytes (five for lock times), or, under MINIMALDATA, more than it needs.
    ScriptNum = "SCRIPTNUM", "Script number overflowed or is non-minimally encoded";
    /// A legacy or version 0 script is longer than 10,000 bytes.
    ScriptSize = "SCRIPT_SIZE", "Script is too big";
    /// A stack element is longer than 520 bytes.
    PushSize = "PUSH_SIZE", "Push value size limit exceeded";
    /// A legacy or version 0 script has more than 201 operations.
    OpCount = "OP_COUNT", "Operation limit exceeded";
    /// Stack and alternative stack hold more than 1,000 elements together.
    StackSize = "STACK_SIZE", "Stack size limit exceeded";
    /// A multisig wants fewer than zero signatures, or more than it has keys.
    SigCount = "SIG_COUNT", "Signature count negative or greater than pubkey count";
    /// A multisig has fewer than zero keys, or more than twenty.
    PubkeyCount = "PUBKEY_COUNT", "Pubkey count negative or limit exceeded";
    /// `OP_VERIFY` found something false.
    Verify = "VERIFY", "Script failed an OP_VERIFY operation";
    /// `OP_EQUALVERIFY` found two different elements.
    EqualVerify = "EQUALVERIFY", "Script failed an OP_EQUALVERIFY operation";
    /// `OP_CHECKMULTISIGVERIFY` found too few good signatures.
    CheckMultisigVerify = "CHECKMULTISIGVERIFY", "Script failed an OP_CHECKMULTISIGVERIFY operation";
    /// `OP_CHECKSIGVERIFY` found a bad signature.
    CheckSigVerify = "CHECKSIGVERIFY", "Script failed an OP_CHECKSIGVERIFY operation";
    /// `OP_NUMEQUALVERIFY` found two different numbers.
    NumEqualVerify = "NUMEQUALVERIFY", "Script failed an OP_NUMEQUALVERIFY operation";
    /// An opcode is unknown or reserved, or a push reaches beyond the script.
    BadOpcode = "BAD_OPCODE", "Opcode missing or not understood";
    /// An opcode that is disabled even where it is not executed (CVE-2010-5137).
    DisabledOpcode = "DISABLED_OPCODE", "Attempted to use a disabled opcode";
    /// An operation needs more elements than the stack has.
    InvalidStackOperation = "INVALID_STACK_OPERATION", "Operation not valid with the current stack size";
    /// `OP_FROMALTSTACK` found the alternative stack empty.
    InvalidAltStackOperation = "INVALID_ALTSTACK_OPERATION", "Operation not valid with the current altstack size";
    /// `OP_ELSE` or `OP_ENDIF` without `OP_IF`, or the reverse.
    UnbalancedConditional = "UNBALANCED_CONDITIONAL", "Invalid OP_IF construction";
    /// A lock time operation was given a negative number (BIP65, BIP112).
    NegativeLockTime = "NEGATIVE_LOCKTIME", "Negative locktime";
    /// The transaction is not locked as long as the script demands (BIP65, BIP112).
    UnsatisfiedLockTime = "UNSATISFIED_LOCKTIME", "Locktime requirement not satisfied";
    /// The hash type of a signature is undefined (STRICTENC).
    SigHashType = "SIG_HASHTYPE", "Signature hash type missing or not understood";
    /// A signature is not strict DER (BIP66).
    SigDer = "SIG_DER", "Non-canonical DER signature";
    /// A push has a shorter form (MINIMALDATA).
    MinimalData = "MINIMALDATA", "Data push larger than necessary";
    /// The scriptSig does more than push, in P2SH or under SIGPUSHONLY.
    SigPushOnly = "SIG_PUSHONLY", "Only push operators allowed in signatures";
    /// The S value of a signature is above half the order (LOW_S).
    SigHighS = "SIG_HIGH_S", "Non-canonical signature: S value is unnecessarily high";
    /// The extra element that CHECKMULTISIG removes is not empty (BIP147).
    SigNullDummy = "SIG_NULLDUMMY", "Dummy CHECKMULTISIG argument must be zero";
    /// A public key is neither compressed nor uncompressed (STRICTENC).
    PubkeyType = "PUBKEYTYPE", "Public key is neither compressed or uncompressed";
    /// The script left other than one element: a rule in witnesses, policy elsewhere.
    CleanStack = "CLEANSTACK", "Stack size must be exactly one after execution";
    /// The argument of `OP_IF` is neither empty nor one (MINIMALIF, version 0).
    MinimalIf = "MINIMALIF", "OP_IF/NOTIF argument must be minimal";
    /// A signature that failed is not empty (NULLFAIL).
    SigNullFail = "SIG_NULLFAIL", "Signature must be zero for failed CHECK(MULTI)SIG operation";
    /// A reserved NOP was executed (policy).
    DiscourageUpgradableNops = "DISCOURAGE_UPGRADABLE_NOPS", "NOPx reserved for soft-fork upgrades";
    /// A witness version without meaning was spent (policy).
    DiscourageUpgradableWitnessProgram = "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "Witness version reserved for soft-fork upgrades";
    /// A leaf version without meaning was spent (policy).
    DiscourageUpgradableTaprootVersion = "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION", "Taproot version reserved for soft-fork upgrades";
    /// A tapscript holds an `OP_SUCCESSx` (policy).
    DiscourageOpSuccess = "DISCOURAGE_OP_SUCCESS", "OP_SUCCESSx reserved for soft-fork upgrades";
    /// A tapscript checked a key of a type without meaning (policy).
    DiscourageUpgradablePubkeyType = "DISCOURAGE_UPGRADABLE_PUBKEYTYPE", "Public key version reserved for soft-fork upgrades";
    /// A version 0 program is neither 20 nor 32 bytes long (BIP141).
    WitnessProgramWrongLength = "WITNESS_PROGRAM_WRONG_LENGTH", "Witness program has incorrect length";
    /// A witness program was spent without a witness.
    WitnessProgramWitnessEmpty = "WITNESS_PROGRAM_WITNESS_EMPTY", "Witness program was passed an empty witness";
    /// The witness does not hash to what the program says.
    WitnessProgramMismatch = "WITNESS_PROGRAM_MISMATCH", "Witness program hash mismatch";
    /// A native witness program was spent with a scriptSig.
    WitnessMalleated = "WITNESS_MALLEATED", "Witness requires empty scriptSig";
    /// The scriptSig of a nested witness program is not just the push of it.
    WitnessMalleatedP2sh = "WITNESS_MALLEATED_P2SH", "Witness requires only-redeemscript scriptSig";
    /// A witness was given to an output that has no witness program.
    WitnessUnexpected = "WITNESS_UNEXPECTED", "Witness provided for non-witness script";
    /// A version 0 script checked a key that is not compressed (policy).
    WitnessPubkeyType = "WITNESS_PUBKEYTYPE", "Using non-compressed keys in segwit";
    /// A Schnorr signature has neither 64 nor 65 bytes (BIP341).
    SchnorrSigSize = "SCHNORR_SIG_SIZE", "Invalid Schnorr signature size";
    /// The hash type of a Schnorr signature is undefined, or its output is missing (BIP341).
    SchnorrSigHashType = "SCHNORR_SIG_HASHTYPE", "Invalid Schnorr signature hash type";
    /// A Schnorr signature is wrong (BIP340).
    SchnorrSig = "SCHNORR_SIG", "Invalid Schnorr signature";
    /// A control block is not 33 + 32k bytes long with k at most 128 (BIP341).
    TaprootWrongControlSize = "TAPROOT_WRONG_CONTROL_SIZE", "Invalid Taproot control block size";
    /// More signatures were checked than the size of the witness pays for (BIP342).
    TapscriptValidationWeight = "TAPSCRIPT_VALIDATION_WEIGHT", "Too much signature validation relative to witness weight";
    /// `OP_CHECKMULTISIG` was executed in a tapscript (BIP342).
    TapscriptCheckMultisig = "TAPSCRIPT_CHECKMULTISIG", "OP_CHECKMULTISIG(VERIFY) is not available in tapscript";
    /// The argument of `OP_IF` is neither empty nor one (BIP342).
    TapscriptMinimalIf = "TAPSCRIPT_MINIMALIF", "OP_IF/NOTIF argument must be minimal in tapscript";
    /// A tapscript checked a signature against an empty key (BIP342).
    TapscriptEmptyPubkey = "TAPSCRIPT_EMPTY_PUBKEY", "Empty public key in tapscript";
    /// A legacy script holds `OP_CODESEPARATOR` (CONST_SCRIPTCODE).
    OpCodeSeparator = "OP_CODESEPARATOR", "Using OP_CODESEPARATOR in non-witness script";
    /// A legacy script holds the signature it checks (CONST_SCRIPTCODE).
    SigFindAndDelete = "SIG_FINDANDDELETE", "Signature is found in scriptCode";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_53_with_distinct_names() {
        assert_eq!(ScriptError::ALL.len(), 53);
        assert_eq!(ScriptError::ALL.iter().map(|error| error.name()).collect::<HashSet<_>>().len(), 53);
    }
}
