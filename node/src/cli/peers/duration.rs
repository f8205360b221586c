//! Times as people write them: a number and a unit.

/// Units, the longest first, in seconds.
const UNITS: [(char, u64); 5] = [('w', 7 * 24 * 60 * 60), ('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// Reads a time such as `24h`, in seconds. Zero is none.
pub(super) fn parse_duration(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let seconds = unit.and_then(|(number, seconds)| number.parse::<u64>().ok()?.checked_mul(seconds));
    // What the node takes is a signed number.
    let usable = seconds.filter(|seconds| *seconds > 0 && i64::try_from(*seconds).is_ok());
    usable.ok_or_else(|| format!("expected a number with s, m, h, d or w, such as 24h, got {text:?}"))
}

/// A time with its largest unit, but for weeks, rounded down.
pub(super) fn show_duration(seconds: u64) -> String {
    let unit = UNITS.iter().skip(1).find(|(_, unit)| seconds >= *unit);
    unit.map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("1s", 1), ("90m", 5400), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for wrong in ["", "h", "0h", "5", "-1h", "1.5h", "5y", "99999999999999999w", "h5", "9223372036854775808s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_shown() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86_400 * 20, "20d")] {
            assert_eq!(show_duration(seconds), text);
        }
    }
}
