//! The blocks and transactions that a node is given.

use bitcoin::consensus::encode::serialize_hex;
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
    /// In hexadecimal digits, without the coinbase.
    pub(crate) transactions: Vec<String>,
    pub(crate) checks: Vec<SignatureCheck>,
}

impl SentBlock {
    fn of(generated: GeneratedBlock) -> Self {
        let GeneratedBlock { block, signature_checks: checks } = generated;
        let transactions = block.txdata[1..].iter().map(serialize_hex).collect();
        Self { hex: serialize_hex(&block), transactions, checks }
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.hex.len() / 2
    }
}

impl Workload {
    pub(crate) fn generate() -> Self {
        let sent = u32::try_from(POOLED.div_ceil(TRANSACTIONS) + 1).expect("a few blocks");
        // So many coins that a transaction seldom spends what another of the pool made, however full that is.
        let coins = 2 * POOLED + 4 * TRANSACTIONS;
        let options = ChainOptions { blocks: BASE + sent, transactions_per_block: TRANSACTIONS, coins, seed: 4 };
        let mut generator = ChainGenerator::new(options);
        let base = (&mut generator).take(usize::try_from(BASE).expect("a small number")).map(|generated| BaseBlock {
            hash: generated.block.block_hash().to_string(),
            hex: serialize_hex(&generated.block),
        });
        let base = base.collect();
        Self { base, sent: generator.map(SentBlock::of).collect() }
    }
}
