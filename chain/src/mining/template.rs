//! A block but for its nonce.

use std::collections::HashMap;
use std::sync::Arc;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, CompactTarget, TxMerkleNode, Txid};

use super::{CoinbaseTemplate, NextBlock};
use crate::hash::sha256d;
use crate::mempool::FeeRate;
use crate::params::VersionBitsDeployment;
use crate::pow::{Target, decode_compact};
use crate::primitives::{Block, Transaction, TransactionRef, header_bytes};
use crate::serialize::append_compact_size;
use crate::validation::{ThresholdState, merkle_branch, root_of, root_with_branch};

/// A block but for its nonce, and what a miner may want to know about it (Core: `CBlockTemplate`, `node/miner.h`).
#[derive(Debug, Clone)]
pub struct BlockTemplate {
    /// Height of the block.
    pub height: u32,
    /// Version.
    pub version: i32,
    /// The tip it is made for.
    pub previous_block: BlockHash,
    /// Which times it may have, and which targets.
    pub next: NextBlock,
    /// The transaction that pays the miner.
    pub coinbase: CoinbaseTemplate,
    /// All other transactions, parents before children.
    pub transactions: Vec<TemplateTransaction>,
    /// Modified fees in satoshis and sizes in virtual bytes of the chunks the transactions came in, in that order (Core:
    /// `m_package_feerates`).
    pub chunk_fee_rates: Vec<FeeRate>,
    /// Weight of the transactions and what is kept free for the rest, in weight units (Core: `m_last_block_weight`).
    pub weight: usize,
    /// Cost of signature operations of the transactions, and what is kept free for the coinbase.
    pub sigop_cost: usize,
    /// Changes of the pool until it was made (Core: `nTransactionsUpdated`).
    pub mempool_updates: u64,
    /// Seconds since 1970.
    pub(super) time: u32,
    pub(super) has_segwit: bool,
    pub(super) is_signet: bool,
    /// The deployment for tests, and the state of its vote.
    pub(super) testdummy: (VersionBitsDeployment, ThresholdState),
}

/// A transaction of a template.
#[derive(Debug, Clone)]
pub struct TemplateTransaction {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// What it pays, in satoshis.
    pub fee: Amount,
    /// Cost of its signature operations.
    pub sigop_cost: usize,
}

impl TemplateTransaction {
    fn tx(&self) -> TransactionRef<'_> {
        self.transaction.as_ref().as_ref()
    }
}

impl BlockTemplate {
    /// Time of the block, in seconds since 1970.
    #[must_use]
    pub fn time(&self) -> u32 {
        self.time
    }

    /// Compact target at that time.
    #[must_use]
    pub fn bits(&self) -> CompactTarget {
        self.next.bits_at(self.time)
    }

    /// The target those bits stand for.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(decode_compact(self.bits()).value)
    }

    /// Sets the time to `now`, in seconds since 1970, or what is the earliest; never back (Core: `UpdateTime`,
    /// `node/miner.cpp`). Where targets depend on it, the bits follow.
    pub fn update_time(&mut self, now: u64) {
        self.time = self.time.max(self.next.time_at(now));
    }

    /// What all transactions pay, in satoshis.
    #[must_use]
    pub fn fees(&self) -> Amount {
        // They are at most as much as there is.
        Amount::from_sat(self.transactions.iter().map(|transaction| transaction.fee.to_sat()).sum())
    }

    /// For each transaction the places of those that its inputs spend from, counted from one, in the order of its inputs (Core:
    /// `depends` of `getblocktemplate`, `rpc/mining.cpp`).
    #[must_use]
    pub fn dependencies(&self) -> Vec<Vec<usize>> {
        let mut places: HashMap<Txid, usize> = HashMap::with_capacity(self.transactions.len());
        let mut dependencies = Vec::with_capacity(self.transactions.len());
        for (place, transaction) in (1..).zip(&self.transactions) {
            let tx = transaction.tx();
            let parents = tx.inputs().filter_map(|input| places.get(&input.prevout().txid).copied());
            dependencies.push(parents.collect());
            places.insert(tx.txid(), place);
        }
        dependencies
    }

    /// What a client sends back to be told when there is a better template (Core: `longpollid`, `rpc/mining.cpp`; BIP22).
    #[must_use]
    pub fn long_poll_id(&self) -> String {
        format!("{}{}", self.previous_block, self.mempool_updates)
    }

    /// Puts other transactions in the place of all, in this order (Core: `generateblock`, `rpc/mining.cpp`). The coinbase stays as
    /// it is but for its commitment: it does not collect their fees, and those stand as zero, as do their signature operations.
    pub fn replace_transactions(&mut self, transactions: Vec<Arc<Transaction>>) {
        let unknown = |transaction| TemplateTransaction { transaction, fee: Amount::ZERO, sigop_cost: 0 };
        self.transactions = transactions.into_iter().map(unknown).collect();
        self.chunk_fee_rates.clear();
        self.coinbase.set_witness_root(&witness_root(&self.transactions));
    }

    /// The header, with nonce zero. The merkle root takes a hash for each transaction.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header_with(None, &self.merkle_branch())
    }

    /// What the id of the coinbase is hashed with on its way to the merkle root.
    #[must_use]
    pub fn merkle_branch(&self) -> Vec<[u8; 32]> {
        merkle_branch(self.transactions.iter().map(|transaction| transaction.tx().txid().to_byte_array()))
    }

    pub(super) fn header_with(&self, extra_nonce: Option<u64>, branch: &[[u8; 32]]) -> Header {
        let root = root_with_branch(sha256d(&self.coinbase.stripped_bytes(extra_nonce)), branch);
        Header {
            version: Version::from_consensus(self.version),
            prev_blockhash: self.previous_block,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: self.time,
            bits: self.bits(),
            nonce: 0,
        }
    }

    /// The serialized block, with nonce zero.
    #[must_use]
    pub fn block_bytes(&self) -> Vec<u8> {
        self.block_bytes_with(&self.header(), None)
    }

    /// The block, with nonce zero.
    #[must_use]
    pub fn block(&self) -> Arc<Block> {
        decoded(self.block_bytes())
    }

    pub(super) fn block_bytes_with(&self, header: &Header, extra_nonce: Option<u64>) -> Vec<u8> {
        let coinbase = self.coinbase.bytes(extra_nonce);
        let size: usize = self.transactions.iter().map(|transaction| transaction.tx().total_size()).sum();
        let mut bytes = Vec::with_capacity(size + coinbase.len() + 89);
        bytes.extend(header_bytes(header));
        append_compact_size(&mut bytes, self.transactions.len() + 1);
        bytes.extend(coinbase);
        for transaction in &self.transactions {
            bytes.extend_from_slice(transaction.tx().bytes());
        }
        bytes
    }
}

/// What was put together of a header and transactions.
pub(super) fn decoded(bytes: Vec<u8>) -> Arc<Block> {
    Arc::new(Block::decode(bytes).expect("a header, a count and as many transactions that were decoded"))
}

/// The merkle root of the witnesses of a block with these transactions (Core: `BlockWitnessMerkleRoot`,
/// `consensus/merkle.cpp`).
pub(super) fn witness_root(transactions: &[TemplateTransaction]) -> [u8; 32] {
    let others = transactions.iter().map(|transaction| transaction.tx().wtxid().to_byte_array());
    root_of(std::iter::once([0; 32]).chain(others).collect()).root
}
