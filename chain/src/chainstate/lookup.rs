//! What is asked about single blocks, and where they are kept.

use std::cmp::Reverse;
use std::collections::HashSet;

use bitcoin::BlockHash;

use super::block_index::{BlockId, BlockStatus};
use super::{BlockReference, Chainstate, ChainstateError};
use crate::coins::Coin;
use crate::primitives::{Block, Transaction, hash_header};
use crate::store::codec::StoredReader;
use crate::store::{BlockFileReader, RecordPosition, StoreError};

/// Where a block and the coins it spent are kept: found by the chain state, read from any thread.
///
/// A file may be pruned before it is read; reading then fails as it does for a file that is missing.
#[derive(Debug, Clone)]
pub struct StoredBlock {
    /// The block.
    pub reference: BlockReference,
    body: Option<RecordPosition>,
    undo: Option<RecordPosition>,
    reader: BlockFileReader,
}

impl StoredBlock {
    /// Whether the body is there.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Whether the coins the block spent are there; they come with the first connection.
    #[must_use]
    pub fn has_undo(&self) -> bool {
        self.undo.is_some()
    }

    /// The bytes of the block, not decoded (Core: `BlockManager::ReadRawBlock`).
    ///
    /// # Errors
    ///
    /// When the body is not there or cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>, ChainstateError> {
        let hash = self.reference.hash;
        let position = self.body.ok_or(ChainstateError::NotAvailable { hash, reason: "no body" })?;
        Ok(self.reader.read_block(position)?)
    }

    /// The block (Core: `BlockManager::ReadBlock`).
    ///
    /// # Errors
    ///
    /// When the body is not there, cannot be read, or is another block.
    pub fn block(&self) -> Result<Block, ChainstateError> {
        let damaged = |detail| StoreError::Damaged { what: "a stored block", detail };
        let block = Block::decode(self.bytes()?).map_err(|error| damaged(error.to_string()))?;
        let hash = self.reference.hash;
        if block.hash() != hash {
            return Err(damaged(format!("expected {hash}, got {}", block.hash())).into());
        }
        Ok(block)
    }

    /// The transaction that starts at this byte of the block; nothing if none can be read there. Only the block's bytes are
    /// checked, not what they mean: whoever asks has to compare the transaction's id with the one that was expected (Core:
    /// `TxIndex::FindTx`, `index/txindex.cpp`).
    ///
    /// # Errors
    ///
    /// When the body is not there, cannot be read, or is another block.
    pub fn transaction_at(&self, offset: u32) -> Result<Option<Transaction>, ChainstateError> {
        let bytes = self.bytes()?;
        let got = bytes.first_chunk().map(hash_header);
        if got != Some(self.reference.hash) {
            let detail = format!("expected {}, got {got:?}", self.reference.hash);
            return Err(StoreError::Damaged { what: "a stored block", detail }.into());
        }
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
        Ok(rest.and_then(|rest| Transaction::decode_prefix(rest).ok()).map(|(transaction, _)| transaction))
    }

    /// The coins the block spent, in the order of its inputs, the coinbase's left out (Core: `BlockManager::ReadBlockUndo`).
    ///
    /// # Errors
    ///
    /// When they are not there or cannot be read.
    pub fn spent(&self) -> Result<Vec<Coin>, ChainstateError> {
        let hash = self.reference.hash;
        let position = self.undo.ok_or(ChainstateError::NotAvailable { hash, reason: "no undo data" })?;
        if position.length == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.reader.read_undo(position)?;
        let mut reader = StoredReader::new(&bytes, "undo data");
        let mut spent = Vec::new();
        while !reader.is_empty() {
            spent.push(reader.coin()?);
        }
        Ok(spent)
    }
}

/// The last block of a branch (Core: RPC `getchaintips`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTip {
    /// The block.
    pub block: BlockReference,
    /// Blocks of the branch that are not on the active chain.
    pub branch_length: u32,
    /// What is known of the branch.
    pub status: ChainTipStatus,
}

/// What is known of a branch (Core: RPC `getchaintips`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainTipStatus {
    /// It is the active chain.
    Active,
    /// It holds at least one invalid block.
    Invalid,
    /// Not all of its bodies came.
    HeadersOnly,
    /// It was connected once, scripts included.
    ValidFork,
    /// All of its bodies came, but they were never connected.
    ValidHeaders,
}

impl ChainTipStatus {
    /// Core's name, which RPC shows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invalid => "invalid",
            Self::HeadersOnly => "headers-only",
            Self::ValidFork => "valid-fork",
            Self::ValidHeaders => "valid-headers",
        }
    }
}

impl Chainstate {
    /// Where a block is kept; nothing when it is not known.
    #[must_use]
    pub fn stored_block(&self, hash: &BlockHash) -> Option<StoredBlock> {
        self.index.find(hash).map(|id| self.stored(id))
    }

    /// Where a block of the index is kept.
    pub(super) fn stored(&self, id: BlockId) -> StoredBlock {
        StoredBlock {
            reference: self.reference(id),
            body: self.index.body(id),
            undo: self.index.undo(id),
            reader: self.files.reader(),
        }
    }

    /// Whether the body of a block was there and was pruned (Core: `BlockManager::IsBlockPruned`).
    #[must_use]
    pub fn was_pruned(&self, hash: &BlockHash) -> bool {
        self.index.find(hash).is_some_and(|id| {
            let entry = &self.index[id];
            !entry.status.contains(BlockStatus::HAVE_DATA) && entry.transactions > 0
        })
    }

    /// Number of transactions in the chain up to a block; nothing when the block is not known, or a body below it never came.
    #[must_use]
    pub fn chain_transactions(&self, hash: &BlockHash) -> Option<u64> {
        let count = self.index[self.index.find(hash)?].chain_transactions;
        (count > 0).then_some(count)
    }

    /// Height of the first block of the active chain that is, or follows, one with this time or a later one, in seconds since
    /// 1970 (Core: `CChain::FindEarliestAtLeast`, `chain.cpp`).
    #[must_use]
    pub fn find_earliest_at_least(&self, time: u64) -> Option<u32> {
        self.active_blocks(0..=self.tip().height)
            .map(|id| &self.index[id])
            .find(|entry| u64::from(entry.time) >= time)
            .map(|entry| entry.height)
    }

    /// The last blocks of all branches, the active chain among them, the highest first (Core: RPC `getchaintips`).
    #[must_use]
    pub fn chain_tips(&self) -> Vec<ChainTip> {
        let active_tip = self.committed_tip();
        let is_active = |id: BlockId| {
            self.active.contains(id, &self.index) && self.index[id].height <= self.index[active_tip].height
        };
        let beside = || self.index.iter().filter(|(id, _)| !is_active(*id));
        let parents: HashSet<BlockId> = beside().map(|(_, entry)| entry.parent).collect();
        let mut tips: Vec<BlockId> = beside().map(|(id, _)| id).filter(|id| !parents.contains(id)).collect();
        tips.push(active_tip);
        tips.sort_by_key(|&id| (Reverse(self.index[id].height), id));
        tips.into_iter().map(|id| self.chain_tip(id, is_active(id))).collect()
    }

    fn chain_tip(&self, id: BlockId, is_active: bool) -> ChainTip {
        let entry = &self.index[id];
        let fork = self.index.last_common_ancestor(id, self.committed_tip());
        let status = if is_active {
            ChainTipStatus::Active
        } else if entry.status.contains(BlockStatus::FAILED) {
            ChainTipStatus::Invalid
        } else if entry.chain_transactions == 0 {
            ChainTipStatus::HeadersOnly
        } else if entry.status.contains(BlockStatus::VALID_SCRIPTS) {
            ChainTipStatus::ValidFork
        } else {
            ChainTipStatus::ValidHeaders
        };
        ChainTip { block: self.reference(id), branch_length: entry.height - self.index[fork].height, status }
    }
}
