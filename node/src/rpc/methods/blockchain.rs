//! Blocks of the chain (Core: `rpc/blockchain.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `header` | what is told about a header, alone and as a part of its block |
//! | `stored` | blocks that are asked for, and what is answered when they are not there |
//! | `block`, `block_stats` | a whole block, and statistics of one |
//! | `info` | where the chain stands |
//! | `tips` | branches, and transactions over time |
//! | `coins` | single coins, and all of them |
//! | `scan` | a search for coins |
//! | `deployments` | which rules hold |
//! | `proof` | proofs that a transaction is in a block |
//! | `wait` | waiting for blocks |
//! | `control` | what users do with blocks, and with what is kept of them |

pub(super) mod block;
pub(super) mod block_stats;
pub(super) mod coins;
pub(super) mod control;
pub(super) mod deployments;
pub(super) mod header;
pub(super) mod info;
pub(super) mod proof;
pub(super) mod scan;
pub(super) mod stored;
#[cfg(test)]
mod testing;
pub(super) mod tips;
pub(super) mod wait;

use bitcoin::BlockHash;
use cairn_chain::primitives::header_bytes;

use crate::rpc::{
    Call, Category, DisplayString, Example, Hex, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};
use header::{HEADER_FIELDS, HeaderView};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getbestblockhash",
        category: Category::Blockchain,
        description: "Returns the hash of the best (tip) block in the most-work fully-validated chain.",
        parameters: &[],
        results: &[ResultDoc::hex("", "the block hash, hex-encoded")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getbestblockhash(call)),
    },
    Method {
        name: "getblockcount",
        category: Category::Blockchain,
        description: "Returns the height of the most-work fully-validated chain.\nThe genesis block has height 0.",
        parameters: &[],
        results: &[ResultDoc::number("", "The current block count")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getblockcount(call)),
    },
    Method {
        name: "getblockhash",
        category: Category::Blockchain,
        description: "Returns hash of block in best-block-chain at height provided.",
        parameters: &[Parameter::number("height", Presence::Required, "The height index")],
        results: &[ResultDoc::hex("", "The block hash")],
        examples: &[Example::cli("1000"), Example::rpc("1000")],
        handler: |call| Box::pin(getblockhash(call)),
    },
    Method {
        name: "getblockheader",
        category: Category::Blockchain,
        description: "If verbose is false, returns a string that is serialized, hex-encoded data for blockheader 'hash'.\n\
            If verbose is true, returns an Object with information about blockheader <hash>.",
        parameters: &[
            Parameter::hex("blockhash", Presence::Required, "The block hash"),
            Parameter::boolean(
                "verbose",
                Presence::Default("true"),
                "true for a json object, false for the hex-encoded data",
            ),
        ],
        results: &[
            ResultDoc::object("", "", HEADER_FIELDS).when("for verbose = true"),
            ResultDoc::hex("", "A string that is serialized, hex-encoded data for block 'hash'")
                .when("for verbose=false"),
        ],
        examples: &[
            Example::cli("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
            Example::rpc("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
        ],
        handler: |call| Box::pin(getblockheader(call)),
    },
];

async fn getbestblockhash(call: Call) -> RpcResult {
    to_result(&DisplayString(call.context.chain.tip().hash))
}

async fn getblockcount(call: Call) -> RpcResult {
    to_result(&call.context.chain.tip().height)
}

async fn getblockhash(call: Call) -> RpcResult {
    let height: i32 = call.arguments.get("height")?;
    let out_of_range = || RpcError::invalid_parameter("Block height out of range");
    let height = u32::try_from(height).map_err(|_| out_of_range())?;
    let hash = call.context.chain.call(move |chain| chain.chainstate.block_hash(height)).await?;
    to_result(&DisplayString(hash.ok_or_else(out_of_range)?))
}

async fn getblockheader(call: Call) -> RpcResult {
    let hash: BlockHash = call.arguments.get_as("blockhash", "hash")?;
    let verbose: bool = call.arguments.get("verbose")?;
    let view = call.context.chain.call(move |chain| HeaderView::find(&chain.chainstate, &hash)).await?;
    let view = view.ok_or_else(|| RpcError::invalid_address_or_key("Block not found"))?;
    if verbose { to_result(&view) } else { to_result(&Hex(&header_bytes(&view.header))) }
}

#[cfg(test)]
mod tests;
