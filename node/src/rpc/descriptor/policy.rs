//! Miniscripts: conditions to spend, such as times and hashes (BIP379; Core: `script/miniscript.cpp`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use bitcoin::hashes::{hash160, ripemd160, sha256};
use bitcoin::{PublicKey, ScriptBuf};
use cairn_chain::params::AddressFormat;
use miniscript::{Miniscript, MiniscriptKey, ScriptContext, Translator, hash256, translate_hash_clone};

use super::DescriptorError;
use super::key::{Context, Key};
use super::parse::has_mismatched_branches;

/// Levels of brackets above which no text is a miniscript (the library's `MAX_RECURSION_DEPTH`).
const MAX_DEPTH: usize = 402;

/// Reads a miniscript, whether it is sane or not; nothing if it is none.
pub(super) fn read_miniscript<C: ScriptContext>(text: &str) -> Option<Miniscript<KeyText, C>> {
    // The library refuses what is too deep, too, but not before it took memory for each of its brackets.
    if nests_too_deep(text) { None } else { Miniscript::from_str_insane(text).ok() }
}

fn nests_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// A miniscript and its keys.
#[derive(Debug, Clone)]
pub(super) struct Policy<C: ScriptContext> {
    miniscript: Miniscript<KeyText, C>,
    keys: BTreeMap<KeyText, Key>,
}

impl<C: ScriptContext> Policy<C> {
    /// Reads a miniscript; nothing if it is none.
    pub(super) fn parse(text: &str, context: Context, format: AddressFormat) -> Result<Option<Self>, DescriptorError> {
        let Some(miniscript) = read_miniscript::<C>(text) else { return Ok(None) };
        let mut keys = BTreeMap::new();
        for key in miniscript.iter_pk() {
            let parsed = Key::parse(&key.0, context, format)?;
            keys.insert(key, parsed);
        }
        let policy = Self { miniscript, keys };
        if has_mismatched_branches(policy.keys().map(Key::branches)) {
            return Err(DescriptorError::new("Miniscript: Multipath derivation paths have mismatched lengths"));
        }
        match policy.insanity() {
            Some(message) => Err(DescriptorError::new(message)),
            None => Ok(Some(policy)),
        }
    }

    /// What keeps it from being used, if anything does, and which part of it is the first to have the problem.
    fn insanity(&self) -> Option<String> {
        let whole = &self.miniscript;
        let parts = children_first(whole);
        let insane = parts.into_iter().find(|part| !is_sane_part(part));
        if insane.is_none() && whole.requires_sig() {
            return None;
        }
        let part = insane.unwrap_or(whole);
        let reason = if !part.is_non_malleable() {
            ": malleable witnesses exist"
        } else if std::ptr::eq(part, whole) && !part.requires_sig() {
            ": witnesses without signature exist"
        } else if part.has_mixed_timelocks() {
            ": contains mixes of timelocks expressed in blocks and seconds"
        } else if part.has_repeated_keys() {
            ": contains duplicate public keys"
        } else if !is_within_limits(part) {
            ": needs witnesses that may exceed resource limits"
        } else {
            ""
        };
        Some(format!("{} is not sane{reason}", self.text_of(part, 0)))
    }

    /// The same with its keys at an index; nothing if one cannot be derived.
    pub(super) fn at(&self, branch: usize, index: u32, is_x_only: bool) -> Option<Self> {
        let at = |(text, key): (&KeyText, &Key)| Some((text.clone(), key.at(branch, index, is_x_only)?));
        Some(Self { miniscript: self.miniscript.clone(), keys: self.keys.iter().map(at).collect::<Option<_>>()? })
    }

    /// Its keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Its text, without what is secret.
    pub(super) fn text(&self, branch: usize) -> String {
        self.text_of(&self.miniscript, branch)
    }

    fn text_of(&self, part: &Miniscript<KeyText, C>, branch: usize) -> String {
        let translated = part.translate_pk(&mut ToTexts { keys: &self.keys, branch });
        translated.map_or_else(|_| String::new(), |text| text.to_string())
    }

    /// Its script; nothing if a key cannot be derived.
    pub(super) fn script(&self, branch: usize, index: u32) -> Option<ScriptBuf> {
        let translated = self.miniscript.translate_pk(&mut ToKeys { keys: &self.keys, branch, index });
        translated.ok().map(|script| script.encode())
    }
}

/// Puts the canonical texts of keys in the place of those they were read from.
struct ToTexts<'a> {
    keys: &'a BTreeMap<KeyText, Key>,
    branch: usize,
}

impl Translator<KeyText> for ToTexts<'_> {
    type TargetPk = KeyText;
    type Error = ();

    fn pk(&mut self, key: &KeyText) -> Result<KeyText, ()> {
        self.keys.get(key).map(|key| KeyText(key.text(self.branch))).ok_or(())
    }

    translate_hash_clone!(KeyText);
}

/// Puts keys in the place of their texts.
struct ToKeys<'a> {
    keys: &'a BTreeMap<KeyText, Key>,
    branch: usize,
    index: u32,
}

impl Translator<KeyText> for ToKeys<'_> {
    type TargetPk = PublicKey;
    type Error = ();

    fn pk(&mut self, key: &KeyText) -> Result<PublicKey, ()> {
        self.keys.get(key).and_then(|key| key.derive(self.branch, self.index)).ok_or(())
    }

    translate_hash_clone!(KeyText);
}

/// A miniscript and its parts, each after those it is made of, from left to right.
fn children_first<C: ScriptContext>(whole: &Miniscript<KeyText, C>) -> Vec<&Miniscript<KeyText, C>> {
    let mut waiting = vec![whole];
    let mut parts = Vec::new();
    while let Some(part) = waiting.pop() {
        parts.push(part);
        waiting.extend(part.branches());
    }
    parts.reverse();
    parts
}

/// Whether a part may be used where the whole wants a signature (Core: `IsSaneSubexpression`, `script/miniscript.h`).
fn is_sane_part<C: ScriptContext>(part: &Miniscript<KeyText, C>) -> bool {
    part.is_non_malleable() && !part.has_mixed_timelocks() && !part.has_repeated_keys() && is_within_limits(part)
}

/// Whether what satisfies it is never too large. Of a part that nothing satisfies that is true (Core: `ValidSatisfactions`,
/// `script/miniscript.h`).
fn is_within_limits<C: ScriptContext>(part: &Miniscript<KeyText, C>) -> bool {
    part.within_resource_limits() || part.max_satisfaction_witness_elements().is_err()
}

/// The text of a key, which stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyText(String);

impl MiniscriptKey for KeyText {
    type Sha256 = sha256::Hash;
    type Hash256 = hash256::Hash;
    type Ripemd160 = ripemd160::Hash;
    type Hash160 = hash160::Hash;
}

impl FromStr for KeyText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl Display for KeyText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use miniscript::Tap;

    use super::*;

    #[test]
    fn what_is_too_deep_is_what_the_library_refuses() {
        let nested = |depth: usize| format!("{}pk(a){}", "or_i(0,".repeat(depth - 1), ")".repeat(depth - 1));
        for depth in [1, MAX_DEPTH, MAX_DEPTH + 1] {
            let text = nested(depth);
            let read = Miniscript::<KeyText, Tap>::from_str_insane(&text);
            assert_eq!((nests_too_deep(&text), read.is_err()), (depth > MAX_DEPTH, depth > MAX_DEPTH), "{depth}");
            assert_eq!(read_miniscript::<Tap>(&text).is_some(), depth <= MAX_DEPTH);
        }
        // Many brackets side by side are not deep.
        let wide = format!("thresh(1,pk(a){})", ",s:pk(b)".repeat(2 * MAX_DEPTH));
        assert!(!nests_too_deep(&wide));
        assert!(nests_too_deep(&"{".repeat(1_000_000)));
    }
}
