//! What is promised beyond fields.

use bitcoin::{Network, Sequence, TxOut};
use serde_json::json;

use crate::harness::node_process::Datadir;
use crate::harness::rpc::Rpc;
use crate::scene::{Scene, send};

/// Fulcrum takes a node with another user agent for one of Bitcoin Cash, and LND takes it for btcd.
#[test]
fn every_network_has_a_name_that_tools_know() {
    for (network, name) in [
        ("main", "main"),
        ("testnet4", "testnet4"),
        ("signet", "signet"),
        ("regtest", "regtest"),
        // No tool knows the names of ours.
        ("cairn", "regtest"),
        ("devnet", "regtest"),
    ] {
        let datadir = Datadir::new();
        let node = datadir.start(network, &[]);
        let rpc = Rpc::of(&datadir, network, &node);
        for method in ["getblockchaininfo", "getmininginfo"] {
            assert_eq!(rpc.call(method, &json!([]))["chain"], name, "{method}");
        }
        assert!(Network::from_core_arg(name).is_ok(), "rust-bitcoin parses it");
        let info = rpc.call("getnetworkinfo", &json!([]));
        assert!(info["version"].as_u64().unwrap() >= 280_000, "{info}");
        assert!(info["subversion"].as_str().unwrap().starts_with("/Satoshi:"), "{info}");
    }
}

/// LND does not start without taproot, by its deployment or by its flag, which is all that Core shows since it is buried.
#[test]
fn the_rules_that_hold_are_named() {
    let scene = Scene::new();
    let info = scene.rpc.call("getdeploymentinfo", &json!([]));
    let flags = info["script_flags"].as_array().unwrap();
    for flag in ["P2SH", "DERSIG", "CHECKLOCKTIMEVERIFY", "CHECKSEQUENCEVERIFY", "WITNESS", "NULLDUMMY", "TAPROOT"] {
        assert!(flags.contains(&json!(flag)), "{flag} in {info}");
    }
    for buried in ["bip34", "bip65", "bip66", "csv", "segwit"] {
        assert_eq!(info["deployments"][buried]["active"], true, "{info}");
    }
}

/// Three fields are there on a pruned node alone.
#[test]
fn a_node_that_prunes_says_so() {
    let datadir = Datadir::new();
    let node = datadir.start("regtest", &["--prune", "550"]);
    let rpc = Rpc::of(&datadir, "regtest", &node);
    let info = rpc.call("getblockchaininfo", &json!([]));
    assert_eq!((&info["pruned"], &info["automatic_pruning"]), (&json!(true), &json!(true)), "{info}");
    assert_eq!(info["pruneheight"], 0, "{info}");
    assert!(info["prune_target_size"].as_u64().unwrap() >= 550 * 1000 * 1000, "{info}");
}

/// Wallets and miners that wait for the end of the initial download would wait for ever on a network where nobody mines.
#[test]
fn a_node_on_regtest_is_ready_at_once() {
    let datadir = Datadir::new();
    for _ in 0..2 {
        let node = datadir.start("regtest", &[]);
        let rpc = Rpc::of(&datadir, "regtest", &node);
        let info = rpc.call("getblockchaininfo", &json!([]));
        assert_eq!((&info["initialblockdownload"], &info["blocks"]), (&json!(false), &json!(0)));
        assert!(rpc.call("getblocktemplate", &json!([{ "rules": ["segwit"] }]))["height"] == 1);
        node.stop();
    }
}

/// `bitcoincore-rpc` 0.19 does not parse an entry without it, which Core 31 leaves out.
#[test]
fn whether_a_transaction_is_replaceable_is_always_told() {
    let scene = Scene::new();
    let coin = scene.coinbase(2);
    let value = coin.output.value - bitcoin::Amount::from_sat(1_000);
    let mut last = scene.purse.spend(&[&coin], vec![TxOut { value, ..coin.output.clone() }]);
    last.input[0].sequence = Sequence::MAX;
    let last = scene.purse.sign(last, &[&coin]);
    send(&scene.rpc, &last);
    for (txid, replaceable) in [(scene.parent.compute_txid(), true), (last.compute_txid(), false)] {
        let entry = scene.rpc.call("getmempoolentry", &json!([txid]));
        assert_eq!(entry["bip125-replaceable"], replaceable);
        let all = scene.rpc.call("getrawmempool", &json!([true]));
        assert_eq!(all[txid.to_string()]["bip125-replaceable"], replaceable);
    }
}

/// No number in any answer that holds amounts is written with an exponent or with other than eight decimals.
#[test]
fn no_amount_is_a_rounded_number() {
    let scene = Scene::new();
    let coin = scene.coinbase(2);
    // The least that can be written, and a number that no binary fraction is.
    let outputs = [1_000, 123_456_789, 10_000_000, 2_100_000_000].map(bitcoin::Amount::from_sat);
    let outputs = outputs.map(|value| TxOut { value, ..coin.output.clone() });
    let transaction = scene.purse.spend(&[&coin], outputs.to_vec());
    let hex = bitcoin::consensus::encode::serialize_hex(&transaction);
    let text = scene.rpc.text("decoderawtransaction", &json!([hex]));
    for expected in ["0.00001000", "1.23456789", "0.10000000", "21.00000000"] {
        assert!(text.contains(&format!("\"value\":{expected},")), "{expected} in {text}");
    }
}

/// What a client does with an error depends on its code.
#[test]
fn errors_have_the_codes_that_clients_know() {
    let scene = Scene::new();
    let unknown = "00".repeat(32);
    for (method, params, code) in [
        ("getblock", json!([unknown]), -5),
        ("getblockheader", json!([unknown]), -5),
        ("getblockhash", json!([1_000_000]), -8),
        ("getrawtransaction", json!([unknown]), -5),
        ("getmempoolentry", json!([unknown]), -5),
        ("gettxoutproof", json!([[unknown]]), -5),
        ("getblock", json!(["00"]), -8),
        ("getblock", json!([5]), -3),
        ("getblock", json!([]), -1),
        ("sendrawtransaction", json!(["00"]), -22),
        ("submitblock", json!(["00"]), -22),
        ("decoderawtransaction", json!(["00"]), -22),
        ("validateaddress", json!([7]), -3),
        ("generatetoaddress", json!([1, "nobody"]), -5),
        ("deriveaddresses", json!(["nothing"]), -5),
        ("nosuchmethod", json!([]), -32601),
        ("getnewaddress", json!([]), -32601),
    ] {
        let failure = scene.rpc.failure(method, &params);
        assert_eq!(failure.code, code, "{method} {params}: {failure:?}");
        assert!(!failure.message.is_empty());
    }
}
