//! Cairn's peer-to-peer network over libp2p. It knows nothing of chain, storage or wallet: those are `cairn-node`'s to join.
//!
//! It guarantees:
//!
//! - Two networks whose rules differ in anything share no name, so their nodes have nothing to say to each other.
//! - Every queue, list, frame and rate has a limit, and a limit is checked before anything is reserved or done.
//! - The task that owns the connections never waits for the node, and the node never waits for a peer without a deadline.
//! - No gossip is forwarded before the node has judged it.
//!
//! [`Network::start`] binds the addresses; [`NetworkService::run`] is the task; [`NetworkHandle`] speaks to it;
//! [`NetworkEvents`] is what it has to say.
//!
//! | file | holds |
//! |---|---|
//! | `banned` | [`Banned`]: whom a ban is for |
//! | `behaviour` | everything that runs on each connection, as one libp2p behaviour |
//! | `config` | [`NetworkConfig`]: what a node must be told |
//! | `counters` | [`Counters`]: what the service counted |
//! | `error` | what can go wrong between the node and its network |
//! | `event` | [`NetworkEvents`]: peers, headers, transactions, requests |
//! | `facts` | [`PeerFacts`]: what is known of each connected peer |
//! | `gossip` | topics, identities of messages, settings, checks at the edge |
//! | `handle` | [`NetworkHandle`] |
//! | `identity` | the key that a node is known by |
//! | `limits` | [`Limits`]: what peers can make us do |
//! | `links` | [`LinkConditions`]: what a link does to the bytes that are sent over it |
//! | `names` | [`NetworkNames`]: what protocols and topics are called |
//! | `peer` | decisions about peers, without sockets or clocks |
//! | `pre_shared_key` | [`PreSharedKey`]: the secret of a private network |
//! | `protocol` | questions and answers: the frames, and how they travel |
//! | `service` | the one task that owns the swarm |
//! | `subnet` | [`Subnet`]: ranges of IP addresses |
//! | `traffic` | [`Traffic`]: bytes that came and went |
//! | `transport` | TCP, Noise, Yamux, QUIC, names, private networks, shaped links |

mod banned;
mod behaviour;
mod config;
mod counters;
mod error;
mod event;
mod facts;
mod gossip;
mod handle;
mod identity;
mod limits;
mod links;
mod names;
mod peer;
mod pre_shared_key;
pub mod protocol;
mod service;
mod subnet;
mod traffic;
mod transport;

pub use banned::{Banned, ParseBannedError};
pub use config::{DEFAULT_OUTBOUND_TARGET, NetworkConfig, Role};
pub use counters::{Counter, Counters};
pub use error::{DialError, InvalidAnswer, LinkError, NetworkError, NetworkStopped, PublishError, RequestError};
pub use event::{
    ConnectedPeer, Direction, GossipHeader, GossipTransaction, InboundRequest, NetworkEvents, PeerEvent, Reply,
    Violation,
};
pub use facts::{PeerFacts, TransportKind};
pub use gossip::{Acceptance, HeaderError, ValidationToken};
pub use handle::{AddedPeer, NetworkHandle};
pub use identity::{IdentityError, load_or_create_identity};
pub use libp2p::identity::Keypair;
pub use libp2p::{Multiaddr, PeerId};
pub use limits::{Limits, Quota};
pub use links::{InvalidLinkConditions, LinkConditions, LinkTable, MIN_BANDWIDTH};
pub use names::NetworkNames;
pub use peer::is_global;
pub use pre_shared_key::{PreSharedKey, PreSharedKeyError};
pub use service::{Network, NetworkService};
pub use subnet::{ParseSubnetError, Subnet};
pub use traffic::Traffic;
