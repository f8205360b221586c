//! Keys, and those derived from them (Core: `PubkeyProvider`, `ParsePubkey`, `script/descriptor.cpp`).

use bitcoin::bip32::{ChildNumber, Xpriv, Xpub};
use bitcoin::hashes::Hash;
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{PublicKey, secp256k1};
use cairn_chain::params::AddressFormat;

use super::key_path::{KeyPath, Wildcard, parse_paths, path_text, take_wildcard};
use super::{DescriptorError, SECP};
use crate::rpc::address::decode_secret;

/// Longer texts are no extended keys, and are not worth the time to decode them.
const MAX_KEY_CHARACTERS: usize = 120;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// In the script of an output.
    Top,
    /// Behind the hash of a script.
    P2sh,
    /// In `wpkh()`.
    P2wpkh,
    /// Behind the hash of a witness script.
    P2wsh,
    /// In `tr()` or `rawtr()`.
    P2tr,
}

/// One key, or one for each index.
#[derive(Debug, Clone)]
pub(super) struct Key {
    origin: Option<Origin>,
    source: Source,
    /// Whether an apostrophe marks hardened steps, instead of an `h`.
    apostrophe: bool,
}

/// Where an extended key was derived from, which is only for signers to know.
#[derive(Debug, Clone)]
struct Origin {
    fingerprint: [u8; 4],
    path: KeyPath,
}

#[derive(Debug, Clone)]
enum Source {
    Constant {
        key: PublicKey,
        /// Whether it was written, and is to be, without the half of the curve it is on.
        is_x_only: bool,
        is_private: bool,
    },
    Extended {
        root: Xpub,
        secret: Option<Xpriv>,
        /// One for each alternative.
        paths: Vec<KeyPath>,
        wildcard: Wildcard,
    },
}

impl Key {
    /// One key.
    pub(super) fn constant(key: PublicKey) -> Self {
        let source = Source::Constant { key, is_x_only: false, is_private: false };
        Self { origin: None, source, apostrophe: false }
    }

    /// Reads a key, with where it comes from.
    pub(super) fn parse(text: &str, context: Context, format: AddressFormat) -> Result<Self, DescriptorError> {
        if text.starts_with("musig(") {
            let message = match context {
                Context::P2tr => "musig() is not supported",
                _ => "musig() is only allowed in tr() and rawtr()",
            };
            return Err(DescriptorError::new(message));
        }
        let mut apostrophe = false;
        let parts: Vec<_> = text.split(']').collect();
        let (origin, inner) = match parts[..] {
            [inner] => (None, inner),
            [origin, inner] => (Some(parse_origin(origin, &mut apostrophe)?), inner),
            _ => return Err(DescriptorError::new("Multiple ']' characters found for a single pubkey")),
        };
        let source = parse_source(inner, context, format, &mut apostrophe)?;
        Ok(Self { origin, source, apostrophe })
    }

    /// How many alternatives it has.
    pub(super) fn branches(&self) -> usize {
        match &self.source {
            Source::Constant { .. } => 1,
            Source::Extended { paths, .. } => paths.len(),
        }
    }

    /// Whether it is one for each index.
    pub(super) fn is_range(&self) -> bool {
        matches!(&self.source, Source::Extended { wildcard: Wildcard::Normal | Wildcard::Hardened, .. })
    }

    /// Whether it was written as a private key.
    pub(super) fn is_private(&self) -> bool {
        matches!(&self.source, Source::Constant { is_private: true, .. } | Source::Extended { secret: Some(_), .. })
    }

    /// Bytes of the key in scripts that take it whole.
    pub(super) fn size(&self) -> usize {
        match &self.source {
            Source::Constant { key, .. } if !key.compressed => 65,
            _ => 33,
        }
    }

    /// The key without what is secret.
    pub(super) fn text(&self, branch: usize) -> String {
        let origin = self.origin.as_ref().map_or_else(String::new, |origin| {
            format!("[{}{}]", origin.fingerprint.as_hex(), path_text(&origin.path, self.apostrophe))
        });
        let source = match &self.source {
            Source::Constant { key, is_x_only: true, .. } => key.inner.x_only_public_key().0.to_string(),
            Source::Constant { key, .. } => key.to_string(),
            Source::Extended { root, paths, wildcard, .. } => {
                let end = match (wildcard, self.apostrophe) {
                    (Wildcard::None, _) => "",
                    (Wildcard::Normal, _) => "/*",
                    (Wildcard::Hardened, true) => "/*'",
                    (Wildcard::Hardened, false) => "/*h",
                };
                format!("{root}{}{end}", path_text(branch_of(paths, branch), self.apostrophe))
            }
        };
        origin + &source
    }

    /// The key at an index below 2³¹ by itself, with where it comes from (Core: `GetPubKey` and `OriginPubkeyProvider`); nothing if
    /// it cannot be derived without the private key.
    pub(super) fn at(&self, branch: usize, index: u32, is_x_only: bool) -> Option<Self> {
        let key = self.derive(branch, index)?;
        let (root, steps) = match &self.source {
            Source::Constant { .. } => (fingerprint(&key), KeyPath::new()),
            Source::Extended { root, paths, wildcard, .. } => {
                (root.fingerprint().to_bytes(), path_at(branch_of(paths, branch), *wildcard, index)?)
            }
        };
        let (fingerprint, path) = match &self.origin {
            Some(origin) => (origin.fingerprint, origin.path.iter().copied().chain(steps).collect()),
            None => (root, steps),
        };
        let source = Source::Constant { key, is_x_only, is_private: false };
        Some(Self { origin: Some(Origin { fingerprint, path }), source, apostrophe: false })
    }

    /// The key at an index below 2³¹; nothing if it cannot be derived without the private key.
    pub(super) fn derive(&self, branch: usize, index: u32) -> Option<PublicKey> {
        let (root, secret, paths, wildcard) = match &self.source {
            Source::Constant { key, .. } => return Some(*key),
            Source::Extended { root, secret, paths, wildcard } => (root, secret, paths, wildcard),
        };
        let path = path_at(branch_of(paths, branch), *wildcard, index)?;
        let key = if path.iter().any(|step| step.is_hardened()) {
            Xpub::from_priv(&SECP, &secret.as_ref()?.derive_priv(&SECP, &path).ok()?)
        } else {
            root.derive_pub(&SECP, &path).ok()?
        };
        Some(PublicKey::new(key.public_key))
    }
}

/// How the identifier of a key begins, which stands for it in texts.
fn fingerprint(key: &PublicKey) -> [u8; 4] {
    let [first, second, third, fourth, ..] = key.pubkey_hash().to_byte_array();
    [first, second, third, fourth]
}

/// Keys without alternatives are the same in every branch.
fn branch_of(paths: &[KeyPath], branch: usize) -> &[ChildNumber] {
    paths.get(branch).or(paths.first()).map_or(&[], Vec::as_slice)
}

/// The path to the key at an index.
fn path_at(path: &[ChildNumber], wildcard: Wildcard, index: u32) -> Option<KeyPath> {
    let last = match wildcard {
        Wildcard::None => None,
        Wildcard::Normal => Some(ChildNumber::from_normal_idx(index).ok()?),
        Wildcard::Hardened => Some(ChildNumber::from_hardened_idx(index).ok()?),
    };
    Some(path.iter().copied().chain(last).collect())
}

fn parse_origin(text: &str, apostrophe: &mut bool) -> Result<Origin, DescriptorError> {
    let Some(text) = text.strip_prefix('[') else {
        let got = text.chars().next().unwrap_or(']');
        let message = format!("Key origin start '[ character expected but not found, got '{got}' instead");
        return Err(DescriptorError::new(message));
    };
    let mut steps: Vec<_> = text.split('/').collect();
    let fingerprint = steps.remove(0);
    if fingerprint.len() != 8 {
        let message = format!("Fingerprint is not 4 bytes ({} characters instead of 8 characters)", fingerprint.len());
        return Err(DescriptorError::new(message));
    }
    let bytes = <[u8; 4]>::from_hex(fingerprint)
        .map_err(|_| DescriptorError::new(format!("Fingerprint '{fingerprint}' is not hex")))?;
    let path = parse_paths(&steps, apostrophe, false)?.swap_remove(0);
    Ok(Origin { fingerprint: bytes, path })
}

fn parse_source(
    text: &str,
    context: Context,
    format: AddressFormat,
    apostrophe: &mut bool,
) -> Result<Source, DescriptorError> {
    let mut steps: Vec<_> = text.split('/').collect();
    let key = steps.remove(0);
    if key.is_empty() {
        return Err(DescriptorError::new("No key provided"));
    }
    if key.trim_ascii() != key {
        return Err(DescriptorError::new(format!("Key '{key}' is invalid due to whitespace")));
    }
    if steps.is_empty()
        && let Some(constant) = parse_constant(key, context, format)?
    {
        return Ok(constant);
    }
    let is_short = key.len() <= MAX_KEY_CHARACTERS;
    let secret = key.parse::<Xpriv>().ok().filter(|secret| is_short && secret.network == format.kind);
    let public = key.parse::<Xpub>().ok().filter(|public| is_short && public.network == format.kind);
    let root = secret.as_ref().map(|secret| Xpub::from_priv(&SECP, secret)).or(public);
    let root = root.ok_or_else(|| DescriptorError::new(format!("key '{key}' is not valid")))?;
    let wildcard = take_wildcard(&mut steps, apostrophe);
    Ok(Source::Extended { root, secret, paths: parse_paths(&steps, apostrophe, true)?, wildcard })
}

/// Reads a key in hexadecimal digits, or in wallet import format; nothing if it is neither.
fn parse_constant(text: &str, context: Context, format: AddressFormat) -> Result<Option<Source>, DescriptorError> {
    let may_be_long = matches!(context, Context::Top | Context::P2sh);
    let check = |key: &PublicKey| {
        if key.compressed || may_be_long {
            Ok(())
        } else {
            Err(DescriptorError::new("Uncompressed keys are not allowed"))
        }
    };
    if let Ok(bytes) = Vec::from_hex(text) {
        if bytes.len() == 65 && matches!(bytes[0], 6 | 7) {
            return Err(DescriptorError::new("Hybrid public keys are not allowed"));
        }
        if let Ok(key) = PublicKey::from_slice(&bytes) {
            check(&key)?;
            return Ok(Some(Source::Constant { key, is_x_only: false, is_private: false }));
        }
        let x_only = secp256k1::XOnlyPublicKey::from_slice(&bytes).ok().filter(|_| context == Context::P2tr);
        let x_only = x_only.ok_or_else(|| DescriptorError::new(format!("Pubkey '{text}' is invalid")))?;
        let key = PublicKey::new(x_only.public_key(secp256k1::Parity::Even));
        return Ok(Some(Source::Constant { key, is_x_only: true, is_private: false }));
    }
    let Some(secret) = decode_secret(text, format) else { return Ok(None) };
    let key = secret.public_key(&SECP);
    check(&key)?;
    Ok(Some(Source::Constant { key, is_x_only: context == Context::P2tr, is_private: true }))
}
