//! Which addresses may be connected with.

use std::collections::HashMap;
use std::net::IpAddr;

use libp2p::swarm::ConnectionId;
use thiserror::Error;

use super::address::{Prefix, is_global};
use crate::limits::Limits;
use crate::subnet::SubnetSet;

/// Why a connection is refused for its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// The node takes no part in the network at present.
    #[error("the network is switched off")]
    Inactive,
    /// The address is banned.
    #[error("{0} is banned")]
    Banned(IpAddr),
    /// The host has as many connections with us as one may have.
    #[error("{got} connections from {ip}, expected at most {limit}")]
    TooManyFromHost { ip: IpAddr, got: usize, limit: usize },
    /// The neighbourhood of the address has as many connections with us as one may have.
    #[error("{got} connections from the neighbourhood of {ip}, expected at most {limit}")]
    TooManyFromGroup { ip: IpAddr, got: usize, limit: usize },
}

#[derive(Debug, Clone, Copy)]
struct Connection {
    ip: IpAddr,
    is_counted: bool,
}

/// The connections there are by address, those being opened to us included, and what may come.
#[derive(Debug)]
pub(crate) struct Admission {
    is_active: bool,
    banned: SubnetSet,
    per_host: usize,
    per_group: usize,
    /// Whether addresses that only a local network reaches have no limit.
    is_local: bool,
    connections: HashMap<ConnectionId, Connection>,
    hosts: HashMap<Prefix, usize>,
    groups: HashMap<Prefix, usize>,
}

impl Admission {
    pub(crate) fn new(limits: &Limits, is_local: bool) -> Self {
        Self {
            is_active: true,
            banned: SubnetSet::default(),
            per_host: limits.max_inbound_per_host,
            per_group: limits.max_inbound_per_group,
            is_local,
            connections: HashMap::new(),
            hosts: HashMap::new(),
            groups: HashMap::new(),
        }
    }

    /// Takes part in the network, or not.
    pub(crate) fn set_active(&mut self, is_active: bool) {
        self.is_active = is_active;
    }

    /// Refuses these addresses from now on, and no others that were refused. The connections to close.
    pub(crate) fn set_banned(&mut self, banned: SubnetSet) -> Vec<ConnectionId> {
        self.banned = banned;
        let of_banned = self.connections.iter().filter(|(_, connection)| self.banned.contains(connection.ip));
        of_banned.map(|(id, _)| *id).collect()
    }

    /// A connection from `ip` begins; it is counted until [`ended`](Self::ended). Addresses without an IP are not limited.
    pub(crate) fn inbound(&mut self, id: ConnectionId, ip: Option<IpAddr>) -> Result<(), Refusal> {
        self.check(ip)?;
        let Some(ip) = ip.map(|ip| ip.to_canonical()) else { return Ok(()) };
        let is_counted = is_global(ip) || !self.is_local;
        if is_counted {
            let (host, group) = (Prefix::of_host(ip), Prefix::of_group(ip));
            let count = |counts: &HashMap<Prefix, usize>, prefix| counts.get(&prefix).copied().unwrap_or(0);
            let (of_host, of_group) = (count(&self.hosts, host), count(&self.groups, group));
            if of_host >= self.per_host {
                return Err(Refusal::TooManyFromHost { ip, got: of_host + 1, limit: self.per_host });
            }
            if of_group >= self.per_group {
                return Err(Refusal::TooManyFromGroup { ip, got: of_group + 1, limit: self.per_group });
            }
            *self.hosts.entry(host).or_insert(0) += 1;
            *self.groups.entry(group).or_insert(0) += 1;
        }
        self.connections.insert(id, Connection { ip, is_counted });
        Ok(())
    }

    /// A connection to `ip` is wanted, or was opened by us.
    pub(crate) fn check(&self, ip: Option<IpAddr>) -> Result<(), Refusal> {
        match ip.map(|ip| ip.to_canonical()) {
            _ if !self.is_active => Err(Refusal::Inactive),
            Some(ip) if self.banned.contains(ip) => Err(Refusal::Banned(ip)),
            _ => Ok(()),
        }
    }

    /// We opened a connection.
    pub(crate) fn outbound(&mut self, id: ConnectionId, ip: Option<IpAddr>) {
        if let Some(ip) = ip {
            self.connections.insert(id, Connection { ip: ip.to_canonical(), is_counted: false });
        }
    }

    /// A connection is gone, or did not come about.
    pub(crate) fn ended(&mut self, id: ConnectionId) {
        if let Some(Connection { ip, is_counted: true }) = self.connections.remove(&id) {
            remove_one(&mut self.hosts, Prefix::of_host(ip));
            remove_one(&mut self.groups, Prefix::of_group(ip));
        }
    }
}

fn remove_one(counts: &mut HashMap<Prefix, usize>, prefix: Prefix) {
    if let Some(count) = counts.get_mut(&prefix) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    fn admission(is_local: bool) -> Admission {
        let limits = Limits { max_inbound_per_host: 2, max_inbound_per_group: 3, ..Limits::public() };
        Admission::new(&limits, is_local)
    }

    #[test]
    fn a_host_and_its_neighbourhood_have_limits() {
        let mut admission = admission(false);
        assert_eq!(admission.inbound(id(1), ip("8.8.0.1")), Ok(()));
        assert_eq!(admission.inbound(id(2), ip("::ffff:8.8.0.1")), Ok(()));
        let refusal = admission.inbound(id(3), ip("8.8.0.1")).unwrap_err();
        assert_eq!(refusal.to_string(), "3 connections from 8.8.0.1, expected at most 2");
        assert_eq!(admission.inbound(id(4), ip("8.8.0.2")), Ok(()));
        let refusal = admission.inbound(id(5), ip("8.8.0.3")).unwrap_err();
        assert!(matches!(refusal, Refusal::TooManyFromGroup { got: 4, limit: 3, .. }));
        assert_eq!(admission.inbound(id(6), ip("8.9.0.3")), Ok(()));

        // What was refused takes no place, and what ended gives it back.
        admission.ended(id(3));
        admission.ended(id(1));
        admission.ended(id(1));
        assert_eq!(admission.inbound(id(7), ip("8.8.0.1")), Ok(()));
        assert!(admission.inbound(id(8), ip("8.8.0.1")).is_err());
    }

    #[test]
    fn private_addresses_have_no_limit_on_a_local_network() {
        let (mut local, mut public) = (admission(true), admission(false));
        for number in 0..100 {
            assert_eq!(local.inbound(id(number), ip("127.0.0.1")), Ok(()));
            assert_eq!(public.inbound(id(number), ip("127.0.0.1")).is_ok(), number < 2);
        }
    }

    #[test]
    fn a_banned_address_is_refused_both_ways_and_disconnected() {
        let mut admission = admission(true);
        admission.inbound(id(1), ip("10.0.0.1")).unwrap();
        admission.outbound(id(2), ip("10.0.0.1"));
        admission.outbound(id(3), ip("10.0.0.2"));
        let banned = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut closed = admission.set_banned(banned(&["::ffff:10.0.0.1", "192.0.2.0/24"]));
        closed.sort_unstable();
        assert_eq!(closed, [id(1), id(2)]);
        assert!(matches!(admission.inbound(id(4), ip("10.0.0.1")), Err(Refusal::Banned(_))));
        assert!(matches!(admission.check(ip("10.0.0.1")), Err(Refusal::Banned(_))));
        assert!(matches!(admission.check(ip("192.0.2.7")), Err(Refusal::Banned(_))));
        assert_eq!(admission.check(ip("10.0.0.2")), Ok(()));
        assert_eq!(admission.set_banned(banned(&["192.0.2.0/24"])), []);
        assert_eq!(admission.check(ip("10.0.0.1")), Ok(()));
    }

    #[test]
    fn nobody_is_admitted_while_the_network_is_off() {
        let mut admission = admission(true);
        admission.set_active(false);
        assert_eq!(admission.inbound(id(1), None), Err(Refusal::Inactive));
        assert_eq!(admission.check(None), Err(Refusal::Inactive));
        admission.set_active(true);
        assert_eq!(admission.check(None), Ok(()));
    }

    proptest! {
        #[test]
        fn counts_follow_connections(steps in prop::collection::vec((any::<bool>(), 0usize..12, 0u8..4, 0u8..2), 0..200)) {
            let mut admission = admission(false);
            let mut open = HashMap::new();
            for (comes, number, host, group) in steps {
                if comes && !open.contains_key(&number) {
                    let ip = IpAddr::from([8, group, 0, host]);
                    if admission.inbound(id(number), Some(ip)).is_ok() {
                        open.insert(number, ip);
                    }
                } else if !comes {
                    admission.ended(id(number));
                    open.remove(&number);
                }
                for group in 0..2 {
                    let of_group = open.values().filter(|ip| Prefix::of_group(**ip) == Prefix::of_group([8, group, 0, 0].into()));
                    prop_assert!(of_group.count() <= 3);
                }
            }
            for number in 0..12 {
                admission.ended(id(number));
            }
            prop_assert!(admission.hosts.is_empty() && admission.groups.is_empty() && admission.connections.is_empty());
        }
    }
}
