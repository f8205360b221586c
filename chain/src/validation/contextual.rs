//! Rules that need the headers before a block.

use std::sync::Arc;

use super::lock_time::is_final;
use super::witness_commitment::check_witness_malleation;
use super::{BlockError, CheckedBlock, ContextuallyCheckedHeader, MAX_BLOCK_WEIGHT};
use crate::header_chain::HeaderChain;
use crate::params::{ConsensusParams, Deployment};
use crate::primitives::Block;
use crate::script::append_number_push;

/// A block that obeys every rule that does not need the coins it spends, at a known height.
#[derive(Debug, Clone)]
pub struct ContextuallyCheckedBlock {
    block: Arc<Block>,
    height: u32,
}

impl ContextuallyCheckedBlock {
    /// A block that was found good before it was stored.
    pub(crate) fn stored(block: Arc<Block>, height: u32) -> Self {
        Self { block, height }
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    pub(super) fn into_block(self) -> Arc<Block> {
        self.block
    }
}

/// Checks a block against `chain`, which must end in its parent (Core: `ContextualCheckBlock`, `validation.cpp`).
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When `header` is another block's, or `chain` does not end in the parent.
pub fn contextual_check_block(
    block: CheckedBlock,
    header: &ContextuallyCheckedHeader,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
) -> Result<ContextuallyCheckedBlock, BlockError> {
    let block = block.into_block();
    let height = header.height();
    assert_eq!(header.hash(), block.hash(), "the header of another block");
    assert_eq!(chain.tip().hash, block.header().prev_blockhash, "a chain that ends in another block");

    // BIP113: lock times are compared with the median, which miners cannot move as they like.
    let by_median = params.activation.is_active_at(Deployment::Csv, height);
    let cutoff = if by_median { chain.median_time_past() } else { block.header().time };
    if let Some(tx) = block.transactions().find(|tx| !is_final(*tx, height, cutoff)) {
        return Err(BlockError::NonFinal { txid: tx.txid(), lock_time: tx.lock_time(), height, time: cutoff });
    }
    if params.activation.is_active_at(Deployment::Bip34, height) {
        check_coinbase_height(&block, height)?;
    }
    check_witness_malleation(&block, params.activation.is_active_at(Deployment::Segwit, height))?;
    // Only now: before, the weight could be that of a witness anyone attached.
    if block.weight() > MAX_BLOCK_WEIGHT {
        return Err(BlockError::BadWeight { got: block.weight() });
    }
    Ok(ContextuallyCheckedBlock { block, height })
}

/// BIP34: the coinbase's script starts with the push of the height, in the form Core's `CScript() << nHeight` has.
fn check_coinbase_height(block: &Block, height: u32) -> Result<(), BlockError> {
    let mut push = Vec::with_capacity(6);
    append_number_push(&mut push, i64::from(height));
    let script = block.transaction(0).and_then(|coinbase| coinbase.input(0)).map(|input| input.script_sig());
    if script.is_some_and(|script| script.as_bytes().starts_with(&push)) {
        Ok(())
    } else {
        Err(BlockError::BadCoinbaseHeight { expected: height })
    }
}
