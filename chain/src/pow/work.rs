//! Work: how many hashes a chain is expected to have cost.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use bitcoin::CompactTarget;
use ruint::aliases::U256;
use thiserror::Error;

use super::target::{Target, decode_compact};

/// Hexadecimal digits of a 256-bit number.
const HEX_DIGITS: usize = 64;

/// Expected number of hashes behind a block or a chain; of two valid chains the one with more work wins.
///
/// Displayed and parsed as hexadecimal, most significant digit first, like Core's `chainwork`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Work(U256);

/// Why a text is not an amount of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseWorkError {
    /// Not between one and 64 digits long.
    #[error("work has {got} digits, expected 1 to 64")]
    Length {
        /// Length of the text, in bytes.
        got: usize,
    },
    /// A character is no hexadecimal digit.
    #[error("work has {got:?} at offset {offset}, expected a hexadecimal digit")]
    Digit {
        /// The character.
        got: char,
        /// Where it stands, in bytes from the start.
        offset: usize,
    },
}

impl Work {
    /// No work at all.
    pub const ZERO: Self = Self(U256::ZERO);

    /// Work of `hashes` expected hashes.
    #[must_use]
    pub const fn new(hashes: U256) -> Self {
        Self(hashes)
    }

    /// Work of one block with the target `bits`: 2^256 / (target + 1), rounded down.
    ///
    /// Zero when `bits` is negative, zero or too long, as in Core's `GetBitsProof`, `chain.cpp`.
    #[must_use]
    pub fn from_compact(bits: CompactTarget) -> Self {
        let Some(target) = decode_compact(bits).to_target().map(Target::to_u256) else {
            return Self::ZERO;
        };
        // 2^256 does not fit; (2^256 − target − 1) / (target + 1) + 1 is the same number and does. The additions cannot
        // overflow: no compact number is 2^256 − 1, and the quotient of a target of at least 1 is below 2^255.
        let one = U256::from(1);
        Self(!target / (target + one) + one)
    }

    /// The number of hashes, 32 bytes big-endian.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// Work of a number of hashes, 32 bytes big-endian.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }

    /// Reads one to 64 hexadecimal digits of either case, most significant first, without a prefix.
    ///
    /// # Errors
    ///
    /// If the text is empty, too long, or holds anything else.
    pub fn from_hex(text: &str) -> Result<Self, ParseWorkError> {
        if text.is_empty() || text.len() > HEX_DIGITS {
            return Err(ParseWorkError::Length { got: text.len() });
        }
        let mut value = U256::ZERO;
        for (offset, got) in text.char_indices() {
            let digit = got.to_digit(16).ok_or(ParseWorkError::Digit { got, offset })?;
            value = value.wrapping_shl(4) | U256::from(digit);
        }
        Ok(Self(value))
    }

    /// The expected number of hashes.
    #[must_use]
    pub const fn to_u256(self) -> U256 {
        self.0
    }
}

/// Stops at 2^256 − 1: no chain gets there, and a chain of made-up headers must neither wrap around nor stop the node.
impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::ZERO, Add::add)
    }
}

/// 64 hexadecimal digits, most significant first.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:064x}", self.0)
    }
}

impl FromStr for Work {
    type Err = ParseWorkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_hex(text)
    }
}

/// Seconds it would take to redo the work between `from` and `to` if every `target_spacing` seconds one block of
/// difficulty `tip_bits` was found; negative when `from` has more work (Core: `GetBlockProofEquivalentTime`, `chain.cpp`).
///
/// The result stays within ±(2^63 − 1), which is also the answer for `tip_bits` that are worth no work: no tip has such
/// bits, and Core would divide by zero.
#[must_use]
pub fn proof_equivalent_time(to: Work, from: Work, tip_bits: CompactTarget, target_spacing: u32) -> i64 {
    // The multiplication drops high bits, as Core's 256-bit arithmetic does.
    let scaled = to.0.abs_diff(from.0).wrapping_mul(U256::from(target_spacing));
    let seconds = scaled
        .checked_div(Work::from_compact(tip_bits).0)
        .and_then(|seconds| i64::try_from(seconds).ok())
        .unwrap_or(i64::MAX);
    if to > from { seconds } else { -seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compact(bits: u32) -> CompactTarget {
        CompactTarget::from_consensus(bits)
    }

    #[test]
    fn work_of_known_targets() {
        // The chainwork of mainnet's genesis is 0x100010001; regtest's blocks are worth two hashes.
        assert_eq!(Work::from_compact(compact(0x1d00_ffff)), Work::new(U256::from(0x1_0001_0001_u64)));
        assert_eq!(Work::from_compact(compact(0x207f_ffff)), Work::new(U256::from(2)));
        assert_eq!(Work::from_compact(compact(0x0101_0000)), Work::new(U256::from(1) << 255));
    }

    #[test]
    fn invalid_bits_are_worth_nothing() {
        for bits in [0, 0x1d00_0000, 0x1d80_ffff, 0xff12_3456] {
            assert_eq!(Work::from_compact(compact(bits)), Work::ZERO, "{bits:#010x}");
        }
    }

    #[test]
    fn sums_stop_at_the_top() {
        let top = Work::new(U256::MAX);
        assert_eq!(top + Work::new(U256::from(1)), top);
        let parts = [2, 3, 4].map(|part| Work::new(U256::from(part)));
        assert_eq!(parts.into_iter().sum::<Work>(), Work::new(U256::from(9)));
    }

    #[test]
    fn text_is_64_digits_and_reads_back() {
        let work = Work::new(U256::from(0x1_0001_0001_u64));
        assert_eq!(work.to_string(), "0000000000000000000000000000000000000000000000000000000100010001");
        assert_eq!(work.to_string().parse(), Ok(work));
        assert_eq!(Work::from_hex("100010001"), Ok(work));
        assert_eq!(Work::from_hex(""), Err(ParseWorkError::Length { got: 0 }));
        assert_eq!(Work::from_hex(&"0".repeat(65)), Err(ParseWorkError::Length { got: 65 }));
        assert_eq!(Work::from_hex("1_0"), Err(ParseWorkError::Digit { got: '_', offset: 1 }));
        assert_eq!(Work::from_hex("0x1"), Err(ParseWorkError::Digit { got: 'x', offset: 1 }));
    }

    #[test]
    fn equivalent_time_is_the_time_between_blocks_of_equal_difficulty() {
        // Core, pow_tests.cpp, GetBlockProofEquivalentTime_test.
        let bits = compact(0x207f_ffff);
        let chain_work = |height: u64| Work::new(Work::from_compact(bits).to_u256() * U256::from(height));
        for (to, from) in [(0, 0), (0, 9999), (9999, 0), (17, 4242)] {
            let expected = (i64::try_from(to).unwrap() - i64::try_from(from).unwrap()) * 600;
            assert_eq!(proof_equivalent_time(chain_work(to), chain_work(from), bits, 600), expected);
        }
    }

    #[test]
    fn equivalent_time_stays_in_range() {
        let (bits, top) = (compact(0x207f_ffff), Work::new(U256::MAX >> 16));
        assert_eq!(proof_equivalent_time(top, Work::ZERO, bits, 600), i64::MAX);
        assert_eq!(proof_equivalent_time(Work::ZERO, top, bits, 600), -i64::MAX);
        assert_eq!(proof_equivalent_time(top, Work::ZERO, compact(0), 600), i64::MAX);
    }

    proptest! {
        #[test]
        fn work_agrees_with_the_bitcoin_crate(mantissa in 1_u32..0x80_0000, length in 4_u32..0x20) {
            let bits = compact(length << 24 | mantissa);
            let expected = bitcoin::Target::from_compact(bits).to_work();
            prop_assert_eq!(Work::from_compact(bits).to_u256().to_be_bytes(), expected.to_be_bytes());
        }

        #[test]
        fn an_easier_target_is_never_worth_more(a in 1_u32..0x2100_0000, b in 1_u32..0x2100_0000) {
            let (a, b) = (compact(a), compact(b));
            let valid = |bits| decode_compact(bits).to_target();
            if let (Some(target_a), Some(target_b)) = (valid(a), valid(b)) {
                prop_assert!(target_a > target_b || Work::from_compact(a) >= Work::from_compact(b));
            }
        }

        #[test]
        fn equivalent_time_is_total(to: [u8; 32], from: [u8; 32], bits: u32, spacing: u32) {
            let (to, from) = (Work::new(U256::from_be_bytes(to)), Work::new(U256::from_be_bytes(from)));
            prop_assert!(proof_equivalent_time(to, from, compact(bits), spacing) > i64::MIN);
        }
    }
}
