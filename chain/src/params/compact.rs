//! Compact targets as this module needs them: only valid ones.

use bitcoin::CompactTarget;
use ruint::aliases::U256;

use crate::pow::{Target, decode_compact};

/// The target `bits` stands for, or `None` if no honest header could carry `bits`.
///
/// Stricter than the rule for headers (Core: `DeriveTarget`, `pow.cpp`): a target that is zero, negative or beyond 256
/// bits is refused, and so is one that is not written the one way Core's `arith_uint256::GetCompact` writes it.
pub(crate) fn target_from_bits(bits: CompactTarget) -> Option<U256> {
    decode_compact(bits).to_target().filter(|target| target.to_compact() == bits).map(Target::to_u256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruint::uint;

    #[test]
    fn accepts_canonical_targets_only() {
        let target = |bits| target_from_bits(CompactTarget::from_consensus(bits));
        assert_eq!(target(0x1d00_ffff), Some(uint!(0xffff_U256) << 208));
        assert_eq!(target(0x0101_0000), Some(uint!(1_U256)));
        for (bits, why) in [
            (0, "zero"),
            (0x1d00_0000, "zero with an exponent"),
            (0x1d80_ffff, "negative"),
            (0xff12_3456, "beyond 256 bits"),
            (0x1e00_00ff, "not the shortest exponent"),
        ] {
            assert_eq!(target(bits), None, "{why}");
        }
    }
}
