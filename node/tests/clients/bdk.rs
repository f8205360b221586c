//! A wallet of BDK that follows the node by `bdk_bitcoind_rpc`, spends, and sees its transactions come and go.

use bdk_bitcoind_rpc::bitcoincore_rpc::{Auth, Client, RpcApi};
use bdk_bitcoind_rpc::{Emitter, NO_EXPECTED_MEMPOOL_TXS};
use bdk_wallet::chain::{Balance, ChainPosition};
use bdk_wallet::{KeychainKind, SignOptions, Wallet};
use bitcoin::{Amount, BlockHash, FeeRate, Network, Psbt, Transaction, Txid};
use serde_json::json;

use crate::harness::node_process::{Datadir, Node};
use crate::harness::rpc::Rpc;
use crate::purse::Purse;
use crate::scene::generate;

/// The root of the test vectors of BIP32, number 1.
const ROOT: &str =
    "tprv8ZgxMBicQKsPeDgjzdC36fs6bMjGApWDNLR9erAXMs5skhMv36j9MV5ecvfavji5khqjWaWSFhN3YcCUUdiKH6isR4Pwy3U5y5egddBr16m";
const COIN: Amount = Amount::from_int_btc(50);
const PAID: Amount = Amount::from_int_btc(10);

/// A node, and a client of it that a wallet uses.
struct Bank {
    rpc: Rpc,
    client: Client,
    miner: Purse,
    _node: Node,
    _datadir: Datadir,
}

impl Bank {
    fn open() -> Self {
        let datadir = Datadir::new();
        let node = datadir.start("regtest", &[]);
        let rpc = Rpc::of(&datadir, "regtest", &node);
        let cookie = datadir.path().join("regtest").join(".cookie");
        let client = Client::new(&rpc.url(), Auth::CookieFile(cookie)).unwrap();
        Self { rpc, client, miner: Purse::new(1), _node: node, _datadir: datadir }
    }

    fn generate(&self, count: usize) -> Vec<BlockHash> {
        generate(&self.rpc, count, &self.miner)
    }

    /// Finds blocks that leave the mempool alone.
    fn generate_empty(&self, count: usize) {
        for _ in 0..count {
            self.rpc.call("generateblock", &json!([self.miner.address().to_string(), []]));
        }
    }

    fn height(&self) -> u32 {
        u32::try_from(self.client.get_block_count().unwrap()).unwrap()
    }
}

/// The two descriptors of a wallet.
fn wallet(external: &str, internal: &str) -> Wallet {
    let descriptors = (external.replace("ROOT", ROOT), internal.replace("ROOT", ROOT));
    Wallet::create(descriptors.0, descriptors.1).network(Network::Regtest).create_wallet_no_persist().unwrap()
}

/// Brings a wallet to what the node knows; the transactions that the mempool lost.
fn follow(wallet: &mut Wallet, emitter: &mut Emitter<&Client>) -> Vec<Txid> {
    while let Some(event) = emitter.next_block().unwrap() {
        wallet.apply_block_connected_to(&event.block, event.block_height(), event.connected_to()).unwrap();
    }
    let event = emitter.mempool().unwrap();
    let evicted = event.evicted.iter().map(|(txid, _)| *txid).collect();
    wallet.apply_evicted_txs(event.evicted);
    wallet.apply_unconfirmed_txs(event.update);
    evicted
}

#[allow(deprecated, reason = "what replaces it signs without a wallet")]
fn sign(wallet: &mut Wallet, mut psbt: Psbt) -> Transaction {
    assert!(wallet.sign(&mut psbt, SignOptions::default()).unwrap());
    psbt.extract_tx().unwrap()
}

/// The height of the block with a transaction of the wallet; nothing while it is unconfirmed.
fn confirmed_at(wallet: &Wallet, txid: Txid) -> Option<u32> {
    match wallet.get_tx(txid).unwrap().chain_position {
        ChainPosition::Confirmed { anchor, .. } => Some(anchor.block_id.height),
        ChainPosition::Unconfirmed { .. } => None,
    }
}

fn balance(immature: Amount, pending: Amount, confirmed: Amount) -> Balance {
    Balance { immature, trusted_pending: pending, untrusted_pending: Amount::ZERO, confirmed }
}

const NONE: Amount = Amount::ZERO;

/// The life of a coin: found, matured, spent, replaced, confirmed, reorganised, confirmed again, gone.
fn lives(external: &str, internal: &str) {
    let bank = Bank::open();
    let mut wallet = wallet(external, internal);
    let mut emitter = Emitter::new(&bank.client, wallet.latest_checkpoint(), 0, NO_EXPECTED_MEMPOOL_TXS);
    follow(&mut wallet, &mut emitter);
    assert_eq!(wallet.balance(), Balance::default());

    let address = wallet.reveal_next_address(KeychainKind::External).address;
    let first = bank.client.generate_to_address(1, &address).unwrap()[0];
    bank.generate(98);
    follow(&mut wallet, &mut emitter);
    assert_eq!(wallet.latest_checkpoint().height(), 99);
    assert_eq!(wallet.balance(), balance(COIN, NONE, NONE), "100 blocks make it spendable");
    bank.generate(1);
    follow(&mut wallet, &mut emitter);
    assert_eq!(wallet.balance(), balance(NONE, NONE, COIN));

    // Unconfirmed.
    let mut builder = wallet.build_tx();
    builder.add_recipient(bank.miner.address().script_pubkey(), PAID);
    builder.fee_rate(FeeRate::from_sat_per_vb(5).unwrap());
    let psbt = builder.finish().unwrap();
    let cheap = sign(&mut wallet, psbt);
    let cheap_txid = bank.client.send_raw_transaction(&cheap).unwrap();
    assert_eq!(cheap_txid, cheap.compute_txid());
    assert!(follow(&mut wallet, &mut emitter).is_empty());
    let fee = wallet.calculate_fee(&cheap).unwrap();
    assert_eq!(bank.client.get_mempool_entry(&cheap_txid).unwrap().fees.base, fee);
    assert_eq!(wallet.balance(), balance(NONE, COIN - PAID - fee, NONE));
    assert_eq!(confirmed_at(&wallet, cheap_txid), None);

    // Replaced by one that pays more.
    let mut builder = wallet.build_fee_bump(cheap_txid).unwrap();
    builder.fee_rate(FeeRate::from_sat_per_vb(20).unwrap());
    let psbt = builder.finish().unwrap();
    let paying = sign(&mut wallet, psbt);
    let txid = bank.client.send_raw_transaction(&paying).unwrap();
    assert_eq!(follow(&mut wallet, &mut emitter), [cheap_txid]);
    let replaced = fee;
    let fee = wallet.calculate_fee(&paying).unwrap();
    assert!(fee > replaced);
    let left = COIN - PAID - fee;
    assert_eq!(wallet.balance(), balance(NONE, left, NONE));
    assert!(wallet.get_tx(cheap_txid).is_none(), "it is not part of the wallet's history");

    // Confirmed.
    let holder = bank.generate(1)[0];
    follow(&mut wallet, &mut emitter);
    assert_eq!(wallet.balance(), balance(NONE, NONE, left));
    assert_eq!(confirmed_at(&wallet, txid), Some(101));

    // Another branch does not have it.
    bank.client.invalidate_block(&holder).unwrap();
    bank.generate_empty(2);
    assert!(follow(&mut wallet, &mut emitter).is_empty(), "the mempool took it back");
    assert_eq!(wallet.latest_checkpoint().height(), 102);
    assert_eq!(wallet.latest_checkpoint().hash(), bank.client.get_best_block_hash().unwrap());
    assert_eq!(wallet.balance(), balance(NONE, left, NONE));
    assert_eq!(confirmed_at(&wallet, txid), None);

    // And then it does.
    bank.generate(1);
    follow(&mut wallet, &mut emitter);
    assert_eq!(wallet.balance(), balance(NONE, NONE, left));
    assert_eq!(confirmed_at(&wallet, txid), Some(103));
    check_restored(&bank, &wallet, (external, internal));

    // A branch without the coin itself.
    bank.client.invalidate_block(&first).unwrap();
    bank.generate(104);
    follow(&mut wallet, &mut emitter);
    assert_eq!((bank.height(), wallet.latest_checkpoint().height()), (104, 104));
    assert_eq!(wallet.latest_checkpoint().hash(), bank.client.get_best_block_hash().unwrap());
    assert_eq!(bank.client.get_raw_mempool().unwrap(), Vec::<Txid>::new());
    assert_eq!(wallet.balance().confirmed, NONE);
}

/// A wallet that sees all of it for the first time comes to the same.
fn check_restored(bank: &Bank, old: &Wallet, descriptors: (&str, &str)) {
    let mut restored = wallet(descriptors.0, descriptors.1);
    let mut emitter = Emitter::new(&bank.client, restored.latest_checkpoint(), 0, NO_EXPECTED_MEMPOOL_TXS);
    follow(&mut restored, &mut emitter);
    assert_eq!(restored.balance(), old.balance());
    assert_eq!(restored.latest_checkpoint().hash(), old.latest_checkpoint().hash());
    let history = |wallet: &Wallet| {
        let mut txids: Vec<Txid> = wallet.transactions().map(|tx| tx.tx_node.txid).collect();
        txids.sort();
        txids
    };
    assert_eq!(history(&restored), history(old));
}

#[test]
fn a_wallet_of_segwit() {
    lives("wpkh(ROOT/84'/1'/0'/0/*)", "wpkh(ROOT/84'/1'/0'/1/*)");
}

#[test]
fn a_wallet_of_taproot() {
    lives("tr(ROOT/86'/1'/0'/0/*)", "tr(ROOT/86'/1'/0'/1/*)");
}

/// A wallet that starts late need not see what came before.
#[test]
fn a_wallet_that_starts_above_genesis() {
    let bank = Bank::open();
    bank.generate(20);
    let mut wallet = wallet("wpkh(ROOT/84'/1'/0'/0/*)", "wpkh(ROOT/84'/1'/0'/1/*)");
    let address = wallet.reveal_next_address(KeychainKind::External).address;
    bank.client.generate_to_address(3, &address).unwrap();
    let mut emitter = Emitter::new(&bank.client, wallet.latest_checkpoint(), 22, NO_EXPECTED_MEMPOOL_TXS);
    let mut heights = Vec::new();
    while let Some(event) = emitter.next_block().unwrap() {
        heights.push(event.block_height());
        wallet.apply_block_connected_to(&event.block, event.block_height(), event.connected_to()).unwrap();
    }
    assert_eq!(heights, [22, 23]);
    assert_eq!(wallet.balance(), balance(COIN * 2, NONE, NONE));
}
