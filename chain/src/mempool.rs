//! Transactions that wait for a block.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `fee_rate` | fees for sizes, and which of two sets of chunks pays more | `CFeeRate`, `FeeFrac`, `CompareChunks` |
//! | `graph` | who spends whom, and in which order transactions are mined and evicted | `TxGraph`, `txgraph.h` |

mod fee_rate;
mod graph;
pub mod policy;

pub use fee_rate::{FeeRate, compare_diagrams};
pub use graph::{
    BlockBuilder, Chunk, ClusterLimitError, ClusterLimits, GraphIndex, MAX_CLUSTER_COUNT, NewTransaction, Parent,
    Proposal, TxGraph,
};
