//! Asking for headers, and what the chain says to them.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use cairn_chain::chainstate::{Chainstate, ChainstateError};
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::pow::Work;
use cairn_chain::validation::HeaderError;
use cairn_net::protocol::{HeadersRequest, MAX_HEADERS_RESULTS};
use cairn_net::{NetworkHandle, PeerId, RequestError};
use thiserror::Error;

use super::header_sync::Answered;
use crate::chain_service::{ChainHandle, ChainStopped};
use crate::penalty::Conduct;

/// Blocks below our tip from whose work on a chain is worth the memory (Core: `GetAntiDoSWorkThreshold`).
const WORK_BUFFER: u32 = 144;
/// Hashes at the start of a locator that follow one another (Core: `LocatorEntries`, `chain.cpp`).
const DENSE_LOCATOR: usize = 10;

/// What came of asking a peer for headers.
#[derive(Debug)]
pub(super) struct HeadersAnswer {
    pub(super) peer: PeerId,
    pub(super) answered: Answered,
    /// Whether a header is new.
    pub(super) is_news: bool,
    /// Height of the last header, if the chain knows it now.
    pub(super) height: Option<u32>,
    pub(super) failure: Option<HeadersFailure>,
}

/// Why headers are of no use.
#[derive(Debug, Error)]
pub(super) enum HeadersFailure {
    /// The peer did not answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// They do not follow one another.
    #[error("headers that do not follow one another")]
    NotContinuous,
    /// One breaks a rule.
    #[error("{0}")]
    Header(#[from] HeaderError),
    /// The chain state failed.
    #[error(transparent)]
    Chainstate(#[from] ChainstateError),
    /// The node is stopping.
    #[error(transparent)]
    Stopped(#[from] ChainStopped),
}

impl HeadersFailure {
    /// What the peer did, if it is the peer's doing.
    pub(super) fn conduct(&self) -> Option<Conduct<'_>> {
        match self {
            Self::Request(error) => Some(Conduct::Answer(error)),
            Self::NotContinuous => Some(Conduct::HeadersNotContinuous),
            Self::Header(error) => Some(Conduct::Header(error.verdict())),
            Self::Chainstate(_) | Self::Stopped(_) => None,
        }
    }
}

/// Asks a peer for headers once, and gives them to the chain.
pub(super) async fn ask(network: NetworkHandle, chain: ChainHandle, peer: PeerId) -> HeadersAnswer {
    match ask_and_take(&network, &chain, peer).await {
        Ok((answered, is_news, height)) => HeadersAnswer { peer, answered, is_news, height, failure: None },
        Err(failure) => {
            // Those before the one that breaks a rule are kept.
            let is_news = matches!(failure, HeadersFailure::Header(_));
            HeadersAnswer { peer, answered: Answered::Failed, is_news, height: None, failure: Some(failure) }
        }
    }
}

async fn ask_and_take(
    network: &NetworkHandle,
    chain: &ChainHandle,
    peer: PeerId,
) -> Result<(Answered, bool, Option<u32>), HeadersFailure> {
    let locator = chain.call(|chain| locator(&chain.chainstate)).await?;
    let request = HeadersRequest { locator, stop: BlockHash::all_zeros() };
    let headers = network.request_headers(peer, request).await?;
    let Some(last) = headers.last().map(Header::block_hash) else { return Ok((Answered::All, false, None)) };
    let is_full = headers.len() == MAX_HEADERS_RESULTS;
    if headers.windows(2).any(|pair| pair[1].prev_blockhash != pair[0].block_hash()) {
        return Err(HeadersFailure::NotContinuous);
    }
    let taken = chain.call(move |chain| {
        let is_news = take(&mut chain.chainstate, &headers)?;
        Ok::<_, HeadersFailure>((is_news, chain.chainstate.lookup(&last).map(|block| block.height)))
    });
    let (is_news, height) = taken.await??;
    // What is of no use goes on being of no use.
    let answered = if is_full && height.is_some() { Answered::More } else { Answered::All };
    Ok((answered, is_news, height))
}

/// Takes headers if they are worth the memory; whether one was not known.
///
/// A chain has to have about as much work as ours when it ends with them (Core: `GetAntiDoSWorkThreshold`,
/// `net_processing.cpp`): a branch that gets there later is not followed.
fn take(chainstate: &mut Chainstate, headers: &[Header]) -> Result<bool, HeadersFailure> {
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
        if locator.len() > DENSE_LOCATOR {
            step *= 2;
        }
        height = height.saturating_sub(step);
    }
}
