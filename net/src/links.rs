//! What a link does to the bytes that are sent over it, for networks on one's own machine that are to behave like the world's.
//!
//! Only a network that was started with [`link_control`](crate::NetworkConfig::link_control) has such links. Conditions are by
//! peer, and hold for what *we* send: for a link that is slow both ways, both ends are told.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::Duration;

use libp2p::PeerId;
use thiserror::Error;

/// The longest latency, and the most jitter. A connection takes four of them to begin, and has ten seconds for that.
const MAX_LATENCY: Duration = Duration::from_secs(2);
/// The largest share of segments that may be lost.
const MAX_LOSS: f64 = 0.9;
/// The narrowest link, in bytes per second: a segment takes more than a second on it.
pub const MIN_BANDWIDTH: u64 = 1_000;
/// The most connections that may break in a minute.
const MAX_RESET_RATE: f64 = 600.0;

/// Peers whose links may differ from the others'.
pub(crate) const MAX_LINKS: usize = 1_000;

/// What a link does to the bytes that we send over it. By default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkConditions {
    /// There is no link: connections break at once, and new ones fail once it is known who is at the other end.
    pub is_cut: bool,
    /// How long a byte takes to the other end, one way.
    pub latency: Duration,
    /// By how much the latency of each segment is longer or shorter, at most. Order is kept, as TCP keeps it.
    pub jitter: Duration,
    /// The share of segments that are lost, from 0 to 0.9. TCP sends them again, so whoever reads sees only that they, and
    /// all that is behind them, come later.
    pub loss: f64,
    /// Bytes per second that fit through; no limit if nothing.
    pub bandwidth: Option<NonZeroU64>,
    /// Connections that break, per minute of their lives on average. When both ends are told, it is the sum of both rates.
    pub reset_rate: f64,
}

/// What is wrong with conditions of a link.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum InvalidLinkConditions {
    /// No connection would ever begin.
    #[error("latency and jitter of {} and {} ms, expected at most {} ms each", latency.as_millis(), jitter.as_millis(), MAX_LATENCY.as_millis())]
    Latency {
        /// The latency.
        latency: Duration,
        /// The jitter.
        jitter: Duration,
    },
    /// It is no share, or leaves nothing.
    #[error("loss of {got}, expected a share from 0 to {MAX_LOSS}; a link that loses everything is a cut one")]
    Loss {
        /// The share.
        got: f64,
    },
    /// A segment would take longer than anybody waits.
    #[error("bandwidth of {got} bytes per second, expected at least {MIN_BANDWIDTH}")]
    Bandwidth {
        /// Bytes per second.
        got: u64,
    },
    /// It is no rate, or too fast.
    #[error("reset rate of {got} per minute, expected 0 to {MAX_RESET_RATE}")]
    ResetRate {
        /// Breaks per minute.
        got: f64,
    },
}

impl LinkConditions {
    /// Checks that bytes get through at all, unless the link is cut.
    ///
    /// # Errors
    ///
    /// The first value that is out of its range.
    pub fn check(&self) -> Result<(), InvalidLinkConditions> {
        let Self { latency, jitter, loss, reset_rate, .. } = *self;
        if latency > MAX_LATENCY || jitter > MAX_LATENCY {
            return Err(InvalidLinkConditions::Latency { latency, jitter });
        }
        if !(0.0..=MAX_LOSS).contains(&loss) {
            return Err(InvalidLinkConditions::Loss { got: loss });
        }
        if let Some(got) = self.bandwidth.map(NonZeroU64::get).filter(|bandwidth| *bandwidth < MIN_BANDWIDTH) {
            return Err(InvalidLinkConditions::Bandwidth { got });
        }
        if !(0.0..=MAX_RESET_RATE).contains(&reset_rate) {
            return Err(InvalidLinkConditions::ResetRate { got: reset_rate });
        }
        Ok(())
    }
}

/// The conditions of all links.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinkTable {
    all: LinkConditions,
    /// Those that differ from `all`.
    peers: HashMap<PeerId, LinkConditions>,
}

impl LinkTable {
    /// The conditions of links with peers of which nothing else is said.
    #[must_use]
    pub fn all(&self) -> LinkConditions {
        self.all
    }

    /// The peers whose links differ from the others', in no order.
    pub fn peers(&self) -> impl Iterator<Item = (&PeerId, &LinkConditions)> {
        self.peers.iter()
    }

    /// The conditions of the link with a peer.
    #[must_use]
    pub fn of(&self, peer: &PeerId) -> LinkConditions {
        self.peers.get(peer).copied().unwrap_or(self.all)
    }

    /// Gives every link these conditions, also those that differed.
    pub(crate) fn set_all(&mut self, conditions: LinkConditions) {
        *self = Self { all: conditions, peers: HashMap::new() };
    }

    /// Gives the link with a peer these conditions. False when too many links differ from the others already.
    pub(crate) fn set(&mut self, peer: PeerId, conditions: LinkConditions) -> bool {
        if conditions == self.all {
            self.peers.remove(&peer);
            return true;
        }
        if self.peers.len() >= MAX_LINKS && !self.peers.contains_key(&peer) {
            return false;
        }
        self.peers.insert(peer, conditions);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_one_peer_counts_more_than_what_is_said_of_all() {
        let [one, other] = [PeerId::random(), PeerId::random()];
        let cut = LinkConditions { is_cut: true, ..LinkConditions::default() };
        let slow = LinkConditions { latency: Duration::from_millis(80), ..LinkConditions::default() };
        let mut table = LinkTable::default();
        assert!(table.set(one, cut));
        assert_eq!((table.of(&one), table.of(&other)), (cut, LinkConditions::default()));
        // Said of all, it holds for all.
        table.set_all(slow);
        assert_eq!((table.of(&one), table.of(&other)), (slow, slow));
        assert!(table.set(one, LinkConditions::default()));
        assert_eq!((table.of(&one), table.of(&other)), (LinkConditions::default(), slow));
        // Like all others again, it need not be remembered.
        assert!(table.set(one, slow));
        assert_eq!(table.peers().count(), 0);
    }

    #[test]
    fn a_table_has_an_end() {
        let cut = LinkConditions { is_cut: true, ..LinkConditions::default() };
        let mut table = LinkTable::default();
        let peers: Vec<_> = (0..MAX_LINKS).map(|_| PeerId::random()).collect();
        assert!(peers.iter().all(|peer| table.set(*peer, cut)));
        assert!(!table.set(PeerId::random(), cut));
        assert!(table.set(peers[0], LinkConditions { loss: 0.5, ..cut }), "it is there already");
        assert!(table.set(peers[1], LinkConditions::default()) && table.set(PeerId::random(), cut));
    }

    #[test]
    fn conditions_that_let_nothing_through_are_refused() {
        let plain = LinkConditions::default();
        assert_eq!(plain.check(), Ok(()));
        let extreme = LinkConditions {
            is_cut: false,
            latency: MAX_LATENCY,
            jitter: MAX_LATENCY,
            loss: MAX_LOSS,
            bandwidth: NonZeroU64::new(MIN_BANDWIDTH),
            reset_rate: MAX_RESET_RATE,
        };
        assert_eq!(extreme.check(), Ok(()));
        let long = MAX_LATENCY + Duration::from_millis(1);
        for (wrong, words) in [
            (LinkConditions { latency: long, ..plain }, "latency and jitter of 2001 and 0 ms"),
            (LinkConditions { jitter: long, ..plain }, "latency and jitter of 0 and 2001 ms"),
            (LinkConditions { loss: 0.91, ..plain }, "loss of 0.91, expected a share from 0 to 0.9"),
            (LinkConditions { loss: -0.1, ..plain }, "loss of -0.1"),
            (LinkConditions { loss: f64::NAN, ..plain }, "loss of NaN"),
            (LinkConditions { bandwidth: NonZeroU64::new(999), ..plain }, "bandwidth of 999 bytes per second"),
            (LinkConditions { reset_rate: 601.0, ..plain }, "reset rate of 601 per minute, expected 0 to 600"),
            (LinkConditions { reset_rate: f64::INFINITY, ..plain }, "reset rate of inf"),
        ] {
            let message = wrong.check().unwrap_err().to_string();
            assert!(message.starts_with(words), "{message}");
        }
    }
}
