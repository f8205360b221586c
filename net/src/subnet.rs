//! Ranges of IP addresses.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// All IP addresses that share their first bits; a single address shares all of them. An IPv4 address in IPv6 clothes is an
/// IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    /// The bits behind the prefix are zero.
    network: IpAddr,
    /// In bits.
    prefix: u8,
}

/// A text is neither an IP address nor a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an IP address or a subnet such as 192.0.2.0/24")]
pub struct ParseSubnetError;

impl Subnet {
    /// One address.
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        Self { network: ip, prefix: bits(ip) }
    }

    /// All addresses that share their first `prefix` bits with one; a prefix that is longer than the address is the address.
    #[must_use]
    pub fn new(ip: IpAddr, prefix: u8) -> Self {
        match (ip, ip.to_canonical()) {
            // The prefix counts the bits in front of the IPv4 address, too.
            (IpAddr::V6(_), IpAddr::V4(inner)) if prefix >= 96 => Self::new(inner.into(), prefix - 96),
            (IpAddr::V4(ip), _) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
                Self { network: Ipv4Addr::from_bits(ip.to_bits() & mask).into(), prefix }
            }
            (IpAddr::V6(ip), _) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
                Self { network: Ipv6Addr::from_bits(ip.to_bits() & mask).into(), prefix }
            }
        }
    }

    /// Whether an address is in the range.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.network.is_ipv4() == ip.is_ipv4() && Self::new(ip, self.prefix) == *self
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// Reads an address, an address with the length of a prefix, or one with a netmask (Core: `LookupSubNet`, `netbase.cpp`).
impl FromStr for Subnet {
    type Err = ParseSubnetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((ip, range)) = text.split_once('/') else {
            return text.parse().map(Self::address).map_err(|_| ParseSubnetError);
        };
        let ip: IpAddr = ip.parse().map_err(|_| ParseSubnetError)?;
        let prefix = match range.parse() {
            Ok(prefix) => prefix,
            Err(_) => prefix_of_mask(range.parse().map_err(|_| ParseSubnetError)?, ip)?,
        };
        if prefix > bits(ip) {
            return Err(ParseSubnetError);
        }
        Ok(Self::new(ip, prefix))
    }
}

/// The length of the prefix that a netmask stands for: its ones come before its zeros.
fn prefix_of_mask(mask: IpAddr, ip: IpAddr) -> Result<u8, ParseSubnetError> {
    let (ones, all) = match mask {
        IpAddr::V4(mask) => (mask.to_bits().leading_ones(), mask.to_bits().count_ones()),
        IpAddr::V6(mask) => (mask.to_bits().leading_ones(), mask.to_bits().count_ones()),
    };
    if ones != all || mask.is_ipv4() != ip.is_ipv4() {
        return Err(ParseSubnetError);
    }
    u8::try_from(ones).map_err(|_| ParseSubnetError)
}

/// How long addresses of this kind are.
fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// Any number of ranges, of which one look-up for each length of a prefix tells whether an address is in one.
#[derive(Debug, Default)]
pub(crate) struct SubnetSet {
    subnets: HashSet<Subnet>,
    /// The lengths there are, of at most 33 and 129; true for IPv4.
    prefixes: BTreeSet<(bool, u8)>,
}

impl SubnetSet {
    /// Whether an address is in one of the ranges.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let mut prefixes = self.prefixes.iter().filter(|(is_v4, _)| *is_v4 == ip.is_ipv4());
        prefixes.any(|(_, prefix)| self.subnets.contains(&Subnet::new(ip, *prefix)))
    }
}

impl FromIterator<Subnet> for SubnetSet {
    fn from_iter<I: IntoIterator<Item = Subnet>>(subnets: I) -> Self {
        let subnets: HashSet<_> = subnets.into_iter().collect();
        let prefixes = subnets.iter().map(|subnet| (subnet.network.is_ipv4(), subnet.prefix)).collect();
        Self { subnets, prefixes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn subnets_are_read_and_hold_their_addresses() {
        assert_eq!(subnet("192.0.2.77/24").to_string(), "192.0.2.0/24");
        assert_eq!(subnet("192.0.2.77/255.255.255.0"), subnet("192.0.2.0/24"));
        assert_eq!(subnet("192.0.2.77").to_string(), "192.0.2.77/32");
        assert_eq!(subnet("::ffff:192.0.2.77"), subnet("192.0.2.77"));
        assert_eq!(subnet("::ffff:192.0.2.77/120"), subnet("192.0.2.0/24"));
        assert!(subnet("192.0.2.0/24").contains(ip("192.0.2.1")));
        assert!(subnet("192.0.2.0/24").contains(ip("::ffff:192.0.2.1")));
        assert!(!subnet("192.0.2.0/24").contains(ip("192.0.3.1")));
        assert!(!subnet("0.0.0.0/0").contains(ip("::1")));
        assert!(subnet("0.0.0.0/0").contains(ip("8.8.8.8")));
        assert!(subnet("2001:db8:1::/48").contains(ip("2001:db8:1:2::3")));
        assert!(subnet("2001:db8:1::/ffff:ffff:ffff::").contains(ip("2001:db8:1:2::3")));
        for wrong in
            ["", "/", "192.0.2.0/33", "192.0.2.0/", "192.0.2", "::/129", "192.0.2.0/255.0.255.0", "::/255.0.0.0"]
        {
            assert_eq!(wrong.parse::<Subnet>(), Err(ParseSubnetError), "{wrong}");
        }
    }

    fn any_subnet() -> impl Strategy<Value = Subnet> {
        // Few addresses, so that ranges meet.
        let v4 = (0u8..4, 0u8..=32).prop_map(|(host, prefix)| Subnet::new(IpAddr::from([10, 0, host, 1]), prefix));
        let v6 = (0u16..4, 0u8..=128)
            .prop_map(|(host, prefix)| Subnet::new(IpAddr::from([0x2001, 0, 0, 0, 0, 0, host, 1]), prefix));
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn a_set_holds_what_one_of_its_ranges_holds(
            subnets in prop::collection::vec(any_subnet(), 0..6),
            (is_v4, high, low) in (any::<bool>(), 0u8..4, 0u8..4),
        ) {
            let ip = if is_v4 {
                IpAddr::from([10, 0, high, low])
            } else {
                IpAddr::from([0x2001, 0, 0, 0, 0, 0, u16::from(high), u16::from(low)])
            };
            let expected = subnets.iter().any(|subnet| subnet.contains(ip));
            prop_assert_eq!(subnets.into_iter().collect::<SubnetSet>().contains(ip), expected);
        }

        #[test]
        fn what_is_shown_is_read(subnet in any_subnet()) {
            prop_assert_eq!(subnet.to_string().parse(), Ok(subnet));
        }
    }
}
