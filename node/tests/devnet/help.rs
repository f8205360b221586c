//! What the help says works: each command has examples, and each example does what it says.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use crate::running::{Devnet, Place};

/// Commands that drive a devnet, in an order in which they make sense.
const COMMANDS: [&str; 15] = [
    "status",
    "mine",
    "mining",
    "faucet",
    "partition",
    "heal",
    "link",
    "reorg",
    "time",
    "kill",
    "restart",
    "add",
    "env",
    "exec",
    "logs",
];

/// Commands that begin and end one.
const OTHERS: [&str; 4] = ["up", "down", "test", "help"];

/// The help of a command, or without its name of all of them.
fn help(place: &Place, command: &str) -> String {
    let words = ["devnet", command, "--help"];
    let output = place.run(&words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines after "Examples:", up to an empty one.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let examples: Vec<_> = lines.take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect();
    assert!(!examples.is_empty(), "{help}");
    examples
}

/// Whether an example starts or ends a devnet.
fn is_about_a_whole_one(example: &str) -> bool {
    example == "cairn devnet" || ["cairn devnet up", "cairn devnet down"].iter().any(|start| example.starts_with(start))
}

/// Runs a line as a shell does, where `cairn` is the program that was built. What does not end by itself gets a Ctrl-C.
fn shell(place: &Place, line: &str, txid: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_cairn");
    let goes_on = line.contains("--watch") || line.ends_with("-f");
    let program =
        if goes_on { format!("timeout --foreground --preserve-status -s INT 1 {binary}") } else { binary.to_owned() };
    let line = line.replace("cairn devnet", &format!("{program} devnet"));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env("CAIRN_DATADIR", place.0.path()).env("TMPDIR", place.temporary()).env("TXID", txid);
    command.current_dir(place.0.path()).output().unwrap()
}

/// What has to be so before an example.
fn prepare(devnet: &Devnet<'_>, place: &Place, example: &str) -> String {
    if example.contains(" heal") {
        devnet.run(&["partition", "alice"]);
    } else if devnet.of_each("peers").iter().any(|peers| peers.as_u64() < Some(3)) && !example.contains("restart") {
        place.run(&["devnet", "heal"]);
    }
    if example.contains("$TXID") {
        return devnet.ask(&["faucet", "@erin", "1btc"])["txid"].as_str().unwrap().to_owned();
    }
    String::new()
}

#[test]
fn no_command_is_left_out() {
    let text = help(&Place::new(), "");
    let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A description that goes on in the next line is further in.
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    assert_eq!(names.collect::<BTreeSet<_>>(), COMMANDS.into_iter().chain(OTHERS).collect());
}

#[test]
fn every_example_does_what_it_says() {
    let place = Place::new();
    let devnet = place.up(&["--block-time", "off"]);
    assert!(place.run(&["wallet", "create", "me"]).status.success());
    for command in COMMANDS.into_iter().chain([""]) {
        for example in examples(&help(&place, command)).into_iter().filter(|example| !is_about_a_whole_one(example)) {
            // Twenty seconds are long in a test.
            let example = example.replace("--for 20s", "--for 1s");
            let txid = prepare(&devnet, &place, &example);
            // Nothing to evaluate is no error for a shell.
            let checked = match example.strip_prefix("eval \"$(").and_then(|rest| rest.strip_suffix(")\"")) {
                Some(inner) => {
                    let output = shell(&place, inner, &txid);
                    assert!(output.status.success(), "{inner}: {output:?}");
                    format!("{example}; test -f \"$CAIRN_DEVNET\" && test -n \"$CAIRN_RPC_URL\"")
                }
                None => example.clone(),
            };
            let output = shell(&place, &checked, &txid);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{example}: {said}{}", devnet.run(&["status"]));
        }
    }
    for example in examples(&help(&place, "test")) {
        let text = help(&place, "test");
        let scenario = text.split("A scenario:\n").nth(1).unwrap();
        let lines = scenario.lines().take_while(|line| line.is_empty() || line.starts_with("  "));
        let lines: Vec<_> = lines.map(str::trim).collect();
        place.0.write("scenario.toml", &lines.join("\n"));
        let output = shell(&place, &example, "");
        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(shell(&place, "cairn devnet down", "").status.success());
}

#[test]
fn every_way_to_start_it_works() {
    let place = Place::new();
    place.0.write("net.toml", "nodes = 2\ntopology = 'line'\n");
    let all = [examples(&help(&place, "up")), examples(&help(&place, "down")), examples(&help(&place, ""))].concat();
    let starts = all.iter().filter(|example| is_about_a_whole_one(example) && !example.contains(" down"));
    for example in starts.collect::<BTreeSet<_>>() {
        let mut args: Vec<&str> = example.split_whitespace().skip(3).collect();
        // Not every machine has one.
        args.retain(|arg| *arg != "--prometheus");
        let net = place.0.path().join("net.toml").to_str().unwrap().to_owned();
        let args: Vec<&str> = args.into_iter().map(|arg| if arg == "net.toml" { &net } else { arg }).collect();
        let mut devnet = place.up(&args);
        let down = if example.contains("demo") { "cairn devnet down --name demo" } else { "cairn devnet down" };
        assert!(all.iter().any(|example| example == down), "{down}");
        let output = shell(&place, down, "");
        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(devnet.wait().0, Some(0));
    }
}
