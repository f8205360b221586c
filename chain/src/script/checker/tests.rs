//! A spend made to look, to a careless cache, like another that was verified.

use bitcoin::{Amount, Script};
use ruint::aliases::U256;
use ruint::uint;
use secp256k1::{Secp256k1, SecretKey, ecdsa};

use super::*;
use crate::coins::CoinScript;
use crate::hash::hash160;
use crate::primitives::{Transaction, WitnessRef};
use crate::script::{ScriptVerifyFlags, append_push, legacy_sighash, verify_script};

/// The order of the curve's group.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
/// Eight bytes that are a strict DER signature by themselves.
const SMALLEST_DER: [u8; 8] = [0x30, 6, 2, 1, 1, 2, 1, 1];

/// A key and a signature of `sighash` whose S ends in [`SMALLEST_DER`]: nonce and S are chosen, the key follows from them.
fn key_and_signature(sighash: [u8; 32]) -> (Vec<u8>, Vec<u8>) {
    let secp = Secp256k1::new();
    let nonce = [9; 32];
    let point = SecretKey::from_slice(&nonce).unwrap().public_key(&secp).serialize();
    let r = U256::from_be_slice(&point[1..]) % ORDER;
    let mut s_bytes = [0x11; 32];
    s_bytes[24..].copy_from_slice(&SMALLEST_DER);
    let s_times_nonce = U256::from_be_bytes(s_bytes).mul_mod(U256::from_be_bytes(nonce), ORDER);
    let minus_sighash = ORDER - U256::from_be_bytes(sighash) % ORDER;
    let secret = s_times_nonce.add_mod(minus_sighash, ORDER).mul_mod(r.inv_mod(ORDER).unwrap(), ORDER);
    let key = SecretKey::from_slice(&secret.to_be_bytes::<32>()).unwrap().public_key(&secp);
    let signature = ecdsa::Signature::from_compact(&[r.to_be_bytes::<32>(), s_bytes].concat()).unwrap();
    (key.serialize().to_vec(), signature.serialize_der().to_vec())
}

/// The scriptSig that reveals `OP_CHECKSIG` and pushes a signature, with its hash type, and a key.
fn script_sig(der: &[u8], key: &[u8], redeem_script: &[u8]) -> Vec<u8> {
    let mut script = Vec::new();
    append_push(&mut script, &[der, &[1]].concat());
    append_push(&mut script, key);
    append_push(&mut script, redeem_script);
    script
}

#[test]
fn bytes_moved_from_signature_to_key_are_not_found_in_the_cache() {
    // The redeem script is a lone OP_CHECKSIG: what is signed says nothing of key or signature.
    let redeem_script = [0xac];
    let script_pubkey = [&[0xa9, 20][..], &hash160(&redeem_script), &[0x87]].concat();
    let script_pubkey = Script::from_bytes(&script_pubkey);
    // Version 2, one input with sequence 0, one output of nothing.
    let bytes = [&[2, 0, 0, 0, 1][..], &[1; 36], &[0, 0, 0, 0, 0, 1], &[0; 9], &[0; 4]].concat();
    let transaction = Transaction::decode(bytes).unwrap();
    let spent = [Coin {
        amount: Amount::from_sat(1),
        script_pubkey: CoinScript::from(script_pubkey),
        height: 0,
        is_coinbase: false,
    }];
    let data = PrecomputedTransactionData::new(transaction.as_ref(), &spent);
    let (key, der) = key_and_signature(legacy_sighash(transaction.as_ref(), 0, &redeem_script, 1));
    let honest = script_sig(&der, &key, &redeem_script);
    // The signature's last bytes are the new signature, the bytes before them the end of the new key.
    let (front, back) = der.split_at(der.len() - SMALLEST_DER.len());
    assert_eq!(back, SMALLEST_DER);
    let forged = script_sig(back, &[&key, front].concat(), &redeem_script);

    let cache = SignatureCache::new(1 << 20);
    let verify = |script_sig: &[u8], flags, policy| {
        let mut checker = TransactionSignatureChecker::new(&data, 0).with_cache(&cache, policy);
        verify_script(Script::from_bytes(script_sig), script_pubkey, WitnessRef::EMPTY, flags, &mut checker)
    };
    assert_eq!(verify(&honest, ScriptVerifyFlags::STANDARD, CachePolicy::Store), Ok(()));
    let forged = verify(&forged, ScriptVerifyFlags::MANDATORY, CachePolicy::Consume);
    assert_eq!(forged, Err(ScriptError::EvalFalse), "as without a cache");
}
