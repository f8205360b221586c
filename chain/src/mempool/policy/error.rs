//! One variant for each rule.

use bitcoin::{Txid, Wtxid};
use thiserror::Error;

use super::inputs::MAX_P2SH_SIGOPS;
use super::package::{MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT};
use super::standard::{
    MAX_DUST_OUTPUTS_PER_TX, MAX_STANDARD_SCRIPTSIG_SIZE, MAX_STANDARD_TX_SIGOPS_COST, MAX_STANDARD_TX_WEIGHT,
    MIN_STANDARD_TX_NONWITNESS_SIZE, TX_MAX_STANDARD_VERSION, TX_MIN_STANDARD_VERSION,
};
use super::truc::{TRUC_CHILD_MAX_VSIZE, TRUC_MAX_VSIZE};
use super::witness::{
    MAX_STANDARD_P2WSH_SCRIPT_SIZE, MAX_STANDARD_P2WSH_STACK_ITEM_SIZE, MAX_STANDARD_P2WSH_STACK_ITEMS,
};
use crate::primitives::TransactionRef;
use crate::script::ScriptError;

/// A rule of policy that a transaction breaks on its own (Core: `IsStandardTx`, `policy/policy.cpp`, and
/// `MemPoolAccept::PreChecks`, `validation.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StandardnessError {
    /// The version is none that has a meaning.
    #[error("version: expected {TX_MIN_STANDARD_VERSION} to {TX_MAX_STANDARD_VERSION}, got {got}")]
    Version {
        /// The version.
        got: u32,
    },
    /// Too much weight.
    #[error("transaction is too heavy: expected at most {MAX_STANDARD_TX_WEIGHT} weight units, got {got}")]
    TransactionSize {
        /// Its weight, in weight units.
        got: usize,
    },
    /// A scriptSig is too long.
    #[error("scriptSig of input {index} is too long: expected at most {MAX_STANDARD_SCRIPTSIG_SIZE} bytes, got {got}")]
    ScriptSigSize {
        /// Index of the input.
        index: usize,
        /// Length, in bytes.
        got: usize,
    },
    /// A scriptSig does more than push.
    #[error("scriptSig of input {index} does more than push")]
    ScriptSigNotPushOnly {
        /// Index of the input.
        index: usize,
    },
    /// The script of an output has none of the known forms, or is a multisig of more than three keys.
    #[error("script of output {index} has no standard form")]
    ScriptPubkey {
        /// Index of the output.
        index: usize,
    },
    /// The outputs carry too much data.
    #[error("output {index} carries too much data: expected at most {limit} more bytes, got {got}")]
    Datacarrier {
        /// Index of the output.
        index: usize,
        /// How much the outputs before have left, in bytes.
        limit: usize,
        /// Length of its script, in bytes.
        got: usize,
    },
    /// An output is multisig, and the operator permits none.
    #[error("output {index} is multisig without a script hash")]
    BareMultisig {
        /// Index of the output.
        index: usize,
    },
    /// More than one output is dust.
    #[error("too many outputs are dust: expected at most {MAX_DUST_OUTPUTS_PER_TX}, got {got}")]
    Dust {
        /// Number of outputs that are dust.
        got: usize,
    },
    /// Small enough to be mistaken for an inner node of a merkle tree (CVE-2017-12842).
    #[error(
        "transaction is too small: expected at least {MIN_STANDARD_TX_NONWITNESS_SIZE} bytes without witness, got {got}"
    )]
    NonwitnessSize {
        /// Size without witness, in bytes.
        got: usize,
    },
    /// Too many signature operations.
    #[error("too many signature operations: expected a cost of at most {MAX_STANDARD_TX_SIGOPS_COST}, got {got}")]
    TooManySigops {
        /// Their cost.
        got: usize,
    },
}

impl StandardnessError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::TransactionSize { .. } => "tx-size",
            Self::ScriptSigSize { .. } => "scriptsig-size",
            Self::ScriptSigNotPushOnly { .. } => "scriptsig-not-pushonly",
            Self::ScriptPubkey { .. } => "scriptpubkey",
            Self::Datacarrier { .. } => "datacarrier",
            Self::BareMultisig { .. } => "bare-multisig",
            Self::Dust { .. } => "dust",
            Self::NonwitnessSize { .. } => "tx-size-small",
            Self::TooManySigops { .. } => "bad-txns-too-many-sigops",
        }
    }

    /// Core's debug message, which RPC shows behind the reason.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        match self {
            Self::TooManySigops { got } => Some(got.to_string()),
            _ => None,
        }
    }
}

/// A rule of policy about what a transaction spends (Core: `ValidateInputsStandardness`, `policy/policy.cpp`). The messages
/// are Core's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InputStandardnessError {
    /// The scripts of the inputs and of what they spend hold too many signature operations (BIP54).
    #[error("non-witness sigops exceed bip54 limit")]
    TooManyLegacySigops {
        /// How many there are up to the input that exceeds [`MAX_TX_LEGACY_SIGOPS`](super::MAX_TX_LEGACY_SIGOPS).
        got: usize,
    },
    /// The spent output has none of the known forms.
    #[error("input {index} script unknown")]
    ScriptUnknown {
        /// Index of the input.
        index: usize,
    },
    /// The spent output is a witness program that has no meaning yet.
    #[error("input {index} witness program is undefined")]
    WitnessProgramUndefined {
        /// Index of the input.
        index: usize,
    },
    /// The scriptSig of an input that spends a script hash cannot be run.
    #[error("p2sh scriptsig malformed (input {index}: {source})")]
    ScriptSigMalformed {
        /// Index of the input.
        index: usize,
        /// Why not.
        source: ScriptError,
    },
    /// An input that spends a script hash has an empty scriptSig.
    #[error("input {index} P2SH redeemscript missing")]
    RedeemScriptMissing {
        /// Index of the input.
        index: usize,
    },
    /// A redeem script holds too many signature operations.
    #[error("p2sh redeemscript sigops exceed limit (input {index}: {got} > {MAX_P2SH_SIGOPS})")]
    RedeemScriptSigops {
        /// Index of the input.
        index: usize,
        /// How many there are.
        got: usize,
    },
}

impl InputStandardnessError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        "bad-txns-nonstandard-inputs"
    }

    /// Core's debug message, which RPC shows behind the reason.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A rule of policy about witnesses (Core: `IsWitnessStandard`, `policy/policy.cpp`). Core gives one reason for all of them,
/// and no debug message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WitnessStandardnessError {
    /// An anchor, which anyone may spend, was given a witness.
    #[error("input {index} spends an anchor and has a witness")]
    AnchorWithWitness {
        /// Index of the input.
        index: usize,
    },
    /// The scriptSig of an input that spends a script hash cannot be run.
    #[error("scriptSig of input {index}: {source}")]
    ScriptSigMalformed {
        /// Index of the input.
        index: usize,
        /// Why not.
        source: ScriptError,
    },
    /// An input that spends a script hash has an empty scriptSig.
    #[error("input {index} has no redeem script")]
    RedeemScriptMissing {
        /// Index of the input.
        index: usize,
    },
    /// An input has a witness, and what it spends is no witness program.
    #[error("input {index} has a witness and spends no witness program")]
    NoWitnessProgram {
        /// Index of the input.
        index: usize,
    },
    /// A witness script is too long.
    #[error(
        "witness script of input {index} is too long: expected at most {MAX_STANDARD_P2WSH_SCRIPT_SIZE} bytes, got {got}"
    )]
    P2wshScriptSize {
        /// Index of the input.
        index: usize,
        /// Length, in bytes.
        got: usize,
    },
    /// A witness script is given too many items.
    #[error(
        "too many items below the witness script of input {index}: expected at most {MAX_STANDARD_P2WSH_STACK_ITEMS}, got {got}"
    )]
    P2wshStackItems {
        /// Index of the input.
        index: usize,
        /// Number of items.
        got: usize,
    },
    /// A witness script or a tapscript is given an item that is too long.
    #[error(
        "item of the witness of input {index} is too long: expected at most {MAX_STANDARD_P2WSH_STACK_ITEM_SIZE} bytes, got {got}"
    )]
    StackItemSize {
        /// Index of the input.
        index: usize,
        /// Length, in bytes.
        got: usize,
    },
    /// A taproot witness has an annex, which has no meaning yet (BIP341).
    #[error("witness of input {index} has an annex")]
    Annex {
        /// Index of the input.
        index: usize,
    },
    /// The control block of a taproot script path is empty (BIP341).
    #[error("control block of input {index} is empty")]
    EmptyControlBlock {
        /// Index of the input.
        index: usize,
    },
}

impl WitnessStandardnessError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        "bad-witness-nonstandard"
    }
}

/// Both hashes of a transaction, shown as in Core's debug messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionIds {
    /// Hash without witness.
    pub txid: Txid,
    /// Hash with witness.
    pub wtxid: Wtxid,
}

impl From<TransactionRef<'_>> for TransactionIds {
    fn from(tx: TransactionRef<'_>) -> Self {
        Self { txid: tx.txid(), wtxid: tx.wtxid() }
    }
}

impl std::fmt::Display for TransactionIds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "tx {} (wtxid={})", self.txid, self.wtxid)
    }
}

/// A rule about dust that must not stay (Core: `policy/ephemeral_policy.cpp`). The messages are Core's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EphemeralError {
    /// A transaction with dust pays a fee, so that it could be mined alone.
    #[error("tx with dust output must be 0-fee")]
    DustWithFee,
    /// A transaction leaves dust of an unconfirmed parent behind.
    #[error("{child} did not spend parent's ephemeral dust")]
    MissingSpends {
        /// The transaction.
        child: TransactionIds,
    },
}

impl EphemeralError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::DustWithFee => "dust",
            Self::MissingSpends { .. } => "missing-ephemeral-spends",
        }
    }

    /// The transaction that leaves dust of a parent unspent, where that is what is wrong.
    #[must_use]
    pub fn child(&self) -> Option<TransactionIds> {
        match self {
            Self::DustWithFee => None,
            Self::MissingSpends { child } => Some(*child),
        }
    }

    /// Core's debug message, which RPC shows behind the reason.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A rule about transactions that are restricted until confirmed (Core: `policy/truc_policy.cpp`; BIP431). The messages are
/// Core's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrucViolation {
    /// A transaction of another version spends from an unconfirmed one of version 3.
    #[error("non-version=3 {child} cannot spend from version=3 {parent}")]
    NonTrucSpendsTruc {
        /// The transaction.
        child: Box<TransactionIds>,
        /// What it spends from.
        parent: Box<TransactionIds>,
    },
    /// A transaction of version 3 spends from an unconfirmed one of another version.
    #[error("version=3 {child} cannot spend from non-version=3 {parent}")]
    TrucSpendsNonTruc {
        /// The transaction.
        child: Box<TransactionIds>,
        /// What it spends from.
        parent: Box<TransactionIds>,
    },
    /// A transaction of version 3 is too large.
    #[error("version=3 {tx} is too big: {got} > {TRUC_MAX_VSIZE} virtual bytes")]
    TooBig {
        /// The transaction.
        tx: TransactionIds,
        /// Its size, in virtual bytes.
        got: usize,
    },
    /// A transaction of version 3 with an unconfirmed parent is too large.
    #[error("version=3 child {child} is too big: {got} > {TRUC_CHILD_MAX_VSIZE} virtual bytes")]
    ChildTooBig {
        /// The transaction.
        child: TransactionIds,
        /// Its size, in virtual bytes.
        got: usize,
    },
    /// A transaction of version 3 has more than one unconfirmed ancestor.
    #[error("{tx} would have too many ancestors")]
    TooManyAncestors {
        /// The transaction.
        tx: TransactionIds,
    },
    /// An unconfirmed transaction of version 3 has another child already.
    #[error("{parent} would exceed descendant count limit")]
    TooManyDescendants {
        /// The parent.
        parent: TransactionIds,
        /// The other child, if it can be evicted in favour of the new one.
        sibling: Option<Txid>,
    },
}

impl TrucViolation {
    /// The other child of the parent, if there is just that one and it may be replaced instead of refusing the new one, by
    /// the rules of replacement (Core: `SingleTRUCChecks`, `policy/truc_policy.cpp`).
    #[must_use]
    pub fn evictable_sibling(&self) -> Option<Txid> {
        match self {
            Self::TooManyDescendants { sibling, .. } => *sibling,
            _ => None,
        }
    }

    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        "TRUC-violation"
    }

    /// Core's debug message, which RPC shows behind the reason.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A rule that a package breaks, whatever its transactions are (Core: `IsWellFormedPackage`, `policy/packages.cpp`; all are
/// `PCKG_POLICY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PackageError {
    /// Too many transactions.
    #[error("too many transactions: expected at most {MAX_PACKAGE_COUNT}, got {got}")]
    TooManyTransactions {
        /// Number of transactions.
        got: usize,
    },
    /// Too much weight.
    #[error("package is too heavy: expected at most {MAX_PACKAGE_WEIGHT} weight units, got {got}")]
    TooLarge {
        /// Its weight, in weight units.
        got: usize,
    },
    /// A transaction is there twice, with the same witness or another.
    #[error("package holds a transaction twice")]
    ContainsDuplicates,
    /// A transaction stands before one it spends from.
    #[error("package holds a transaction before its parent")]
    NotSorted,
    /// Two transactions spend the same output, or one spends nothing.
    #[error("two transactions of the package spend the same output")]
    Conflict,
    /// Not every transaction but the last is a parent of the last.
    #[error("package is not a transaction and its parents")]
    NotChildWithParents,
}

impl PackageError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::TooManyTransactions { .. } => "package-too-many-transactions",
            Self::TooLarge { .. } => "package-too-large",
            Self::ContainsDuplicates => "package-contains-duplicates",
            Self::NotSorted => "package-not-sorted",
            Self::Conflict => "conflict-in-package",
            Self::NotChildWithParents => "package-not-child-with-parents",
        }
    }
}
