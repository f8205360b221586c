//! Keys in files, in the environment and on the command line.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::harness::node_process::{Datadir, HEIGHT};

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn failure(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_key_that_is_none_is_named_with_the_nearest() {
    let datadir = Datadir::new();
    let file = datadir.write("cairn.toml", "network = \"regtest\"\nmetrics-prot = 1\n");
    let expected =
        format!("error: {}, line 2: there is no key 'metrics-prot'; did you mean 'metrics-port'?\n", file.display());
    for args in [&["run"][..], &["config", "show"], &["config", "check"], &["chain", "status"], &["health"]] {
        assert_eq!(failure(&datadir.run(args), 2), expected);
    }
    fs::remove_file(file).unwrap();
    let output = datadir.command(&["run"]).env("CAIRN_METRICS_PROT", "1").output().unwrap();
    assert!(failure(&output, 2).ends_with("did you mean CAIRN_METRICS_PORT?\n"));
    assert!(failure(&datadir.run(&["run", "--rpc-password", "x"]), 2).contains("'--rpc-password-file'"));
    assert!(!datadir.path().join("cairn").exists() && !datadir.path().join("regtest").exists());
}

#[test]
fn a_node_takes_its_keys_from_everywhere() {
    let datadir = Datadir::new();
    datadir.write(
        "cairn.toml",
        "network = \"devnet\"\nmetrics-listen = \"127.0.0.1:0\"\nlog-format = \"json\"\nrpc = false\n",
    );
    let mut command = datadir.command(&["run", "--threads", "1"]);
    let child = command.env("CAIRN_NETWORK", "regtest").stderr(std::process::Stdio::piped());
    let child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let said = datadir.attach("regtest", child).stop();
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
}

#[test]
fn other_commands_know_the_file_too() {
    let datadir = Datadir::with_chain();
    datadir.write("cairn.toml", "network = \"regtest\"\n");
    let status: Value = serde_json::from_str(&stdout(&datadir.run(&["chain", "status", "--json"]))).unwrap();
    assert_eq!(status["height"], HEIGHT);
    // The command line counts more.
    assert!(failure(&datadir.run(&["chain", "status", "--network", "main"]), 1).contains("network main"));
}

#[test]
fn a_file_is_written_once_and_is_good() {
    let datadir = Datadir::new();
    let written = stdout(&datadir.run(&["config", "init"]));
    let file = datadir.path().join("cairn.toml");
    assert_eq!(written, format!("wrote {}\n", file.display()));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\n#rpc-port = ") && text.contains("\n#metrics-port = 9332\n"), "{text}");
    let check = stdout(&datadir.run(&["config", "check"]));
    assert_eq!(check, format!("network cairn: {} and the environment are good\n", file.display()));

    fs::write(&file, "network = \"regtest\"\n").unwrap();
    assert!(failure(&datadir.run(&["config", "init"]), 1).contains("exists already and is left as it is"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "network = \"regtest\"\n");

    let other = datadir.path().join("etc").join("other.toml");
    stdout(&datadir.run(&["config", "init", "--config", other.to_str().unwrap()]));
    assert_eq!(fs::read_to_string(other).unwrap(), text);
}

#[test]
fn what_holds_is_shown_with_its_origin() {
    let datadir = Datadir::new();
    let hash = "ab".repeat(32);
    let file = datadir.write("cairn.toml", &format!("network = 'signet'\nrpc-auth = ['alice:salt${hash}']\n"));
    let show = |args: &[&str]| {
        let args = [&["config", "show", "--threads", "3"], args].concat();
        stdout(&datadir.command(&args).env("CAIRN_CACHE", "77").output().unwrap())
    };
    let shown: Value = serde_json::from_str(&show(&["--json"])).unwrap();
    let row = |key: &str| (shown[key]["value"].clone(), shown[key]["origin"].as_str().unwrap().to_owned());
    assert_eq!(row("threads"), (3.into(), "command line".to_owned()));
    assert_eq!(row("cache"), (77.into(), "environment variable CAIRN_CACHE".to_owned()));
    assert_eq!(row("network"), ("signet".into(), format!("{}, line 1", file.display())));
    assert_eq!(row("rpc-port"), (38_332.into(), "default".to_owned()));
    assert_eq!(row("prune"), (Value::Null, "not set".to_owned()));
    assert_eq!(row("rpc-auth").0, serde_json::json!(["(hidden)"]));

    let text = show(&["--origin"]);
    assert!(text.contains("cache = 77") && text.contains("# environment variable CAIRN_CACHE\n"), "{text}");
    assert!(!text.contains(&hash), "{text}");
    // What is shown can be used as a file, but for what is hidden.
    let shown: String =
        show(&[]).lines().filter(|line| !line.contains("(hidden)")).map(|line| format!("{line}\n")).collect();
    let copy = datadir.write("copy.toml", &shown);
    let copied = datadir.run(&["config", "show", "--json", "--config", copy.to_str().unwrap()]);
    let copied: Value = serde_json::from_str(&stdout(&copied)).unwrap();
    assert_eq!((&copied["cache"]["value"], &copied["network"]["value"]), (&77.into(), &"signet".into()));
}

#[test]
fn help_opens_with_examples() {
    let datadir = Datadir::new();
    for args in [&["run"][..], &["health"], &["config"], &["config", "show"], &["metrics", "export"]] {
        for flag in ["-h", "--help"] {
            let help = stdout(&datadir.run(&[args, &[flag]].concat()));
            assert!(help.starts_with(&format!("Examples:\n  cairn {}", args[0])), "{help}");
        }
    }
}
