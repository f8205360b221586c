//! Decimal fractions.

/// No result is larger, whatever its sign (Core: `UPPER_BOUND`, `util/strencodings.cpp`).
const UPPER_BOUND: u64 = 999_999_999_999_999_999;
/// Digits of it.
const MAX_DIGITS: i64 = 18;

/// Reads a number in JSON's notation, multiplied by 10^`decimals`; none if it is not whole then, or too large (Core:
/// `ParseFixedPoint`, `util/strencodings.cpp`).
#[must_use]
pub(crate) fn parse_fixed_point(text: &str, decimals: u8) -> Option<i64> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    // Zeros at the end only move the point.
    let digits = whole.len() + fraction.len();
    let fraction = fraction.trim_end_matches('0');
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    let dropped = digits - whole.len() - fraction.len();
    let mut value = 0_u64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        if value > UPPER_BOUND {
            return None;
        }
    }
    let all_decimals = i64::try_from(digits - mantissa.find('.').unwrap_or(digits)).ok()?;
    let exponent =
        exponent.checked_sub(all_decimals)?.checked_add(i64::try_from(dropped).ok()?)?.checked_add(decimals.into())?;
    if !(0..MAX_DIGITS).contains(&exponent) {
        return None;
    }
    let value = value.checked_mul(10_u64.checked_pow(u32::try_from(exponent).ok()?)?)?;
    let value = i64::try_from(value).ok().filter(|_| value <= UPPER_BOUND)?;
    Some(if is_negative { -value } else { value })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `test_ParseFixedPoint` of Core's util_tests.cpp.
    #[test]
    fn fractions_are_read_as_core_reads_them() {
        let good = [
            ("0", 0),
            ("1", 100_000_000),
            ("0.0", 0),
            ("-0.1", -10_000_000),
            ("1.1", 110_000_000),
            ("1.10000000000000000", 110_000_000),
            ("1.1e1", 1_100_000_000),
            ("1.1e-1", 11_000_000),
            ("1000", 100_000_000_000),
            ("-1000", -100_000_000_000),
            ("0.00000001", 1),
            ("0.0000000100000000", 1),
            ("-0.00000001", -1),
            ("1000000000.00000001", 100_000_000_000_000_001),
            ("9999999999.99999999", 999_999_999_999_999_999),
            ("-9999999999.99999999", -999_999_999_999_999_999),
            ("0.20000000000000000000000000000000000000000000000000000000000000001e-0", 0),
        ];
        for (text, value) in &good[..good.len() - 1] {
            assert_eq!(parse_fixed_point(text, 8), Some(*value), "{text}");
        }
        assert_eq!(parse_fixed_point(good[good.len() - 1].0, 8), None);
        let bad = [
            "",
            "-",
            "a-1000",
            "-a1000",
            "-1000a",
            "-01000",
            "00.1",
            ".1",
            "--0.1",
            "0.000000001",
            "-0.000000001",
            "0.00000001000000001",
            "-10000000000.00000000",
            "10000000000.00000000",
            "-10000000000.00000001",
            "10000000000.00000001",
            "-10000000000.00000009",
            "10000000000.00000009",
            "-99999999999.99999999",
            "99999909999.09999999",
            "92233720368.54775807",
            "92233720368.54775808",
            "-92233720368.54775808",
            "-92233720368.54775809",
            "1.1e",
            "1.1e-",
            "1.",
            "1e1e1",
            " 1",
            "1 ",
            "1e99999999999999999999",
            "+1",
            "1e++1",
            "1e+-1",
            "0x1",
        ];
        for text in bad {
            assert_eq!(parse_fixed_point(text, 8), None, "{text:?}");
        }
        assert_eq!(parse_fixed_point("1", 0), Some(1));
        assert_eq!(parse_fixed_point("0.1", 0), None);
        assert_eq!(parse_fixed_point("0e+5", 8), Some(0));
        assert_eq!(parse_fixed_point("1.2345", 3), None);
        assert_eq!(parse_fixed_point("1.234", 3), Some(1234));
    }

    /// `rpc_parse_monetary_values` of Core's rpc_tests.cpp.
    #[test]
    fn amounts_of_cores_tests() {
        let vectors = [
            ("0.00000001", 1),
            ("0.17622195", 17_622_195),
            ("0.5", 50_000_000),
            ("0.50000000", 50_000_000),
            ("0.89898989", 89_898_989),
            ("1.00000000", 100_000_000),
            ("20999999.9999999", 2_099_999_999_999_990),
            ("20999999.99999999", 2_099_999_999_999_999),
            ("1e-8", 1),
            ("0.1e-7", 1),
            ("0.01e-6", 1),
            ("0.0000000000000000000000000000000000000000000000000000000000000000000000000001e+68", 1),
            ("10000000000000000000000000000000000000000000000000000000000000000e-64", 100_000_000),
            (
                "0.000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000e64",
                100_000_000,
            ),
        ];
        for (text, value) in vectors {
            assert_eq!(parse_fixed_point(text, 8), Some(value), "{text}");
        }
        for text in ["1e-9", "0.000000019", "1e+11", "1e11", "93e+9"] {
            assert_eq!(parse_fixed_point(text, 8), None, "{text}");
        }
        assert_eq!(parse_fixed_point("0.00000001000000", 8), Some(1));
    }
}
