//! `cairn network` as a user runs it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

use serde_json::Value;

const SPEC: &str = r#"name = "acme"
target_spacing = 30
seeds = ["/dns4/seed.acme.example/tcp/8533"]
[genesis]
time = 1795219200
message = "acme"
bits = 0x1f7fffff
[retarget]
algorithm = "asert"
[subsidy]
initial = "12.5"
halving_interval = 1000
"#;

fn cairn(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cairn")).args(args).output().expect("the binary was built")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a failed command said; it must have said it on standard error only.
fn failure(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// A file that goes away with the test.
struct SpecFile(PathBuf);

impl SpecFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = env::temp_dir().join(format!("cairn-{}-{name}.toml", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for SpecFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn list_has_a_line_for_each_network() {
    let table = stdout(&cairn(&["network", "list"]));
    let names: Vec<_> = table.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["NAME", "cairn", "devnet", "main", "testnet4", "signet", "regtest"]);
    assert!(table.contains("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"));

    let list = json(&cairn(&["network", "list", "--json"]));
    assert_eq!(list.as_array().unwrap().len(), 6);
    assert_eq!(list[1]["retarget"]["algorithm"], "asert");
    assert_eq!(list[1]["retarget"]["half_life"], 120);
}

#[test]
fn show_tells_all_about_one_network() {
    let main = json(&cairn(&["network", "show", "main", "--json"]));
    assert_eq!(main["chain"], "main");
    assert_eq!(main["magic"], "f9beb4d9");
    assert_eq!(main["subsidy_initial"], 5_000_000_000_u64);
    assert_eq!(main["genesis"]["bits"], "1d00ffff");
    let text = stdout(&cairn(&["network", "show", "cairn"]));
    assert!(text.contains("asert, half-life 17280 s, anchor 1e00ffff at height 0"), "{text}");
    assert!(text.contains("50 BTC, halving every 2102400 blocks"), "{text}");
}

#[test]
fn an_unknown_network_is_named() {
    let message = failure(&cairn(&["network", "show", "testnet3"]), 1);
    assert_eq!(
        message,
        "error: expected a network out of cairn, devnet, main, testnet4, signet, regtest, got 'testnet3'\n"
    );
}

/// The whole way of a private network: a spec without nonce, the nonce mined and pasted, the spec checked and shown.
#[test]
fn a_spec_is_mined_pasted_checked_and_shown() {
    let draft = SpecFile::new("draft", SPEC);
    let message = failure(&cairn(&["network", "check", draft.path()]), 1);
    let expected = "line 4: key 'genesis.nonce': missing; 'cairn network mine-genesis FILE' finds it";
    assert_eq!(message, format!("error: {}: {expected}\n", draft.path()));

    let line = stdout(&cairn(&["network", "mine-genesis", draft.path()]));
    let (nonce, hash) = line.trim_end().split_once("  # genesis hash ").unwrap();
    assert!(nonce.starts_with("nonce = "));
    let complete = SpecFile::new("complete", SPEC.replace("[genesis]\n", &format!("[genesis]\n{line}")));

    let checked = stdout(&cairn(&["network", "check", complete.path()]));
    let shown = json(&cairn(&["network", "show", "--spec", complete.path(), "--json"]));
    assert_eq!(shown["name"], "acme");
    assert_eq!(shown["genesis"]["hash"], hash);
    assert_eq!(shown["subsidy_initial"], 1_250_000_000);
    assert_eq!(shown["magic"].as_str().unwrap(), &shown["spec_hash"].as_str().unwrap()[..8]);
    let spec_hash = shown["spec_hash"].as_str().unwrap();
    assert_eq!(checked, format!("{}: network acme is good, spec hash {spec_hash}\n", complete.path()));
}

#[test]
fn bad_specs_say_where() {
    let cases = [
        ("zero", SPEC.replace("= 30", "= 0"), "line 2: key 'target_spacing': expected seconds from 1 to 86400, got 0"),
        ("syntax", SPEC.replace("= 30", "= = 30"), "line 2: not valid TOML at 'target_spacing = = 30': "),
        ("large", "#".repeat(65_537), "expected at most 65536 bytes, got more"),
    ];
    for (name, content, expected) in cases {
        let file = SpecFile::new(name, content);
        let message = failure(&cairn(&["network", "check", file.path()]), 1);
        assert!(message.starts_with(&format!("error: {}: {expected}", file.path())), "{message}");
    }
    let bytes = SpecFile::new("bytes", b"name = 'a'\n# \xff\n");
    let message = failure(&cairn(&["network", "check", bytes.path()]), 1);
    assert_eq!(message, format!("error: {}: line 2: expected UTF-8 text, got other bytes\n", bytes.path()));

    let message = failure(&cairn(&["network", "check", "no-such-file.toml"]), 1);
    assert!(message.starts_with("error: cannot read no-such-file.toml: "), "{message}");
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    for args in [
        &["network", "show"][..],
        &["network", "show", "main", "--spec", "x.toml"],
        &["network", "lst"],
        &["network", "check"],
        &["frobnicate"],
        &[],
    ] {
        failure(&cairn(args), 2);
    }
}

#[test]
fn help_opens_with_examples_and_the_version_is_known() {
    assert!(stdout(&cairn(&["--help"])).starts_with("Examples:\n  cairn devnet\n"));
    for args in [&["network", "--help"][..], &["network", "check", "-h"]] {
        assert!(stdout(&cairn(args)).starts_with("Examples:\n  cairn network "));
    }
    assert_eq!(stdout(&cairn(&["--version"])), format!("cairn {}\n", env!("CARGO_PKG_VERSION")));
}
