//! Nothing secret in files, logs, arguments, the environment or output.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use bitcoin::bip32::{DerivationPath, Xpriv};
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Network, PrivateKey};

use crate::harness::node_process::wait_for;
use crate::scene::Scene;

const WORDS: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const PASSPHRASE: &str = "a passphrase that is nowhere else";

/// Everything that must be found nowhere.
fn secrets() -> Vec<(String, Vec<u8>)> {
    let secp = Secp256k1::new();
    let entropy = [0x7f; 16];
    let mnemonic = bip39::Mnemonic::from_entropy(&entropy).unwrap();
    assert_eq!(mnemonic.to_string(), WORDS);
    let seed = mnemonic.to_seed("");
    let master = Xpriv::new_master(Network::Regtest, &seed).unwrap();
    let mut secrets = vec![
        ("passphrase".to_owned(), PASSPHRASE.as_bytes().to_vec()),
        ("entropy".to_owned(), entropy.to_vec()),
        ("seed".to_owned(), seed.to_vec()),
    ];
    let words: Vec<_> = WORDS.split(' ').collect();
    for three in words.windows(3) {
        secrets.push(("words".to_owned(), three.join(" ").into_bytes()));
    }
    for path in ["m", "m/84h", "m/84h/1h", "m/84h/1h/0h", "m/84h/1h/0h/0", "m/84h/1h/0h/0/0", "m/84h/1h/0h/1/0"] {
        let key = master.derive_priv(&secp, &path.parse::<DerivationPath>().unwrap()).unwrap();
        let private = PrivateKey::new(key.private_key, Network::Regtest);
        secrets.push((format!("xprv {path}"), key.to_string().into_bytes()));
        secrets.push((format!("wif {path}"), private.to_wif().into_bytes()));
        secrets.push((format!("key {path}"), key.private_key.secret_bytes().to_vec()));
    }
    let hex: Vec<_> = secrets
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "entropy" | "seed") || name.starts_with("key"))
        .map(|(name, bytes)| {
            (format!("{name} in hex"), bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes())
        })
        .collect();
    secrets.extend(hex);
    secrets
}

fn look(place: &str, bytes: &[u8], secrets: &[(String, Vec<u8>)]) {
    for (name, secret) in secrets {
        let is_there = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!is_there, "{name} is in {place}");
    }
}

fn look_in_files(folder: &Path, secrets: &[(String, Vec<u8>)]) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += look_in_files(&path, secrets);
        } else if path.file_name().is_some_and(|name| name != "passphrase") {
            look(&path.display().to_string(), &fs::read(&path).unwrap(), secrets);
            count += 1;
        }
    }
    count
}

#[test]
fn nothing_secret_is_left_anywhere() {
    let secrets = secrets();
    let scene = Scene::open();
    let wallets = scene.wallets();
    let password = scene.datadir.write("passphrase", PASSPHRASE);
    let with_password = ["--password-file", password.to_str().unwrap()];
    let mut said = String::new();
    let mut run = |args: &[&str], input: &str| {
        let run = wallets.run_with(&[args, &with_password].concat(), input);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        said += &run.stdout;
        said += &run.stderr;
        run.stdout
    };
    run(&["restore", "alice"], WORDS);
    let address = run(&["receive", "--label", "rent"], "").lines().next().unwrap().to_owned();
    scene.mine_to(1, &address);
    scene.mine(100);
    run(&["send", "-y", &address, "1btc"], "");
    let sent = run(&["send", "-y", &address, "1btc", "--json"], "");
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    run(&["bump", sent["txid"].as_str().unwrap(), "-y", "--fee-rate", "20"], "");
    let psbt = run(&["send", "--psbt", &address, "2btc"], "");
    let signed = run(&["psbt", "sign", "-y"], &psbt);
    run(&["psbt", "inspect", "--json"], &signed);
    run(&["sign-message", &address, "hello"], "");
    for args in [
        &["balance"][..],
        &["history"],
        &["utxos"],
        &["list"],
        &["export"],
        &["export", "--core"],
        &["export", "--key", "m/48h/1h/0h"],
    ] {
        run(args, "");
        run(&[args, &["--json"]].concat(), "");
    }
    let backup = scene.datadir.path().join("backup");
    run(&["backup", backup.to_str().unwrap()], "");
    run(&["rescan"], "");
    let wrong = wallets.run(&["send", "-y", &address, "1btc", "--password-file", "/dev/null"]);
    assert_eq!(wrong.code, 1);
    said += &wrong.stderr;
    // Private keys where none should be, and descriptors that are none.
    let master = String::from_utf8(secrets.iter().find(|(name, _)| name == "xprv m").unwrap().1.clone()).unwrap();
    for text in [
        master.clone(),
        format!("wsh({master}/0/*)"),
        format!("wpkh({master}/0/*)#aaaaaaaa"),
        format!("wpkh({master}/0/0)"),
    ] {
        let refused = wallets.run_with(&["restore", "mallory", "--descriptor", "-"], &text);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        said += &refused.stderr;
    }
    // What a person reads who looks for what went wrong.
    let debug =
        wallets.command(&["restore", "bob"]).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").output().unwrap();
    look("traces", &debug.stderr, &secrets);
    look("output", said.as_bytes(), &secrets);

    // Where others can look while a command runs.
    let mut child =
        wallets.command(&[&["restore", "carol"], &with_password[..]].concat()).stdin(Stdio::piped()).spawn().unwrap();
    let proc = Path::new("/proc").join(child.id().to_string());
    wait_for("core dumps to be off, whatever others may set", || {
        let limits = fs::read_to_string(proc.join("limits")).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        (line.split_whitespace().filter(|word| *word == "0").count() == 2).then_some(())
    });
    for file in ["cmdline", "environ"] {
        look(file, &fs::read(proc.join(file)).unwrap(), &secrets);
    }
    drop(child.stdin.take());
    child.wait().unwrap();

    let log = scene.node.stop();
    look("the node's log", log.as_bytes(), &secrets);
    let files = look_in_files(scene.datadir.path(), &secrets);
    assert!(files > 5, "{files} files");
    // The search itself works.
    let found = std::panic::catch_unwind(|| look("the passphrase's file", PASSPHRASE.as_bytes(), &secrets));
    assert!(found.is_err());
}
