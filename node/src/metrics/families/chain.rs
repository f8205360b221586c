//! The chain state.

use super::Family;

pub(crate) const HEIGHT: Family =
    Family::gauge("cairn_chain_height", "Height of the best header, and of the best block that was verified.")
        .with_labels(&["kind"]);
pub(crate) const TIP_TIMESTAMP: Family =
    Family::gauge("cairn_chain_tip_timestamp_seconds", "Time in the header of the best block, in seconds since 1970.");
pub(crate) const INITIAL_BLOCK_DOWNLOAD: Family = Family::gauge(
    "cairn_initial_block_download",
    "1 while the chain is taken for one that is still being loaded, otherwise 0.",
);
pub(crate) const REORGS: Family =
    Family::counter("cairn_reorgs_total", "How often blocks were disconnected for a better chain.");
pub(crate) const REORG_DEPTH: Family = Family::histogram(
    "cairn_reorg_depth_blocks",
    "Blocks that a reorganisation disconnected.",
    &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 20.0, 50.0, 100.0],
);
pub(crate) const BLOCKS_CONNECTED: Family =
    Family::counter("cairn_blocks_connected_total", "Blocks that became part of the active chain.");
pub(crate) const BLOCKS_DISCONNECTED: Family =
    Family::counter("cairn_blocks_disconnected_total", "Blocks that left the active chain.");
pub(crate) const BLOCKS_INVALID: Family =
    Family::counter("cairn_blocks_invalid_total", "Blocks that were stored and turned out to be invalid, by reason.")
        .with_labels(&["reason"]);
pub(crate) const EVENTS_MISSED: Family = Family::counter(
    "cairn_chain_events_missed_total",
    "Events of the chain that came too fast to be counted; what counts blocks is too low by at least as many.",
);
pub(crate) const BLOCK_PROCESS_DURATION: Family = Family::histogram(
    "cairn_block_process_duration_seconds",
    "Time that one stage of processing a block took.",
    &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
)
.with_labels(&["stage"]);
pub(crate) const COINS_CACHE: Family = Family::gauge("cairn_coins_cache_bytes", "Memory of the cache of coins.");
pub(crate) const DATABASE: Family = Family::gauge("cairn_database_bytes", "Size of the database on disk.");
pub(crate) const BLOCK_FILES: Family =
    Family::gauge("cairn_block_files_bytes", "Size of block and undo files on disk.");
pub(crate) const FLUSHES: Family =
    Family::counter("cairn_flushes_total", "How often the chain state was written to disk.");
pub(crate) const TX_INDEX_HEIGHT: Family = Family::gauge(
    "cairn_txindex_height",
    "Height of the last block in the index of transactions; 0 when there is no index.",
);
pub(crate) const DISK_FREE: Family =
    Family::gauge("cairn_disk_free_bytes", "Space that is free on the disk of the data directory.");
pub(crate) const DISK_SIZE: Family = Family::gauge("cairn_disk_size_bytes", "Size of the disk of the data directory.");

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[
    &HEIGHT,
    &TIP_TIMESTAMP,
    &INITIAL_BLOCK_DOWNLOAD,
    &REORGS,
    &REORG_DEPTH,
    &BLOCKS_CONNECTED,
    &BLOCKS_DISCONNECTED,
    &BLOCKS_INVALID,
    &EVENTS_MISSED,
    &BLOCK_PROCESS_DURATION,
    &COINS_CACHE,
    &DATABASE,
    &BLOCK_FILES,
    &FLUSHES,
    &TX_INDEX_HEIGHT,
    &DISK_FREE,
    &DISK_SIZE,
];
