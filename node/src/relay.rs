//! New blocks and transactions, from peers and to them.
//!
//! ```text
//! header ─▶ chain: its place and its rules ─▶ forwarded at once ─▶ body asked of who sent it, then of others ─▶ chain
//! transaction ─▶ pool ─▶ forwarded            its inputs are not known ─▶ orphan, until its parent comes
//! new tip, new transaction of our own ─▶ announced
//! ```
//!
//! A header is forwarded before its body is here: its proof of work pays for it, and the next node asks us for the body, which it
//! gets as soon as we have it.
//!
//! | file | holds |
//! |---|---|
//! | `headers` | announced headers, and what becomes of them |
//! | `bodies` | the body of an announced block |
//! | `recent_blocks` | blocks on their way through this node, for peers that ask meanwhile |
//! | `transactions` | announced transactions, and those whose parents are missing |
//! | `orphans` | transactions that wait for another |
//! | `announce` | what is announced to peers |

mod announce;
mod bodies;
mod headers;
mod orphans;
mod recent_blocks;
mod transactions;

use std::sync::{Arc, Mutex};

use cairn_net::NetworkHandle;
use tokio::sync::Semaphore;

use crate::context::SharedContext;
use crate::penalty::Reputation;
use crate::sync::SyncHandle;
use orphans::Orphans;
pub(crate) use recent_blocks::RecentBlocks;

/// Bodies of announced blocks that are fetched at the same time.
const MAX_BODIES: usize = 8;
/// Announced transactions that are looked at at the same time: about as many as keep all cores busy while each waits for the chain
/// thread twice.
const MAX_TRANSACTIONS: usize = 64;

/// What the relay shares. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    context: SharedContext,
    network: NetworkHandle,
    reputation: Arc<Reputation>,
    sync: SyncHandle,
    recent: RecentBlocks,
    bodies: Arc<Semaphore>,
    transactions: Arc<Semaphore>,
    orphans: Arc<Mutex<Orphans>>,
}

impl Relay {
    pub(crate) fn new(
        context: SharedContext,
        network: NetworkHandle,
        reputation: Arc<Reputation>,
        sync: SyncHandle,
    ) -> Self {
        let bodies = Arc::new(Semaphore::new(MAX_BODIES));
        let transactions = Arc::new(Semaphore::new(MAX_TRANSACTIONS));
        let (recent, orphans) = (RecentBlocks::default(), Arc::default());
        Self { context, network, reputation, sync, recent, bodies, transactions, orphans }
    }

    /// Blocks on their way through this node.
    pub(crate) fn recent_blocks(&self) -> RecentBlocks {
        self.recent.clone()
    }
}
