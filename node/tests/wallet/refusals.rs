//! What is wrong, and the exit code it ends with. Nothing is lost by any of it.

use std::fs;

use serde_json::json;

use crate::harness::node_process::Datadir;
use crate::scene::{ABANDON, Scene, Wallets};

const BOB: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// A wallet with one coin of 50 BTC.
fn scene() -> Scene {
    let scene = Scene::open();
    scene.wallets().restore("alice", ABANDON, &[]).success();
    scene.fund("alice", 1);
    scene
}

#[test]
fn payments_that_are_refused() {
    let scene = scene();
    let wallets = scene.wallets();
    let main = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let testnet = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
    let misspelt = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081";
    for (args, code, saying) in [
        (&[main, "1btc"][..], 2, "is an address of main, and this wallet is of regtest"),
        (&[testnet, "1btc"], 2, "is an address of testnet4 or signet, and this wallet is of regtest"),
        (&[misspelt, "1btc"], 2, "is no address"),
        (&["@bob", "1btc"], 2, "@bob"),
        (&[BOB, "1"], 2, "amount without a unit"),
        (&[BOB, "one"], 2, "expected an amount"),
        (&[BOB, "0sat"], 2, "above zero"),
        (&[BOB], 2, "expected an amount after"),
        (&[BOB, "293sat"], 2, "is dust"),
        (&[BOB, "max", BOB, "max"], 2, "'max' can go to one"),
        (&[BOB, "1btc", "--fee-rate", "0"], 2, "expected a fee rate"),
        (&[BOB, "1btc", "--fee-rate", "2", "--target", "3"], 2, "cannot be used with"),
        (&[BOB, "1btc", "--utxo", "nonsense"], 2, "invalid value"),
        (&[BOB, "50btc"], 4, "not enough: 0.0000"),
        (&[BOB, "80btc"], 4, "not enough: 30.0000"),
        (&[BOB, "1btc", "--fee-rate", "5000"], 1, "above the ceiling of 0.00100000 BTC"),
        (&[BOB, "1btc", "--fee-rate", "1", "--max-fee", "100sat"], 1, "above the ceiling of 0.00000100 BTC"),
        (&["bitcoin:", "1btc"], 2, "is no payment URI"),
    ] {
        wallets.run(&[&["send", "-w", "alice", "-y"], args].concat()).fails(code, saying);
    }
    wallets.run(&["send", "-w", "alice", BOB, "1btc"]).fails(2, "there is no terminal to ask: say yes with -y");
    assert_eq!(scene.rpc.call("getrawmempool", &json!([])), json!([]));
    assert_eq!(wallets.total("alice"), 5_000_000_000);
}

#[test]
fn wallets_that_cannot_be_opened() {
    let scene = scene();
    let wallets = scene.wallets();
    wallets.run(&["balance", "-w", "bob"]).fails(1, "there is no wallet");
    wallets.run(&["balance", "-w", "../alice"]).fails(2, "expected a name");
    wallets.run(&["create", "alice"]).fails(1, "exists already, and is left as it is");
    wallets.restore("alice", ABANDON, &[]).fails(1, "exists already");
    wallets.run(&["create", "bob"]).success();
    wallets.run(&["balance"]).fails(2, "which wallet? choose with --wallet NAME, out of alice, bob");

    // A damaged file, one that is none, one that is cut short; the words bring everything back.
    let folder = scene.datadir.path().join("regtest/wallets");
    let whole = fs::read(folder.join("alice.wallet")).unwrap();
    let mut damaged = whole.clone();
    let (start, end) = (damaged.len() / 3, damaged.len() * 2 / 3);
    damaged[start..end].fill(0x5a);
    for (name, content) in [
        ("damaged", damaged),
        ("none", b"not a wallet at all, but long enough to be one".to_vec()),
        ("short", whole[..whole.len() / 2].to_vec()),
    ] {
        fs::write(folder.join(format!("{name}.wallet")), &content).unwrap();
        wallets.run(&["balance", "-w", name]).fails(1, "is damaged");
        wallets.run(&["send", "-w", name, "-y", BOB, "1btc"]).fails(1, "is damaged");
        assert_eq!(fs::read(folder.join(format!("{name}.wallet"))).unwrap(), content, "it is left as it is");
    }
    let listed = wallets.json(&["list"]);
    assert_eq!(listed.as_array().unwrap().len(), 5);
    assert!(listed[2]["error"].as_str().unwrap().contains("is damaged"));

    // Another network's.
    let other = Wallets { network: "devnet", ..scene.wallets() };
    fs::create_dir_all(scene.datadir.path().join("devnet/wallets")).unwrap();
    fs::copy(folder.join("alice.wallet"), scene.datadir.path().join("devnet/wallets/alice.wallet")).unwrap();
    other.run(&["receive"]).fails(1, "the wallet is of the network regtest, and this is devnet");

    let backup = scene.datadir.path().join("backup.wallet");
    let backup = backup.to_str().unwrap();
    wallets.run(&["backup", "-w", "alice", backup]).success();
    wallets.run(&["backup", "-w", "alice", backup]).fails(1, "exists already");
    fs::rename(backup, folder.join("again.wallet")).unwrap();
    assert_eq!(wallets.json(&["balance", "-w", "again"]), wallets.json(&["balance", "-w", "alice"]));
}

#[test]
fn words_and_passphrases() {
    let scene = Scene::open();
    let file = |name: &str, content: &str| scene.datadir.write(name, content).to_str().unwrap().to_owned();
    let (right, wrong, empty) = (file("right", "open sesame\n"), file("wrong", "open barley\n"), file("empty", "\n"));
    // Where coins are money.
    let wallets = Wallets { network: "cairn", node: vec!["--offline".to_owned()], ..scene.wallets() };
    wallets.run(&["create", "alice"]).fails(2, "--show-secret");
    wallets.run(&["create", "alice", "--show-secret"]).fails(2, "--password-file");
    wallets.run(&["create", "alice", "--show-secret", "--password-file", &empty]).fails(2, "expected a passphrase");
    wallets.run(&["create", "alice", "--words", "13"]).fails(2, "expected 12, 15");
    wallets.restore("alice", "abandon abandon", &["--password-file", &right]).fails(2, "got 2");
    wallets
        .restore("alice", &ABANDON.replace("about", "above"), &["--password-file", &right])
        .fails(2, "checksum is wrong");
    let public = "test test test test test test test test test test test junk";
    wallets.restore("alice", public, &["--password-file", &right]).fails(2, "everybody knows these words");
    let private = "wpkh(tprv8ZgxMBicQKsPeDgjzdC36fs6bMjGApWDNLR9erAXMs5skhMv36j9MV5ecvfavji5khqjWaWSFhN3YcCUUdiKH6isR4Pwy3U5y5egddBr16m/0/*)";
    wallets.run(&["create", "alice", "--descriptor", private]).fails(2, "private keys do not belong on a command line");
    wallets.run(&["create", "alice", "--descriptor", "wpkh(nonsense)"]).fails(2, "cannot be read");
    let key = "[73c5da0a/84'/1'/0']tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M";
    for unspendable in [format!("pk({key}/0/*)"), format!("wsh(and_v(v:pk({key}/0/*),after(1700000000)))")] {
        wallets
            .run(&["create", "alice", "--descriptor", &unspendable])
            .fails(2, "signatures and block heights can free");
    }
    let legal = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let theirs = format!("wpkh({key}/<0;1>/*)");
    wallets
        .restore("alice", legal, &["--descriptor", &theirs, "--password-file", &right])
        .fails(2, "none of the descriptor's keys comes from these words");
    assert_eq!(wallets.json(&["list"]), json!([]), "nothing was made of any of it");

    let wallets = scene.wallets();
    wallets.restore("alice", ABANDON, &["--password-file", &right]).success();
    scene.fund("alice", 1);
    let pay = ["send", "-w", "alice", "-y", BOB, "1btc"];
    wallets.run(&pay).fails(2, "give the passphrase with --password-file");
    wallets.run(&[&pay[..], &["--password-file", &wrong]].concat()).fails(1, "wrong passphrase");
    wallets
        .run(&[&pay[..], &["--password-file", "/nowhere"]].concat())
        .fails(1, "cannot read the passphrase in /nowhere");
    assert_eq!(scene.rpc.call("getrawmempool", &json!([])), json!([]));
    wallets.run(&[&pay[..], &["--password-file", &right]].concat()).success();
}

#[test]
fn nodes_that_do_not_help() {
    let scene = scene();
    let wallets = scene.wallets();
    let elsewhere = Datadir::new();
    let nobody =
        Wallets { datadir: &elsewhere, network: "regtest", node: vec!["--rpc-port".to_owned(), "1".to_owned()] };
    nobody.restore("alice", ABANDON, &[]).success();
    nobody.run(&["balance"]).fails(3, "no node answers at http://127.0.0.1:1");
    nobody.run(&["send", "-y", BOB, "1btc"]).fails(3, "start one with 'cairn run'");
    nobody.run(&["send", "-y", BOB, "1btc", "--offline"]).fails(2, "needs a node");
    nobody.run(&["balance", "--offline"]).success();

    // One that knows neither us nor our password, and one of another network.
    let mut stranger = scene.wallets_in(&elsewhere);
    let password = elsewhere.write("other-password", "wrong");
    let last = stranger.node.len() - 1;
    stranger.node[last] = password.to_str().unwrap().to_owned();
    stranger.run(&["balance"]).fails(1, "does not accept our cookie or password");
    let mut other = scene.wallets_in(&elsewhere);
    other.network = "signet";
    other.restore("alice", ABANDON, &["--offline", "--no-passphrase"]).success();
    other.run(&["balance"]).fails(1, "is of another network than signet");

    // One that has headers without their blocks is still syncing; and one that began anew knows less than the wallet.
    let tip = scene.rpc.call("getbestblockhash", &json!([]));
    let block = scene.mine(1).remove(0);
    wallets.run(&["balance", "-w", "alice"]).success();
    scene.rpc.call("invalidateblock", &json!([block]));
    wallets.run(&["send", "-w", "alice", "-y", BOB, "1btc"]).fails(6, "this wallet has seen");
    scene.rpc.call("reconsiderblock", &json!([block]));
    let template = scene.rpc.call("generateblock", &json!([crate::harness::anyone::ADDRESS, [], false]));
    let hex = template["hex"].as_str().unwrap();
    scene.rpc.call("submitheader", &json!([&hex[..160]]));
    wallets.run(&["send", "-w", "alice", "-y", BOB, "1btc"]).fails(6, "still syncing");
    wallets.run(&["balance", "-w", "alice"]).success();
    scene.rpc.call("submitblock", &json!([hex]));
    wallets.run(&["send", "-w", "alice", "-y", BOB, "1btc"]).success();
    assert_ne!(tip, scene.rpc.call("getbestblockhash", &json!([])));
}

#[test]
fn psbts_that_are_refused() {
    let scene = scene();
    let wallets = scene.wallets();
    wallets.run(&["create", "bob"]).success();
    let made = wallets.json(&["psbt", "create", "-w", "alice", BOB, "1btc"]);
    let psbt = made["psbt"].as_str().unwrap();
    let sign = |wallet: &str, psbt: &str, args: &[&str]| {
        wallets.run_with(&[&["psbt", "sign", "-y", "-w", wallet], args].concat(), psbt)
    };
    sign("bob", psbt, &[]).fails(1, "none of the PSBT's keys is this wallet's");
    sign("alice", psbt, &["--max-fee", "1sat"]).fails(1, "above the ceiling of 0.00000001 BTC");
    sign("alice", "", &[]).fails(1, "expected a PSBT");
    sign("alice", "bm90IGEgUFNCVA==", &[]).fails(1, "expected a PSBT");
    wallets.run(&["psbt", "sign", "-y", "-w", "alice", "/nowhere"]).fails(1, "cannot read /nowhere");

    // A PSBT that lies about the amount, one that asks for a signature of an input alone.
    let parsed = || cairn_wallet::psbt::read(psbt.as_bytes()).unwrap();
    let mut lying = parsed();
    lying.inputs[0].witness_utxo.as_mut().unwrap().value *= 2;
    sign("alice", &cairn_wallet::psbt::show(&lying), &[]).fails(1, "two different outputs");
    let mut lying = parsed();
    lying.inputs[0].non_witness_utxo.as_mut().unwrap().output[0].value *= 2;
    sign("alice", &cairn_wallet::psbt::show(&lying), &[]).fails(1, "is not the one that it spends");
    let mut open = parsed();
    open.inputs[0].sighash_type = Some(bitcoin::sighash::EcdsaSighashType::NonePlusAnyoneCanPay.into());
    sign("alice", &cairn_wallet::psbt::show(&open), &[]).fails(1, "only ALL is signed");
    let mut unproven = parsed();
    unproven.inputs[0].non_witness_utxo = None;
    sign("alice", &cairn_wallet::psbt::show(&unproven), &[]).fails(1, "its amount cannot be checked");
    let mut blind = parsed();
    blind.inputs[0].witness_utxo = None;
    blind.inputs[0].non_witness_utxo = None;
    sign("alice", &cairn_wallet::psbt::show(&blind), &[]).fails(1, "does not say what it spends");

    let other = wallets.json(&["psbt", "create", "-w", "alice", BOB, "2btc"]);
    let files = [("one.psbt", psbt), ("two.psbt", other["psbt"].as_str().unwrap())]
        .map(|(name, psbt)| scene.datadir.write(name, psbt).to_str().unwrap().to_owned());
    wallets.run(&["psbt", "combine", &files[0], &files[1]]).fails(1, "of different transactions");
    let taken = scene.datadir.write("taken.psbt", "mine");
    wallets
        .run_with(&["psbt", "sign", "-y", "-w", "alice", "-o", taken.to_str().unwrap()], psbt)
        .fails(1, "exists already, and is left as it is");
    assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
}
