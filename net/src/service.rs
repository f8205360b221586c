//! The one task that owns the swarm.
//!
//! It moves messages between peers and the node and does nothing else: no disk, no locks, no validation beyond what a message
//! shows by itself. It never waits for the node. What the node wants comes through one bounded queue; what the node should
//! know goes into bounded queues by class, and each class has its own answer to a full one (see [`NetworkEvents`]).
//!
//! | file | holds |
//! |---|---|
//! | `command` | `Command`: what the node may ask |
//! | `commands` | doing it |
//! | `dials` | dials on their way, and what became of them |
//! | `discovery` | finding peers: candidates, bootstrap nodes, walks, mDNS |
//! | `exchanges` | questions that are open, ours and those of peers |
//! | `gossip` | messages on their way to the node, and verdicts on their way back |
//! | `introductions` | finding peers through rendezvous points |
//! | `peers` | who is connected, and whether it said who it is |
//! | `requests` | questions on their way to a peer or to the node, and answers on their way back |
//! | `start` | binding the addresses, and making everything that the task needs |
//! | `swarm_events` | connections that come and go |

mod command;
mod commands;
mod dials;
mod discovery;
mod exchanges;
mod gossip;
mod introductions;
mod peers;
mod requests;
mod start;
mod swarm_events;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use command::{Command, Question};
use dials::Dial;
use discovery::Discovery;
use exchanges::Exchanges;
use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, Swarm};
use peers::Peers;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

use crate::behaviour::Behaviour;
use crate::config::NetworkConfig;
use crate::counters::Counters;
use crate::event::{ConnectedPeer, GossipHeader, GossipTransaction, InboundRequest, NetworkEvents, PeerEvent};
use crate::facts::PeerTable;
use crate::gossip::{HEARTBEAT_INTERVAL, Topics};
use crate::handle::NetworkHandle;
use crate::links::LinkTable;
use crate::peer::{Dialer, PeerEventQueue};

/// How long peers may take to see that we are closing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// When nothing is due, the time until the clock is looked at again.
const IDLE: Duration = Duration::from_secs(3600);

/// A network that was started: its listeners are bound, and [`NetworkService::run`] makes it live.
#[derive(Debug)]
pub struct Network {
    /// The task to run.
    pub service: NetworkService,
    /// How to speak to it. Cheap to clone.
    pub handle: NetworkHandle,
    /// What it has to say.
    pub events: NetworkEvents,
}

/// The sending ends of [`NetworkEvents`].
#[derive(Debug)]
struct EventSenders {
    peers: mpsc::Sender<PeerEvent>,
    headers: mpsc::Sender<GossipHeader>,
    transactions: mpsc::Sender<GossipTransaction>,
    requests: mpsc::Sender<InboundRequest>,
}

/// The one task that owns the swarm.
#[must_use = "a network lives only while its service runs"]
pub struct NetworkService {
    config: NetworkConfig,
    topics: Topics,
    /// What a peer of our network says in identify.
    protocol_version: String,
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    events: EventSenders,
    exchanges: Exchanges,
    peers: Peers,
    /// Peers to be told about.
    peer_events: PeerEventQueue,
    dialer: Dialer,
    dials: HashMap<ConnectionId, Dial>,
    discovery: Discovery,
    /// Listeners that have not said yet where they listen, by their configured addresses.
    unbound: HashMap<ListenerId, Multiaddr>,
    listening: watch::Sender<Vec<Multiaddr>>,
    connected: watch::Sender<Vec<ConnectedPeer>>,
    /// Whether we take part in the network.
    active: watch::Sender<bool>,
    /// What links do, if that is controlled.
    links: Option<watch::Sender<LinkTable>>,
    counters: Arc<Counters>,
    facts: Arc<PeerTable>,
}

impl std::fmt::Debug for NetworkService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkService").field("peer", self.swarm.local_peer_id()).finish_non_exhaustive()
    }
}

impl NetworkService {
    /// Runs the network until `shutdown` completes or every [`NetworkHandle`] is gone, then closes all connections.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let peer_events = self.events.peers.clone();
        let mut heartbeat = interval(HEARTBEAT_INTERVAL);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = Instant::now();
            let dial_due = self.dial_due(now);
            self.discover(now);
            self.disconnect_overdue(now);
            let wake = [dial_due, self.peers.next_deadline(), Some(self.discovery.wake())].into_iter().flatten().min();
            tokio::select! {
                () = &mut shutdown => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                reply = self.exchanges.status.replied() => self.on_reply(reply),
                reply = self.exchanges.headers.replied() => self.on_reply(reply),
                reply = self.exchanges.blocks.replied() => self.on_reply(reply),
                reply = self.exchanges.transactions.replied() => self.on_reply(reply),
                reply = self.exchanges.compact_blocks.replied() => self.on_reply(reply),
                reply = self.exchanges.block_transactions.replied() => self.on_reply(reply),
                Ok(place) = peer_events.reserve(), if !self.peer_events.is_empty() => {
                    if let Some(event) = self.peer_events.pop() {
                        place.send(event);
                    }
                }
                // Whatever ends a turn of this loop, the next one polls the swarm, and gossipsub's heart needs that to beat.
                _ = heartbeat.tick() => {}
                () = sleep_until(wake.unwrap_or(now + IDLE).into()) => {}
            }
        }
        self.close().await;
    }

    /// Closes every connection and waits a moment for the peers to see it.
    async fn close(mut self) {
        for peer in self.swarm.connected_peers().copied().collect::<Vec<_>>() {
            // An error means that it has gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        // Who does not react will find out.
        let _ = timeout(CLOSE_TIMEOUT, closed).await;
    }
}

/// An error and what is behind it, in one line.
fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        // Some errors repeat what is behind them.
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        source = error.source();
    }
    text.replace('\n', " ")
}
