//! Output descriptors: texts that stand for scripts (BIP380 to BIP389; Core: `script/descriptor.cpp`).
//!
//! What wallets of Core write is read, but for `musig()` and `unused()`, and for miniscripts in `tr()` that rely on `d:` leaving
//! exactly one, which the library that reads them does not know of. Errors are in Core's words, except those about the inside
//! of a miniscript, which say less.
//!
//! | file | holds |
//! |---|---|
//! | `checksum` | the eight characters at the end |
//! | `key` | keys, and those derived from them |
//! | `key_path` | which keys are derived |
//! | `expression` | what a descriptor is made of, as text and as scripts |
//! | `parse` | texts |
//! | `policy` | miniscripts |
//! | `specialized` | the descriptor of one script |
//! | `index_range` | which scripts of a range are meant |

mod checksum;
mod expression;
mod index_range;
mod key;
mod key_path;
mod parse;
mod policy;
mod specialized;

use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, LazyLock};

use bitcoin::secp256k1::{All, Secp256k1};
use bitcoin::{PublicKey, ScriptBuf};
use cairn_chain::params::AddressFormat;
use thiserror::Error;

use super::views::descriptor_checksum;

pub(crate) use checksum::required_checksum;
use expression::Expression;
pub(crate) use expression::multisig_script;
pub(crate) use index_range::IndexRange;
use key::Key;
use parse::Parser;
pub(crate) use parse::{MAX_PUBKEYS_PER_MULTISIG, MAX_SCRIPT_ELEMENT_SIZE};

/// What keys are computed with.
static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Why a text is no descriptor, in Core's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct DescriptorError(String);

impl DescriptorError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The same, of what is inside of something.
    fn inside(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

/// A descriptor without alternatives in its paths. Displayed it is in its canonical form, without private keys, and has its
/// checksum.
#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    expression: Arc<Expression>,
    /// Which of the alternatives of its paths it is.
    branch: usize,
}

impl Descriptor {
    /// Reads a descriptor with keys and addresses of a network. There are several when its paths have alternatives (BIP389).
    ///
    /// # Errors
    ///
    /// When it is none, or has no checksum and `require_checksum` is set.
    pub(crate) fn parse(
        text: &str,
        format: AddressFormat,
        require_checksum: bool,
    ) -> Result<Vec<Self>, DescriptorError> {
        let (payload, _) = checksum::split(text, require_checksum)?;
        let expression = Arc::new(Parser::new(format).parse(payload)?);
        let branches = expression.branches();
        Ok((0..branches).map(|branch| Self { expression: Arc::clone(&expression), branch }).collect())
    }

    /// The descriptor of a script that `required` of these keys sign for, plain, behind the hash of its witness, or behind both
    /// hashes.
    pub(crate) fn multisig(required: usize, keys: &[PublicKey], is_witness: bool, is_script_hash: bool) -> Self {
        let keys = keys.iter().map(|key| Key::constant(*key)).collect();
        let mut expression = Expression::Multi { threshold: required, keys, is_sorted: false };
        if is_witness {
            expression = Expression::Wsh(Box::new(expression));
        }
        if is_script_hash {
            expression = Expression::Sh(Box::new(expression));
        }
        Self { expression: Arc::new(expression), branch: 0 }
    }

    /// Whether it stands for many scripts, one for each index.
    pub(crate) fn is_range(&self) -> bool {
        self.expression.keys().iter().any(|key| key.is_range())
    }

    /// Whether it says how its scripts are spent (Core: `IsSolvable`).
    pub(crate) fn is_solvable(&self) -> bool {
        !matches!(*self.expression, Expression::Address(_) | Expression::Raw(_))
    }

    /// Whether a private key was in its text.
    pub(crate) fn has_private_keys(&self) -> bool {
        self.expression.keys().iter().any(|key| key.is_private())
    }

    /// Whether it is `combo()`, one of whose scripts has no address.
    pub(crate) fn is_combo(&self) -> bool {
        matches!(*self.expression, Expression::Combo(_))
    }

    /// The scripts at an index below 2³¹, which says nothing when it is no range. `combo()` has two or four, all others one.
    /// Nothing if they cannot be derived without private keys.
    pub(crate) fn scripts(&self, index: u32) -> Option<Vec<ScriptBuf>> {
        self.expression.scripts(self.branch, index)
    }

    /// The descriptors of its [scripts](Self::scripts), in their order.
    pub(crate) fn specialized(&self, index: u32) -> Option<Vec<Self>> {
        let expressions = specialized::specialized(&self.expression, self.branch, index)?;
        Some(expressions.into_iter().map(|expression| Self { expression: Arc::new(expression), branch: 0 }).collect())
    }
}

impl Display for Descriptor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.expression.text(self.branch);
        let checksum = descriptor_checksum(&text).unwrap_or_default();
        write!(f, "{text}#{checksum}")
    }
}

#[cfg(test)]
mod tests;
