//! Mining.

use super::Family;

pub(crate) const HASHES: Family =
    Family::counter("cairn_miner_hashes_total", "Hashes that were tried to find a block.");
pub(crate) const BLOCKS: Family = Family::counter("cairn_miner_blocks_total", "Blocks that were found.");

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[&HASHES, &BLOCKS];
