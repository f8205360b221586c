//! Miniscripts: conditions to spend, such as times and hashes (BIP379; Core: `script/miniscript.cpp`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use bitcoin::hashes::{hash160, ripemd160, sha256};
use bitcoin::{PublicKey, ScriptBuf};
use cairn_chain::params::AddressFormat;
use miniscript::{AnalysisError, Miniscript, MiniscriptKey, ScriptContext, Translator, hash256, translate_hash_clone};

use super::DescriptorError;
use super::key::{Context, Key};

/// A miniscript and its keys.
#[derive(Debug, Clone)]
pub(super) struct Policy<C: ScriptContext> {
    miniscript: Miniscript<KeyText, C>,
    keys: BTreeMap<KeyText, Key>,
}

impl<C: ScriptContext> Policy<C> {
    /// Reads a miniscript; nothing if it is none.
    pub(super) fn parse(text: &str, context: Context, format: AddressFormat) -> Result<Option<Self>, DescriptorError> {
        let Ok(miniscript) = Miniscript::<KeyText, C>::from_str_insane(text) else { return Ok(None) };
        let mut keys = BTreeMap::new();
        for key in miniscript.iter_pk() {
            let parsed = Key::parse(&key.0, context, format)?;
            keys.insert(key, parsed);
        }
        match miniscript.sanity_check() {
            Ok(()) => Ok(Some(Self { miniscript, keys })),
            Err(error) => Err(DescriptorError::new(format!("{text} is not sane{}", reason(&error)))),
        }
    }

    /// Its keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Its text, without what is secret.
    pub(super) fn text(&self, branch: usize) -> String {
        let translated = self.miniscript.translate_pk(&mut ToTexts { keys: &self.keys, branch });
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

/// Why a miniscript is not to be used, in Core's words.
fn reason(error: &AnalysisError) -> &'static str {
    match error {
        AnalysisError::Malleable => ": malleable witnesses exist",
        AnalysisError::SiglessBranch => ": witnesses without signature exist",
        AnalysisError::HeightTimelockCombination => ": contains mixes of timelocks expressed in blocks and seconds",
        AnalysisError::RepeatedPubkeys => ": contains duplicate public keys",
        AnalysisError::BranchExceedResouceLimits => ": needs witnesses that may exceed resource limits",
        AnalysisError::ContainsRawPkh => "",
    }
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
