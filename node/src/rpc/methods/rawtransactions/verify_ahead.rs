//! Scripts are verified before it is their turn, on all cores, while the chain thread does other things.

use std::sync::Arc;

use cairn_chain::mempool::ScriptsAhead;
use cairn_chain::primitives::{Transaction, WITNESS_SCALE_FACTOR};
use cairn_chain::validation::ValidationCache;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::chain_service::{ChainHandle, ChainStopped};
use crate::rpc::RpcError;

/// Transactions up to this weight are verified where they are: to wake another thread costs as much. The most expensive one
/// takes some milliseconds. In weight units.
const MAX_WEIGHT_HERE: usize = 1000 * WITNESS_SCALE_FACTOR;

/// Looks up what transactions spend that come soon, in this order, after `before`. What it returns is to be verified off the
/// chain thread.
pub(super) async fn look_up(
    chain: &ChainHandle,
    before: Vec<Arc<Transaction>>,
    transactions: Vec<Arc<Transaction>>,
) -> Result<Ahead, ChainStopped> {
    chain
        .call(move |chain| {
            let scripts = chain.mempool.scripts_ahead(&mut chain.chainstate, &before, &transactions);
            Ahead { scripts, cache: Arc::clone(chain.chainstate.validation_cache()) }
        })
        .await
}

/// Scripts that are to be verified.
#[derive(Debug)]
pub(super) struct Ahead {
    scripts: Vec<ScriptsAhead>,
    cache: Arc<ValidationCache>,
}

impl Ahead {
    /// Verifies them. Only what passes is remembered.
    pub(super) async fn verify(self) -> Result<(), RpcError> {
        off_thread(move || self.scripts.par_iter().for_each(|scripts| scripts.verify(&self.cache))).await
    }
}

/// Runs what verifies a transaction: here, or if it may take long on a thread for such work.
pub(super) async fn run_for<T: Send + 'static>(
    transaction: &Transaction,
    verify: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RpcError> {
    if transaction.as_ref().weight() <= MAX_WEIGHT_HERE { Ok(verify()) } else { off_thread(verify).await }
}

/// Runs something that takes long where it holds up nobody.
pub(super) async fn off_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, RpcError> {
    tokio::task::spawn_blocking(run).await.map_err(|error| RpcError::internal(error.to_string()))
}
