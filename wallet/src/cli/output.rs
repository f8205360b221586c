//! Tables for people, JSON for programs.

use bitcoin::{Amount, SignedAmount};
use serde::Serialize;

use crate::error::WalletError;

/// An answer for programs.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, WalletError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| WalletError::Io { what: "cannot write JSON".to_owned(), source: error.into() })?;
    Ok(text + "\n")
}

/// Columns as wide as what is in them; those of numbers are aligned to the right.
pub(super) fn table<const N: usize>(titles: [&str; N], numbers: [bool; N], rows: Vec<[String; N]>) -> String {
    let mut lines = vec![titles.map(str::to_owned)];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| printable(&cell))));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let cells: [String; N] = std::array::from_fn(|column| {
            let (cell, width) = (&line[column], widths[column]);
            if numbers[column] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A text of somebody else's, such as a label, that cannot move the cursor or hide what stands beside it.
pub(super) fn printable(text: &str) -> String {
    // Besides control characters, those that turn the direction of writing (Unicode's Bidi_Control).
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Bitcoins with eight decimals, for columns that say so.
pub(super) fn btc(amount: Amount) -> String {
    format!("{:.8}", amount.display_in(bitcoin::Denomination::Bitcoin))
}

/// As [`btc`], with a sign.
pub(super) fn signed_btc(amount: SignedAmount) -> String {
    format!("{:+.8}", amount.display_in(bitcoin::Denomination::Bitcoin))
}

/// Seconds since 1970 as date and time in UTC, without seconds.
pub(super) fn show_time(seconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let (days, rest) = (seconds / DAY, seconds % DAY);
    // Howard Hinnant's `civil_from_days`, for days since 1970: eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3600, rest / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let text =
            table(["NAME", "BTC"], [false, true], vec![["a".into(), "1.5".into()], ["bcdef".into(), "10".into()]]);
        assert_eq!(text, "NAME   BTC\na      1.5\nbcdef   10\n");
    }

    #[test]
    fn labels_cannot_rewrite_a_table() {
        let text = table(["A"], [false], vec![["10\r\u{1b}[2K0.01\nFee\u{202e}".into()]]);
        assert_eq!(text, "A\n10\u{fffd}\u{fffd}[2K0.01\u{fffd}Fee\u{fffd}\n");
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(show_time(0), "1970-01-01 00:00");
        assert_eq!(show_time(951_827_696), "2000-02-29 12:34");
        assert_eq!(show_time(1_795_305_599), "2026-11-21 23:59");
        assert_eq!(show_time(4_107_542_400), "2100-03-01 00:00");
    }
}
