//! Asking for headers, and what the chain says to them.
//!
//! Headers of a chain with about as much work as ours are kept as they come. Those of a chain that may have less are fetched twice,
//! and kept the second time (Core: `TryLowWorkHeadersSync`, `net_processing.cpp`).

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use cairn_chain::chainstate::{Chainstate, ChainstateError};
use cairn_chain::headers_sync::{HeadersSyncError, HeadersSyncState, NextStep};
use cairn_chain::pow::Work;
use cairn_chain::validation::HeaderError;
use cairn_net::protocol::{HeadersRequest, MAX_HEADERS_RESULTS};
use cairn_net::{NetworkHandle, PeerId, RequestError};
use thiserror::Error;

use super::header_sync::Answered;
use crate::chain_service::{ChainHandle, ChainStopped};
use crate::penalty::Conduct;

/// A chain of which it is not known yet whether it is worth the memory.
pub(super) type Presync = Box<HeadersSyncState>;

/// What came of asking a peer for headers.
#[derive(Debug)]
pub(super) struct HeadersAnswer {
    pub(super) peer: PeerId,
    pub(super) answered: Answered,
    pub(super) taken: Taken,
    pub(super) failure: Option<HeadersFailure>,
}

/// What the chain took of an answer.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Whether a header is new.
    pub(super) is_news: bool,
    /// Height of the last header, if the chain knows it now.
    pub(super) height: Option<u32>,
    /// What the next answer of the peer belongs to.
    pub(super) presync: Option<Presync>,
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
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// They are not what they should be the first or the second time.
    #[error(transparent)]
    Presync(#[from] HeadersSyncError),
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
            Self::Presync(error) => Some(Conduct::LowWorkHeaders(*error)),
            Self::Chainstate(_) | Self::Stopped(_) => None,
        }
    }
}

/// Asks a peer for headers once, and gives them to the chain. `presync` is what the last answer of the peer left.
pub(super) async fn ask(
    network: NetworkHandle,
    chain: ChainHandle,
    peer: PeerId,
    presync: Option<Presync>,
) -> HeadersAnswer {
    match ask_and_take(&network, &chain, peer, presync).await {
        Ok((answered, taken)) => HeadersAnswer { peer, answered, taken, failure: None },
        Err(failure) => {
            // Those before the one that breaks a rule are kept.
            let taken = Taken { is_news: matches!(failure, HeadersFailure::Header(_)), ..Taken::default() };
            HeadersAnswer { peer, answered: Answered::Failed, taken, failure: Some(failure) }
        }
    }
}

async fn ask_and_take(
    network: &NetworkHandle,
    chain: &ChainHandle,
    peer: PeerId,
    presync: Option<Presync>,
) -> Result<(Answered, Taken), HeadersFailure> {
    let locator = match &presync {
        Some(presync) => presync.next_headers_request_locator(),
        None => chain.call(|chain| locator(&chain.chainstate)).await?,
    };
    let headers = network.request_headers(peer, HeadersRequest { locator, stop: BlockHash::all_zeros() }).await?;
    if headers.windows(2).any(|pair| pair[1].prev_blockhash != pair[0].block_hash()) {
        return Err(HeadersFailure::NotContinuous);
    }
    let is_full = headers.len() == MAX_HEADERS_RESULTS;
    let taken = match presync {
        None => chain.call(move |chain| take(&mut chain.chainstate, &headers, is_full)).await??,
        Some(presync) => {
            let now = chain.call(|chain| chain.chainstate.adjusted_time()).await?;
            let (headers, presync) = process_next_headers(presync, headers, is_full, now).await?;
            let taken = chain.call(move |chain| accept(&mut chain.chainstate, &headers)).await??;
            Taken { presync, ..taken }
        }
    };
    // What is of no use goes on being of no use.
    let goes_on = taken.presync.is_some() || (is_full && taken.height.is_some());
    Ok((if goes_on { Answered::More } else { Answered::All }, taken))
}

/// Goes on with headers that are not kept yet: those that are worth it now, and what the next answer belongs to.
async fn process_next_headers(
    mut presync: Presync,
    headers: Vec<Header>,
    is_full: bool,
    now: u64,
) -> Result<(Vec<Header>, Option<Presync>), HeadersSyncError> {
    // Two thousand hashes are in the way of others here.
    let processed = tokio::task::spawn_blocking(move || {
        let result = presync.process_next_headers(&headers, is_full, now)?;
        let goes_on = result.next == NextStep::RequestMore;
        Ok((result.pow_validated_headers, goes_on.then_some(presync)))
    });
    processed.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Takes headers if they are known or worth the memory; otherwise, if there are more of them, begins to look whether they are.
fn take(chainstate: &mut Chainstate, headers: &[Header], is_full: bool) -> Result<Taken, HeadersFailure> {
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return Ok(Taken::default()) };
    let Some(parent) = chainstate.lookup(&first.prev_blockhash) else { return Ok(Taken::default()) };
    let work: Work = headers.iter().map(|header| Work::from_compact(header.bits)).sum();
    let is_known = chainstate.lookup(&last.block_hash()).is_some();
    if is_known || parent.work + work >= chainstate.anti_dos_work_threshold() {
        return accept(chainstate, headers);
    }
    let presync = if is_full { chainstate.headers_sync(&first.prev_blockhash) } else { None };
    let Some(mut presync) = presync else { return Ok(Taken::default()) };
    let result = presync.process_next_headers(headers, is_full, chainstate.adjusted_time())?;
    let goes_on = result.next == NextStep::RequestMore;
    Ok(Taken { presync: goes_on.then(|| Box::new(presync)), ..Taken::default() })
}

/// Keeps headers.
fn accept(chainstate: &mut Chainstate, headers: &[Header]) -> Result<Taken, HeadersFailure> {
    let Some(last) = headers.last().map(Header::block_hash) else { return Ok(Taken::default()) };
    let is_news = chainstate.lookup(&last).is_none();
    chainstate.accept_headers(headers, true)??;
    Ok(Taken { is_news, height: chainstate.lookup(&last).map(|block| block.height), presync: None })
}

/// Where the chain with the most work ends, for a peer to go on from.
fn locator(chainstate: &Chainstate) -> Vec<BlockHash> {
    chainstate.locator(&chainstate.best_header().hash).expect("the best header is known")
}
