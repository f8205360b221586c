//! Transactions that wait for a block, by Bitcoin Core's policy.
//!
//! A [`Mempool`] belongs to the thread that owns the chain state. A transaction comes in three steps, so that its scripts can be
//! verified elsewhere: [`Mempool::check`], [`Candidate::verify_scripts`], [`Mempool::admit`]. What was verified is remembered
//! where the chain state finds it, and its block needs no script check any more.
//!
//! Nothing here knows a clock: the chain state tells the time.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `pool` | [`Mempool`]: the transactions, and how to find them | `CTxMemPool`, `txmempool.h` |
//! | `accept` | one transaction on its way in | `MemPoolAccept`, `validation.cpp` |
//! | `replacement`, `package` | taking the place of others; several at once | `policy/rbf.cpp`, `AcceptPackage` |
//! | `scripts` | its scripts | `PolicyScriptChecks`, `ConsensusScriptChecks` |
//! | `view` | the coins it can spend | `CCoinsViewMemPool` |
//! | `reorg` | what blocks do to the pool | `removeForBlock`, `MaybeUpdateMempoolForReorg` |
//! | `limits` | memory, and the minimum fee that rises with it | `LimitMempoolSize`, `GetMinFee` |
//! | `priority` | what the operator pretends, and what is his own | `PrioritiseTransaction` |
//! | `graph`, `fee_rate` | what depends on what, and in which order miners want it | `TxGraph`, `FeeFrac` |
//! | `policy` | which transactions are kept and relayed | `policy/` |
//! | `fees` | what fees bought so far | `CBlockPolicyEstimator` |
//! | `orphanage` | transactions whose parents have not come yet | `TxOrphanage` |
//! | `saved`, `persist` | the pool of an earlier run, and the file it is kept in | `node/mempool_persist.cpp` |
//! | `consistency` | whether all of it agrees | `CTxMemPool::check` |
//! | `entry`, `options`, `events`, `error` | a transaction, choices, news, and one variant for each rule | |

mod accept;
mod consistency;
mod entry;
mod error;
mod events;
mod fee_rate;
pub mod fees;
mod graph;
mod limits;
mod options;
pub mod orphanage;
mod package;
pub mod persist;
pub mod policy;
mod pool;
mod priority;
mod reorg;
mod replacement;
mod saved;
mod scripts;
mod view;

pub use accept::{Admitted, Candidate, VerifiedCandidate};
pub use consistency::Inconsistency;
pub use entry::{LockPoints, MempoolEntry};
pub use error::{MempoolError, PackageRejection, Rejection};
pub use events::{MempoolEvent, RemovalReason};
pub use fee_rate::{FeeRate, compare_diagrams};
pub use graph::{
    BlockBuilder, Chunk, ClusterLimitError, ClusterLimits, GraphIndex, MAX_CLUSTER_COUNT, NewTransaction, Parent,
    Proposal, TxGraph,
};
pub use options::{
    DEFAULT_INCREMENTAL_RELAY_FEE, DEFAULT_MAX_MEMPOOL_BYTES, DEFAULT_MEMPOOL_EXPIRY, DEFAULT_MIN_RELAY_FEE,
    MempoolOptions,
};
pub use package::{PackageOutcome, PackageResult};
pub use pool::Mempool;
pub use saved::{Restored, SavedMempool};
pub use scripts::ScriptsAhead;
