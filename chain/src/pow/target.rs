//! Targets, their compact form, and whether a hash meets one.
//!
//! A header carries its target in four bytes ("compact", `nBits`): the most significant byte is a length in bytes, the
//! other three are a sign bit and a 23-bit mantissa, so that the target is mantissa · 256^(length − 3). Many words encode
//! nonsense and some targets have several words; consensus depends on treating each of them as Core's
//! `arith_uint256::SetCompact` and `GetCompact` do.

use std::fmt;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget};
use ruint::aliases::U256;
use thiserror::Error;

/// The 23 bits of a compact target that hold its mantissa.
const MANTISSA_MASK: u32 = 0x007f_ffff;

/// The bit of a compact target that makes it negative.
const SIGN_BIT: u32 = 0x0080_0000;

/// Bytes of the mantissa; a longer target has zero bytes below it.
const MANTISSA_BYTES: usize = 3;

/// A 256-bit number that a block hash, read as a little-endian integer, must not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(U256);

/// Why a compact target stands for no target at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The sign bit is set and the mantissa is not zero.
    #[error("compact target {bits:#010x} is negative, expected a positive number")]
    Negative {
        /// The compact target, as in the header.
        bits: u32,
    },
    /// The target is zero, which no hash is expected to meet.
    #[error("compact target {bits:#010x} is zero, expected a positive number")]
    Zero {
        /// The compact target, as in the header.
        bits: u32,
    },
    /// The target needs more than 256 bits.
    #[error("compact target {bits:#010x} does not fit, expected at most 256 bits")]
    Overflow {
        /// The compact target, as in the header.
        bits: u32,
    },
    /// The target is easier than the network allows.
    #[error("compact target {bits:#010x} is {got:064x}, expected at most {limit:064x}")]
    AboveLimit {
        /// The compact target, as in the header.
        bits: u32,
        /// The target it stands for.
        got: U256,
        /// The easiest target of the network.
        limit: U256,
    },
}

/// Why a hash is no proof of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofOfWorkError {
    /// The header claims a target it may not have.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The hash does not meet the claimed target.
    #[error("block hash {hash} is above its target, expected at most {target}")]
    HashAboveTarget {
        /// The hash of the header.
        hash: BlockHash,
        /// The target the header claims.
        target: Target,
    },
}

impl Target {
    /// The target `value` itself, which need not have an exact compact form.
    #[must_use]
    pub const fn new(value: U256) -> Self {
        Self(value)
    }

    /// The target that `bits` stands for on a network whose easiest target is `limit` (Core: `DeriveTarget`, `pow.cpp`).
    ///
    /// # Errors
    ///
    /// If `bits` is negative, zero, more than 256 bits long or easier than `limit`.
    pub fn from_compact(bits: CompactTarget, limit: U256) -> Result<Self, TargetError> {
        let Compact { value, negative, overflow } = decode_compact(bits);
        let bits = bits.to_consensus();
        if negative {
            return Err(TargetError::Negative { bits });
        }
        // Core asks for zero first, but an overflowing target may be zero only because its bits were shifted out.
        if overflow {
            return Err(TargetError::Overflow { bits });
        }
        if value.is_zero() {
            return Err(TargetError::Zero { bits });
        }
        if value > limit {
            return Err(TargetError::AboveLimit { bits, got: value, limit });
        }
        Ok(Self(value))
    }

    /// The compact form, which keeps the 16 to 23 most significant bits and drops the rest.
    #[must_use]
    pub fn to_compact(self) -> CompactTarget {
        encode_compact(self.0)
    }

    /// The target as a number.
    #[must_use]
    pub const fn to_u256(self) -> U256 {
        self.0
    }

    /// Whether `hash`, read as a little-endian integer, is at most this target.
    #[must_use]
    pub fn is_met_by(&self, hash: &BlockHash) -> bool {
        U256::from_le_bytes(hash.to_byte_array()) <= self.0
    }
}

/// 64 hexadecimal digits, most significant first, so that it compares with a block hash by eye.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:064x}", self.0)
    }
}

/// What a compact target encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compact {
    /// The number: its magnitude when it is negative, its low bits when it overflows. Whoever ignores the two flags, as
    /// Core's retargeting does, gets the same numbers as Core.
    pub value: U256,
    /// Whether the sign bit is set on a number that is not zero.
    pub negative: bool,
    /// Whether the number needs more than 256 bits.
    pub overflow: bool,
}

impl Compact {
    /// The number, if a target can be it: positive, and no more than 256 bits long.
    #[must_use]
    pub fn to_target(self) -> Option<Target> {
        (!self.negative && !self.overflow && !self.value.is_zero()).then_some(Target(self.value))
    }
}

/// Decodes a compact target (Core: `arith_uint256::SetCompact`, `arith_uint256.cpp`).
#[must_use]
pub fn decode_compact(bits: CompactTarget) -> Compact {
    let bits = bits.to_consensus();
    let [length, ..] = bits.to_be_bytes();
    let length = usize::from(length);
    let mut mantissa = bits & MANTISSA_MASK;
    let value = if length <= MANTISSA_BYTES {
        mantissa >>= 8 * (MANTISSA_BYTES - length);
        U256::from(mantissa)
    } else {
        U256::from(mantissa).wrapping_shl(8 * (length - MANTISSA_BYTES))
    };
    let negative = mantissa != 0 && bits & SIGN_BIT != 0;
    let overflow =
        mantissa != 0 && (length > 34 || (mantissa > 0xff && length > 33) || (mantissa > 0xffff && length > 32));
    Compact { value, negative, overflow }
}

/// The compact form of `value`, rounded down to its most significant bits (Core: `arith_uint256::GetCompact`).
#[must_use]
pub fn encode_compact(value: U256) -> CompactTarget {
    let mut length = value.byte_len();
    let mantissa = if length <= MANTISSA_BYTES {
        value.wrapping_shl(8 * (MANTISSA_BYTES - length))
    } else {
        value.wrapping_shr(8 * (length - MANTISSA_BYTES))
    };
    let mut mantissa: u32 = mantissa.to();
    // The top bit of the mantissa is the sign, so a number that would set it moves down by a byte.
    if mantissa & SIGN_BIT != 0 {
        mantissa >>= 8;
        length += 1;
    }
    let length = u32::try_from(length).expect("a 256-bit number has at most 32 bytes, and one is added above");
    CompactTarget::from_consensus(mantissa | length << 24)
}

/// Checks that `hash` meets the target `bits` on a network whose easiest target is `limit`
/// (Core: `CheckProofOfWorkImpl`, `pow.cpp`).
///
/// # Errors
///
/// If `bits` stands for no target of the network or `hash` is above it.
pub fn check_proof_of_work(hash: &BlockHash, bits: CompactTarget, limit: U256) -> Result<(), ProofOfWorkError> {
    let target = Target::from_compact(bits, limit)?;
    if target.is_met_by(hash) { Ok(()) } else { Err(ProofOfWorkError::HashAboveTarget { hash: *hash, target }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bitcoin's easiest target: 224 one bits.
    fn limit() -> U256 {
        U256::MAX >> 32
    }

    fn compact(bits: u32) -> CompactTarget {
        CompactTarget::from_consensus(bits)
    }

    fn hash_of(value: U256) -> BlockHash {
        BlockHash::from_byte_array(value.to_le_bytes())
    }

    fn check(hash: U256, bits: u32) -> Result<(), ProofOfWorkError> {
        check_proof_of_work(&hash_of(hash), compact(bits), limit())
    }

    #[test]
    fn words_without_a_mantissa_are_plain_zero() {
        // Core, arith_uint256_tests.cpp, bignum_SetCompact: neither the sign bit nor a long length matters.
        for bits in [
            0,
            0x0012_3456,
            0x0100_3456,
            0x0200_0056,
            0x0300_0000,
            0x0400_0000,
            0x0092_3456,
            0x0180_3456,
            0x0280_0056,
            0x0380_0000,
            0x0480_0000,
            0xff80_0000,
        ] {
            assert_eq!(
                decode_compact(compact(bits)),
                Compact { value: U256::ZERO, negative: false, overflow: false },
                "{bits:#010x}"
            );
        }
        assert_eq!(encode_compact(U256::ZERO), compact(0));
    }

    #[test]
    fn core_cases_decode_and_encode() {
        // Core, arith_uint256_tests.cpp, bignum_SetCompact: word, number, and the word it is written back as.
        for (bits, value, back) in [
            (0x0112_3456, U256::from(0x12), 0x0112_0000),
            (0x0212_3456, U256::from(0x1234), 0x0212_3400),
            (0x0312_3456, U256::from(0x12_3456), 0x0312_3456),
            (0x0412_3456, U256::from(0x1234_5600), 0x0412_3456),
            (0x0500_9234, U256::from(0x9234_0000_u32), 0x0500_9234),
            (0x2012_3456, U256::from(0x12_3456) << 232, 0x2012_3456),
        ] {
            assert_eq!(
                decode_compact(compact(bits)),
                Compact { value, negative: false, overflow: false },
                "{bits:#010x}"
            );
            assert_eq!(encode_compact(value), compact(back), "{bits:#010x}");
        }
        assert_eq!(encode_compact(U256::from(0x80)), compact(0x0200_8000));
        assert_eq!(
            decode_compact(compact(0x01fe_dcba)),
            Compact { value: U256::from(0x7e), negative: true, overflow: false }
        );
        assert_eq!(
            decode_compact(compact(0x0492_3456)),
            Compact { value: U256::from(0x1234_5600), negative: true, overflow: false }
        );
        assert_eq!(
            decode_compact(compact(0xff12_3456)),
            Compact { value: U256::ZERO, negative: false, overflow: true }
        );
    }

    #[test]
    fn overflow_starts_where_the_mantissa_leaves_256_bits() {
        for (bits, overflow) in [
            (0x207f_ffff, false),
            (0x2100_ffff, false),
            (0x2101_0000, true),
            (0x2200_00ff, false),
            (0x2200_0100, true),
            (0x2300_0001, true),
        ] {
            assert_eq!(decode_compact(compact(bits)).overflow, overflow, "{bits:#010x}");
        }
    }

    #[test]
    fn targets_outside_the_range_are_named() {
        let derive = |bits| Target::from_compact(compact(bits), limit());
        assert_eq!(derive(0x1d80_ffff), Err(TargetError::Negative { bits: 0x1d80_ffff }));
        assert_eq!(derive(0x1d00_0000), Err(TargetError::Zero { bits: 0x1d00_0000 }));
        assert_eq!(derive(0xff7f_ffff), Err(TargetError::Overflow { bits: 0xff7f_ffff }));
        let got = U256::from(0x01_0000) << 208;
        assert_eq!(derive(0x1d01_0000), Err(TargetError::AboveLimit { bits: 0x1d01_0000, got, limit: limit() }));
        assert_eq!(derive(0x1d00_ffff).map(Target::to_compact), Ok(compact(0x1d00_ffff)));
    }

    #[test]
    fn proof_of_work_as_in_core() {
        // Core, pow_tests.cpp, the CheckProofOfWork_test_… cases.
        let one = U256::from(1);
        assert!(matches!(check(one, 0x1d80_ffff), Err(ProofOfWorkError::Target(TargetError::Negative { .. }))));
        assert!(matches!(check(one, !0x0080_0000), Err(ProofOfWorkError::Target(TargetError::Overflow { .. }))));
        let too_easy = encode_compact(limit() << 1).to_consensus();
        assert!(matches!(check(one, too_easy), Err(ProofOfWorkError::Target(TargetError::AboveLimit { .. }))));
        assert!(matches!(check(limit() << 1, 0x1d00_ffff), Err(ProofOfWorkError::HashAboveTarget { .. })));
        assert!(matches!(check(U256::ZERO, 0), Err(ProofOfWorkError::Target(TargetError::Zero { .. }))));
    }

    #[test]
    fn a_hash_equal_to_the_target_meets_it() {
        let target = U256::from(0xffff) << 208;
        assert_eq!(check(target, 0x1d00_ffff), Ok(()));
        assert!(check(target + U256::from(1), 0x1d00_ffff).is_err());
    }

    #[test]
    fn genesis_meets_its_target() {
        let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin).header;
        assert_eq!(check_proof_of_work(&genesis.block_hash(), genesis.bits, limit()), Ok(()));
    }

    #[test]
    fn errors_show_both_sides() {
        let error = Target::from_compact(compact(0x1d01_0000), limit()).expect_err("above the limit");
        assert_eq!(
            error.to_string(),
            "compact target 0x1d010000 is 0000000100000000000000000000000000000000000000000000000000000000, \
             expected at most 00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        );
    }

    proptest! {
        #[test]
        fn encoding_rounds_down_to_a_fixed_point(bytes: [u8; 32], shift in 0_usize..256) {
            let value = U256::from_be_bytes(bytes) >> shift;
            let Compact { value: rounded, negative, overflow } = decode_compact(encode_compact(value));
            prop_assert!(!negative && !overflow);
            prop_assert!(rounded <= value);
            // At least 16 significant bits survive.
            prop_assert!(value - rounded <= value >> 15);
            prop_assert_eq!(encode_compact(rounded), encode_compact(value));
        }

        #[test]
        fn every_word_decodes(length in prop_oneof![0_u32..=0x24, 0_u32..=0xff], rest in 0_u32..=0xff_ffff) {
            let bits = length << 24 | rest;
            let Compact { value, negative, overflow } = decode_compact(compact(bits));
            if !negative && !overflow {
                prop_assert_eq!(decode_compact(encode_compact(value)).value, value);
            }
            prop_assert_eq!(
                Target::from_compact(compact(bits), U256::MAX).is_ok(),
                !negative && !overflow && !value.is_zero()
            );
        }

        #[test]
        fn decoding_agrees_with_the_bitcoin_crate(length in 0_u32..=0x20, mantissa in 0_u32..=MANTISSA_MASK) {
            let bits = length << 24 | mantissa;
            let Compact { value, negative, overflow } = decode_compact(compact(bits));
            prop_assert!(!negative && !overflow);
            prop_assert_eq!(value.to_be_bytes(), bitcoin::Target::from_compact(compact(bits)).to_be_bytes());
        }
    }
}
