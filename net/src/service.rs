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
//! | `exchanges` | questions that are open, ours and those of peers |
//! | `gossip` | messages on their way to the node, and verdicts on their way back |
//! | `peers` | who is connected, and whether it said who it is |
//! | `requests` | questions on their way to a peer or to the node, and answers on their way back |
//! | `swarm_events` | connections that come and go |

mod command;
mod commands;
mod exchanges;
mod gossip;
mod peers;
mod requests;
mod swarm_events;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use command::{Command, Question};
use exchanges::Exchanges;
use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, Swarm, swarm};
use peers::Peers;
use swarm_events::Dial;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

use crate::behaviour::{Behaviour, protocol_version};
use crate::config::NetworkConfig;
use crate::counters::Counters;
use crate::error::NetworkError;
use crate::event::{ConnectedPeer, GossipHeader, GossipTransaction, InboundRequest, NetworkEvents, PeerEvent};
use crate::gossip::{HEARTBEAT_INTERVAL, Topics};
use crate::handle::NetworkHandle;
use crate::peer::{Dialer, PeerEventQueue, Target};
use crate::transport::{check_port_is_free, transport};

/// Commands that wait for the service.
const COMMAND_QUEUE: usize = 256;

/// Events about peers that wait for the node. What is beyond waits in a [`PeerEventQueue`].
const PEER_EVENT_QUEUE: usize = 64;

/// How long the listeners may take to say where they listen.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Listeners that have not said yet where they listen, by their configured addresses.
    unbound: HashMap<ListenerId, Multiaddr>,
    listening: watch::Sender<Vec<Multiaddr>>,
    connected: watch::Sender<Vec<ConnectedPeer>>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for NetworkService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkService").field("peer", self.swarm.local_peer_id()).finish_non_exhaustive()
    }
}

impl Network {
    /// Starts a network: binds every address of `config.listen`. Nothing moves before [`NetworkService::run`]. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on, or the transports cannot be set up.
    pub async fn start(config: NetworkConfig, key: Keypair) -> Result<Self, NetworkError> {
        let topics = Topics::new(&config.names);
        let behaviour = Behaviour::new(&config, &topics, &key);
        let transport = transport(&key, config.quic, config.dns)?;
        let swarm_config = swarm::Config::with_tokio_executor()
            // A question takes one round trip instead of two.
            .with_substream_upgrade_protocol_override(Version::V1Lazy)
            // Peers stay until one side closes.
            .with_idle_connection_timeout(Duration::MAX);
        let swarm = Swarm::new(transport, behaviour, key.public().to_peer_id(), swarm_config);

        let limits = &config.limits;
        let (commands_in, commands) = mpsc::channel(COMMAND_QUEUE);
        let (peers, peers_out) = mpsc::channel(PEER_EVENT_QUEUE);
        let (headers, headers_out) = mpsc::channel(limits.header_queue);
        let (transactions, transactions_out) = mpsc::channel(limits.transaction_queue);
        let (requests, requests_out) = mpsc::channel(limits.request_queue);
        let (listening, connected) = (watch::Sender::default(), watch::Sender::default());
        let counters = Arc::<Counters>::default();
        let handle = NetworkHandle::new(
            *swarm.local_peer_id(),
            commands_in,
            listening.subscribe(),
            connected.subscribe(),
            Arc::clone(&counters),
        );

        let mut service = NetworkService {
            protocol_version: protocol_version(&config.names),
            topics,
            swarm,
            commands,
            events: EventSenders { peers, headers, transactions, requests },
            exchanges: Exchanges::default(),
            peers: Peers::default(),
            peer_events: PeerEventQueue::default(),
            dialer: Dialer::new(),
            dials: HashMap::new(),
            unbound: HashMap::new(),
            listening,
            connected,
            counters,
            config,
        };
        service.listen().await?;
        service.subscribe();
        let now = Instant::now();
        for address in &service.config.peers {
            service.dialer.add(now, Target { address: address.clone() });
        }
        let events = NetworkEvents {
            peers: peers_out,
            headers: headers_out,
            transactions: transactions_out,
            requests: requests_out,
        };
        Ok(Self { service, handle, events })
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
            self.dial_due(now);
            self.disconnect_overdue(now);
            let wake = [self.dialer.next_due(), self.peers.next_deadline()].into_iter().flatten().min();
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

    /// Binds the configured addresses, and waits until each has said where it is.
    async fn listen(&mut self) -> Result<(), NetworkError> {
        for address in self.config.listen.clone() {
            let failed = |error: &dyn Error| NetworkError::Listen { address: address.clone(), reason: describe(error) };
            check_port_is_free(&address).map_err(|error| failed(&error))?;
            let listener = self.swarm.listen_on(address.clone()).map_err(|error| failed(&error))?;
            self.unbound.insert(listener, address);
        }
        let bound = async {
            while !self.unbound.is_empty() {
                let event = self.swarm.select_next_some().await;
                if let Some(failure) = self.listener_failure(&event) {
                    return Err(failure);
                }
                self.on_swarm_event(event);
            }
            Ok(())
        };
        match timeout(LISTEN_TIMEOUT, bound).await {
            Ok(result) => result,
            Err(_) => {
                let address = self.unbound.drain().next().expect("a listener was waited for").1;
                let reason = format!("no answer within {} s", LISTEN_TIMEOUT.as_secs());
                Err(NetworkError::Listen { address, reason })
            }
        }
    }

    fn subscribe(&mut self) {
        let topic = self.topics.header.clone();
        self.swarm.behaviour_mut().gossip.subscribe(&topic).expect("the topic is on the whitelist");
        self.relay_transactions(self.config.relay_transactions);
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
