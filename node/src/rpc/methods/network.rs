//! Other nodes (Core: `rpc/net.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `added` | nodes to stay connected with |
//! | `bans` | who may not connect |
//! | `connections` | connections ended |
//! | `known_nodes` | nodes that may be dialled |
//! | `links` | links that are cut, slowed and broken |
//! | `node_address` | addresses of nodes as clients write and read them |
//! | `peer_info` | what is told of a peer |

pub(super) mod added;
pub(super) mod bans;
pub(super) mod connections;
pub(super) mod known_nodes;
pub(super) mod links;
mod node_address;
mod peer_info;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_net::protocol::Services;
use cairn_net::{Direction, NetworkHandle};
use serde::Serialize;

use crate::context::NodeContext;
use crate::network::own_status;
use crate::penalty::Reputation;
use crate::rpc::{
    Btc, Call, Category, Example, Method, ResultDoc, RpcError, RpcErrorCode, RpcResult, find_method, to_result,
};
use node_address::{network as network_of, socket_address};
use peer_info::{PEER_FIELDS, PeerView, SyncedWith};

/// The version of Bitcoin Core whose interface this is, as it counts them (Core: `CLIENT_VERSION`, `clientversion.h`).
const CLIENT_VERSION: u32 = 319_900;
/// The name that nodes tell each other (BIP14). Clients tell Bitcoin nodes from others by its start, and know what a node can do
/// by the version behind it.
const SUBVERSION: &str = concat!("/Satoshi:31.99.0/Cairn:", env!("CARGO_PKG_VERSION"), "/");
/// The version of the protocol between Bitcoin's nodes (Core: `PROTOCOL_VERSION`, `node/protocol_version.h`).
const PROTOCOL_VERSION: u32 = 70_016;
/// The networks that Core knows (Core: `GetNetworkName`, `netbase.cpp`).
const NETWORKS: [&str; 5] = ["ipv4", "ipv6", "onion", "i2p", "cjdns"];
/// What is known of an address that an interface listens at (Core: `LOCAL_IF`, `net.h`).
const LOCAL_IF: u32 = 1;
/// Seconds over which uploads are counted (Core: `MAX_UPLOAD_TIMEFRAME`, `net.h`).
const MAX_UPLOAD_TIMEFRAME: u32 = 24 * 60 * 60;

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getconnectioncount",
        category: Category::Network,
        description: "Returns the number of connections to other nodes.\n",
        parameters: &[],
        results: &[ResultDoc::number("", "The connection count")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getconnectioncount(call)),
    },
    Method {
        name: "getnettotals",
        category: Category::Network,
        description: "Returns information about network traffic, including bytes in, bytes out,\nand current system time.",
        parameters: &[],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::number("totalbytesrecv", "Total bytes received"),
                ResultDoc::number("totalbytessent", "Total bytes sent"),
                ResultDoc::time("timemillis", "Current system UNIX epoch time in milliseconds"),
                ResultDoc::object(
                    "uploadtarget",
                    "",
                    &[
                        ResultDoc::number("timeframe", "Length of the measuring timeframe in seconds"),
                        ResultDoc::number("target", "Target in bytes"),
                        ResultDoc::boolean("target_reached", "True if target is reached"),
                        ResultDoc::boolean("serve_historical_blocks", "True if serving historical blocks"),
                        ResultDoc::number("bytes_left_in_cycle", "Bytes left in current time cycle"),
                        ResultDoc::number("time_left_in_cycle", "Seconds left in current time cycle"),
                    ],
                ),
            ],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getnettotals(call)),
    },
    Method {
        name: "getnetworkinfo",
        category: Category::Network,
        description: "Returns an object containing various state info regarding P2P networking.\n",
        parameters: &[],
        results: &[ResultDoc::object("", "", NETWORK_FIELDS)],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getnetworkinfo(call)),
    },
    Method {
        name: "getpeerinfo",
        category: Category::Network,
        description: "Returns data about each connected network peer as a json array of objects.",
        parameters: &[],
        results: &[ResultDoc::array("", "", &[ResultDoc::object("", "", PEER_FIELDS)])],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getpeerinfo(call)),
    },
    Method {
        name: "ping",
        category: Category::Network,
        description: "Requests that a ping be sent to all other nodes, to measure ping time.\n\
            Results are provided in getpeerinfo.\n\
            Ping command is handled in queue with all other commands, so it measures processing backlog, not just network \
            ping.\n",
        parameters: &[],
        results: &[ResultDoc::null("", "")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(ping(call)),
    },
];

const NETWORK_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("version", "the server version"),
    ResultDoc::string("subversion", "the server subversion string"),
    ResultDoc::number("protocolversion", "the protocol version"),
    ResultDoc::hex("localservices", "the services we offer to the network"),
    ResultDoc::array(
        "localservicesnames",
        "the services we offer to the network, in human-readable form",
        &[ResultDoc::string("SERVICE_NAME", "the service name")],
    ),
    ResultDoc::boolean("localrelay", "true if transaction relay is requested from peers"),
    ResultDoc::number("timeoffset", "the time offset"),
    ResultDoc::number("connections", "the total number of connections"),
    ResultDoc::number("connections_in", "the number of inbound connections"),
    ResultDoc::number("connections_out", "the number of outbound connections"),
    ResultDoc::boolean("networkactive", "whether p2p networking is enabled"),
    ResultDoc::array(
        "networks",
        "information per network",
        &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::string("name", "network (ipv4, ipv6, onion, i2p, cjdns)"),
                ResultDoc::boolean("limited", "is the network limited using -onlynet?"),
                ResultDoc::boolean("reachable", "is the network reachable?"),
                ResultDoc::string("proxy", "(\"host:port\") the proxy that is used for this network, or empty if none"),
                ResultDoc::boolean("proxy_randomize_credentials", "Whether randomized credentials are used"),
            ],
        )],
    ),
    ResultDoc::number("relayfee", "minimum relay fee rate for transactions in BTC/kvB"),
    ResultDoc::number("incrementalfee", "minimum fee rate increment for mempool limiting or replacement in BTC/kvB"),
    ResultDoc::array(
        "localaddresses",
        "list of local addresses",
        &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::string("address", "network address"),
                ResultDoc::number("port", "network port"),
                ResultDoc::number("score", "relative score"),
            ],
        )],
    ),
    ResultDoc::array("warnings", "any network and blockchain warnings", &[ResultDoc::string("", "warning")]),
];

/// How many nodes are connected, those that came to us and those we went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Connections {
    inbound: usize,
    outbound: usize,
}

impl Connections {
    /// At this moment.
    pub(super) fn now(context: &NodeContext) -> Self {
        let peers = context.network.get().map(NetworkHandle::connected_peers).unwrap_or_default();
        let inbound = peers.iter().filter(|peer| peer.direction == Direction::Inbound).count();
        Self { inbound, outbound: peers.len() - inbound }
    }

    /// All.
    pub(super) fn count(self) -> usize {
        self.inbound + self.outbound
    }
}

/// The way to other nodes (Core: `EnsureConnman`, `rpc/server_util.cpp`).
fn network(context: &NodeContext) -> Result<&NetworkHandle, RpcError> {
    context.network.get().ok_or_else(no_network)
}

/// Who is banned (Core: `EnsureBanman`, `rpc/server_util.cpp`).
fn reputation(context: &NodeContext) -> Result<&Arc<Reputation>, RpcError> {
    context.reputation.get().ok_or_else(no_network)
}

fn no_network() -> RpcError {
    let message = "Error: Peer-to-peer functionality missing or disabled";
    RpcError::new(RpcErrorCode::ClientP2pDisabled, message)
}

/// The error for a command that there is not: the help of the method, as in Core.
fn help_of(call: &Call, method: &str) -> RpcError {
    let help = find_method(method).map(|method| method.help(call.dispatcher.rpc_port));
    RpcError::misc(help.unwrap_or_default())
}

/// Services as clients read them: 16 hexadecimal digits.
fn services_hex(services: Services) -> String {
    format!("{:016x}", services.0)
}

/// The names of services (Core: `serviceFlagToStr`, `protocol.cpp`).
fn services_names(services: Services) -> Vec<&'static str> {
    let names = [
        (Services::NETWORK, "NETWORK"),
        (Services::WITNESS, "WITNESS"),
        (Services::NETWORK_LIMITED, "NETWORK_LIMITED"),
    ];
    names.into_iter().filter(|(service, _)| services.contains(*service)).map(|(_, name)| name).collect()
}

async fn getconnectioncount(call: Call) -> RpcResult {
    to_result(&Connections::now(&call.context).count())
}

async fn getnettotals(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct UploadTarget {
        timeframe: u32,
        target: u64,
        target_reached: bool,
        serve_historical_blocks: bool,
        bytes_left_in_cycle: u64,
        time_left_in_cycle: u64,
    }
    #[derive(Serialize)]
    struct NetTotals {
        totalbytesrecv: u64,
        totalbytessent: u64,
        timemillis: u64,
        uploadtarget: UploadTarget,
    }
    let traffic = call.context.network.get().map(NetworkHandle::traffic).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    to_result(&NetTotals {
        totalbytesrecv: traffic.received,
        totalbytessent: traffic.sent,
        timemillis: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        // There is no target, so that none is reached.
        uploadtarget: UploadTarget {
            timeframe: MAX_UPLOAD_TIMEFRAME,
            target: 0,
            target_reached: false,
            serve_historical_blocks: true,
            bytes_left_in_cycle: 0,
            time_left_in_cycle: 0,
        },
    })
}

async fn getnetworkinfo(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Network {
        name: &'static str,
        limited: bool,
        reachable: bool,
        proxy: &'static str,
        proxy_randomize_credentials: bool,
    }
    #[derive(Serialize)]
    struct LocalAddress {
        address: String,
        port: u16,
        score: u32,
    }
    #[derive(Serialize)]
    struct NetworkInfo {
        version: u32,
        subversion: &'static str,
        protocolversion: u32,
        localservices: String,
        localservicesnames: Vec<&'static str>,
        localrelay: bool,
        timeoffset: i64,
        networkactive: bool,
        connections: usize,
        connections_in: usize,
        connections_out: usize,
        networks: Vec<Network>,
        relayfee: Btc,
        incrementalfee: Btc,
        localaddresses: Vec<LocalAddress>,
        warnings: [&'static str; 0],
    }
    let fees = |options: &cairn_chain::mempool::MempoolOptions| {
        (options.min_relay_fee_rate.fee_per_kvb(), options.incremental_relay_fee_rate.fee_per_kvb())
    };
    let (relay, incremental) = call.context.chain.call(move |chain| fees(chain.mempool.options())).await?;
    let services = own_status(&call.context).await?.services;
    let network = call.context.network.get();
    let is_reachable = |name| network.is_some() && matches!(name, "ipv4" | "ipv6");
    let network_info = |name| Network {
        name,
        limited: !is_reachable(name),
        reachable: is_reachable(name),
        proxy: "",
        proxy_randomize_credentials: false,
    };
    let listening = network.map(NetworkHandle::listen_addresses).unwrap_or_default();
    let routable = listening.iter().filter_map(socket_address);
    let routable = routable.filter(|address| matches!(network_of(Some(address.ip())), "ipv4" | "ipv6"));
    let local = |address: std::net::SocketAddr| LocalAddress {
        address: address.ip().to_string(),
        port: address.port(),
        score: LOCAL_IF,
    };
    let connections = Connections::now(&call.context);
    to_result(&NetworkInfo {
        version: CLIENT_VERSION,
        subversion: SUBVERSION,
        protocolversion: PROTOCOL_VERSION,
        localservices: services_hex(services),
        localservicesnames: services_names(services),
        localrelay: true,
        timeoffset: 0,
        networkactive: network.is_some_and(NetworkHandle::is_network_active),
        connections: connections.count(),
        connections_in: connections.inbound,
        connections_out: connections.outbound,
        networks: NETWORKS.map(network_info).into(),
        relayfee: Btc(relay),
        incrementalfee: Btc(incremental),
        localaddresses: routable.map(local).collect(),
        warnings: [],
    })
}

async fn getpeerinfo(call: Call) -> RpcResult {
    let Some(network) = call.context.network.get() else { return to_result(&[(); 0]) };
    let added: Vec<_> = network.added_peers().await?.into_iter().filter_map(|added| added.connected).collect();
    let peers = network.peer_facts();
    let tips: Vec<_> = peers.iter().map(|facts| facts.status.as_ref().map(|status| status.tip_hash)).collect();
    let synced = call.context.chain.call(move |chain| {
        let synced = |tip: Option<_>| tip.and_then(|tip| SyncedWith::find(&chain.chainstate, &tip));
        tips.into_iter().map(synced).collect::<Vec<_>>()
    });
    let synced = synced.await?;
    let views: Vec<_> = peers
        .iter()
        .zip(synced)
        .map(|(facts, synced)| PeerView::new(facts, added.contains(&facts.peer.peer), synced))
        .collect();
    to_result(&views)
}

async fn ping(_: Call) -> RpcResult {
    to_result(&())
}

#[cfg(test)]
mod tests;
