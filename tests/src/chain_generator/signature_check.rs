//! One question to libsecp256k1.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secp256k1::{Message, PublicKey, Secp256k1, Verification, XOnlyPublicKey, ecdsa, schnorr};

/// Checks that a thread takes at once: few enough that the threads finish together.
const CHECKS_AT_ONCE: usize = 64;
const MAX_KEY: usize = 33;
/// A DER signature has up to 72 bytes, a Schnorr signature 64.
const MAX_SIGNATURE: usize = 72;

/// Algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// ECDSA: a compressed key, a signature in DER.
    Ecdsa,
    /// Schnorr (BIP 340): an x-only key.
    Schnorr,
}

/// A key, a signature and a message, and whether the one is the other's. Nothing is parsed yet, as in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureCheck {
    kind: SignatureKind,
    is_good: bool,
    sighash: [u8; 32],
    key: [u8; MAX_KEY],
    signature: [u8; MAX_SIGNATURE],
    signature_length: u8,
}

impl SignatureCheck {
    /// Bytes of an encoded check.
    pub const ENCODED_SIZE: usize = 3 + 32 + MAX_KEY + MAX_SIGNATURE;

    /// A check of a DER signature, without hash type.
    ///
    /// # Panics
    ///
    /// When the signature has more than 72 bytes.
    #[must_use]
    pub fn ecdsa(key: [u8; 33], signature: &[u8], sighash: [u8; 32], is_good: bool) -> Self {
        let mut padded = [0; MAX_SIGNATURE];
        padded[..signature.len()].copy_from_slice(signature);
        let signature_length = u8::try_from(signature.len()).expect("it was not too long");
        Self { kind: SignatureKind::Ecdsa, is_good, sighash, key, signature: padded, signature_length }
    }

    /// A check of a good Schnorr signature.
    #[must_use]
    pub fn schnorr(key: [u8; 32], signature: [u8; 64], sighash: [u8; 32]) -> Self {
        let mut padded_key = [0; MAX_KEY];
        padded_key[..32].copy_from_slice(&key);
        let mut padded = [0; MAX_SIGNATURE];
        padded[..64].copy_from_slice(&signature);
        Self {
            kind: SignatureKind::Schnorr,
            is_good: true,
            sighash,
            key: padded_key,
            signature: padded,
            signature_length: 64,
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// Whether the signature is the key's. It is not where a multisig tries a key that did not sign.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.is_good
    }

    /// Parses key and signature and verifies, with consensus' calls and no others. Gives whether the answer is the right one.
    #[must_use]
    pub fn verify(&self, secp: &Secp256k1<impl Verification>) -> bool {
        let message = Message::from_digest(self.sighash);
        let signature = &self.signature[..usize::from(self.signature_length)];
        let is_valid = match self.kind {
            SignatureKind::Ecdsa => PublicKey::from_slice(&self.key).and_then(|key| {
                let mut signature = ecdsa::Signature::from_der_lax(signature)?;
                signature.normalize_s();
                secp.verify_ecdsa(&message, &signature, &key)
            }),
            SignatureKind::Schnorr => XOnlyPublicKey::from_slice(&self.key[..32]).and_then(|key| {
                let signature = schnorr::Signature::from_slice(signature)?;
                secp.verify_schnorr(&signature, &message, &key)
            }),
        };
        is_valid.is_ok() == self.is_good
    }

    /// Verifies all checks on threads that share them out: how long that takes, or nothing if one gives the wrong answer.
    #[must_use]
    pub fn time_all(checks: &[Self], threads: usize) -> Option<Duration> {
        let secp = Secp256k1::verification_only();
        let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            loop {
                let start = next.fetch_add(CHECKS_AT_ONCE, Ordering::Relaxed);
                let Some(rest) = checks.get(start..).filter(|rest| !rest.is_empty()) else { break };
                if !rest.iter().take(CHECKS_AT_ONCE).all(|check| check.verify(&secp)) {
                    has_failed.store(true, Ordering::Relaxed);
                }
            }
        };
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let wall = start.elapsed();
        (!has_failed.into_inner()).then_some(wall)
    }

    /// The check in bytes of a fixed number.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::ENCODED_SIZE] {
        let mut bytes = [0; Self::ENCODED_SIZE];
        bytes[0] = u8::from(self.kind == SignatureKind::Schnorr);
        bytes[1] = u8::from(self.is_good);
        bytes[2] = self.signature_length;
        bytes[3..35].copy_from_slice(&self.sighash);
        bytes[35..68].copy_from_slice(&self.key);
        bytes[68..].copy_from_slice(&self.signature);
        bytes
    }

    /// The check that [`encode`](Self::encode) gave these bytes, or nothing for others.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::ENCODED_SIZE]) -> Option<Self> {
        let kind = match bytes[0] {
            0 => SignatureKind::Ecdsa,
            1 => SignatureKind::Schnorr,
            _ => return None,
        };
        let is_good = match bytes[1] {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self {
            kind,
            is_good,
            signature_length: bytes[2].min(72),
            sighash: *bytes[3..].first_chunk()?,
            key: *bytes[35..].first_chunk()?,
            signature: *bytes[68..].first_chunk()?,
        })
    }
}
