//! Nodes to stay connected with (Core: `addnode`, `getaddednodeinfo`, `rpc/net.cpp`).

use cairn_net::{AddedPeer, Multiaddr};
use serde::Serialize;

use super::node_address::{direction, parse, place, show, show_place};
use super::{help_of, network};
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

/// Nodes that may be added. Core has no such limit, but keeps eight of them connected (`MAX_ADDNODE_CONNECTIONS`, `net.h`).
const MAX_ADDED: usize = 1000;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "addnode",
        category: Category::Network,
        description: "Attempts to add or remove a node from the addnode list.\n\
            Or try a connection to a node once.\n\
            Nodes that were added are dialled again whenever they are not connected, until they are removed or the node ends.\n",
        parameters: &[
            Parameter::string(
                "node",
                Presence::Required,
                "The IP address/hostname optionally followed by :port of the peer to connect to, or its multiaddress",
            ),
            Parameter::string(
                "command",
                Presence::Required,
                "'add' to add a node to the list, 'remove' to remove a node from the list, 'onetry' to try a connection to \
                 the node once",
            ),
            Parameter::boolean(
                "v2transport",
                Presence::Hint("false"),
                "Attempt to connect using BIP324 v2 transport protocol, which there is not: every connection is encrypted",
            ),
        ],
        results: &[ResultDoc::null("", "")],
        examples: &[
            Example::cli("\"192.168.0.6:8333\" \"onetry\""),
            Example::cli("\"/ip4/192.168.0.6/udp/8433/quic-v1\" \"add\""),
            Example::rpc("\"192.168.0.6:8333\", \"onetry\""),
        ],
        handler: |call| Box::pin(addnode(call)),
    },
    Method {
        name: "getaddednodeinfo",
        category: Category::Network,
        description: "Returns information about the given added node, or all added nodes\n\
            (note that onetry addnodes are not listed here)\n",
        parameters: &[Parameter::string(
            "node",
            Presence::Hint("all nodes"),
            "If provided, return information about this specific node, otherwise all nodes are returned.",
        )],
        results: &[ResultDoc::array(
            "",
            "",
            &[ResultDoc::object(
                "",
                "",
                &[
                    ResultDoc::string("addednode", "The node IP address or name (as provided to addnode)"),
                    ResultDoc::boolean("connected", "If connected"),
                    ResultDoc::array(
                        "addresses",
                        "Only when connected = true",
                        &[ResultDoc::object(
                            "",
                            "",
                            &[
                                ResultDoc::string("address", "The IP and port we're connected to"),
                                ResultDoc::string("connected", "connection, inbound or outbound"),
                            ],
                        )],
                    ),
                ],
            )],
        )],
        examples: &[Example::cli("\"192.168.0.201\""), Example::rpc("\"192.168.0.201\"")],
        handler: |call| Box::pin(getaddednodeinfo(call)),
    },
];

async fn addnode(call: Call) -> RpcResult {
    let (node, command): (String, String) = (call.arguments.get("node")?, call.arguments.get("command")?);
    if !["add", "remove", "onetry"].contains(&&*command) {
        return Err(help_of(&call, "addnode"));
    }
    if call.arguments.optional("v2transport")?.unwrap_or(false) {
        let message = "Error: v2transport requested but not enabled (see -v2transport)";
        return Err(RpcError::invalid_parameter(message));
    }
    let network = network(&call.context)?;
    let address = address(&call, &node)?;
    match &*command {
        "add" => {
            let added = network.added_peers().await?;
            if added.len() >= MAX_ADDED {
                let message = format!("Error: {MAX_ADDED} nodes are added already");
                return Err(RpcError::new(RpcErrorCode::ClientNodeCapacityReached, message));
            }
            let is_new = find(&added, &address).is_none() && network.add_peer(address).await?;
            if !is_new {
                return Err(RpcError::new(RpcErrorCode::ClientNodeAlreadyAdded, "Error: Node already added"));
            }
        }
        "remove" => {
            let added = network.added_peers().await?;
            let was_there = match find(&added, &address) {
                Some(added) => network.remove_peer(added.address.clone()).await?,
                None => false,
            };
            if !was_there {
                let message = "Error: Node could not be removed. It has not been added previously.";
                return Err(RpcError::new(RpcErrorCode::ClientNodeNotAdded, message));
            }
        }
        _ => {
            let network = network.clone();
            // As in Core, which does not tell how it ends either. A dial has a deadline of its own.
            tokio::spawn(async move {
                if let Err(error) = network.dial(address).await {
                    tracing::info!(node, %error, "node not reached");
                }
            });
        }
    }
    to_result(&())
}

async fn getaddednodeinfo(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Connected {
        address: String,
        connected: &'static str,
    }
    #[derive(Serialize)]
    struct AddedNode {
        addednode: String,
        connected: bool,
        addresses: Vec<Connected>,
    }
    let network = network(&call.context)?;
    let mut added = network.added_peers().await?;
    if let Some(node) = call.arguments.optional::<String>("node")? {
        let not_added = || RpcError::new(RpcErrorCode::ClientNodeNotAdded, "Error: Node has not been added.");
        let address = parse(&node, call.context.params.default_p2p_port).ok_or_else(not_added)?;
        added = vec![find(&added, &address).ok_or_else(not_added)?.clone()];
    }
    let peers = network.peer_facts();
    let mut nodes: Vec<_> = added
        .iter()
        .map(|added| {
            let facts = peers.iter().find(|facts| Some(facts.peer.peer) == added.connected);
            let connected =
                facts.map(|facts| Connected { address: show_place(&facts.peer.address), connected: direction(facts) });
            let addresses: Vec<_> = connected.into_iter().collect();
            AddedNode { addednode: show(&added.address), connected: !addresses.is_empty(), addresses }
        })
        .collect();
    nodes.sort_by(|one, other| one.addednode.cmp(&other.addednode));
    to_result(&nodes)
}

fn address(call: &Call, node: &str) -> Result<Multiaddr, RpcError> {
    parse(node, call.context.params.default_p2p_port)
        .ok_or_else(|| RpcError::invalid_parameter(format!("Error: Invalid address of a node: {node}")))
}

/// The added node at the same place: whoever names it need not know how it was named before.
fn find<'a>(added: &'a [AddedPeer], address: &Multiaddr) -> Option<&'a AddedPeer> {
    let exact = added.iter().find(|added| added.address == *address);
    exact.or_else(|| added.iter().find(|added| place(&added.address) == place(address)))
}
