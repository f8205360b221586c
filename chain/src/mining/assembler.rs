//! Which transactions are mined.

use std::sync::Arc;

use bitcoin::Amount;

use super::template::witness_root;
use super::{BlockTemplate, CoinbaseTemplate, NextBlock, TemplateError, TemplateOptions, TemplateTransaction};
use crate::chainstate::Chainstate;
use crate::header_chain::HeaderChain;
use crate::mempool::{Chunk, FeeRate, Mempool, MempoolEntry};
use crate::params::Deployment;
use crate::validation::{
    MAX_BLOCK_SIGOPS_COST, ProposalChecks, block_subsidy, compute_block_version, deployment_state, is_final,
};

/// Chunks in a row that do not fit, after which a block that is nearly full is taken for full (Core:
/// `MAX_CONSECUTIVE_FAILURES`, `node/miner.cpp`).
const MAX_CONSECUTIVE_FAILURES: u32 = 1000;
/// Weight below the most, in weight units, from which on a block is nearly full (Core: `BLOCK_FULL_ENOUGH_WEIGHT_DELTA`,
/// `node/miner.cpp`).
const BLOCK_FULL_ENOUGH_WEIGHT_DELTA: usize = 4000;

/// The best block on top of the tip (Core: `BlockAssembler::CreateNewBlock`, `node/miner.cpp`). The pool must have been told of
/// every block of the chain.
///
/// # Errors
///
/// When no block can be made with these options, or the one that was made is not valid.
pub fn create_block_template(
    chain: &Chainstate,
    mempool: &Mempool,
    options: &TemplateOptions,
) -> Result<BlockTemplate, TemplateError> {
    options.check()?;
    let params = chain.params();
    let headers = chain.active_chain();
    let height = headers.height() + 1;
    let has_segwit = params.consensus.activation.is_active_at(Deployment::Segwit, height);
    let mut assembler = BlockAssembler::new(options, height, headers.median_time_past(), has_segwit);
    if options.use_mempool {
        assembler.add_chunks(mempool);
    }
    let BlockAssembler { transactions, chunk_fee_rates, weight, sigop_cost, fees, .. } = assembler;
    let reward = Amount::from_sat(fees.saturating_add(block_subsidy(height, &params.consensus).to_sat()));
    let root = witness_root(&transactions);
    let next = NextBlock::after(&headers, &params.consensus.pow);
    let template = BlockTemplate {
        height,
        version: options.block_version.unwrap_or_else(|| compute_block_version(&headers, &params.testdummy)),
        previous_block: headers.tip().hash,
        time: next.time_at(chain.adjusted_time()),
        next,
        coinbase: CoinbaseTemplate::new(height, reward, options.coinbase_script.clone(), &root, has_segwit),
        transactions,
        chunk_fee_rates,
        weight,
        sigop_cost,
        mempool_updates: mempool.updates(),
        has_segwit,
        is_signet: params.consensus.signet_challenge.is_some(),
        testdummy: (params.testdummy, deployment_state(&headers, height, &params.testdummy).state),
    };
    if options.test_block_validity {
        let checks = ProposalChecks { proof_of_work: false, merkle_root: true };
        chain.test_block_validity(template.block(), checks)?.map_err(TemplateError::Invalid)?;
    }
    Ok(template)
}

/// A block that is being filled (Core: `BlockAssembler`, `node/miner.h`).
struct BlockAssembler<'a> {
    options: &'a TemplateOptions,
    height: u32,
    /// What lock times are compared with, in seconds since 1970 (Core: `m_lock_time_cutoff`).
    lock_time_cutoff: u32,
    has_segwit: bool,
    transactions: Vec<TemplateTransaction>,
    chunk_fee_rates: Vec<FeeRate>,
    /// Weight units, what is kept free included.
    weight: usize,
    sigop_cost: usize,
    /// Satoshis.
    fees: u64,
}

impl<'a> BlockAssembler<'a> {
    fn new(options: &'a TemplateOptions, height: u32, lock_time_cutoff: u32, has_segwit: bool) -> Self {
        Self {
            options,
            height,
            lock_time_cutoff,
            has_segwit,
            transactions: Vec::new(),
            chunk_fee_rates: Vec::new(),
            weight: options.block_reserved_weight,
            sigop_cost: options.coinbase_output_max_additional_sigops,
            fees: 0,
        }
    }

    /// Fills the block, the best chunks first (Core: `addChunks`).
    fn add_chunks(&mut self, mempool: &Mempool) {
        let mut builder = mempool.graph().block_builder();
        let mut failures = 0;
        let mut entries: Vec<&MempoolEntry> = Vec::new();
        while let Some(chunk) = builder.current() {
            let fee_rate = chunk.fee_rate().weight_to_vbytes();
            if fee_rate.cmp_rate(self.options.block_min_fee_rate).is_lt() {
                return;
            }
            entries.clear();
            entries.extend(chunk.transactions().map(|index| mempool.entry(index)));
            if self.fits(&chunk, &entries) {
                builder.include();
                failures = 0;
                self.chunk_fee_rates.push(fee_rate);
                for entry in &entries {
                    self.add(entry);
                }
            } else {
                builder.skip();
                failures += 1;
                let is_nearly_full = self.weight + BLOCK_FULL_ENOUGH_WEIGHT_DELTA > self.options.block_max_weight;
                if failures > MAX_CONSECUTIVE_FAILURES && is_nearly_full {
                    return;
                }
            }
        }
    }

    /// Whether a chunk may be in the block and has room there (Core: `TestChunkBlockLimits`, `TestChunkTransactions`).
    fn fits(&self, chunk: &Chunk<'_>, entries: &[&MempoolEntry]) -> bool {
        let most = self.options.block_max_weight as u64;
        if (self.weight as u64).saturating_add(chunk.fee_rate().size) >= most {
            return false;
        }
        let sigop_cost: usize = entries.iter().map(|entry| entry.sigop_cost).sum();
        if self.sigop_cost + sigop_cost >= MAX_BLOCK_SIGOPS_COST {
            return false;
        }
        entries.iter().map(|entry| entry.tx()).all(|tx| {
            // The pool takes witnesses before blocks may have any.
            is_final(tx, self.height, self.lock_time_cutoff) && (self.has_segwit || !tx.has_witness())
        })
    }

    /// Core: `AddToBlock`.
    fn add(&mut self, entry: &MempoolEntry) {
        self.weight += entry.tx().weight();
        self.sigop_cost += entry.sigop_cost;
        self.fees = self.fees.saturating_add(entry.base_fee.to_sat());
        self.transactions.push(TemplateTransaction {
            transaction: Arc::clone(&entry.transaction),
            fee: entry.base_fee,
            sigop_cost: entry.sigop_cost,
        });
    }
}
