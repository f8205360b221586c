//! Headers from a peer whose chain may be worth nothing, without memory for chains that are (Core: `headerssync.h`).
//!
//! A header costs 80 bytes for ever once it is in the index, and where blocks were easy it costs nearly nothing to make. How
//! much work a peer's chain has is known only at its end. So a chain that may have too little is fetched twice:
//!
//! ```text
//! presync     the work of the headers is added up; of each one in a period, a secret bit of its hash is remembered
//!    │  the work suffices: from the start again
//!    ▼
//! redownload  the bits are compared; a header leaves the buffer, to be accepted, when enough headers are on top of it
//!    │  the work suffices again: what is in the buffer leaves it
//!    ▼
//! final       nothing is kept
//! ```
//!
//! A peer that shows a good chain first and another one later would have to guess a bit for each period. Difficulty is checked
//! in both passes, so that no chain gets its work cheaper than the rules allow: as far as two neighbours tell under Bitcoin's
//! rule, exactly under ASERT.
//!
//! # Memory
//!
//! While a chain of `n` headers is fetched, [`HeadersSyncState`] takes at most
//!
//! ```text
//! n / commitment_period / 8                         bytes for the bits, in steps of 4096
//! 48 * (redownload_buffer_size + message length)    bytes for the buffer, in the second pass
//! 2048                                              bytes for all else
//! ```
//!
//! and `n` is bounded too: six headers a second since the start under Bitcoin's rule, the schedule's number under ASERT (see
//! `longest_chain`). For `main` in 2028 that is 0.7 MB in the first pass; in the second, for a chain as long as the honest one,
//! 0.8 MB. For `cairn` after twenty years it is 45 kB and 140 kB.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `received_chain` | the end of a chain nobody keeps, and the checks of the next header | `ValidateAndProcessSingleHeader` |
//! | `commitments` | the secret bits | `m_header_commitments` |
//! | `redownload` | the second pass | `ValidateAndStoreRedownloadedHeader` |
//! | `longest_chain` | how many headers there can be | `m_max_commitments` |
//! | `error` | what a peer may do wrong | |

mod commitments;
mod error;
mod longest_chain;
mod received_chain;
mod redownload;

use bitcoin::BlockHash;
use bitcoin::block::Header;

use crate::header_chain::HeaderChain;
use crate::params::ChainParams;
use crate::pow::{PowParams, Work};
use commitments::Commitments;
use longest_chain::longest_chain;
use received_chain::ReceivedChain;
use redownload::Redownload;

pub use error::HeadersSyncError;

/// The headers of one peer, fetched twice (Core: `HeadersSyncState`, `headerssync.h`).
///
/// For a message of headers that is as long as messages may be and does not end a chain of enough work
/// ([`Chainstate::anti_dos_work_threshold`](crate::chainstate::Chainstate::anti_dos_work_threshold)): such a message is the
/// first one to be given to [`process_next_headers`](Self::process_next_headers). It knows neither sockets nor clocks.
#[derive(Debug)]
pub struct HeadersSyncState {
    pow: PowParams,
    redownload_buffer_size: usize,
    minimum_required_work: Work,
    max_commitments: u64,
    /// Up to here both sides have the chain.
    chain_start: ReceivedChain,
    chain_start_locator: Vec<BlockHash>,
    /// The end of the chain in the first pass.
    presync: ReceivedChain,
    pass: Pass,
}

/// Which pass it is, and what it remembers.
#[derive(Debug)]
enum Pass {
    Presync(Commitments),
    Redownload(Redownload),
    Final,
}

/// How far a chain was fetched (Core: `HeadersSyncState::State`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadersSyncPhase {
    /// The work of the headers is added up, and nothing is let out.
    Presync,
    /// The work suffices; the headers come a second time.
    Redownload,
    /// It is over.
    Final,
}

/// What came of a message of headers (Core: `HeadersSyncState::ProcessingResult`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingResult {
    /// Headers of a chain with enough work, in order, ready for
    /// [`Chainstate::accept_headers`](crate::chainstate::Chainstate::accept_headers) with `work_checked`. Their proof of work
    /// was checked, but not every rule.
    pub pow_validated_headers: Vec<Header>,
    /// What is to be done next.
    pub next: NextStep,
}

/// What is to be done after a message of headers. After everything but [`RequestMore`](Self::RequestMore) the state is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Ask the peer for the headers after [`next_headers_request_locator`](HeadersSyncState::next_headers_request_locator).
    RequestMore,
    /// All headers up to enough work were let out. If the message was full there may be more, which are fetched as usual.
    Complete,
    /// The peer's chain ended and has too little work. That is no fault: it may be all the peer has.
    TooLittleWork,
    /// The peer sent fewer headers the second time, perhaps because it is on another chain by now.
    Incomplete,
}

impl HeadersSyncState {
    /// Begins to fetch what follows `chain_start`, the chain up to the last block that the peer and we are known to share, as
    /// long as it has `chain_start_work`. Headers are let out when their chain has `minimum_required_work`, counted from
    /// genesis. `now` is in seconds since 1970.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn new(
        params: &ChainParams,
        chain_start: &(impl HeaderChain + ?Sized),
        chain_start_work: Work,
        minimum_required_work: Work,
        now: u64,
    ) -> Self {
        let commitments = Commitments::random(params.headers_sync.commitment_period);
        Self::with_commitments(params, chain_start, chain_start_work, minimum_required_work, now, commitments)
    }

    fn with_commitments(
        params: &ChainParams,
        chain_start: &(impl HeaderChain + ?Sized),
        chain_start_work: Work,
        minimum_required_work: Work,
        now: u64,
        commitments: Commitments,
    ) -> Self {
        let pow = params.consensus.pow.clone();
        let start = ReceivedChain::new(chain_start, chain_start_work, &pow);
        let longest = longest_chain(&start, chain_start.median_time_past(), &pow, now);
        Self {
            redownload_buffer_size: params.headers_sync.redownload_buffer_size,
            minimum_required_work,
            max_commitments: longest / u64::from(commitments.period()),
            chain_start: start,
            chain_start_locator: chain_start.locator(),
            presync: start,
            pass: Pass::Presync(commitments),
            pow,
        }
    }

    /// How far the chain was fetched.
    #[must_use]
    pub fn phase(&self) -> HeadersSyncPhase {
        match self.pass {
            Pass::Presync(_) => HeadersSyncPhase::Presync,
            Pass::Redownload(_) => HeadersSyncPhase::Redownload,
            Pass::Final => HeadersSyncPhase::Final,
        }
    }

    /// Height of the last header of the first pass (Core: `GetPresyncHeight`).
    #[must_use]
    pub fn presync_height(&self) -> u32 {
        self.presync.height()
    }

    /// Timestamp of the last header of the first pass, in seconds since 1970 (Core: `GetPresyncTime`).
    #[must_use]
    pub fn presync_time(&self) -> u32 {
        self.presync.time()
    }

    /// Work of the chain up to the last header of the first pass, in expected hashes (Core: `GetPresyncWork`).
    #[must_use]
    pub fn presync_work(&self) -> Work {
        self.presync.work()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn memory(&self) -> usize {
        let pass = match &self.pass {
            Pass::Presync(commitments) => commitments.memory(),
            Pass::Redownload(redownload) => redownload.memory(),
            Pass::Final => 0,
        };
        pass + self.chain_start_locator.capacity() * size_of::<BlockHash>()
    }

    /// Takes the headers the peer sent for the last request (Core: `ProcessNextHeaders`).
    ///
    /// `is_full` says that the message is as long as messages may be, so that more may follow. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// What the peer did wrong. The state is final then, and no header of the message is let out.
    pub fn process_next_headers(
        &mut self,
        headers: &[Header],
        is_full: bool,
        now: u64,
    ) -> Result<ProcessingResult, HeadersSyncError> {
        // Nothing follows a message without headers, whatever its sender says.
        let is_full = is_full && !headers.is_empty();
        match std::mem::replace(&mut self.pass, Pass::Final) {
            Pass::Presync(commitments) => self.presync(commitments, headers, is_full, now),
            Pass::Redownload(redownload) => self.redownload(redownload, headers, is_full, now),
            Pass::Final => Err(HeadersSyncError::Finished),
        }
    }

    /// The first pass (Core: `ValidateAndStoreHeadersCommitments`).
    fn presync(
        &mut self,
        mut commitments: Commitments,
        headers: &[Header],
        is_full: bool,
        now: u64,
    ) -> Result<ProcessingResult, HeadersSyncError> {
        self.presync.check_connection(headers)?;
        for header in headers {
            let hash = self.presync.extend(header, &self.pow, now)?;
            let height = self.presync.height();
            commitments.add(height, &hash);
            if commitments.count() > self.max_commitments {
                // The chain may have grown since the start: a sync that starts anew allows for that.
                return Err(HeadersSyncError::TooManyCommitments { height, maximum: self.max_commitments });
            }
        }
        let next = if self.presync.work() >= self.minimum_required_work {
            self.pass = Pass::Redownload(Redownload::new(self.chain_start, commitments));
            NextStep::RequestMore
        } else if is_full {
            self.pass = Pass::Presync(commitments);
            NextStep::RequestMore
        } else {
            NextStep::TooLittleWork
        };
        Ok(ProcessingResult { pow_validated_headers: Vec::new(), next })
    }

    /// The second pass.
    fn redownload(
        &mut self,
        mut redownload: Redownload,
        headers: &[Header],
        is_full: bool,
        now: u64,
    ) -> Result<ProcessingResult, HeadersSyncError> {
        redownload.store(headers, &self.pow, self.minimum_required_work, now)?;
        let pow_validated_headers = redownload.pop_headers_ready_for_acceptance(self.redownload_buffer_size);
        let next = if redownload.is_complete() {
            NextStep::Complete
        } else if is_full {
            self.pass = Pass::Redownload(redownload);
            NextStep::RequestMore
        } else {
            NextStep::Incomplete
        };
        Ok(ProcessingResult { pow_validated_headers, next })
    }

    /// Hashes to ask the peer for more headers by, the last one that is known first (Core: `NextHeadersRequestLocator`). None when
    /// it is over.
    #[must_use]
    pub fn next_headers_request_locator(&self) -> Vec<BlockHash> {
        let last = match &self.pass {
            Pass::Presync(_) => self.presync.hash(),
            Pass::Redownload(redownload) => redownload.last_hash(),
            Pass::Final => return Vec::new(),
        };
        std::iter::once(last).chain(self.chain_start_locator.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests;
