//! What peers announce, and what is announced to them.

use std::sync::Arc;

use bitcoin::Txid;
use bitcoin::block::Header;
use cairn_chain::chainstate::{ChainEvent, Chainstate};
use cairn_chain::mempool::{Mempool, MempoolEvent};
use cairn_chain::primitives::Transaction;
use cairn_chain::validation::HeaderError;
use cairn_net::{Acceptance, GossipHeader, GossipTransaction, PublishError};
use tracing::debug;

use super::Relay;
use crate::chain_service::{Chain, ChainStopped};

/// Blocks below the tip at which a branch that is announced may begin.
const MAX_FORK_DEPTH: u32 = 288;
/// Transactions that are announced late at a time.
const MAX_UNBROADCAST: usize = 100;

/// What is known of a header that was announced.
enum Announced {
    /// The block is here already.
    Known,
    /// It breaks a rule.
    Invalid,
    /// Its parent is not known.
    Orphan,
    /// Its chain has less work than ours: of no use.
    TooLittleWork,
    /// It cannot be judged now.
    Premature,
    /// The body is wanted.
    Wanted,
}

impl Relay {
    /// A header was announced: the block is fetched, and the header forwarded when we have it.
    pub(super) async fn header_announced(&self, announced: GossipHeader) -> Result<(), ChainStopped> {
        let GossipHeader { source, header, token } = announced;
        let known = self.context.chain.call(move |chain| look_up(&mut chain.chainstate, &header)).await?;
        let acceptance = match known {
            Announced::Known => Acceptance::Accept,
            Announced::Invalid => Acceptance::Reject,
            Announced::TooLittleWork | Announced::Premature => Acceptance::Ignore,
            Announced::Orphan => {
                self.catch_up_with(source);
                Acceptance::Ignore
            }
            Announced::Wanted => {
                let relay = self.clone();
                let Ok(place) = Arc::clone(&self.fetches).try_acquire_owned() else {
                    self.catch_up_with(source);
                    let _ = self.network.report(token, Acceptance::Ignore).await;
                    return Ok(());
                };
                tokio::spawn(async move {
                    let _place = place;
                    let hash = header.block_hash();
                    let acceptance = match relay.fetch_blocks(source, vec![hash]).await {
                        Ok(1) => Acceptance::Accept,
                        Ok(_) => Acceptance::Ignore,
                        Err(error) => {
                            debug!(%hash, %source, %error, "an announced block was not had");
                            relay.catch_up_with(source);
                            Acceptance::Ignore
                        }
                    };
                    let _ = relay.network.report(token, acceptance).await;
                });
                return Ok(());
            }
        };
        // The service ends before the node does.
        let _ = self.network.report(token, acceptance).await;
        Ok(())
    }

    /// A transaction was announced: it is forwarded when it is in the pool.
    pub(super) async fn transaction_announced(&self, announced: GossipTransaction) -> Result<(), ChainStopped> {
        let GossipTransaction { source, transaction, token } = announced;
        let acceptance = match Transaction::decode(transaction) {
            Err(_) => Acceptance::Reject,
            Ok(transaction) => match self.take_transaction(Arc::new(transaction)).await {
                Ok(()) => Acceptance::Accept,
                Err(Refusal::Stopped(stopped)) => return Err(stopped),
                Err(Refusal::Rejected(reason)) => {
                    debug!(%source, reason, "an announced transaction was not taken");
                    Acceptance::Ignore
                }
            },
        };
        let _ = self.network.report(token, acceptance).await;
        Ok(())
    }

    /// Gives a transaction to the pool. Scripts are verified off the chain thread.
    async fn take_transaction(&self, transaction: Arc<Transaction>) -> Result<(), Refusal> {
        let metrics = Arc::clone(&self.context.metrics.mempool);
        let refuse = |rejection: cairn_chain::mempool::Rejection| {
            metrics.count_rejection(&rejection.error);
            Refusal::Rejected(rejection.error.to_string())
        };
        let check = move |chain: &mut Chain| {
            // The same with another witness is another message, and is judged.
            if chain.mempool.contains_wtxid(&transaction.as_ref().as_ref().wtxid()) {
                return Ok(None);
            }
            let cache = Arc::clone(chain.chainstate.validation_cache());
            chain.mempool.check(&chain.chainstate, transaction).map(|candidate| Some((candidate, cache)))
        };
        let checked = self.context.chain.call(check).await.map_err(Refusal::Stopped)?;
        let Some((candidate, cache)) = checked.map_err(&refuse)? else { return Ok(()) };
        let verified = tokio::task::spawn_blocking(move || candidate.verify_scripts(&cache)).await;
        let verified = verified.map_err(|error| Refusal::Rejected(error.to_string()))?.map_err(&refuse)?;
        let admit = move |chain: &mut Chain| {
            let coins = verified.coins().map(|(outpoint, coin)| (outpoint, coin.clone()));
            chain.chainstate.remember_coins(&verified.tip(), coins);
            chain.mempool.admit(&chain.chainstate, verified).map(drop)
        };
        self.context.chain.call(admit).await.map_err(Refusal::Stopped)?.map_err(&refuse)
    }

    /// Announces the tip, unless the chain is still being loaded.
    pub(super) async fn announce_tip(&self, event: &ChainEvent) -> Result<(), ChainStopped> {
        let ChainEvent::TipChanged { connected, .. } = event else { return Ok(()) };
        let Some(tip) = connected.last().map(|tip| tip.hash) else { return Ok(()) };
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

    /// Announces what was sent to this node and came into the pool. What came from peers they announce themselves.
    pub(super) async fn announce_transactions(&self, events: &[MempoolEvent]) -> Result<(), ChainStopped> {
        let added = events.iter().filter_map(|event| match event {
            MempoolEvent::Added { transaction, .. } => Some(transaction.as_ref().as_ref().txid()),
            MempoolEvent::Removed { .. } => None,
        });
        let added: Vec<Txid> = added.collect();
        self.broadcast(move |mempool| added.into_iter().filter(|txid| mempool.is_unbroadcast(txid)).collect()).await
    }

    /// Announces what was sent to this node when nobody was there to hear of it (Core: `ReattemptInitialBroadcast`).
    pub(super) async fn announce_unbroadcast(&self) -> Result<(), ChainStopped> {
        if self.network.connected_peers().is_empty() {
            return Ok(());
        }
        self.broadcast(|mempool| mempool.unbroadcast().copied().take(MAX_UNBROADCAST).collect()).await
    }

    async fn broadcast(&self, choose: impl FnOnce(&Mempool) -> Vec<Txid> + Send + 'static) -> Result<(), ChainStopped> {
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

/// Why a transaction is not in the pool.
enum Refusal {
    Stopped(ChainStopped),
    Rejected(String),
}

fn look_up(chainstate: &mut Chainstate, header: &Header) -> Announced {
    let hash = header.block_hash();
    if let Some(known) = chainstate.lookup(&hash) {
        return match (known.is_invalid, known.has_body) {
            (true, _) => Announced::Invalid,
            (false, true) => Announced::Known,
            (false, false) => Announced::Wanted,
        };
    }
    let Some(parent) = chainstate.lookup(&header.prev_blockhash) else { return Announced::Orphan };
    if parent.is_invalid {
        return Announced::Invalid;
    }
    let tip = chainstate.tip();
    // A branch from far below would be memory for nothing; what is better than ours comes in order.
    if parent.height + MAX_FORK_DEPTH < tip.height {
        return Announced::TooLittleWork;
    }
    match chainstate.accept_headers(&[*header], true) {
        Ok(Ok(())) => Announced::Wanted,
        Ok(Err(error)) => {
            debug!(%hash, %error, "an announced header breaks a rule");
            // A clock may be wrong, ours or theirs.
            match error {
                HeaderError::TimeTooNew { .. } => Announced::Premature,
                _ => Announced::Invalid,
            }
        }
        // The chain thread says what is wrong, and ends.
        Err(_) => Announced::Premature,
    }
}
