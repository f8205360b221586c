//! Other nodes (Core: `rpc/net.cpp`). There are none yet, and nothing is said of any.
//!
//! | file | holds |
//! |---|---|
//! | `peer_info` | what is told of a peer |

mod peer_info;

use std::time::{SystemTime, UNIX_EPOCH};

use cairn_net::{Direction, NetworkHandle};
use serde::Serialize;

use crate::context::NodeContext;
use crate::rpc::{Btc, Call, Category, Example, Method, ResultDoc, RpcError, RpcResult, to_result};
use peer_info::{PEER_FIELDS, PeerView};

/// The version of Bitcoin Core whose interface this is, as it counts them (Core: `CLIENT_VERSION`, `clientversion.h`).
const CLIENT_VERSION: u32 = 319_900;
/// The name that nodes tell each other (BIP14). Clients tell Bitcoin nodes from others by its start, and know what a node can do
/// by the version behind it.
const SUBVERSION: &str = concat!("/Satoshi:31.99.0/Cairn:", env!("CARGO_PKG_VERSION"), "/");
/// The version of the protocol between Bitcoin's nodes (Core: `PROTOCOL_VERSION`, `node/protocol_version.h`).
const PROTOCOL_VERSION: u32 = 70_016;
/// The networks that Core knows (Core: `GetNetworkName`, `netbase.cpp`).
const NETWORKS: [&str; 5] = ["ipv4", "ipv6", "onion", "i2p", "cjdns"];
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
    if Connections::now(&call.context).count() > 0 {
        // A number that is not known is better not told.
        return Err(RpcError::misc("Bytes to and from peers are not counted yet"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    to_result(&NetTotals {
        totalbytesrecv: 0,
        totalbytessent: 0,
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
    struct NetworkInfo {
        version: u32,
        subversion: &'static str,
        protocolversion: u32,
        localservices: String,
        localservicesnames: [&'static str; 0],
        localrelay: bool,
        timeoffset: i64,
        networkactive: bool,
        connections: usize,
        connections_in: usize,
        connections_out: usize,
        networks: Vec<Network>,
        relayfee: Btc,
        incrementalfee: Btc,
        localaddresses: [(); 0],
        warnings: [&'static str; 0],
    }
    let fees = |options: &cairn_chain::mempool::MempoolOptions| {
        (options.min_relay_fee_rate.fee_per_kvb(), options.incremental_relay_fee_rate.fee_per_kvb())
    };
    let (relay, incremental) = call.context.chain.call(move |chain| fees(chain.mempool.options())).await?;
    let network =
        |name| Network { name, limited: true, reachable: false, proxy: "", proxy_randomize_credentials: false };
    let connections = Connections::now(&call.context);
    to_result(&NetworkInfo {
        version: CLIENT_VERSION,
        subversion: SUBVERSION,
        protocolversion: PROTOCOL_VERSION,
        localservices: format!("{:016x}", 0),
        localservicesnames: [],
        localrelay: true,
        timeoffset: 0,
        networkactive: call.context.network.get().is_some(),
        connections: connections.count(),
        connections_in: connections.inbound,
        connections_out: connections.outbound,
        networks: NETWORKS.map(network).into(),
        relayfee: Btc(relay),
        incrementalfee: Btc(incremental),
        localaddresses: [],
        warnings: [],
    })
}

async fn getpeerinfo(call: Call) -> RpcResult {
    let peers = call.context.network.get().map(NetworkHandle::connected_peers).unwrap_or_default();
    let views: Vec<_> = peers.iter().map(PeerView::new).collect();
    to_result(&views)
}

async fn ping(_: Call) -> RpcResult {
    to_result(&())
}

#[cfg(test)]
mod tests;
