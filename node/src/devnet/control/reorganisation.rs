//! What a node took back when it changed to another branch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a node took back when it changed to another branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reorganisation {
    /// The node.
    pub(crate) node: String,
    /// Height of the last block that both branches have.
    pub(crate) fork: u32,
    /// The tip before.
    pub(crate) old_tip: String,
    /// The tip after.
    pub(crate) new_tip: String,
    /// Blocks that were taken back.
    pub(crate) disconnected: u32,
    /// Blocks that took their place.
    pub(crate) connected: u32,
    /// Transactions of those blocks that wait in the pool again.
    pub(crate) returned: Vec<String>,
}

impl fmt::Display for Reorganisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, fork, disconnected, connected, returned, .. } = self;
        let blocks = |count: u32| if count == 1 { "1 block".to_owned() } else { format!("{count} blocks") };
        write!(f, "{node}: fork at {fork} · −{}", blocks(*disconnected))?;
        if !returned.is_empty() {
            write!(f, " ({} tx back in the pool)", returned.len())?;
        }
        write!(f, " · +{}", blocks(*connected))
    }
}
