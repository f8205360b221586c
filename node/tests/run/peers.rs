//! Two nodes that know each other.

use bitcoin::Block;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::{Value, json};

use crate::support::anyone::{ADDRESS, spend};
use crate::support::node_process::{Datadir, Node, wait_for};
use crate::support::rpc::Rpc;

/// A node, and where its data are.
struct Running {
    datadir: Datadir,
    node: Node,
    rpc: Rpc,
}

impl Running {
    fn start(datadir: Datadir, args: &[&str]) -> Self {
        let node = datadir.start("regtest", args);
        let rpc = Rpc::of(&datadir, "regtest", &node);
        Self { datadir, node, rpc }
    }

    fn call(&self, method: &str, params: Value) -> Value {
        self.rpc.call(method, &params)
    }

    fn address(&self) -> String {
        let file = self.datadir.path().join("regtest").join("endpoints.json");
        wait_for("an address for peers", || {
            let endpoints: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            endpoints["p2p"][0].as_str().map(ToOwned::to_owned)
        })
    }

    fn tip(&self) -> Value {
        self.call("getbestblockhash", json!([]))
    }

    fn wait_for_tip_of(&self, other: &Self) {
        let tip = other.tip();
        wait_for("the tip of the other", || (self.tip() == tip).then_some(()));
    }

    fn mine(&self, blocks: u32) {
        self.call("generatetoaddress", json!([blocks, ADDRESS]));
    }
}

#[test]
fn two_nodes_gossip_what_they_mine_and_are_sent() {
    // One has a chain, the other nothing but its address.
    let first = Running::start(Datadir::with_chain(), &[]);
    let second = Running::start(Datadir::new(), &["--peer", &first.address()]);
    second.wait_for_tip_of(&first);
    assert_eq!(first.call("getconnectioncount", json!([])), 1);
    assert_eq!(second.call("getpeerinfo", json!([]))[0]["inbound"], false);
    wait_for("the peer among the metrics", || {
        let is_told = |metrics: String| metrics.contains("cairn_peers{direction=\"inbound\",transport=\"tcp\"} 1\n");
        is_told(first.node.get("/metrics")).then_some(())
    });

    // A block that is mined on either reaches the other.
    first.mine(101);
    second.wait_for_tip_of(&first);
    second.mine(1);
    first.wait_for_tip_of(&second);

    // So does a transaction, which the other mines.
    let height = first.call("getblockcount", json!([])).as_u64().unwrap();
    let hash = first.call("getblockhash", json!([height - 100]));
    let block: Block = deserialize_hex(first.call("getblock", json!([hash, 0])).as_str().unwrap()).unwrap();
    let transaction = spend(&block, 1_000, 1);
    let txid = second.call("sendrawtransaction", json!([serialize_hex(&transaction)]));
    wait_for("the transaction", || {
        let pool = first.call("getrawmempool", json!([]));
        pool.as_array().unwrap().contains(&txid).then_some(())
    });
    first.mine(1);
    second.wait_for_tip_of(&first);
    assert_eq!(second.call("getrawmempool", json!([])), json!([]));
    assert_eq!(second.call("gettxout", json!([txid, 0]))["confirmations"], 1);

    // One that was away hears what happened meanwhile, though both mined.
    let address = first.address();
    let Running { datadir, node, .. } = second;
    node.stop();
    let second = Running::start(datadir, &["--listen", "/ip4/127.0.0.1/tcp/0"]);
    second.mine(1);
    first.mine(3);
    let Running { datadir, node, .. } = second;
    node.stop();
    let second = Running::start(datadir, &["--peer", &address]);
    second.wait_for_tip_of(&first);
    first.node.stop();
    second.node.stop();
}

#[test]
fn two_nodes_mine_one_chain() {
    let mine = ["--mine", ADDRESS, "--mine-throttle", "20"];
    let first = Running::start(Datadir::new(), &mine);
    let address = first.address();
    let second = Running::start(Datadir::new(), &[&mine[..], &["--peer", &address]].concat());
    wait_for("twenty blocks", || (first.call("getblockcount", json!([])).as_u64().unwrap() >= 20).then_some(()));
    let last = first.tip();
    let Running { datadir, node, .. } = first;
    node.stop();
    wait_for("the last block of the first", || second.rpc.reply("getblockheader", &json!([last])).result);
    let first = Running::start(datadir, &["--listen", "/ip4/127.0.0.1/tcp/0", "--peer", &second.address()]);
    wait_for("one tip", || {
        let tips = [first.tip(), second.tip()];
        (tips[0] == tips[1]).then_some(())
    });
    first.node.stop();
    second.node.stop();
}
