//! It starts in time, is found, and leaves nothing, however it ends.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::running::Place;

/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(10);

#[test]
fn it_starts_in_time_and_ctrl_c_leaves_nothing() {
    let place = Place::new();
    let start = Instant::now();
    let mut devnet = place.up(&[]);
    let took = start.elapsed();
    let ready = devnet.banner.lines().last().unwrap().to_owned();
    println!("{ready}; {:.2} s until the banner was read", took.as_secs_f64());
    assert!(took < START_LIMIT, "{took:?}");
    for expected in
        ["alice bob carol dave", "test test test", "PUBLIC", "http://127.0.0.1:", "bcrt1q", "a block every 3s"]
    {
        assert!(devnet.banner.contains(expected), "{}", devnet.banner);
    }
    assert_eq!(devnet.attached["ready"], true);
    assert!(devnet.nodes().iter().all(|node| node["height"].as_u64() >= Some(140) && node["peers"] == 3));
    // Blocks come by themselves.
    crate::harness::node_process::wait_for("a block", || {
        devnet.of_each("height").iter().all(|height| height.as_u64() > Some(140)).then_some(())
    });
    devnet.signal("INT");
    let (code, said) = devnet.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("4 nodes stopped cleanly"), "{said}");
    devnet.wait_until_gone();
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_closed_terminal_and_down_leave_nothing_too() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "2"]);
    devnet.signal("HUP");
    assert_eq!(devnet.wait().0, Some(0));
    devnet.wait_until_gone();
    let mut devnet = place.up(&["-n", "2"]);
    assert_eq!(devnet.run(&["down"]), "the devnet devnet has ended\n");
    assert_eq!(devnet.wait().0, Some(0));
    assert_eq!(place.left(), Vec::<PathBuf>::new());
    devnet.wait_until_gone();
}

#[test]
fn nodes_do_not_outlive_a_devnet_that_is_killed() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "3"]);
    let start = Instant::now();
    devnet.signal("KILL");
    devnet.wait();
    devnet.wait_until_gone();
    println!("no process and no port was left after {:.2} s", start.elapsed().as_secs_f64());
    // What it could not clear away, the next command does.
    let output = place.run(&["devnet", "status"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("no devnet runs; start one with 'cairn devnet'"));
    let left: Vec<_> = place.left().into_iter().filter(|path| !path.ends_with("devnets")).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

#[test]
fn what_a_killed_one_left_goes_at_once_too() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "3", "--block-time", "50ms"]);
    devnet.signal("KILL");
    devnet.wait();
    // Its nodes still run and write.
    assert_eq!(place.run(&["devnet", "status"]).status.code(), Some(3));
    let left: Vec<_> = place.left().into_iter().filter(|path| !path.ends_with("devnets")).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    devnet.wait_until_gone();
    assert_eq!(place.left().len(), 1, "nothing came back: {:?}", place.left());

    // One with a name goes on, though the nodes of its earlier life have just been told to end.
    let mut devnet = place.up(&["-n", "2", "--name", "demo", "--block-time", "off"]);
    devnet.run(&["mining", "--mine-on-tx"]);
    devnet.run(&["link", "alice", "bob", "--latency", "80ms"]);
    devnet.signal("KILL");
    devnet.wait();
    let devnet = place.up(&["--name", "demo"]);
    assert_eq!(devnet.wait_for_agreement(), 140);
    assert_eq!(devnet.ask(&["status"])["mining"]["on_transactions"], true);
    let plan = std::fs::read_to_string(place.0.path().join("devnets/demo/plan.json")).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["plan"]["links"][0]["between"], serde_json::json!(["alice", "bob"]), "{plan}");
}

#[test]
fn a_file_is_not_taken_from_a_devnet_whose_socket_cannot_be_seen() {
    let place = Place::new();
    let devnet = place.up(&["-n", "1", "--block-time", "off"]);
    let socket = PathBuf::from(devnet.attached["control"].as_str().unwrap());
    let aside = socket.with_file_name("aside");
    std::fs::rename(&socket, &aside).unwrap();
    let (code, said) = devnet.fail(&["status"]);
    assert_eq!(code, 3);
    assert!(said.contains("the devnet devnet does not answer"), "{said}");
    std::fs::rename(&aside, &socket).unwrap();
    assert_eq!(devnet.ask(&["status"])["nodes"][0]["height"], 140);
}

#[test]
fn who_does_not_read_what_it_says_does_not_hold_it_up() {
    let place = Place::new();
    // A pipe that is full already: the first thing that happens finds no room.
    let (reader, writer) = std::io::pipe().unwrap();
    let filler = writer.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut filler = filler;
        let _ = std::io::copy(&mut std::io::repeat(b'.'), &mut filler);
    });
    let command = place.command(&["devnet", "up", "-n", "2", "--block-time", "50ms"]);
    let mut devnet = place.up_by(command, Some(writer.into()));
    let height = || {
        let output = place.run_at_once(&["devnet", "status", "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["nodes"][0]["height"].as_u64()
    };
    crate::harness::node_process::wait_for("blocks", || (height() > Some(150)).then_some(()));
    devnet.signal("TERM");
    crate::harness::node_process::wait_for("its end", || devnet.has_ended().then_some(()));
    assert_eq!(devnet.wait().0, Some(0));
    assert_eq!(place.left(), Vec::<PathBuf>::new());
    drop(reader);
}

#[test]
fn nodes_are_started_again_although_the_program_was_replaced() {
    let place = Place::new();
    let program = place.0.path().join("tmp/cairn");
    std::fs::copy(env!("CARGO_BIN_EXE_cairn"), &program).unwrap();
    let wanted = place.command(&["devnet", "up", "-n", "2", "--block-time", "off"]);
    let mut command = std::process::Command::new(&program);
    command.args(wanted.get_args()).env("CAIRN_DATADIR", place.0.path()).env("TMPDIR", place.temporary());
    let devnet = place.up_by(command, None);
    // As a build does it: another file, which is no program here.
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, "another").unwrap();
    assert_eq!(devnet.ask(&["restart", "bob"])["node"], "bob");
    devnet.run(&["add"]);
    let pid = devnet.attachment()["nodes"][1]["pid"].as_u64().unwrap();
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(line.starts_with(program.to_str().unwrap()), "{line}");
    devnet.wait_for_agreement();
}

#[test]
fn the_environment_counts_less_than_options_and_is_not_passed_over() {
    let place = Place::new();
    let elsewhere = Place::new();
    let devnet = place.up(&["-n", "1", "--block-time", "off"]);
    let run = |args: &[&str], variable: &str| elsewhere.command(args).env("CAIRN_DEVNET", variable).output().unwrap();
    let datadir = place.0.path().to_str().unwrap();
    let found = run(&["devnet", "status", "--datadir", datadir], "/nowhere.json");
    assert!(found.status.success(), "{found:?}");
    for args in [&["devnet", "status"][..], &["wallet", "list"]] {
        let lost = run(args, "/nowhere.json");
        let said = String::from_utf8(lost.stderr).unwrap();
        assert!(!lost.status.success() && said.contains("CAIRN_DEVNET names /nowhere.json"), "{args:?}: {said}");
    }
    // What it prints holds wherever it is read.
    let folder = place.0.path().parent().unwrap();
    let relative = place.0.path().file_name().unwrap();
    let mut command = place.command(&["devnet", "env"]);
    let said = command.env("CAIRN_DATADIR", relative).current_dir(folder).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("export CAIRN_DEVNET='/"), "{said}");
    drop(devnet);
}

#[test]
fn a_first_start_that_was_interrupted_leaves_nothing_to_the_next() {
    let place = Place::new();
    let plan = place.0.path().join("devnets/demo/plan.json");
    let mut command = place.command(&["devnet", "up", "--name", "demo", "-n", "2", "--block-time", "10s"]);
    let mut first = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    crate::harness::node_process::wait_for("a plan", || plan.exists().then_some(()));
    first.kill().unwrap();
    first.wait().unwrap();
    let devnet = place.up(&["--name", "demo", "-n", "2", "--block-time", "20s"]);
    assert!(devnet.banner.contains("on network devnet-20s"), "{}", devnet.banner);
    assert!(devnet.banner.contains("a block every 20s"), "{}", devnet.banner);
}

#[test]
fn a_folder_for_temporary_files_may_have_a_long_name() {
    let place = Place::new();
    let folder = place.temporary().join("a".repeat(120));
    std::fs::create_dir(&folder).unwrap();
    let mut command = place.command(&["devnet", "up", "-n", "1", "--block-time", "off"]);
    command.env("TMPDIR", &folder);
    let mut devnet = place.up_by(command, None);
    let socket = PathBuf::from(devnet.attached["control"].as_str().unwrap());
    assert_eq!(devnet.ask(&["status"])["nodes"][0]["height"], 140);
    devnet.signal("INT");
    assert_eq!(devnet.wait().0, Some(0));
    assert!(!socket.parent().unwrap().exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn ports_that_are_taken_are_passed_over() {
    // Somebody else may have it, for as long as it takes them.
    let taken = TcpListener::bind("127.0.0.1:18443");
    let place = Place::new();
    let (first, second) = (place.up(&["-n", "2"]), place.up(&["-n", "2"]));
    let mut ports = [first.ports(), second.ports()].concat();
    assert!(taken.is_err() || !ports.contains(&18_443), "{ports:?}");
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 12);
    assert!(second.banner.contains("cairn devnet status --name devnet-2"), "{}", second.banner);
    assert!(first.banner.ends_with("another terminal: cairn devnet status\n"), "{}", first.banner);
    // Now it must be said which.
    let (code, said) = first.fail(&["status"]);
    assert_eq!(code, 1);
    assert!(said.contains("2 devnets run: devnet, devnet-2; choose one with --name"), "{said}");
    let (one, two) = (first.ask(&["status", "--name", "devnet"]), first.ask(&["status", "--name", "devnet-2"]));
    assert_ne!(one["nodes"][0]["rpc_port"], two["nodes"][0]["rpc_port"]);
}

#[test]
fn one_with_a_name_goes_on_where_it_was() {
    let place = Place::new();
    let up = ["-n", "2", "--block-time", "off", "--name", "demo"];
    let mut devnet = place.up(&up);
    let peer = |attached: &Value| attached["nodes"][0]["p2p"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let (seed, key) = (devnet.attached["seed"].clone(), peer(&devnet.attached));
    devnet.run(&["time", "+2h"]);
    let mined = devnet.ask(&["mine", "2"]);
    assert_eq!(mined["height"], 142);
    let output = place.run(&["devnet", "up", "--name", "demo"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("a devnet that is called demo runs already"));
    devnet.run(&["down"]);
    let (_, said) = devnet.wait();
    assert!(said.contains("--name demo goes on with them"), "{said}");

    let output = place.run(&["devnet", "up", "--name", "demo", "-n", "3"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("start it with no option but --name"));
    let devnet = place.up(&["--name", "demo"]);
    assert_eq!((devnet.attached["seed"].clone(), peer(&devnet.attached)), (seed, key));
    assert_eq!(devnet.wait_for_agreement(), 142);
    let status = devnet.ask(&["status"]);
    assert_eq!((status["seconds_ahead"].as_u64(), status["mining"]["block_time"].as_str()), (Some(7200), Some("off")));
    assert_eq!(devnet.ask(&["mine"])["agree"], 2);
}

#[test]
fn a_seed_repeats_the_keys_of_nodes() {
    let place = Place::new();
    let keys = |seed: &str| {
        let devnet = place.up(&["-n", "2", "--seed", seed, "--block-time", "off"]);
        let nodes = devnet.attached["nodes"].as_array().unwrap().clone();
        let key = |node: &Value| node["p2p"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        nodes.iter().map(key).collect::<Vec<_>>()
    };
    let first = keys("7");
    assert_eq!(first, keys("7"));
    assert_ne!(first, keys("8"));
}

#[test]
fn programs_find_it_by_variables_and_files() {
    let place = Place::new();
    let file = place.0.path().join("out.json");
    let devnet = place.up(&["-n", "2", "--block-time", "off", "--config-out", file.to_str().unwrap()]);
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["nodes"], devnet.attached["nodes"]);
    assert_eq!(written["accounts"][1]["name"], "bob");
    let script = "eval \"$($0 devnet env bob)\"; curl -s --user \"$(cat \"$BITCOIN_RPC_COOKIE\")\" \
                  -d '{\"method\":\"getblockcount\"}' \"$CAIRN_RPC_URL\"; test -f \"$CAIRN_DEVNET\"; \
                  cd /; CAIRN_DATADIR=/nowhere $0 devnet exec bob -- rpc getblockcount";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_cairn")]).env("CAIRN_DATADIR", place.0.path());
    let output = shell.env("TMPDIR", place.temporary()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"result\":140") && said.ends_with("140\n"), "{said}");
    assert_eq!(devnet.run(&["exec", "bob", "--", "cairn", "rpc", "getblockcount"]), "140\n");
    let logs = devnet.run(&["logs", "alice"]);
    assert!(logs.contains("listening for peers"), "{logs}");
    assert!(devnet.run(&["logs"]).lines().any(|line| line.starts_with("bob   | ")));
    assert!(devnet.fail(&["logs", "eve"]).1.contains("there is no node eve; nodes are alice, bob"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    let place = Place::new();
    for (args, problem) in [
        (&["-n", "0"][..], "expected 1 to 64 nodes, got 0"),
        (&["--topology", "cube"], "expected one of mesh, ring, line, star, tree, got 'cube'"),
        (&["--block-time", "5"], "expected a time such as 5s, poisson:10s, or off, got '5'"),
        (&["--config-out", "/nowhere/out.json"], "cannot write /nowhere/out.json"),
    ] {
        let output = place.run(&[&["devnet", "up"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(problem), "{said}");
    }
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}
