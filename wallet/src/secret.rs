//! What signs: words or keys, in memory only while they are needed.
//!
//! | file | holds |
//! |---|---|
//! | `roots` | keys that others are derived from, found by a PSBT's key origins |
//! | `sealed` | secrets under a passphrase, as they lie on disk |

mod roots;
mod sealed;

use bdk_wallet::keys::DescriptorSecretKey;
use bip39::{Language, Mnemonic};
use bitcoin::secp256k1::Secp256k1;
use zeroize::{Zeroize, Zeroizing};

use roots::Root;
pub(crate) use roots::Roots;
pub use sealed::{Passphrase, SealError, Sealed};

use crate::network::{Network, Stakes};

/// Words that everybody knows, for networks that somebody runs for themselves.
pub const PUBLIC_WORDS: &str = "test test test test test test test test test test test junk";

/// Marks of the kinds of secrets, first line of their text.
const WORDS: &str = "words";
const KEYS: &str = "keys";
/// Bytes that are reserved for the text of a secret: far more than words with a passphrase, or a hundred keys, need.
const MAX_TEXT: usize = 16 << 10;

/// Everything that a wallet signs with.
///
/// Its memory is overwritten when it is dropped, and it is never shown but by [`Secret::words`].
pub struct Secret(Kind);

enum Kind {
    /// Words (BIP39), and the passphrase that goes with them.
    Words { words: Mnemonic, passphrase: Zeroizing<String> },
    /// Private keys as they stand in descriptors.
    Keys(Vec<Zeroizing<String>>),
}

/// Why a text is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A word that is not in the list, a wrong number of them, or a wrong checksum.
    #[error("these words are no wallet's: {0}")]
    Words(String),
    /// Words that everybody knows, where coins are worth something.
    #[error(
        "everybody knows these words, and on {network} they would hold money; create a wallet with words of its own"
    )]
    PublicWords {
        /// The network.
        network: String,
    },
    /// A key that cannot be read.
    #[error("the private key of a descriptor cannot be read: {0}")]
    Key(String),
    /// Bytes that this version does not know.
    #[error("the secret is in a form that this version does not know")]
    Unknown,
}

impl Secret {
    /// New words, from the system's randomness.
    ///
    /// # Errors
    ///
    /// When the system has no randomness, or `count` is none of 12, 15, 18, 21 and 24.
    pub fn generate(count: usize) -> Result<Self, SecretError> {
        let mut entropy = Zeroizing::new([0; 32]);
        let entropy = entropy.get_mut(..count * 4 / 3).ok_or_else(|| SecretError::Words("too many".to_owned()))?;
        getrandom::fill(entropy).map_err(|error| SecretError::Words(error.to_string()))?;
        let words = Mnemonic::from_entropy(entropy).map_err(|error| SecretError::Words(error.to_string()))?;
        Ok(Self(Kind::Words { words, passphrase: Zeroizing::default() }))
    }

    /// Words that somebody wrote down, separated by anything white, and their passphrase (BIP39's, often empty).
    ///
    /// # Errors
    ///
    /// When one of them is wrong, or they are [`PUBLIC_WORDS`] where coins are worth something.
    pub fn from_words(text: &str, passphrase: &str, network: &Network) -> Result<Self, SecretError> {
        // Long enough that it never moves and leaves a copy behind.
        let mut normal = Zeroizing::new(String::with_capacity(2 * text.len()));
        for word in text.split_whitespace() {
            if !normal.is_empty() {
                normal.push(' ');
            }
            normal.extend(word.chars().flat_map(char::to_lowercase));
        }
        if network.stakes == Stakes::Money && *normal == PUBLIC_WORDS {
            return Err(SecretError::PublicWords { network: network.name.clone() });
        }
        let words =
            Mnemonic::parse_in_normalized(Language::English, &normal).map_err(|error| explain(&error, &normal))?;
        Ok(Self(Kind::Words { words, passphrase: Zeroizing::new(passphrase.to_owned()) }))
    }

    /// Private keys out of a descriptor.
    #[must_use]
    pub fn from_keys<'a>(keys: impl IntoIterator<Item = &'a DescriptorSecretKey>) -> Self {
        Self(Kind::Keys(keys.into_iter().map(|key| Zeroizing::new(key.to_string())).collect()))
    }

    /// The words, to be shown once; keys have none.
    #[must_use]
    pub fn words(&self) -> Option<impl Iterator<Item = &'static str>> {
        match &self.0 {
            Kind::Words { words, .. } => Some(words.words()),
            Kind::Keys(_) => None,
        }
    }

    /// The keys that all others are derived from.
    ///
    /// # Errors
    ///
    /// When a key cannot be read.
    pub(crate) fn roots(&self, network: &Network) -> Result<Roots, SecretError> {
        let secp = Secp256k1::new();
        match &self.0 {
            Kind::Words { words, passphrase } => {
                let seed = Zeroizing::new(words.to_seed(passphrase.as_str()));
                Ok(Roots(vec![Root::from_seed(seed.as_slice(), network, &secp)?]))
            }
            Kind::Keys(keys) => {
                let read = |text: &Zeroizing<String>| {
                    let key = text.parse().map_err(|_| SecretError::Key("not a descriptor's".to_owned()))?;
                    Root::from_descriptor_key(key, &secp)
                };
                Ok(Roots(keys.iter().map(read).collect::<Result<_, _>>()?))
            }
        }
    }

    /// The text that is sealed: a line for the kind, a line for each part.
    fn to_text(&self) -> Zeroizing<String> {
        // Long enough that it never moves and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        match &self.0 {
            Kind::Words { words, passphrase } => {
                text.push_str(WORDS);
                text.push('\n');
                for (index, word) in words.words().enumerate() {
                    if index > 0 {
                        text.push(' ');
                    }
                    text.push_str(word);
                }
                text.push('\n');
                text.push_str(passphrase);
            }
            Kind::Keys(keys) => {
                text.push_str(KEYS);
                for key in keys {
                    text.push('\n');
                    text.push_str(key);
                }
            }
        }
        text
    }

    fn from_text(text: &str) -> Result<Self, SecretError> {
        let (kind, rest) = text.split_once('\n').ok_or(SecretError::Unknown)?;
        match kind {
            WORDS => {
                let (words, passphrase) = rest.split_once('\n').ok_or(SecretError::Unknown)?;
                let words = Mnemonic::parse_in_normalized(Language::English, words)
                    .map_err(|error| SecretError::Words(error.to_string()))?;
                Ok(Self(Kind::Words { words, passphrase: Zeroizing::new(passphrase.to_owned()) }))
            }
            KEYS => Ok(Self(Kind::Keys(rest.lines().map(|key| Zeroizing::new(key.to_owned())).collect()))),
            _ => Err(SecretError::Unknown),
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        if let Kind::Words { words, .. } = &mut self.0 {
            words.zeroize();
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is wrong with words, without repeating more of them than the wrong one's place.
fn explain(error: &bip39::Error, words: &str) -> SecretError {
    SecretError::Words(match error {
        bip39::Error::BadWordCount(count) => format!("expected 12, 15, 18, 21 or 24 of them, got {count}"),
        bip39::Error::UnknownWord(index) => {
            format!("word {} of {} is not in the list", index + 1, words.split(' ').count())
        }
        bip39::Error::InvalidChecksum => {
            "their checksum is wrong: one is not what was written down, or two are swapped".to_owned()
        }
        error => error.to_string(),
    })
}

#[cfg(test)]
mod tests;
