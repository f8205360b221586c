//! Where the chain stands (Core: `getblockchaininfo`, `getdifficulty`, `getchainstates`, `rpc/blockchain.cpp`).

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, DATABASE_CACHE};
use cairn_chain::pow::{Target, Work, decode_compact};
use serde::Serialize;

use super::header::difficulty;
use crate::rpc::{
    Call, Category, DisplayString, Example, HexBytes, Method, Real, ResultDoc, RpcError, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getblockchaininfo",
        category: Category::Blockchain,
        description: "Returns an object containing various state info regarding blockchain processing.",
        parameters: &[],
        results: &[ResultDoc::object("", "", CHAIN_FIELDS)],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getblockchaininfo(call)),
    },
    Method {
        name: "getdifficulty",
        category: Category::Blockchain,
        description: "Returns the proof-of-work difficulty as a multiple of the minimum difficulty.",
        parameters: &[],
        results: &[ResultDoc::number("", "the proof-of-work difficulty as a multiple of the minimum difficulty.")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getdifficulty(call)),
    },
    Method {
        name: "getchainstates",
        category: Category::Blockchain,
        description: "Return information about chainstates.",
        parameters: &[],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::number("headers", "the number of headers seen so far"),
                ResultDoc::array(
                    "chainstates",
                    "list of the chainstates ordered by work, with the most-work (active) chainstate last",
                    &[ResultDoc::object("", "", CHAINSTATE_FIELDS)],
                ),
            ],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getchainstates(call)),
    },
];

const CHAIN_FIELDS: &[ResultDoc] = &[
    ResultDoc::string("chain", "current network name (main, test, testnet4, signet, regtest)"),
    ResultDoc::number("blocks", "the height of the most-work fully-validated chain. The genesis block has height 0"),
    ResultDoc::number("headers", "the current number of headers we have validated"),
    ResultDoc::string("bestblockhash", "the hash of the currently best block"),
    ResultDoc::hex("bits", "nBits: compact representation of the block difficulty target"),
    ResultDoc::hex("target", "the difficulty target"),
    ResultDoc::number("difficulty", "the current difficulty"),
    ResultDoc::time("time", "the block time expressed in UNIX epoch time"),
    ResultDoc::time("mediantime", "the median block time expressed in UNIX epoch time"),
    ResultDoc::number("verificationprogress", "estimate of verification progress [0..1]"),
    ResultDoc::boolean(
        "initialblockdownload",
        "(debug information) estimate of whether this node is in Initial Block Download mode",
    ),
    ResultDoc::hex("chainwork", "total amount of work in active chain, in hexadecimal"),
    ResultDoc::number("size_on_disk", "the estimated size of the block and undo files on disk"),
    ResultDoc::boolean("pruned", "if the blocks are subject to pruning"),
    ResultDoc::number(
        "pruneheight",
        "the first block unpruned, all previous blocks were pruned (only present if pruning is enabled)",
    )
    .optional(),
    ResultDoc::boolean(
        "automatic_pruning",
        "whether automatic pruning is enabled (only present if pruning is enabled)",
    )
    .optional(),
    ResultDoc::number(
        "prune_target_size",
        "the target size used by pruning (only present if automatic pruning is enabled)",
    )
    .optional(),
    ResultDoc::hex(
        "signet_challenge",
        "the block challenge (aka. block script), in hexadecimal (only present if the current network is a signet)",
    )
    .optional(),
    ResultDoc::array("warnings", "any network and blockchain warnings", &[ResultDoc::string("", "warning")]),
];

/// Core: `RPCHelpForChainstate`.
const CHAINSTATE_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("blocks", "number of blocks in this chainstate"),
    ResultDoc::hex("bestblockhash", "blockhash of the tip"),
    ResultDoc::hex("bits", "nBits: compact representation of the block difficulty target"),
    ResultDoc::hex("target", "The difficulty target"),
    ResultDoc::number("difficulty", "difficulty of the tip"),
    ResultDoc::number("verificationprogress", "progress towards the network tip"),
    ResultDoc::hex("snapshot_blockhash", "the base block of the snapshot this chainstate is based on, if any")
        .optional(),
    ResultDoc::number("coins_db_cache_bytes", "size of the coinsdb cache"),
    ResultDoc::number("coins_tip_cache_bytes", "size of the coinstip cache"),
    ResultDoc::boolean(
        "validated",
        "whether the chainstate is fully validated. True if all blocks in the chainstate were validated, false if the chain \
         is based on a snapshot and the snapshot has not yet been validated.",
    ),
];

async fn getblockchaininfo(call: Call) -> RpcResult {
    let view = call.context.chain.call(|chain| ChainView::of(&chain.chainstate)).await?;
    to_result(&view?)
}

async fn getdifficulty(call: Call) -> RpcResult {
    let tip = call.context.chain.call(|chain| TipView::of(&chain.chainstate)).await?;
    to_result(&tip?.difficulty)
}

async fn getchainstates(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct ChainstatesView {
        headers: u32,
        chainstates: [ChainstateView; 1],
    }
    #[derive(Serialize)]
    struct ChainstateView {
        blocks: u32,
        bestblockhash: DisplayString<BlockHash>,
        #[serde(flatten)]
        tip: TipView,
        verificationprogress: Real,
        coins_db_cache_bytes: u64,
        coins_tip_cache_bytes: usize,
        validated: bool,
    }
    let view = call.context.chain.call(|chain| {
        let chainstate = &chain.chainstate;
        let tip = chainstate.tip();
        let active = ChainstateView {
            blocks: tip.height,
            bestblockhash: DisplayString(tip.hash),
            tip: TipView::of(chainstate)?,
            verificationprogress: Real(chainstate.verification_progress()),
            coins_db_cache_bytes: DATABASE_CACHE,
            coins_tip_cache_bytes: chainstate.options().cache_bytes,
            validated: true,
        };
        Ok::<_, RpcError>(ChainstatesView { headers: chainstate.best_header().height, chainstates: [active] })
    });
    to_result(&view.await??)
}

/// How hard the tip was to find.
#[derive(Debug, Serialize)]
struct TipView {
    bits: String,
    target: DisplayString<Target>,
    difficulty: Real,
}

impl TipView {
    fn of(chainstate: &Chainstate) -> Result<Self, RpcError> {
        let hash = chainstate.tip().hash;
        let tip = chainstate.lookup(&hash).ok_or_else(|| RpcError::internal("the tip is not in the index"))?;
        let bits = tip.header.bits;
        Ok(Self {
            bits: format!("{:08x}", bits.to_consensus()),
            target: DisplayString(Target::new(decode_compact(bits).value)),
            difficulty: Real(difficulty(bits)),
        })
    }
}

#[derive(Debug, Serialize)]
struct ChainView {
    chain: &'static str,
    blocks: u32,
    headers: u32,
    bestblockhash: DisplayString<BlockHash>,
    #[serde(flatten)]
    tip: TipView,
    time: u32,
    mediantime: u32,
    verificationprogress: Real,
    initialblockdownload: bool,
    chainwork: DisplayString<Work>,
    size_on_disk: u64,
    pruned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pruneheight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic_pruning: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prune_target_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signet_challenge: Option<HexBytes>,
    warnings: [String; 0],
}

impl ChainView {
    fn of(chainstate: &Chainstate) -> Result<Self, RpcError> {
        let params = chainstate.params();
        let status = chainstate.status()?;
        let prune_target = chainstate.options().prune_target;
        let challenge = params.consensus.signet_challenge.as_ref();
        Ok(Self {
            chain: params.rpc_name,
            blocks: status.tip.height,
            headers: status.best_header.height,
            bestblockhash: DisplayString(status.tip.hash),
            tip: TipView::of(chainstate)?,
            time: status.time,
            mediantime: status.median_time_past,
            verificationprogress: Real(chainstate.verification_progress()),
            initialblockdownload: status.is_initial_block_download,
            chainwork: DisplayString(status.work),
            size_on_disk: status.block_bytes,
            pruned: prune_target.is_some(),
            pruneheight: prune_target.map(|_| status.first_body),
            automatic_pruning: prune_target.map(|_| true),
            prune_target_size: prune_target,
            signet_challenge: challenge.map(|script| HexBytes(script.to_bytes())),
            // There is nothing yet that the node goes on after and would warn of.
            warnings: [],
        })
    }
}

#[cfg(test)]
mod tests;
