//! What the owner of a wallet waits for: the first sync of one with 10,000 transactions in 2,000 blocks, the next one, and a payment by
//! one with 5,000 coins. Each is the command as a user runs it, from start to end, against a node in a process of its own.
//!
//! The sync is held against the limit in the same run: the same calls for the same blocks, whose answers are thrown away.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "what it sets up is a test's")]

#[path = "../../../tests/harness/mod.rs"]
mod harness;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::opcodes::OP_TRUE;
use bitcoin::script::Builder;
use bitcoin::{Address, Amount, Block, BlockHash, OutPoint, Transaction, TxIn, TxOut, Witness};
use cairn_wallet::account::{AddressType, Descriptors};
use cairn_wallet::network::{Network, Stakes};
use cairn_wallet::secret::Secret;
use harness::anyone;
use harness::node_process::Datadir;
use harness::test_node::TestNode;
use serde_json::{Value, json};

/// Blocks with transactions of the first wallet.
const BLOCKS: u32 = 2_000;
/// Its transactions in each.
const EACH: u32 = 5;
/// Coins of the second wallet, and how many of them a transaction makes.
const COINS: u32 = 5_000;
const COINS_EACH: u32 = 250;
/// Payments that are measured.
const PAYMENTS: usize = 7;
const FIRST: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const SECOND: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn main() {
    let running = TestNode::start(Datadir::new(), &[]);
    let start = Instant::now();
    let mut coin = first_coin(&running);
    let (history, coins) = (Addresses::of(FIRST), Addresses::of(SECOND));
    for number in 0..COINS / COINS_EACH {
        let addresses: Vec<_> = (0..COINS_EACH).map(|index| coins.at(number * COINS_EACH + index)).collect();
        let raw = coin.pay(&addresses);
        generate(&running, &[raw]);
    }
    for block in 0..BLOCKS {
        let raw: Vec<_> = (0..EACH).map(|index| coin.pay(&[history.at(block * EACH + index)])).collect();
        generate(&running, &raw);
    }
    println!("{} transactions in {BLOCKS} blocks, ready in {:.1} s", BLOCKS * EACH, start.elapsed().as_secs_f64());

    let limit = read_all_blocks(&running);
    let (_, first) = wallet(&running, &["restore", "history"], FIRST);
    let (balance, again) = wallet(&running, &["balance", "-w", "history", "--json"], "");
    let balance: Value = serde_json::from_str(&balance).unwrap();
    assert_eq!(balance["total"], u64::from(BLOCKS * EACH) * PAID.to_sat());
    println!(
        "first sync {:.2} s, {:.2} x the same calls alone ({:.2} s); the next command {:.0} ms",
        first.as_secs_f64(),
        first.as_secs_f64() / limit.as_secs_f64(),
        limit.as_secs_f64(),
        again.as_secs_f64() * 1e3
    );

    wallet(&running, &["restore", "coins"], SECOND);
    let mut times: Vec<_> = (0..PAYMENTS)
        .map(|_| {
            wallet(&running, &["send", "-w", "coins", "-y", anyone::ADDRESS, "100000sat", "--fee-rate", "2"], "").1
        })
        .collect();
    times.sort();
    println!(
        "payment by a wallet of {COINS} coins: median {:.0} ms of {PAYMENTS}, longest {:.0} ms",
        times[PAYMENTS / 2].as_secs_f64() * 1e3,
        times[PAYMENTS - 1].as_secs_f64() * 1e3
    );
}

/// What each transaction pays to an address.
const PAID: Amount = Amount::from_sat(10_000);

/// Receiving addresses of a wallet.
struct Addresses(Descriptors);

impl Addresses {
    fn of(words: &str) -> Self {
        let addresses = bitcoin::Network::Regtest;
        let genesis = BlockHash::all_zeros();
        let network = Network { name: "regtest".to_owned(), addresses, genesis, stakes: Stakes::Local };
        let secret = Secret::from_words(words, "", &network).unwrap();
        Self(Descriptors::of_account(&secret, AddressType::Wpkh, 0, &network).unwrap())
    }

    fn at(&self, index: u32) -> Address {
        self.0.external.at_derivation_index(index).unwrap().address(bitcoin::Network::Regtest).unwrap()
    }
}

/// A coin that anyone may spend, and that all payments come out of.
struct AnyonesCoin(Transaction, u32);

impl AnyonesCoin {
    /// Pays [`PAID`] to each address; the transaction in hexadecimal.
    fn pay(&mut self, addresses: &[Address]) -> String {
        let script = Builder::new().push_opcode(OP_TRUE).into_script();
        let mine = &self.0.output[self.1 as usize];
        let paid = |address: &Address| TxOut { value: PAID, script_pubkey: address.script_pubkey() };
        let mut output: Vec<_> = addresses.iter().map(paid).collect();
        let value = mine.value - PAID * addresses.len() as u64 - Amount::from_sat(200 * addresses.len() as u64);
        output.push(TxOut { value, script_pubkey: mine.script_pubkey.clone() });
        let input = TxIn {
            previous_output: OutPoint::new(self.0.compute_txid(), self.1),
            witness: Witness::from_slice(&[script.as_bytes()]),
            ..self.0.input[0].clone()
        };
        let transaction = Transaction { input: vec![input], output, ..self.0.clone() };
        let raw = serialize_hex(&transaction);
        *self = Self(transaction, u32::try_from(addresses.len()).unwrap());
        raw
    }
}

fn first_coin(running: &TestNode) -> AnyonesCoin {
    let hashes = running.call("generatetoaddress", json!([101, anyone::ADDRESS]));
    let block = running.call("getblock", json!([hashes[0], 0]));
    let block: Block = deserialize_hex(block.as_str().unwrap()).unwrap();
    let transaction = anyone::spend(&block, 1_000, 1);
    generate(running, &[serialize_hex(&transaction)]);
    AnyonesCoin(transaction, 0)
}

fn generate(running: &TestNode, transactions: &[String]) {
    running.call("generateblock", json!([anyone::ADDRESS, transactions]));
}

/// The calls of a sync, on one connection, without a wallet behind them.
fn read_all_blocks(running: &TestNode) -> Duration {
    use bdk_bitcoind_rpc::bitcoincore_rpc::{Auth, Client, RpcApi};
    let cookie = running.folder().join(".cookie");
    let client = Client::new(&running.rpc.url(), Auth::CookieFile(cookie)).unwrap();
    let start = Instant::now();
    let mut next = Some(client.get_block_hash(1).unwrap());
    while let Some(hash) = next {
        next = client.get_block_info(&hash).unwrap().nextblockhash;
        client.get_block_hex(&hash).unwrap();
    }
    start.elapsed()
}

/// Runs a wallet's command; what it says, and how long it takes.
fn wallet(running: &TestNode, args: &[&str], input: &str) -> (String, Duration) {
    let start = Instant::now();
    let mut command: Command = running.datadir.command(&["wallet", "--network", "regtest"]);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), start.elapsed())
}
