//! Signed messages: Bitcoin Core's for `1…` addresses, BIP322's simple form for `bc1q…` and `bc1p…` addresses of one key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bdk_wallet::miniscript::psbt::PsbtInputExt;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::sign_message::{MessageSignature, signed_msg_hash};
use bitcoin::transaction::Version;
use bitcoin::{
    Address, AddressType, Amount, CompressedPublicKey, EcdsaSighashType, OutPoint, Psbt, ScriptBuf, Sequence,
    TapSighashType, Transaction, TxIn, TxOut, Witness, XOnlyPublicKey, consensus, ecdsa, taproot,
};
use secp256k1::{Message, Secp256k1};

use crate::error::WalletError;
use crate::psbt;
use crate::secret::Secret;
use crate::sign::sign;
use crate::wallet::Wallet;

/// Tag of the hash of BIP322's messages.
const TAG: &[u8] = b"BIP0322-signed-message";

impl Wallet {
    /// Signs a message for one of the wallet's addresses; the signature in base64.
    ///
    /// # Errors
    ///
    /// When the address is not the wallet's, or of a kind that messages are not signed for.
    pub fn sign_message(&self, address: &Address, message: &str, secret: &Secret) -> Result<String, WalletError> {
        let cannot = || WalletError::CannotSignMessage(address.to_string());
        let script = address.script_pubkey();
        let (keychain, index) = self.bdk.derivation_of_spk(script).ok_or_else(cannot)?;
        let descriptor = self.bdk.public_descriptor(keychain);
        let definite = descriptor.at_derivation_index(index).map_err(|_| cannot())?;
        match address.address_type() {
            Some(AddressType::P2pkh) => {
                let secp = Secp256k1::new();
                let mut input = bitcoin::psbt::Input::default();
                input.update_with_descriptor_unchecked(&definite).map_err(|_| cannot())?;
                let (public, source) = input.bip32_derivation.first_key_value().ok_or_else(cannot)?;
                let roots = secret.roots(self.network())?;
                let key = roots.find(public, source, &secp).ok_or_else(cannot)?;
                let digest = Message::from_digest(signed_msg_hash(message).to_byte_array());
                let signature = secp.sign_ecdsa_recoverable(&digest, key.secret());
                Ok(MessageSignature::new(signature, true).to_base64())
            }
            Some(AddressType::P2wpkh | AddressType::P2tr) => {
                let (spent, unsigned) = virtual_transactions(address, message);
                let mut psbt = Psbt::from_unsigned_tx(unsigned).expect("nothing is signed");
                let input = &mut psbt.inputs[0];
                input.update_with_descriptor_unchecked(&definite).map_err(|_| cannot())?;
                input.witness_utxo = Some(spent.output[0].clone());
                input.non_witness_utxo = Some(spent);
                sign(&mut psbt, secret, self.network())?;
                psbt::finalize(&mut psbt)?;
                let witness = psbt.inputs[0].final_script_witness.take().ok_or_else(cannot)?;
                Ok(STANDARD.encode(consensus::serialize(&witness)))
            }
            _ => Err(cannot()),
        }
    }
}

/// Whether a signature is of this message, by the owner of this address.
///
/// # Errors
///
/// When it is not, or the address is of a kind that messages are not signed for.
pub fn verify_message(address: &Address, message: &str, signature: &str) -> Result<(), WalletError> {
    let is_valid = match address.address_type() {
        Some(AddressType::P2pkh) => verify_legacy(address, message, signature),
        Some(AddressType::P2wpkh) => verify_p2wpkh(address, message, signature),
        Some(AddressType::P2tr) => verify_p2tr(address, message, signature),
        _ => return Err(WalletError::CannotSignMessage(address.to_string())),
    };
    if is_valid.unwrap_or(false) { Ok(()) } else { Err(WalletError::BadSignature) }
}

fn verify_legacy(address: &Address, message: &str, signature: &str) -> Option<bool> {
    let signature = MessageSignature::from_base64(signature).ok()?;
    signature.is_signed_by_address(&Secp256k1::verification_only(), address, signed_msg_hash(message)).ok()
}

fn verify_p2wpkh(address: &Address, message: &str, signature: &str) -> Option<bool> {
    let (spent, unsigned) = virtual_transactions(address, message);
    let witness = read_witness(signature)?;
    let (signature, key) = (witness.nth(0)?, witness.nth(1)?);
    let key = CompressedPublicKey::from_slice(key).ok()?;
    let signature = ecdsa::Signature::from_slice(signature).ok()?;
    let is_theirs = ScriptBuf::new_p2wpkh(&key.wpubkey_hash()) == address.script_pubkey();
    if witness.len() != 2 || !is_theirs || signature.sighash_type != EcdsaSighashType::All {
        return None;
    }
    let hash = SighashCache::new(&unsigned)
        .p2wpkh_signature_hash(0, &spent.output[0].script_pubkey, Amount::ZERO, EcdsaSighashType::All)
        .ok()?;
    let digest = Message::from_digest(hash.to_byte_array());
    Some(Secp256k1::verification_only().verify_ecdsa(&digest, &signature.signature, &key.0).is_ok())
}

fn verify_p2tr(address: &Address, message: &str, signature: &str) -> Option<bool> {
    let (spent, unsigned) = virtual_transactions(address, message);
    let witness = read_witness(signature)?;
    let signature = taproot::Signature::from_slice(witness.nth(0)?).ok()?;
    let commits = matches!(signature.sighash_type, TapSighashType::Default | TapSighashType::All);
    if witness.len() != 1 || !commits {
        return None;
    }
    // OP_1, a push of 32 bytes, and the key.
    let key = XOnlyPublicKey::from_slice(address.script_pubkey().as_bytes().get(2..)?).ok()?;
    let hash = SighashCache::new(&unsigned)
        .taproot_key_spend_signature_hash(0, &Prevouts::All(&spent.output), signature.sighash_type)
        .ok()?;
    let digest = Message::from_digest(hash.to_byte_array());
    Some(Secp256k1::verification_only().verify_schnorr(&signature.signature, &digest, &key).is_ok())
}

fn read_witness(signature: &str) -> Option<Witness> {
    consensus::deserialize(&STANDARD.decode(signature.trim()).ok()?).ok()
}

/// BIP322's `to_spend` and `to_sign`: transactions that can be in no chain.
fn virtual_transactions(address: &Address, message: &str) -> (Transaction, Transaction) {
    let tag = sha256::Hash::hash(TAG);
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(message.as_bytes());
    let hash = sha256::Hash::from_engine(engine).to_byte_array();
    let transaction = |previous_output, script_sig, script_pubkey| Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![TxIn { previous_output, script_sig, sequence: Sequence::ZERO, witness: Witness::new() }],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey }],
    };
    let script_sig = Builder::new().push_int(0).push_slice(hash).into_script();
    let spent = transaction(OutPoint::null(), script_sig, address.script_pubkey());
    let outpoint = OutPoint::new(spent.compute_txid(), 0);
    let op_return = Builder::new().push_opcode(OP_RETURN).into_script();
    (spent, transaction(outpoint, ScriptBuf::new(), op_return))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of BIP322 for the key L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k.
    const P2WPKH: &str = "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l";
    const P2TR: &str = "bc1ppv609nr0vr25u07u95waq5lucwfm6tde4nydujnu8npg4q75mr5sxq8lt3";

    fn address(text: &str) -> Address {
        text.parse::<Address<_>>().unwrap().assume_checked()
    }

    #[test]
    fn virtual_transactions_are_bip322s() {
        for (message, to_spend, to_sign) in [
            (
                "",
                "c5680aa69bb8d860bf82d4e9cd3504b55dde018de765a91bb566283c545a99a7",
                "1e9654e951a5ba44c8604c4de6c67fd78a27e81dcadcfe1edf638ba3aaebaed6",
            ),
            (
                "Hello World",
                "b79d196740ad5217771c1098fc4a4b51e0535c32236c71f1ea4d61a2d603352b",
                "88737ae86f2077145f93cc4b153ae9a1cb8d56afa511988c149c5c8c9d93bddf",
            ),
        ] {
            let (spent, unsigned) = virtual_transactions(&address(P2WPKH), message);
            assert_eq!(
                (spent.compute_txid().to_string(), unsigned.compute_txid().to_string()),
                (to_spend.to_owned(), to_sign.to_owned())
            );
        }
    }

    #[test]
    fn published_signatures_verify() {
        let hello = "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=";
        let empty = "AkcwRAIgM2gBAQqvZX15ZiysmKmQpDrG83avLIT492QBzLnQIxYCIBaTpOaD20qRlEylyxFSeEA2ba9YOixpX8z46TSDtS40ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=";
        verify_message(&address(P2WPKH), "Hello World", hello).unwrap();
        verify_message(&address(P2WPKH), "", empty).unwrap();
        let taproot = "AUHd69PrJQEv+oKTfZ8l+WROBHuy9HKrbFCJu7U1iK2iiEy1vMU5EfMtjc+VSHM7aU0SDbak5IUZRVno2P5mjSafAQ==";
        verify_message(&address(P2TR), "Hello World", taproot).unwrap();
        for (address_text, message, signature) in [
            (P2WPKH, "Hello World!", hello),
            (P2WPKH, "", hello),
            (P2TR, "Hello", taproot),
            (P2TR, "Hello World", hello),
        ] {
            let refused = verify_message(&address(address_text), message, signature);
            assert!(matches!(refused, Err(WalletError::BadSignature)));
        }
    }
}
