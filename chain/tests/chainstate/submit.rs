//! A block as Core's `submitblock` takes it, and the rest of what the acceptance data say.

use std::sync::Arc;

use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, OutPoint};
use cairn_chain::chainstate::{
    Acceptance, ChainEvent, Chainstate, ChainstateError, ChainstateOptions, ReindexProgress, ReindexScope,
};
use cairn_chain::coins::CoinsHashType;
use cairn_chain::params::ChainParams;
use cairn_chain::primitives::Block;
use std::ops::ControlFlow;
use tempfile::TempDir;

/// A chain state in a directory of its own.
pub(crate) struct Node {
    pub(crate) chainstate: Option<Chainstate>,
    params: ChainParams,
    options: ChainstateOptions,
    directory: TempDir,
}

/// What Core answers a block with: null, or a reason; and why it could not be connected, if that was tried.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) submitted: Option<String>,
    pub(crate) found_invalid: Vec<String>,
}

impl Node {
    pub(crate) fn new(params: ChainParams, options: ChainstateOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chainstate = Chainstate::open(directory.path(), params.clone(), options.clone()).unwrap();
        Self { chainstate: Some(chainstate), params, options, directory }
    }

    pub(crate) fn chainstate(&mut self) -> &mut Chainstate {
        self.chainstate.as_mut().unwrap()
    }

    /// Closes the directory, with or without writing what is not written yet, and opens it again.
    pub(crate) fn reopen(&mut self, flush: bool) {
        if flush {
            self.chainstate().flush().unwrap();
        }
        self.chainstate = None;
        let opened = Chainstate::open(self.directory.path(), self.params.clone(), self.options.clone()).unwrap();
        self.chainstate = Some(opened);
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Computes again what can be, and opens the directory if that was finished.
    pub(crate) fn reindex(
        &mut self,
        scope: ReindexScope,
        progress: &mut dyn FnMut(ReindexProgress) -> ControlFlow<()>,
    ) -> Result<(), ChainstateError> {
        self.chainstate = None;
        let (params, options) = (self.params.clone(), self.options.clone());
        self.chainstate = Some(Chainstate::reindex(self.directory.path(), params, options, scope, progress)?);
        Ok(())
    }

    /// Takes a block as `submitblock` does (Core: `rpc/mining.cpp`).
    pub(crate) fn submit(&mut self, bytes: Vec<u8>) -> Answer {
        let decode_failed =
            || Answer { submitted: Some("RPC-22:Block decode failed".to_owned()), found_invalid: Vec::new() };
        let Ok(block) = Block::decode(bytes) else { return decode_failed() };
        let hash = block.hash();
        let chainstate = self.chainstate();
        chainstate.take_events();
        let outcome = chainstate.process_new_block(Arc::new(block), true).unwrap();
        let on_chain = chainstate.lookup(&hash).is_some_and(|block| block.is_active);
        let found_invalid = chainstate
            .take_events()
            .into_iter()
            .filter_map(|event| match event {
                ChainEvent::BlockInvalid { error, .. } => Some(error.reject_reason().into_owned()),
                ChainEvent::TipChanged { .. } => None,
            })
            .collect();
        let submitted = match outcome {
            Err(error) => Some(error.reject_reason().into_owned()),
            Ok(Acceptance::New) if on_chain => None,
            Ok(Acceptance::New) => Some("inconclusive".to_owned()),
            Ok(Acceptance::Duplicate) => Some("duplicate".to_owned()),
            Ok(Acceptance::Ignored) => panic!("a block that was asked for is not ignored"),
        };
        Answer { submitted, found_invalid }
    }

    pub(crate) fn tip(&mut self) -> BlockHash {
        self.chainstate().tip().hash
    }

    /// Whether there is a coin when a block of the active chain and all above it are disconnected.
    pub(crate) fn has_coin_before(&mut self, block: &BlockHash, outpoint: &OutPoint) -> bool {
        let chainstate = self.chainstate();
        let parent = chainstate.lookup(block).unwrap().header.prev_blockhash;
        let mut invalidated = vec![*block];
        chainstate.invalidate_block(block).unwrap();
        // Another branch may take the lead: it has to go too.
        while chainstate.tip().hash != parent {
            let branch = chainstate.tip();
            let fork = (0..branch.height).rev().find(|&height| chainstate.block_hash(height) == Some(parent));
            invalidated.push(fork.and_then(|fork| chainstate.block_hash(fork + 1)).unwrap_or(branch.hash));
            chainstate.invalidate_block(invalidated.last().unwrap()).unwrap();
        }
        let found = chainstate.coin(outpoint).unwrap().is_some();
        for block in invalidated.iter().rev() {
            chainstate.reconsider_block(block).unwrap();
        }
        found
    }

    /// Core's `hash_serialized_3`, number of coins and their amount in satoshis.
    pub(crate) fn coins(&mut self) -> (String, u64, u64) {
        let statistics = self
            .chainstate()
            .coins_statistics(CoinsHashType::HashSerialized3, 1 << 20, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let mut hash = statistics.hash.unwrap();
        hash.reverse();
        let amount = statistics.total_amount.unwrap().to_sat();
        (hash.to_lower_hex_string(), statistics.transaction_outputs, amount)
    }
}
