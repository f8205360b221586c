//! Chains on regtest for measuring nodes: full of signatures, empty, or with very many coins. Options determine them.
//!
//! Outputs are a mix of 50 % P2WPKH, 30 % P2TR (key path), 10 % P2PKH and 10 % P2WSH 2-of-3. As soon as coinbases mature,
//! up to 60 transactions a block split a large coin into 200 each until there are as many coins as asked for. All other
//! transactions have two inputs, drawn at random, and two outputs.

mod block_assembly;
mod coin;
mod generated_chain;
mod keys;
mod payment;
mod signature_check;

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::constants::{COINBASE_MATURITY, genesis_block};
use bitcoin::{Block, Network};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::random::Random;
pub use block_assembly::assemble;
use coin::{Coin, Destination};
pub use generated_chain::GeneratedChain;
use keys::Keys;
use payment::{Payment, SignedPayment};
pub use signature_check::{SignatureCheck, SignatureKind};

/// Outputs of a transaction that splits a coin.
const SPLIT_OUTPUTS: usize = 200;
/// The most transactions of a block that split a coin.
const MAX_SPLITS: usize = 60;
/// Coins of more than this many satoshis are split while the chain grows; what they are split into is still worth spending.
const LARGE: u64 = 1_000_000;

/// What determines a chain, to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainOptions {
    /// Blocks after genesis.
    pub blocks: u32,
    /// Transactions of a block, as soon as there are coins for them; the coinbase is one more.
    pub transactions_per_block: usize,
    /// Spendable coins at which splitting ends.
    pub coins: usize,
    /// Another seed gives another chain of the same shape.
    pub seed: u64,
}

/// A block, and what its scripts ask libsecp256k1.
#[derive(Clone, Debug)]
pub struct GeneratedBlock {
    /// The block, valid on top of the one before.
    pub block: Block,
    /// Every call that verifies a signature, in the order in which the scripts make them.
    pub signature_checks: Vec<SignatureCheck>,
}

/// Makes the blocks of a chain one by one, from height 1 on. It holds the coins, not the blocks.
#[derive(Clone)]
pub struct ChainGenerator {
    options: ChainOptions,
    random: Random,
    keys: Arc<Keys>,
    height: u32,
    tip: Header,
    /// Coinbases with their heights, the oldest first.
    immature: VecDeque<(u32, Coin)>,
    /// Coins to split; empty once the chain has grown.
    large: Vec<Coin>,
    coins: Vec<Coin>,
}

impl ChainGenerator {
    /// A chain that ends with genesis.
    #[must_use]
    pub fn new(options: ChainOptions) -> Self {
        Self {
            options,
            random: Random::new(options.seed),
            keys: Arc::new(Keys::new()),
            height: 0,
            tip: genesis_block(Network::Regtest).header,
            immature: VecDeque::new(),
            large: Vec::new(),
            coins: Vec::new(),
        }
    }

    /// A generator that goes on from here with other blocks.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        Self { random: Random::new(seed), ..self.clone() }
    }

    /// Coins that the next blocks can spend.
    #[must_use]
    pub fn spendable_coins(&self) -> usize {
        self.large.len() + self.coins.len()
    }

    fn mature(&mut self) {
        while self.immature.front().is_some_and(|(height, _)| self.height - height >= COINBASE_MATURITY) {
            self.large.extend(self.immature.pop_front().map(|(_, coin)| coin));
        }
    }

    /// The transactions of the next block, unsigned. All their coins are older than the block, so that they can be signed
    /// in any order.
    fn payments(&mut self) -> Vec<Payment> {
        let room = self.options.transactions_per_block;
        let missing = self.options.coins.saturating_sub(self.spendable_coins());
        let mut payments = Vec::with_capacity(room);
        if missing > 0 {
            let splits = missing.div_ceil(SPLIT_OUTPUTS - 1).min(MAX_SPLITS).min(room).min(self.large.len());
            for coin in self.large.split_off(self.large.len() - splits) {
                payments.push(Payment { inputs: vec![coin], outputs: self.destinations(SPLIT_OUTPUTS) });
            }
        } else {
            self.coins.append(&mut self.large);
        }
        while payments.len() < room && self.coins.len() >= 2 {
            let inputs = vec![self.take_coin(), self.take_coin()];
            payments.push(Payment { inputs, outputs: self.destinations(2) });
        }
        payments
    }

    fn take_coin(&mut self) -> Coin {
        let index = self.random.below(self.coins.len());
        self.coins.swap_remove(index)
    }

    fn destinations(&mut self, count: usize) -> Vec<Destination> {
        (0..count).map(|_| Destination::draw(&mut self.random)).collect()
    }

    fn add_coins(&mut self, signed: &SignedPayment) {
        for coin in signed.coins() {
            let grown = self.options.coins <= self.spendable_coins();
            let coins = if coin.amount > LARGE && !grown { &mut self.large } else { &mut self.coins };
            coins.push(coin);
        }
    }
}

impl Iterator for ChainGenerator {
    type Item = GeneratedBlock;

    fn next(&mut self) -> Option<GeneratedBlock> {
        if self.height == self.options.blocks {
            return None;
        }
        self.height += 1;
        self.mature();
        let payments = self.payments();
        let signed: Vec<SignedPayment> = payments.par_iter().map(|payment| payment.sign(&self.keys)).collect();
        for payment in &signed {
            self.add_coins(payment);
        }
        let (transactions, checks): (Vec<_>, Vec<_>) =
            signed.into_iter().map(|payment| (payment.transaction, payment.signature_checks)).unzip();

        let miner = Destination::draw_miner(&mut self.random);
        let script_pubkey = self.keys.script_pubkey(miner).to_owned();
        let block = block_assembly::assemble(&self.tip, self.height, script_pubkey, transactions);
        self.tip = block.header;
        let coinbase = &block.txdata[0];
        let amount = coinbase.output[0].value.to_sat();
        // Without a subsidy there is nothing to spend.
        if amount > 0 {
            let coin = Coin { txid: coinbase.compute_txid(), vout: 0, amount, destination: miner };
            self.immature.push_back((self.height, coin));
        }
        Some(GeneratedBlock { block, signature_checks: checks.concat() })
    }
}
