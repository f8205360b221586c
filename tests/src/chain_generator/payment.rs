//! Transactions that spend coins, and their signatures.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{Amount, EcdsaSighashType, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Txid, Witness};
use secp256k1::{Message, ecdsa};

use super::coin::{Coin, Destination, OutputKind};
use super::keys::{Key, Keys};
use super::signature_check::SignatureCheck;

/// Coins, and whom they pay. Each output gets the same amount; what cannot be divided is the fee.
pub(super) struct Payment {
    pub(super) inputs: Vec<Coin>,
    pub(super) outputs: Vec<Destination>,
}

/// A transaction, and what its scripts ask libsecp256k1.
pub(super) struct SignedPayment {
    pub(super) transaction: Transaction,
    pub(super) signature_checks: Vec<SignatureCheck>,
    txid: Txid,
    destinations: Vec<Destination>,
}

impl SignedPayment {
    /// The coins it makes.
    pub(super) fn coins(&self) -> impl Iterator<Item = Coin> {
        let outputs = self.destinations.iter().zip(&self.transaction.output);
        (0..).zip(outputs).map(|(vout, (&destination, output))| Coin {
            txid: self.txid,
            vout,
            destination,
            amount: output.value.to_sat(),
        })
    }
}

impl Payment {
    pub(super) fn sign(&self, keys: &Keys) -> SignedPayment {
        let mut transaction = self.unsigned(keys);
        let spent: Vec<TxOut> =
            self.inputs.iter().map(|coin| output(keys, coin.destination, Amount::from_sat(coin.amount))).collect();
        let mut signer = Signer { keys, spent: &spent, cache: SighashCache::new(&transaction), checks: Vec::new() };
        let scripts: Vec<_> =
            self.inputs.iter().enumerate().map(|(index, coin)| signer.sign(index, coin.destination)).collect();
        let signature_checks = signer.checks;
        for (input, (script_sig, witness)) in transaction.input.iter_mut().zip(scripts) {
            (input.script_sig, input.witness) = (script_sig, witness);
        }
        let txid = transaction.compute_txid();
        SignedPayment { transaction, signature_checks, txid, destinations: self.outputs.clone() }
    }

    fn unsigned(&self, keys: &Keys) -> Transaction {
        let total: u64 = self.inputs.iter().map(|coin| coin.amount).sum();
        let outputs = u64::try_from(self.outputs.len()).expect("no machine has more than 64 bits");
        let each = Amount::from_sat(total / outputs);
        let inputs = self.inputs.iter().map(|coin| TxIn {
            previous_output: coin.outpoint(),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        });
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: inputs.collect(),
            output: self.outputs.iter().map(|&destination| output(keys, destination, each)).collect(),
        }
    }
}

fn output(keys: &Keys, destination: Destination, value: Amount) -> TxOut {
    TxOut { value, script_pubkey: keys.script_pubkey(destination).to_owned() }
}

/// Signs the inputs of one transaction and notes each check.
struct Signer<'a> {
    keys: &'a Keys,
    spent: &'a [TxOut],
    cache: SighashCache<&'a Transaction>,
    checks: Vec<SignatureCheck>,
}

impl Signer<'_> {
    fn sign(&mut self, index: usize, destination: Destination) -> (ScriptBuf, Witness) {
        let key = self.keys.get(destination.key);
        match destination.kind {
            OutputKind::P2wpkh => (ScriptBuf::new(), self.p2wpkh(index, key)),
            OutputKind::P2tr => (ScriptBuf::new(), self.key_path(index, key)),
            OutputKind::P2pkh => (self.p2pkh(index, key), Witness::new()),
            OutputKind::Multisig => {
                let [_, second, third] = [0, 1, 2].map(|offset| self.keys.get(destination.key + offset));
                (ScriptBuf::new(), self.multisig(index, [key, second, third]))
            }
        }
    }

    fn ecdsa(&self, key: &Key, sighash: [u8; 32]) -> ecdsa::Signature {
        self.keys.secp.sign_ecdsa(&Message::from_digest(sighash), &key.secret)
    }

    fn note(&mut self, key: &Key, signature: &ecdsa::Signature, sighash: [u8; 32], is_good: bool) {
        let check = SignatureCheck::ecdsa(key.public.to_bytes(), &signature.serialize_der(), sighash, is_good);
        self.checks.push(check);
    }

    fn p2wpkh(&mut self, index: usize, key: &Key) -> Witness {
        let spent = &self.spent[index];
        let sighash = self
            .cache
            .p2wpkh_signature_hash(index, &spent.script_pubkey, spent.value, EcdsaSighashType::All)
            .expect("the output is a P2WPKH one")
            .to_byte_array();
        let signature = self.ecdsa(key, sighash);
        self.note(key, &signature, sighash, true);
        Witness::from_slice(&[with_hash_type(&signature), key.public.to_bytes().to_vec()])
    }

    fn key_path(&mut self, index: usize, key: &Key) -> Witness {
        let prevouts = Prevouts::All(self.spent);
        let sighash = self
            .cache
            .taproot_key_spend_signature_hash(index, &prevouts, TapSighashType::Default)
            .expect("all outputs are given")
            .to_byte_array();
        let signature = self.keys.secp.sign_schnorr_no_aux_rand(&Message::from_digest(sighash), &key.tweaked);
        let output_key = key.tweaked.x_only_public_key().0.serialize();
        self.checks.push(SignatureCheck::schnorr(output_key, signature.serialize(), sighash));
        Witness::from_slice(&[signature.serialize()])
    }

    fn p2pkh(&mut self, index: usize, key: &Key) -> ScriptBuf {
        let sighash = self
            .cache
            .legacy_signature_hash(index, &self.spent[index].script_pubkey, EcdsaSighashType::All.to_u32())
            .expect("the input exists")
            .to_byte_array();
        let signature = self.ecdsa(key, sighash);
        self.note(key, &signature, sighash, true);
        let signature = PushBytesBuf::try_from(with_hash_type(&signature)).expect("signatures are short");
        Builder::new().push_slice(signature).push_key(&key.public.into()).into_script()
    }

    /// The first two keys sign. Verification begins with the last key and the last signature, so it tries the third key in
    /// vain (Core: `OP_CHECKMULTISIG`, `script/interpreter.cpp`).
    fn multisig(&mut self, index: usize, [first, second, third]: [&Key; 3]) -> Witness {
        let sighash = self
            .cache
            .p2wsh_signature_hash(index, &first.multisig, self.spent[index].value, EcdsaSighashType::All)
            .expect("the input exists")
            .to_byte_array();
        let signatures = [first, second].map(|key| self.ecdsa(key, sighash));
        self.note(third, &signatures[1], sighash, false);
        self.note(second, &signatures[1], sighash, true);
        self.note(first, &signatures[0], sighash, true);
        let [first_signature, second_signature] = signatures.map(|signature| with_hash_type(&signature));
        Witness::from_slice(&[Vec::new(), first_signature, second_signature, first.multisig.to_bytes()])
    }
}

/// A signature as scripts hold it.
fn with_hash_type(signature: &ecdsa::Signature) -> Vec<u8> {
    [&signature.serialize_der()[..], &[EcdsaSighashType::All as u8]].concat()
}
