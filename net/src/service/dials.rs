//! Dials on their way, and what became of them.

use std::time::Instant;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionDenied, DialError as SwarmDialError};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;
use tracing::{debug, info};

use super::{NetworkService, describe};
use crate::error::DialError;
use crate::peer::{DialFailed, Target, peer_of};

/// Who wanted a dial.
#[derive(Debug)]
pub(super) enum Dial {
    /// The dialer.
    Named(Target),
    /// The address book, for this peer.
    Candidate(PeerId),
    /// The list of nodes that introduce us.
    Bootstrap(Multiaddr),
    /// The node, which waits for the outcome.
    Once(oneshot::Sender<Result<(), DialError>>),
}

impl NetworkService {
    /// Dials the named peers that are due. When the next one will be.
    pub(super) fn dial_due(&mut self, now: Instant) -> Option<Instant> {
        if !*self.active.borrow() {
            return None;
        }
        for target in self.dialer.due(now) {
            self.dial(target.address.clone(), Dial::Named(target));
        }
        self.dialer.next_due()
    }

    pub(super) fn dial(&mut self, address: Multiaddr, dial: Dial) {
        let options = match peer_of(&address) {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![address])
                .build(),
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        self.dial_with(options, dial);
    }

    pub(super) fn dial_with(&mut self, options: DialOpts, dial: Dial) {
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, dial);
            }
            Err(error) => self.dial_failed(dial, &error),
        }
    }

    pub(super) fn dial_failed(&mut self, dial: Dial, error: &SwarmDialError) {
        let now = Instant::now();
        let failure = match error {
            SwarmDialError::LocalPeerId { .. } => DialFailed::Ourselves,
            _ => DialFailed::Retry,
        };
        match dial {
            Dial::Candidate(peer) => {
                debug!(%peer, reason = describe_dial(error), "candidate not reached");
                self.discovery.outbound.failed(now, peer);
                self.discovery.look_again(now);
            }
            Dial::Bootstrap(address) => {
                if let (Some(peer), SwarmDialError::DialPeerConditionFalse(_)) = (peer_of(&address), error)
                    && self.swarm.is_connected(&peer)
                {
                    return self.discovery.bootstrap.dialed(now, &address, peer);
                }
                info!(%address, reason = describe_dial(error), "bootstrap node not reached");
                self.discovery.bootstrap.failed(now, &address, failure);
            }
            Dial::Named(target) => {
                info!(address = %target.address, reason = describe_dial(error), "peer not reached");
                self.dialer.failed(now, &target, failure);
            }
            Dial::Once(answer) => {
                let error = match error {
                    SwarmDialError::DialPeerConditionFalse(_) => DialError::AlreadyConnected,
                    error => DialError::Failed(describe_dial(error)),
                };
                // Whoever asked may have gone.
                let _ = answer.send(Err(error));
            }
        }
    }
}

/// Why a dial failed, with every address that was tried.
fn describe_dial(error: &SwarmDialError) -> String {
    match error {
        SwarmDialError::Transport(attempts) => {
            let reasons = attempts.iter().map(|(address, error)| format!("{address}: {}", describe(error)));
            reasons.collect::<Vec<_>>().join("; ")
        }
        SwarmDialError::WrongPeerId { obtained, address } => format!("{address} is another peer: {obtained}"),
        SwarmDialError::LocalPeerId { address } => format!("{address} is ourselves"),
        SwarmDialError::Denied { cause } => format!("refused by us: {}", describe_refusal(cause)),
        other => describe(other),
    }
}

/// Why a rule of ours refused a connection.
pub(super) fn describe_refusal(refusal: &ConnectionDenied) -> String {
    std::error::Error::source(refusal).map_or_else(|| refusal.to_string(), describe)
}
