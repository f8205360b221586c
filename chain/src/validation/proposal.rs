//! A block that is looked at but not taken.

use std::sync::Arc;

use super::block::check_unfinished_block;
use super::scripts::run_all;
use super::{BlockError, ScriptChecks, ValidationCache, check_inputs, contextual_check_block, contextual_check_header};
use crate::coins::{CoinsOverlay, CoinsView};
use crate::header_chain::HeaderChain;
use crate::params::ConsensusParams;
use crate::primitives::Block;

/// What is already finished about a block that is only looked at, and has to be right (Core: `BlockCheckOptions`,
/// `node/mining_types.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalChecks {
    /// Its proof of work, and on a signet its solution.
    pub proof_of_work: bool,
    /// The merkle root in its header.
    pub merkle_root: bool,
}

/// Whether a block on top of `chain` would be valid but for what `checks` leaves out (Core: `TestBlockValidity`,
/// `validation.cpp`). `coins` are those after the last block of `chain`, and stay as they are; `now` is in seconds since 1970.
///
/// Nothing comes of it that could be connected: to be taken, a block goes through every check.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When `chain` does not end in the parent.
pub fn check_proposal(
    block: Arc<Block>,
    checks: ProposalChecks,
    coins: impl CoinsView,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
    now: u64,
    cache: Option<&ValidationCache>,
) -> Result<(), BlockError> {
    let block = check_unfinished_block(block, checks, params)?;
    let header = contextual_check_header(block.header(), chain, params, now)?;
    let block = contextual_check_block(block, &header, chain, params)?;
    let block = check_inputs(block, &mut CoinsOverlay::new(coins), chain, params)?;
    run_all(&ScriptChecks::just_checking(block), cache).map(|_| ())
}
