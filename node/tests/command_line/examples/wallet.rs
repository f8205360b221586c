//! Wallets.

use std::fs;

use serde_json::json;

use super::{Example, run};
use crate::harness::node_process::Datadir;
use crate::harness::test_node::TestNode;
use crate::stage::Stage;

/// Words of the vectors of BIP39.
const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about\n";
/// The transaction that the examples speed up.
const TXID: &str = "4a5e1e4b…fdeda33b";
/// Whom the examples pay.
const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

pub(super) const RESTORE: &[Example] = &[
    Example::Reads("cairn wallet restore alice", WORDS),
    Example::Ends("cairn wallet restore old --descriptor - < descriptor.txt"),
];

pub(super) const RESTORE_LATE: &[Example] =
    &[Example::Ends("cairn wallet restore alice --birthday 120000 --gap-limit 100 < words.txt")];

pub(super) const CREATE: &[Example] = &[Example::Ends("cairn wallet create alice")];

pub(super) const LOOK: &[Example] = &[
    Example::Ends("cairn wallet list"),
    Example::Ends("cairn wallet list --json"),
    Example::Ends("cairn wallet receive"),
    Example::Ends("cairn wallet receive --label rent"),
    Example::Ends("cairn wallet receive --amount 0.5btc --label 'rent of May'"),
    Example::Ends("cairn wallet balance"),
    Example::Ends("cairn wallet balance --wallet alice --json"),
    Example::Ends("cairn wallet history"),
    Example::Ends("cairn wallet history --json"),
    Example::Ends("cairn wallet history --limit 10 --json"),
    Example::Ends("cairn wallet utxos"),
    Example::Ends("cairn wallet utxos --json"),
    Example::Ends("cairn wallet export"),
    Example::Ends("cairn wallet export --core"),
    Example::Ends("cairn wallet export --key m/48h/1h/0h/2h"),
    Example::Ends("cairn wallet rescan"),
    Example::Ends("cairn wallet rescan --from 0"),
    Example::Ends("cairn wallet backup alice-2026-11.wallet"),
];

pub(super) const SEND: &[Example] = &[
    Example::Ends("cairn wallet send bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 max --dry-run"),
    Example::Asks("cairn wallet send bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc"),
];

pub(super) const BUMP: &[Example] = &[Example::Asks("cairn wallet bump 4a5e1e4b…fdeda33b --fee-rate 12")];

pub(super) const CHILD: &[Example] = &[
    Example::Asks("cairn wallet bump 4a5e1e4b…fdeda33b --cpfp --fee-rate 24"),
    Example::Asks("cairn wallet send 'bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080?amount=0.25' --fee-rate 2"),
];

pub(super) const PSBT: &[Example] = &[
    Example::Ends("cairn wallet psbt create bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc -o payment.psbt"),
    Example::Ends("cairn wallet psbt inspect payment.psbt"),
    Example::Ends("cairn wallet psbt inspect --json < payment.psbt"),
    Example::Asks("cairn wallet psbt sign payment.psbt -o signed.psbt"),
    Example::Ends("cairn wallet psbt sign -y < payment.psbt > signed.psbt"),
    Example::Ends("cairn wallet psbt combine alice.psbt bob.psbt -o both.psbt"),
    Example::Ends("cairn wallet psbt finalize both.psbt -o final.psbt"),
    Example::Asks("cairn wallet psbt broadcast final.psbt"),
];

pub(super) const SIGN: &[Example] = &[
    Example::Ends("cairn wallet sign-message bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 'I was here'"),
    Example::Ends("cairn wallet verify-message bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 AkcwRAIg… 'I was here'"),
];

pub(super) const MORE: &[Example] = &[
    Example::Ends("cairn wallet create savings --type tr --words 24"),
    Example::Ends("cairn wallet create ours --keys-of alice --descriptor 'wsh(sortedmulti(2,…/<0;1>/*,…/<0;1>/*))'"),
];

/// What a command that the scene itself needs prints.
fn say(stage: &Stage, line: &str) -> String {
    stage.run(line, "").trim_end().to_owned()
}

/// The transaction that waits alone.
fn pooled(node: &TestNode) -> String {
    let pool = node.call("getrawmempool", json!([]));
    assert_eq!(pool.as_array().map(Vec::len), Some(1), "{pool}");
    pool[0].as_str().unwrap().to_owned()
}

#[test]
fn restored_wallets() {
    let node = TestNode::start(Datadir::new(), &[]);
    let mut stage = Stage::beside(&node);
    say(&stage, "cairn wallet create watched");
    stage.write("descriptor.txt", say(&stage, "cairn wallet export"));
    run(&stage, RESTORE);

    fs::remove_dir_all(node.folder().join("wallets")).unwrap();
    node.mine(10);
    stage.write("words.txt", WORDS);
    stage.let_mean("120000", "5");
    run(&stage, RESTORE_LATE);
}

#[test]
fn wallets() {
    let node = TestNode::start(Datadir::new(), &[]);
    let mut stage = Stage::beside(&node);
    run(&stage, CREATE);
    let address = say(&stage, "cairn wallet receive");
    node.call("generatetoaddress", json!([5, address]));
    node.mine(100);
    run(&stage, LOOK);

    run(&stage, SEND);
    stage.let_mean(TXID, &pooled(&node));
    run(&stage, BUMP);
    stage.let_mean(TXID, &pooled(&node));
    run(&stage, CHILD);
    node.mine(1);

    // One who signed alone stands for two.
    run(&stage, &PSBT[..5]);
    let signed = fs::read(stage.home().join("signed.psbt")).unwrap();
    for name in ["alice.psbt", "bob.psbt"] {
        stage.write(name, &signed);
    }
    run(&stage, &PSBT[5..]);
    assert_eq!(pooled(&node).len(), 64);

    stage.let_mean(ADDRESS, &address);
    let signature = say(&stage, &format!("cairn wallet sign-message {address} 'I was here'"));
    stage.let_mean("AkcwRAIg…", &signature);
    run(&stage, SIGN);

    // Within the shell's quotes, hardened steps cannot be marked by quotes.
    let key = |path: &str| say(&stage, &format!("cairn wallet export --key {path}")).replace('\'', "h");
    let (ours, theirs) = (key("m/48h/1h/0h/2h"), key("m/48h/1h/1h/2h"));
    stage.let_mean("…/<0;1>/*,…/<0;1>/*", &format!("{ours}/<0;1>/*,{theirs}/<0;1>/*"));
    run(&stage, MORE);
}
