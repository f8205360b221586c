//! This node among others. The chain and the network do not know each other; they meet here.
//!
//! ```text
//! gossip: header ─▶ its parent is known? ─▶ the body is asked of who sent it ─▶ chain thread ─▶ verdict ─▶ forwarded
//! gossip: transaction ─▶ pool ─▶ verdict ─▶ forwarded
//! new tip, new transaction in the pool ─▶ announced
//! new peer, header whose parent is not known ─▶ catch up with that peer
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `start` | the service, as the configuration says |
//! | `gossip` | what peers announce, and what is announced to them |
//! | `catch_up` | headers and blocks that a peer has and we do not |
//! | `fetch` | one block from one peer |
//! | `serve` | answers to what peers ask |
//! | `compact` | compact blocks and their transactions, for peers that ask |
//! | `error` | why nothing came of something |

mod catch_up;
mod compact;
mod error;
mod fetch;
mod gossip;
mod serve;
mod start;

use std::sync::Arc;

use cairn_net::{NetworkHandle, PeerId};
use tokio::sync::{Semaphore, mpsc};

use crate::context::SharedContext;

pub(crate) use start::{NetworkStartError, start};

/// What the parts of the node that speak with peers share. Cheap to clone.
#[derive(Debug, Clone)]
struct Relay {
    context: SharedContext,
    network: NetworkHandle,
    /// Peers that are likely to have something we do not.
    behind: mpsc::Sender<PeerId>,
    /// Bodies of announced blocks that may be fetched at the same time.
    fetches: Arc<Semaphore>,
}

impl Relay {
    /// This peer has something that we do not.
    fn catch_up_with(&self, peer: PeerId) {
        // When many wait already, there will be another reason.
        let _ = self.behind.try_send(peer);
    }
}
