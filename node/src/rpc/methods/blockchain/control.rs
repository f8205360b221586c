//! What users do with blocks and with what is kept of them (Core: `invalidateblock`, `reconsiderblock`, `preciousblock`,
//! `verifychain`, `pruneblockchain`, `syncwithvalidationinterfacequeue`, `rpc/blockchain.cpp`).

use std::ops::ControlFlow;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, ChainstateError, MIN_BLOCKS_TO_KEEP, VerifyLevel};

use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

const NOTHING: &[ResultDoc] = &[ResultDoc::null("", "")];

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "invalidateblock",
        category: Category::Hidden,
        description: "Permanently marks a block as invalid, as if it violated a consensus rule.",
        parameters: &[Parameter::hex("blockhash", Presence::Required, "the hash of the block to mark as invalid")],
        results: NOTHING,
        examples: &[Example::cli("\"blockhash\""), Example::rpc("\"blockhash\"")],
        handler: |call| Box::pin(invalidateblock(call)),
    },
    Method {
        name: "reconsiderblock",
        category: Category::Hidden,
        description: "Removes invalidity status of a block, its ancestors and its descendants, reconsider them for activation.\n\
            This can be used to undo the effects of invalidateblock.",
        parameters: &[Parameter::hex("blockhash", Presence::Required, "the hash of the block to reconsider")],
        results: NOTHING,
        examples: &[Example::cli("\"blockhash\""), Example::rpc("\"blockhash\"")],
        handler: |call| Box::pin(reconsiderblock(call)),
    },
    Method {
        name: "preciousblock",
        category: Category::Blockchain,
        description: "Treats a block as if it were received before others with the same work.\n\
            \nA later preciousblock call can override the effect of an earlier one.\n\
            \nThe effects of preciousblock are not retained across restarts.",
        parameters: &[Parameter::hex("blockhash", Presence::Required, "the hash of the block to mark as precious")],
        results: NOTHING,
        examples: &[Example::cli("\"blockhash\""), Example::rpc("\"blockhash\"")],
        handler: |call| Box::pin(preciousblock(call)),
    },
    Method {
        name: "verifychain",
        category: Category::Blockchain,
        description: "Verifies blockchain database.",
        parameters: &[
            Parameter::number(
                "checklevel",
                Presence::Hint("3, range=0-4"),
                "How thorough the block verification is:\n\
                 - level 0 reads the blocks from disk\n\
                 - level 1 verifies block validity\n\
                 - level 2 verifies undo data\n\
                 - level 3 checks disconnection of tip blocks\n\
                 - level 4 tries to reconnect the blocks\n\
                 - each level includes the checks of the previous levels",
            ),
            Parameter::number("nblocks", Presence::Hint("6, 0=all"), "The number of blocks to check."),
        ],
        results: &[ResultDoc::boolean("", "Verification finished successfully. If false, check debug log for reason.")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(verifychain(call)),
    },
    Method {
        name: "pruneblockchain",
        category: Category::Blockchain,
        description: "Attempts to delete block and undo data up to a specified height or timestamp, if eligible for pruning.\n\
            Requires `-prune` to be enabled at startup. While pruned data may be re-fetched in some cases (e.g., via \
            `getblockfrompeer`), local deletion is irreversible.",
        parameters: &[Parameter::number(
            "height",
            Presence::Required,
            "The block height to prune up to. May be set to a discrete height, or to a UNIX epoch time\n\
             \x20                 to prune blocks whose block time is at least 2 hours older than the provided timestamp.",
        )],
        results: &[ResultDoc::number("", "Height of the last block pruned")],
        examples: &[Example::cli("1000"), Example::rpc("1000")],
        handler: |call| Box::pin(pruneblockchain(call)),
    },
    Method {
        name: "syncwithvalidationinterfacequeue",
        category: Category::Hidden,
        description: "Waits for the validation interface queue to catch up on everything that was there when we entered this \
            function.",
        parameters: &[],
        results: NOTHING,
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(syncwithvalidationinterfacequeue(call)),
    },
];

async fn invalidateblock(call: Call) -> RpcResult {
    on_block(&call, |chainstate, hash| match chainstate.invalidate_block(hash) {
        // As in Core, where it does nothing.
        Err(ChainstateError::GenesisInvalidated) => Ok(()),
        outcome => outcome,
    })
    .await
}

async fn reconsiderblock(call: Call) -> RpcResult {
    on_block(&call, Chainstate::reconsider_block).await
}

async fn preciousblock(call: Call) -> RpcResult {
    on_block(&call, Chainstate::precious_block).await
}

/// Does something with the block that was passed.
async fn on_block(
    call: &Call,
    run: impl FnOnce(&mut Chainstate, &BlockHash) -> Result<(), ChainstateError> + Send + 'static,
) -> RpcResult {
    let hash: BlockHash = call.arguments.get("blockhash")?;
    let outcome = call.context.chain.call(move |chain| run(&mut chain.chainstate, &hash)).await?;
    outcome.map_err(|error| match error {
        ChainstateError::UnknownBlock { .. } => RpcError::invalid_address_or_key("Block not found"),
        error => RpcError::new(RpcErrorCode::DatabaseError, error.to_string()),
    })?;
    to_result(&())
}

async fn verifychain(call: Call) -> RpcResult {
    /// Core: `DEFAULT_CHECKLEVEL`, `validation.h`.
    const DEFAULT_LEVEL: i32 = 3;
    /// Core: `DEFAULT_CHECKBLOCKS`, `validation.h`.
    const DEFAULT_BLOCKS: i32 = 6;
    let level = match call.arguments.optional("checklevel")?.unwrap_or(DEFAULT_LEVEL) {
        ..=0 => VerifyLevel::Read,
        1 => VerifyLevel::Blocks,
        2 => VerifyLevel::Undo,
        3 => VerifyLevel::Disconnect,
        4.. => VerifyLevel::Reconnect,
    };
    let blocks: i32 = call.arguments.optional("nblocks")?.unwrap_or(DEFAULT_BLOCKS);
    let shutdown = call.context.shutdown.clone();
    let verified = call.context.chain.call(move |chain| {
        let mut progress = |_: u32, _: u32| match shutdown.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        // Zero and less is all.
        chain.chainstate.verify(level, u32::try_from(blocks).unwrap_or(0), &mut progress)
    });
    let summary = match verified.await? {
        Err(ChainstateError::Interrupted) => return Err(RpcError::shutting_down()),
        verified => verified?,
    };
    if let Some((height, detail)) = &summary.failure {
        tracing::error!(height, detail, "verification failed");
    } else if summary.pruned > 0 {
        tracing::info!(summary.blocks, summary.pruned, "verification ended where blocks were pruned");
    }
    to_result(&(summary.failure.is_none() && summary.pruned == 0))
}

async fn pruneblockchain(call: Call) -> RpcResult {
    /// How much later than a block's time it may come, in seconds (Core: `TIMESTAMP_WINDOW`, `chain.h`).
    const TIMESTAMP_WINDOW: u64 = 2 * 60 * 60;
    /// More is a time, not a height.
    const HIGHEST_HEIGHT: u32 = 1_000_000_000;
    if call.context.chain.call(|chain| chain.chainstate.options().prune_target.is_none()).await? {
        return Err(RpcError::misc("Cannot prune blocks because node is not in prune mode."));
    }
    let height: i32 = call.arguments.get("height")?;
    let height = u32::try_from(height).map_err(|_| RpcError::invalid_parameter("Negative block height."))?;
    let pruned = call.context.chain.call(move |chain| {
        let chainstate = &mut chain.chainstate;
        let height = if height > HIGHEST_HEIGHT {
            let found = chainstate.find_earliest_at_least(u64::from(height) - TIMESTAMP_WINDOW);
            let message = "Could not find block with at least the specified timestamp.";
            found.ok_or_else(|| RpcError::invalid_parameter(message))?
        } else {
            height
        };
        let tip = chainstate.tip().height;
        if u64::from(tip) < chainstate.params().prune_after_height {
            return Err(RpcError::misc("Blockchain is too short for pruning."));
        }
        if height > tip {
            return Err(RpcError::invalid_parameter("Blockchain is shorter than the attempted prune height."));
        }
        Ok(chainstate.prune_to_height(height.min(tip.saturating_sub(MIN_BLOCKS_TO_KEEP)))?)
    });
    let first_body = pruned.await??;
    // Where nothing was pruned, the answer is -1.
    to_result(&(i64::from(first_body) - 1))
}

async fn syncwithvalidationinterfacequeue(call: Call) -> RpcResult {
    // Everybody was told of what came before a thing that the chain thread has done.
    call.context.chain.call(|_| ()).await?;
    to_result(&())
}

#[cfg(test)]
mod tests;
