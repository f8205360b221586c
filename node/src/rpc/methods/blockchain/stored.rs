//! Blocks that methods ask for, and what is answered when they are not there (Core: `CheckBlockDataAvailability`,
//! `ParseHashOrHeight`, `rpc/blockchain.cpp`).

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, ChainstateError, StoredBlock};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::Block;
use serde_json::value::RawValue;

use crate::rpc::{FromArgument, JsonType, RpcError};

/// Fails unless the body of a block is there.
pub(in crate::rpc) fn check_has_body(chainstate: &Chainstate, stored: &StoredBlock) -> Result<(), RpcError> {
    match stored.has_body() {
        true => Ok(()),
        false if chainstate.was_pruned(&stored.reference.hash) => {
            Err(RpcError::misc("Block not available (pruned data)"))
        }
        false => Err(RpcError::misc("Block not available (not fully downloaded)")),
    }
}

/// Fails unless the coins that a block spent are there.
pub(in crate::rpc) fn check_has_undo(chainstate: &Chainstate, stored: &StoredBlock) -> Result<(), RpcError> {
    match stored.has_undo() {
        true => Ok(()),
        false if chainstate.was_pruned(&stored.reference.hash) => {
            Err(RpcError::misc("Undo data not available (pruned data)"))
        }
        false => Err(RpcError::misc("Undo data not available")),
    }
}

/// The coins that a block spent: as many as it has inputs, the coinbase's left out.
pub(in crate::rpc) fn read_spent(stored: &StoredBlock, block: &Block) -> Result<Vec<Coin>, ChainstateError> {
    let spent = stored.spent()?;
    let inputs: usize = block.transactions().skip(1).map(|transaction| transaction.input_count()).sum();
    if spent.len() == inputs {
        return Ok(spent);
    }
    let detail = format!("expected undo data of {inputs} coins, got {}", spent.len());
    Err(ChainstateError::CannotDisconnect { hash: stored.reference.hash, detail })
}

/// A block by its hash, or by its height in the active chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rpc) enum HashOrHeight {
    /// Its hash.
    Hash(BlockHash),
    /// Its height, which may be negative or too high.
    Height(i32),
}

impl FromArgument for HashOrHeight {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        match JsonType::of(value) {
            JsonType::Number => i32::from_argument(value, name).map(Self::Height),
            _ => BlockHash::from_argument(value, name).map(Self::Hash),
        }
    }
}

impl HashOrHeight {
    /// Where the block is kept.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(in crate::rpc) fn find(self, chainstate: &Chainstate) -> Result<StoredBlock, RpcError> {
        let hash = match self {
            Self::Hash(hash) => hash,
            Self::Height(height) => {
                let tip = chainstate.tip().height;
                let at = u32::try_from(height)
                    .map_err(|_| RpcError::invalid_parameter(format!("Target block height {height} is negative")))?;
                let hash = chainstate.block_hash(at).filter(|_| at <= tip);
                hash.ok_or_else(|| {
                    RpcError::invalid_parameter(format!("Target block height {height} after current tip {tip}"))
                })?
            }
        };
        chainstate.stored_block(&hash).ok_or_else(|| RpcError::invalid_address_or_key("Block not found"))
    }
}
