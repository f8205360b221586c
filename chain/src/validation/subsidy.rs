//! What a block may create.

use bitcoin::Amount;

use crate::params::ConsensusParams;

/// New coins of the block at `height` (Core: `GetBlockSubsidy`, `validation.cpp`).
#[must_use]
pub fn block_subsidy(height: u32, params: &ConsensusParams) -> Amount {
    let halvings = height / params.subsidy_halving_interval;
    // A shift by the width of the integer or more has no result; by then nothing is left.
    Amount::from_sat(params.subsidy_initial.to_sat().checked_shr(halvings).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ChainParams;

    #[test]
    fn main_halves_every_210_000_blocks_until_nothing_is_left() {
        let params = ChainParams::main().consensus;
        let satoshis = |height| block_subsidy(height, &params).to_sat();
        assert_eq!((satoshis(0), satoshis(209_999), satoshis(210_000)), (5_000_000_000, 5_000_000_000, 2_500_000_000));
        assert_eq!((satoshis(32 * 210_000), satoshis(33 * 210_000), satoshis(64 * 210_000)), (1, 0, 0));
        assert_eq!(satoshis(u32::MAX), 0);
        let total: u64 = (0..34).map(|period| satoshis(period * 210_000) * 210_000).sum();
        assert_eq!(total, 2_099_999_997_690_000);
    }
}
