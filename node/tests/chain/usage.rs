//! Wrong usage, other people's directories, and help.

use std::process::{Command, Stdio};

use crate::support::{Cairn, HEIGHT, chain, failure, stdout};

const COMMANDS: [&str; 6] = ["import", "export", "verify", "status", "utxo-stats", "prune"];

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let cairn = Cairn::new();
    for args in [
        &["import"][..],
        &["import", "-", "file"],
        &["import", "--assume-valid", "xyz", "file"],
        &["import", "--prune", "549", "file"],
        &["import", "--cache", "3", "file"],
        &["import", "--threads", "0", "file"],
        &["import", "--spec", "file.toml", "file"],
        &["export", "--from", "2", "--to", "1"],
        &["export", "--force"],
        &["verify", "--level", "5"],
        &["utxo-stats", "--hash", "sha1"],
        &["status", "--test-activation-height", "csv"],
        &["prune"],
        &["grow"],
    ] {
        let output = cairn.run(args);
        failure(&output, 2);
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    assert!(!cairn.datadir().exists());
}

#[test]
fn asking_makes_no_directory() {
    let cairn = Cairn::new();
    for args in [&["export"][..], &["verify"], &["status"], &["utxo-stats"], &["prune", "1"]] {
        let message = failure(&cairn.run(args), 1);
        assert!(message.starts_with("error: there is no chain of network regtest in "), "{message}");
        assert!(message.contains("'cairn chain import'"), "{message}");
        assert!(!cairn.datadir().exists());
    }
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let cairn = Cairn::new();
    let mut first = cairn.spawn(&["import", "-"]);
    cairn.wait_until_open();
    for args in [&["status"][..], &["import", chain().block_file().to_str().unwrap()]] {
        let message = failure(&cairn.run(args), 1);
        assert!(message.contains("is in use by another process; end that process, or choose another"), "{message}");
    }
    drop(first.stdin.take());
    first.wait().unwrap();
}

#[test]
fn a_directory_serves_one_set_of_rules() {
    let cairn = Cairn::with_chain();
    let message = failure(&cairn.run(&["status", "--test-activation-height", "csv@5"]), 1);
    assert!(message.contains("belongs to network regtest with rules "), "{message}");
    assert!(message.contains("run it with that network's options, or choose another directory"), "{message}");
    assert_eq!(cairn.json(&["status"])["height"], HEIGHT);

    let other = Cairn::new();
    let file = chain().block_file();
    let summary = other.json(&["import", "--test-activation-height", "csv@5", file.to_str().unwrap()]);
    assert_eq!(summary["height"], HEIGHT);
    failure(&other.run(&["status"]), 1);
}

#[test]
fn the_environment_can_name_the_directory() {
    let cairn = Cairn::with_chain();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.args(["chain", "status", "--network", "regtest"]).env("CAIRN_DATADIR", cairn.datadir());
    assert!(stdout(&command.stdin(Stdio::null()).output().unwrap()).contains(&chain().tip().to_string()));
}

#[test]
fn help_opens_with_examples() {
    let cairn = Cairn::new();
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = cairn.text(&[command, flag]);
            assert!(help.starts_with(&format!("Examples:\n  cairn chain {command}")), "{help}");
        }
    }
}
