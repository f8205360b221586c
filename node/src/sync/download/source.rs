//! What one peer has, and how fast it sends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::BlockReference;

/// Bytes a second, until a peer has sent something.
const FIRST_SPEED: f64 = 1_000_000.0;
/// The slowest that a peer is believed to be, so that it is asked again: bytes a second.
const MIN_SPEED: f64 = 1_000.0;
/// How much the newest answer counts for the speed.
const SPEED_WEIGHT: f64 = 0.3;
/// Blocks that are known not to be had from a peer. Beyond that they are forgotten, and asked for again.
const MAX_LACKING: usize = 1024;
/// How long a peer is not asked for a block that it does not have: at first, since whoever forwards a header may be fetching the
/// block itself, and at most when that happens again and again.
const LACK_PAUSE: Duration = Duration::from_millis(200);
const MAX_LACK_PAUSE: Duration = Duration::from_secs(10);
/// From this pause on a peer is not expected to get the block: it was asked for it again and again over three seconds.
const LASTING_LACK_PAUSE: Duration = Duration::from_millis(3200);

/// The blocks that a peer has; at first, as far as is known, the genesis block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sync) struct Offer {
    /// The lowest height from which on it has every body.
    pub(in crate::sync) first: u32,
    /// The height of its tip.
    pub(in crate::sync) last: u32,
}

/// A peer that blocks may be asked of.
#[derive(Debug)]
pub(super) struct Source {
    /// What it says that it has.
    offer: Offer,
    /// The height of the highest header that it announced, whose block it has or fetches. What it says may be older.
    announced: u32,
    pub(super) open_requests: usize,
    /// Bytes a second.
    speed: f64,
    last_sent: Option<Instant>,
    /// Others wait for what it was asked for and does not send.
    is_stalled: bool,
    /// Not asked before.
    paused_until: Option<Instant>,
    /// Blocks that it does not have.
    lacking: HashMap<BlockHash, Lack>,
}

/// A block that a peer does not have.
#[derive(Debug, Clone, Copy)]
struct Lack {
    /// When it may be asked for it again; now if absent.
    until: Option<Instant>,
    /// How long that is from when it said so.
    pause: Duration,
}

impl Lack {
    fn lasts(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

/// One of which nothing is known yet.
impl Default for Source {
    fn default() -> Self {
        Self {
            offer: Offer::default(),
            announced: 0,
            open_requests: 0,
            speed: FIRST_SPEED,
            last_sent: None,
            is_stalled: false,
            paused_until: None,
            lacking: HashMap::new(),
        }
    }
}

impl Source {
    /// What it says that it has now; whether that is news. Then it may have what it lacked, too, and is asked once more; if it lacks
    /// that still, the pause goes on to grow.
    pub(super) fn offers(&mut self, offer: Offer) -> bool {
        let is_news = offer != self.offer;
        if is_news {
            self.offer = offer;
            self.ask_again();
        }
        is_news
    }

    /// It announced a header of this height; whether that is news.
    pub(super) fn announces(&mut self, height: u32) -> bool {
        let is_news = height > self.last();
        if is_news {
            self.announced = height;
            self.ask_again();
        }
        is_news
    }

    fn ask_again(&mut self) {
        self.lacking.values_mut().for_each(|lack| lack.until = None);
    }

    /// The height up to which it has blocks, or will soon.
    fn last(&self) -> u32 {
        self.offer.last.max(self.announced)
    }

    /// Bytes a second.
    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    /// Whether it may be asked, with this the question of that number.
    pub(super) fn is_free(&self, now: Instant, number: usize) -> bool {
        self.open_requests < number && !self.is_stalled && self.paused_until.is_none_or(|until| until <= now)
    }

    pub(super) fn may_have(&self, block: &BlockReference, now: Instant) -> bool {
        self.offers_height(block.height) && self.lacking.get(&block.hash).is_none_or(|lack| !lack.lasts(now))
    }

    /// Whether it may be asked for a block now or soon.
    pub(super) fn may_get(&self, block: &BlockReference, now: Instant) -> bool {
        let is_lasting = |lack: &Lack| lack.lasts(now) && lack.pause >= LASTING_LACK_PAUSE;
        self.offers_height(block.height) && !self.lacking.get(&block.hash).is_some_and(is_lasting)
    }

    fn offers_height(&self, height: u32) -> bool {
        (self.offer.first..=self.last()).contains(&height)
    }

    /// When it may be asked for a block again, if it may not be now.
    pub(super) fn pause_ends(&self, block: &BlockReference, now: Instant) -> Option<Instant> {
        let ends =
            self.paused_until.into_iter().chain(self.lacking.get(&block.hash).and_then(|lack| lack.until)).max()?;
        (ends > now).then_some(ends)
    }

    fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |paused| paused.max(until)));
    }

    /// It does not have a block that it was asked for.
    pub(super) fn lacks(&mut self, now: Instant, block: BlockHash) {
        let pause = self.lacking.get(&block).map_or(LACK_PAUSE, |lack| (lack.pause * 2).min(MAX_LACK_PAUSE));
        if self.lacking.len() >= MAX_LACKING {
            self.lacking.clear();
        }
        self.lacking.insert(block, Lack { until: Some(now + pause), pause });
    }

    /// It sent so many bytes, for a question of that time.
    pub(super) fn sent(&mut self, now: Instant, asked: Instant, bytes: usize) {
        // While it answered the question before, this one waited.
        let began = self.last_sent.map_or(asked, |last| last.max(asked));
        self.last_sent = Some(now);
        self.is_stalled = false;
        if bytes == 0 {
            return;
        }
        let time = now.saturating_duration_since(began).max(Duration::from_millis(1)).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "an answer has a few million bytes")]
        let speed = bytes as f64 / time;
        self.speed = (self.speed + (speed - self.speed) * SPEED_WEIGHT).max(MIN_SPEED);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// It did not send in time what others wait for; whether that is news.
    pub(super) fn stalls(&mut self) -> bool {
        let is_news = !self.is_stalled;
        if is_news {
            self.is_stalled = true;
            self.slow_down();
        }
        is_news
    }

    /// It says that it has no time before some time.
    pub(super) fn is_busy(&mut self, until: Instant) {
        self.is_stalled = false;
        self.pause(until);
    }

    /// It did not answer, and is not asked again before some time.
    pub(super) fn fails(&mut self, until: Instant) {
        self.is_stalled = false;
        self.slow_down();
        self.pause(until);
    }

    fn slow_down(&mut self) {
        self.speed = (self.speed / 2.0).max(MIN_SPEED);
    }
}
