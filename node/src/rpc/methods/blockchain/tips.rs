//! Branches of the chain, and its transactions over time (Core: `getchaintips`, `getchaintxstats`, `rpc/blockchain.cpp`).

use bitcoin::BlockHash;
use cairn_chain::chainstate::{BlockLookup, Chainstate};
use serde::Serialize;

use super::header::median_time;
use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, Real, ResultDoc, RpcError, RpcResult,
    to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getchaintips",
        category: Category::Blockchain,
        description: "Return information about all known tips in the block tree, including the main chain as well as orphaned \
            branches.",
        parameters: &[],
        results: &[ResultDoc::array("", "", &[ResultDoc::object("", "", CHAIN_TIP_FIELDS)])],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getchaintips(call)),
    },
    Method {
        name: "getchaintxstats",
        category: Category::Blockchain,
        description: "Compute statistics about the total number and rate of transactions in the chain.",
        parameters: &[
            Parameter::number("nblocks", Presence::Hint("one month"), "Size of the window in number of blocks"),
            Parameter::hex("blockhash", Presence::Hint("chain tip"), "The hash of the block that ends the window."),
        ],
        results: &[ResultDoc::object("", "", TRANSACTION_STATISTICS_FIELDS)],
        examples: &[Example::cli(""), Example::rpc("2016")],
        handler: |call| Box::pin(getchaintxstats(call)),
    },
];

const CHAIN_TIP_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("height", "height of the chain tip"),
    ResultDoc::hex("hash", "block hash of the tip"),
    ResultDoc::number(
        "branchlen",
        "zero for main chain, otherwise length of branch connecting the tip to the main chain",
    ),
    ResultDoc::string(
        "status",
        "status of the chain, \"active\" for the main chain\n\
         Possible values for status:\n\
         1.  \"invalid\"               This branch contains at least one invalid block\n\
         2.  \"headers-only\"          Not all blocks for this branch are available, but the headers are valid\n\
         3.  \"valid-headers\"         All blocks are available for this branch, but they were never fully validated\n\
         4.  \"valid-fork\"            This branch is not part of the active chain, but is fully validated\n\
         5.  \"active\"                This is the tip of the active main chain, which is certainly valid",
    ),
];

const TRANSACTION_STATISTICS_FIELDS: &[ResultDoc] = &[
    ResultDoc::time("time", "The timestamp for the final block in the window, expressed in UNIX epoch time"),
    ResultDoc::number(
        "txcount",
        "The total number of transactions in the chain up to that point, if known. It may be unknown when using assumeutxo.",
    )
    .optional(),
    ResultDoc::hex("window_final_block_hash", "The hash of the final block in the window"),
    ResultDoc::number("window_final_block_height", "The height of the final block in the window."),
    ResultDoc::number("window_block_count", "Size of the window in number of blocks"),
    ResultDoc::number(
        "window_interval",
        "The elapsed time in the window in seconds. Only returned if \"window_block_count\" is > 0",
    )
    .optional(),
    ResultDoc::number(
        "window_tx_count",
        "The number of transactions in the window. Only returned if \"window_block_count\" is > 0 and if txcount exists for \
         the start and end of the window.",
    )
    .optional(),
    ResultDoc::number(
        "txrate",
        "The average rate of transactions per second in the window. Only returned if \"window_interval\" is > 0 and if \
         window_tx_count exists.",
    )
    .optional(),
];

async fn getchaintips(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct TipView {
        height: u32,
        hash: DisplayString<BlockHash>,
        branchlen: u32,
        status: &'static str,
    }
    let tips = call.context.chain.call(|chain| chain.chainstate.chain_tips()).await?;
    let views = tips.into_iter().map(|tip| TipView {
        height: tip.block.height,
        hash: DisplayString(tip.block.hash),
        branchlen: tip.branch_length,
        status: tip.status.name(),
    });
    to_result(&views.collect::<Vec<_>>())
}

async fn getchaintxstats(call: Call) -> RpcResult {
    let hash: Option<BlockHash> = call.arguments.optional("blockhash")?;
    let blocks: Option<i32> = call.arguments.optional("nblocks")?;
    let view = call.context.chain.call(move |chain| TransactionStatistics::of(&chain.chainstate, hash, blocks)).await?;
    to_result(&view?)
}

/// Transactions in the blocks up to one.
#[derive(Serialize)]
struct TransactionStatistics {
    time: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    txcount: Option<u64>,
    window_final_block_hash: DisplayString<BlockHash>,
    window_final_block_height: u32,
    window_block_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_interval: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_tx_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txrate: Option<Real>,
}

impl TransactionStatistics {
    fn of(chainstate: &Chainstate, hash: Option<BlockHash>, blocks: Option<i32>) -> Result<Self, RpcError> {
        let hash = hash.unwrap_or_else(|| chainstate.tip().hash);
        let last = chainstate.lookup(&hash).ok_or_else(|| RpcError::invalid_address_or_key("Block not found"))?;
        if !last.is_active {
            return Err(RpcError::invalid_parameter("Block is not in main chain"));
        }
        let count = window_size(chainstate, last.height, blocks)?;
        let first = chainstate.block_hash(last.height - count);
        let first = first.and_then(|hash| Some((hash, chainstate.lookup(&hash)?)));
        let (first_hash, first) = first.ok_or_else(|| RpcError::internal("a height of the chain has no block"))?;
        let time = |block: &BlockLookup| i64::from(median_time(chainstate, block));
        let has_window = count > 0;
        let interval = time(&last) - time(&first);
        let transactions = chainstate.chain_transactions(&hash);
        let before = chainstate.chain_transactions(&first_hash).filter(|_| has_window);
        let in_window = transactions.zip(before).map(|(all, before)| all.saturating_sub(before));
        Ok(Self {
            time: last.header.time,
            txcount: transactions,
            window_final_block_hash: DisplayString(hash),
            window_final_block_height: last.height,
            window_block_count: count,
            window_interval: has_window.then_some(interval),
            window_tx_count: in_window,
            txrate: in_window.filter(|_| interval > 0).map(|count| Real(count as f64 / interval as f64)),
        })
    }
}

/// Blocks of the window that ends at `height`.
fn window_size(chainstate: &Chainstate, height: u32, blocks: Option<i32>) -> Result<u32, RpcError> {
    /// Seconds in a month.
    const MONTH: u32 = 30 * 24 * 60 * 60;
    let Some(blocks) = blocks else {
        let of_month = MONTH / chainstate.params().consensus.pow.target_spacing.max(1);
        return Ok(of_month.min(height.saturating_sub(1)));
    };
    let out_of_range = "Invalid block count: should be between 0 and the block's height - 1";
    let count = u32::try_from(blocks).ok().filter(|&count| count == 0 || count < height);
    count.ok_or_else(|| RpcError::invalid_parameter(out_of_range))
}

#[cfg(test)]
mod tests;
