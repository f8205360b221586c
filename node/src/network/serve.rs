//! Answers to what peers ask.

use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, StoredBlock};
use cairn_net::InboundRequest;
use cairn_net::protocol::{
    BlockTransactionsResponse, BlocksResponse, CompactBlockResponse, HeadersRequest, HeadersResponse,
    MAX_HEADERS_RESULTS, Services, Status, TransactionsResponse,
};

use super::Relay;
use super::compact::{MAX_BLOCKTXN_DEPTH, MAX_CMPCTBLOCK_DEPTH, compact_form, recent_block, transactions_at};
use crate::chain_service::{Chain, ChainStopped};

/// How long a peer is to wait whom we cannot answer now.
const BUSY: Duration = Duration::from_secs(1);

impl Relay {
    /// Answers a question. Whoever asks hears nothing when the node is stopping.
    pub(super) async fn serve(&self, request: InboundRequest) -> Result<(), ChainStopped> {
        match request {
            InboundRequest::Status { reply, .. } => reply.send(self.status().await?),
            InboundRequest::Headers { request, reply, .. } => {
                let headers = self.context.chain.call(move |chain| headers_after(&chain.chainstate, &request)).await?;
                reply.send(HeadersResponse { headers });
            }
            InboundRequest::Blocks { request, reply, .. } => {
                let find = move |chain: &mut Chain| {
                    request.hashes.iter().map(|hash| chain.chainstate.stored_block(hash)).collect::<Vec<_>>()
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
                let stored = self.recent_block(request.hash, MAX_CMPCTBLOCK_DEPTH).await?;
                match tokio::task::spawn_blocking(move || stored.as_ref().and_then(compact_form)).await {
                    Ok(compact_block) => reply.send(CompactBlockResponse { compact_block }),
                    Err(_) => reply.busy(BUSY),
                }
            }
            InboundRequest::BlockTransactions { request, reply, .. } => {
                let stored = self.recent_block(request.hash, MAX_BLOCKTXN_DEPTH).await?;
                let read = move || transactions_at(&stored?, &request.indexes);
                match tokio::task::spawn_blocking(read).await {
                    Ok(transactions) => reply.send(BlockTransactionsResponse { transactions }),
                    Err(_) => reply.busy(BUSY),
                }
            }
        }
        Ok(())
    }

    async fn recent_block(&self, hash: BlockHash, depth: u32) -> Result<Option<StoredBlock>, ChainStopped> {
        self.context.chain.call(move |chain| recent_block(&chain.chainstate, &hash, depth)).await
    }

    /// What we say of ourselves.
    pub(super) async fn status(&self) -> Result<Status, ChainStopped> {
        let params = &self.context.params;
        let (spec_hash, user_agent) = (params.spec_hash(), super::start::USER_AGENT.to_owned());
        self.context
            .chain
            .call(move |chain| {
                let tip = chain.chainstate.tip();
                let work = chain.chainstate.lookup(&tip.hash).map(|block| block.work).unwrap_or_default();
                let now = chain.chainstate.adjusted_time();
                let is_pruned = chain.chainstate.options().prune_target.is_some();
                let services = if is_pruned { Services::NETWORK_LIMITED } else { Services::NETWORK };
                let relay = chain.mempool.options().min_relay_fee_rate.fee_per_kvb();
                let fee_filter = chain.mempool.min_fee_rate(now).fee_per_kvb().max(relay);
                Status {
                    spec_hash,
                    tip_hash: tip.hash,
                    height: tip.height,
                    work: work.to_be_bytes(),
                    services: services.with(Services::WITNESS),
                    prune_height: chain.chainstate.status().map_or(tip.height, |status| status.first_body),
                    fee_filter: u64::try_from(fee_filter).unwrap_or(0),
                    user_agent,
                }
            })
            .await
    }
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
