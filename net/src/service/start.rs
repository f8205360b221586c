//! Binding the addresses, and making everything that the task needs.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Swarm, swarm};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::discovery::Discovery;
use super::exchanges::Exchanges;
use super::peers::Peers;
use super::{EventSenders, Network, NetworkService, describe};
use crate::behaviour::{Behaviour, protocol_version};
use crate::config::{NetworkConfig, Role};
use crate::counters::Counters;
use crate::error::NetworkError;
use crate::event::NetworkEvents;
use crate::facts::PeerTable;
use crate::gossip::Topics;
use crate::handle::{NetworkHandle, Shared};
use crate::links::LinkTable;
use crate::peer::{Dialer, PeerEventQueue, Target};
use crate::traffic::TrafficCounts;
use crate::transport::{check_port_is_free, transport};

/// Commands that wait for the service.
const COMMAND_QUEUE: usize = 256;

/// Events about peers that wait for the node. What is beyond waits in a [`PeerEventQueue`].
const PEER_EVENT_QUEUE: usize = 64;

/// How long the listeners may take to say where they listen.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

impl Network {
    /// Starts a network: binds every address of `config.listen`. Nothing moves before [`NetworkService::run`]. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on, or the transports cannot be set up.
    pub async fn start(config: NetworkConfig, key: Keypair) -> Result<Self, NetworkError> {
        let topics = Topics::new(&config.names);
        let behaviour = Behaviour::new(&config, &topics, &key)?;
        let traffic = Arc::<TrafficCounts>::default();
        let links = config.link_control.then(watch::Sender::<LinkTable>::default);
        let links_out = links.as_ref().map(watch::Sender::subscribe);
        let transport = transport(&key, &config, Arc::clone(&traffic), links_out.clone())?;
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
        let (active, counters) = (watch::Sender::new(true), Arc::<Counters>::default());
        let facts = Arc::new(PeerTable::new(traffic));
        let shared = Shared {
            listening: listening.subscribe(),
            connected: connected.subscribe(),
            active: active.subscribe(),
            links: links_out,
            counters: Arc::clone(&counters),
            facts: Arc::clone(&facts),
        };
        let handle = NetworkHandle::new(*swarm.local_peer_id(), commands_in, shared);

        let now = Instant::now();
        let mut service = NetworkService {
            discovery: Discovery::new(now, *swarm.local_peer_id(), &config)?,
            protocol_version: protocol_version(&config.names),
            topics,
            swarm,
            commands,
            events: EventSenders { peers, headers, transactions, requests },
            exchanges: Exchanges::default(),
            peers: Peers::default(),
            peer_events: PeerEventQueue::default(),
            dialer: Dialer::new(config.is_local),
            dials: HashMap::new(),
            unbound: HashMap::new(),
            listening,
            connected,
            active,
            links,
            counters,
            facts,
            config,
        };
        service.listen().await?;
        service.subscribe();
        for address in service.config.peers.iter().chain(&service.config.rendezvous) {
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
    /// Binds the configured addresses, and waits until each has said where it is.
    async fn listen(&mut self) -> Result<(), NetworkError> {
        for address in self.config.external.clone() {
            self.swarm.add_external_address(address);
        }
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
        if self.config.role == Role::Introducer {
            return;
        }
        let topic = self.topics.header.clone();
        self.swarm.behaviour_mut().gossip.subscribe(&topic).expect("the topic is on the whitelist");
        self.relay_transactions(self.config.relay_transactions);
    }
}
