//! Keys that receive and spend, by `bitcoin` alone.

use bitcoin::key::TapTweak;
use bitcoin::secp256k1::{All, Keypair, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{
    Address, CompressedPublicKey, KnownHrp, Network, NetworkKind, OutPoint, PrivateKey, PublicKey, ScriptBuf, Sequence,
    Transaction, TxIn, TxOut, Witness, absolute, ecdsa, taproot,
};

/// An output, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) output: TxOut,
}

impl Coin {
    /// An output of a transaction.
    pub(crate) fn of(transaction: &Transaction, vout: u32) -> Self {
        let output = transaction.output[usize::try_from(vout).unwrap()].clone();
        Self { outpoint: OutPoint::new(transaction.compute_txid(), vout), output }
    }
}

/// One key, and the addresses it makes on regtest.
#[derive(Debug, Clone)]
pub(crate) struct Purse {
    secp: Secp256k1<All>,
    secret: SecretKey,
}

impl Purse {
    /// The purse of that number, which is not zero.
    pub(crate) fn new(number: u8) -> Self {
        Self { secp: Secp256k1::new(), secret: SecretKey::from_slice(&[number; 32]).unwrap() }
    }

    pub(crate) fn private_key(&self) -> PrivateKey {
        PrivateKey::new(self.secret, NetworkKind::Test)
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::new(self.secret.public_key(&self.secp))
    }

    fn compressed(&self) -> CompressedPublicKey {
        CompressedPublicKey(self.secret.public_key(&self.secp))
    }

    /// P2WPKH, to which blocks pay.
    pub(crate) fn address(&self) -> Address {
        Address::p2wpkh(&self.compressed(), Network::Regtest)
    }

    /// P2TR with nothing but the key.
    pub(crate) fn taproot_address(&self) -> Address {
        let (internal, _) = self.secret.public_key(&self.secp).x_only_public_key();
        Address::p2tr(&self.secp, internal, None, KnownHrp::Regtest)
    }

    /// P2PKH.
    pub(crate) fn legacy_address(&self) -> Address {
        Address::p2pkh(self.compressed(), Network::Regtest)
    }

    /// Spends coins of this purse, P2WPKH and P2TR.
    pub(crate) fn spend(&self, coins: &[&Coin], outputs: Vec<TxOut>) -> Transaction {
        let input = |coin: &&Coin| TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        };
        let input = coins.iter().map(input).collect();
        let lock_time = absolute::LockTime::ZERO;
        self.sign(Transaction { version: Version::TWO, lock_time, input, output: outputs }, coins)
    }

    /// Signs a transaction whose inputs are these coins of this purse, P2WPKH and P2TR.
    pub(crate) fn sign(&self, mut transaction: Transaction, coins: &[&Coin]) -> Transaction {
        let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
        let unsigned = transaction.clone();
        let mut hashes = SighashCache::new(&unsigned);
        for (index, output) in spent.iter().enumerate() {
            transaction.input[index].witness = if output.script_pubkey.is_p2tr() {
                let sighash_type = TapSighashType::Default;
                let hash =
                    hashes.taproot_key_spend_signature_hash(index, &Prevouts::All(&spent), sighash_type).unwrap();
                let pair = Keypair::from_secret_key(&self.secp, &self.secret).tap_tweak(&self.secp, None).to_keypair();
                let signature = self.secp.sign_schnorr_no_aux_rand(&Message::from(hash), &pair);
                Witness::p2tr_key_spend(&taproot::Signature { signature, sighash_type })
            } else {
                let sighash_type = EcdsaSighashType::All;
                let hash =
                    hashes.p2wpkh_signature_hash(index, &output.script_pubkey, output.value, sighash_type).unwrap();
                // Core grinds for a short R as well (Core: `CKey::Sign`).
                let signature = self.secp.sign_ecdsa_low_r(&Message::from(hash), &self.secret);
                Witness::p2wpkh(&ecdsa::Signature { signature, sighash_type }, &self.secret.public_key(&self.secp))
            };
        }
        transaction
    }
}
