//! A person at the keyboard: questions, hidden passphrases, confirmations.

use rexpect::process::Signal;
use rexpect::session::PtySession;
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;

use crate::harness::node_process::{Datadir, wait_for};
use crate::harness::terminal::run_in_terminal;
use crate::scene::{ABANDON, Scene, Wallets};

const BOB: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// A command in a terminal of its own.
fn start(wallets: &Wallets<'_>, args: &[&str]) -> PtySession {
    run_in_terminal(&wallets.command(args))
}

/// A node, and a wallet with a coin, whose words are under a passphrase.
fn with_a_sealed_wallet() -> Scene {
    let scene = Scene::open();
    let file = scene.datadir.write("passphrase", "open sesame\n");
    scene.wallets().restore("alice", ABANDON, &["--password-file", file.to_str().unwrap()]).success();
    scene.fund("alice", 1);
    scene
}

fn code(session: PtySession) -> i32 {
    match session.process().wait().unwrap() {
        rexpect::process::WaitStatus::Exited(_, code) => code,
        other => panic!("it ended by {other:?}"),
    }
}

/// Creates a wallet as a person would; the words that were shown.
fn create(wallets: &Wallets<'_>, name: &str, passphrase: &str) -> Vec<String> {
    let mut session = start(wallets, &["create", name, "--words", "12"]);
    let (words, first) = read_words(&mut session);
    let mut asked = first;
    loop {
        session.send_line(&words[asked - 1]).unwrap();
        let (_, question) = session.exp_regex(r"(Word \d+|New passphrase): ").unwrap();
        match question.strip_prefix("Word ").and_then(|rest| rest.trim_end_matches(": ").parse().ok()) {
            Some(next) => asked = next,
            None => break,
        }
    }
    session.send_line(passphrase).unwrap();
    session.exp_string("The same again: ").unwrap();
    // The words that were written down are not lost by a slip.
    session.send_line("open barley").unwrap();
    session.exp_string("these are two different passphrases; try again").unwrap();
    session.exp_string("New passphrase: ").unwrap();
    session.send_line(passphrase).unwrap();
    session.exp_string("The same again: ").unwrap();
    session.send_line(passphrase).unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("sealed with a passphrase") && !rest.contains(passphrase), "{rest}");
    assert_eq!(code(session), 0);
    words
}

/// The words that are shown, and the number of the first that is asked for.
fn read_words(session: &mut PtySession) -> (Vec<String>, usize) {
    session.exp_string("shown this once").unwrap();
    let (text, question) = session.exp_regex(r"Word \d+: ").unwrap();
    let mut words = vec![String::new(); 12];
    let tokens: Vec<_> = text.split_whitespace().collect();
    for pair in tokens.windows(2) {
        if let Ok(number @ 1..=12) = pair[0].parse::<usize>() {
            words[number - 1] = pair[1].to_owned();
        }
    }
    assert!(words.iter().all(|word| !word.is_empty()), "{text}");
    (words, question.trim_start_matches("Word ").trim_end_matches(": ").parse().unwrap())
}

#[test]
fn words_are_asked_back() {
    let datadir = Datadir::new();
    // Where coins are money, and nobody has to run a node for that.
    let wallets = Wallets { datadir: &datadir, network: "cairn", node: vec!["--offline".to_owned()] };

    // Who does not know the words gets no wallet.
    let mut session = start(&wallets, &["create", "alice", "--words", "12"]);
    read_words(&mut session);
    for _ in 0..2 {
        session.send_line("zebra zebra").unwrap();
        session.exp_string("that is another word; try again").unwrap();
    }
    session.send_line("zebra zebra").unwrap();
    session.exp_string("nothing was saved").unwrap();
    assert_eq!(code(session), 5);
    assert_eq!(wallets.json(&["list"]), json!([]));

    let words = create(&wallets, "alice", "open sesame");
    // The words that were shown are the wallet.
    let mut session = start(&wallets, &["restore", "again", "--no-passphrase"]);
    session.exp_string("Words: ").unwrap();
    session.send_line(&words.join(" ")).unwrap();
    session.exp_string("Wallet again of cairn").unwrap();
    assert_eq!(code(session), 0);
    let export = |name: &str| wallets.json(&["export", "-w", name])["descriptor"].clone();
    assert_eq!(export("again"), export("alice"));
    wallets.run(&["sign-message", "-w", "alice", &wallets.address("alice"), "hello"]).fails(2, "--password-file");
}

#[test]
fn payments_are_confirmed() {
    let scene = with_a_sealed_wallet();
    let wallets = scene.wallets();

    // No is no, and so is nothing.
    for answer in ["n", ""] {
        let mut session = start(&wallets, &["send", BOB, "1btc", "--fee-rate", "2"]);
        session.exp_string("2.0 sat/vB").unwrap();
        session.exp_string("Send? [y/N]").unwrap();
        session.send_line(answer).unwrap();
        session.exp_string("nothing was sent").unwrap();
        assert_eq!(code(session), 5);
    }
    let mut session = start(&wallets, &["send", BOB, "1btc"]);
    session.exp_string("Send? [y/N]").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("Passphrase: ").unwrap();
    for _ in 0..2 {
        session.send_line("open barley").unwrap();
        session.exp_string("wrong passphrase; try again").unwrap();
        session.exp_string("Passphrase: ").unwrap();
    }
    session.send_line("open barley").unwrap();
    session.exp_string("wrong passphrase").unwrap();
    assert_eq!(code(session), 1);
    assert_eq!(scene.rpc.call("getrawmempool", &json!([])), json!([]));

    let mut session = start(&wallets, &["send", BOB, "1btc"]);
    session.exp_string("alice on regtest").unwrap();
    session.exp_string(BOB).unwrap();
    session.exp_string("1.00000000 BTC").unwrap();
    session.exp_string("back to this wallet").unwrap();
    session.exp_string("Send? [y/N]").unwrap();
    session.send_line("yes").unwrap();
    session.exp_string("Passphrase: ").unwrap();
    session.send_line("open barley").unwrap();
    session.exp_string("try again").unwrap();
    session.exp_string("Passphrase: ").unwrap();
    session.send_line("open sesame").unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("is in the node's mempool") && !rest.contains("sesame"), "{rest}");
    assert_eq!(code(session), 0);
    assert_eq!(scene.rpc.call("getrawmempool", &json!([])).as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupted_question_leaves_the_terminal_as_it_was() {
    let scene = with_a_sealed_wallet();
    let wallets = scene.wallets();
    let mut session = start(&wallets, &["send", BOB, "1btc", "-y"]);
    session.exp_string("Passphrase: ").unwrap();
    // Line by line, as terminals are; a hidden question reads key by key.
    let is_usual = |session: &PtySession| {
        let settings = tcgetattr(session.process().get_file_handle().unwrap()).unwrap();
        settings.local_modes.contains(LocalModes::ICANON)
    };
    wait_for("the hidden question", || (!is_usual(&session)).then_some(()));
    session.send_control('c').unwrap();
    let status = session.process().wait().unwrap();
    assert!(matches!(status, rexpect::process::WaitStatus::Signaled(_, Signal::SIGINT, _)), "{status:?}");
    assert!(is_usual(&session));
}

#[test]
fn addresses_are_drawn() {
    let scene = Scene::open();
    let wallets = scene.wallets();
    wallets.run(&["create", "alice"]).success();
    let mut session = start(&wallets, &["receive", "--amount", "0.5btc", "--label", "rent of May"]);
    let text = session.exp_eof().unwrap();
    assert!(text.contains("?amount=0.5&label=rent%20of%20May"), "{text}");
    // The terminal is read byte by byte: this is the first of those that a block is drawn with.
    assert!(text.lines().filter(|line| line.contains('\u{e2}')).count() > 10, "{text}");
    let plain = wallets.say(&["receive"]);
    assert_eq!(plain.lines().count(), 1, "nothing is drawn for programs");
}
