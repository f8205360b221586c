//! Who is connected, through which connections, and whether they said yet who they are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::event::{ConnectedPeer, Direction};
use crate::limits::Limits;
use crate::peer::{Quotas, ip_of};
use crate::protocol::MAX_USER_AGENT_LENGTH;

/// How long a peer may take to say who it is.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// How often a peer may change where it listens: others are told each time.
const LISTENS_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Peer {
    connections: Vec<ConnectionId>,
    /// Of the first connection.
    address: Multiaddr,
    direction: Direction,
    /// Our end of it, where the peer opened it.
    local_address: Option<Multiaddr>,
    is_identified: bool,
    /// When it must be identified.
    deadline: Instant,
    /// Where it says that it listens, and when others were told.
    listens: Option<(Instant, Vec<Multiaddr>)>,
    quotas: Quotas,
}

/// Everybody we are connected with.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<PeerId, Peer>);

/// What the end of a connection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The peer has another one.
    OneOfMany,
    /// It was the last one, of a peer that had said who it is, or not.
    Last { was_identified: bool },
}

impl Peers {
    pub(super) fn established(
        &mut self,
        now: Instant,
        peer: PeerId,
        connection: ConnectionId,
        endpoint: ConnectedPoint,
        limits: &Limits,
    ) {
        let (address, direction, local_address) = match endpoint {
            ConnectedPoint::Dialer { address, .. } => (address, Direction::Outbound, None),
            ConnectedPoint::Listener { local_addr, send_back_addr } => {
                (send_back_addr, Direction::Inbound, Some(local_addr))
            }
        };
        let peer = self.0.entry(peer).or_insert_with(|| Peer {
            connections: Vec::new(),
            address,
            direction,
            local_address,
            is_identified: false,
            deadline: now + IDENTIFY_TIMEOUT,
            listens: None,
            quotas: Quotas::new(limits, now),
        });
        peer.connections.push(connection);
    }

    /// A peer said who it is. `None` when it had done so before.
    pub(super) fn identified(&mut self, peer: PeerId, user_agent: &str) -> Option<ConnectedPeer> {
        let state = self.0.get_mut(&peer).filter(|state| !state.is_identified)?;
        state.is_identified = true;
        let (address, direction) = (state.address.clone(), state.direction);
        Some(ConnectedPeer { peer, address, direction, user_agent: sanitized(user_agent) })
    }

    pub(super) fn closed(&mut self, peer: PeerId, connection: ConnectionId) -> Closed {
        let Some(state) = self.0.get_mut(&peer) else { return Closed::Last { was_identified: false } };
        state.connections.retain(|other| *other != connection);
        if !state.connections.is_empty() {
            return Closed::OneOfMany;
        }
        let was_identified = state.is_identified;
        self.0.remove(&peer);
        Closed::Last { was_identified }
    }

    /// Whether we opened the first connection with a peer.
    pub(super) fn was_dialled(&self, peer: &PeerId) -> bool {
        self.0.get(peer).is_some_and(|state| state.direction == Direction::Outbound)
    }

    /// A peer says where it listens. False when that is nothing new, or when it changes its mind too often.
    pub(super) fn learns(&mut self, now: Instant, peer: &PeerId, addresses: &[Multiaddr]) -> bool {
        let Some(state) = self.0.get_mut(peer) else { return false };
        if let Some((since, known)) = &state.listens
            && (known == addresses || now.saturating_duration_since(*since) < LISTENS_WAIT)
        {
            return false;
        }
        state.listens = Some((now, addresses.to_vec()));
        true
    }

    /// Our end of the first connection, where the peer opened it.
    pub(super) fn local_address(&self, peer: &PeerId) -> Option<&Multiaddr> {
        self.0.get(peer)?.local_address.as_ref()
    }

    /// Where a peer is, if that is an IP address.
    pub(super) fn ip(&self, peer: &PeerId) -> Option<IpAddr> {
        ip_of(&self.0.get(peer)?.address)
    }

    pub(super) fn quotas(&mut self, peer: &PeerId) -> Option<&mut Quotas> {
        self.0.get_mut(peer).map(|state| &mut state.quotas)
    }

    /// Peers whose time to say who they are is over.
    pub(super) fn overdue(&self, now: Instant) -> Vec<PeerId> {
        self.unidentified().filter(|(_, state)| state.deadline <= now).map(|(peer, _)| *peer).collect()
    }

    /// When the next peer will be overdue.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.unidentified().map(|(_, state)| state.deadline).min()
    }

    /// Gives an overdue peer more time, so that it is not found overdue again while its connections close.
    pub(super) fn postpone(&mut self, now: Instant, peer: &PeerId) {
        if let Some(state) = self.0.get_mut(peer) {
            state.deadline = now + IDENTIFY_TIMEOUT;
        }
    }

    fn unidentified(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.0.iter().filter(|(_, state)| !state.is_identified)
    }
}

/// What a peer calls itself, fit for logs and terminals (Core: `SanitizeString` with `SAFE_CHARS_DEFAULT`,
/// `util/strencodings.cpp`).
fn sanitized(user_agent: &str) -> String {
    let is_safe = |character: &char| character.is_ascii_alphanumeric() || " .,;-_/:?@()".contains(*character);
    user_agent.chars().filter(is_safe).take(MAX_USER_AGENT_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(send_back_addr: Multiaddr) -> ConnectedPoint {
        ConnectedPoint::Listener { local_addr: "/ip4/127.0.0.1/tcp/8433".parse().unwrap(), send_back_addr }
    }

    #[test]
    fn a_peer_is_gone_with_its_last_connection() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        let mut peers = Peers::default();
        let from = |port| inbound(format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap());
        peers.established(now, peer, first, from(1), &Limits::public());
        peers.established(now, peer, second, from(2), &Limits::public());

        let connected = peers.identified(peer, "/cairn:1/").unwrap();
        assert_eq!(connected.address, *from(1).get_remote_address());
        assert_eq!(peers.identified(peer, "/cairn:2/"), None, "told twice");

        assert_eq!(peers.closed(peer, first), Closed::OneOfMany);
        assert_eq!(peers.closed(peer, second), Closed::Last { was_identified: true });
        assert!(peers.quotas(&peer).is_none());
    }

    #[test]
    fn who_does_not_say_who_it_is_is_overdue() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let mut peers = Peers::default();
        let from = inbound("/ip4/127.0.0.1/tcp/1".parse().unwrap());
        peers.established(now, peer, ConnectionId::new_unchecked(1), from, &Limits::public());
        let deadline = peers.next_deadline().unwrap();
        assert_eq!(peers.overdue(deadline - Duration::from_millis(1)), []);
        assert_eq!(peers.overdue(deadline), [peer]);
        peers.postpone(deadline, &peer);
        assert_eq!(peers.overdue(deadline), []);
        peers.identified(peer, "");
        assert_eq!(peers.next_deadline(), None);
    }

    #[test]
    fn a_peer_that_changes_its_mind_all_the_time_is_not_heard() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let address = |port: u16| vec![format!("/ip4/127.0.0.1/tcp/{port}").parse::<Multiaddr>().unwrap()];
        let mut peers = Peers::default();
        assert!(!peers.learns(now, &peer, &address(1)));
        let from = inbound(address(1).remove(0));
        peers.established(now, peer, ConnectionId::new_unchecked(1), from, &Limits::public());
        assert!(peers.learns(now, &peer, &address(1)));
        assert!(!peers.learns(now, &peer, &address(2)));
        assert!(!peers.learns(now + LISTENS_WAIT, &peer, &address(1)));
        assert!(peers.learns(now + LISTENS_WAIT, &peer, &address(2)));
    }

    #[test]
    fn user_agents_are_made_harmless() {
        assert_eq!(sanitized("/cairn:0.1.0(x_y)/\u{1b}[31m\nä"), "/cairn:0.1.0(x_y)/31m");
        assert_eq!(sanitized(&"a".repeat(5000)).len(), MAX_USER_AGENT_LENGTH);
    }
}
