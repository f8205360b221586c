//! The built-in miner: blocks that pay to the address of `--mine`.
//!
//! ```text
//! template ─▶ search, on threads of its own ─▶ block ─▶ chain thread
//!     ▲                │
//!     └── new tip, changed pool, or a block
//! ```
//!
//! It rests while the chain is behind the headers that are known, since work on an old tip is lost. How old the tip is says
//! nothing: on a network without other miners it is old because nobody mined.
//!
//! | file | holds |
//! |---|---|
//! | `search` | the search for one block |

mod search;

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::{BlockHash, ScriptBuf};
use cairn_chain::chainstate::Acceptance;
use cairn_chain::mining::{BlockTemplate, MiningJob, TemplateOptions};
use cairn_chain::primitives::Block;
use thiserror::Error;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::{info, warn};

use crate::chain_service::{Chain, ChainStopped};
use crate::config::MiningConfig;
use crate::context::SharedContext;
use search::Search;

/// Time after which a template is made again if the pool has changed.
const REFRESH: Duration = Duration::from_secs(5);
/// Time until it is seen whether the chain has caught up, or can be mined on again after a failure.
const REST: Duration = Duration::from_secs(1);
/// Blocks that may be missing below the best header. The last one may be on its way; and one whose body is kept back on purpose
/// must not stop us.
const MAX_MISSING: u32 = 1;

/// Time without a new tip after which blocks that are missing are not waited for any more.
const MAX_STALL: Duration = Duration::from_secs(60);

/// Why the miner ended although the node runs.
#[derive(Debug, Error)]
pub(crate) enum MinerError {
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    /// The search panicked.
    #[error("the search for a block ended: {0}")]
    Search(#[from] tokio::task::JoinError),
}

/// A miner.
#[derive(Debug)]
pub(crate) struct Miner {
    context: SharedContext,
    script: ScriptBuf,
    threads: NonZeroUsize,
    max_hashes_per_second: Option<NonZeroU64>,
    /// Where the next job begins, so that no two do the same work.
    extra_nonce: u64,
    /// The tip, and since when it is.
    last_tip: Option<(BlockHash, Instant)>,
}

impl Miner {
    /// A miner that pays to this script.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random numbers.
    pub(crate) fn new(context: SharedContext, script: ScriptBuf) -> Result<Self, MinerError> {
        let MiningConfig { mine_threads, mine_throttle, .. } = context.config.mining;
        let extra_nonce = getrandom::u64().map_err(MinerError::Random)?;
        let threads = NonZeroUsize::new(mine_threads.into()).unwrap_or(NonZeroUsize::MIN);
        let max_hashes_per_second = mine_throttle.and_then(NonZeroU64::new);
        Ok(Self { context, script, threads, max_hashes_per_second, extra_nonce, last_tip: None })
    }

    /// Mines until the node is to stop.
    ///
    /// # Errors
    ///
    /// When the search itself fails.
    pub(crate) async fn run(mut self) -> Result<(), MinerError> {
        info!(threads = self.threads, throttle = self.max_hashes_per_second, "mining");
        while !self.context.shutdown.is_cancelled() {
            match self.template().await {
                Ok(Some(template)) => self.mine(template).await?,
                Ok(None) => self.rest().await,
                // The node is stopping, or says itself what is wrong.
                Err(ChainStopped) => return Ok(()),
            }
        }
        Ok(())
    }

    async fn rest(&self) {
        tokio::select! {
            () = self.context.shutdown.cancelled() => {}
            () = tokio::time::sleep(REST) => {}
        }
    }

    /// Whether nothing has come for a long time: blocks may be missing because nobody has them, and then somebody has to go on.
    fn is_stalled(&mut self) -> bool {
        let tip = self.context.chain.tip().hash;
        if self.last_tip.is_none_or(|(last, _)| last != tip) {
            self.last_tip = Some((tip, Instant::now()));
        }
        self.last_tip.is_some_and(|(_, since)| since.elapsed() > MAX_STALL)
    }

    /// Something to work on, unless the chain is behind or its rules let no block follow now.
    async fn template(&mut self) -> Result<Option<BlockTemplate>, ChainStopped> {
        let options = TemplateOptions { coinbase_script: self.script.clone(), ..TemplateOptions::default() };
        let is_stalled = self.is_stalled();
        let create =
            move |chain: &mut Chain| (is_stalled || !is_behind(chain)).then(|| chain.create_block_template(&options));
        match self.context.chain.call(create).await? {
            Some(Ok(template)) => Ok(Some(template)),
            Some(Err(error)) => {
                // Blocks that come faster than the clock allows end up here, and may follow when it has gone on.
                warn!(%error, "no template to mine on");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Searches for a block until there is one or something better to work on.
    async fn mine(&mut self, template: BlockTemplate) -> Result<(), MinerError> {
        let (height, previous, updates) = (template.height, template.previous_block, template.mempool_updates);
        let mut tips = self.context.chain.watch_tip();
        let mut search = Search::start(
            MiningJob::new(template, self.extra_nonce),
            self.threads,
            self.max_hashes_per_second,
            Arc::clone(&self.context.metrics.miner),
        );
        let mut refresh = interval_at(Instant::now() + REFRESH, REFRESH);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let found = loop {
            tokio::select! {
                biased;
                () = self.context.shutdown.cancelled() => break search.cancel().await?,
                () = async { drop(tips.wait_for(|tip| tip.hash != previous).await) } => break search.cancel().await?,
                found = search.found() => break found?,
                _ = refresh.tick() => {
                    let is_stalled = self.is_stalled();
                    let is_outdated = move |chain: &mut Chain| {
                        chain.mempool.updates() != updates || (!is_stalled && is_behind(chain))
                    };
                    if self.context.chain.call(is_outdated).await.unwrap_or(true) {
                        break search.cancel().await?;
                    }
                }
            }
        };
        self.extra_nonce = self.extra_nonce.wrapping_add(search.rolls());
        match found {
            Some(block) => self.submit(height, block).await,
            None => Ok(()),
        }
    }

    async fn submit(&self, height: u32, block: Arc<Block>) -> Result<(), MinerError> {
        let hash = block.hash();
        match self.context.chain.call(move |chain| chain.process_new_block(block, true)).await {
            Ok(Ok(Ok(Acceptance::New))) => {
                info!(height, %hash, "mined a block");
                self.context.metrics.miner.count_block();
            }
            Ok(Ok(Ok(Acceptance::Duplicate | Acceptance::Ignored))) => {}
            Ok(Ok(Err(error))) => {
                warn!(height, %hash, %error, "a block that was mined is not valid");
                self.rest().await;
            }
            // After a fault the chain thread ends and says why.
            Ok(Err(_)) | Err(ChainStopped) => {}
        }
        Ok(())
    }
}

/// Whether blocks are still to come for headers that are known.
fn is_behind(chain: &Chain) -> bool {
    let (best, tip) = (chain.chainstate.best_header(), chain.chainstate.tip());
    best.height > tip.height.saturating_add(MAX_MISSING)
}

#[cfg(test)]
mod tests;
