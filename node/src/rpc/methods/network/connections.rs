//! Connections ended, all of them or one (Core: `disconnectnode`, `setnetworkactive`, `rpc/net.cpp`).

use super::network;
use super::node_address::is_meant;
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "disconnectnode",
        category: Category::Network,
        description: "Immediately disconnects from the specified peer node.\n\
            \nStrictly one out of 'address' and 'nodeid' can be provided to identify the node.\n\
            \nTo disconnect by nodeid, either set 'address' to the empty string, or call using the named 'nodeid' argument only.\n",
        parameters: &[
            Parameter::string(
                "address",
                Presence::Hint("fallback to nodeid"),
                "The IP address/port of the node, its multiaddress, or the key that it is known by",
            ),
            Parameter::number(
                "nodeid",
                Presence::Hint("fallback to address"),
                "The node ID (see getpeerinfo for node IDs)",
            ),
        ],
        results: &[ResultDoc::null("", "")],
        examples: &[
            Example::cli("\"192.168.0.6:8333\""),
            Example::cli("\"\" 1"),
            Example::rpc("\"192.168.0.6:8333\""),
            Example::rpc("\"\", 1"),
        ],
        handler: |call| Box::pin(disconnectnode(call)),
    },
    Method {
        name: "setnetworkactive",
        category: Category::Network,
        description: "Disable/enable all p2p network activity.\n",
        parameters: &[Parameter::boolean("state", Presence::Required, "true to enable networking, false to disable")],
        results: &[ResultDoc::boolean("", "The value that was passed in")],
        examples: &[],
        handler: |call| Box::pin(setnetworkactive(call)),
    },
];

async fn disconnectnode(call: Call) -> RpcResult {
    let network = network(&call.context)?;
    let (address, id): (Option<String>, Option<i64>) =
        (call.arguments.optional("address")?, call.arguments.optional("nodeid")?);
    let peers = network.peer_facts();
    let meant: Vec<_> = match (address, id) {
        (Some(address), None) => peers.into_iter().filter(|facts| is_meant(facts, &address)).collect(),
        (address, Some(id)) if address.as_ref().is_none_or(String::is_empty) => {
            peers.into_iter().filter(|facts| i64::try_from(facts.id) == Ok(id)).collect()
        }
        _ => {
            let message = "Only one of address and nodeid should be provided.";
            return Err(RpcError::new(RpcErrorCode::InvalidParams, message));
        }
    };
    if meant.is_empty() {
        return Err(RpcError::new(RpcErrorCode::ClientNodeNotConnected, "Node not found in connected nodes"));
    }
    for facts in meant {
        network.disconnect(facts.peer.peer).await?;
    }
    to_result(&())
}

async fn setnetworkactive(call: Call) -> RpcResult {
    let network = network(&call.context)?;
    network.set_network_active(call.arguments.get("state")?).await?;
    to_result(&network.is_network_active())
}
