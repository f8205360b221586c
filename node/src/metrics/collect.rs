//! Values that are asked for when somebody looks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::debug;

use super::Metrics;
use super::mempool::MempoolStatus;
use crate::context::NodeContext;

/// Values that are not older are not asked for again.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How long a scrape waits for the chain thread. Then it shows what was known last: Prometheus itself gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks for what metrics do not learn by themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Collector {
    /// When it was asked for last; held while somebody asks, so that others wait for the same answer.
    asked: Arc<Mutex<Option<Instant>>>,
}

impl Collector {
    /// Brings the metrics up to date.
    pub(super) async fn refresh(&self, metrics: &Metrics, context: &NodeContext) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < MAX_AGE) {
            return;
        }
        let asked_for = context.chain.call(|chain| {
            let mempool = MempoolStatus::of(&chain.mempool, chain.chainstate.adjusted_time());
            chain.chainstate.status().map(|status| (status, mempool))
        });
        match timeout(PATIENCE, asked_for).await {
            Ok(Ok(Ok((status, mempool)))) => {
                metrics.chain.set_status(&status);
                metrics.mempool.set_status(&mempool);
            }
            Ok(Ok(Err(error))) => debug!(%error, "the chain state could not be asked"),
            Ok(Err(stopped)) => debug!(%stopped, "the chain thread could not be asked"),
            Err(_) => debug!("the chain thread is busy; showing what was known last"),
        }
        if let Some(best) = context.tx_index.as_ref().and_then(|index| index.status().best_block) {
            metrics.chain.set_tx_index_height(best.height);
        }
        if let Some(network) = context.network.get() {
            metrics.peers.set_connected(&network.connected_peers());
            metrics.peers.set_counters(network.counters(), network.traffic());
        }
        if let Ok(disk) = rustix::fs::statvfs(&context.directory) {
            let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
            metrics.chain.set_disk(bytes(disk.f_bavail), bytes(disk.f_blocks));
        }
        *asked = Some(Instant::now());
    }
}
