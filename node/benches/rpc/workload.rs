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
const BASE: u32 = 116;

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
    pub(crate) checks: Vec<SignatureCheck>,
}

/// Transactions that a node does not take before more blocks are mined: coinbases, and what spends such.
#[derive(Default)]
struct Premature(HashSet<Txid>);

impl Premature {
    /// Whether a transaction has to wait, too.
    fn holds_up(&mut self, transaction: &Transaction) -> bool {
        let waits = transaction.input.iter().any(|input| self.0.contains(&input.previous_output.txid));
        if waits {
            self.0.insert(transaction.compute_txid());
        }
        waits
    }

    fn insert_coinbase(&mut self, block: &Block) {
        self.0.insert(block.txdata[0].compute_txid());
    }
}

impl SentBlock {
    fn of(generated: GeneratedBlock, premature: &mut Premature) -> Self {
        let GeneratedBlock { block, signature_checks: checks } = generated;
        premature.insert_coinbase(&block);
        let transactions = block.txdata[1..].iter().filter(|transaction| !premature.holds_up(transaction));
        let transactions = transactions.map(serialize_hex).collect();
        Self { hex: serialize_hex(&block), transactions, checks }
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.hex.len() / 2
    }
}

impl Workload {
    pub(crate) fn generate() -> Self {
        // One more for single transactions, and one for what is premature.
        let sent = u32::try_from(POOLED.div_ceil(TRANSACTIONS) + 2).expect("a few blocks");
        // So many coins that a transaction seldom spends what another of the pool made, however full that is.
        let coins = 2 * POOLED + 4 * TRANSACTIONS;
        let options = ChainOptions { blocks: BASE + sent, transactions_per_block: TRANSACTIONS, coins, seed: 4 };
        let mut generator = ChainGenerator::new(options);
        let mut premature = Premature::default();
        let base = (1..=BASE).zip(&mut generator).map(|(height, GeneratedBlock { block, .. })| {
            if height + COINBASE_MATURITY > BASE + 1 {
                premature.insert_coinbase(&block);
            }
            BaseBlock { hash: block.block_hash().to_string(), hex: serialize_hex(&block) }
        });
        let base = base.collect();
        Self { base, sent: generator.map(|generated| SentBlock::of(generated, &mut premature)).collect() }
    }
}
