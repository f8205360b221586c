//! Bitcoin Script: whether an input may spend an output.
//!
//! [`verify_script`] is Core's `VerifyScript`: legacy, pay-to-script-hash, version 0 witness programs, taproot and
//! tapscript, under any consistent set of [`ScriptVerifyFlags`], with Core's 53 error names. Elements of the stack are never
//! allocated: they refer to the script or witness they were pushed from, and what operations compute is at most 32 bytes
//! and held in place.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `verify` | [`verify_script`]: scriptSig, scriptPubKey, P2SH, witness programs | `VerifyScript`, `VerifyWitnessProgram` |
//! | `interpreter` | the loop over a script and its operations by family | `EvalScript` |
//! | `checker` | [`TransactionSignatureChecker`]: signatures and lock times of one input | `GenericTransactionSignatureChecker` |
//! | `sighash` | what signatures sign; [`PrecomputedTransactionData`] shared by all inputs | `SignatureHash`, `SignatureHashSchnorr` |
//! | `signature` | encodings of signatures and keys; the calls to libsecp256k1 | `CheckSignatureEncoding`, `CPubKey::Verify` |
//! | `cache` | [`SignatureCache`] | `SignatureCache`, `CuckooCache` |
//! | `taproot` | leaf and branch hashes, the commitment of an output key | `ComputeTapleafHash`, `VerifyTaprootCommitment` |
//! | `instructions` | iterating over a script; minimal pushes; OP_SUCCESS | `GetScriptOp`, `CheckMinimalPush`, `IsOpSuccess` |
//! | `push`, `find_and_delete` | writing pushes, and deleting a signature's | `CScript::operator<<`, `FindAndDelete` |
//! | `patterns` | pay-to-script-hash, witness programs, anchors, outputs nobody can spend | `CScript::IsPayToScriptHash`, `IsWitnessProgram` |
//! | `solver` | [`solve`]: the known forms of outputs, with their data | `Solver` |
//! | `redeem_script` | the script a scriptSig of pushes reveals | `EvalScript` in `policy/policy.cpp` |
//! | `sigops` | counting signature operations | `GetSigOpCount`, `CountWitnessSigOps` |
//! | `stack`, `number`, `conditions` | elements, numbers, nested `OP_IF`s | `valtype`, `CScriptNum`, `ConditionStack` |

mod cache;
mod checker;
mod conditions;
mod error;
mod find_and_delete;
mod flags;
mod instructions;
mod interpreter;
mod number;
mod patterns;
mod push;
mod redeem_script;
mod sighash;
mod signature;
mod sigops;
mod solver;
mod stack;
mod taproot;
mod verify;

pub use cache::SignatureCache;
pub(crate) use cache::{Entry, EntrySet, keyed_hashers};
pub use checker::{CachePolicy, TransactionSignatureChecker};
pub(crate) use checker::{
    SEQUENCE_FINAL, SEQUENCE_LOCKTIME_DISABLE_FLAG, SEQUENCE_LOCKTIME_MASK, SEQUENCE_LOCKTIME_TYPE_FLAG,
};
pub use error::ScriptError;
pub use flags::ScriptVerifyFlags;
pub use instructions::{Instruction, Instructions};
pub use patterns::{
    WitnessProgram, has_valid_ops, is_pay_to_script_hash, is_push_only, is_unspendable, witness_program,
};
pub(crate) use push::append_number_push;
pub use push::append_push;
pub use redeem_script::redeem_script;
pub use sighash::{
    PrecomputedTransactionData, TaprootSpend, TapscriptSpend, legacy_sighash, segwit_v0_sighash, taproot_sighash,
};
pub use signature::is_strict_signature;
pub use sigops::{count_p2sh_sigops, count_sigops, count_witness_sigops};
pub use solver::{TxoutType, solve};
pub(crate) use taproot::is_tapscript_leaf;
pub use taproot::{tap_branch_hash, tap_leaf_hash, tap_tweak_hash};
pub use verify::{verify_input, verify_script};

/// Longest stack element, in bytes (Core: `MAX_SCRIPT_ELEMENT_SIZE`, `script/script.h`).
pub const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;
/// Most operations of a legacy or version 0 script (Core: `MAX_OPS_PER_SCRIPT`, `script/script.h`).
pub const MAX_OPS_PER_SCRIPT: usize = 201;
/// Most keys of one multisig (Core: `MAX_PUBKEYS_PER_MULTISIG`, `script/script.h`).
pub const MAX_PUBKEYS_PER_MULTISIG: usize = 20;
/// Longest legacy or version 0 script, in bytes (Core: `MAX_SCRIPT_SIZE`, `script/script.h`).
pub const MAX_SCRIPT_SIZE: usize = 10_000;
/// Most elements on both stacks together (Core: `MAX_STACK_SIZE`, `script/script.h`).
pub const MAX_STACK_SIZE: usize = 1_000;
/// Lock times below are heights, from here on seconds since 1970 (Core: `LOCKTIME_THRESHOLD`, `script/script.h`).
pub const LOCKTIME_THRESHOLD: u32 = 500_000_000;
/// First byte of a taproot annex (Core: `ANNEX_TAG`, `script/script.h`; BIP341).
pub const ANNEX_TAG: u8 = 0x50;
/// Validation weight a tapscript spends on each signature check, and starts with on top of its witness's size
/// (Core: `VALIDATION_WEIGHT_PER_SIGOP_PASSED`, `VALIDATION_WEIGHT_OFFSET`, `script/script.h`; BIP342).
const VALIDATION_WEIGHT_PER_SIGOP: i64 = 50;
/// See [`VALIDATION_WEIGHT_PER_SIGOP`].
const VALIDATION_WEIGHT_OFFSET: i64 = 50;
