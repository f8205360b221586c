//! Signing: private keys come out for one signature each, and only for what the PSBT proves to be theirs.
//!
//! ECDSA nonces are those of RFC 6979, ground as Core grinds them until `R` is low, and here until the signature has exactly 71 bytes
//! with its sighash type: so the fee is known before anybody signs. Schnorr signatures are BIP340's, with fresh randomness.

use bitcoin::hashes::Hash;
use bitcoin::key::TapTweak;
use bitcoin::psbt::Input;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::taproot::TapLeafHash;
use bitcoin::{EcdsaSighashType, Psbt, TapSighashType, Transaction, TxOut, XOnlyPublicKey, ecdsa, taproot};
use secp256k1::{All, Keypair, Message, Secp256k1, SecretKey, ecdsa as secp_ecdsa, schnorr};

use crate::network::Network;
use crate::psbt::{PsbtError, check_input, spent_outputs};
use crate::secret::{Roots, Secret};

/// Length of an ECDSA signature whose two numbers have 32 bytes each and are low, in DER.
const DER_LENGTH: usize = 70;

/// Signs with all keys of the secret that the PSBT asks for. How many signatures it made.
///
/// # Errors
///
/// When the PSBT contradicts itself, asks for a sighash type that gives away more than this transaction, or none of its keys is ours.
/// Nothing is signed then.
pub fn sign(psbt: &mut Psbt, secret: &Secret, network: &Network) -> Result<usize, PsbtError> {
    let secp = Secp256k1::new();
    let roots = secret.roots(network)?;
    let spent = spent_outputs(psbt)?;
    for index in 0..psbt.inputs.len() {
        check_input(psbt, index)?;
    }
    let mut signed = psbt.clone();
    let mut count = 0;
    let unsigned = psbt.unsigned_tx.clone();
    let mut cache = SighashCache::new(&unsigned);
    for (index, output) in spent.iter().enumerate() {
        if is_final(&psbt.inputs[index]) {
            continue;
        }
        count += if output.script_pubkey.is_p2tr() {
            let signer = TaprootSigner { secp: &secp, roots: &roots, spent: &spent, index };
            signer.sign(&mut signed.inputs[index], &mut cache)?
        } else {
            let made = sign_input_ecdsa(psbt, index, &roots, &mut cache, &secp)?;
            let count = made.len();
            signed.inputs[index].partial_sigs.extend(made);
            count
        };
    }
    if count == 0 {
        return Err(PsbtError::NotOurs { signers: roots.fingerprints().iter().map(ToString::to_string).collect() });
    }
    *psbt = signed;
    Ok(count)
}

fn is_final(input: &Input) -> bool {
    input.final_script_sig.is_some() || input.final_script_witness.is_some()
}

/// The signatures for an input that is not taproot's.
fn sign_input_ecdsa(
    psbt: &Psbt,
    index: usize,
    roots: &Roots,
    cache: &mut SighashCache<&Transaction>,
    secp: &Secp256k1<All>,
) -> Result<Vec<(bitcoin::PublicKey, ecdsa::Signature)>, PsbtError> {
    let input = &psbt.inputs[index];
    let mut made = Vec::new();
    for (public, source) in &input.bip32_derivation {
        let Some(key) = roots.find(public, source, secp) else { continue };
        let (message, sighash_type) =
            psbt.sighash_ecdsa(index, cache).map_err(|error| PsbtError::Input { index, problem: error.to_string() })?;
        let signature = sign_ecdsa(secp, message, key.secret());
        secp.verify_ecdsa(&message, &signature, public)
            .map_err(|_| PsbtError::Input { index, problem: "the signature does not verify".to_owned() })?;
        made.push((bitcoin::PublicKey::new(*public), ecdsa::Signature { signature, sighash_type }));
    }
    Ok(made)
}

/// Signs an input of taproot.
struct TaprootSigner<'a> {
    secp: &'a Secp256k1<All>,
    roots: &'a Roots,
    /// The outputs that all inputs spend, of which every signature speaks.
    spent: &'a [TxOut],
    index: usize,
}

impl TaprootSigner<'_> {
    fn sign(&self, input: &mut Input, cache: &mut SighashCache<&Transaction>) -> Result<usize, PsbtError> {
        let mut count = 0;
        for (public, (leaves, source)) in &input.tap_key_origins.clone() {
            let even = public.public_key(secp256k1::Parity::Even);
            let Some(key) = self.roots.find(&even, source, self.secp) else { continue };
            let mut keypair = key.keypair(self.secp);
            if input.tap_internal_key == Some(*public) {
                let mut tweaked = keypair.tap_tweak(self.secp, input.tap_merkle_root).to_keypair();
                let signature = self.make(input, &tweaked, None, cache)?;
                tweaked.non_secure_erase();
                input.tap_key_sig = Some(signature);
                count += 1;
            }
            for leaf in leaves {
                if input
                    .tap_scripts
                    .values()
                    .any(|(script, version)| TapLeafHash::from_script(script, *version) == *leaf)
                {
                    let signature = self.make(input, &keypair, Some(*leaf), cache)?;
                    input.tap_script_sigs.insert((*public, *leaf), signature);
                    count += 1;
                }
            }
            keypair.non_secure_erase();
        }
        Ok(count)
    }

    fn make(
        &self,
        input: &Input,
        keypair: &Keypair,
        leaf: Option<TapLeafHash>,
        cache: &mut SighashCache<&Transaction>,
    ) -> Result<taproot::Signature, PsbtError> {
        let wrong = |problem: String| PsbtError::Input { index: self.index, problem };
        let sighash_type = input.taproot_hash_ty().map_err(|error| wrong(error.to_string()))?;
        let spent = Prevouts::All(self.spent);
        let hash = match leaf {
            None => cache.taproot_key_spend_signature_hash(self.index, &spent, sighash_type),
            Some(leaf) => cache.taproot_script_spend_signature_hash(self.index, &spent, leaf, sighash_type),
        };
        let message = Message::from_digest(hash.map_err(|error| wrong(error.to_string()))?.to_byte_array());
        let mut randomness = [0; 32];
        getrandom::fill(&mut randomness).map_err(|error| wrong(error.to_string()))?;
        let signature = sign_schnorr(self.secp, message, keypair, &randomness);
        let (public, _) = XOnlyPublicKey::from_keypair(keypair);
        self.secp
            .verify_schnorr(&signature, &message, &public)
            .map_err(|_| wrong("the signature does not verify".to_owned()))?;
        Ok(taproot::Signature { signature, sighash_type })
    }
}

/// Whether a sighash type commits to the whole transaction.
pub(crate) fn commits_to_all(input: &Input, is_taproot: bool) -> bool {
    match input.sighash_type {
        None => true,
        Some(asked) if is_taproot => {
            matches!(asked.taproot_hash_ty(), Ok(TapSighashType::Default | TapSighashType::All))
        }
        Some(asked) => asked.ecdsa_hash_ty() == Ok(EcdsaSighashType::All),
    }
}

/// An ECDSA signature of exactly [`DER_LENGTH`] bytes, with low `R` and low `S`.
pub(crate) fn sign_ecdsa(secp: &Secp256k1<All>, message: Message, key: &SecretKey) -> secp_ecdsa::Signature {
    (0..)
        .map(|attempt| sign_rfc6979(secp, message, key, attempt))
        .find(|signature| signature.serialize_compact()[0] < 0x80 && signature.serialize_der().len() == DER_LENGTH)
        .expect("one signature in two is such")
}

/// An ECDSA signature with RFC 6979's nonce, and a number as additional data for attempts after the first (Core: `CKey::Sign`).
fn sign_rfc6979(secp: &Secp256k1<All>, message: Message, key: &SecretKey, attempt: u32) -> secp_ecdsa::Signature {
    if attempt == 0 {
        return secp.sign_ecdsa(&message, key);
    }
    let mut additional = [0; 32];
    additional[..4].copy_from_slice(&attempt.to_le_bytes());
    secp.sign_ecdsa_with_noncedata(&message, key, &additional)
}

/// A Schnorr signature (BIP340).
fn sign_schnorr(
    secp: &Secp256k1<All>,
    message: Message,
    keypair: &Keypair,
    randomness: &[u8; 32],
) -> schnorr::Signature {
    secp.sign_schnorr_with_aux_rand(&message, keypair, randomness)
}

#[cfg(test)]
mod tests;
