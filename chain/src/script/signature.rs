//! Encodings of signatures and keys, and the calls to libsecp256k1.

use std::sync::LazyLock;

use secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly, XOnlyPublicKey, ecdsa, schnorr};

use super::interpreter::SigVersion;
use super::{ScriptError, ScriptVerifyFlags};

/// Verification needs no secrets and no randomization, so one context serves every thread.
pub(super) static SECP256K1: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// Whether `signature` is a strict DER signature followed by a hash type (Core: `IsValidSignatureEncoding`,
/// `script/interpreter.cpp`; BIP66).
///
/// Form: 0x30, length of the rest, 0x02, length of R, R, 0x02, length of S, S, hash type; R and S big-endian, positive and
/// not padded.
fn is_valid_signature_encoding(signature: &[u8]) -> bool {
    if !(9..=73).contains(&signature.len()) {
        return false;
    }
    let [0x30, length, integers @ .., _hash_type] = signature else { return false };
    if usize::from(*length) != integers.len() {
        return false;
    }
    let Some((r, rest)) = split_der_integer(integers) else { return false };
    let Some((s, [])) = split_der_integer(rest) else { return false };
    [r, s].into_iter().all(is_positive_and_unpadded)
}

/// The bytes of a DER integer at the start of `bytes`, and what follows it.
fn split_der_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x02, length, rest @ ..] = bytes else { return None };
    rest.split_at_checked(usize::from(*length))
}

fn is_positive_and_unpadded(integer: &[u8]) -> bool {
    match integer {
        [] => false,
        [first, ..] if first & 0x80 != 0 => false,
        // A leading zero is there only to keep the next byte from looking like a sign.
        [0, second, ..] => second & 0x80 != 0,
        _ => true,
    }
}

/// Checks the encoding of an ECDSA signature, as far as the flags demand (Core: `CheckSignatureEncoding`,
/// `script/interpreter.cpp`). An empty signature is a compact way to say that there is none.
pub(super) fn check_signature_encoding(signature: &[u8], flags: ScriptVerifyFlags) -> Result<(), ScriptError> {
    let [der @ .., hash_type] = signature else { return Ok(()) };
    let strict = ScriptVerifyFlags::DERSIG | ScriptVerifyFlags::LOW_S | ScriptVerifyFlags::STRICTENC;
    if flags.intersects(strict) && !is_valid_signature_encoding(signature) {
        return Err(ScriptError::SigDer);
    }
    if flags.contains(ScriptVerifyFlags::LOW_S) && !has_low_s(der) {
        return Err(ScriptError::SigHighS);
    }
    if flags.contains(ScriptVerifyFlags::STRICTENC) && !matches!(hash_type & !0x80, 1..=3) {
        return Err(ScriptError::SigHashType);
    }
    Ok(())
}

/// Whether bytes have the form of an ECDSA signature with a defined hash type (Core: `CheckSignatureEncoding` with
/// `SCRIPT_VERIFY_STRICTENC`, `script/interpreter.cpp`): what is shown as a signature. None at all is one.
#[must_use]
pub fn is_strict_signature(signature: &[u8]) -> bool {
    check_signature_encoding(signature, ScriptVerifyFlags::STRICTENC).is_ok()
}

/// Whether S is at most half the order (Core: `CPubKey::CheckLowS`, `pubkey.cpp`).
fn has_low_s(der: &[u8]) -> bool {
    ecdsa::Signature::from_der_lax(der).is_ok_and(|signature| {
        let mut low = signature;
        low.normalize_s();
        low == signature
    })
}

/// Checks the encoding of an ECDSA public key, as far as the flags demand (Core: `CheckPubKeyEncoding`,
/// `script/interpreter.cpp`).
pub(super) fn check_public_key_encoding(
    key: &[u8],
    flags: ScriptVerifyFlags,
    version: &SigVersion,
) -> Result<(), ScriptError> {
    let compressed = matches!(key, [2 | 3, ..] if key.len() == 33);
    let uncompressed = matches!(key, [4, ..] if key.len() == 65);
    if flags.contains(ScriptVerifyFlags::STRICTENC) && !compressed && !uncompressed {
        return Err(ScriptError::PubkeyType);
    }
    let witness_v0 = matches!(version, SigVersion::WitnessV0);
    if flags.contains(ScriptVerifyFlags::WITNESS_PUBKEYTYPE) && witness_v0 && !compressed {
        return Err(ScriptError::WitnessPubkeyType);
    }
    Ok(())
}

/// Whether a public key has the length its first byte demands: 33 bytes compressed, 65 uncompressed or hybrid (Core:
/// `CPubKey::IsValid`, `pubkey.h`). Nothing else is hashed, cached or given to libsecp256k1.
pub(super) fn has_key_length(key: &[u8]) -> bool {
    match key.first() {
        Some(2 | 3) => key.len() == 33,
        Some(4 | 6 | 7) => key.len() == 65,
        _ => false,
    }
}

/// Whether `signature`, DER as lax as it was before BIP66, signs `sighash` for `key`, which may be compressed,
/// uncompressed or hybrid (Core: `CPubKey::Verify`, `pubkey.cpp`).
pub(super) fn verify_ecdsa(signature: &[u8], key: &[u8], sighash: [u8; 32]) -> bool {
    let Ok(key) = PublicKey::from_slice(key) else { return false };
    let Ok(mut signature) = ecdsa::Signature::from_der_lax(signature) else { return false };
    // libsecp256k1 accepts only low S, which consensus never demanded.
    signature.normalize_s();
    SECP256K1.verify_ecdsa(&Message::from_digest(sighash), &signature, &key).is_ok()
}

/// Whether the 64 bytes of `signature` sign `sighash` for the x-only `key` (Core: `XOnlyPubKey::VerifySchnorr`,
/// `pubkey.cpp`; BIP340).
pub(super) fn verify_schnorr(signature: &[u8], key: &[u8], sighash: [u8; 32]) -> bool {
    let Ok(key) = XOnlyPublicKey::from_slice(key) else { return false };
    let Ok(signature) = schnorr::Signature::from_slice(signature) else { return false };
    SECP256K1.verify_schnorr(&signature, &Message::from_digest(sighash), &key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest signature: R and S one byte each.
    const SMALLEST: [u8; 9] = [0x30, 6, 2, 1, 1, 2, 1, 1, 1];

    #[test]
    fn strict_der() {
        let changed = |position: usize, value: u8| {
            let mut signature = SMALLEST;
            signature[position] = value;
            is_valid_signature_encoding(&signature)
        };
        assert!(is_valid_signature_encoding(&SMALLEST));
        for (position, value) in
            [(0, 0x31), (1, 7), (2, 3), (3, 0), (3, 2), (4, 0x80), (5, 3), (6, 0), (6, 2), (7, 0x81)]
        {
            assert!(!changed(position, value), "byte {position} = {value}");
        }
        assert!(changed(8, 0xff), "the hash type is not part of the encoding");
        assert!(!is_valid_signature_encoding(&[0x30, 7, 2, 2, 0, 1, 2, 1, 1, 1]), "padded R");
        assert!(is_valid_signature_encoding(&[0x30, 7, 2, 2, 0, 0x81, 2, 1, 1, 1]), "R that needs its padding");
    }
}
