//! Headers and blocks that peers have and we do not.
//!
//! ```text
//! peers' statuses, announcements ─▶ header sync ─▶ headers of one peer ─▶ chain: a best header
//! best header ─▶ window of missing blocks ─▶ download from many peers ─▶ prepared on all cores ─▶ chain, in order, many at a time
//! ```
//!
//! Whom to ask for what is decided by [`header_sync`] and [`download`], which know neither sockets nor clocks. The task around them
//! asks, waits and reports; it never waits for one peer or for the chain alone.
//!
//! | file | holds |
//! |---|---|
//! | `header_sync` | whom to ask for headers |
//! | `headers` | asking for headers, and what the chain says to them |
//! | `download` | which blocks to ask of whom |
//! | `blocks` | asking for blocks, and preparing what comes |
//! | `connect` | blocks on their way to the chain thread |
//! | `look` | which blocks are missing |
//! | `status_schedule` | when to ask peers how far they are |
//! | `task` | the task that does what was decided |

mod blocks;
mod connect;
mod download;
mod header_sync;
mod headers;
mod look;
mod status_schedule;
mod task;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::BlockHash;
use cairn_net::PeerId;
use cairn_net::protocol::Status;
use tokio::sync::mpsc;

pub(crate) use task::run;

/// Commands that may wait for the task.
const QUEUE: usize = 256;

/// What the task is told.
#[derive(Debug)]
enum Command {
    /// A peer came.
    Connected(PeerId),
    /// A peer has gone.
    Disconnected(PeerId),
    /// A peer said how far it is.
    Status(PeerId, Box<Status>),
    /// A peer announced a header of this height.
    Announced(PeerId, u32),
    /// A peer announced a header whose parent is not known.
    Unconnected(PeerId),
    /// Something may be missing that was not before.
    Look,
}

/// How the rest of the node speaks with the task. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SyncHandle {
    commands: mpsc::Sender<Command>,
    claims: Claims,
}

/// Blocks that somebody else is getting already.
#[derive(Debug, Clone, Default)]
struct Claims(Arc<Mutex<HashSet<BlockHash>>>);

/// A block that is not asked for while this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    hash: BlockHash,
    sync: SyncHandle,
}

/// The end of the task's queue.
#[derive(Debug)]
pub(crate) struct SyncCommands {
    commands: mpsc::Receiver<Command>,
    claims: Claims,
}

/// A handle, and what [`run`] needs to answer it.
pub(crate) fn channel() -> (SyncHandle, SyncCommands) {
    let (sender, commands) = mpsc::channel(QUEUE);
    let claims = Claims::default();
    (SyncHandle { commands: sender, claims: claims.clone() }, SyncCommands { commands, claims })
}

impl SyncHandle {
    /// A peer came.
    pub(crate) async fn peer_connected(&self, peer: PeerId) {
        self.send(Command::Connected(peer)).await;
    }

    /// A peer has gone.
    pub(crate) async fn peer_disconnected(&self, peer: PeerId) {
        self.send(Command::Disconnected(peer)).await;
    }

    /// A peer said how far it is.
    pub(crate) async fn peer_status(&self, peer: PeerId, status: Status) {
        self.send(Command::Status(peer, Box::new(status))).await;
    }

    /// A peer announced a header of this height, whose parents we know.
    pub(crate) async fn announced(&self, peer: PeerId, height: u32) {
        self.send(Command::Announced(peer, height)).await;
    }

    /// A peer announced a header whose parent is not known.
    pub(crate) async fn announced_unconnected(&self, peer: PeerId) {
        self.send(Command::Unconnected(peer)).await;
    }

    /// Somebody else gets this block; nothing when somebody does already.
    pub(crate) fn claim(&self, hash: BlockHash) -> Option<Claim> {
        let is_new = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
        is_new.then(|| Claim { hash, sync: self.clone() })
    }

    async fn send(&self, command: Command) {
        // An error means that the node is stopping.
        let _ = self.commands.send(command).await;
    }
}

impl Claims {
    fn contains(&self, hash: &BlockHash) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.sync.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hash);
        // Without room in the queue somebody else gives the task a reason to look.
        let _ = self.sync.commands.try_send(Command::Look);
    }
}
