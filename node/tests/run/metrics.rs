//! Every metric is moved by what it counts or measures, and a real Prometheus reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Amount, Block, Target, Transaction};
use serde_json::{Value, json};

use crate::harness::anyone::{ADDRESS, spend};
use crate::harness::node_process::{Datadir, Node, wait_for};
use crate::harness::rpc::Rpc;

/// Samples of each family that is Cairn's own.
type Families = BTreeMap<String, BTreeMap<String, String>>;

fn families(node: &Node) -> Families {
    let answer = node.get("/metrics");
    let (_, text) = answer.split_once("\r\n\r\n").unwrap();
    let mut families = Families::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            family = kind.split(' ').next().unwrap().to_owned();
            families.insert(family.clone(), BTreeMap::new());
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            families.get_mut(&family).unwrap().insert(sample.to_owned(), value.to_owned());
        }
    }
    families.retain(|name, _| name.starts_with("cairn_"));
    families
}

/// The same, when what is asked for no more than once a second was asked for.
fn settled(rpc: &Rpc, node: &Node) -> Families {
    let height = rpc.text("getblockcount", &json!([]));
    let pooled = rpc.call("getmempoolinfo", &json!([]))["size"].to_string();
    wait_for("metrics of this moment", || {
        let now = families(node);
        let is_now = now["cairn_chain_height"]["cairn_chain_height{kind=\"blocks\"}"] == height
            && now["cairn_mempool_transactions"]["cairn_mempool_transactions"] == pooled;
        is_now.then_some(now)
    })
}

/// A block that takes a satoshi too much.
fn greedy(mut block: Block) -> Block {
    block.txdata[0].output[0].value += Amount::ONE_SAT;
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    let is_good = |header: &Header| Target::from_compact(header.bits).is_met_by(header.block_hash());
    while !is_good(&block.header) {
        block.header.nonce += 1;
    }
    block
}

#[test]
fn every_metric_is_moved() {
    let datadir = Datadir::new();
    // A node that mines, until it has coins to spend.
    let node = datadir.start("regtest", &["--mine", ADDRESS, "--mine-throttle", "20000"]);
    let first = families(&node);
    let mined = wait_for("coins that can be spent", || {
        let now = families(&node);
        let height: u32 = now["cairn_chain_height"]["cairn_chain_height{kind=\"blocks\"}"].parse().unwrap();
        (height > 200).then_some(now)
    });
    node.stop();

    let node = datadir.start("regtest", &["--max-mempool", "5", "--txindex"]);
    let rpc = Rpc::of(&datadir, "regtest", &node);
    let before = settled(&rpc, &node);
    let call = |method: &str, params: Value| rpc.call(method, &params);
    let block = |height: u32| -> Block {
        let hash = call("getblockhash", json!([height]));
        deserialize_hex(call("getblock", json!([hash, 0])).as_str().unwrap()).unwrap()
    };
    let send =
        |transaction: &Transaction| rpc.reply("sendrawtransaction", &json!([serialize_hex(transaction), 0])).error;
    assert_eq!(send(&spend(&block(1), 1_000, 1)), None);
    assert_eq!(send(&spend(&block(1), 5_000, 1)), None, "it replaces the one before");
    let too_cheap = send(&spend(&block(2), 1, 1)).unwrap();
    assert!(too_cheap.message.starts_with("min relay fee not met"), "{too_cheap:?}");
    // Until the pool is full, and some have to go.
    for height in 3..60 {
        let error = send(&spend(&block(height), 200_000 + 10_000 * u64::from(height), 2_200));
        assert!(error.as_ref().is_none_or(|error| error.code == -26), "{error:?}");
    }
    let full = settled(&rpc, &node);
    let tip = call("getbestblockhash", json!([]));
    call("invalidateblock", json!([tip]));
    call("generatetoaddress", json!([2, ADDRESS]));
    let made = call("generateblock", json!([ADDRESS, [], false]));
    let wrong = greedy(deserialize_hex(made["hex"].as_str().unwrap()).unwrap());
    assert_eq!(call("submitblock", json!([serialize_hex(&wrong)])), "bad-cb-amount");
    // Writes everything.
    call("gettxoutsetinfo", json!(["none"]));
    let waiting = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| call("waitfornewblock", json!([20_000])));
        let waiting = wait_for("a call that waits", || {
            let now = families(&node);
            (now["cairn_rpc_active_requests"]["cairn_rpc_active_requests"] == "1").then_some(now)
        });
        call("generatetoaddress", json!([1, ADDRESS]));
        waiter.join().unwrap();
        waiting
    });
    let last = settled(&rpc, &node);
    node.stop();

    let stages = |families: &Families| -> BTreeSet<String> {
        let samples = &families["cairn_block_process_duration_seconds"];
        let label = |sample: &String| Some(sample.split_once("_count{stage=\"")?.1.strip_suffix("\"}")?.to_owned());
        samples.keys().filter_map(label).collect()
    };
    let all: BTreeSet<_> = ["accept", "check", "flush", "inputs", "scripts"].map(ToOwned::to_owned).into();
    assert_eq!(stages(&last), all);
    let pairs = [(&first, &mined), (&before, &full), (&full, &waiting), (&full, &last)];
    let moved = |name: &str| pairs.iter().any(|(before, after)| before.get(name) != after.get(name));
    let still: Vec<_> = last.keys().map(String::as_str).filter(|name| !moved(name)).collect();
    // What the program and the disk are is constant, missed events count faults of ours, and regtest is never loading: see
    // `a_chain_that_is_being_loaded_is_told`. Nobody is connected here: see the tests of peers.
    let constant = [
        "cairn_block_header_to_body_seconds",
        "cairn_build_info",
        "cairn_chain_events_missed_total",
        "cairn_disk_size_bytes",
        "cairn_gossip_messages_total",
        "cairn_initial_block_download",
        "cairn_peer_addresses",
        "cairn_peer_bytes_total",
        "cairn_peer_connections_failed_total",
        "cairn_peer_requests_total",
        "cairn_peers",
        "cairn_sync_stalls_total",
    ];
    assert_eq!(still, constant);
    for (sample, expected) in [
        ("cairn_mempool_replaced_total", "1"),
        ("cairn_mempool_rejected_total{reason=\"min relay fee not met\"}", "1"),
        ("cairn_reorgs_total", "1"),
        ("cairn_reorg_depth_blocks_sum", "1"),
        ("cairn_blocks_disconnected_total", "1"),
        ("cairn_blocks_connected_total", "3"),
        ("cairn_blocks_invalid_total{reason=\"bad-cb-amount\"}", "1"),
    ] {
        let value = last.values().find_map(|samples| samples.get(sample)).map(String::as_str);
        assert_eq!(value, Some(expected), "{sample}");
    }
}

#[test]
fn a_chain_that_is_being_loaded_is_told() {
    let datadir = Datadir::new();
    for (network, told) in [("main", "1"), ("regtest", "0")] {
        let node = datadir.start(network, &[]);
        assert_eq!(families(&node)["cairn_initial_block_download"]["cairn_initial_block_download"], told, "{network}");
        node.stop();
    }
}

/// A Prometheus that is killed when the test forgets it.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What Prometheus' own HTTP interface answers.
fn ask(address: &str, path: &str) -> Option<Value> {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

fn promtool(args: &[&str], input: Option<&str>) -> String {
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {args:?}: {said}");
    said
}

/// Gives the files for Prometheus the addresses of this test.
fn write_configuration(datadir: &Datadir, folder: &Path, target: &str) {
    let output = datadir.run(&["metrics", "export", "--dir", folder.to_str().unwrap(), "--target", target]);
    assert!(output.status.success(), "{output:?}");
    let file = folder.join("prometheus.yml");
    let mut text = fs::read_to_string(&file).unwrap();
    // Fifteen seconds are right for an operator, and long for a test.
    assert!(text.contains("scrape_interval: 15s"), "{text}");
    text = text.replace("scrape_interval: 15s", "scrape_interval: 1s");
    fs::write(file, text).unwrap();
}

#[test]
#[ignore = "needs the programs prometheus and promtool"]
fn prometheus_scrapes_a_node() {
    let datadir = Datadir::with_chain();
    let node = datadir.start("regtest", &[]);
    let rpc = Rpc::of(&datadir, "regtest", &node);
    let target = node.endpoints["metrics"][0].as_str().unwrap();
    let folder = datadir.path().join("monitoring");
    write_configuration(&datadir, &folder, target);
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    promtool(&["check", "config", &file("prometheus.yml")], None);
    promtool(&["check", "rules", &file("cairn-alerts.yml")], None);
    let answer = node.get("/metrics");
    let said = promtool(&["check", "metrics"], Some(answer.split_once("\r\n\r\n").unwrap().1));
    assert_eq!(said, "", "promtool finds fault");

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = port.to_string();
    let prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", file("prometheus.yml")))
        .arg(format!("--storage.tsdb.path={}", file("data")))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _prometheus = Prometheus(prometheus);
    wait_for("a target that is up", || {
        let targets = ask(&address, "/api/v1/targets")?;
        let target = &targets["data"]["activeTargets"][0];
        (target["health"] == "up" && target["lastError"] == "").then_some(())
    });
    // What it stored follows the node.
    for _ in 0..2 {
        rpc.call("generatetoaddress", &json!([3, ADDRESS]));
        let height = rpc.text("getblockcount", &json!([]));
        wait_for("the height of the node", || {
            let query = "/api/v1/query?query=cairn_chain_height%7Bkind%3D%22blocks%22%7D";
            let found = ask(&address, query)?;
            let value = found["data"]["result"][0]["value"][1].as_str()?.to_owned();
            (value == height).then_some(())
        });
    }
    let rules = ask(&address, "/api/v1/rules").unwrap();
    assert!(!rules["data"]["groups"].as_array().unwrap().is_empty(), "{rules}");
    node.stop();
}
