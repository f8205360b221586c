//! That nothing which a client reads is missing from the table: what it parsed is written again, and each of its fields that
//! the node sent has to be promised.

use std::collections::BTreeSet;

use bitcoincore_rpc::json::{GetBlockTemplateModes, GetBlockTemplateRules, ScanTxOutRequest};
use bitcoincore_rpc::{Auth, RpcApi};
use corepc_client::client_sync::v31::{self, TemplateRequest, TemplateRules};
use serde::Serialize;
use serde_json::{Value, json};

use super::table::{Kind, promises};
use crate::scene::{FUND, Scene};

/// What a client made of an answer.
struct Reading {
    client: &'static str,
    method: &'static str,
    params: Value,
    parsed: Value,
}

fn reading(client: &'static str, method: &'static str, params: Value, parsed: impl Serialize) -> Reading {
    Reading { client, method, params, parsed: serde_json::to_value(parsed).unwrap() }
}

/// The paths of all values that are neither objects nor lists, with `[]` for an element of a list.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, &format!("{path}[]"), found)),
        _ => _ = found.insert(path.to_owned()),
    }
}

/// Whether a promise of the method is about a path.
fn is_promised(method: &str, path: &str) -> bool {
    let mut promised = promises().filter(|promise| promise.method == method).flat_map(|promise| promise.fields);
    promised.any(|(field, kind)| *kind != Kind::Absent && is_about(field, *kind, path))
}

fn is_about(field: &str, kind: Kind, path: &str) -> bool {
    let split = |path: &str| -> Vec<String> {
        let steps = path.replace('[', ".[").replace('{', ".{");
        steps.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect()
    };
    let (field, path) = (split(field), split(path));
    let is_whole = matches!(kind, Kind::List | Kind::Map | Kind::Is(_));
    (field.len() == path.len() || (is_whole && field.len() <= path.len()))
        && field
            .iter()
            .zip(&path)
            .all(|(field, step)| field == step || field == "{}" || (step == "[]" && field.starts_with('[')))
}

#[test]
fn every_field_that_a_client_parses_is_promised() {
    let scene = Scene::new();
    let mut missing = Vec::new();
    let readings = by_bitcoincore_rpc(&scene).into_iter().chain(by_corepc(&scene)).chain(of_transactions(&scene));
    for Reading { client, method, params, parsed } in readings {
        let (mut sent, mut read) = (BTreeSet::new(), BTreeSet::new());
        leaves(&scene.rpc.call(method, &params), "", &mut sent);
        leaves(&parsed, "", &mut read);
        assert!(read.intersection(&sent).next().is_some(), "{client} reads nothing of {method}");
        let unpromised = read.intersection(&sent).filter(|path| !is_promised(method, path));
        missing.extend(unpromised.map(|path| format!("{client}: {method}: {path}")));
    }
    assert!(missing.is_empty(), "not in the table:\n{}", missing.join("\n"));
}

/// Strict tools refuse a field that they do not know.
#[test]
fn nothing_is_sent_that_core_does_not_send() {
    let scene = Scene::new();
    let mut unknown = Vec::new();
    for Reading { method, params, parsed, .. } in by_corepc(&scene).into_iter().chain(of_transactions(&scene)) {
        let (mut sent, mut read) = (BTreeSet::new(), BTreeSet::new());
        leaves(&scene.rpc.call(method, &params), "", &mut sent);
        leaves(&parsed, "", &mut read);
        unknown.extend(sent.difference(&read).map(|path| format!("{method}: {path}")));
    }
    assert!(unknown.is_empty(), "unknown to a client of Core 31:\n{}", unknown.join("\n"));
}

#[test]
fn what_a_promise_is_about() {
    assert!(
        is_about("a.b", Kind::Bool, "a.b") && !is_about("a.b", Kind::Bool, "a.c") && !is_about("a", Kind::Bool, "a.b")
    );
    assert!(is_about("[].a", Kind::Bool, "[].a") && is_about("{}.a", Kind::Bool, "any.a"));
    assert!(is_about("a[1].b", Kind::Bool, "a[].b") && !is_about("a[1].b", Kind::Bool, "a[].c"));
    assert!(
        is_about("a", Kind::Map, "a.b.c") && is_about("a", Kind::List, "a[].c") && !is_about("a.b", Kind::Map, "a")
    );
    let mut found = BTreeSet::new();
    leaves(&json!({ "a": [{ "b": 1 }, { "c": null }], "d": {} }), "", &mut found);
    assert_eq!(found, ["a[].b".to_owned(), "a[].c".to_owned()].into());
}

fn by_bitcoincore_rpc(scene: &Scene) -> Vec<Reading> {
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    let client = bitcoincore_rpc::Client::new(&scene.rpc.url(), Auth::CookieFile(cookie)).unwrap();
    let read = |method, params, parsed: Value| reading("bitcoincore-rpc", method, params, parsed);
    let (hash, child) = (scene.hash(FUND), scene.child.compute_txid());
    let fund = scene.fund.compute_txid();
    let coin = scene.coinbase(2).outpoint.txid;
    let search = format!("addr({})", scene.purse.address());
    let template =
        client.get_block_template(GetBlockTemplateModes::Template, &[GetBlockTemplateRules::SegWit], &[]).unwrap();
    vec![
        read("getnetworkinfo", json!([]), json!(client.get_network_info().unwrap())),
        read("getblockchaininfo", json!([]), json!(client.get_blockchain_info().unwrap())),
        read("getblock", json!([hash, 1]), json!(client.get_block_info(&hash).unwrap())),
        read("getblockheader", json!([hash]), json!(client.get_block_header_info(&hash).unwrap())),
        read("getmininginfo", json!([]), json!(client.get_mining_info().unwrap())),
        read("getblocktemplate", json!([{ "rules": ["segwit"] }]), json!(template)),
        read("getblockstats", json!([FUND]), json!(client.get_block_stats(FUND as u64).unwrap())),
        read("getrawtransaction", json!([child, true]), json!(client.get_raw_transaction_info(&child, None).unwrap())),
        read(
            "getrawtransaction",
            json!([fund, true, hash]),
            json!(client.get_raw_transaction_info(&fund, Some(&hash)).unwrap()),
        ),
        read("gettxout", json!([coin, 0]), json!(client.get_tx_out(&coin, 0, None).unwrap().unwrap())),
        read("getmempoolinfo", json!([]), json!(client.get_mempool_info().unwrap())),
        read("getrawmempool", json!([true]), json!(client.get_raw_mempool_verbose().unwrap())),
        read("getmempoolentry", json!([child]), json!(client.get_mempool_entry(&child).unwrap())),
        read("getchaintips", json!([]), json!(client.get_chain_tips().unwrap())),
        read("getnettotals", json!([]), json!(client.get_net_totals().unwrap())),
        read("estimatesmartfee", json!([6]), json!(client.estimate_smart_fee(6, None).unwrap())),
        read("waitfornewblock", json!([1]), json!(client.wait_for_new_block(1).unwrap())),
        read("gettxoutsetinfo", json!([]), json!(client.get_tx_out_set_info(None, None, None).unwrap())),
        read(
            "scantxoutset",
            json!(["start", [search]]),
            json!(client.scan_tx_out_set_blocking(&[ScanTxOutRequest::Single(search)]).unwrap()),
        ),
    ]
}

fn corepc_client(scene: &Scene) -> v31::Client {
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    v31::Client::new_with_auth(&scene.rpc.url(), corepc_client::client_sync::Auth::CookieFile(cookie)).unwrap()
}

fn by_corepc(scene: &Scene) -> Vec<Reading> {
    let client = corepc_client(scene);
    let read = |method, params, parsed: Value| reading("corepc-client", method, params, parsed);
    let hash = scene.hash(FUND);
    let search = format!("addr({})", scene.purse.address());
    let coin = scene.coinbase(2).outpoint.txid;
    let request = TemplateRequest { rules: vec![TemplateRules::Segwit], ..TemplateRequest::default() };
    vec![
        read("getnetworkinfo", json!([]), json!(client.get_network_info().unwrap())),
        read("getblockchaininfo", json!([]), json!(client.get_blockchain_info().unwrap())),
        read("getblock", json!([hash, 1]), json!(client.get_block_verbose_one(hash).unwrap())),
        read("getblock", json!([hash, 2]), json!(client.get_block_verbose_two(hash).unwrap())),
        read("getblock", json!([hash, 3]), json!(client.get_block_verbose_three(hash).unwrap())),
        read("getblockheader", json!([hash]), json!(client.get_block_header_verbose(&hash).unwrap())),
        read("getblockstats", json!([hash]), json!(client.get_block_stats_by_block_hash(&hash, None).unwrap())),
        read("getchainstates", json!([]), json!(client.get_chain_states().unwrap())),
        read("getchaintips", json!([]), json!(client.get_chain_tips().unwrap())),
        read("getchaintxstats", json!([]), json!(client.get_chain_tx_stats().unwrap())),
        read("getdeploymentinfo", json!([]), json!(client.get_deployment_info_tip().unwrap())),
        read("gettxout", json!([coin, 0]), json!(client.get_tx_out(coin, 0).unwrap())),
        read("gettxoutsetinfo", json!([]), json!(client.get_tx_out_set_info().unwrap())),
        read("scantxoutset", json!(["start", [search]]), json!(client.scan_tx_out_set_start(&[&search]).unwrap())),
        read("getmininginfo", json!([]), json!(client.get_mining_info().unwrap())),
        read("getblocktemplate", json!([{ "rules": ["segwit"] }]), json!(client.get_block_template(&request).unwrap())),
        read("getnettotals", json!([]), json!(client.get_net_totals().unwrap())),
        read("estimatesmartfee", json!([6]), json!(client.estimate_smart_fee(6).unwrap())),
        read("estimaterawfee", json!([6]), json!(client.estimate_raw_fee(6).unwrap())),
        read("getmemoryinfo", json!([]), json!(client.get_memory_info().unwrap())),
        read("getrpcinfo", json!([]), json!(client.get_rpc_info().unwrap())),
        read("savemempool", json!([]), json!(client.save_mempool().unwrap())),
        read("getdifficulty", json!([]), json!(client.get_difficulty().unwrap())),
    ]
}

fn of_transactions(scene: &Scene) -> Vec<Reading> {
    let client = corepc_client(scene);
    let read = |method, params, parsed: Value| reading("corepc-client", method, params, parsed);
    let (parent, child) = (scene.parent.compute_txid(), scene.child.compute_txid());
    let spent = scene.parent.input[0].previous_output;
    let coin = scene.coinbase(4);
    let value = coin.output.value - bitcoin::Amount::from_sat(1_000);
    let payment = scene.purse.spend(&[&coin], vec![bitcoin::TxOut { value, ..coin.output.clone() }]);
    let hex = bitcoin::consensus::encode::serialize_hex;
    let script = scene.fund.output[2].script_pubkey.to_hex_string();
    let (address, key) = (scene.purse.address(), scene.purse.public_key());
    let descriptor = format!("wpkh({key})");
    let package = [scene.parent.clone(), scene.child.clone()];
    vec![
        read("getmempoolinfo", json!([]), json!(client.get_mempool_info().unwrap())),
        read("getmempoolentry", json!([child]), json!(client.get_mempool_entry(child).unwrap())),
        read("getrawmempool", json!([true]), json!(client.get_raw_mempool_verbose().unwrap())),
        read("getrawmempool", json!([false, true]), json!(client.get_raw_mempool_sequence().unwrap())),
        read("getmempoolcluster", json!([child]), json!(client.get_mempool_cluster(child).unwrap())),
        read("getmempoolfeeratediagram", json!([]), json!(client.get_mempool_feerate_diagram().unwrap())),
        read(
            "gettxspendingprevout",
            json!([[{ "txid": spent.txid, "vout": spent.vout }]]),
            json!(client.get_tx_spending_prevout(&[spent]).unwrap()),
        ),
        read("getrawtransaction", json!([parent, true]), json!(client.get_raw_transaction_verbose(parent).unwrap())),
        read("decoderawtransaction", json!([hex(&payment)]), json!(client.decode_raw_transaction(&payment).unwrap())),
        read("decodescript", json!([script]), json!(client.decode_script(&script).unwrap())),
        read(
            "testmempoolaccept",
            json!([[hex(&payment)]]),
            json!(client.test_mempool_accept(std::slice::from_ref(&payment)).unwrap()),
        ),
        read(
            "submitpackage",
            json!([[hex(&scene.parent), hex(&scene.child)]]),
            json!(client.submit_package(&package, None, None).unwrap()),
        ),
        read(
            "signrawtransactionwithkey",
            json!([hex(&payment), []]),
            json!(client.sign_raw_transaction_with_key(&payment, &[]).unwrap()),
        ),
        read("validateaddress", json!([address.to_string()]), json!(client.validate_address(&address).unwrap())),
        read("createmultisig", json!([1, [key]]), json!(client.create_multisig(1, vec![key]).unwrap())),
        read("getdescriptorinfo", json!([descriptor]), json!(client.get_descriptor_info(&descriptor).unwrap())),
    ]
}
