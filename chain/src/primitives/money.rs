//! Amounts as text.

/// Satoshis as bitcoins, with at least two decimals (Core: `FormatMoney`, `util/moneystr.cpp`).
#[must_use]
pub fn format_money(satoshis: i64) -> String {
    let sign = if satoshis < 0 { "-" } else { "" };
    let (whole, rest) = (satoshis.unsigned_abs() / 100_000_000, satoshis.unsigned_abs() % 100_000_000);
    let decimals = format!("{rest:08}");
    let kept = decimals.trim_end_matches('0').len().max(2);
    format!("{sign}{whole}.{}", &decimals[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_at_least_two_decimals() {
        for (satoshis, text) in [
            (0, "0.00"),
            (1, "0.00000001"),
            (100_000, "0.001"),
            (150_000_000, "1.50"),
            (-123_456_789, "-1.23456789"),
            (2_100_000_000_000_000, "21000000.00"),
        ] {
            assert_eq!(format_money(satoshis), text);
        }
    }
}
