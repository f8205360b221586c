//! The first five minutes of somebody who tries it, in terminals as they have them: each line they type, and what they are shown.

use rexpect::process::WaitStatus;
use rexpect::session::PtySession;

use crate::harness::terminal::run_in_terminal;
use crate::running::Place;

/// A terminal in which a command of ours runs.
struct Terminal(PtySession);

impl Terminal {
    fn open(place: &Place, args: &[&str]) -> Self {
        Self(run_in_terminal(&place.command(args)))
    }

    /// Waits for a text; what came before it.
    fn sees(&mut self, text: &str) -> String {
        self.0.exp_string(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn sees_pattern(&mut self, pattern: &str) -> String {
        self.0.exp_regex(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).1
    }

    fn types(&mut self, line: &str) {
        self.0.send_line(line).unwrap();
    }

    /// Waits for its end, which is a good one; what it still said.
    fn ends(mut self) -> String {
        let rest = self.0.exp_eof().unwrap();
        match self.0.process().wait().unwrap() {
            WaitStatus::Exited(_, 0) => rest,
            other => panic!("it ended by {other:?}: {rest}"),
        }
    }
}

#[test]
fn the_first_five_minutes() {
    let place = Place::new();
    let mut devnet = Terminal::open(&place, &["devnet"]);
    devnet.sees("4 nodes on network devnet");
    devnet.sees("ten accounts with 100 BTC each");
    devnet.sees("seed words  test test test");
    devnet.sees("never use them for real money");
    devnet.sees("alice  http://127.0.0.1:");
    devnet.sees("Prometheus");
    let ready = devnet.sees_pattern(r"ready in \d+\.\d s");
    println!("{ready}");
    let run = |args: &[&str]| Terminal::open(&place, args);

    // A wallet on the network that runs, without a word about where it is.
    let mut create = run(&["wallet", "create", "me"]);
    create.sees("Write these words down");
    assert!(create.ends().contains("Wallet me of devnet: no passphrase"));
    assert!(run(&["devnet", "faucet", "me", "2btc"]).ends().contains("sent 2 BTC to bcrt1q"));
    let mut balance = run(&["wallet", "balance"]);
    balance.sees("2.00000000 BTC  can be spent");
    balance.ends();

    let mut send = run(&["wallet", "send", "@bob", "0.5btc"]);
    send.sees("(@bob)");
    send.sees("0.50000000 BTC");
    send.sees("back to this wallet");
    send.sees("Send? [y/N]");
    send.types("y");
    assert!(send.ends().contains("is in the node's mempool; it has 3 peers"));
    let mut mine = run(&["devnet", "mine"]);
    mine.sees("mined 1");
    mine.sees("all 4 agree");
    mine.ends();
    assert!(run(&["wallet", "history"]).ends().contains("@bob"));

    // Two networks, each with blocks of its own, and one again. Who gives way is told.
    run(&["devnet", "mining", "--block-time", "off"]).ends();
    assert!(run(&["devnet", "partition", "alice,bob", "/", "carol,dave"]).ends().contains("cut 4 links"));
    run(&["devnet", "mine", "2", "--node", "alice"]).ends();
    run(&["devnet", "mine", "3", "--node", "carol"]).ends();
    let healed = run(&["devnet", "heal"]).ends();
    assert!(healed.contains("on 4 of 4 nodes"), "{healed}");
    assert!(healed.contains("alice") && healed.contains("bob") && healed.contains("2 blocks"), "{healed}");

    let env = run(&["devnet", "env"]).ends();
    assert!(env.contains("export CAIRN_RPC_URL='http://127.0.0.1:"), "{env}");
    let status = run(&["devnet", "status"]).ends();
    assert!(["alice", "bob", "carol", "dave"].iter().all(|name| status.contains(name)), "{status}");

    devnet.0.send_control('c').unwrap();
    devnet.sees("4 nodes stopped cleanly");
    devnet.ends();
    assert!(place.left().is_empty(), "{:?}", place.left());
}
