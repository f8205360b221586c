//! Signed inputs for the benches, made with rust-bitcoin.

use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_CHECKSIG};
use bitcoin::script::Builder;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::taproot::{LeafVersion, TaprootBuilder};
use bitcoin::{
    Amount, CompressedPublicKey, EcdsaSighashType, OutPoint, Script, ScriptBuf, Sequence, TapLeafHash, TapSighashType,
    Transaction, TxIn, TxOut, Txid, Witness, absolute, transaction,
};
use secp256k1::{All, Message, Secp256k1, SecretKey};

/// A transaction whose only input is good, and what its verification cannot do without.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) transaction: Transaction,
    pub(crate) spent: TxOut,
    pub(crate) bare: BareCalls,
}

/// What libsecp256k1 is asked.
#[allow(clippy::large_enum_variant, reason = "there are five")]
pub(crate) enum BareCalls {
    Ecdsa(Vec<EcdsaCheck>),
    Schnorr {
        key: [u8; 32],
        signature: [u8; 64],
        sighash: [u8; 32],
        /// Internal key, tweak and output key of a script path.
        commitment: Option<([u8; 32], [u8; 32], [u8; 32])>,
    },
}

pub(crate) struct EcdsaCheck {
    pub(crate) key: [u8; 33],
    /// DER.
    pub(crate) signature: Vec<u8>,
    pub(crate) sighash: [u8; 32],
    pub(crate) is_good: bool,
}

/// One input of each kind.
pub(crate) fn all() -> Vec<Case> {
    let secp = Secp256k1::new();
    vec![
        p2wpkh(&secp),
        key_path(&secp),
        // Verification begins with the last key and the last signature.
        multisig(&secp, "P2WSH 2-of-3, last two", [1, 2]),
        multisig(&secp, "P2WSH 2-of-3, first two", [0, 1]),
        tapscript(&secp),
    ]
}

fn key(secp: &Secp256k1<All>, number: u8) -> Keypair {
    Keypair::from_secret_key(secp, &SecretKey::from_slice(&[number; 32]).expect("small numbers are keys"))
}

/// A transaction of one input and two outputs, and the output it spends.
fn unsigned(script_pubkey: ScriptBuf) -> (Transaction, TxOut) {
    let output = |script_pubkey| TxOut { value: Amount::from_sat(50_000), script_pubkey };
    let input = TxIn {
        previous_output: OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 1 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![output(ScriptBuf::from(vec![0x51; 22])), output(ScriptBuf::from(vec![0x52; 34]))],
    };
    (transaction, TxOut { value: Amount::from_sat(123_456), script_pubkey })
}

fn sign_ecdsa(secp: &Secp256k1<All>, key: &Keypair, sighash: [u8; 32]) -> EcdsaCheck {
    let signature = secp.sign_ecdsa(&Message::from_digest(sighash), &key.secret_key()).serialize_der().to_vec();
    EcdsaCheck { key: key.public_key().serialize(), signature, sighash, is_good: true }
}

/// A signature as scripts hold it.
fn with_hash_type(check: &EcdsaCheck) -> Vec<u8> {
    [&check.signature[..], &[EcdsaSighashType::All as u8]].concat()
}

fn p2wpkh(secp: &Secp256k1<All>) -> Case {
    let key = key(secp, 1);
    let script = ScriptBuf::new_p2wpkh(&CompressedPublicKey(key.public_key()).wpubkey_hash());
    let (mut transaction, spent) = unsigned(script);
    let mut cache = SighashCache::new(&mut transaction);
    let sighash = cache
        .p2wpkh_signature_hash(0, &spent.script_pubkey, spent.value, EcdsaSighashType::All)
        .expect("the script is a P2WPKH one");
    let check = sign_ecdsa(secp, &key, sighash.to_byte_array());
    transaction.input[0].witness = Witness::from_slice(&[with_hash_type(&check), check.key.to_vec()]);
    Case { name: "P2WPKH", transaction, spent, bare: BareCalls::Ecdsa(vec![check]) }
}

/// Two of three keys sign, in ascending order.
fn multisig(secp: &Secp256k1<All>, name: &'static str, signers: [usize; 2]) -> Case {
    let keys = [1, 2, 3].map(|number| key(secp, number));
    let mut script = Builder::new().push_int(2);
    for key in &keys {
        script = script.push_key(&key.public_key().into());
    }
    let script = script.push_int(3).push_opcode(OP_CHECKMULTISIG).into_script();
    let (mut transaction, spent) = unsigned(script.to_p2wsh());
    let mut cache = SighashCache::new(&mut transaction);
    let sighash = cache.p2wsh_signature_hash(0, &script, spent.value, EcdsaSighashType::All).expect("input 0 exists");
    let checks = signers.map(|signer| sign_ecdsa(secp, &keys[signer], sighash.to_byte_array()));
    let mut witness = Witness::from_slice(&[vec![], with_hash_type(&checks[0]), with_hash_type(&checks[1])]);
    witness.push(script.as_bytes());
    transaction.input[0].witness = witness;

    let [first, second] = checks;
    let bare = if signers == [1, 2] {
        vec![second, first]
    } else {
        // The third key is tried with the second signature first.
        let signature = second.signature.clone();
        let failing = EcdsaCheck { key: keys[2].public_key().serialize(), signature, is_good: false, ..second };
        vec![failing, second, first]
    };
    Case { name, transaction, spent, bare: BareCalls::Ecdsa(bare) }
}

fn key_path(secp: &Secp256k1<All>) -> Case {
    let tweaked = key(secp, 1).tap_tweak(secp, None);
    let output_key = tweaked.public_parts().0;
    let (mut transaction, spent) = unsigned(ScriptBuf::new_p2tr_tweaked(output_key));
    let mut cache = SighashCache::new(&mut transaction);
    let sighash = cache
        .taproot_key_spend_signature_hash(0, &Prevouts::All(&[&spent]), TapSighashType::Default)
        .expect("all outputs are given")
        .to_byte_array();
    let signature = secp.sign_schnorr_no_aux_rand(&Message::from_digest(sighash), &tweaked.to_keypair()).serialize();
    transaction.input[0].witness = Witness::from_slice(&[signature]);
    let key = output_key.to_x_only_public_key().serialize();
    Case {
        name: "P2TR key path",
        transaction,
        spent,
        bare: BareCalls::Schnorr { key, signature, sighash, commitment: None },
    }
}

/// A leaf that checks one key, beside another leaf.
fn tapscript(secp: &Secp256k1<All>) -> Case {
    let (internal, key) = (key(secp, 1).x_only_public_key().0, key(secp, 2));
    let x_only = key.x_only_public_key().0;
    let script = Builder::new().push_x_only_key(&x_only).push_opcode(OP_CHECKSIG).into_script();
    let tree = TaprootBuilder::new()
        .add_leaf(1, script.clone())
        .and_then(|builder| builder.add_leaf(1, Script::from_bytes(&[0x51]).to_owned()))
        .expect("two leaves at depth one")
        .finalize(secp, internal)
        .expect("the tree is complete");
    let (mut transaction, spent) = unsigned(ScriptBuf::new_p2tr_tweaked(tree.output_key()));
    let leaf_hash = TapLeafHash::from_script(&script, LeafVersion::TapScript);
    let mut cache = SighashCache::new(&mut transaction);
    let sighash = cache
        .taproot_script_spend_signature_hash(0, &Prevouts::All(&[&spent]), leaf_hash, TapSighashType::Default)
        .expect("all outputs are given")
        .to_byte_array();
    let signature = secp.sign_schnorr_no_aux_rand(&Message::from_digest(sighash), &key).serialize();
    let control = tree.control_block(&(script.clone(), LeafVersion::TapScript)).expect("the leaf is in the tree");
    transaction.input[0].witness = Witness::from_slice(&[&signature[..], script.as_bytes(), &control.serialize()]);
    let commitment =
        (internal.serialize(), tree.tap_tweak().to_byte_array(), tree.output_key().to_x_only_public_key().serialize());
    Case {
        name: "tapscript, one CHECKSIG",
        transaction,
        spent,
        bare: BareCalls::Schnorr { key: x_only.serialize(), signature, sighash, commitment: Some(commitment) },
    }
}
