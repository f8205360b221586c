//! Waiting for blocks (Core: `waitfornewblock`, `waitforblock`, `waitforblockheight`, `rpc/blockchain.cpp`).

use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::chainstate::BlockReference;
use serde::Serialize;

use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};

const TIMEOUT: Parameter = Parameter::number(
    "timeout",
    Presence::Default("0"),
    "Time in milliseconds to wait for a response. 0 indicates no timeout.",
);

const RESULT: ResultDoc =
    ResultDoc::object("", "", &[ResultDoc::hex("hash", "The blockhash"), ResultDoc::number("height", "Block height")]);

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "waitfornewblock",
        category: Category::Blockchain,
        description: "Waits for any new block and returns useful info about it.\n\
            \nReturns the current block on timeout or exit.\n\
            \nMake sure to use no RPC timeout",
        parameters: &[
            TIMEOUT,
            Parameter::hex("current_tip", Presence::Omitted, "Method waits for the chain tip to differ from this."),
        ],
        results: &[RESULT],
        examples: &[Example::cli("1000"), Example::rpc("1000")],
        handler: |call| Box::pin(waitfornewblock(call)),
    },
    Method {
        name: "waitforblock",
        category: Category::Blockchain,
        description: "Waits for a specific new block and returns useful info about it.\n\
            \nReturns the current block on timeout or exit.\n\
            \nMake sure to use no RPC timeout",
        parameters: &[Parameter::hex("blockhash", Presence::Required, "Block hash to wait for."), TIMEOUT],
        results: &[RESULT],
        examples: &[
            Example::cli("\"0000000000079f8ef3d2c688c244eb7a4570b24c9ed7b4a8c619eb02596f8862\" 1000"),
            Example::rpc("\"0000000000079f8ef3d2c688c244eb7a4570b24c9ed7b4a8c619eb02596f8862\", 1000"),
        ],
        handler: |call| Box::pin(waitforblock(call)),
    },
    Method {
        name: "waitforblockheight",
        category: Category::Blockchain,
        description: "Waits for (at least) block height and returns the height and hash\n\
            of the current tip.\n\
            \nReturns the current block on timeout or exit.\n\
            \nMake sure to use no RPC timeout",
        parameters: &[Parameter::number("height", Presence::Required, "Block height to wait for."), TIMEOUT],
        results: &[RESULT],
        examples: &[Example::cli("100 1000"), Example::rpc("100, 1000")],
        handler: |call| Box::pin(waitforblockheight(call)),
    },
];

async fn waitfornewblock(call: Call) -> RpcResult {
    let timeout = timeout(&call)?;
    let current: Option<BlockHash> = call.arguments.optional("current_tip")?;
    let current = current.unwrap_or_else(|| call.context.chain.tip().hash);
    wait_for_tip(&call, timeout, move |tip| tip.hash != current).await
}

async fn waitforblock(call: Call) -> RpcResult {
    let hash: BlockHash = call.arguments.get("blockhash")?;
    let timeout = timeout(&call)?;
    wait_for_tip(&call, timeout, move |tip| tip.hash == hash).await
}

async fn waitforblockheight(call: Call) -> RpcResult {
    let height: i32 = call.arguments.get("height")?;
    let timeout = timeout(&call)?;
    wait_for_tip(&call, timeout, move |tip| i64::from(tip.height) >= i64::from(height)).await
}

/// How long to wait; nothing for ever.
fn timeout(call: &Call) -> Result<Option<Duration>, RpcError> {
    let milliseconds: i32 = call.arguments.get("timeout")?;
    let milliseconds = u64::try_from(milliseconds).map_err(|_| RpcError::misc("Negative timeout"))?;
    Ok((milliseconds > 0).then_some(Duration::from_millis(milliseconds)))
}

/// Waits until the tip is as wanted, the time is over or the node stops, and tells the tip.
async fn wait_for_tip(
    call: &Call,
    timeout: Option<Duration>,
    is_wanted: impl Fn(&BlockReference) -> bool,
) -> RpcResult {
    #[derive(Serialize)]
    struct TipView {
        hash: DisplayString<BlockHash>,
        height: u32,
    }
    let mut tip = call.context.chain.watch_tip();
    // The chain thread ends only with the node, and then the tip is told as it is.
    let event = async { _ = tip.wait_for(is_wanted).await };
    let waited = match timeout {
        Some(timeout) => call.wait(tokio::time::timeout(timeout, event)).await.map(drop),
        None => call.wait(event).await,
    };
    if !call.context.shutdown.is_cancelled() {
        waited?;
    }
    let BlockReference { height, hash } = call.context.chain.tip();
    to_result(&TipView { hash: DisplayString(hash), height })
}

#[cfg(test)]
mod tests;
