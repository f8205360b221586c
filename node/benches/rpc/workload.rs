//! The blocks and transactions that a node is given.

use std::collections::HashSet;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::constants::COINBASE_MATURITY;
use bitcoin::{Block, Transaction, Txid};
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions, GeneratedBlock, SignatureCheck};

use crate::POOLED;

/// Transactions of a block. Blocks that split coins, too, hold no more.
const TRANSACTIONS: usize = 2_000;
/// Blocks that a node has from the start: the last ones are full.
const BASE: u32 = 140;

/// A chain, and blocks on top of it whose transactions are sent.
pub(crate) struct Workload {
    pub(crate) base: Vec<BaseBlock>,
    /// Two blocks for the tip, more to fill the pool, and one for single transactions.
    pub(crate) sent: Vec<SentBlock>,
}

/// A block that a node has from the start.
pub(crate) struct BaseBlock {
    pub(crate) hash: String,
    pub(crate) hex: String,
}

/// A block whose transactions are sent before it, if it is sent at all.
pub(crate) struct SentBlock {
    pub(crate) hex: String,
    /// In hexadecimal digits: those that a node without any of these blocks takes.
    pub(crate) transactions: Vec<String>,
    /// Places and ids of those in `transactions` that spend nothing of the blocks that are sent: pools take any number of them.
    independent: Vec<(usize, Txid)>,
    pub(crate) checks: Vec<SignatureCheck>,
}

/// Transactions that are not in the chain yet.
#[derive(Default)]
struct Unconfirmed {
    /// Those that a node does not take before more blocks are mined: coinbases, and what spends such.
    premature: HashSet<Txid>,
    /// Those that are sent.
    sent: HashSet<Txid>,
}

impl Unconfirmed {
    fn insert_coinbase(&mut self, block: &Block) {
        self.premature.insert(block.txdata[0].compute_txid());
    }

    /// Whether a transaction can be sent, and if so whether it spends only what is confirmed.
    fn insert(&mut self, transaction: &Transaction) -> Option<bool> {
        let spends =
            |of: &HashSet<Txid>| transaction.input.iter().any(|input| of.contains(&input.previous_output.txid));
        let (waits, depends) = (spends(&self.premature), spends(&self.sent));
        let inserted = if waits { &mut self.premature } else { &mut self.sent };
        inserted.insert(transaction.compute_txid());
        (!waits).then_some(!depends)
    }
}

impl SentBlock {
    fn of(generated: GeneratedBlock, unconfirmed: &mut Unconfirmed) -> Self {
        let GeneratedBlock { block, signature_checks: checks } = generated;
        unconfirmed.insert_coinbase(&block);
        let (mut transactions, mut independent) = (Vec::new(), Vec::new());
        for transaction in &block.txdata[1..] {
            if let Some(is_independent) = unconfirmed.insert(transaction) {
                independent.extend(is_independent.then(|| (transactions.len(), transaction.compute_txid())));
                transactions.push(serialize_hex(transaction));
            }
        }
        Self { hex: serialize_hex(&block), transactions, independent, checks }
    }

    /// The transactions that spend nothing of the blocks that are sent, and their ids.
    pub(crate) fn independent(&self) -> impl Iterator<Item = (&String, &Txid)> {
        self.independent.iter().map(|(place, txid)| (&self.transactions[*place], txid))
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.hex.len() / 2
    }
}

impl Workload {
    pub(crate) fn generate() -> Self {
        // About seven of ten transactions spend nothing of the others, when there are eight times as many coins.
        let sent = u32::try_from((POOLED * 3 / 2).div_ceil(TRANSACTIONS) + 1).expect("a few blocks");
        let coins = 8 * POOLED;
        let options = ChainOptions { blocks: BASE + sent, transactions_per_block: TRANSACTIONS, coins, seed: 4 };
        let mut generator = ChainGenerator::new(options);
        let mut unconfirmed = Unconfirmed::default();
        let base = (1..=BASE).zip(&mut generator).map(|(height, GeneratedBlock { block, .. })| {
            if height + COINBASE_MATURITY > BASE + 1 {
                unconfirmed.insert_coinbase(&block);
            }
            BaseBlock { hash: block.block_hash().to_string(), hex: serialize_hex(&block) }
        });
        let base = base.collect();
        Self { base, sent: generator.map(|generated| SentBlock::of(generated, &mut unconfirmed)).collect() }
    }
}
