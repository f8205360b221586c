//! Whom nobody is to connect with.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use libp2p::PeerId;
use thiserror::Error;

use crate::subnet::Subnet;

/// Whom a ban is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Banned {
    /// A peer, wherever it comes from.
    Peer(PeerId),
    /// Whoever is at these addresses.
    Subnet(Subnet),
}

/// A text is neither a peer nor an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a peer id, an IP address or a subnet such as 192.0.2.0/24")]
pub struct ParseBannedError;

impl Banned {
    /// Whoever is at one address.
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        Self::Subnet(Subnet::address(ip))
    }

    /// The peer, if one is meant.
    #[must_use]
    pub fn peer(&self) -> Option<PeerId> {
        match self {
            Self::Peer(peer) => Some(*peer),
            Self::Subnet(_) => None,
        }
    }

    /// Whether a peer is meant that is at an address, if that is known.
    #[must_use]
    pub fn includes(&self, peer: &PeerId, ip: Option<IpAddr>) -> bool {
        match self {
            Self::Peer(banned) => banned == peer,
            Self::Subnet(subnet) => ip.is_some_and(|ip| subnet.contains(ip)),
        }
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(peer) => peer.fmt(f),
            Self::Subnet(subnet) => subnet.fmt(f),
        }
    }
}

impl FromStr for Banned {
    type Err = ParseBannedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let subnet = text.parse().map(Self::Subnet);
        subnet.or_else(|_| text.parse().map(Self::Peer)).map_err(|_| ParseBannedError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_and_addresses_are_told_apart() {
        let peer = PeerId::random();
        let banned: Banned = peer.to_string().parse().unwrap();
        assert_eq!(banned, Banned::Peer(peer));
        assert!(banned.includes(&peer, None) && !banned.includes(&PeerId::random(), None));
        let banned: Banned = "192.0.2.1/24".parse().unwrap();
        assert_eq!(banned.to_string(), "192.0.2.0/24");
        assert!(banned.includes(&peer, Some("192.0.2.7".parse().unwrap())) && !banned.includes(&peer, None));
        for wrong in ["", "nobody", "192.0.2.0/33"] {
            assert_eq!(wrong.parse::<Banned>(), Err(ParseBannedError), "{wrong}");
        }
    }
}
