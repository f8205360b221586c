//! Unconfirmed transactions.

use super::Family;

pub(crate) const TRANSACTIONS: Family = Family::gauge("cairn_mempool_transactions", "Transactions in the mempool.");
pub(crate) const VIRTUAL_BYTES: Family =
    Family::gauge("cairn_mempool_virtual_bytes", "Virtual size of all transactions in the mempool.");
pub(crate) const MEMORY_BYTES: Family = Family::gauge("cairn_mempool_memory_bytes", "Memory of the mempool.");
pub(crate) const MIN_FEERATE: Family = Family::gauge(
    "cairn_mempool_min_feerate_sat_per_vbyte",
    "Least fee rate that gets into the mempool, in satoshis per virtual byte.",
);
pub(crate) const ACCEPTED: Family =
    Family::counter("cairn_mempool_accepted_total", "Transactions that got into the mempool.");
pub(crate) const REJECTED: Family =
    Family::counter("cairn_mempool_rejected_total", "Transactions that did not, by reason.").with_labels(&["reason"]);
pub(crate) const EVICTED: Family =
    Family::counter("cairn_mempool_evicted_total", "Transactions that left without being in a block, by reason.")
        .with_labels(&["reason"]);
pub(crate) const REPLACED: Family =
    Family::counter("cairn_mempool_replaced_total", "Transactions that others took the place of.");

#[cfg(test)]
pub(crate) const ALL: &[&Family] =
    &[&TRANSACTIONS, &VIRTUAL_BYTES, &MEMORY_BYTES, &MIN_FEERATE, &ACCEPTED, &REJECTED, &EVICTED, &REPLACED];
