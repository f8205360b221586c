use bitcoin::hex::FromHex;
use cairn_chain::params::AddressFormat;
use cairn_chain::primitives::Transaction;
use serde_json::{Value, json};

use super::*;
use crate::rpc::to_result;

const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const GENESIS_KEY: &str = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112d\
    e5c384df7ba0b8d578a4c702b6bf11d5f";

fn bytes(hex: &str) -> Vec<u8> {
    Vec::from_hex(hex).unwrap()
}

fn view(script: &str) -> Value {
    let script = bytes(script);
    serde_json::from_str(to_result(&ScriptView::new(&script, AddressFormat::MAIN)).unwrap().get()).unwrap()
}

/// The script's address and descriptor, as far as there are any.
fn stands_for(script: &str) -> (String, String, String) {
    let view = view(script);
    let text = |key: &str| view[key].as_str().unwrap_or_default().to_owned();
    let descriptor = text("desc");
    let (descriptor, checksum) = descriptor.split_once('#').unwrap();
    assert_eq!(descriptor_checksum(descriptor).as_deref(), Some(checksum));
    assert_eq!(
        script_address(&bytes(script), AddressFormat::MAIN).map_or(String::new(), |address| address.to_string()),
        text("address")
    );
    assert_eq!(infer_descriptor(&bytes(script), AddressFormat::MAIN), text("desc"));
    (text("type"), text("address"), descriptor.to_owned())
}

#[test]
fn the_output_of_genesis() {
    let expected = json!({
        "asm": format!("{GENESIS_KEY} OP_CHECKSIG"),
        "desc": format!("pk({GENESIS_KEY})#vlz6ztea"),
        "hex": format!("41{GENESIS_KEY}ac"),
        "type": "pubkey",
    });
    assert_eq!(view(&format!("41{GENESIS_KEY}ac")), expected);
}

/// BIP380's and Core's own (`descriptor_tests.cpp`).
#[test]
fn checksums() {
    for (descriptor, checksum) in [
        ("raw(deadbeef)", "89f8spxm"),
        ("raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)", "fm24fxxy"),
        (
            "sh(multi(2,[00000000/111'/222]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc,xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L/0))",
            "ggrsrxfy",
        ),
    ] {
        assert_eq!(descriptor_checksum(descriptor).as_deref(), Some(checksum));
    }
    assert_eq!(descriptor_checksum("raw(é)"), None);
    assert_eq!(descriptor_checksum("raw(\t)"), None);
}

#[test]
fn every_form_of_output_has_its_address_and_descriptor() {
    let hash = "751e76e8199196d454941c45d1b3a323f1433bd6";
    let of = |kind: &str, address: &str, descriptor: &str| (kind.to_owned(), address.to_owned(), descriptor.to_owned());
    let by_address = |kind: &str, address: &str| of(kind, address, &format!("addr({address})"));
    for (script, expected) in [
        (format!("76a914{hash}88ac"), by_address("pubkeyhash", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH")),
        (format!("a914{hash}87"), by_address("scripthash", "3CNHUhP3uyB9EUtRLsmvFUmvGdjGdkTxJw")),
        (format!("0014{hash}"), by_address("witness_v0_keyhash", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")),
        (
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262".to_owned(),
            by_address("witness_v0_scripthash", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"),
        ),
        (
            format!("5120{}", &KEY[2..]),
            of(
                "witness_v1_taproot",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                &format!("rawtr({})", &KEY[2..]),
            ),
        ),
        // The field's order is no coordinate, so no key is behind it.
        (
            "5120fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f".to_owned(),
            by_address("witness_v1_taproot", "bc1pllllllllllllllllllllllllllllllllllllllllllllallllshsdfvw2y"),
        ),
        ("51024e73".to_owned(), by_address("anchor", "bc1pfeessrawgf")),
        ("6002751e".to_owned(), by_address("witness_unknown", "bc1sw50qgdz25j")),
        (format!("21{KEY}ac"), of("pubkey", "", &format!("pk({KEY})"))),
        // A hybrid key.
        (format!("4106{}ac", &GENESIS_KEY[2..]), of("pubkey", "", &format!("raw(4106{}ac)", &GENESIS_KEY[2..]))),
        (format!("5121{KEY}21{KEY}52ae"), of("multisig", "", &format!("multi(1,{KEY},{KEY})"))),
        ("6a0568656c6c6f".to_owned(), of("nulldata", "", "raw(6a0568656c6c6f)")),
        ("51".to_owned(), of("nonstandard", "", "raw(51)")),
        (String::new(), of("nonstandard", "", "raw()")),
    ] {
        assert_eq!(stands_for(&script), expected, "{script}");
    }
}

/// `rpc_decodescript.py` and `script_tests.cpp` of Core.
#[test]
fn operations_as_text() {
    let signature = "304502207fa7a6d1e0ee81132a269ad84e68d695483745cde8b541e3bf630749894e342a022100c1f7ab20e13e22fb95281a870f3d\
        cf38d782e53023ee313d741ad0cfbc0c5090";
    let asm = |script: &str, decode: bool| script_asm(&bytes(script), decode);
    for (hash_type, shown) in [
        ("01", "[ALL]"),
        ("02", "[NONE]"),
        ("03", "[SINGLE]"),
        ("81", "[ALL|ANYONECANPAY]"),
        ("82", "[NONE|ANYONECANPAY]"),
        ("83", "[SINGLE|ANYONECANPAY]"),
    ] {
        let script = format!("48{signature}{hash_type}00");
        assert_eq!(asm(&script, true), format!("{signature}{shown} 0"));
        assert_eq!(asm(&script, false), format!("{signature}{hash_type} 0"));
    }
    // No such hash type, and a script that nobody can spend.
    assert_eq!(asm(&format!("48{signature}04"), true), format!("{signature}04"));
    assert_eq!(asm(&format!("6a48{signature}01"), true), format!("OP_RETURN {signature}01"));
    for (script, text) in [
        ("", ""),
        ("4f515260000161", "-1 1 2 16 0 97"),
        ("04ffffff7f04ffffffff028000028080018004000000800400000000", "2147483647 -2147483647 128 -128 0 0 0"),
        ("05ffffffff7f", "ffffffff7f"),
        ("4c014c", "76"),
        ("76a9ba88acbbff", "OP_DUP OP_HASH160 OP_CHECKSIGADD OP_EQUALVERIFY OP_CHECKSIG OP_UNKNOWN OP_INVALIDOPCODE"),
        ("5003aabb", "OP_RESERVED [error]"),
        ("b1b2b0b3b975", "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP1 OP_NOP4 OP_NOP10 OP_DROP"),
    ] {
        assert_eq!(asm(script, true), text, "{script}");
    }
}

#[test]
fn a_transaction_with_what_it_spends() {
    let transaction = Transaction::decode(bytes(
        "02000000000101aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01000000025152fdffffff010010a5d4e800\
         0000015102000301020304000000",
    ))
    .unwrap();
    let coin = cairn_chain::coins::Coin {
        amount: bitcoin::Amount::from_sat(1_000_000_001_234),
        script_pubkey: (&[0x51_u8][..]).into(),
        height: 7,
        is_coinbase: true,
    };
    let spent = [coin];
    let whole = TransactionView::new(transaction.as_ref(), AddressFormat::REGTEST);
    let text = |view: &TransactionView<'_>| to_result(view).unwrap().get().to_owned();
    let output = "{\"asm\":\"1\",\"desc\":\"raw(51)#8lvh9jxk\",\"hex\":\"51\",\"type\":\"nonstandard\"}";
    let fields = |prevout: &str, rest: &str| {
        format!(
            "{{\"txid\":\"{}\",\"hash\":\"{}\",\"version\":2,\"size\":71,\"vsize\":65,\"weight\":260,\"locktime\":4,\"vin\":\
             [{{\"txid\":\"{}\",\"vout\":1,\"scriptSig\":{{\"asm\":\"1 2\",\"hex\":\"5152\"}},\"txinwitness\":[\"\",\
             \"010203\"],{prevout}\"sequence\":4294967293}}],\"vout\":[{{\"value\":10000.00000000,\"n\":0,\"scriptPubKey\":\
             {output}}}]{rest}}}",
            transaction.as_ref().txid(),
            transaction.as_ref().wtxid(),
            "aa".repeat(32),
        )
    };
    assert_eq!(text(&whole.clone().without_hex()), fields("", ""));
    let with_fee = whole.clone().without_hex().with_spent(&spent, false);
    assert_eq!(text(&with_fee), fields("", ",\"fee\":0.00001234"));
    let prevout =
        format!("\"prevout\":{{\"generated\":true,\"height\":7,\"value\":10000.00001234,\"scriptPubKey\":{output}}},");
    let with_prevout = whole.clone().without_hex().with_spent(&spent, true);
    assert_eq!(text(&with_prevout), fields(&prevout, ",\"fee\":0.00001234"));
    let hash = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    let hex = crate::rpc::Hex(transaction.as_ref().bytes());
    let expected = format!(",\"blockhash\":\"{hash}\",\"hex\":{}", to_result(&hex).unwrap().get());
    assert_eq!(text(&whole.with_block_hash(hash.parse().unwrap())), fields("", &expected));
}
