//! Which blocks are missing.

use std::collections::HashSet;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{BlockReference, ChainTipStatus, Chainstate};
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::pow::Work;

/// What is missing, at one moment.
#[derive(Debug)]
pub(super) struct Missing {
    /// Work of the chain whose bodies are wanted: who claims more is worth asking.
    pub(super) best_work: Work,
    /// The last block of that chain.
    pub(super) target: BlockReference,
    /// The lowest blocks of it that are not here.
    pub(super) blocks: Vec<BlockReference>,
    /// Whether the chain is still being loaded.
    pub(super) is_initial_block_download: bool,
}

/// Looks for what is missing: the best chain of headers, unless it is one of `avoided`, whose bodies nobody sends; then the next
/// best.
pub(super) fn look(chainstate: &Chainstate, avoided: &HashSet<BlockHash>, limit: usize) -> Missing {
    let best = chainstate.best_header();
    let work = |block: &BlockReference| chainstate.lookup(&block.hash).map(|block| block.work).unwrap_or_default();
    let target = if is_avoided(chainstate, avoided, &best) { next_best(chainstate, avoided) } else { Some(best) };
    let target = target.unwrap_or_else(|| chainstate.tip());
    Missing {
        best_work: work(&target),
        target,
        blocks: chainstate.missing_bodies(&target.hash, 0, limit),
        is_initial_block_download: chainstate.is_initial_block_download(),
    }
}

/// Whether a chain holds a block that nobody sends.
fn is_avoided(chainstate: &Chainstate, avoided: &HashSet<BlockHash>, tip: &BlockReference) -> bool {
    let Some(chain) = chainstate.chain_to(&tip.hash) else { return false };
    let holds = |hash: &BlockHash| {
        chainstate.lookup(hash).is_some_and(|block| {
            block.height <= chain.height() && !block.has_body && chain.header_at(block.height).hash == *hash
        })
    };
    avoided.iter().any(holds)
}

/// The branch with the most work that could be had.
fn next_best(chainstate: &Chainstate, avoided: &HashSet<BlockHash>) -> Option<BlockReference> {
    let tips = chainstate.chain_tips().into_iter();
    let tips = tips.filter(|tip| !matches!(tip.status, ChainTipStatus::Invalid)).map(|tip| tip.block);
    tips.filter(|tip| !is_avoided(chainstate, avoided, tip))
        .max_by_key(|tip| chainstate.lookup(&tip.hash).map(|block| block.work))
}
