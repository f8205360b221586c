//! What the operator may choose about the pool.

use super::policy::PolicyOptions;
use super::{ClusterLimits, FeeRate};

/// The least a transaction pays, in satoshis per 1000 virtual bytes (Core: `DEFAULT_MIN_RELAY_TX_FEE`, `policy/policy.h`).
pub const DEFAULT_MIN_RELAY_FEE: i64 = 100;
/// What a replacement pays more, and the step in which the pool's minimum rises, in satoshis per 1000 virtual bytes (Core:
/// `DEFAULT_INCREMENTAL_RELAY_FEE`, `policy/policy.h`).
pub const DEFAULT_INCREMENTAL_RELAY_FEE: i64 = 100;
/// Memory of the pool, in bytes (Core: `DEFAULT_MAX_MEMPOOL_SIZE_MB`, `kernel/mempool_options.h`).
pub const DEFAULT_MAX_MEMPOOL_BYTES: usize = 300_000_000;
/// How long a transaction stays, in seconds (Core: `DEFAULT_MEMPOOL_EXPIRY_HOURS`, `kernel/mempool_options.h`).
pub const DEFAULT_MEMPOOL_EXPIRY: u64 = 336 * 60 * 60;

/// What the operator may choose about the pool (Core: `MemPoolOptions`, `kernel/mempool_options.h`).
#[derive(Debug, Clone)]
pub struct MempoolOptions {
    /// Which transactions are kept and relayed.
    pub policy: PolicyOptions,
    /// How many transactions may hang together.
    pub cluster_limits: ClusterLimits,
    /// Memory, in bytes. Beyond it, what pays least goes.
    pub max_bytes: usize,
    /// How long a transaction stays, in seconds.
    pub expiry: u64,
    /// The least a transaction pays for each virtual byte.
    pub min_relay_fee_rate: FeeRate,
    /// What a replacement pays more for each of its virtual bytes.
    pub incremental_relay_fee_rate: FeeRate,
}

impl Default for MempoolOptions {
    /// As Core's.
    fn default() -> Self {
        Self {
            policy: PolicyOptions::default(),
            cluster_limits: ClusterLimits::default(),
            max_bytes: DEFAULT_MAX_MEMPOOL_BYTES,
            expiry: DEFAULT_MEMPOOL_EXPIRY,
            min_relay_fee_rate: FeeRate::per_kvb(DEFAULT_MIN_RELAY_FEE),
            incremental_relay_fee_rate: FeeRate::per_kvb(DEFAULT_INCREMENTAL_RELAY_FEE),
        }
    }
}
