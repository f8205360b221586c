//! Fees for sizes.

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use bitcoin::Weight;

/// A fee and the size it pays for (Core: `FeeFrac`, `util/feefrac.h`; `CFeeRate`, `policy/feerate.h`).
///
/// The unit of the size is the caller's: weight units in the graph and in diagrams (Core: `FeePerWeight`), virtual bytes
/// where a minimum is asked for (Core: `FeePerVSize`). Two that are equal have the same fee and the same size; whether they
/// have the same rate, [`FeeRate::cmp_rate`] says. The default is empty: no fee for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FeeRate {
    /// Satoshis.
    pub fee: i64,
    /// Weight units or virtual bytes.
    pub size: u64,
}

impl FeeRate {
    /// `fee` satoshis for `size`.
    #[must_use]
    pub const fn new(fee: i64, size: u64) -> Self {
        Self { fee, size }
    }

    /// `fee` satoshis for 1000 virtual bytes.
    #[must_use]
    pub const fn per_kvb(fee: i64) -> Self {
        Self { fee, size: 1000 }
    }

    /// Whether it pays for nothing, so that there is no rate.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.size == 0
    }

    /// Compares the rates, exactly (Core: `ByRatio`). One that is empty equals every other.
    #[must_use]
    pub fn cmp_rate(self, other: Self) -> Ordering {
        // |fee| <= 2^63 and size < 2^64, so the products fit.
        let ours = i128::from(self.fee) * i128::from(other.size);
        let theirs = i128::from(other.fee) * i128::from(self.size);
        ours.cmp(&theirs)
    }

    /// The fee this rate asks for `size`, in satoshis, rounded up; a negative rate asks for at most -1 (Core:
    /// `CFeeRate::GetFee`, `policy/feerate.cpp`). Nothing when the rate is empty.
    #[must_use]
    pub fn fee_for(self, size: u64) -> i64 {
        if self.is_empty() {
            return 0;
        }
        let divisor = i128::from(self.size);
        let fee = -(-i128::from(self.fee) * i128::from(size)).div_euclid(divisor);
        if fee == 0 && size != 0 && self.fee < 0 {
            return -1;
        }
        saturated(fee)
    }

    /// Satoshis for 1000 virtual bytes, rounded down, of a rate per virtual byte (Core: `CFeeRate::GetFeePerK`). Nothing when
    /// the rate is empty.
    #[must_use]
    pub fn fee_per_kvb(self) -> i64 {
        if self.is_empty() {
            return 0;
        }
        saturated((i128::from(self.fee) * 1000).div_euclid(i128::from(self.size)))
    }

    /// The same fee for virtual bytes, of one for weight units; the size is rounded up (Core: `ToFeePerVSize`,
    /// `policy/policy.h`).
    #[must_use]
    pub const fn weight_to_vbytes(self) -> Self {
        Self { fee: self.fee, size: self.size.div_ceil(Weight::WITNESS_SCALE_FACTOR) }
    }
}

/// The nearest number of satoshis.
fn saturated(fee: i128) -> i64 {
    i64::try_from(fee).unwrap_or(if fee < 0 { i64::MIN } else { i64::MAX })
}

/// Fees to fees and sizes to sizes, as chunks merge. Saturates, which no sum of fees that exist reaches.
impl Add for FeeRate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { fee: self.fee.saturating_add(other.fee), size: self.size.saturating_add(other.size) }
    }
}

/// Fees from fees and sizes from sizes, as a part leaves a chunk. Saturates: a size does not fall below zero.
impl Sub for FeeRate {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { fee: self.fee.saturating_sub(other.fee), size: self.size.saturating_sub(other.size) }
    }
}

impl AddAssign for FeeRate {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for FeeRate {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for FeeRate {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

/// Compares two feerate diagrams: the total fee over the total size, of chunks from best to worst, which stays as it is
/// after the last (Core: `CompareChunks`, `util/feefrac.cpp`).
///
/// [`Ordering::Greater`] says that `a` is nowhere below `b` and somewhere above. Nothing when each is above the other
/// somewhere.
#[must_use]
pub fn compare_diagrams(a: &[FeeRate], b: &[FeeRate]) -> Option<Ordering> {
    let (mut a, mut b) = (Diagram::new(a), Diagram::new(b));
    let (mut a_is_above, mut b_is_above) = (false, false);
    loop {
        let a_against_b = match (a.next, b.next) {
            (None, None) => break,
            // The diagram that ended goes on as a level line.
            (Some(point), None) => {
                a.advance();
                point.fee.cmp(&b.last.fee)
            }
            (None, Some(point)) => {
                b.advance();
                a.last.fee.cmp(&point.fee)
            }
            // Whether the corner that comes first lies above or below the next line of the other diagram: the slopes to both
            // from where that line begins. When it begins at the same size, the slope is infinite, as it should be.
            (Some(next_a), Some(next_b)) if next_a.size <= next_b.size => {
                a.advance();
                (next_a - b.last).cmp_rate(next_b - b.last)
            }
            (Some(next_a), Some(next_b)) => {
                b.advance();
                (next_a - a.last).cmp_rate(next_b - a.last)
            }
        };
        a_is_above |= a_against_b.is_gt();
        b_is_above |= a_against_b.is_lt();
        if a_is_above && b_is_above {
            return None;
        }
    }
    Some(a_is_above.cmp(&b_is_above))
}

/// A diagram on the way from corner to corner.
struct Diagram<'a> {
    last: FeeRate,
    next: Option<FeeRate>,
    rest: &'a [FeeRate],
}

impl<'a> Diagram<'a> {
    fn new(chunks: &'a [FeeRate]) -> Self {
        let mut diagram = Self { last: FeeRate::default(), next: Some(FeeRate::default()), rest: chunks };
        diagram.advance();
        diagram
    }

    fn advance(&mut self) {
        if let Some(next) = self.next {
            self.last = next;
        }
        self.next = self.rest.split_first().map(|(chunk, rest)| {
            self.rest = rest;
            self.last + *chunk
        });
    }
}

#[cfg(test)]
mod tests;
