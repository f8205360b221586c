//! How many transactions a chain is known to have.

/// What is known of the number of transactions of a chain: from it is guessed how much of it is still to come (Core:
/// `ChainTxData`, `kernel/chainparams.h`). No rule depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChainTxData {
    /// When the number was known, in seconds since 1970 (Core: `nTime`).
    pub time: u64,
    /// Transactions from genesis up to then (Core: `tx_count`).
    pub transactions: u64,
    /// Transactions in a second since then (Core: `dTxRate`).
    pub rate: f64,
}

/// Equal to itself, since nobody sets a rate that is no number.
impl Eq for ChainTxData {}
