//! Ports that are free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::DevnetError;

/// Ports that are tried for one purpose before we give up.
const ATTEMPTS: u16 = 2000;

/// Ports for one purpose: the first, and from one to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PortRange {
    /// The port to begin with.
    pub(crate) first: u16,
    /// From one port to the next.
    pub(crate) step: u16,
}

impl PortRange {
    /// JSON-RPC: Core's port of regtest, which clients try first.
    pub(crate) const RPC: Self = Self { first: 18_443, step: 10 };
    /// Metrics and health.
    pub(crate) const METRICS: Self = Self { first: 9332, step: 1 };
    /// Connections of peers.
    pub(crate) const P2P: Self = Self { first: 18_544, step: 10 };
    /// Prometheus's own.
    pub(crate) const PROMETHEUS: Self = Self { first: 9090, step: 1 };
}

/// The ports of one node, held until it starts, so that nobody else who looks takes them for free.
#[derive(Debug)]
pub(crate) struct HeldPort {
    _listener: TcpListener,
    number: u16,
}

impl HeldPort {
    /// The port.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

/// Hands out ports that are free, each once.
#[derive(Debug)]
pub(crate) struct Ports {
    range: PortRange,
    /// The next to look at.
    next: u16,
}

impl Ports {
    /// Begins with the first port of a range.
    pub(crate) fn of(range: PortRange) -> Self {
        Self { range, next: range.first }
    }

    /// The next free port.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn take(&mut self) -> Result<HeldPort, DevnetError> {
        self.take_with(bind)
            .map(|(listener, port)| HeldPort { _listener: listener, number: port })
            .ok_or(DevnetError::NoPort { first: self.range.first })
    }

    fn take_with<T>(&mut self, mut bind: impl FnMut(u16) -> Option<T>) -> Option<(T, u16)> {
        for _ in 0..ATTEMPTS {
            let port = self.next;
            self.next = port.checked_add(self.range.step)?;
            if let Some(bound) = bind(port) {
                return Some((bound, port));
            }
        }
        None
    }
}

/// The ports of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodePorts {
    /// JSON-RPC.
    pub(crate) rpc: u16,
    /// Metrics and health.
    pub(crate) metrics: u16,
    /// Connections of peers.
    pub(crate) p2p: u16,
}

/// Hands out ports for nodes.
#[derive(Debug)]
pub(crate) struct PortDispenser {
    rpc: Ports,
    metrics: Ports,
    p2p: Ports,
}

impl PortDispenser {
    /// Begins with the usual ports.
    pub(crate) fn new() -> Self {
        Self { rpc: Ports::of(PortRange::RPC), metrics: Ports::of(PortRange::METRICS), p2p: Ports::of(PortRange::P2P) }
    }

    /// Ports for one more node, and what holds them until it starts.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub(crate) fn take(&mut self) -> Result<(NodePorts, [HeldPort; 3]), DevnetError> {
        let held = [self.rpc.take()?, self.metrics.take()?, self.p2p.take()?];
        let [rpc, metrics, p2p] = [0, 1, 2].map(|index| held[index].number());
        Ok((NodePorts { rpc, metrics, p2p }, held))
    }
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_passed_over() {
        let mut ports = Ports::of(PortRange { first: 100, step: 10 });
        let mut take =
            |taken: &[u16]| ports.take_with(|port| (!taken.contains(&port)).then_some(())).map(|((), port)| port);
        assert_eq!(take(&[]), Some(100));
        assert_eq!(take(&[110, 120]), Some(130));
        assert_eq!(take(&[]), Some(140));
        let mut ports = Ports::of(PortRange { first: 65_530, step: 10 });
        assert_eq!(ports.take_with(|_| Some(())), None, "there is no port after the last");
    }

    #[test]
    fn a_port_is_held_until_it_is_let_go() {
        let range = PortRange { first: 28_443, step: 1 };
        let first = Ports::of(range).take().unwrap();
        let second = Ports::of(range).take().unwrap();
        assert_ne!(first.number(), second.number());
    }
}
