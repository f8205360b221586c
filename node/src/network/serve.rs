//! Answers to what peers ask.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, StoredBlock};
use cairn_net::InboundRequest;
use cairn_net::protocol::{
    BlockTransactionsResponse, BlocksResponse, CompactBlockResponse, HeadersRequest, HeadersResponse,
    MAX_HEADERS_RESULTS, TransactionsResponse,
};
use tokio::sync::Semaphore;

use super::compact::{MAX_BLOCKTXN_DEPTH, MAX_CMPCTBLOCK_DEPTH, RecentBlock, recent_block};
use super::own_status;
use crate::chain_service::{Chain, ChainStopped};
use crate::context::SharedContext;
use crate::relay::RecentBlocks;
use crate::sync::SyncHandle;

/// How long a peer is to wait whom we cannot answer now.
const BUSY: Duration = Duration::from_secs(1);

/// Answers what peers ask. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Server {
    context: SharedContext,
    sync: SyncHandle,
    /// Blocks that may be asked for before the chain has them.
    recent: RecentBlocks,
    /// Places of those who are answered at once.
    pub(super) places: Arc<Semaphore>,
}

/// Questions of peers that are answered at the same time, but those about new blocks.
const MAX_SERVED: usize = 8;

impl Server {
    pub(super) fn new(context: SharedContext, sync: SyncHandle, recent: RecentBlocks) -> Self {
        Self { context, sync, recent, places: Arc::new(Semaphore::new(MAX_SERVED)) }
    }

    /// Answers a question. Whoever asks hears nothing when the node is stopping.
    pub(super) async fn serve(&self, request: InboundRequest) -> Result<(), ChainStopped> {
        match request {
            InboundRequest::Status { peer, status, reply } => {
                reply.send(own_status(&self.context).await?);
                self.sync.peer_status(peer, status).await;
            }
            InboundRequest::Headers { request, reply, .. } => {
                let headers = self.context.chain.call(move |chain| headers_after(&chain.chainstate, &request)).await?;
                reply.send(HeadersResponse { headers });
            }
            InboundRequest::Blocks { request, reply, .. } => {
                let find = move |chain: &mut Chain| {
                    let stored = |hash| verified_block(&chain.chainstate, hash);
                    request.hashes.iter().map(stored).collect::<Vec<_>>()
                };
                let stored = self.context.chain.call(find).await?;
                match tokio::task::spawn_blocking(move || read_blocks(stored)).await {
                    Ok(response) => reply.send(response),
                    Err(_) => reply.busy(BUSY),
                }
            }
            InboundRequest::Transactions { request, reply, .. } => {
                let find = move |chain: &mut Chain| {
                    let mut response = TransactionsResponse::default();
                    for wtxid in &request.wtxids {
                        let entry = chain.mempool.get_by_wtxid(wtxid);
                        if response.push(entry.map(|entry| entry.tx().bytes().to_vec())).is_err() {
                            break;
                        }
                    }
                    response
                };
                reply.send(self.context.chain.call(find).await?);
            }
            InboundRequest::CompactBlock { request, reply, .. } => {
                let block = self.recent_block(request.hash, MAX_CMPCTBLOCK_DEPTH).await?;
                match tokio::task::spawn_blocking(move || block?.compact_form()).await {
                    Ok(compact_block) => reply.send(CompactBlockResponse { compact_block }),
                    Err(_) => reply.busy(BUSY),
                }
            }
            InboundRequest::BlockTransactions { request, reply, .. } => {
                let block = self.recent_block(request.hash, MAX_BLOCKTXN_DEPTH).await?;
                match tokio::task::spawn_blocking(move || block?.transactions_at(&request.indexes)).await {
                    Ok(transactions) => reply.send(BlockTransactionsResponse { transactions }),
                    Err(_) => reply.busy(BUSY),
                }
            }
        }
        Ok(())
    }

    /// A block near the tip, which may be on its way here.
    async fn recent_block(&self, hash: BlockHash, depth: u32) -> Result<Option<RecentBlock>, ChainStopped> {
        if let Some(block) = self.recent.wait_for(&hash).await {
            return Ok(Some(RecentBlock::InMemory(block)));
        }
        let find = move |chain: &mut Chain| recent_block(&chain.chainstate, &hash, depth);
        Ok(self.context.chain.call(find).await?.map(RecentBlock::Stored))
    }
}

/// A block whose scripts were verified when it was connected: whoever gets another from us would blame us (Core:
/// `BlockRequestAllowed`, `net_processing.cpp`).
fn verified_block(chainstate: &Chainstate, hash: &BlockHash) -> Option<StoredBlock> {
    let known = chainstate.lookup(hash)?;
    let is_verified = known.is_active || known.was_connected;
    chainstate.stored_block(hash).filter(|_| is_verified && !known.is_invalid)
}

/// Headers of the active chain after the first hash of the locator that is on it (Core: `getheaders`, `net_processing.cpp`).
fn headers_after(chainstate: &Chainstate, request: &HeadersRequest) -> Vec<bitcoin::block::Header> {
    let on_chain = |hash: &BlockHash| chainstate.lookup(hash).filter(|block| block.is_active);
    let fork = request.locator.iter().find_map(on_chain).map_or(0, |block| block.height);
    let heights = fork + 1..=chainstate.tip().height;
    let mut headers = Vec::new();
    for hash in heights.take(MAX_HEADERS_RESULTS).map_while(|height| chainstate.block_hash(height)) {
        headers.extend(chainstate.lookup(&hash).map(|block| block.header));
        if hash == request.stop {
            break;
        }
    }
    headers
}

/// Blocks as they stand on disk, as many as fit.
fn read_blocks(stored: Vec<Option<StoredBlock>>) -> BlocksResponse {
    let mut response = BlocksResponse::default();
    for block in stored {
        let bytes = block.and_then(|block| block.bytes().ok());
        if response.push(bytes).is_err() {
            break;
        }
    }
    response
}
