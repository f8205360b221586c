use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_CHECKSIG};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use bitcoin::{Amount, NetworkKind, PrivateKey, PublicKey, ScriptBuf, TxOut};
use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Coin, Miner, output, pay};

fn key(number: u8) -> PrivateKey {
    PrivateKey::new(SecretKey::from_slice(&[number; 32]).unwrap(), NetworkKind::Test)
}

fn public(number: u8) -> PublicKey {
    key(number).public_key(&Secp256k1::new())
}

fn multisig(required: i64, numbers: &[u8]) -> ScriptBuf {
    let builder =
        numbers.iter().fold(Builder::new().push_int(required), |builder, number| builder.push_key(&public(*number)));
    builder.push_int(i64::try_from(numbers.len()).unwrap()).push_opcode(OP_CHECKMULTISIG).into_script()
}

/// An output of every kind, with the fields a client must tell of it beyond what the chain knows.
fn outputs() -> Vec<(ScriptBuf, String)> {
    let two_of_three = multisig(2, &[1, 2, 3]);
    let redeem = format!(",\"redeemScript\":\"{}\"", two_of_three.to_hex_string());
    let witness = format!(",\"witnessScript\":\"{}\"", two_of_three.to_hex_string());
    let wpkh = ScriptBuf::new_p2wpkh(&public(1).wpubkey_hash().unwrap());
    let (x_only, _) = public(2).inner.x_only_public_key();
    vec![
        (ScriptBuf::new_p2pkh(&public(1).pubkey_hash()), String::new()),
        (Builder::new().push_key(&public(2)).push_opcode(OP_CHECKSIG).into_script(), String::new()),
        (two_of_three.clone(), String::new()),
        (two_of_three.to_p2sh(), redeem.clone()),
        (wpkh.clone(), String::new()),
        (wpkh.to_p2sh(), format!(",\"redeemScript\":\"{}\"", wpkh.to_hex_string())),
        (two_of_three.to_p2wsh(), witness.clone()),
        (two_of_three.to_p2wsh().to_p2sh(), witness),
        (two_of_three.to_p2wsh().to_p2sh(), redeem),
        // The key that signs is the output's own.
        (ScriptBuf::new_p2tr_tweaked(bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(x_only)), String::new()),
    ]
}

/// Pays to all outputs, and tells of them as clients do.
async fn fund(miner: &mut Miner<'_>) -> (Vec<Coin>, String) {
    let coin = miner.take();
    let mut funding = pay(&[coin], &[]);
    let outputs = outputs();
    for (script, _) in &outputs {
        funding.output.push(TxOut { value: Amount::from_sat(100_000), script_pubkey: script.clone() });
    }
    miner.mine(std::slice::from_ref(&funding)).await;
    let coins: Vec<_> = (0..).take(outputs.len()).map(|vout| output(&funding, vout)).collect();
    let told = coins.iter().zip(&outputs).map(|((outpoint, _), (script, more))| {
        format!(
            "{{\"txid\":\"{}\",\"vout\":{},\"scriptPubKey\":\"{}\",\"amount\":0.001{more}}}",
            outpoint.txid,
            outpoint.vout,
            script.to_hex_string()
        )
    });
    let told = told.collect::<Vec<_>>().join(",");
    (coins, format!("[{told}]"))
}

async fn create(test: &RpcTest, coins: &[Coin]) -> String {
    let inputs =
        coins.iter().map(|(outpoint, _)| format!("{{\"txid\":\"{}\",\"vout\":{}}}", outpoint.txid, outpoint.vout));
    let inputs = inputs.collect::<Vec<_>>().join(",");
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let created = test.get("createrawtransaction", &format!("[[{inputs}],{{\"{address}\":0.0005}}]")).await;
    created.as_str().unwrap().to_owned()
}

fn keys(numbers: &[u8]) -> String {
    let keys = numbers.iter().map(|number| format!("\"{}\"", key(*number).to_wif()));
    format!("[{}]", keys.collect::<Vec<_>>().join(","))
}

async fn sign(test: &RpcTest, hex: &str, numbers: &[u8], more: &str) -> Value {
    test.get("signrawtransactionwithkey", &format!("[\"{hex}\",{}{more}]", keys(numbers))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_output_is_signed() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 7).await;
    for hash_type in ["DEFAULT", "ALL", "NONE", "SINGLE|ANYONECANPAY", "ALL|ANYONECANPAY"] {
        let (mut coins, told) = fund(&mut miner).await;
        if hash_type.starts_with("SINGLE") {
            // There is one output to commit to.
            coins.truncate(1);
        }
        let unsigned = create(&test, &coins).await;
        let signed = sign(&test, &unsigned, &[1, 2], &format!(",{told},\"{hash_type}\"")).await;
        assert_eq!(signed["complete"], true, "{hash_type}: {signed}");
        assert!(signed.get("errors").is_none(), "{signed}");
        let hex = signed["hex"].as_str().unwrap();
        // Signing again changes nothing, without keys.
        assert_eq!(sign(&test, hex, &[], "").await["hex"], hex);
        test.get("sendrawtransaction", &format!("[\"{hex}\",0]")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partly_signed_transactions_are_combined() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let (coins, told) = fund(&mut miner).await;
    let unsigned = create(&test, &coins).await;
    let more = format!(",{told}");
    let mut parts = Vec::new();
    for number in [1, 2] {
        let signed = sign(&test, &unsigned, &[number], &more).await;
        assert_eq!(signed["complete"], false);
        parts.push(signed["hex"].as_str().unwrap().to_owned());
        let errors = signed["errors"].as_array().unwrap();
        assert!(errors.len() >= 5, "{signed}");
        for error in errors {
            assert_eq!(error["sequence"], 0xffff_fffd_u32);
        }
    }
    // One signature of two is there, and an empty one in the place of the other.
    let signed = sign(&test, &unsigned, &[2], &more).await;
    let told_errors: Vec<_> = signed["errors"].as_array().unwrap().iter().map(|error| error["error"].clone()).collect();
    let null_fail = "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    let missing = "Unable to sign input, invalid stack size (possibly missing key)";
    assert_eq!(told_errors[0], missing);
    assert_eq!(told_errors.iter().filter(|error| **error == null_fail).count(), 5, "{told_errors:?}");

    let combined = test.get("combinerawtransaction", &format!("[[\"{}\",\"{}\"]]", parts[0], parts[1])).await;
    let reversed = test.get("combinerawtransaction", &format!("[[\"{}\",\"{}\"]]", parts[1], parts[0])).await;
    assert_eq!(combined, reversed);
    test.get("sendrawtransaction", &format!("[{combined},0]")).await;

    let error = |params: String| {
        let test = &test;
        async move { test.error("combinerawtransaction", &params).await }
    };
    let few = "Missing transactions. At least two transactions required.".to_owned();
    assert_eq!(error(format!("[[\"{unsigned}\"]]")).await, (-22, few));
    assert_eq!(
        error(format!("[[\"{unsigned}\",\"00\"]]")).await,
        (-22, "TX decode failed for tx 1. Make sure the tx has at least one input.".to_owned())
    );
    let other = create(&test, &coins[..1]).await;
    assert_eq!(
        error(format!("[[\"{unsigned}\",\"{other}\"]]")).await,
        (-8, "Transaction number 2 not compatible with first transaction".to_owned())
    );
    let absent = create(&test, &[(bitcoin::OutPoint::new(coins[0].0.txid, 99), 1)]).await;
    assert_eq!(
        error(format!("[[\"{absent}\",\"{absent}\"]]")).await,
        (-25, "Input not found or already spent".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_signed_is_told_in_cores_words() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let (coins, _) = fund(&mut miner).await;
    let unsigned = create(&test, &coins[4..5]).await;
    let (outpoint, script) = (coins[4].0, outputs()[4].0.to_hex_string());
    let error = |more: String| {
        let (test, unsigned) = (&test, &unsigned);
        async move { test.error("signrawtransactionwithkey", &format!("[\"{unsigned}\",{more}]")).await }
    };
    assert_eq!(error("[\"nonsense\"]".to_owned()).await, (-5, "Invalid private key".to_owned()));
    let main = PrivateKey::new(key(1).inner, NetworkKind::Main).to_wif();
    assert_eq!(error(format!("[\"{main}\"]")).await, (-5, "Invalid private key".to_owned()));
    assert_eq!(error("[],[],\"all\"".to_owned()).await, (-8, "'all' is not a valid sighash parameter.".to_owned()));
    assert_eq!(
        error("[],[7]".to_owned()).await,
        (-22, "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}".to_owned())
    );
    let prevout = |txid: &str, vout: i32, script: &str, more: &str| {
        format!("[],[{{\"txid\":\"{txid}\",\"vout\":{vout},\"scriptPubKey\":\"{script}\"{more}}}]")
    };
    let txid = outpoint.txid.to_string();
    assert_eq!(error(prevout(&txid, -1, &script, "")).await, (-22, "vout cannot be negative".to_owned()));
    assert_eq!(
        error(prevout(&txid, 4, "51", "")).await,
        (-22, format!("Previous output scriptPubKey mismatch:\n0 {}\nvs:\n1", &script[4..]))
    );
    let p2sh = outputs()[3].0.to_hex_string();
    assert_eq!(error(prevout(&txid, 77, &p2sh, "")).await, (-8, "Missing redeemScript/witnessScript".to_owned()));
    assert_eq!(
        error(prevout(&txid, 77, &p2sh, ",\"redeemScript\":\"51\"")).await,
        (-8, "redeemScript/witnessScript does not match scriptPubKey".to_owned())
    );
    assert_eq!(
        error(prevout(&txid, 77, &p2sh, ",\"redeemScript\":\"51\",\"witnessScript\":\"52\"")).await,
        (-8, "redeemScript does not correspond to witnessScript".to_owned())
    );
    // Signatures in witnesses commit to amounts.
    let told = prevout(&txid, 4, &script, "").replacen("[]", &keys(&[1]), 1);
    assert_eq!(
        error(told).await,
        (-3, format!("Missing amount for CTxOut(nValue=21000000.00000000, scriptPubKey={})", &script[..30]))
    );
    assert_eq!(
        test.error("signrawtransactionwithkey", "[\"00\",[]]").await,
        (-22, "TX decode failed. Make sure the tx has at least one input.".to_owned())
    );

    let absent = create(&test, &[(bitcoin::OutPoint::new(outpoint.txid, 99), 1)]).await;
    let signed = sign(&test, &absent, &[1], "").await;
    assert_eq!(
        signed["errors"],
        json!([{"txid": txid, "vout": 99, "witness": [], "scriptSig": "", "sequence": 0xffff_fffd_u32,
            "error": "Input not found or already spent"}])
    );
}

/// Core's `rpc_rawsign`, with the keys of regtest.
#[tokio::test(flavor = "multi_thread")]
async fn a_redeem_script_is_signed_for_a_coin_that_nobody_knows() {
    let test = RpcTest::start(0).await;
    let script = multisig(1, &[4, 5]);
    let bytes = PushBytesBuf::try_from(script.to_bytes()).unwrap();
    let txid = "b4cc287e58f87cdae59417329f710f3ecd75a4ee1d2872b7248f50977c8493f3";
    let told = format!(
        ",[{{\"txid\":\"{txid}\",\"vout\":1,\"scriptPubKey\":\"{}\",\"redeemScript\":\"{}\"}}]",
        script.to_p2sh().to_hex_string(),
        script.to_hex_string()
    );
    let unsigned = create(&test, &[(bitcoin::OutPoint::new(txid.parse().unwrap(), 1), 1)]).await;
    let incomplete = sign(&test, &unsigned, &[], &told).await;
    assert_eq!(incomplete["complete"], false);
    let signed = sign(&test, &unsigned, &[4, 5], &told).await;
    assert_eq!(signed["complete"], true);
    let decoded = test.get("decoderawtransaction", &format!("[{}]", signed["hex"])).await;
    let script_sig = decoded["vin"][0]["scriptSig"]["hex"].as_str().unwrap();
    let pushed = Builder::new().push_slice(bytes).into_script().to_hex_string();
    assert!(script_sig.starts_with("00") && script_sig.ends_with(&pushed), "{script_sig}");
}
