//! What is announced to peers.

use bitcoin::Txid;
use cairn_chain::chainstate::{BlockReference, ChainEvent};
use cairn_chain::mempool::{Mempool, MempoolEvent};
use cairn_net::PublishError;
use tracing::debug;

use super::Relay;
use crate::chain_service::ChainStopped;

/// Transactions that are announced late at a time.
const MAX_UNBROADCAST: usize = 100;
/// Blocks whose transactions are no longer orphans; while more than these are connected at once, there are none.
const MAX_BODIES: usize = 8;

impl Relay {
    /// The chain has another tip: announced, unless the chain is still being loaded.
    pub(crate) async fn tip_changed(&self, event: &ChainEvent) -> Result<(), ChainStopped> {
        let ChainEvent::TipChanged { connected, .. } = event else { return Ok(()) };
        let Some(tip) = connected.last().map(|tip| tip.hash) else { return Ok(()) };
        self.forget_orphans_in(connected).await?;
        let header = self.context.chain.call(move |chain| {
            let chainstate = &chain.chainstate;
            let is_current = chainstate.tip().hash == tip && !chainstate.is_initial_block_download();
            chainstate.lookup(&tip).filter(|_| is_current).map(|block| block.header)
        });
        if let Some(header) = header.await?
            && let Err(error) = self.network.publish_header(header).await
        {
            debug!(%tip, %error, "a block was announced to nobody");
        }
        Ok(())
    }

    async fn forget_orphans_in(&self, connected: &[BlockReference]) -> Result<(), ChainStopped> {
        if self.orphans().is_empty() {
            return Ok(());
        }
        for hash in connected.iter().rev().take(MAX_BODIES).map(|block| block.hash) {
            if let Ok(block) = self.context.chain.call(move |chain| chain.block(&hash)).await? {
                self.orphans().block_connected(&block);
            }
        }
        Ok(())
    }

    /// Announces what was sent to this node and came into the pool. What came from peers they announce themselves.
    pub(crate) async fn announce_transactions(&self, events: &[MempoolEvent]) -> Result<(), ChainStopped> {
        let added = events.iter().filter_map(|event| match event {
            MempoolEvent::Added { transaction, .. } => Some(transaction.as_ref().as_ref().txid()),
            MempoolEvent::Removed { .. } => None,
        });
        let added: Vec<Txid> = added.collect();
        self.broadcast(move |mempool| added.into_iter().filter(|txid| mempool.is_unbroadcast(txid)).collect()).await
    }

    /// Announces what was sent to this node when nobody was there to hear of it (Core: `ReattemptInitialBroadcast`).
    pub(crate) async fn announce_unbroadcast(&self) -> Result<(), ChainStopped> {
        self.broadcast(|mempool| mempool.unbroadcast().copied().take(MAX_UNBROADCAST).collect()).await
    }

    async fn broadcast(&self, choose: impl FnOnce(&Mempool) -> Vec<Txid> + Send + 'static) -> Result<(), ChainStopped> {
        if self.network.connected_peers().is_empty() {
            return Ok(());
        }
        let chosen = self.context.chain.call(move |chain| {
            let mempool = &chain.mempool;
            let entry = |txid| Some((txid, mempool.get(&txid)?.tx().bytes().to_vec()));
            choose(mempool).into_iter().filter_map(entry).collect::<Vec<_>>()
        });
        for (txid, bytes) in chosen.await? {
            match self.network.publish_transaction(bytes).await {
                Ok(()) | Err(PublishError::AlreadyPublished) => {
                    self.context.chain.call(move |chain| chain.mempool.remove_unbroadcast(&txid)).await?;
                }
                Err(error) => debug!(%txid, %error, "a transaction was announced to nobody"),
            }
        }
        Ok(())
    }
}
