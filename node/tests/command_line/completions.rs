//! Scripts for shells.

use std::process::{Command, Stdio};

use crate::harness::node_process::Datadir;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// What a shell is given.
fn script(shell: &str) -> String {
    let output = Datadir::new().run(&["completions", shell]);
    assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_shell_learns_commands_and_options() {
    for shell in SHELLS {
        let script = script(shell);
        for word in ["sign-message", "utxo-stats", "mine-throttle", "fee-rate"] {
            assert!(script.contains(word), "{shell} does not learn {word}");
        }
    }
    let output = Datadir::new().run(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// Completes a line as bash does: the words that it would offer.
fn bash_offers(line: &[&str]) -> Vec<String> {
    let driver = r#"
        source "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _cairn cairn "${@: -1}" "${@: -2:1}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cairn");
    std::fs::write(&file, script("bash")).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", driver, "bash"]).arg(file).args(line);
    let output = bash.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_completes() {
    let bash = Command::new("bash").arg("--version").stdout(Stdio::null()).status();
    if bash.is_err() {
        return;
    }
    assert_eq!(bash_offers(&["cairn", "wallet", "psbt", "fin"]), ["finalize"]);
    assert_eq!(bash_offers(&["cairn", "completions", "power"]), ["powershell"]);
    // An option of the node stands behind the wallet's own commands too.
    assert_eq!(bash_offers(&["cairn", "wallet", "send", "--netw"]), ["--network"]);
    assert!(bash_offers(&["cairn", "wallet", "send", "--network", "reg"]).contains(&"regtest".to_owned()));
}
