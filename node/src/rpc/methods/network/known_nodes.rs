//! Nodes that may be dialled (Core: `getnodeaddresses`, `rpc/net.cpp`).

use cairn_net::{Multiaddr, PeerFacts};
use serde::Serialize;

use super::network;
use super::node_address::{network as network_of, socket_address};
use crate::penalty::unix_time;
use crate::rpc::{Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result};

/// The networks whose addresses a client may ask for (Core: `GetNetworkNames`, `netbase.cpp`).
const NETWORKS: [&str; 5] = ["ipv4", "ipv6", "onion", "i2p", "cjdns"];

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getnodeaddresses",
    category: Category::Network,
    description: "Return known addresses, after filtering for quality and recency.\n\
        These can potentially be used to find new peers in the network.\n\
        The total number of addresses known to the node may be higher.",
    parameters: &[
        Parameter::number(
            "count",
            Presence::Default("1"),
            "The maximum number of addresses to return. Specify 0 to return all known addresses.",
        ),
        Parameter::string(
            "network",
            Presence::Hint("all networks"),
            "Return only addresses of the specified network. Can be one of: ipv4, ipv6, onion, i2p, cjdns.",
        ),
    ],
    results: &[ResultDoc::array(
        "",
        "",
        &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::time(
                    "time",
                    "The UNIX epoch time when the node was last seen; 0 if it was not, since the start",
                ),
                ResultDoc::number("services", "The services offered by the node; 0 if they are not known"),
                ResultDoc::string("address", "The address of the node"),
                ResultDoc::number("port", "The port number of the node"),
                ResultDoc::string(
                    "network",
                    "The network (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable) the node connected through",
                ),
                ResultDoc::string(
                    "multiaddress",
                    "The address as libp2p writes it, with the key that the node is known by",
                ),
            ],
        )],
    )],
    examples: &[Example::cli("8"), Example::cli("4 \"ipv6\""), Example::rpc("8"), Example::rpc("4, \"ipv6\"")],
    handler: |call| Box::pin(getnodeaddresses(call)),
}];

async fn getnodeaddresses(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct KnownNode {
        time: u64,
        services: u64,
        address: String,
        port: u16,
        network: &'static str,
        multiaddress: String,
    }
    let count: i32 = call.arguments.get("count")?;
    let count = usize::try_from(count).map_err(|_| RpcError::invalid_parameter("Address count out of range"))?;
    let wanted: Option<String> = call.arguments.optional("network")?;
    if let Some(wanted) = wanted.as_ref().filter(|wanted| !NETWORKS.contains(&wanted.as_str())) {
        return Err(RpcError::invalid_parameter(format!("Network not recognized: {wanted}")));
    }
    let network = network(&call.context)?;
    let connected = network.peer_facts();
    let view = |(peer, address): (_, Multiaddr)| {
        let socket = socket_address(&address)?;
        let facts = connected.iter().find(|facts: &&PeerFacts| facts.peer.peer == peer);
        let services = facts.and_then(|facts| facts.status.as_ref()).map_or(0, |status| status.services.0);
        Some(KnownNode {
            // Who is connected is seen now.
            time: facts.map_or(0, |_| unix_time()),
            services,
            address: socket.ip().to_string(),
            port: socket.port(),
            network: network_of(Some(socket.ip())),
            multiaddress: format!("{address}/p2p/{peer}"),
        })
    };
    let known = network.addresses().await?.into_iter().filter_map(view);
    let meant = known.filter(|known| wanted.as_deref().is_none_or(|wanted| known.network == wanted));
    let nodes: Vec<_> = meant.take(if count == 0 { usize::MAX } else { count }).collect();
    to_result(&nodes)
}
