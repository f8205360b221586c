//! What an address says about where a peer is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The IP address that an address starts with, if it starts with one. An IPv4 address in IPv6 clothes is an IPv4 address.
pub(crate) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    let ip: IpAddr = match address.iter().next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    Some(ip.to_canonical())
}

/// Who must answer at an address, if it says so.
pub(crate) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// Whether strangers anywhere can reach the IP address, which is then not one of many machines behind others (Core:
/// `CNetAddr::IsRoutable`, `netaddress.cpp`).
#[must_use]
pub fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_global_v4(ip),
        IpAddr::V6(ip) => is_global_v6(ip),
    }
}

fn is_global_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_this_network = a == 0;
    // RFC6598: between a provider and its customers.
    let is_shared = a == 100 && b & 0b1100_0000 == 64;
    let is_protocol_assignment = (a, b, c) == (192, 0, 0);
    // RFC2544: measurements.
    let is_benchmark = a == 198 && b & 0b1111_1110 == 18;
    let is_reserved = a >= 240;
    !(is_this_network
        || is_shared
        || is_protocol_assignment
        || is_benchmark
        || is_reserved
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

fn is_global_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // RFC3849.
    let is_documentation = (a, b) == (0x2001, 0x0db8);
    // RFC4843 and RFC7343: names, not places.
    let is_orchid = a == 0x2001 && (b & 0xfff0 == 0x0010 || b & 0xfff0 == 0x0020);
    !(is_documentation
        || is_orchid
        || ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local())
}

/// Whether an address that a peer was told to have is worth a dial.
///
/// Strangers on a public network get no private addresses dialled: these are other machines with us than with them. On a
/// local network private addresses are what there is, but a loopback address is worth nothing to another machine: `via` is
/// where whoever named the address is.
pub(crate) fn is_dialable(address: &Multiaddr, via: Option<IpAddr>, is_local: bool) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(_) | Protocol::Ip6(_)) => ip_of(address).is_some_and(|ip| {
            let is_far = via.is_some_and(|via| !via.is_loopback());
            is_global(ip) || (is_local && !ip.is_unspecified() && !(ip.is_loopback() && is_far))
        }),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)) => true,
        _ => false,
    }
}

/// The first bits of an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Prefix {
    is_v6: bool,
    bits: u128,
}

impl Prefix {
    fn new(ip: IpAddr, bits_of_v4: u32, bits_of_v6: u32) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self { is_v6: false, bits: u128::from(u32::from(ip) >> (32 - bits_of_v4)) },
            IpAddr::V6(ip) => Self { is_v6: true, bits: u128::from(ip) >> (128 - bits_of_v6) },
        }
    }

    /// What one customer of a provider has: an IPv4 address, or the /64 that IPv6 gives to every network.
    pub(crate) fn of_host(ip: IpAddr) -> Self {
        Self::new(ip, 32, 64)
    }

    /// What one organisation is likely to have: the /16 of IPv4, the /32 of IPv6 (Core: `NetGroupManager::GetGroup`,
    /// `netgroup.cpp`, without a map of autonomous systems).
    pub(crate) fn of_group(ip: IpAddr) -> Self {
        Self::new(ip, 16, 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_reach_global_addresses_only() {
        for global in ["8.8.8.8", "100.63.0.1", "198.20.0.1", "2a00:1450::1", "2606:4700::1", "::ffff:8.8.8.8"] {
            assert!(is_global(ip(global)), "{global}");
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "2001:10::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_global(ip(other)), "{other}");
        }
    }

    #[test]
    fn private_addresses_are_dialled_on_local_networks_only() {
        let dialable =
            |address: &str, via: &str, is_local| is_dialable(&address.parse().unwrap(), Some(ip(via)), is_local);
        assert!(dialable("/ip4/8.8.8.8/tcp/1", "9.9.9.9", false));
        assert!(dialable("/dns4/node.example/tcp/1", "9.9.9.9", false));
        assert!(!dialable("/ip4/10.0.0.1/tcp/1", "9.9.9.9", false));
        assert!(dialable("/ip4/10.0.0.1/tcp/1", "10.0.0.2", true));
        assert!(dialable("/ip4/127.0.0.1/tcp/1", "127.0.0.1", true));
        assert!(!dialable("/ip4/127.0.0.1/tcp/1", "10.0.0.2", true));
        assert!(!dialable("/ip4/0.0.0.0/tcp/1", "10.0.0.2", true));
        assert!(!dialable("/p2p-circuit", "10.0.0.2", true));
    }

    #[test]
    fn prefixes_tell_hosts_and_groups_apart() {
        let same = |of: fn(IpAddr) -> Prefix, one, other| of(ip(one)) == of(ip(other));
        assert!(!same(Prefix::of_host, "1.2.3.4", "1.2.3.5"));
        assert!(same(Prefix::of_host, "1.2.3.4", "::ffff:1.2.3.4"));
        assert!(same(Prefix::of_host, "2a00:1:2:3::1", "2a00:1:2:3:ffff::1"));
        assert!(!same(Prefix::of_host, "2a00:1:2:3::1", "2a00:1:2:4::1"));
        assert!(same(Prefix::of_group, "1.2.3.4", "1.2.200.1"));
        assert!(!same(Prefix::of_group, "1.2.3.4", "1.3.3.4"));
        assert!(same(Prefix::of_group, "2a00:1:2:3::1", "2a00:1:ffff::1"));
        assert!(!same(Prefix::of_group, "0.0.0.1", "::1"));
    }
}
