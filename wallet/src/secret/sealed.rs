//! Secrets under a passphrase: Argon2id (RFC 9106) makes a key of it, XChaCha20-Poly1305 encrypts and proves.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Secret, SecretError};

/// What is proven beside the secret: it is one of this program, in this form.
const ASSOCIATED: &[u8] = b"cairn wallet secret 1";

/// Memory, in KiB, and passes over it: RFC 9106's second recommended option.
const MEMORY: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a wallet file may ask of us at most: it may be somebody else's.
const MAX_MEMORY: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// A passphrase. Its memory is overwritten when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase as it was typed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether there is nothing to type.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// An encrypted secret, and how its key is made of the passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Memory of Argon2id, in KiB.
    pub(crate) memory: u32,
    /// Passes of Argon2id.
    pub(crate) passes: u32,
    /// Lanes of Argon2id.
    pub(crate) lanes: u32,
    /// Salt of Argon2id.
    pub(crate) salt: [u8; 16],
    /// Nonce of XChaCha20-Poly1305.
    pub(crate) nonce: [u8; 24],
    /// What was encrypted, with its proof.
    pub(crate) ciphertext: Vec<u8>,
}

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The passphrase is another one, or somebody changed the file.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The file asks for more memory or time than any passphrase needs.
    #[error(
        "the wallet asks for {memory} KiB of memory and {passes} passes to open its secret; it is damaged or hostile"
    )]
    Unreasonable {
        /// Memory in KiB.
        memory: u32,
        /// Passes.
        passes: u32,
    },
    /// The system has no randomness.
    #[error("the system has no randomness: {0}")]
    Randomness(getrandom::Error),
    /// What was sealed is no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Sealed {
    /// Encrypts a secret.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn seal(secret: &Secret, passphrase: &Passphrase) -> Result<Self, SealError> {
        let mut sealed = Self {
            memory: MEMORY,
            passes: PASSES,
            lanes: LANES,
            salt: [0; 16],
            nonce: [0; 24],
            ciphertext: Vec::new(),
        };
        getrandom::fill(&mut sealed.salt).map_err(SealError::Randomness)?;
        getrandom::fill(&mut sealed.nonce).map_err(SealError::Randomness)?;
        let text = secret.to_text();
        let payload = Payload { msg: text.as_bytes(), aad: ASSOCIATED };
        sealed.ciphertext = sealed
            .cipher(passphrase)?
            .encrypt(&XNonce::from(sealed.nonce), payload)
            .expect("a secret is far shorter than what the cipher takes");
        Ok(sealed)
    }

    /// Decrypts the secret.
    ///
    /// # Errors
    ///
    /// With another passphrase, or when anything was changed.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Secret, SealError> {
        let payload = Payload { msg: &self.ciphertext, aad: ASSOCIATED };
        let text = self
            .cipher(passphrase)?
            .decrypt(&XNonce::from(self.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError::WrongPassphrase)?;
        let text = std::str::from_utf8(&text).map_err(|_| SecretError::Unknown)?;
        Ok(Secret::from_text(text)?)
    }

    fn cipher(&self, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, SealError> {
        let unreasonable = || SealError::Unreasonable { memory: self.memory, passes: self.passes };
        if self.memory > MAX_MEMORY || self.passes > MAX_PASSES || self.lanes > MAX_LANES {
            return Err(unreasonable());
        }
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32)).map_err(|_| unreasonable())?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; 32]);
        argon2.hash_password_into(passphrase.0.as_bytes(), &self.salt, key.as_mut()).map_err(|_| unreasonable())?;
        Ok(XChaCha20Poly1305::new(&Key::from(*key)))
    }
}
