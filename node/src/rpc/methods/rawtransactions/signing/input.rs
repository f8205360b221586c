//! One input of a transaction: what signatures of it sign, and whether it is satisfied.

use bitcoin::Script;
use bitcoin::hashes::{Hash, hash160};
use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::WitnessRef;
use cairn_chain::script::{
    PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, TaprootSpend, TransactionSignatureChecker,
    legacy_sighash, segwit_v0_sighash, taproot_sighash, verify_script,
};

use super::super::draft::encode_stack;
use super::Keystore;
use super::keystore::SECP256K1;

/// The hash type that is left out of taproot signatures (Core: `SIGHASH_DEFAULT`, `script/interpreter.h`).
const SIGHASH_DEFAULT: u8 = 0;
/// Signatures commit to all inputs and outputs (Core: `SIGHASH_ALL`).
const SIGHASH_ALL: u8 = 1;

/// How scripts are run (Core: `SigVersion`, `script/interpreter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SigVersion {
    /// Legacy scripts and redeem scripts.
    Base,
    /// Witness scripts of version 0.
    WitnessV0,
}

/// One input, with its transaction and all that it spends.
#[derive(Debug, Clone, Copy)]
pub(in crate::rpc::methods::rawtransactions) struct InputContext<'a> {
    data: &'a PrecomputedTransactionData<'a>,
    index: usize,
    coin: &'a Coin,
    /// Taproot signatures commit to everything the transaction spends.
    knows_all_coins: bool,
    hash_type: u8,
}

impl<'a> InputContext<'a> {
    /// Input `index`, which spends `coin`. `hash_type` is what signatures are to commit to.
    pub(in crate::rpc::methods::rawtransactions) fn new(
        data: &'a PrecomputedTransactionData<'a>,
        index: usize,
        coin: &'a Coin,
        knows_all_coins: bool,
        hash_type: u8,
    ) -> Self {
        Self { data, index, coin, knows_all_coins, hash_type }
    }

    /// The script of the output it spends.
    pub(super) fn script_pubkey(&self) -> &'a [u8] {
        self.coin.script_pubkey.as_bytes()
    }

    /// Whether these satisfy the output, by the rules of the pool.
    pub(in crate::rpc::methods::rawtransactions) fn verify(
        &self,
        script_sig: &[u8],
        witness: &[Vec<u8>],
    ) -> Result<(), ScriptError> {
        let stack = encode_stack(witness);
        let witness = WitnessRef::decode(&stack).unwrap_or(WitnessRef::EMPTY);
        let mut checker = TransactionSignatureChecker::new(self.data, self.index);
        let script_sig = Script::from_bytes(script_sig);
        let script_pubkey = self.coin.script_pubkey.as_script();
        verify_script(script_sig, script_pubkey, witness, ScriptVerifyFlags::STANDARD, &mut checker)
    }

    fn ecdsa_hash(&self, script_code: &[u8], hash_type: u8, version: SigVersion) -> Message {
        let hash = match version {
            SigVersion::Base => legacy_sighash(self.data.transaction(), self.index, script_code, hash_type.into()),
            SigVersion::WitnessV0 => segwit_v0_sighash(self.data, self.index, script_code, hash_type.into()),
        };
        Message::from_digest(hash)
    }

    /// Whether a signature of a public key is good (Core: `CheckECDSASignature`).
    pub(super) fn is_signature_of(
        &self,
        signature: &[u8],
        public_key: &[u8],
        script_code: &[u8],
        version: SigVersion,
    ) -> bool {
        let Some((hash_type, der)) = signature.split_last() else { return false };
        let (Ok(key), Ok(mut der)) = (PublicKey::from_slice(public_key), ecdsa::Signature::from_der_lax(der)) else {
            return false;
        };
        der.normalize_s();
        SECP256K1.verify_ecdsa(&self.ecdsa_hash(script_code, *hash_type, version), &der, &key).is_ok()
    }

    /// Signs with the key of a public key, if it is there (Core: `CreateSig`, `script/sign.cpp`).
    pub(super) fn sign_ecdsa(
        &self,
        keystore: &Keystore,
        public_key: &[u8],
        script_code: &[u8],
        version: SigVersion,
    ) -> Option<Vec<u8>> {
        let key = keystore.key(&hash160::Hash::hash(public_key))?;
        if version == SigVersion::WitnessV0 && !key.is_compressed {
            return None;
        }
        let hash_type = if self.hash_type == SIGHASH_DEFAULT { SIGHASH_ALL } else { self.hash_type };
        let hash = self.ecdsa_hash(script_code, hash_type, version);
        // As Core, which makes all signatures one byte shorter that way.
        let mut signature = SECP256K1.sign_ecdsa_low_r(&hash, &key.secret).serialize_der().to_vec();
        signature.push(hash_type);
        Some(signature)
    }

    /// Signs with the key of a taproot output key, if it is there (Core: `CreateSchnorrSig`, `script/sign.cpp`).
    pub(super) fn sign_schnorr(&self, keystore: &Keystore, output_key: &[u8; 32]) -> Option<Vec<u8>> {
        let key = keystore.key_by_x_only(output_key).filter(|_| self.knows_all_coins)?;
        let hash = taproot_sighash(self.data, self.index, self.hash_type, &TaprootSpend::default())?;
        let signature = SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(hash), &key.keypair());
        let mut signature = signature.serialize().to_vec();
        if self.hash_type != SIGHASH_DEFAULT {
            signature.push(self.hash_type);
        }
        Some(signature)
    }
}
