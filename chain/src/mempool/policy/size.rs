//! Sizes that count signature operations, so that none are cheaper than the block space they keep others from.

use crate::primitives::WITNESS_SCALE_FACTOR;

/// The weight of a transaction, or that of its signature operations when these take more of a block (Core:
/// `GetSigOpsAdjustedWeight`, `policy/policy.cpp`). In weight units.
#[must_use]
pub fn sigop_adjusted_weight(weight: usize, sigop_cost: usize, bytes_per_sigop: usize) -> usize {
    weight.max(sigop_cost.saturating_mul(bytes_per_sigop))
}

/// The adjusted weight as virtual bytes, rounded up (Core: `GetVirtualTransactionSize`, `policy/policy.cpp`; BIP141).
///
/// With no signature operations this is the size that RPC and fee estimates call `vsize`.
#[must_use]
pub fn virtual_size(weight: usize, sigop_cost: usize, bytes_per_sigop: usize) -> usize {
    sigop_adjusted_weight(weight, sigop_cost, bytes_per_sigop).div_ceil(WITNESS_SCALE_FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_is_rounded_up_to_virtual_bytes() {
        for (weight, size) in [(0, 0), (1, 1), (400, 100), (401, 101), (404, 101)] {
            assert_eq!(virtual_size(weight, 0, 20), size);
        }
    }

    #[test]
    fn whichever_is_larger_counts() {
        assert_eq!(sigop_adjusted_weight(400, 20, 20), 400);
        assert_eq!(sigop_adjusted_weight(400, 21, 20), 420);
        assert_eq!(virtual_size(400, 21, 20), 105);
        assert_eq!(virtual_size(400, 21, 0), 100);
        assert_eq!(sigop_adjusted_weight(400, usize::MAX, 20), usize::MAX);
    }
}
