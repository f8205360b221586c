//! Everything that runs on each connection, as one libp2p behaviour.

// What the derive makes is as visible as the struct, and has no documentation.
#![allow(missing_docs)]

use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, identify, ping};

use crate::config::NetworkConfig;
use crate::gossip::{Gossipsub, Topics, gossipsub};
use crate::names::NetworkNames;
use crate::protocol::{
    BlockTransactions, Blocks, CompactBlocks, Exchange, FrameCodec, Headers, StatusExchange, Transactions,
};

/// How often a silent connection is tested.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long a peer may take to answer a ping (Core allows twenty minutes: `TIMEOUT_INTERVAL`, `net.h`; its pings wait behind
/// blocks, ours have a stream of their own).
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Questions and answers of one protocol.
pub(crate) type ExchangeBehaviour<E> = request_response::Behaviour<FrameCodec<E>>;

/// Everything that runs on each connection. The gatekeepers stand first: a connection is refused by the first that does not
/// want it. Discovery (Kademlia, mDNS, rendezvous) will stand behind `ping`.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) gossip: Gossipsub,
    pub(crate) status: ExchangeBehaviour<StatusExchange>,
    pub(crate) headers: ExchangeBehaviour<Headers>,
    pub(crate) blocks: ExchangeBehaviour<Blocks>,
    pub(crate) transactions: ExchangeBehaviour<Transactions>,
    pub(crate) compact_blocks: ExchangeBehaviour<CompactBlocks>,
    pub(crate) block_transactions: ExchangeBehaviour<BlockTransactions>,
}

/// What identify must say for a peer to be of the network.
pub(crate) fn protocol_version(names: &NetworkNames) -> String {
    names.name("id", 1)
}

impl Behaviour {
    pub(crate) fn new(config: &NetworkConfig, topics: &Topics, key: &Keypair) -> Self {
        let limits = &config.limits;
        let connection_limits = ConnectionLimits::default()
            .with_max_established(Some(limits.max_connections))
            .with_max_established_incoming(Some(limits.max_inbound))
            .with_max_established_per_peer(Some(limits.max_connections_per_peer))
            .with_max_pending_incoming(Some(limits.max_pending_inbound))
            .with_max_pending_outgoing(Some(limits.max_pending_outbound));
        let identify = identify::Config::new(protocol_version(&config.names), key.public())
            .with_agent_version(config.user_agent.clone())
            // Private addresses mean nothing to strangers, and say something about us.
            .with_hide_listen_addrs(!config.is_local);
        Self {
            limits: connection_limits::Behaviour::new(connection_limits),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT)),
            gossip: gossipsub(topics),
            status: exchange(&config.names),
            headers: exchange(&config.names),
            blocks: exchange(&config.names),
            transactions: exchange(&config.names),
            compact_blocks: exchange(&config.names),
            block_transactions: exchange(&config.names),
        }
    }
}

fn exchange<E: Exchange>(names: &NetworkNames) -> ExchangeBehaviour<E> {
    let protocol = StreamProtocol::try_from_owned(names.name(E::NAME, E::VERSION)).expect("names start with a slash");
    let config = request_response::Config::default()
        .with_request_timeout(E::TIMEOUT)
        // Room for both directions, and to tell a peer that asks too much that it does. What is beyond is cut off.
        .with_max_concurrent_streams(4 * E::MAX_IN_FLIGHT + 8);
    request_response::Behaviour::with_codec(FrameCodec::new(), [(protocol, ProtocolSupport::Full)], config)
}
