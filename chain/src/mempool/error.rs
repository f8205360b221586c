//! Why a transaction does not get into the pool.

use std::borrow::Cow;

use bitcoin::{OutPoint, Txid, Wtxid};
use thiserror::Error;

use super::FeeRate;
use super::policy::{
    EphemeralError, InputStandardnessError, PackageError, StandardnessError, TransactionVerdict, TrucViolation,
    WitnessStandardnessError,
};
use crate::coins::CoinsError;
use crate::primitives::format_money;
use crate::script::ScriptError;
use crate::validation::{InputsError, TransactionError};

/// What a transaction breaks that is to enter the pool (Core: `MemPoolAccept`, `validation.cpp`).
#[derive(Debug, Clone, Error)]
pub enum MempoolError {
    /// A rule about transactions by themselves.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// It is a coinbase, which belongs in a block.
    #[error("a coinbase is valid only in a block")]
    Coinbase,
    /// It is not standard by itself.
    #[error(transparent)]
    Standardness(#[from] StandardnessError),
    /// Its lock time lies behind the next block.
    #[error("its lock time is not over in the next block")]
    NonFinal,
    /// It is in the pool.
    #[error("it is in the pool already")]
    AlreadyInMempool,
    /// It is in the pool with another witness.
    #[error("it is in the pool already, with another witness")]
    SameNonWitnessData,
    /// It spends what a transaction of the pool spends, where nothing may be replaced.
    #[error("it spends what a transaction of the pool spends, and none may be replaced here")]
    ReplacementDisallowed,
    /// It is in the chain, and one of its outputs is unspent.
    #[error("it is in the chain already")]
    AlreadyKnown,
    /// A coin it spends does not exist, or not yet.
    #[error("no coin at {outpoint}: it never existed or is spent")]
    MissingInputs {
        /// Where the coin should be.
        outpoint: OutPoint,
    },
    /// A relative lock time ends behind the next block.
    #[error("its relative lock times are not over in the next block")]
    NonBip68Final,
    /// A rule about the coins it spends.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// What it spends is not standard.
    #[error(transparent)]
    InputStandardness(#[from] InputStandardnessError),
    /// Its witness is not standard.
    #[error(transparent)]
    WitnessStandardness(#[from] WitnessStandardnessError),
    /// Dust that is not ephemeral.
    #[error(transparent)]
    Ephemeral(#[from] EphemeralError),
    /// It pays less than what was evicted last.
    #[error("it pays too little for the pool as it is: expected {expected} satoshis, got {got}")]
    MempoolMinFeeNotMet {
        /// Least fee, in satoshis.
        expected: i64,
        /// Its fee, in satoshis.
        got: i64,
    },
    /// It pays less than any transaction must.
    #[error("it pays too little to be relayed: expected {expected} satoshis, got {got}")]
    MinRelayFeeNotMet {
        /// Least fee, in satoshis.
        expected: i64,
        /// Its fee, in satoshis.
        got: i64,
    },
    /// A rule about transactions of version 3.
    #[error(transparent)]
    Truc(#[from] TrucViolation),
    /// It would replace transactions of too many clusters.
    #[error("it conflicts with too many clusters: expected at most {limit}, got {got}")]
    TooManyReplacements {
        /// The transaction.
        txid: Txid,
        /// Clusters.
        got: usize,
        /// The most that is allowed.
        limit: usize,
        /// Whether one of those it would replace is a sibling rather than a conflict.
        with_sibling: bool,
    },
    /// It does not pay as much as what it replaces.
    #[error("it pays less than what it would replace: expected {expected}, got {got}")]
    LessFeeThanConflicts {
        /// The transaction.
        txid: Txid,
        /// Fees of what it would replace, in satoshis.
        expected: i64,
        /// Its fee, in satoshis.
        got: i64,
        /// Whether one of those it would replace is a sibling rather than a conflict.
        with_sibling: bool,
    },
    /// It does not pay for its own relay beyond what it replaces.
    #[error("it does not pay for replacing: expected {expected} satoshis more, got {got}")]
    NotEnoughAdditionalFee {
        /// The transaction.
        txid: Txid,
        /// What it should pay more, in satoshis.
        expected: i64,
        /// What it pays more, in satoshis.
        got: i64,
        /// Whether one of those it would replace is a sibling rather than a conflict.
        with_sibling: bool,
    },
    /// It would join too many transactions.
    #[error("too many transactions would hang together")]
    TooLargeCluster,
    /// Miners would earn less with it than with what it replaces.
    #[error("insufficient feerate: does not improve feerate diagram")]
    ReplacementFailed,
    /// It spends an output of a transaction it would replace.
    #[error("{txid} spends conflicting transaction {conflict}")]
    SpendsConflicting {
        /// The transaction.
        txid: Txid,
        /// What it both spends and replaces.
        conflict: Txid,
    },
    /// It pays more for each byte than whoever sent it allowed.
    #[error("it pays more than the maximum that was asked for")]
    MaxFeeRateExceeded,
    /// A script fails.
    #[error("script of input {input} failed, which spends {outpoint}: {source}")]
    Script {
        /// The transaction.
        txid: Txid,
        /// Its hash with witness.
        wtxid: Wtxid,
        /// Index of the input.
        input: usize,
        /// What the input spends.
        outpoint: OutPoint,
        /// Whether a witness seems to have been stripped from it on the way.
        is_stripped: bool,
        /// Why.
        source: ScriptError,
    },
    /// It was the one that pays least in a pool that is full.
    #[error("the pool is full, and it pays least")]
    MempoolFull,
    /// It got in with its package or was there before, and was then the one that pays least in a pool that is full. Unlike one
    /// that came alone, it is not looked at again in another package (Core: `AcceptPackage`).
    #[error("the pool is full, and it pays least of its package")]
    PackageEvicted,
    /// Coins could not be read: our own fault.
    #[error(transparent)]
    Coins(#[from] CoinsError),
}

impl MempoolError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> Cow<'static, str> {
        let sibling = |reason: &'static str, with_sibling: &bool| {
            if *with_sibling { format!("{reason} (including sibling eviction)").into() } else { Cow::from(reason) }
        };
        match self {
            Self::Transaction(error) => error.reject_reason().into(),
            Self::Coinbase => "coinbase".into(),
            Self::Standardness(error) => error.reject_reason().into(),
            Self::NonFinal => "non-final".into(),
            Self::AlreadyInMempool => "txn-already-in-mempool".into(),
            Self::SameNonWitnessData => "txn-same-nonwitness-data-in-mempool".into(),
            Self::ReplacementDisallowed => "bip125-replacement-disallowed".into(),
            Self::AlreadyKnown => "txn-already-known".into(),
            Self::MissingInputs { .. } => "bad-txns-inputs-missingorspent".into(),
            Self::NonBip68Final => "non-BIP68-final".into(),
            Self::Inputs(error) => error.reject_reason().into(),
            Self::InputStandardness(error) => error.reject_reason().into(),
            Self::WitnessStandardness(error) => error.reject_reason().into(),
            Self::Ephemeral(error) => error.reject_reason().into(),
            Self::MempoolMinFeeNotMet { .. } => "mempool min fee not met".into(),
            Self::MinRelayFeeNotMet { .. } => "min relay fee not met".into(),
            Self::Truc(error) => error.reject_reason().into(),
            Self::TooManyReplacements { with_sibling, .. } => sibling("too many potential replacements", with_sibling),
            Self::LessFeeThanConflicts { with_sibling, .. } | Self::NotEnoughAdditionalFee { with_sibling, .. } => {
                sibling("insufficient fee", with_sibling)
            }
            Self::TooLargeCluster => "too-large-cluster".into(),
            Self::ReplacementFailed => "replacement-failed".into(),
            Self::SpendsConflicting { .. } => "bad-txns-spends-conflicting-tx".into(),
            Self::MaxFeeRateExceeded => "max feerate exceeded".into(),
            Self::Script { source, .. } => format!("mempool-script-verify-flag-failed ({source})").into(),
            Self::MempoolFull | Self::PackageEvicted => "mempool full".into(),
            Self::Coins(_) => "coins-unreadable".into(),
        }
    }

    /// What Core says beside the reason, in its words.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        match self {
            Self::Standardness(error) => error.debug_message(),
            Self::InputStandardness(error) => error.debug_message(),
            Self::Ephemeral(error) => error.debug_message(),
            Self::Truc(error) => error.debug_message(),
            Self::Inputs(error) => error.debug_message(),
            Self::MempoolMinFeeNotMet { expected, got } | Self::MinRelayFeeNotMet { expected, got } => {
                Some(format!("{got} < {expected}"))
            }
            Self::TooManyReplacements { txid, got, limit, .. } => {
                Some(format!("rejecting replacement {txid}; too many conflicting clusters ({got} > {limit})"))
            }
            Self::LessFeeThanConflicts { txid, expected, got, .. } => Some(format!(
                "rejecting replacement {txid}, less fees than conflicting txs; {} < {}",
                format_money(*got),
                format_money(*expected)
            )),
            Self::NotEnoughAdditionalFee { txid, expected, got, .. } => Some(format!(
                "rejecting replacement {txid}, not enough additional fees to relay; {} < {}",
                format_money(*got),
                format_money(*expected)
            )),
            Self::ReplacementFailed | Self::SpendsConflicting { .. } => Some(self.to_string()),
            Self::Script { txid, wtxid, input, outpoint, .. } => {
                Some(format!("input {input} of {txid} (wtxid {wtxid}), spending {}:{}", outpoint.txid, outpoint.vout))
            }
            Self::Transaction(_)
            | Self::Coinbase
            | Self::NonFinal
            | Self::AlreadyInMempool
            | Self::SameNonWitnessData
            | Self::ReplacementDisallowed
            | Self::AlreadyKnown
            | Self::MissingInputs { .. }
            | Self::NonBip68Final
            | Self::WitnessStandardness(_)
            | Self::TooLargeCluster
            | Self::MaxFeeRateExceeded
            | Self::MempoolFull
            | Self::PackageEvicted
            | Self::Coins(_) => None,
        }
    }

    /// What the failure means.
    #[must_use]
    pub fn verdict(&self) -> TransactionVerdict {
        match self {
            Self::Transaction(error) => error.transaction_verdict(),
            Self::Coinbase | Self::SpendsConflicting { .. } => TransactionVerdict::Invalid,
            Self::Standardness(error) => error.transaction_verdict(),
            Self::NonFinal | Self::NonBip68Final => TransactionVerdict::PrematureSpend,
            Self::AlreadyInMempool | Self::SameNonWitnessData | Self::AlreadyKnown => TransactionVerdict::Conflict,
            Self::ReplacementDisallowed
            | Self::TooManyReplacements { .. }
            | Self::TooLargeCluster
            | Self::MaxFeeRateExceeded
            | Self::PackageEvicted => TransactionVerdict::MempoolPolicy,
            Self::MissingInputs { .. } => TransactionVerdict::MissingInputs,
            Self::Inputs(error) => error.transaction_verdict(),
            Self::InputStandardness(error) => error.transaction_verdict(),
            Self::WitnessStandardness(error) => error.transaction_verdict(),
            Self::Ephemeral(error) => error.transaction_verdict(),
            Self::MempoolMinFeeNotMet { .. }
            | Self::MinRelayFeeNotMet { .. }
            | Self::LessFeeThanConflicts { .. }
            | Self::NotEnoughAdditionalFee { .. }
            | Self::ReplacementFailed
            | Self::MempoolFull => TransactionVerdict::Reconsiderable,
            Self::Truc(error) => error.transaction_verdict(),
            Self::Script { is_stripped: true, .. } => TransactionVerdict::WitnessStripped,
            Self::Script { .. } => TransactionVerdict::NotStandard,
            Self::Coins(_) => TransactionVerdict::OurFault,
        }
    }

    /// Reason and what Core says beside it (Core: `ValidationState::ToString`).
    #[must_use]
    pub fn reject_details(&self) -> String {
        match self.debug_message() {
            Some(message) if !message.is_empty() => format!("{}, {message}", self.reject_reason()),
            _ => self.reject_reason().into_owned(),
        }
    }
}

/// A transaction that did not get in.
#[derive(Debug, Clone, Error)]
#[error("{error}")]
pub struct Rejection {
    /// Why.
    pub error: Box<MempoolError>,
    /// When it pays too little: what was compared, in satoshis and virtual bytes, and the transactions counted in.
    pub effective: Option<(FeeRate, Vec<Wtxid>)>,
}

impl<E: Into<MempoolError>> From<E> for Rejection {
    fn from(error: E) -> Self {
        Self { error: Box::new(error.into()), effective: None }
    }
}

/// Why a package as a whole does not get in (Core: `PackageValidationState`).
#[derive(Debug, Clone, Error)]
pub enum PackageRejection {
    /// It is not formed as a package must be.
    #[error(transparent)]
    Malformed(#[from] PackageError),
    /// One of its transactions does not get in.
    #[error("a transaction of the package failed")]
    Transaction,
    /// Dust of a parent is left unspent.
    #[error("dust of a parent is left unspent")]
    UnspentDust,
    /// A rule about transactions of version 3.
    #[error(transparent)]
    Truc(#[from] TrucViolation),
    /// It would join too many transactions.
    #[error("too many transactions would hang together")]
    TooLargeCluster,
    /// It replaces transactions in a way packages must not.
    #[error("package RBF failed: {reason}")]
    Replacement {
        /// Core's words.
        reason: &'static str,
        /// What Core says beside it.
        detail: Option<String>,
    },
}

impl PackageRejection {
    /// Core's reason.
    #[must_use]
    pub fn reject_reason(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed(error) => error.reject_reason().into(),
            Self::Transaction => "transaction failed".into(),
            Self::UnspentDust => "unspent-dust".into(),
            Self::Truc(error) => error.reject_reason().into(),
            Self::TooLargeCluster => "too-large-cluster".into(),
            Self::Replacement { reason, .. } => format!("package RBF failed: {reason}").into(),
        }
    }

    /// Reason and what Core says beside it.
    #[must_use]
    pub fn reject_details(&self) -> String {
        let detail = match self {
            Self::Truc(error) => error.debug_message(),
            Self::Replacement { detail, .. } => detail.clone(),
            Self::Malformed(_) | Self::Transaction | Self::UnspentDust | Self::TooLargeCluster => None,
        };
        match detail {
            Some(detail) => format!("{}, {detail}", self.reject_reason()),
            None => self.reject_reason().into_owned(),
        }
    }
}
