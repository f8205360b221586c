//! What a transaction pays.

use bitcoin::{Amount, FeeRate, Weight};

/// What a transaction has to pay for its weight, and for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeeRule {
    /// For each virtual byte.
    pub(crate) rate: FeeRate,
    /// For transactions that it shall pull into a block with it, and that paid too little.
    pub(crate) for_ancestors: Amount,
    /// What it replaces has paid, and what it has to pay on top for each of its own virtual bytes (BIP125's rules 3 and 4).
    pub(crate) replaced: Option<(Amount, FeeRate)>,
}

impl FeeRule {
    /// A rate and nothing more.
    pub(crate) fn at(rate: FeeRate) -> Self {
        Self { rate, for_ancestors: Amount::ZERO, replaced: None }
    }

    /// The fee of a transaction of this weight.
    pub(crate) fn fee(&self, weight: Weight) -> Amount {
        let own = fee_at(self.rate, weight) + self.for_ancestors;
        self.replaced.map_or(own, |(fees, increment)| own.max(fees + fee_at(increment, weight)))
    }
}

/// The fee of a transaction of this weight at a rate: of whole virtual bytes, in whole satoshis, both rounded up as nodes count.
pub(crate) fn fee_at(rate: FeeRate, weight: Weight) -> Amount {
    let whole = u128::from(weight.to_vbytes_ceil()) * 4;
    let fee = (whole * u128::from(rate.to_sat_per_kwu())).div_ceil(1000);
    Amount::from_sat(u64::try_from(fee).unwrap_or(u64::MAX).min(Amount::MAX_MONEY.to_sat()))
}

/// The rate that a fee is for a weight, in satoshis per virtual byte.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn rate_of(fee: Amount, weight: Weight) -> f64 {
    fee.to_sat() as f64 / weight.to_vbytes_ceil().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up() {
        let rate = |sat_per_kwu| FeeRate::from_sat_per_kwu(sat_per_kwu);
        let wu = Weight::from_wu;
        assert_eq!(fee_at(rate(250), wu(561)), Amount::from_sat(141));
        assert_eq!(fee_at(rate(250), wu(564)), Amount::from_sat(141));
        assert_eq!(fee_at(rate(25), wu(564)), Amount::from_sat(15));
        assert_eq!(fee_at(rate(u64::MAX), wu(u64::MAX / 8)), Amount::MAX_MONEY);
    }

    #[test]
    fn a_replacement_pays_for_what_it_replaces() {
        let rate = FeeRate::from_sat_per_kwu(500);
        let replaced = Some((Amount::from_sat(1000), FeeRate::from_sat_per_kwu(250)));
        let rule = FeeRule { rate, for_ancestors: Amount::ZERO, replaced };
        assert_eq!(rule.fee(Weight::from_wu(400)), Amount::from_sat(1100));
        assert_eq!(rule.fee(Weight::from_wu(40_000)), Amount::from_sat(20_000));
    }
}
