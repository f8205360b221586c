//! How long each stage of processing a block takes, for whoever wants to know.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What happens to a block, one stage after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockStage {
    /// The rules that need no chain: proof of work, merkle root, sizes (Core: `CheckBlock`).
    Check,
    /// The rules that need the headers before it, and writing it to a block file (Core: `AcceptBlock`).
    Accept,
    /// Finding the coins it spends, and applying its changes to them (Core: `ConnectBlock` without scripts).
    Inputs,
    /// Verifying its scripts, from when they are handed to the threads until all are done.
    Scripts,
    /// Making the chain state durable, on a thread of its own (Core: `FlushStateToDisk`).
    Flush,
}

impl BlockStage {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Check, Self::Accept, Self::Inputs, Self::Scripts, Self::Flush];

    /// The name that metrics show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Accept => "accept",
            Self::Inputs => "inputs",
            Self::Scripts => "scripts",
            Self::Flush => "flush",
        }
    }
}

/// Who is told how long stages took.
#[derive(Clone, Default)]
pub(super) struct StageObserver(Option<Arc<dyn Fn(BlockStage, Duration) + Send + Sync>>);

impl StageObserver {
    pub(super) fn new(observe: impl Fn(BlockStage, Duration) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// A stage that began at `started` is over.
    pub(super) fn finished(&self, stage: BlockStage, started: Instant) {
        if let Some(observe) = &self.0 {
            observe(stage, started.elapsed());
        }
    }
}

impl fmt::Debug for StageObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageObserver").field(&self.0.is_some()).finish()
    }
}
