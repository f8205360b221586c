//! Amounts as people write them: always with a unit, so that nobody pays a hundred million times too much.

use bitcoin::{Amount, Denomination, FeeRate};

/// What a recipient is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payout {
    /// This much.
    Exactly(Amount),
    /// All that there is, less the fee.
    Max,
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// A number, and nothing says of what.
    #[error("amount without a unit: expected something like 0.01btc or 50000sat, got '{got}'")]
    NoUnit {
        /// The text.
        got: String,
    },
    /// Not a number, too many decimals, or more than there can be.
    #[error("expected an amount such as 0.01btc or 50000sat, got '{got}': {problem}")]
    Malformed {
        /// The text.
        got: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing.
    #[error("expected an amount above zero, got '{got}'")]
    Zero {
        /// The text.
        got: String,
    },
}

/// Reads `0.01btc`, `50000sat` or `max`; case does not matter, and a space may stand before the unit.
///
/// # Errors
///
/// For everything else.
pub fn parse_payout(text: &str) -> Result<Payout, AmountError> {
    if text.trim().eq_ignore_ascii_case("max") {
        return Ok(Payout::Max);
    }
    parse_amount(text).map(Payout::Exactly)
}

/// Reads `0.01btc` or `50000sat`.
///
/// # Errors
///
/// For everything else.
pub fn parse_amount(text: &str) -> Result<Amount, AmountError> {
    let got = || text.to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let unit_at = lower.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(lower.len());
    let (number, unit) = (lower[..unit_at].trim(), lower[unit_at..].trim());
    let denomination = match unit {
        "" if number.is_empty() => {
            return Err(AmountError::Malformed { got: got(), problem: "there is nothing".to_owned() });
        }
        "" => return Err(AmountError::NoUnit { got: got() }),
        "btc" => Denomination::Bitcoin,
        "sat" | "sats" => Denomination::Satoshi,
        unit => {
            let problem = match unit {
                "all" | "everything" => "all that there is is called max".to_owned(),
                unit => format!("units are btc and sat, not {unit}"),
            };
            return Err(AmountError::Malformed { got: got(), problem });
        }
    };
    let amount = Amount::from_str_in(number, denomination)
        .map_err(|error| AmountError::Malformed { got: got(), problem: error.to_string() })?;
    if amount > Amount::MAX_MONEY {
        return Err(AmountError::Malformed { got: got(), problem: "there are only 21 million".to_owned() });
    }
    if amount == Amount::ZERO {
        return Err(AmountError::Zero { got: got() });
    }
    Ok(amount)
}

/// An amount for people: bitcoins with eight decimals.
#[must_use]
pub fn show_amount(amount: Amount) -> String {
    format!("{:.8} BTC", amount.display_in(Denomination::Bitcoin))
}

/// Why a text is no fee rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a fee rate in satoshis per virtual byte, between 0.1 and 1000000, got '{got}'")]
pub struct FeeRateError {
    got: String,
}

/// Least and most that is taken for a fee rate, in satoshis per virtual byte.
const FEE_RATES: std::ops::RangeInclusive<f64> = 0.1..=1_000_000.0;
/// A fee rate in satoshis per virtual byte is this many in satoshis per thousand weight units.
const KWU_PER_VB: f64 = 250.0;

/// Reads a fee rate in satoshis per virtual byte, decimals allowed.
///
/// # Errors
///
/// When it is no number, or beyond all sense.
pub fn parse_fee_rate(text: &str) -> Result<FeeRate, FeeRateError> {
    let wrong = || FeeRateError { got: text.to_owned() };
    let rate: f64 = text.trim().parse().map_err(|_| wrong())?;
    if !FEE_RATES.contains(&rate) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, as has just been seen")]
    Ok(FeeRate::from_sat_per_kwu((rate * KWU_PER_VB).round() as u64))
}

/// A fee rate for people and programs, in satoshis per virtual byte.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "fee rates are far below 2^52")]
pub fn sat_per_vb(rate: FeeRate) -> f64 {
    rate.to_sat_per_kwu() as f64 / KWU_PER_VB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        let sat = |sats| Ok(Payout::Exactly(Amount::from_sat(sats)));
        for (text, expected) in [
            ("0.01btc", sat(1_000_000)),
            ("0.01 BTC", sat(1_000_000)),
            ("50000sat", sat(50_000)),
            ("1 sats", sat(1)),
            ("21000000btc", sat(2_100_000_000_000_000)),
            ("max", Ok(Payout::Max)),
            ("MAX", Ok(Payout::Max)),
            ("5", Err(AmountError::NoUnit { got: "5".to_owned() })),
            ("0sat", Err(AmountError::Zero { got: "0sat".to_owned() })),
        ] {
            assert_eq!(parse_payout(text), expected, "{text}");
        }
        for text in ["", "btc", "1eth", "1.5sat", "0.000000001btc", "-1btc", "21000001btc", "1e3sat", "1,5btc"] {
            assert!(matches!(parse_payout(text), Err(AmountError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn fee_rates_may_have_decimals() {
        assert_eq!(parse_fee_rate("2").unwrap(), FeeRate::from_sat_per_kwu(500));
        assert_eq!(parse_fee_rate("0.1").unwrap(), FeeRate::from_sat_per_kwu(25));
        assert!((sat_per_vb(parse_fee_rate("12.5").unwrap()) - 12.5).abs() < f64::EPSILON);
        for text in ["", "0", "-1", "0.05", "NaN", "inf", "2sat", "1000001"] {
            assert!(parse_fee_rate(text).is_err(), "{text}");
        }
    }
}
