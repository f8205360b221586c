//! What the operator of a node may choose.

use super::standard::MAX_STANDARD_TX_WEIGHT;
use crate::primitives::WITNESS_SCALE_FACTOR;

/// Whether transactions that carry data are relayed (Core: `DEFAULT_ACCEPT_DATACARRIER`, `policy/policy.h`).
pub const DEFAULT_ACCEPT_DATACARRIER: bool = true;
/// How many bytes the scripts that carry data may have together, in one transaction: as many as there is room for without
/// a witness (Core: `MAX_OP_RETURN_RELAY`, `policy/policy.h`).
pub const MAX_OP_RETURN_RELAY: usize = MAX_STANDARD_TX_WEIGHT / WITNESS_SCALE_FACTOR;
/// Whether outputs may be multisig without a script hash around it (Core: `DEFAULT_PERMIT_BAREMULTISIG`,
/// `policy/policy.h`).
pub const DEFAULT_PERMIT_BAREMULTISIG: bool = true;
/// The fee rate that says what is dust, in satoshis per 1000 virtual bytes (Core: `DUST_RELAY_TX_FEE`, `policy/policy.h`).
pub const DUST_RELAY_TX_FEE: u64 = 3000;
/// How many weight units one unit of signature operations cost counts (Core: `DEFAULT_BYTES_PER_SIGOP`,
/// `policy/policy.h`).
pub const DEFAULT_BYTES_PER_SIGOP: usize = 20;

/// What policy leaves to the operator; the default is Core's (Core: `MemPoolOptions`, `kernel/mempool_options.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOptions {
    /// Whether transactions must be standard; only test networks may do without (Core: `-acceptnonstdtxn`, negated).
    pub require_standard: bool,
    /// How many bytes the scripts that carry data may have together, in one transaction; nothing forbids them all (Core:
    /// `-datacarrier`, `-datacarriersize`).
    pub max_datacarrier_bytes: Option<usize>,
    /// Whether outputs may be multisig without a script hash around it (Core: `-permitbaremultisig`).
    pub permit_bare_multisig: bool,
    /// The fee rate that says what is dust, in satoshis per 1000 virtual bytes (Core: `-dustrelayfee`).
    pub dust_relay_fee: u64,
    /// How many weight units one unit of signature operations cost counts (Core: `-bytespersigop`).
    pub bytes_per_sigop: usize,
}

impl Default for PolicyOptions {
    fn default() -> Self {
        Self {
            require_standard: true,
            max_datacarrier_bytes: DEFAULT_ACCEPT_DATACARRIER.then_some(MAX_OP_RETURN_RELAY),
            permit_bare_multisig: DEFAULT_PERMIT_BAREMULTISIG,
            dust_relay_fee: DUST_RELAY_TX_FEE,
            bytes_per_sigop: DEFAULT_BYTES_PER_SIGOP,
        }
    }
}
