//! One block from one peer.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::chainstate::Acceptance;
use cairn_chain::primitives::Block;
use cairn_net::{PeerId, RequestError};

use super::Relay;
use super::error::RelayError;

/// The longest that a peer keeps us waiting when it is busy.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl Relay {
    /// Asks a peer for blocks and gives each to the chain. The answer may have fewer than were asked for: how many came.
    pub(super) async fn fetch_blocks(&self, peer: PeerId, hashes: Vec<BlockHash>) -> Result<usize, RelayError> {
        let answer = loop {
            match self.network.request_blocks(peer, hashes.clone()).await {
                // It has too much to do, and says when to come again.
                Err(RequestError::Busy { wait }) => tokio::time::sleep(wait.min(MAX_WAIT)).await,
                answer => break answer?,
            }
        };
        let mut came = 0;
        for bytes in answer.blocks.into_iter().flatten() {
            self.take_block(bytes).await?;
            came += 1;
        }
        Ok(came)
    }

    /// Gives a block that was asked for to the chain.
    async fn take_block(&self, bytes: Vec<u8>) -> Result<Acceptance, RelayError> {
        // Hashing a block takes long enough to be in the way of others here.
        let block = tokio::task::spawn_blocking(move || Block::decode(bytes)).await??;
        let block = Arc::new(block);
        let outcome = self.context.chain.call(move |chain| chain.process_new_block(block, true)).await?;
        Ok(outcome??)
    }
}
