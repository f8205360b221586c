//! Which blocks to ask of whom.
//!
//! The blocks that are wanted stand in a window in the order of the chain. Whoever is free is asked for the lowest that nobody was
//! asked for, and for as many as it is likely to send in a second; the fastest choose first. So the front of the window, which
//! everything behind it waits for, is with fast peers.
//!
//! When the front does not come in time, whoever was asked for it stalls: until it sends something, others are asked for all that it
//! was asked for, and it for nothing more. A slow peer thus loses its share and not its connection, where Core disconnects it
//! (`BLOCK_STALLING_TIMEOUT_DEFAULT`, `net_processing.cpp`); one that never sends what it was asked for is given up when its time
//! is over.
//!
//! No sockets, no clock: what happened comes in with its time, what to do goes out.

mod source;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::BlockReference;
use cairn_net::PeerId;
use cairn_net::protocol::{MAX_BLOCKS_RESPONSE_BYTES, MAX_BLOCKS_TO_REQUEST};

pub(super) use source::Offer;
use source::Source;
use window::{Slot, Window};

/// Blocks of the window (Core: `BLOCK_DOWNLOAD_WINDOW`, `net_processing.cpp`).
pub(super) const MAX_WINDOW: usize = 1024;
/// Bytes of blocks that came before their turn, and that are on their way.
const MAX_BYTES: usize = 64 << 20;
/// Questions open with a peer: one is answered while the other is on its way.
const MAX_REQUESTS: usize = 2;
/// How long the front of the window may take before another peer is asked for it, too: at first, and at most when that happens
/// again and again (Core: `BLOCK_STALLING_TIMEOUT_DEFAULT`, `BLOCK_STALLING_TIMEOUT_MAX`, `net_processing.cpp`).
const STALL_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_STALL_TIMEOUT: Duration = Duration::from_secs(64);
/// What a block that comes makes of that time (Core: in `ProcessMessage`, `net_processing.cpp`).
const STALL_DECAY: f64 = 0.85;
/// A peer is late when it takes so many times as long as it did before.
const LATENESS: f64 = 4.0;
/// Peers that are asked for one block at the same time.
const MAX_ASKED: usize = 3;
/// Bytes of a block, until some came.
const FIRST_BLOCK_SIZE: f64 = 250_000.0;
/// How much the newest block counts for the size of the next.
const BLOCK_SIZE_WEIGHT: f64 = 0.05;
/// How long a peer is not asked that said it has no time, at most.
const MAX_BUSY: Duration = Duration::from_secs(10);
/// How long a peer is not asked that failed to answer.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// A question to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RequestId(u64);

/// Something to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// The question; one of [`Download::answered`] and [`Download::failed`] is to end it.
    pub(super) request: RequestId,
    /// Whom.
    pub(super) peer: PeerId,
    /// For what, the lowest first.
    pub(super) hashes: Vec<BlockHash>,
}

/// A block that came.
#[derive(Debug)]
pub(super) struct Arrival<B> {
    /// Which.
    pub(super) block: BlockReference,
    /// It.
    pub(super) body: B,
    /// Who sent it.
    pub(super) from: PeerId,
}

/// What a peer answered about one block.
#[derive(Debug)]
pub(super) enum Found<B> {
    /// The block, and its size in bytes.
    Body(B, usize),
    /// It does not have it.
    Lacking,
    /// It is not the block, or there is no such answer: it is as if it had not been asked for.
    Nothing,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The peer has no time, and says for how long.
    Busy(Duration),
    /// Anything else.
    Unanswered,
}

/// An open question.
#[derive(Debug)]
struct Request {
    peer: PeerId,
    hashes: Vec<BlockHash>,
    asked: Instant,
    /// Bytes that are likely to come.
    bytes: usize,
}

/// The blocks that are wanted, and how it stands with each. `B` is a body.
#[derive(Debug)]
pub(super) struct Download<B> {
    window: Window<B>,
    sources: BTreeMap<PeerId, Source>,
    requests: HashMap<RequestId, Request>,
    last_request: u64,
    stall_timeout: Duration,
    /// Peers that stalled since somebody asked.
    stalls: u64,
    /// Bytes of a block, on average.
    block_size: f64,
}

impl<B> Download<B> {
    pub(super) fn new() -> Self {
        Self {
            window: Window::new(),
            sources: BTreeMap::new(),
            requests: HashMap::new(),
            last_request: 0,
            stall_timeout: STALL_TIMEOUT,
            stalls: 0,
            block_size: FIRST_BLOCK_SIZE,
        }
    }

    /// What a peer says that it has; whether that is news.
    pub(super) fn peer_offers(&mut self, peer: PeerId, offer: Offer) -> bool {
        self.sources.entry(peer).or_default().offers(offer)
    }

    /// A peer announced a header of this height, and has its block or fetches it; whether that is news.
    pub(super) fn peer_announces(&mut self, peer: PeerId, height: u32) -> bool {
        self.sources.entry(peer).or_default().announces(height)
    }

    /// A peer has gone, or is not asked any more.
    pub(super) fn remove_peer(&mut self, peer: &PeerId) {
        self.sources.remove(peer);
        let of_peer = |request: &&RequestId| self.requests[request].peer == *peer;
        let open: Vec<_> = self.requests.keys().filter(of_peer).copied().collect();
        for request in open {
            self.close(request);
        }
    }

    /// Blocks that a peer sent and whose turn has not come are wanted again: they are likely to be bad.
    pub(super) fn forget_blocks_of(&mut self, peer: &PeerId) {
        self.window.forget_blocks_of(peer);
    }

    /// The blocks that are wanted from now on are these, which follow one another. What is known of those among them that were
    /// wanted before stays.
    pub(super) fn retarget(&mut self, blocks: impl IntoIterator<Item = BlockReference>) {
        self.window.retarget(blocks);
    }

    /// The lowest block that has not come.
    pub(super) fn front(&self) -> Option<BlockReference> {
        self.window.front_missing().map(|front| front.block)
    }

    /// Whether nothing is wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// Blocks that the window has room for.
    pub(super) fn room(&self) -> usize {
        MAX_WINDOW.saturating_sub(self.window.len())
    }

    /// Takes the lowest blocks that came, in order, up to so many bytes but at least one if there is one.
    pub(super) fn take_ready(&mut self, max_blocks: usize, max_bytes: usize) -> Vec<Arrival<B>> {
        self.window.take_ready(max_blocks, max_bytes)
    }

    /// Whether the lowest block is nowhere to be had: every peer that might have it says that it does not, and has said so for a
    /// while.
    pub(super) fn is_withheld(&self, now: Instant) -> bool {
        let Some(front) = self.window.front_missing() else { return false };
        front.asked.is_empty()
            && !self.sources.is_empty()
            && self.sources.values().all(|source| !source.may_get(&front.block, now))
    }

    /// How often a peer held up the window since this was asked last.
    pub(super) fn take_stalls(&mut self) -> u64 {
        std::mem::take(&mut self.stalls)
    }

    /// What to ask now.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        self.find_stalls(now);
        // The fastest first.
        let mut order: Vec<_> = self.sources.iter().map(|(peer, source)| (source.speed(), *peer)).collect();
        order.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        for round in 1..=MAX_REQUESTS {
            for (_, peer) in &order {
                if self.sources[peer].is_free(now, round) {
                    asks.extend(self.ask_peer(now, *peer));
                }
            }
        }
        asks
    }

    /// When [`ask`](Self::ask) may have something to do though nothing happened.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let front = self.window.front_missing()?;
        let live = front.asked.iter().filter_map(|request| self.requests.get(request));
        let live = live.filter(|request| !self.is_stalled(&request.peer));
        let all_wait = self.all_wait();
        let late = live.map(|request| self.late_at(request, all_wait)).max();
        let pauses = self.sources.values().filter_map(|source| source.pause_ends(&front.block, now));
        late.filter(|late| *late > now).into_iter().chain(pauses).min()
    }

    /// A peer answered: for each block that it was asked for, in that order, what it said. Blocks that are missing at the end were
    /// not looked for.
    pub(super) fn answered(&mut self, now: Instant, request: RequestId, found: Vec<Found<B>>) {
        let Some(Request { peer, hashes, asked, .. }) = self.close(request) else { return };
        let mut bytes = 0;
        for (hash, found) in hashes.iter().zip(found) {
            match found {
                Found::Body(body, size) => {
                    bytes += size;
                    #[allow(clippy::cast_precision_loss, reason = "a block has a few million bytes")]
                    let difference = size as f64 - self.block_size;
                    self.block_size += difference * BLOCK_SIZE_WEIGHT;
                    if self.window.came(hash, body, size, peer) {
                        self.stall_timeout = self.stall_timeout.mul_f64(STALL_DECAY).max(STALL_TIMEOUT);
                    }
                }
                Found::Lacking => {
                    if let Some(source) = self.sources.get_mut(&peer) {
                        source.lacks(now, *hash);
                    }
                }
                Found::Nothing => {}
            }
        }
        if let Some(source) = self.sources.get_mut(&peer) {
            source.sent(now, asked, bytes);
        }
    }

    /// A peer did not answer.
    pub(super) fn failed(&mut self, now: Instant, request: RequestId, failure: Failure) {
        let Some(Request { peer, .. }) = self.close(request) else { return };
        if let Some(source) = self.sources.get_mut(&peer) {
            match failure {
                Failure::Busy(wait) => source.is_busy(now + wait.min(MAX_BUSY)),
                Failure::Unanswered => {
                    // Perhaps it was asked for more than it can send in time.
                    source.fails(now + FAILURE_PAUSE);
                }
            }
        }
    }

    /// Ends a question. What it was about and has not come is wanted again.
    fn close(&mut self, request: RequestId) -> Option<Request> {
        let closed = self.requests.remove(&request)?;
        if let Some(source) = self.sources.get_mut(&closed.peer) {
            source.open_requests -= 1;
        }
        for hash in &closed.hashes {
            self.window.no_longer_asked(hash, request);
        }
        Some(closed)
    }

    /// When an open question is late: usually when it takes much longer than others of the peer did; while everybody waits for it,
    /// however slow the peer is.
    fn late_at(&self, request: &Request, all_wait: bool) -> Instant {
        let speed = self.sources.get(&request.peer).map_or(f64::INFINITY, Source::speed);
        #[allow(clippy::cast_precision_loss, reason = "an answer has a few million bytes")]
        let usual = request.bytes as f64 / speed * LATENESS;
        let usual = Duration::try_from_secs_f64(usual).unwrap_or(MAX_STALL_TIMEOUT).min(MAX_STALL_TIMEOUT);
        request.asked + if all_wait { self.stall_timeout } else { usual.max(self.stall_timeout) }
    }

    /// Whether other blocks came that cannot be used, and no more can be asked for, before the front of the window has come.
    fn all_wait(&self) -> bool {
        let is_idle = self.window.missing().all(|slot| !slot.asked.is_empty()) || self.room_for() == 0;
        is_idle && self.window.bytes() > 0
    }

    /// Blocks that there is memory for.
    fn room_for(&self) -> usize {
        let expected: usize = self.requests.values().map(|request| request.bytes).sum();
        let left = MAX_BYTES.saturating_sub(self.window.bytes() + expected);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size is positive and small")]
        let fit = left / (self.block_size as usize).max(1);
        fit
    }

    /// Finds peers that should have sent the front of the window by now.
    fn find_stalls(&mut self, now: Instant) {
        let Some(front) = self.window.front_missing() else { return };
        let asked: Vec<_> = front.asked.iter().filter_map(|request| self.requests.get(request)).collect();
        let all_wait = self.all_wait();
        let is_late = |request: &&Request| now >= self.late_at(request, all_wait) || self.is_stalled(&request.peer);
        if asked.is_empty() || !asked.iter().all(is_late) {
            return;
        }
        let late: Vec<PeerId> = asked.iter().map(|request| request.peer).collect();
        let mut is_news = false;
        for peer in late {
            if self.sources.get_mut(&peer).is_some_and(Source::stalls) {
                self.stalls += 1;
                is_news = true;
            }
        }
        if is_news {
            self.stall_timeout = (self.stall_timeout * 2).min(MAX_STALL_TIMEOUT);
        }
    }

    fn is_stalled(&self, peer: &PeerId) -> bool {
        self.sources.get(peer).is_some_and(Source::is_stalled)
    }

    /// Whether a peer may be asked for a block: nobody was, or only peers that stall.
    fn is_to_be_asked(&self, slot: &Slot<B>, peer: &PeerId) -> bool {
        let asked = || slot.asked.iter().filter_map(|request| self.requests.get(request));
        slot.asked.len() < MAX_ASKED && asked().all(|request| request.peer != *peer && self.is_stalled(&request.peer))
    }

    /// Asks a peer that is free for the lowest blocks that nobody was asked for.
    fn ask_peer(&mut self, now: Instant, peer: PeerId) -> Option<Ask> {
        let source = &self.sources[&peer];
        let mut count = self.count_for(&peer);
        // Memory is for what is at the front first.
        let fit = self.room_for();
        let is_wanted = |slot: &&Slot<B>| source.may_have(&slot.block, now) && self.is_to_be_asked(slot, &peer);
        let hashes: Vec<_> = if fit == 0 {
            self.window.missing().take(1).filter(is_wanted).map(|slot| slot.block.hash).collect()
        } else {
            count = count.min(fit);
            self.window.missing().filter(is_wanted).take(count).map(|slot| slot.block.hash).collect()
        };
        if hashes.is_empty() { None } else { Some(self.open(now, peer, hashes)) }
    }

    /// How many blocks a peer is likely to send in a second.
    fn count_for(&self, peer: &PeerId) -> usize {
        #[allow(clippy::cast_precision_loss, reason = "a few million bytes")]
        let bytes = self.sources.get(peer).map_or(0.0, Source::speed).min(MAX_BLOCKS_RESPONSE_BYTES as f64);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive and small")]
        let count = (bytes / self.block_size) as usize;
        count.clamp(1, MAX_BLOCKS_TO_REQUEST)
    }

    fn open(&mut self, now: Instant, peer: PeerId, hashes: Vec<BlockHash>) -> Ask {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        for hash in &hashes {
            self.window.asked(hash, request);
        }
        if let Some(source) = self.sources.get_mut(&peer) {
            source.open_requests += 1;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size is positive and small")]
        let bytes = (self.block_size as usize * hashes.len()).min(MAX_BLOCKS_RESPONSE_BYTES);
        self.requests.insert(request, Request { peer, hashes: hashes.clone(), asked: now, bytes });
        Ask { request, peer, hashes }
    }
}

#[cfg(test)]
mod tests;
