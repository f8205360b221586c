//! How far a node is.

use crate::context::SharedContext;

/// How far a node is. Whoever serves requests before the chain is open watches this.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    /// It starts; this is what it does.
    WarmUp(&'static str),
    /// It runs.
    Running(SharedContext),
    /// It stops.
    Stopping,
}
