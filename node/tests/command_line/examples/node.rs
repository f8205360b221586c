//! Nodes that run, and calls.

use bitcoin::consensus::encode::serialize_hex;

use super::{Example, run};
use crate::harness::anyone::spend;
use crate::harness::node_process::Datadir;
use crate::harness::test_node::TestNode;
use crate::stage::Stage;

pub(super) const PROCESSES: &[Example] = &[
    Example::Stays("cairn run"),
    Example::Stays("cairn run --network regtest"),
    Example::Stays("cairn run --network regtest --datadir /tmp/try"),
    Example::Stays("cairn run --network devnet --mine bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"),
    Example::Stays("cairn run --network main --prune 10000 --cache 2000"),
    Example::Stays("cairn run --config /etc/cairn.toml --log-format json"),
    Example::Stays("cairn bootnode --listen /ip4/0.0.0.0/tcp/8534"),
    Example::Stays("cairn bootnode --network devnet --rendezvous-server"),
];

/// Nodes in the home, on the loopback interface.
#[test]
fn processes() {
    let mut stage = Stage::new();
    for (written, meant) in [
        ("/tmp/try", "try"),
        ("/etc/cairn.toml", "etc/cairn.toml"),
        ("/ip4/0.0.0.0/tcp/8534", "/ip4/127.0.0.1/tcp/0"),
        ("--cache 2000", "--cache 8"),
    ] {
        stage.let_mean(written, meant);
    }
    stage.run("cairn config init --config etc/cairn.toml", "");
    run(&stage, PROCESSES);
}

pub(super) const BOOTSTRAP: &[Example] =
    &[Example::Stays("cairn run --network devnet --bootstrap /ip4/127.0.0.1/tcp/8534/p2p/12D3KooW…")];

#[test]
fn bootstrap() {
    let (well_known, mut stage) = (Stage::new(), Stage::new());
    let bootnode = well_known.start("cairn bootnode --network devnet");
    stage.let_mean("/ip4/127.0.0.1/tcp/8534/p2p/12D3KooW…", bootnode.says().lines().next().unwrap());
    run(&stage, BOOTSTRAP);
    bootnode.stop();
}

pub(super) const CALLS: &[Example] = &[
    Example::Ends("cairn rpc getblockcount"),
    Example::Ends("cairn rpc --network regtest getblockhash 0"),
    Example::Ends("cairn rpc --network regtest getblockchaininfo"),
    Example::Ends("cairn rpc getblockheader blockhash=$(cairn rpc getbestblockhash) verbose=false"),
    Example::Ends("cairn rpc --stdin sendrawtransaction < tx.hex"),
    Example::Ends("cairn rpc help getblock"),
    Example::Ends("cairn health"),
    Example::Ends("cairn health --network main --ready"),
    Example::Ends("HEALTHCHECK CMD cairn health          (in a Dockerfile)"),
];

#[test]
fn calls() {
    let node = TestNode::start(Datadir::new(), &[]);
    let mut stage = Stage::beside(&node);
    stage.let_mean("--network main", "--network regtest");
    stage.let_mean("HEALTHCHECK CMD cairn health          (in a Dockerfile)", "cairn health");
    node.mine(101);
    stage.write("tx.hex", serialize_hex(&spend(&node.block(1), 1_000, 1)));
    run(&stage, CALLS);
}
