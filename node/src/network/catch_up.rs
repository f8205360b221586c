//! Headers and blocks that a peer has and we do not.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use cairn_chain::chainstate::Chainstate;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::pow::Work;
use cairn_net::PeerId;
use cairn_net::protocol::{HeadersRequest, MAX_BLOCKS_TO_REQUEST, MAX_HEADERS_RESULTS};
use tracing::{debug, info};

use super::Relay;
use super::error::RelayError;
use crate::chain_service::ChainStopped;

/// Blocks below our tip from whose work on a chain is worth the memory (Core: `GetAntiDoSWorkThreshold`).
const WORK_BUFFER: u32 = 144;
/// Hashes at the start of a locator that follow one another (Core: `LocatorEntries`, `chain.cpp`).
const DENSE_LOCATOR: u32 = 10;

impl Relay {
    /// Whether blocks are missing.
    pub(super) async fn is_behind(&self) -> Result<bool, ChainStopped> {
        self.context.chain.call(|chain| !missing_blocks(&chain.chainstate).is_empty()).await
    }

    /// Gets from a peer what we do not have: headers, then the blocks of the best chain, the lowest first.
    pub(super) async fn catch_up(&self, peer: PeerId) -> Result<(), RelayError> {
        loop {
            let locator = self.context.chain.call(|chain| locator(&chain.chainstate)).await?;
            let request = HeadersRequest { locator, stop: BlockHash::all_zeros() };
            let headers = self.network.request_headers(peer, request).await?;
            let count = headers.len();
            if count == 0 {
                break;
            }
            debug!(%peer, count, "headers");
            let is_news = self.context.chain.call(move |chain| take_headers(&mut chain.chainstate, &headers)).await??;
            if !is_news || count < MAX_HEADERS_RESULTS {
                break;
            }
        }
        let mut fetched = 0;
        loop {
            let missing = self.context.chain.call(|chain| missing_blocks(&chain.chainstate)).await?;
            if missing.is_empty() {
                break;
            }
            let came = self.fetch_blocks(peer, missing).await?;
            if came == 0 {
                return Err(RelayError::NoBlock);
            }
            fetched += came;
        }
        if fetched > 0 {
            let tip = self.context.chain.tip();
            info!(%peer, blocks = fetched, height = tip.height, "caught up");
        }
        Ok(())
    }
}

/// Takes headers if they are worth the memory; whether one was not known.
///
/// A chain has to have about as much work as ours when it ends with them (Core: `GetAntiDoSWorkThreshold`,
/// `net_processing.cpp`): a branch that gets there later is not followed.
fn take_headers(chainstate: &mut Chainstate, headers: &[Header]) -> Result<bool, RelayError> {
    let Some(parent) = headers.first().and_then(|first| chainstate.lookup(&first.prev_blockhash)) else {
        return Ok(false);
    };
    let tip = chainstate.tip();
    let work: Work = headers.iter().map(|header| Work::from_compact(header.bits)).sum();
    let buffer = chainstate.block_hash(tip.height.saturating_sub(WORK_BUFFER));
    let threshold = buffer.and_then(|hash| chainstate.lookup(&hash)).map(|block| block.work);
    if threshold.is_some_and(|threshold| parent.work + work < threshold) {
        return Ok(false);
    }
    let is_news = headers.iter().any(|header| chainstate.lookup(&header.block_hash()).is_none());
    chainstate.accept_headers(headers, true)??;
    Ok(is_news)
}

/// Hashes of the best header's chain from its end backwards, ever fewer, ending with genesis (Core: `LocatorEntries`).
fn locator(chainstate: &Chainstate) -> Vec<BlockHash> {
    let Some(chain) = chainstate.chain_to(&chainstate.best_header().hash) else { return Vec::new() };
    let mut height = chain.height();
    let (mut step, mut locator) = (1, Vec::new());
    loop {
        locator.push(chain.header_at(height).hash);
        if height == 0 {
            return locator;
        }
        if locator.len() > DENSE_LOCATOR as usize {
            step *= 2;
        }
        height = height.saturating_sub(step);
    }
}

/// The lowest blocks of the best header's chain that are not here, as many as may be asked for at a time. None when our chain
/// has as much work.
fn missing_blocks(chainstate: &Chainstate) -> Vec<BlockHash> {
    let best = chainstate.best_header();
    let Some(chain) = chainstate.chain_to(&best.hash) else { return Vec::new() };
    let work = |hash: &BlockHash| chainstate.lookup(hash).map(|block| block.work);
    if work(&best.hash) <= work(&chainstate.tip().hash) {
        return Vec::new();
    }
    // Both chains are the same up to some height, and not above.
    let is_shared = |height| chainstate.block_hash(height) == Some(chain.header_at(height).hash);
    let (mut shared, mut other) = (0, chain.height() + 1);
    while other - shared > 1 {
        let middle = shared + (other - shared) / 2;
        if is_shared(middle) { shared = middle } else { other = middle }
    }
    let is_missing = |hash: &BlockHash| chainstate.lookup(hash).is_none_or(|block| !block.has_body);
    let above = (other..=chain.height()).map(|height| chain.header_at(height).hash);
    above.filter(is_missing).take(MAX_BLOCKS_TO_REQUEST).collect()
}
