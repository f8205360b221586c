//! A block that may be the next one is looked at.

use std::sync::Arc;

use bitcoin::BlockHash;
use thiserror::Error;

use super::{Chainstate, ChainstateError};
use crate::header_chain::HeaderChain;
use crate::primitives::Block;
use crate::validation::{BlockError, InputsError, ProposalChecks, check_proposal};

/// Why a block cannot be the next one.
#[derive(Debug, Clone, Error)]
pub enum ProposalError {
    /// It is not on top of the tip, so that nothing is known about it.
    #[error("expected a block on top of the tip {tip}, got one on top of {got}")]
    NotBestPreviousBlock {
        /// The tip.
        tip: BlockHash,
        /// The block's parent.
        got: BlockHash,
    },
    /// It breaks a rule.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl ProposalError {
    /// Core's reject reason (Core: `TestBlockValidity`, `validation.cpp`).
    #[must_use]
    pub fn reject_reason(&self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::NotBestPreviousBlock { .. } => "inconclusive-not-best-prevblk".into(),
            Self::Block(error) => error.reject_reason(),
        }
    }
}

impl Chainstate {
    /// Whether a block on top of the tip would be valid, scripts included, but for what `checks` leaves out (Core:
    /// `TestBlockValidity`, `validation.cpp`). Neither chain nor coins nor index change, and nobody is told.
    ///
    /// Scripts are verified on rayon's threads, unless they are known to be good.
    ///
    /// # Errors
    ///
    /// When the coins cannot be read, or a fault before made the chain state stop; inside, why the block cannot be the next.
    pub fn test_block_validity(
        &self,
        block: Arc<Block>,
        checks: ProposalChecks,
    ) -> Result<Result<(), ProposalError>, ChainstateError> {
        if let Some(fault) = &self.fault {
            return Err(ChainstateError::Stopped(fault.clone()));
        }
        debug_assert!(self.in_flight.is_empty(), "whoever is done with the chain state has waited for scripts");
        let tip = self.active.tip();
        let (expected, got) = (self.index[tip].hash, block.header().prev_blockhash);
        if got != expected {
            return Ok(Err(ProposalError::NotBestPreviousBlock { tip: expected, got }));
        }
        let (view, params) = (self.view(tip), &self.params.consensus);
        let checked =
            check_proposal(block, checks, &self.coins, &view, params, self.now(), Some(&self.validation_cache));
        match checked {
            Err(BlockError::Inputs { source: InputsError::Coins(error), .. }) => Err(error.into()),
            checked => Ok(checked.map_err(ProposalError::from)),
        }
    }

    /// The chain from genesis to a block, whether it is active or not, as rules ask for it.
    #[must_use]
    pub fn chain_to(&self, hash: &BlockHash) -> Option<impl HeaderChain + '_> {
        Some(self.view(self.index.find(hash)?))
    }
}
