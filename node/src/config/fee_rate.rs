//! Fee rates as users write them.

use std::fmt;
use std::str::FromStr;

/// A fee rate, written in satoshis per virtual byte with at most three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeeRate {
    sat_per_kvb: u64,
}

/// The highest fee rate that can be asked for: a bitcoin for each thousand virtual bytes.
const MAX_SAT_PER_KVB: u64 = 100_000_000;

impl FeeRate {
    /// Satoshis per 1000 virtual bytes, which is Core's unit (`CFeeRate`, `policy/feerate.h`).
    pub(crate) fn sat_per_kvb(self) -> u64 {
        self.sat_per_kvb
    }
}

impl FromStr for FeeRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            "expected satoshis per virtual byte with at most three decimals, up to 100000, such as 1 or 0.1".to_owned()
        };
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || !is_number(whole) || !is_number(decimals) || decimals.len() > 3 {
            return Err(wrong());
        }
        let sat_per_kvb: u64 = format!("{whole}{decimals:0<3}").parse().map_err(|_| wrong())?;
        if sat_per_kvb > MAX_SAT_PER_KVB {
            return Err(wrong());
        }
        Ok(Self { sat_per_kvb })
    }
}

impl fmt::Display for FeeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.sat_per_kvb / 1000, self.sat_per_kvb % 1000);
        let decimals = format!("{decimals:03}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, sat_per_kvb, shown) in [
            ("0", 0, "0"),
            ("0.1", 100, "0.1"),
            ("3", 3000, "3"),
            ("1.", 1000, "1"),
            ("12.345", 12_345, "12.345"),
            ("0.001", 1, "0.001"),
            ("100000", 100_000_000, "100000"),
        ] {
            let rate: FeeRate = text.parse().unwrap();
            assert_eq!((rate.sat_per_kvb(), rate.to_string().as_str()), (sat_per_kvb, shown));
        }
        for text in ["", ".1", "-1", "1e3", "0.0001", "100000.001", "99999999999999999999", "1,5", "١"] {
            text.parse::<FeeRate>().unwrap_err();
        }
    }
}
