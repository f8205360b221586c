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
use crate::tasks::blocking;

/// Where the next question to a peer goes on.
#[derive(Debug)]
pub(super) enum Continuation {
    /// After a header of the peer that we know now. Our best chain may be another, and would lead to the same headers again.
    After(BlockHash),
    /// In a chain of which it is not known yet whether it is worth the memory.
    Presync(Box<HeadersSyncState>),
}

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
    /// Where the next question goes on, if the peer has more.
    pub(super) continuation: Option<Continuation>,
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

/// Asks a peer for headers once, and gives them to the chain. It goes on where the last answer of the peer left off.
pub(super) async fn ask(
    network: NetworkHandle,
    chain: ChainHandle,
    peer: PeerId,
    continuation: Option<Continuation>,
) -> HeadersAnswer {
    let request = match locator_for(&chain, continuation.as_ref()).await {
        Ok(locator) => HeadersRequest { locator, stop: BlockHash::all_zeros() },
        Err(stopped) => return failed(peer, None, stopped.into()),
    };
    let headers = match network.request_headers(peer, request).await {
        Ok(headers) => headers,
        // Nothing of what came before is lost.
        Err(error) => return failed(peer, continuation, error.into()),
    };
    match take_answer(&chain, headers, continuation).await {
        Ok(taken) => {
            let answered = if taken.continuation.is_some() { Answered::More } else { Answered::All };
            HeadersAnswer { peer, answered, taken, failure: None }
        }
        Err(failure) => failed(peer, None, failure),
    }
}

fn failed(peer: PeerId, continuation: Option<Continuation>, failure: HeadersFailure) -> HeadersAnswer {
    // Those before the one that breaks a rule are kept.
    let is_news = matches!(failure, HeadersFailure::Header(_));
    let answered = match &failure {
        HeadersFailure::Request(RequestError::Busy { wait }) => Answered::Busy(*wait),
        _ => Answered::Failed,
    };
    HeadersAnswer { peer, answered, taken: Taken { is_news, height: None, continuation }, failure: Some(failure) }
}

async fn locator_for(chain: &ChainHandle, continuation: Option<&Continuation>) -> Result<Vec<BlockHash>, ChainStopped> {
    let after = match continuation {
        Some(Continuation::Presync(presync)) => return Ok(presync.next_headers_request_locator()),
        Some(Continuation::After(hash)) => Some(*hash),
        None => None,
    };
    chain
        .call(move |chain| {
            let chainstate = &chain.chainstate;
            let from_there = after.and_then(|hash| chainstate.locator(&hash));
            from_there.unwrap_or_else(|| {
                chainstate.locator(&chainstate.best_header().hash).expect("the best header is known")
            })
        })
        .await
}

async fn take_answer(
    chain: &ChainHandle,
    headers: Vec<Header>,
    continuation: Option<Continuation>,
) -> Result<Taken, HeadersFailure> {
    if headers.windows(2).any(|pair| pair[1].prev_blockhash != pair[0].block_hash()) {
        return Err(HeadersFailure::NotContinuous);
    }
    let is_full = headers.len() == MAX_HEADERS_RESULTS;
    let Some(Continuation::Presync(presync)) = continuation else {
        return chain.call(move |chain| take(&mut chain.chainstate, &headers, is_full)).await?;
    };
    let now = chain.call(|chain| chain.chainstate.adjusted_time()).await?;
    let (headers, presync) = process_next_headers(presync, headers, is_full, now).await?;
    let taken = chain.call(move |chain| accept(&mut chain.chainstate, &headers, is_full)).await??;
    let continuation = presync.map(Continuation::Presync).or(taken.continuation);
    Ok(Taken { continuation, ..taken })
}

/// Goes on with headers that are not kept yet: those that are worth it now, and what the next answer belongs to.
async fn process_next_headers(
    mut presync: Box<HeadersSyncState>,
    headers: Vec<Header>,
    is_full: bool,
    now: u64,
) -> Result<(Vec<Header>, Option<Box<HeadersSyncState>>), HeadersSyncError> {
    // Two thousand hashes are in the way of others here.
    blocking(move || {
        let result = presync.process_next_headers(&headers, is_full, now)?;
        let goes_on = result.next == NextStep::RequestMore;
        Ok((result.pow_validated_headers, goes_on.then_some(presync)))
    })
    .await
}

/// Takes headers if they are known or worth the memory; otherwise, if there are more of them, begins to look whether they are.
fn take(chainstate: &mut Chainstate, headers: &[Header], is_full: bool) -> Result<Taken, HeadersFailure> {
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return Ok(Taken::default()) };
    let Some(parent) = chainstate.lookup(&first.prev_blockhash) else { return Ok(Taken::default()) };
    let work: Work = headers.iter().map(|header| Work::from_compact(header.bits)).sum();
    let is_known = chainstate.lookup(&last.block_hash()).is_some();
    if is_known || parent.work + work >= chainstate.anti_dos_work_threshold() {
        return accept(chainstate, headers, is_full);
    }
    let presync = if is_full { chainstate.headers_sync(&first.prev_blockhash) } else { None };
    let Some(mut presync) = presync else { return Ok(Taken::default()) };
    let result = presync.process_next_headers(headers, is_full, chainstate.adjusted_time())?;
    let goes_on = result.next == NextStep::RequestMore;
    let continuation = goes_on.then(|| Continuation::Presync(Box::new(presync)));
    Ok(Taken { continuation, ..Taken::default() })
}

/// Keeps headers. Behind as many as fit into an answer there may be more.
fn accept(chainstate: &mut Chainstate, headers: &[Header], is_full: bool) -> Result<Taken, HeadersFailure> {
    let Some(last) = headers.last().map(Header::block_hash) else { return Ok(Taken::default()) };
    let is_news = chainstate.lookup(&last).is_none();
    chainstate.accept_headers(headers, true)??;
    let height = chainstate.lookup(&last).map(|block| block.height);
    Ok(Taken { is_news, height, continuation: is_full.then_some(Continuation::After(last)) })
}
