//! Nodes that run, and what tests ask of them.

use std::path::PathBuf;

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, BlockHash};
use serde_json::{Value, json};

use super::anyone::{ADDRESS, spend};
use super::node_process::{Datadir, Node, wait_for};
use super::rpc::Rpc;

/// A node, and where its data are.
#[derive(Debug)]
pub(crate) struct TestNode {
    pub(crate) datadir: Datadir,
    pub(crate) node: Node,
    pub(crate) rpc: Rpc,
}

impl TestNode {
    pub(crate) fn start(datadir: Datadir, args: &[&str]) -> Self {
        let node = datadir.start("regtest", args);
        let rpc = Rpc::of(&datadir, "regtest", &node);
        Self { datadir, node, rpc }
    }

    pub(crate) fn call(&self, method: &str, params: Value) -> Value {
        self.rpc.call(method, &params)
    }

    /// Where peers find it, with its peer id.
    pub(crate) fn address(&self) -> String {
        self.node.endpoints["p2p"][0].as_str().map_or_else(|| self.late_address(), ToOwned::to_owned)
    }

    /// The key that it is known by.
    pub(crate) fn peer_id(&self) -> String {
        self.address().rsplit_once('/').unwrap().1.to_owned()
    }

    fn late_address(&self) -> String {
        let file = self.folder().join("endpoints.json");
        wait_for("an address for peers", || {
            let endpoints: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            endpoints["p2p"][0].as_str().map(ToOwned::to_owned)
        })
    }

    /// The folder of the network's data.
    pub(crate) fn folder(&self) -> PathBuf {
        self.datadir.path().join("regtest")
    }

    pub(crate) fn tip(&self) -> Value {
        self.call("getbestblockhash", json!([]))
    }

    pub(crate) fn height(&self) -> u64 {
        self.call("getblockcount", json!([])).as_u64().unwrap()
    }

    pub(crate) fn peers(&self) -> u64 {
        self.call("getconnectioncount", json!([])).as_u64().unwrap()
    }

    pub(crate) fn wait_for_tip_of(&self, other: &Self) {
        let tip = other.tip();
        wait_for("the tip of the other", || (self.tip() == tip).then_some(()));
    }

    pub(crate) fn wait_for_peers(&self, count: u64) {
        wait_for(&format!("{count} peers"), || (self.peers() == count).then_some(()));
    }

    /// Its only peer.
    pub(crate) fn peer(&self) -> Value {
        wait_for("a peer", || self.call("getpeerinfo", json!([])).as_array().unwrap().first().cloned())
    }

    /// The number and the words of an error.
    pub(crate) fn failure(&self, method: &str, params: Value) -> (i64, String) {
        let failure = self.rpc.failure(method, &params);
        (failure.code, failure.message)
    }

    /// What a command says that asks this node.
    pub(crate) fn cairn(&self, args: &[&str]) -> String {
        let port = self.node.endpoints["rpc"][0].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        let output = self.datadir.run(&[args, &["--network", "regtest", "--rpc-port", &port]].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn mine(&self, blocks: u32) {
        self.call("generatetoaddress", json!([blocks, ADDRESS]));
    }

    /// A block of the active chain.
    pub(crate) fn block(&self, height: u64) -> Block {
        let hash = self.call("getblockhash", json!([height]));
        deserialize_hex(self.call("getblock", json!([hash, 0])).as_str().unwrap()).unwrap()
    }

    /// Spends the coinbase of a block, which must be mature; the transaction's id.
    pub(crate) fn spend_coinbase(&self, height: u64) -> Value {
        let transaction = spend(&self.block(height), 1_000, 1);
        self.call("sendrawtransaction", json!([serialize_hex(&transaction)]))
    }

    pub(crate) fn has_pooled(&self, txid: &Value) -> bool {
        self.call("getrawmempool", json!([])).as_array().unwrap().contains(txid)
    }

    pub(crate) fn wait_for_transaction(&self, txid: &Value) {
        wait_for("the transaction", || self.has_pooled(txid).then_some(()));
    }

    /// The hash of the whole set of coins.
    pub(crate) fn coins_hash(&self) -> Value {
        self.call("gettxoutsetinfo", json!(["hash_serialized_3"]))["hash_serialized_3"].clone()
    }

    pub(crate) fn is_at(&self, tip: BlockHash) -> bool {
        self.tip() == tip.to_string()
    }
}
