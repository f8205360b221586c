//! Times as people write them: a number and a unit, down to milliseconds.

use std::time::Duration;

/// The longest time that is read: ten years.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Units, those first that end like others, in milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a time such as `80ms` or `1.5s`.
///
/// # Errors
///
/// What was expected.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = UNITS.iter().find_map(|(unit, milliseconds)| Some((text.strip_suffix(unit)?, *milliseconds)));
    let duration = parsed.and_then(|(number, unit)| {
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = number.parse().ok().filter(|_| is_number)?;
        Duration::try_from_secs_f64(number * Duration::from_millis(unit).as_secs_f64()).ok()
    });
    duration
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| format!("expected a time with ms, s, m, h or d, such as 20s, got {text:?}"))
}

/// A time as [`parse_duration`] reads it, in the largest unit that needs no fraction.
pub(crate) fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let unit = UNITS.iter().rev().find(|(_, unit)| milliseconds.is_multiple_of(u128::from(*unit)) && milliseconds > 0);
    unit.map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", milliseconds / u128::from(*unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_shown() {
        for (text, milliseconds) in [("80ms", 80), ("5s", 5000), ("90s", 90_000), ("20m", 1_200_000), ("2h", 7_200_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
            assert_eq!(show_duration(Duration::from_millis(milliseconds)), text);
        }
        assert_eq!(parse_duration("0.5s"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(show_duration(Duration::ZERO), "0s");
        assert_eq!(show_duration(Duration::from_millis(120_000)), "2m");
        for wrong in ["", "s", "5", "-1s", "1e3s", "inf s", "1..2s", "5y", "99999999d", "nans"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
