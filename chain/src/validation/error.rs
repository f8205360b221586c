//! One variant for each rule.

use std::borrow::Cow;

use bitcoin::{BlockHash, CompactTarget, OutPoint, Txid};
use thiserror::Error;

use super::{COINBASE_MATURITY, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, MAX_MONEY};
use crate::coins::CoinsError;
use crate::pow::ProofOfWorkError;
use crate::primitives::format_money;
use crate::script::ScriptError;

/// A rule that a transaction breaks on its own (Core: `CheckTransaction`, `consensus/tx_check.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransactionError {
    /// No inputs.
    #[error("transaction has no inputs")]
    NoInputs,
    /// No outputs.
    #[error("transaction has no outputs")]
    NoOutputs,
    /// Too large for any block, its witness left aside, which could have been added by anyone.
    #[error("transaction is too large: expected at most 1000000 bytes without witness, got {got}")]
    Oversize {
        /// Size without witness, in bytes.
        got: usize,
    },
    /// An output has a negative value (CVE-2010-5139).
    #[error("output {index} has a negative value: {got} satoshis")]
    NegativeOutput {
        /// Index of the output.
        index: usize,
        /// Its value, in satoshis.
        got: i64,
    },
    /// An output has a value above the maximum (CVE-2010-5139).
    #[error("output {index} is too large: expected at most {MAX_MONEY} satoshis, got {got}")]
    OutputTooLarge {
        /// Index of the output.
        index: usize,
        /// Its value, in satoshis.
        got: i64,
    },
    /// The values of the outputs add up to more than the maximum (CVE-2010-5139).
    #[error("outputs are too large: expected at most {MAX_MONEY} satoshis together, got at least {got}")]
    OutputTotalTooLarge {
        /// The sum up to the output that exceeds the maximum, in satoshis.
        got: i64,
    },
    /// Two inputs spend the same output (CVE-2018-17144).
    #[error("two inputs spend {outpoint}")]
    DuplicateInputs {
        /// The output.
        outpoint: OutPoint,
    },
    /// The script of a coinbase has a length that is not allowed.
    #[error("script of the coinbase has a wrong length: expected 2 to 100 bytes, got {got}")]
    CoinbaseScriptLength {
        /// Length, in bytes.
        got: usize,
    },
    /// An input of a transaction that is no coinbase spends nothing.
    #[error("input {index} spends no output")]
    NullPrevout {
        /// Index of the input.
        index: usize,
    },
}

impl TransactionError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::NoInputs => "bad-txns-vin-empty",
            Self::NoOutputs => "bad-txns-vout-empty",
            Self::Oversize { .. } => "bad-txns-oversize",
            Self::NegativeOutput { .. } => "bad-txns-vout-negative",
            Self::OutputTooLarge { .. } => "bad-txns-vout-toolarge",
            Self::OutputTotalTooLarge { .. } => "bad-txns-txouttotal-toolarge",
            Self::DuplicateInputs { .. } => "bad-txns-inputs-duplicate",
            Self::CoinbaseScriptLength { .. } => "bad-cb-length",
            Self::NullPrevout { .. } => "bad-txns-prevout-null",
        }
    }
}

/// A rule about the coins a transaction spends (Core: `Consensus::CheckTxInputs`, `consensus/tx_verify.cpp`).
#[derive(Debug, Clone, Error)]
pub enum InputsError {
    /// A coin never existed or is spent.
    #[error("no coin at {outpoint}: it never existed or is spent")]
    MissingOrSpent {
        /// Where the coin should be.
        outpoint: OutPoint,
    },
    /// A coinbase is spent too early.
    #[error("coinbase output {outpoint} is spent too early: expected {COINBASE_MATURITY} blocks, got {depth}")]
    PrematureSpendOfCoinbase {
        /// The coin.
        outpoint: OutPoint,
        /// Blocks between coinbase and spend.
        depth: u32,
    },
    /// A coin, or the sum of those before, exceeds the maximum.
    #[error("value of the inputs is out of range: expected at most {MAX_MONEY} satoshis, got at least {got}")]
    InputValuesOutOfRange {
        /// The value, in satoshis.
        got: u64,
    },
    /// More is paid out than in.
    #[error("outputs exceed inputs: {inputs} satoshis in, {outputs} satoshis out")]
    InputsBelowOutputs {
        /// Satoshis in.
        inputs: i64,
        /// Satoshis out.
        outputs: i64,
    },
    /// The coins could not be read: our own fault.
    #[error(transparent)]
    Coins(#[from] CoinsError),
}

impl InputsError {
    /// Core's reject reason; for a fault of our own a description, as Core's `state.Error` gives.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::MissingOrSpent { .. } => "bad-txns-inputs-missingorspent",
            Self::PrematureSpendOfCoinbase { .. } => "bad-txns-premature-spend-of-coinbase",
            Self::InputValuesOutOfRange { .. } => "bad-txns-inputvalues-outofrange",
            Self::InputsBelowOutputs { .. } => "bad-txns-in-belowout",
            Self::Coins(_) => "coins-unreadable",
        }
    }

    /// What Core says beside the reason, in its words.
    #[must_use]
    pub fn debug_message(&self) -> Option<String> {
        match self {
            Self::MissingOrSpent { .. } => Some("CheckTxInputs: inputs missing/spent".to_owned()),
            Self::PrematureSpendOfCoinbase { depth, .. } => Some(format!("tried to spend coinbase at depth {depth}")),
            Self::InputsBelowOutputs { inputs, outputs } => {
                Some(format!("value in ({}) < value out ({})", format_money(*inputs), format_money(*outputs)))
            }
            Self::InputValuesOutOfRange { .. } | Self::Coins(_) => None,
        }
    }
}

/// A rule that a header breaks (Core: `AcceptBlockHeader`, `validation.cpp`).
///
/// An unknown or invalid parent, a hash that was condemned before and a chain of too little work are for the index of
/// headers to find; the checks of this module are given a chain that ends in the parent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// The hash does not meet the target the header claims, or no block may claim that target.
    #[error("proof of work failed: {0}")]
    HighHash(#[source] ProofOfWorkError),
    /// The parent is not known.
    #[error("parent {parent} is not known")]
    PreviousNotFound {
        /// Hash of the parent.
        parent: BlockHash,
    },
    /// The parent, or a block before it, is invalid.
    #[error("parent {parent} is invalid")]
    PreviousInvalid {
        /// Hash of the parent.
        parent: BlockHash,
    },
    /// The block was found invalid before.
    #[error("block was found invalid before")]
    DuplicateInvalid,
    /// The target is not the one that follows from the chain.
    #[error("incorrect difficulty: expected bits {expected:#010x}, got {got:#010x}")]
    BadDifficultyBits {
        /// What the chain demands.
        expected: CompactTarget,
        /// What the header says.
        got: CompactTarget,
    },
    /// The time is not after the median of the last eleven blocks.
    #[error("block is too early: expected a time after {median}, got {got}")]
    TimeTooOld {
        /// Median time of the last eleven blocks, in seconds since 1970.
        median: u32,
        /// Time of the block, in seconds since 1970.
        got: u32,
    },
    /// The first block of a period lies too far before its parent (BIP94).
    #[error("first block of a period is too early: expected a time of at least {earliest}, got {got}")]
    TimewarpAttack {
        /// The earliest time, in seconds since 1970.
        earliest: u32,
        /// Time of the block, in seconds since 1970.
        got: u32,
    },
    /// The time is too far ahead of our clock. It may be right later, or our clock may be wrong.
    #[error("block is too far in the future: expected a time of at most {latest}, got {got}")]
    TimeTooNew {
        /// The latest time, in seconds since 1970.
        latest: u64,
        /// Time of the block, in seconds since 1970.
        got: u32,
    },
    /// The version says that the miner does not know an active rule (BIP34, BIP65, BIP66).
    #[error("outdated version: expected at least {expected:#010x}, got {got:#010x}")]
    BadVersion {
        /// The lowest version allowed.
        expected: i32,
        /// The version.
        got: i32,
    },
    /// The header would start or extend a chain of too little work to be worth remembering.
    #[error("chain has too little work")]
    TooLittleChainWork,
}

impl HeaderError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::HighHash(_) => "high-hash",
            Self::PreviousNotFound { .. } => "prev-blk-not-found",
            Self::PreviousInvalid { .. } => "bad-prevblk",
            Self::DuplicateInvalid => "duplicate-invalid",
            Self::BadDifficultyBits { .. } => "bad-diffbits",
            Self::TimeTooOld { .. } => "time-too-old",
            Self::TimewarpAttack { .. } => "time-timewarp-attack",
            Self::TimeTooNew { .. } => "time-too-new",
            Self::BadVersion { got, .. } => return Cow::Owned(format!("bad-version({got:#010x})")),
            Self::TooLittleChainWork => "too-little-chainwork",
        })
    }
}

/// A rule that a block breaks.
#[derive(Debug, Clone, Error)]
pub enum BlockError {
    /// Its header breaks a rule.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// It does not carry the solution a signet demands (BIP325).
    #[error("signet solution is missing or wrong")]
    BadSignetSolution,
    /// Its transactions are not those the header commits to.
    #[error("merkle root mismatch: header says {expected}, transactions give {got}")]
    BadMerkleRoot {
        /// The root in the header.
        expected: bitcoin::TxMerkleNode,
        /// The root of the transactions.
        got: bitcoin::TxMerkleNode,
    },
    /// Transactions are repeated in a way that does not change the merkle root (CVE-2012-2459).
    #[error("transactions are repeated without changing the merkle root")]
    DuplicateTransactions,
    /// No transactions, or too many, or too large without witnesses.
    #[error("block has a wrong size: {transactions} transactions, {stripped_size} bytes without witnesses")]
    BadLength {
        /// Number of transactions.
        transactions: usize,
        /// Size without witnesses, in bytes.
        stripped_size: usize,
    },
    /// The first transaction is no coinbase.
    #[error("first transaction is no coinbase")]
    CoinbaseMissing,
    /// Another transaction is a coinbase.
    #[error("transaction {index} is a second coinbase")]
    CoinbaseMultiple {
        /// Index of the transaction.
        index: usize,
    },
    /// A transaction breaks a rule on its own.
    #[error("transaction {txid}: {source}")]
    Transaction {
        /// The transaction.
        txid: Txid,
        /// The rule.
        source: TransactionError,
    },
    /// Too many signature operations in the scripts of the transactions alone.
    #[error("too many signature operations: expected a cost of at most {MAX_BLOCK_SIGOPS_COST}, got {got}")]
    TooManyLegacySigops {
        /// Their cost.
        got: usize,
    },
    /// Too many signature operations, those in redeem scripts and witnesses counted too.
    #[error("too many signature operations: expected a cost of at most {MAX_BLOCK_SIGOPS_COST}, got at least {got}")]
    TooManySigops {
        /// Their cost.
        got: usize,
    },
    /// A transaction is locked until later.
    #[error("transaction {txid} is not final: locked until after {lock_time}, got height {height} and time {time}")]
    NonFinal {
        /// The transaction.
        txid: Txid,
        /// Its lock time: a height, or seconds since 1970.
        lock_time: u32,
        /// Height of the block.
        height: u32,
        /// The time lock times are compared with, in seconds since 1970.
        time: u32,
    },
    /// The coinbase does not start with the height (BIP34).
    #[error("coinbase does not start with the push of height {expected}")]
    BadCoinbaseHeight {
        /// Height of the block.
        expected: u32,
    },
    /// The coinbase commits to witnesses, and its own witness is not one item of 32 bytes (BIP141).
    #[error("witness of the coinbase: expected one item of 32 bytes, got {items} items, the first of {size} bytes")]
    BadWitnessNonceSize {
        /// Number of items.
        items: usize,
        /// Size of the first, in bytes.
        size: usize,
    },
    /// The witnesses are not those the coinbase commits to (BIP141).
    #[error("witness commitment mismatch: coinbase says {expected}, witnesses give {got}")]
    BadWitnessMerkleMatch {
        /// The hash in the coinbase.
        expected: bitcoin::WitnessCommitment,
        /// The hash of the witnesses.
        got: bitcoin::WitnessCommitment,
    },
    /// There are witnesses, and the coinbase does not commit to any (BIP141).
    #[error("transaction {txid} has a witness nothing commits to")]
    UnexpectedWitness {
        /// The transaction.
        txid: Txid,
    },
    /// Too much weight (BIP141).
    #[error("block is too heavy: expected at most {MAX_BLOCK_WEIGHT} weight units, got {got}")]
    BadWeight {
        /// Its weight, in weight units.
        got: usize,
    },
    /// A transaction would overwrite a coin (BIP30).
    #[error("transaction would overwrite coin {outpoint}")]
    Bip30 {
        /// The coin.
        outpoint: OutPoint,
    },
    /// A transaction breaks a rule about the coins it spends.
    #[error("transaction {txid}: {source}")]
    Inputs {
        /// The transaction.
        txid: Txid,
        /// The rule.
        source: InputsError,
    },
    /// The fees add up to more than the maximum.
    #[error("fees are out of range: expected at most {MAX_MONEY} satoshis, got {got}")]
    FeesOutOfRange {
        /// The sum, in satoshis.
        got: u64,
    },
    /// A transaction spends a coin before its relative lock time (BIP68).
    #[error("transaction {txid} spends a coin before its relative lock time")]
    SequenceLocked {
        /// The transaction.
        txid: Txid,
    },
    /// The coinbase pays more than subsidy and fees.
    #[error("coinbase pays too much: expected at most {limit} satoshis, got {got}")]
    CoinbaseAmount {
        /// Subsidy and fees, in satoshis.
        limit: u64,
        /// What it pays, in satoshis.
        got: u64,
    },
    /// A script does not allow a spend.
    #[error("input {input} of transaction {txid}: {source}")]
    Script {
        /// The transaction.
        txid: Txid,
        /// Index of the input.
        input: usize,
        /// The rule.
        source: ScriptError,
    },
}

impl BlockError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Header(error) => return error.reject_reason(),
            Self::BadSignetSolution => "bad-signet-blksig",
            Self::BadMerkleRoot { .. } => "bad-txnmrklroot",
            Self::DuplicateTransactions => "bad-txns-duplicate",
            Self::BadLength { .. } => "bad-blk-length",
            Self::CoinbaseMissing => "bad-cb-missing",
            Self::CoinbaseMultiple { .. } => "bad-cb-multiple",
            Self::Transaction { source, .. } => source.reject_reason(),
            Self::TooManyLegacySigops { .. } | Self::TooManySigops { .. } => "bad-blk-sigops",
            Self::NonFinal { .. } | Self::SequenceLocked { .. } => "bad-txns-nonfinal",
            Self::BadCoinbaseHeight { .. } => "bad-cb-height",
            Self::BadWitnessNonceSize { .. } => "bad-witness-nonce-size",
            Self::BadWitnessMerkleMatch { .. } => "bad-witness-merkle-match",
            Self::UnexpectedWitness { .. } => "unexpected-witness",
            Self::BadWeight { .. } => "bad-blk-weight",
            Self::Bip30 { .. } => "bad-txns-BIP30",
            Self::Inputs { source, .. } => source.reject_reason(),
            Self::FeesOutOfRange { .. } => "bad-txns-accumulated-fee-outofrange",
            Self::CoinbaseAmount { .. } => "bad-cb-amount",
            Self::Script { source, .. } => {
                return Cow::Owned(format!("block-script-verify-flag-failed ({source})"));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_with_parameters_read_as_cores() {
        let version = |got| HeaderError::BadVersion { expected: 4, got }.reject_reason().into_owned();
        assert_eq!(version(1), "bad-version(0x00000001)");
        assert_eq!(version(-1), "bad-version(0xffffffff)");
        let script =
            BlockError::Script { txid: bitcoin::hashes::Hash::all_zeros(), input: 0, source: ScriptError::EvalFalse };
        assert_eq!(
            script.reject_reason(),
            "block-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack element)"
        );
    }
}
