//! What happened to the chain, for everybody else.

use std::sync::Arc;

use bitcoin::BlockHash;

use crate::validation::BlockError;

/// A block and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockReference {
    /// Height; genesis has height 0.
    pub height: u32,
    /// Hash of the block.
    pub hash: BlockHash,
}

/// Something that happened to the chain, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum ChainEvent {
    /// The tip moved. A reorganisation is one event, however many blocks it takes.
    TipChanged {
        /// The last block that was on the chain before and still is.
        fork: BlockReference,
        /// Blocks that are not on the chain any more, the old tip first.
        disconnected: Vec<BlockReference>,
        /// Blocks that are on the chain now, the new tip last. All were verified.
        connected: Vec<BlockReference>,
    },
    /// A block turned out to be invalid after it had been stored; blocks on top of it are invalid too. (Core:
    /// `BlockChecked` of `CValidationInterface`.)
    BlockInvalid {
        /// The block.
        block: BlockReference,
        /// The rule it breaks.
        error: Arc<BlockError>,
    },
}
