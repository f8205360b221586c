//! Links that are cut, slowed and broken, for networks on one machine. Core has no such thing.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use cairn_net::{LinkConditions, LinkError, PeerId};
use serde::Serialize;

use super::network;
use crate::rpc::{
    Call, Category, Example, JsonType, Method, Object, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode,
    RpcResult, to_result,
};

/// What stands for every peer of which nothing else is said.
const ALL: &str = "*";

/// What `bandwidth` means, to be set and to be read.
const BANDWIDTH: &str = "Bytes per second that fit through; 0 for no limit";

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getlinks",
        category: Category::Cairn,
        description: "Returns what links do to what this node sends, as setlink said.\n",
        parameters: &[],
        results: &[ResultDoc::object_dynamic(
            "",
            "",
            &[ResultDoc::object(
                "peer",
                "The link with the peer that is known by this key; under '*' those with all of which nothing else is said",
                &[
                    ResultDoc::boolean("cut", "Whether there is no link"),
                    ResultDoc::number("latency_ms", "How long a byte takes to the other end, in milliseconds"),
                    ResultDoc::number("jitter_ms", "How much longer or shorter it may take, in milliseconds"),
                    ResultDoc::number("loss", "Share of the segments that are lost, from 0 to 0.9"),
                    ResultDoc::number("bandwidth", BANDWIDTH),
                    ResultDoc::number("reset_rate", "Connections that break, per minute of their lives on average"),
                ],
            )],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getlinks(call)),
    },
    Method {
        name: "setlink",
        category: Category::Cairn,
        description: "Changes what the link with a peer does to what this node sends; connections that there are feel it at once.\n\
            For a link that is slow both ways, or cut so that neither end tries again, both nodes are told.\n\
            A link that is no longer cut is tried at once from where the peer was added (--peer, addnode).\n\
            Needs a node that runs with --link-control.\n",
        parameters: &[
            Parameter::string(
                "peer",
                Presence::Required,
                "The key that the peer is known by (getpeerinfo: peer_id), or '*' for the links with all peers, whatever was \
                 said of single ones before",
            ),
            Parameter::object(
                "conditions",
                Presence::Required,
                "What the link does. What is not named is as on a plain link: {} mends it in every way",
                &[
                    Parameter::boolean(
                        "cut",
                        Presence::Default("false"),
                        "Whether there is no link: connections break, and new ones fail",
                    ),
                    Parameter::number(
                        "latency_ms",
                        Presence::Default("0"),
                        "How long a byte takes to the other end, in milliseconds, up to 2000",
                    ),
                    Parameter::number(
                        "jitter_ms",
                        Presence::Default("0"),
                        "How much longer or shorter it may take, in milliseconds, up to 2000",
                    ),
                    Parameter::number(
                        "loss",
                        Presence::Default("0"),
                        "Share of the segments that are lost, from 0 to 0.9: they, and all behind them, come as much later as \
                         TCP takes to send them again",
                    ),
                    Parameter::number("bandwidth", Presence::Default("0"), BANDWIDTH),
                    Parameter::number(
                        "reset_rate",
                        Presence::Default("0"),
                        "Connections that break, per minute of their lives on average, up to 600. When both nodes are told, \
                         it is the sum of both rates",
                    ),
                ],
            ),
        ],
        results: &[ResultDoc::null("", "")],
        examples: &[
            Example::cli(
                "\"12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA\" '{\"latency_ms\":80,\"loss\":0.02}'",
            ),
            Example::cli("\"*\" '{\"cut\":true}'"),
            Example::rpc("\"*\", {}"),
        ],
        handler: |call| Box::pin(setlink(call)),
    },
];

/// Conditions as clients read them.
#[derive(Debug, Serialize)]
struct LinkView {
    cut: bool,
    latency_ms: u128,
    jitter_ms: u128,
    loss: f64,
    bandwidth: u64,
    reset_rate: f64,
}

impl From<LinkConditions> for LinkView {
    fn from(conditions: LinkConditions) -> Self {
        Self {
            cut: conditions.is_cut,
            latency_ms: conditions.latency.as_millis(),
            jitter_ms: conditions.jitter.as_millis(),
            loss: conditions.loss,
            bandwidth: conditions.bandwidth.map_or(0, NonZeroU64::get),
            reset_rate: conditions.reset_rate,
        }
    }
}

async fn getlinks(call: Call) -> RpcResult {
    let links = network(&call.context)?.link_conditions().ok_or_else(|| refusal(&LinkError::Uncontrolled))?;
    let single = links.peers().map(|(peer, conditions)| (peer.to_string(), LinkView::from(*conditions)));
    let all = (ALL.to_owned(), LinkView::from(links.all()));
    to_result(&single.chain([all]).collect::<BTreeMap<_, _>>())
}

async fn setlink(call: Call) -> RpcResult {
    let network = network(&call.context)?;
    let peer: String = call.arguments.get("peer")?;
    let peer: Option<PeerId> = if peer == ALL { None } else { Some(parse_peer(&peer)?) };
    let conditions = read(&call.arguments.get("conditions")?)?;
    network.set_link_conditions(peer, conditions).await.map_err(|error| refusal(&error))?;
    to_result(&())
}

fn parse_peer(text: &str) -> Result<PeerId, RpcError> {
    text.parse().map_err(|_| {
        RpcError::invalid_address_or_key(format!(
            "Error: expected the key that a peer is known by or '*', got '{text}'"
        ))
    })
}

fn read(conditions: &Object) -> Result<LinkConditions, RpcError> {
    let numbers = ["latency_ms", "jitter_ms", "loss", "bandwidth", "reset_rate"];
    let types: Vec<_> = numbers.into_iter().map(|key| (key, Some(JsonType::Number))).collect();
    conditions.check_types(&[&types[..], &[("cut", Some(JsonType::Bool))]].concat(), true, true)?;
    Ok(LinkConditions {
        is_cut: conditions.optional("cut")?.unwrap_or(false),
        latency: Duration::from_millis(conditions.optional("latency_ms")?.unwrap_or(0)),
        jitter: Duration::from_millis(conditions.optional("jitter_ms")?.unwrap_or(0)),
        loss: conditions.optional("loss")?.unwrap_or(0.0),
        bandwidth: NonZeroU64::new(conditions.optional("bandwidth")?.unwrap_or(0)),
        reset_rate: conditions.optional("reset_rate")?.unwrap_or(0.0),
    })
}

fn refusal(error: &LinkError) -> RpcError {
    match error {
        LinkError::Uncontrolled => {
            RpcError::misc("Error: links are not controlled: start the node with --link-control")
        }
        LinkError::Invalid(_) => RpcError::invalid_parameter(format!("Error: {error}")),
        LinkError::TooMany { .. } => RpcError::new(RpcErrorCode::LimitExceeded, format!("Error: {error}")),
        LinkError::Stopped(_) => RpcError::shutting_down(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::rpc::FromArgument;

    fn conditions_of(text: &str) -> Result<LinkConditions, (i32, String)> {
        let object = Object::from_argument(&RawValue::from_string(text.to_owned()).unwrap(), "conditions").unwrap();
        read(&object).map_err(|error| (error.code.number(), error.message))
    }

    #[test]
    fn what_is_not_named_is_as_on_a_plain_link() {
        assert_eq!(conditions_of("{}"), Ok(LinkConditions::default()));
        let all = r#"{"cut":true,"latency_ms":80,"jitter_ms":5,"loss":0.02,"bandwidth":125000,"reset_rate":0.5}"#;
        let expected = LinkConditions {
            is_cut: true,
            latency: Duration::from_millis(80),
            jitter: Duration::from_millis(5),
            loss: 0.02,
            bandwidth: NonZeroU64::new(125_000),
            reset_rate: 0.5,
        };
        assert_eq!(conditions_of(all), Ok(expected));
        // As it is written, so it is read.
        assert_eq!(serde_json::to_string(&LinkView::from(expected)).unwrap(), all);
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        for (text, code, message) in [
            (r#"{"latency":80}"#, -3, "Unexpected key latency"),
            (r#"{"cut":1}"#, -3, "JSON value of type number for field cut is not of expected type bool"),
            (r#"{"loss":"2%"}"#, -3, "JSON value of type string for field loss is not of expected type number"),
            (r#"{"latency_ms":-1}"#, -1, "JSON integer out of range"),
            (r#"{"bandwidth":1.5}"#, -1, "JSON integer out of range"),
            (r#"{"reset_rate":1e999}"#, -1, "JSON double out of range"),
        ] {
            assert_eq!(conditions_of(text), Err((code, message.to_owned())), "{text}");
        }
    }
}
