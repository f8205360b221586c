use serde_json::json;

use crate::rpc::testing::RpcTest;

/// BIP143's P2WPKH example.
const SEGWIT: &str = "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000";
const KEY: &str = "025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357";

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_explained() {
    let test = RpcTest::start(0).await;
    let told = test.get("decoderawtransaction", &format!("[\"{SEGWIT}\"]")).await;
    assert_eq!(told["txid"], "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609");
    assert_eq!((&told["version"], &told["locktime"]), (&json!(1), &json!(17)));
    assert_eq!((&told["size"], &told["vsize"], &told["weight"]), (&json!(343), &json!(261), &json!(1042)));
    assert_eq!(told["vin"][1]["txinwitness"][1], KEY);
    assert_eq!(told["vin"][0]["sequence"], 0xffff_ffee_u32);
    assert_eq!(told["vout"][0]["scriptPubKey"]["type"], "pubkeyhash");
    assert_eq!(told["vout"][1]["n"], 1);
    assert!(told.get("hex").is_none());

    // Without inputs it may be either, and is the one that has a meaning.
    let no_inputs = "0200000000010100000000000000015100000000";
    let told = test.get("decoderawtransaction", &format!("[\"{no_inputs}\"]")).await;
    assert_eq!((&told["vin"], &told["vout"][0]["scriptPubKey"]["asm"]), (&json!([]), &json!("1")));
    test.get("decoderawtransaction", &format!("[\"{no_inputs}\",false]")).await;
    test.get("decoderawtransaction", &format!("[\"{SEGWIT}\",true]")).await;
    let failed = (-22, "TX decode failed".to_owned());
    for wrong in [format!("[\"{no_inputs}\",true]"), format!("[\"{SEGWIT}\",false]"), "[\"\"]".to_owned()] {
        assert_eq!(test.error("decoderawtransaction", &wrong).await, failed, "{wrong}");
    }
}

/// Some of Core's `rpc_decodescript.json` and functional tests.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_explained() {
    let test = RpcTest::start(0).await;
    let decode = |script: String| {
        let test = &test;
        async move { test.get("decodescript", &format!("[\"{script}\"]")).await }
    };
    let hash = "11695b6cd891484c2d49ec5aa738ec2b2f897777";

    let empty = decode(String::new()).await;
    assert_eq!((&empty["asm"], &empty["type"]), (&json!(""), &json!("nonstandard")));
    assert_eq!(empty["segwit"]["asm"], "0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    let pubkey = decode(format!("21{KEY}ac")).await;
    assert_eq!((&pubkey["asm"], &pubkey["type"]), (&json!(format!("{KEY} OP_CHECKSIG")), &json!("pubkey")));
    assert_eq!(pubkey["segwit"]["type"], "witness_v0_keyhash");
    assert!(pubkey["p2sh"].as_str().unwrap().starts_with('2'));
    assert!(pubkey["segwit"]["p2sh-segwit"].as_str().unwrap().starts_with('2'));
    assert!(pubkey["segwit"]["address"].as_str().unwrap().starts_with("bcrt1q"));

    let pubkey_hash = decode(format!("76a914{hash}88ac")).await;
    assert_eq!(pubkey_hash["asm"], format!("OP_DUP OP_HASH160 {hash} OP_EQUALVERIFY OP_CHECKSIG"));
    assert_eq!(pubkey_hash["segwit"]["asm"], format!("0 {hash}"));
    assert!(pubkey_hash.get("hex").is_none());
    assert_eq!(pubkey_hash["segwit"]["hex"], format!("0014{hash}"));

    let multisig = decode(format!("5221{KEY}21{KEY}21{KEY}53ae")).await;
    assert_eq!(multisig["asm"], format!("2 {KEY} {KEY} {KEY} 3 OP_CHECKMULTISIG"));
    assert_eq!(multisig["segwit"]["type"], "witness_v0_scripthash");
    let uncompressed = format!("04{}{}", &KEY[2..], &KEY[2..]);
    let multisig = decode(format!("5121{KEY}41{uncompressed}52ae")).await;
    assert!(multisig.get("p2sh").is_some() && multisig.get("segwit").is_none());
    let pubkey = decode(format!("41{uncompressed}ac")).await;
    assert!(pubkey.get("p2sh").is_some() && pubkey.get("segwit").is_none());

    // What is wrapped already, or carries data, or is for tapscript, is not wrapped.
    for (script, form) in [
        (format!("a914{hash}87"), "scripthash"),
        ("6a02aabb".to_owned(), "nulldata"),
        (format!("5120{}", &KEY[2..]), "witness_v1_taproot"),
        ("51024e73".to_owned(), "anchor"),
        ("5202aabb".to_owned(), "witness_unknown"),
        ("6a".to_owned() + "ff", "nonstandard"),
        ("7e".to_owned(), "nonstandard"),
        ("ba".to_owned(), "nonstandard"),
        ("02aa".to_owned(), "nonstandard"),
    ] {
        let told = decode(script.clone()).await;
        assert_eq!(told["type"], form, "{script}");
        assert!(told.get("p2sh").is_none() && told.get("segwit").is_none(), "{script}: {told}");
    }
    // Witness programs go into P2SH alone.
    let program = decode(format!("0014{hash}")).await;
    assert!(program.get("p2sh").is_some() && program.get("segwit").is_none());

    assert_eq!(
        test.error("decodescript", "[\"xyz\"]").await,
        (-8, "argument must be hexadecimal string (not 'xyz')".to_owned())
    );
}
