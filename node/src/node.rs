//! A running node: what starts after what, and how it ends.
//!
//! ```text
//! start    lock of the data directory ─▶ metrics, health ─▶ RPC, warming up ─▶ chain state ─▶ chain thread
//!          ─▶ (mempool, index of transactions) ─▶ peers ─▶ RPC runs calls ─▶ miner
//! wait     until somebody asks to stop, or a part fails
//! stop     everything but the chain is told and drained ─▶ (mempool saved) ─▶ chain thread flushes ─▶ lock released
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `start`, `stop` | the order |
//! | `serve` | metrics, health and RPC, and where |
//! | `phase` | how far a node is, for those who ask before it runs |
//! | `endpoints` | where it can be reached, for other programs |
//! | `flush` | the chain state written from time to time |
//! | `banner` | what it says when it runs |
//! | `supervisor` | what systemd is told |
//! | `error` | why it does not start, or ends |

mod banner;
mod endpoints;
mod error;
mod flush;
mod phase;
mod serve;
mod start;
mod stop;
mod supervisor;

use cairn_chain::chainstate::ChainstateError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::config::Config;
use crate::context::SharedContext;
use crate::tasks::Tasks;
pub(crate) use endpoints::{Endpoints, EndpointsFile};
pub(crate) use error::NodeError;
pub(crate) use flush::FLUSH_INTERVAL;
pub(crate) use phase::Phase;

/// A node that runs.
#[derive(Debug)]
pub(crate) struct Node {
    context: SharedContext,
    tasks: Tasks,
    /// Waits for the chain thread to end; nothing when it has.
    chain: Option<JoinHandle<Result<(), ChainstateError>>>,
    phase: watch::Sender<Phase>,
    endpoints: EndpointsFile,
}

/// Runs a node until `shutdown` is cancelled or a part of it fails, and writes everything.
///
/// # Errors
///
/// Why it did not start, or why it ended.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> Result<(), NodeError> {
    let mut node = Node::start(config, shutdown).await?;
    let ended = node.wait().await;
    if let Err(error) = &ended {
        error!(%error, "stopping");
    }
    let stopped = node.stop().await;
    ended.and(stopped)
}

impl Node {
    /// Waits until the node is to stop.
    ///
    /// # Errors
    ///
    /// The failure of a part, after which the node must stop.
    async fn wait(&mut self) -> Result<(), NodeError> {
        let chain = self.chain.as_mut().expect("it is waited for once");
        tokio::select! {
            biased;
            ended = chain => {
                self.chain = None;
                // Nobody asked it to.
                stop::chain_outcome(ended).and(Err(NodeError::ChainEnded))
            }
            failure = self.tasks.next_failure() => Err(failure.into()),
            () = self.context.shutdown.cancelled() => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
