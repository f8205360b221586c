//! Typed access to a TOML document, where every error knows its line and key.

use std::ops::RangeInclusive;

use bitcoin::CompactTarget;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{SpecError, SpecProblem};
use crate::params::compact::target_from_bits;

/// Characters of a wrong value or line that an error repeats; the rest is cut off.
const SHOWN_CHARS: usize = 60;

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, SpecError> {
    DeTable::parse(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let got = shown(text.lines().nth(line - 1).unwrap_or_default().trim());
        SpecError::Syntax { line, got, message: error.message().replace('\n', ", ") }
    })
}

/// A table of the document, all of whose keys are known ones.
pub(super) struct Section<'t> {
    text: &'t str,
    /// What stands before a key in messages: nothing, or `genesis.`.
    prefix: &'static str,
    /// Line of the table's own key.
    pub(super) line: usize,
    table: &'t DeTable<'t>,
}

/// The value of one key.
pub(super) struct Entry<'t> {
    line: usize,
    key: String,
    value: &'t DeValue<'t>,
}

impl<'t> Section<'t> {
    /// The document itself.
    pub(super) fn root(text: &'t str, table: &'t DeTable<'t>, known: &[&str]) -> Result<Self, SpecError> {
        Self { text, prefix: "", line: 1, table }.checked(known)
    }

    /// A table in this one; `prefix` is its name and a dot. `None` if it is absent.
    pub(super) fn table(&self, prefix: &'static str) -> Result<Option<Self>, SpecError> {
        let Some(entry) = self.get(prefix.trim_end_matches('.')) else { return Ok(None) };
        let table = entry.value.as_table().ok_or_else(|| entry.wrong("a table"))?;
        Ok(Some(Self { text: self.text, prefix, line: entry.line, table }))
    }

    /// This table, if it has no keys but the known ones.
    pub(super) fn checked(self, known: &[&str]) -> Result<Self, SpecError> {
        let unknown = self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(self),
            Some(key) => Err(SpecError::Key {
                line: line_of(self.text, key.span().start),
                key: format!("{}{}", self.prefix, shown(key.get_ref())),
                problem: SpecProblem::Unknown { expected: known.join(", ") },
            }),
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Entry<'t>> {
        let (found, value) = self.table.get_key_value(key)?;
        Some(Entry {
            line: line_of(self.text, found.span().start),
            key: format!("{}{key}", self.prefix),
            value: value.get_ref(),
        })
    }

    /// The value of `key`, which has no default.
    pub(super) fn require(&self, key: &str, expected: &str) -> Result<Entry<'t>, SpecError> {
        self.get(key).ok_or_else(|| self.missing(key, expected))
    }

    /// The error that `key` is not there.
    fn missing(&self, key: &str, expected: &str) -> SpecError {
        SpecError::Key {
            line: self.line,
            key: format!("{}{key}", self.prefix),
            problem: SpecProblem::Missing { expected: expected.to_owned() },
        }
    }

    /// A flag that is off unless set.
    pub(super) fn flag(&self, key: &str) -> Result<bool, SpecError> {
        self.get(key).map_or(Ok(false), |entry| entry.value.as_bool().ok_or_else(|| entry.wrong("true or false")))
    }

    /// A table that has no default, with known keys only.
    pub(super) fn require_table(&self, prefix: &'static str, known: &[&str]) -> Result<Self, SpecError> {
        match self.table(prefix)? {
            Some(table) => table.checked(known),
            None => {
                let key = prefix.trim_end_matches('.');
                Err(self.missing(key, &format!("a table [{key}]")))
            }
        }
    }
}

impl<'t> Entry<'t> {
    /// The line of the key.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The error that the value is not what is expected.
    pub(super) fn wrong(&self, expected: &str) -> SpecError {
        let problem = SpecProblem::Value { expected: expected.to_owned(), got: display(self.value) };
        SpecError::Key { line: self.line, key: self.key.clone(), problem }
    }

    /// The string, if it passes `check`.
    pub(super) fn string(&self, expected: &str, check: impl FnOnce(&str) -> bool) -> Result<&'t str, SpecError> {
        self.value.as_str().filter(|text| check(text)).ok_or_else(|| self.wrong(expected))
    }

    /// A string that `parse` makes something of.
    pub(super) fn parsed<T>(&self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, SpecError> {
        self.value.as_str().and_then(parse).ok_or_else(|| self.wrong(expected))
    }

    /// A number of `unit` in `range`.
    pub(super) fn number<N>(&self, unit: &str, range: RangeInclusive<N>) -> Result<N, SpecError>
    where
        N: TryFrom<i128> + PartialOrd + std::fmt::Display,
    {
        self.integer()
            .and_then(|number| N::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.wrong(&format!("{unit} from {} to {}", range.start(), range.end())))
    }

    /// The integer, if it is one.
    pub(super) fn integer(&self) -> Option<i128> {
        let integer = self.value.as_integer()?;
        i128::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// A compact target, as an integer (`0x1d00ffff`) or as its hex digits in quotes.
    pub(super) fn bits(&self) -> Result<CompactTarget, SpecError> {
        let digits = |text: &str| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let complete = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            complete.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        };
        let number = match self.value.as_str() {
            Some(text) => digits(text),
            None => self.integer().and_then(|number| u32::try_from(number).ok()),
        };
        number
            .map(CompactTarget::from_consensus)
            .filter(|bits| target_from_bits(*bits).is_some())
            .ok_or_else(|| self.wrong("a compact target such as 0x1f00ffff"))
    }

    /// The strings of an array, each of which passes `check`; at most `max`.
    pub(super) fn strings(
        &self,
        expected: &str,
        max: usize,
        check: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, SpecError> {
        let items = self.value.as_array().filter(|items| items.len() <= max).ok_or_else(|| self.wrong(expected))?;
        let strings = items.iter().map(|item| {
            let item = item.get_ref();
            item.as_str()
                .filter(|text| check(text))
                .map(str::to_owned)
                .ok_or_else(|| Entry { line: self.line, key: self.key.clone(), value: item }.wrong(expected))
        });
        strings.collect()
    }
}

/// The line, from 1, of the byte at `offset`.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// A value as an error repeats it.
fn display(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("'{}'", shown(text)),
        DeValue::Integer(number) => {
            let prefix = match number.radix() {
                2 => "0b",
                8 => "0o",
                16 => "0x",
                _ => "",
            };
            shown(&format!("{prefix}{}", number.as_str()))
        }
        DeValue::Float(number) => shown(number.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => format!("an array of {}", items.len()),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Text from the file as an error repeats it: cut short, and without control characters, which could steer a terminal.
fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(SHOWN_CHARS).map(clean).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
