//! What the chain state is asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bitcoin::block::Header;
use bitcoin::{BlockHash, OutPoint};

use super::block_index::{BlockId, BlockStatus};
use super::{BlockReference, Chainstate, ChainstateError, ChainstateOptions};
use crate::coins::{Coin, CoinsError, CoinsView};
use crate::header_chain::HeaderChain;
use crate::params::ChainParams;
use crate::pow::Work;
use crate::primitives::Block;
use crate::validation::ValidationCache;

/// The share of the memory for coins that those may take which are remembered: an eighth.
const REMEMBERED_SHARE: usize = 8;

/// Where the chain stands (Core: `getblockchaininfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStatus {
    /// The last block whose coins are in the set.
    pub tip: BlockReference,
    /// Time of the tip, in seconds since 1970.
    pub time: u32,
    /// Median time of the tip and the ten blocks before it, in seconds since 1970.
    pub median_time_past: u32,
    /// Work of the chain, in expected hashes.
    pub work: Work,
    /// Transactions in the chain.
    pub transactions: u64,
    /// The valid header with the most work.
    pub best_header: BlockReference,
    /// The lowest height from which on all bodies are there; zero when nothing was pruned.
    pub first_body: u32,
    /// Bytes of block and undo files.
    pub block_bytes: u64,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Bytes of coins in memory.
    pub coins_cache_bytes: u64,
    /// How often the chain state was written since it was opened.
    pub flushes: u64,
    /// Whether the chain is still being loaded: the tip has too little work, or is too old (Core:
    /// `IsInitialBlockDownload`).
    pub is_initial_block_download: bool,
}

/// What is known of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockLookup {
    /// The header.
    pub header: Header,
    /// Height; genesis has height 0.
    pub height: u32,
    /// Work of the chain up to the block, in expected hashes.
    pub work: Work,
    /// Whether it is on the active chain.
    pub is_active: bool,
    /// Whether it, or a block below it, is invalid.
    pub is_invalid: bool,
    /// Whether it was connected at some time, and so is known to be valid, scripts included, unless
    /// [`is_invalid`](Self::is_invalid) says that somebody declared otherwise; genesis never is (Core: `BLOCK_VALID_SCRIPTS`,
    /// `chain.h`).
    pub was_connected: bool,
    /// Whether its body is there.
    pub has_body: bool,
    /// Number of transactions; zero while the body never came.
    pub transactions: u32,
}

impl Chainstate {
    /// The network.
    #[must_use]
    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// How it is run.
    #[must_use]
    pub fn options(&self) -> &ChainstateOptions {
        &self.options
    }

    /// The last block of the active chain.
    #[must_use]
    pub fn tip(&self) -> BlockReference {
        self.reference(self.committed_tip())
    }

    /// The active chain, as rules ask for it.
    #[must_use]
    pub fn active_chain(&self) -> impl HeaderChain + '_ {
        self.view(self.committed_tip())
    }

    /// What was verified: whoever verifies a transaction before its block comes remembers it here.
    #[must_use]
    pub fn validation_cache(&self) -> &Arc<ValidationCache> {
        &self.validation_cache
    }

    /// Seconds since 1970, by the clock or as a test told.
    #[must_use]
    pub fn adjusted_time(&self) -> u64 {
        self.now()
    }

    /// Where the chain stands.
    ///
    /// # Errors
    ///
    /// When the disk cannot be asked.
    pub fn status(&self) -> Result<ChainStatus, ChainstateError> {
        let tip = self.committed_tip();
        let entry = &self.index[tip];
        Ok(ChainStatus {
            tip: self.reference(tip),
            time: entry.time,
            median_time_past: self.view(tip).median_time_past(),
            work: entry.work,
            transactions: entry.chain_transactions,
            best_header: self.reference(self.index.best_header()),
            first_body: self.first_body(),
            block_bytes: self.files.size_on_disk(),
            database_bytes: self.database.size_on_disk()?,
            coins_cache_bytes: u64::try_from(self.coins.memory()).unwrap_or(u64::MAX),
            flushes: self.flushes,
            is_initial_block_download: self.is_initial_block_download(),
        })
    }

    /// Whether the chain is still being loaded: the tip has too little work, or is too old (Core:
    /// `IsInitialBlockDownload`, `validation.cpp`). Once it is not, it never is again.
    #[must_use]
    pub fn is_initial_block_download(&self) -> bool {
        let tip = &self.index[self.committed_tip()];
        let is_old = u64::from(tip.time).saturating_add(self.options.max_tip_age) < self.now();
        let is_loading = tip.work < self.minimum_chain_work() || is_old;
        if !is_loading {
            self.was_loaded.store(true, Ordering::Relaxed);
        }
        !self.was_loaded.load(Ordering::Relaxed)
    }

    /// The valid header with the most work.
    #[must_use]
    pub fn best_header(&self) -> BlockReference {
        self.reference(self.index.best_header())
    }

    /// The hash of the block at `height` of the active chain.
    #[must_use]
    pub fn block_hash(&self, height: u32) -> Option<BlockHash> {
        self.active.get(height).map(|id| self.index[id].hash)
    }

    /// What is known of a block.
    #[must_use]
    pub fn lookup(&self, hash: &BlockHash) -> Option<BlockLookup> {
        let id = self.index.find(hash)?;
        let entry = &self.index[id];
        Some(BlockLookup {
            header: self.index.header(id),
            height: entry.height,
            work: entry.work,
            is_active: self.active.contains(id, &self.index),
            is_invalid: entry.status.contains(BlockStatus::FAILED),
            was_connected: entry.status.contains(BlockStatus::VALID_SCRIPTS) && !entry.is_genesis(),
            has_body: entry.status.contains(BlockStatus::HAVE_DATA),
            transactions: entry.transactions,
        })
    }

    /// A block from disk.
    ///
    /// # Errors
    ///
    /// When it is not known, its body is not there, or it cannot be read.
    pub fn block(&self, hash: &BlockHash) -> Result<Block, ChainstateError> {
        self.read_stored_block(self.known(hash)?)
    }

    /// An unspent coin.
    ///
    /// # Errors
    ///
    /// When the coins cannot be read.
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        self.coins.coin(outpoint)
    }

    /// Remembers coins that were looked up when `tip` was the last block, and that the next blocks are likely to spend. Does
    /// nothing when another block is the last now: they may be spent, or not be there at all.
    pub fn remember_coins(&mut self, tip: &BlockHash, coins: impl IntoIterator<Item = (OutPoint, Coin)>) {
        // What is in flight has changed coins without another tip.
        if !self.in_flight.is_empty() || self.tip().hash != *tip {
            return;
        }
        if self.coins.remembered_memory() > self.options.cache_bytes / REMEMBERED_SHARE {
            self.coins.forget();
        }
        for (outpoint, coin) in coins {
            self.coins.remember(outpoint, coin);
        }
    }

    /// The blocks of the active chain, from genesis on.
    pub(super) fn active_blocks(&self, heights: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = BlockId> + '_ {
        heights.filter_map(|height| self.active.get(height))
    }
}
