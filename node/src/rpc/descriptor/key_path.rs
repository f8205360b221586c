//! Which keys are derived (Core: `ParseKeyPath`, `script/descriptor.cpp`; BIP32, BIP389).

use std::collections::HashSet;
use std::fmt::Write as _;

use bitcoin::bip32::ChildNumber;

use super::DescriptorError;

/// The most steps there are: the depth of a key is written in one byte (BIP32).
const MAX_STEPS: usize = 255;
/// The most alternatives a step has. Core knows no limit, but every alternative is a path of its own.
const MAX_ALTERNATIVES: usize = 1000;

/// Steps from a key to one that is derived from it.
pub(super) type KeyPath = Vec<ChildNumber>;

/// What stands at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// Nothing: it is one key.
    None,
    /// Any step.
    Normal,
    /// Any hardened step.
    Hardened,
}

/// Takes a wildcard off the end of a path. `apostrophe` becomes whether an apostrophe marks hardened steps, instead of an `h`.
pub(super) fn take_wildcard(steps: &mut Vec<&str>, apostrophe: &mut bool) -> Wildcard {
    let wildcard = match steps.last() {
        Some(&"*") => Wildcard::Normal,
        Some(&("*'" | "*h")) => Wildcard::Hardened,
        _ => return Wildcard::None,
    };
    if wildcard == Wildcard::Hardened {
        *apostrophe = steps.last() == Some(&"*'");
    }
    steps.pop();
    wildcard
}

/// Reads a path. There are several when one of its steps has alternatives, which only `allow_multipath` permits.
pub(super) fn parse_paths(
    steps: &[&str],
    apostrophe: &mut bool,
    allow_multipath: bool,
) -> Result<Vec<KeyPath>, DescriptorError> {
    if steps.len() > MAX_STEPS {
        let message = format!("Key path of {} steps, more than {MAX_STEPS} cannot be derived", steps.len());
        return Err(DescriptorError::new(message));
    }
    let mut path = KeyPath::with_capacity(steps.len());
    let mut alternatives: Option<(usize, KeyPath)> = None;
    for step in steps {
        let Some(inner) = step.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
            path.push(parse_step(step, apostrophe)?);
            continue;
        };
        if !allow_multipath {
            let message =
                format!("Key path value '{step}' specifies multipath in a section where multipath is not allowed");
            return Err(DescriptorError::new(message));
        }
        if alternatives.is_some() {
            return Err(DescriptorError::new("Multiple multipath key path specifiers found"));
        }
        let values = parse_alternatives(inner, apostrophe)?;
        alternatives = Some((path.len(), values));
        // One of the alternatives comes to stand here.
        path.push(ChildNumber::Normal { index: 0 });
    }
    let Some((place, values)) = alternatives else { return Ok(vec![path]) };
    let with = |value| {
        let mut path = path.clone();
        path[place] = value;
        path
    };
    Ok(values.into_iter().map(with).collect())
}

fn parse_alternatives(inner: &str, apostrophe: &mut bool) -> Result<KeyPath, DescriptorError> {
    let texts: Vec<_> = inner.split(';').collect();
    if texts.len() < 2 {
        return Err(DescriptorError::new("Multipath key path specifiers must have at least two items"));
    }
    if texts.len() > MAX_ALTERNATIVES {
        let message = format!("Multipath key path specifier of {} items, more than {MAX_ALTERNATIVES}", texts.len());
        return Err(DescriptorError::new(message));
    }
    let mut seen = HashSet::with_capacity(texts.len());
    let mut values = KeyPath::with_capacity(texts.len());
    for text in texts {
        let value = parse_step(text, apostrophe)?;
        if !seen.insert(value) {
            let message = format!("Duplicated key path value {} in multipath specifier", u32::from(value));
            return Err(DescriptorError::new(message));
        }
        values.push(value);
    }
    Ok(values)
}

fn parse_step(text: &str, apostrophe: &mut bool) -> Result<ChildNumber, DescriptorError> {
    let number = text.strip_suffix(['\'', 'h']);
    if number.is_some() {
        *apostrophe = text.ends_with('\'');
    }
    let digits = number.unwrap_or(text);
    let value = digits.parse::<u32>().ok().filter(|_| digits.starts_with(|first: char| first.is_ascii_digit()));
    let value =
        value.ok_or_else(|| DescriptorError::new(format!("Key path value '{digits}' is not a valid uint32")))?;
    let step =
        if number.is_some() { ChildNumber::from_hardened_idx(value) } else { ChildNumber::from_normal_idx(value) };
    step.map_err(|_| DescriptorError::new(format!("Key path value {value} is out of range")))
}

/// A path as text, every step behind a slash (Core: `FormatHDKeypath`, `util/bip32.cpp`).
pub(super) fn path_text(path: &[ChildNumber], apostrophe: bool) -> String {
    path.iter().fold(String::new(), |mut text, step| {
        let (index, mark) = match *step {
            ChildNumber::Normal { index } => (index, ""),
            ChildNumber::Hardened { index } => (index, if apostrophe { "'" } else { "h" }),
        };
        // Writing to a string does not fail.
        let _ = write!(text, "/{index}{mark}");
        text
    })
}
