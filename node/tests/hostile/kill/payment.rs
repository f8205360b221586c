//! Keys, and transactions from one coin to the next.

use bitcoin::hashes::Hash;
use bitcoin::key::{PrivateKey, Secp256k1};
use bitcoin::secp256k1::{All, Message, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{
    Address, Amount, CompressedPublicKey, KnownHrp, NetworkKind, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxOut, Txid, Witness, absolute, consensus, transaction,
};

use crate::http::Access;

/// Coinbases that are split into coins.
const SPLITS: u64 = 5;
/// Coins of each.
const COINS_PER_SPLIT: u64 = 1000;
/// Blocks after which a coinbase may be spent (Core: `COINBASE_MATURITY`, `consensus/consensus.h`).
const MATURITY: u64 = 100;
/// What a transaction of one input and one output pays, in satoshis: about two for each virtual byte.
const FEE: u64 = 220;
/// What a transaction pays that splits a coinbase, in satoshis.
const SPLIT_FEE: u64 = 100_000;

/// An output that can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coin {
    pub(super) outpoint: OutPoint,
    /// In satoshis.
    pub(super) value: u64,
}

/// Two keys: one for coinbases, and one for all the rest.
#[derive(Debug)]
pub(super) struct Purse {
    secp: Secp256k1<All>,
    miner: PrivateKey,
    payer: PrivateKey,
}

impl Purse {
    pub(super) fn new() -> Self {
        let key = |byte| PrivateKey::new(SecretKey::from_slice(&[byte; 32]).unwrap(), NetworkKind::Test);
        Self { secp: Secp256k1::new(), miner: key(1), payer: key(2) }
    }

    fn public(&self, key: &PrivateKey) -> CompressedPublicKey {
        CompressedPublicKey::from_private_key(&self.secp, key).unwrap()
    }

    /// Where blocks pay to.
    pub(super) fn miner(&self) -> Address {
        Address::p2wpkh(&self.public(&self.miner), KnownHrp::Regtest)
    }

    /// Where transactions pay to.
    pub(super) fn payer(&self) -> Address {
        Address::p2wpkh(&self.public(&self.payer), KnownHrp::Regtest)
    }

    /// Mines, and splits what was mined into many coins.
    pub(super) fn fill(&self, access: &Access) {
        let hashes = access.call("generatetoaddress", &format!("[{},\"{}\"]", SPLITS + MATURITY, self.miner()));
        for hash in &hashes.as_array().unwrap()[..usize::try_from(SPLITS).unwrap()] {
            let block = access.call("getblock", &format!("[{hash},2]"));
            let txid: Txid = block["tx"][0]["txid"].as_str().unwrap().parse().unwrap();
            let value = Amount::from_btc(block["tx"][0]["vout"][0]["value"].as_f64().unwrap()).unwrap().to_sat();
            let coin = Coin { outpoint: OutPoint { txid, vout: 0 }, value };
            let output = TxOut {
                value: Amount::from_sat((value - SPLIT_FEE) / COINS_PER_SPLIT),
                script_pubkey: self.payer().script_pubkey(),
            };
            let outputs = vec![output; usize::try_from(COINS_PER_SPLIT).unwrap()];
            let transaction = self.sign(&self.miner, coin, outputs);
            access.call("sendrawtransaction", &format!("[\"{}\"]", consensus::encode::serialize_hex(&transaction)));
        }
        access.call("generatetoaddress", &format!("[1,\"{}\"]", self.miner()));
    }

    /// Spends a coin, and what comes of it.
    pub(super) fn pay(&self, coin: Coin) -> (Transaction, Coin) {
        let value = coin.value - FEE;
        let output = TxOut { value: Amount::from_sat(value), script_pubkey: self.payer().script_pubkey() };
        let transaction = self.sign(&self.payer, coin, vec![output]);
        let outpoint = OutPoint { txid: transaction.compute_txid(), vout: 0 };
        (transaction, Coin { outpoint, value })
    }

    fn sign(&self, key: &PrivateKey, coin: Coin, output: Vec<TxOut>) -> Transaction {
        let input = TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        let mut transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![input],
            output,
        };
        let public = self.public(key);
        let script = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
        let value = Amount::from_sat(coin.value);
        let kind = EcdsaSighashType::All;
        let hash = SighashCache::new(&transaction).p2wpkh_signature_hash(0, &script, value, kind).unwrap();
        let signature = self.secp.sign_ecdsa(&Message::from_digest(hash.to_byte_array()), &key.inner);
        let signature = bitcoin::ecdsa::Signature { signature, sighash_type: kind };
        transaction.input[0].witness = Witness::p2wpkh(&signature, &public.0);
        transaction
    }
}
