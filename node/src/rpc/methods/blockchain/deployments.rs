//! Which rules hold (Core: `getdeploymentinfo`, `rpc/blockchain.cpp`).

use bitcoin::BlockHash;
use cairn_chain::chainstate::Chainstate;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::params::{ChainParams, Deployment, DeploymentStart, MAX_ACTIVATION_HEIGHT, VersionBitsDeployment};
use cairn_chain::validation::{DeploymentInfo, block_script_flags, deployment_info};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};

/// The order of the rules (Core: `DeploymentInfo`).
const BURIED: [Deployment; 5] =
    [Deployment::Bip34, Deployment::Dersig, Deployment::Cltv, Deployment::Csv, Deployment::Segwit];

/// Core's `ALWAYS_ACTIVE` (`consensus/params.h`).
const ALWAYS_ACTIVE: i64 = -1;
/// Core's `NEVER_ACTIVE` (`consensus/params.h`).
const NEVER_ACTIVE: i64 = -2;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getdeploymentinfo",
    category: Category::Blockchain,
    description: "Returns an object containing various state info regarding deployments of consensus changes.\n\
        Consensus changes for which the new rules are enforced from genesis are not listed in \"deployments\".",
    parameters: &[Parameter::hex(
        "blockhash",
        Presence::Default("\"hash of current chain tip\""),
        "The block hash at which to query deployment state",
    )],
    results: &[ResultDoc::object(
        "",
        "",
        &[
            ResultDoc::string("hash", "requested block hash (or tip)"),
            ResultDoc::number("height", "requested block height (or tip)"),
            ResultDoc::array(
                "script_flags",
                "script verify flags for the block",
                &[ResultDoc::string("flag", "a script verify flag")],
            ),
            ResultDoc::object_dynamic(
                "deployments",
                "",
                &[ResultDoc::object("xxxx", "name of the deployment", DEPLOYMENT_FIELDS)],
            ),
        ],
    )],
    examples: &[Example::cli(""), Example::rpc("")],
    handler: |call| Box::pin(getdeploymentinfo(call)),
}];

/// Core: `RPCHelpForDeployment`.
const DEPLOYMENT_FIELDS: &[ResultDoc] = &[
    ResultDoc::string("type", "one of \"buried\", \"bip9\""),
    ResultDoc::number(
        "height",
        "height of the first block which the rules are or will be enforced (only for \"buried\" type, or \"bip9\" type with \
         \"active\" status)",
    )
    .optional(),
    ResultDoc::boolean("active", "true if the rules are enforced for the mempool and the next block"),
    ResultDoc::object("bip9", "status of bip9 softforks (only for \"bip9\" type)", VOTE_FIELDS).optional(),
];

const VOTE_FIELDS: &[ResultDoc] = &[
    ResultDoc::number(
        "bit",
        "the bit (0-28) in the block version field used to signal this softfork (only for \"started\" and \"locked_in\" \
         status)",
    )
    .optional(),
    ResultDoc::time("start_time", "the minimum median time past of a block at which the bit gains its meaning"),
    ResultDoc::time(
        "timeout",
        "the median time past of a block at which the deployment is considered failed if not yet locked in",
    ),
    ResultDoc::number("min_activation_height", "minimum height of blocks for which the rules may be enforced"),
    ResultDoc::string(
        "status",
        "status of deployment at specified block (one of \"defined\", \"started\", \"locked_in\", \"active\", \"failed\")",
    ),
    ResultDoc::number("since", "height of the first block to which the status applies"),
    ResultDoc::string("status_next", "status of deployment at the next block"),
    ResultDoc::object(
        "statistics",
        "numeric statistics about signalling for a softfork (only for \"started\" and \"locked_in\" status)",
        &[
            ResultDoc::number("period", "the length in blocks of the signalling period"),
            ResultDoc::number(
                "threshold",
                "the number of blocks with the version bit set required to activate the feature (only for \"started\" \
                 status)",
            )
            .optional(),
            ResultDoc::number(
                "elapsed",
                "the number of blocks elapsed since the beginning of the current period",
            ),
            ResultDoc::number("count", "the number of blocks with the version bit set in the current period"),
            ResultDoc::boolean(
                "possible",
                "returns false if there are not enough blocks left in this period to pass activation threshold (only for \
                 \"started\" status)",
            )
            .optional(),
        ],
    )
    .optional(),
    ResultDoc::string("signalling", "indicates blocks that signalled with a # and blocks that did not with a -")
        .optional(),
];

async fn getdeploymentinfo(call: Call) -> RpcResult {
    let hash: Option<BlockHash> = call.arguments.optional("blockhash")?;
    let view = call.context.chain.call(move |chain| DeploymentsView::of(&chain.chainstate, hash)).await?;
    to_result(&view.ok_or_else(|| RpcError::invalid_address_or_key("Block not found"))?)
}

#[derive(Serialize)]
struct DeploymentsView {
    hash: DisplayString<BlockHash>,
    height: u32,
    script_flags: Vec<&'static str>,
    deployments: Deployments,
}

impl DeploymentsView {
    /// What holds at a block, and after it; at the tip if none is named. Nothing if it is not known.
    fn of(chainstate: &Chainstate, hash: Option<BlockHash>) -> Option<Self> {
        let hash = hash.unwrap_or_else(|| chainstate.tip().hash);
        let params = chainstate.params();
        let chain = chainstate.chain_to(&hash)?;
        let height = chain.height();
        let mut script_flags: Vec<_> =
            block_script_flags(height, &hash, &params.consensus).iter_names().map(|(name, _)| name).collect();
        script_flags.sort_unstable();
        let deployments = Deployments::after(&chain, params);
        Some(Self { hash: DisplayString(hash), height, script_flags, deployments })
    }
}

/// Rules by their names, in order.
struct Deployments(Vec<(&'static str, DeploymentView)>);

#[derive(Serialize)]
struct DeploymentView {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bip9: Option<VoteView>,
}

#[derive(Serialize)]
struct VoteView {
    #[serde(skip_serializing_if = "Option::is_none")]
    bit: Option<u8>,
    start_time: i64,
    timeout: i64,
    min_activation_height: u32,
    status: &'static str,
    since: u32,
    status_next: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<StatisticsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signalling: Option<String>,
}

#[derive(Serialize)]
struct StatisticsView {
    period: u32,
    elapsed: u32,
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    possible: Option<bool>,
}

impl Deployments {
    /// What holds after the last block of a chain.
    fn after(chain: &impl HeaderChain, params: &ChainParams) -> Self {
        let height = chain.height();
        let buried = |deployment| {
            let first = params.consensus.activation.height(deployment);
            let active = params.consensus.activation.is_active_after(deployment, height);
            let view = DeploymentView { r#type: "buried", height: Some(first), active, bip9: None };
            (first <= MAX_ACTIVATION_HEIGHT).then_some((deployment.rpc_name(), view))
        };
        let mut deployments: Vec<_> = BURIED.into_iter().filter_map(buried).collect();
        if params.testdummy.start != DeploymentStart::NeverActive {
            let info = deployment_info(chain, &params.testdummy);
            let view = DeploymentView {
                r#type: "bip9",
                height: info.active_since,
                active: info.active_since.is_some_and(|since| since <= height + 1),
                bip9: Some(VoteView::of(&params.testdummy, &info)),
            };
            deployments.push(("testdummy", view));
        }
        Self(deployments)
    }
}

impl Serialize for Deployments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, view) in &self.0 {
            map.serialize_entry(name, view)?;
        }
        map.end()
    }
}

impl VoteView {
    fn of(deployment: &VersionBitsDeployment, info: &DeploymentInfo) -> Self {
        let statistics = info.statistics.map(|statistics| {
            let is_open = statistics.threshold > 0 || statistics.possible;
            StatisticsView {
                period: statistics.period,
                elapsed: statistics.elapsed,
                count: statistics.count,
                threshold: is_open.then_some(statistics.threshold),
                possible: is_open.then_some(statistics.possible),
            }
        });
        Self {
            bit: statistics.is_some().then_some(deployment.bit),
            start_time: match deployment.start {
                DeploymentStart::AlwaysActive => ALWAYS_ACTIVE,
                DeploymentStart::NeverActive => NEVER_ACTIVE,
                DeploymentStart::At(time) => time,
            },
            timeout: deployment.timeout.unwrap_or(i64::MAX),
            min_activation_height: deployment.min_activation_height,
            status: info.state.name(),
            since: info.since,
            status_next: info.next_state.name(),
            signalling: statistics
                .is_some()
                .then(|| info.signalling.iter().map(|voted| if *voted { '#' } else { '-' }).collect()),
            statistics,
        }
    }
}

#[cfg(test)]
mod tests;
