//! Scenarios, for those who test with a devnet.

use crate::running::Place;

const SCENARIO: &str = r#"
[devnet]
block_time = "off"

[[step]]
do = "faucet"
to = "@erin"
amount = "1btc"
save = "payment"

[[step]]
do = "expect"
height = 141
mempool = 0
agree = true

[[step]]
do = "partition"
groups = [["alice", "bob"]]

[[step]]
do = "mine"
blocks = 2
node = "alice"

[[step]]
do = "mine"
blocks = 3
node = "dave"

[[step]]
do = "expect"
tips = 2

[[step]]
do = "heal"

[[step]]
do = "rpc"
node = "bob"
method = "getrawtransaction"
params = ["$payment", 1]
expect = { confirmations = 4 }

[[step]]
do = "kill"
node = "carol"

[[step]]
do = "expect"
running = 3

[[step]]
do = "wait"
time = "10ms"

[[step]]
do = "restart"
node = "carol"

[[step]]
do = "expect"
node = "carol"
height = 144
peers = 3
within = "20s"
"#;

#[test]
fn a_scenario_passes_when_all_is_so() {
    let place = Place::new();
    let file = place.0.write("scenario.toml", SCENARIO);
    let output = place.run(&["devnet", "test", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "all 13 steps passed\n", "{said}");
    assert!(said.contains("✓ line 5 faucet"), "{said}");
    assert_eq!(place.left(), [file]);
}

#[test]
fn a_scenario_fails_where_something_is_not_so() {
    let place = Place::new();
    let text = "[devnet]\nnodes = 2\nblock_time = 'off'\n\n[[step]]\ndo = 'mine'\n\n[[step]]\ndo = 'expect'\nheight = 150\nwithin = '100ms'\n";
    let file = place.0.write("scenario.toml", text);
    let output = place.run(&["devnet", "test", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    for expected in
        ["✓ line 5 mine", "✗ line 8 expect", "alice: expected height 150, got 141", "error: the step in line 8 failed"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let wrong = place.0.write("wrong.toml", "[[step]]\ndo = 'mine'\nblock = 3\n");
    let output = place.run(&["devnet", "test", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("wrong.toml: line 3: unknown field `block`"), "{said}");
    assert_eq!(place.left().len(), 2, "nothing stays but the files");
}

#[test]
fn a_file_describes_nodes_and_links() {
    let place = Place::new();
    let text = "seed = 7\nblock_time = 'off'\n[[node]]\nname = 'left'\n[[node]]\nname = 'middle'\npeers = ['left']\n\
                [[node]]\nname = 'right'\nmine = false\npeers = ['middle']\n\
                [[link]]\nbetween = ['left', 'middle']\nlatency = '100ms'\n";
    let file = place.0.write("net.toml", text);
    let devnet = place.up(&["-f", file.to_str().unwrap()]);
    assert_eq!(devnet.of_each("name"), ["left", "middle", "right"]);
    assert_eq!(devnet.of_each("peers"), [1, 2, 1]);
    assert_eq!(devnet.attached["seed"], 7);
    let miners: Vec<_> = (0..4).map(|_| devnet.ask(&["mine"])["node"].clone()).collect();
    assert!(!miners.contains(&"right".into()), "{miners:?}");
    let links = devnet.call("left", "getlinks", &[]);
    assert!(links.to_string().contains("\"latency_ms\":100"), "{links}");
    drop(devnet);
    let wrong = place.0.write("wrong.toml", "sed = 7\n");
    let output = place.run(&["devnet", "up", "-f", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_closed_terminal_ends_it_and_leaves_nothing() {
    let place = Place::new();
    place.0.write("scenario.toml", "[[step]]\ndo = \"wait\"\ntime = \"60s\"\n");
    let file = place.0.path().join("scenario.toml");
    let mut command = place.command(&["devnet", "test", file.to_str().unwrap()]);
    let errors = place.0.path().join("errors");
    let mut child = command.stderr(std::fs::File::create(&errors).unwrap()).spawn().unwrap();
    let is_ready = || std::fs::read_to_string(&errors).unwrap().contains("nodes ready").then_some(());
    crate::harness::node_process::wait_for("nodes", is_ready);
    let hung_up = std::process::Command::new("sh").args(["-c", &format!("kill -HUP {}", child.id())]).status().unwrap();
    assert!(hung_up.success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let mut left = place.left();
    left.sort();
    assert_eq!(left, [errors, file]);
}
