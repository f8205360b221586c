//! A node that keeps an index of transactions.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::node_process::{Datadir, HEIGHT, wait_for};

const ADDRESS: &str = "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv";

fn rpc(datadir: &Datadir, args: &[&str]) -> Output {
    datadir.run(&[&["rpc", "--network", "regtest"], args].concat())
}

/// What a call that succeeds is answered; text stands without quotes.
fn answer(datadir: &Datadir, args: &[&str]) -> Value {
    let output = rpc(datadir, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.trim_end()))
}

fn wait_for_index(datadir: &Datadir, height: u32) {
    let expected = json!({ "txindex": { "synced": true, "best_block_height": height } });
    wait_for("the index", || (answer(datadir, &["getindexinfo"]) == expected).then_some(()));
}

/// Hash of the block at a height, and the ids of its transactions.
fn block(datadir: &Datadir, height: u32) -> (String, Vec<String>) {
    let hash = answer(datadir, &["getblockhash", &height.to_string()]).as_str().unwrap().to_owned();
    let block = answer(datadir, &["getblock", &hash]);
    let txids = block["tx"].as_array().unwrap().iter().map(|txid| txid.as_str().unwrap().to_owned());
    (hash, txids.collect())
}

fn check_found(datadir: &Datadir, heights: impl Iterator<Item = u32>) {
    for height in heights {
        let (hash, txids) = block(datadir, height);
        for txid in txids {
            assert_eq!(answer(datadir, &["getrawtransaction", &txid, "1"])["blockhash"], hash);
            assert!(answer(datadir, &["gettxoutproof", &json!([txid]).to_string()]).is_string());
        }
    }
}

#[test]
fn an_index_outlives_its_node() {
    let datadir = Datadir::with_chain();
    let node = datadir.start("regtest", &["--txindex"]);
    wait_for_index(&datadir, HEIGHT);
    check_found(&datadir, [1, HEIGHT - 1, HEIGHT].into_iter());
    assert!(node.get("/metrics").contains(&format!("\ncairn_txindex_height {HEIGHT}\n")));
    assert!(node.stop().contains("the index of transactions has caught up with the chain"));

    // Without it nothing is found by its id alone, and what the chain becomes meanwhile is found later.
    let node = datadir.start("regtest", &[]);
    assert_eq!(answer(&datadir, &["getindexinfo"]), json!({}));
    let (_, txids) = block(&datadir, HEIGHT);
    let failure = String::from_utf8(rpc(&datadir, &["getrawtransaction", &txids[0]]).stderr).unwrap();
    assert!(failure.contains("No such mempool transaction. Use -txindex or provide a block hash"), "{failure}");
    answer(&datadir, &["generatetoaddress", "3", ADDRESS]);
    node.stop();

    let node = datadir.start("regtest", &["--tx-index"]);
    wait_for_index(&datadir, HEIGHT + 3);
    check_found(&datadir, [2, HEIGHT, HEIGHT + 1, HEIGHT + 3].into_iter());
    // Killed, it may lose what came last, and finds out.
    answer(&datadir, &["generatetoaddress", "2", ADDRESS]);
    wait_for_index(&datadir, HEIGHT + 5);
    node.signal("KILL");
    node.wait();
    let node = datadir.start("regtest", &["--tx-index=true"]);
    let height = answer(&datadir, &["getblockcount"]).as_u64().unwrap();
    wait_for_index(&datadir, u32::try_from(height).unwrap());
    check_found(&datadir, [3, HEIGHT + 3].into_iter());
    node.stop();
}

#[test]
fn what_cannot_be_is_said_before_the_node_runs() {
    let datadir = Datadir::new();
    let refused = |args: &[&str], code: i32| {
        let output = datadir.node_command("regtest", args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["--txindex", "--prune", "550"], 2);
    assert!(said.contains("Prune mode is incompatible with -txindex."), "{said}");
    let directory = datadir.path().join("regtest").join("indexes").join("txindex");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("manifest.toml"), "schema = 2").unwrap();
    let said = refused(&["--txindex"], 1);
    assert!(said.contains("manifest.toml has storage format 2, this version reads and writes 1; "), "{said}");
    assert!(said.contains(&format!("delete {} to build the index anew", directory.display())), "{said}");
    // It is left alone, and nobody else needs it.
    datadir.start("regtest", &[]).stop();
    fs::remove_dir_all(&directory).unwrap();
    datadir.start("regtest", &["--txindex"]).stop();
}
