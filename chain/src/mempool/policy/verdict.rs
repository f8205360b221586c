//! What a broken rule means for a transaction's hash and for whoever sent it.
#![deny(clippy::wildcard_enum_match_arm)]

use super::{EphemeralError, InputStandardnessError, StandardnessError, TrucViolation, WitnessStandardnessError};
use crate::validation::{InputsError, TransactionError};

/// What became of a transaction that was not accepted (Core: `TxValidationResult`, `consensus/validation.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionVerdict {
    /// No block that contains it is valid (Core: `TX_CONSENSUS`).
    Invalid,
    /// What it spends breaks a rule of policy, whatever its witness is (Core: `TX_INPUTS_NOT_STANDARD`).
    InputsNotStandard,
    /// Another rule of our policy is broken (Core: `TX_NOT_STANDARD`).
    NotStandard,
    /// Some of what it spends is not known; it may come (Core: `TX_MISSING_INPUTS`).
    MissingInputs,
    /// It spends a coinbase too early or is still locked; it may be right later (Core: `TX_PREMATURE_SPEND`).
    PrematureSpend,
    /// Its witness may have been changed on the way: nothing is said about the same transaction with another (Core:
    /// `TX_WITNESS_MUTATED`).
    WitnessMutated,
    /// Its witness may have been taken away on the way (Core: `TX_WITNESS_STRIPPED`).
    WitnessStripped,
    /// It is in the pool or in the chain already (Core: `TX_CONFLICT`).
    Conflict,
    /// It breaks a rule about fees, sizes, relatives or replacement, given what is in the pool (Core:
    /// `TX_MEMPOOL_POLICY`).
    MempoolPolicy,
    /// It breaks a rule of policy that it may not break in another package (Core: `TX_RECONSIDERABLE`).
    Reconsiderable,
    /// It was not looked at, because its package failed before (Core: `TX_UNKNOWN`).
    Unknown,
    /// We could not find out: the fault is our own, and says nothing about the transaction (Core: `state.Error`).
    OurFault,
}

impl TransactionError {
    /// What the failure means for a transaction that is not in a block (Core: `CheckTransaction`,
    /// `consensus/tx_check.cpp`).
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::NoInputs
            | Self::NoOutputs
            | Self::Oversize { .. }
            | Self::NegativeOutput { .. }
            | Self::OutputTooLarge { .. }
            | Self::OutputTotalTooLarge { .. }
            | Self::DuplicateInputs { .. }
            | Self::CoinbaseScriptLength { .. }
            | Self::NullPrevout { .. } => TransactionVerdict::Invalid,
        }
    }
}

impl InputsError {
    /// What the failure means for a transaction that is not in a block (Core: `Consensus::CheckTxInputs`,
    /// `consensus/tx_verify.cpp`).
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::MissingOrSpent { .. } => TransactionVerdict::MissingInputs,
            Self::PrematureSpendOfCoinbase { .. } => TransactionVerdict::PrematureSpend,
            Self::InputValuesOutOfRange { .. } | Self::InputsBelowOutputs { .. } => TransactionVerdict::Invalid,
            Self::Coins(_) => TransactionVerdict::OurFault,
        }
    }
}

impl StandardnessError {
    /// What the failure means.
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::Version { .. }
            | Self::TransactionSize { .. }
            | Self::ScriptSigSize { .. }
            | Self::ScriptSigNotPushOnly { .. }
            | Self::ScriptPubkey { .. }
            | Self::Datacarrier { .. }
            | Self::BareMultisig { .. }
            | Self::Dust { .. }
            | Self::NonwitnessSize { .. }
            | Self::TooManySigops { .. } => TransactionVerdict::NotStandard,
        }
    }
}

impl InputStandardnessError {
    /// What the failure means.
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::TooManyLegacySigops { .. }
            | Self::ScriptUnknown { .. }
            | Self::WitnessProgramUndefined { .. }
            | Self::ScriptSigMalformed { .. }
            | Self::RedeemScriptMissing { .. }
            | Self::RedeemScriptSigops { .. } => TransactionVerdict::InputsNotStandard,
        }
    }
}

impl WitnessStandardnessError {
    /// What the failure means.
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::AnchorWithWitness { .. }
            | Self::ScriptSigMalformed { .. }
            | Self::RedeemScriptMissing { .. }
            | Self::NoWitnessProgram { .. }
            | Self::P2wshScriptSize { .. }
            | Self::P2wshStackItems { .. }
            | Self::StackItemSize { .. }
            | Self::Annex { .. }
            | Self::EmptyControlBlock { .. } => TransactionVerdict::WitnessMutated,
        }
    }
}

impl EphemeralError {
    /// What the failure means.
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::DustWithFee => TransactionVerdict::NotStandard,
            Self::MissingSpends { .. } => TransactionVerdict::MempoolPolicy,
        }
    }
}

impl TrucViolation {
    /// What the failure means for a transaction that is checked alone; in a package it is the package that fails.
    #[must_use]
    pub fn transaction_verdict(&self) -> TransactionVerdict {
        match self {
            Self::NonTrucSpendsTruc { .. }
            | Self::TrucSpendsNonTruc { .. }
            | Self::TooBig { .. }
            | Self::ChildTooBig { .. }
            | Self::TooManyAncestors { .. }
            | Self::TooManyDescendants { .. } => TransactionVerdict::MempoolPolicy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::OutPoint;

    #[test]
    fn what_may_be_right_later_is_not_condemned() {
        let outpoint = OutPoint::null();
        assert_eq!(InputsError::MissingOrSpent { outpoint }.transaction_verdict(), TransactionVerdict::MissingInputs);
        assert_eq!(
            InputsError::PrematureSpendOfCoinbase { outpoint, depth: 99 }.transaction_verdict(),
            TransactionVerdict::PrematureSpend
        );
        assert_eq!(
            InputsError::InputsBelowOutputs { inputs: 1, outputs: 2 }.transaction_verdict(),
            TransactionVerdict::Invalid
        );
        assert_eq!(TransactionError::NoInputs.transaction_verdict(), TransactionVerdict::Invalid);
    }

    #[test]
    fn policy_tells_witnesses_inputs_and_the_rest_apart() {
        for (got, expected) in [
            (StandardnessError::Dust { got: 2 }.transaction_verdict(), TransactionVerdict::NotStandard),
            (
                InputStandardnessError::ScriptUnknown { index: 0 }.transaction_verdict(),
                TransactionVerdict::InputsNotStandard,
            ),
            (WitnessStandardnessError::Annex { index: 0 }.transaction_verdict(), TransactionVerdict::WitnessMutated),
            (EphemeralError::DustWithFee.transaction_verdict(), TransactionVerdict::NotStandard),
        ] {
            assert_eq!(got, expected);
        }
    }
}
