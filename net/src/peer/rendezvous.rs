//! What to ask of rendezvous points, and when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Time between two questions for peers when there are enough of them.
const DISCOVER_WAIT: Duration = Duration::from_secs(60);

/// The same while peers are missing: on a local network, and with strangers.
const SHORT_WAIT_LOCAL: Duration = Duration::from_secs(5);
const SHORT_WAIT: Duration = Duration::from_secs(30);

/// How long after a failure to register again.
const REGISTER_WAIT: Duration = Duration::from_secs(10);

/// What to ask of one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RendezvousAction<C> {
    /// To tell others of us.
    Register(PeerId),
    /// To tell us of others that came since it gave us the cookie.
    Discover(PeerId, Option<C>),
}

#[derive(Debug)]
struct Point<C> {
    register_at: Instant,
    discover_at: Instant,
    cookie: Option<C>,
}

/// The rendezvous points that we are connected with. `C` is the cookie by which a point knows what it told us.
#[derive(Debug)]
pub(crate) struct Rendezvous<C> {
    is_local: bool,
    points: HashMap<PeerId, Point<C>>,
}

impl<C: Clone> Rendezvous<C> {
    pub(crate) fn new(is_local: bool) -> Self {
        Self { is_local, points: HashMap::new() }
    }

    /// A point is connected and of our network. It may have forgotten us.
    pub(crate) fn connected(&mut self, now: Instant, point: PeerId) {
        self.points.entry(point).or_insert(Point { register_at: now, discover_at: now, cookie: None });
    }

    /// The last connection with a point is gone.
    pub(crate) fn disconnected(&mut self, point: &PeerId) {
        self.points.remove(point);
    }

    /// What to ask now. An answer is due for everything; until then it is asked again as after a failure.
    pub(crate) fn due(&mut self, now: Instant, is_short: bool) -> Vec<RendezvousAction<C>> {
        let wait = match (is_short, self.is_local) {
            (true, true) => SHORT_WAIT_LOCAL,
            (true, false) => SHORT_WAIT,
            (false, _) => DISCOVER_WAIT,
        };
        let mut due = Vec::new();
        for (peer, point) in &mut self.points {
            if point.register_at <= now {
                point.register_at = now + REGISTER_WAIT;
                due.push(RendezvousAction::Register(*peer));
            }
            if point.discover_at <= now {
                point.discover_at = now + wait;
                due.push(RendezvousAction::Discover(*peer, point.cookie.clone()));
            }
        }
        due
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.points.values().map(|point| point.register_at.min(point.discover_at)).min()
    }

    /// A point tells of us for `lifetime`. It is asked again when three quarters of it are over.
    pub(crate) fn registered(&mut self, now: Instant, point: &PeerId, lifetime: Duration) {
        if let Some(point) = self.points.get_mut(point) {
            // Far from now is far enough, however long a point says.
            point.register_at = now + lifetime.min(Duration::from_secs(7 * 24 * 3600)) / 4 * 3;
        }
    }

    /// A point told of others.
    pub(crate) fn discovered(&mut self, point: &PeerId, cookie: C) {
        if let Some(point) = self.points.get_mut(point) {
            point.cookie = Some(cookie);
        }
    }

    /// A point did not tell of others: perhaps it does not know its cookie any more.
    pub(crate) fn not_discovered(&mut self, point: &PeerId) {
        if let Some(point) = self.points.get_mut(point) {
            point.cookie = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_at_once_and_again_with_the_cookie() {
        let (now, point) = (Instant::now(), PeerId::random());
        let mut rendezvous = Rendezvous::new(true);
        assert_eq!(rendezvous.next_due(), None);
        rendezvous.connected(now, point);
        let due = rendezvous.due(now, true);
        assert_eq!(due, [RendezvousAction::Register(point), RendezvousAction::Discover(point, None)]);
        rendezvous.registered(now, &point, Duration::from_secs(7200));
        rendezvous.discovered(&point, 7);
        assert_eq!(rendezvous.next_due(), Some(now + SHORT_WAIT_LOCAL));
        let again = now + SHORT_WAIT_LOCAL;
        assert_eq!(rendezvous.due(again, false), [RendezvousAction::Discover(point, Some(7))]);
        assert_eq!(rendezvous.next_due(), Some(again + DISCOVER_WAIT));
        rendezvous.not_discovered(&point);
        let again = again + DISCOVER_WAIT;
        assert_eq!(rendezvous.due(again, true), [RendezvousAction::Discover(point, None)]);
    }

    #[test]
    fn registers_again_before_it_is_forgotten() {
        let (now, point) = (Instant::now(), PeerId::random());
        let mut rendezvous = Rendezvous::<u8>::new(false);
        rendezvous.connected(now, point);
        rendezvous.due(now, false);
        rendezvous.registered(now, &point, Duration::from_secs(7200));
        let later = now + Duration::from_secs(5400);
        assert!(!rendezvous.due(later - Duration::from_secs(1), false).contains(&RendezvousAction::Register(point)));
        assert!(rendezvous.due(later, false).contains(&RendezvousAction::Register(point)));
        assert_eq!(rendezvous.next_due(), Some(later + REGISTER_WAIT), "a failure is not the end");
        rendezvous.registered(later, &point, Duration::from_secs(u64::MAX));
    }

    #[test]
    fn a_point_that_went_is_asked_nothing() {
        let (now, point) = (Instant::now(), PeerId::random());
        let mut rendezvous = Rendezvous::<u8>::new(false);
        rendezvous.connected(now, point);
        rendezvous.disconnected(&point);
        assert_eq!(rendezvous.due(now, true), []);
        assert_eq!(rendezvous.next_due(), None);
    }
}
