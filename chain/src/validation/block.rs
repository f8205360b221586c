//! Rules that need only the block.

use std::sync::Arc;

use bitcoin::TxMerkleNode;
use bitcoin::hashes::Hash;

use super::header::check_hashed_header;
use super::signet::check_signet_solution;
use super::witness_commitment::check_witness_malleation;
use super::{
    BlockError, CheckedHeader, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, MerkleRoot, ProposalChecks, check_transaction,
    merkle_root,
};
use crate::params::ConsensusParams;
use crate::primitives::{Block, TransactionRef, WITNESS_SCALE_FACTOR};
use crate::script::count_sigops;

/// A block that obeys every rule that needs neither headers nor coins. Its witnesses may still be anyone's.
#[derive(Debug, Clone)]
pub struct CheckedBlock {
    block: Arc<Block>,
    header: CheckedHeader,
}

impl CheckedBlock {
    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its header, whose proof of work was checked with it.
    #[must_use]
    pub fn header(&self) -> CheckedHeader {
        self.header
    }

    pub(super) fn into_block(self) -> Arc<Block> {
        self.block
    }
}

/// Checks a block on its own (Core: `CheckBlock`, `validation.cpp`).
///
/// # Errors
///
/// The first rule that is broken, in Core's order. None of them condemns the hash: what is wrong may be the body's fault
/// alone.
pub fn check_block(block: Arc<Block>, params: &ConsensusParams) -> Result<CheckedBlock, BlockError> {
    let header = check_hashed_header(block.header(), block.hash(), params)?;
    check_signet(&block, params)?;
    check_merkle_root(&block)?;
    check_body(&block)?;
    Ok(CheckedBlock { block, header })
}

/// The same for a block that is only looked at, whose header need not be finished: without proof of work there is no signet
/// solution either (Core: `fCheckPOW` and `fCheckMerkleRoot` of `CheckBlock`).
pub(super) fn check_unfinished_block(
    block: Arc<Block>,
    checks: ProposalChecks,
    params: &ConsensusParams,
) -> Result<CheckedBlock, BlockError> {
    if checks.proof_of_work {
        check_hashed_header(block.header(), block.hash(), params)?;
        check_signet(&block, params)?;
    }
    if checks.merkle_root {
        check_merkle_root(&block)?;
    }
    check_body(&block)?;
    let header = CheckedHeader::unproven(block.header(), block.hash());
    Ok(CheckedBlock { block, header })
}

/// Every rule about transactions on their own and together.
fn check_body(block: &Block) -> Result<(), BlockError> {
    check_size(block)?;
    check_coinbase(block)?;
    for tx in block.transactions() {
        check_transaction(tx).map_err(|source| BlockError::Transaction { txid: tx.txid(), source })?;
    }
    let got = block.transactions().map(legacy_sigops).sum::<usize>() * WITNESS_SCALE_FACTOR;
    if got > MAX_BLOCK_SIGOPS_COST {
        return Err(BlockError::TooManyLegacySigops { got });
    }
    Ok(())
}

/// BIP325.
fn check_signet(block: &Block, params: &ConsensusParams) -> Result<(), BlockError> {
    if let Some(challenge) = &params.signet_challenge
        && block.hash() != params.genesis_hash
        && !check_signet_solution(block, challenge)
    {
        return Err(BlockError::BadSignetSolution);
    }
    Ok(())
}

/// Core: `CheckMerkleRoot`, `validation.cpp`.
fn check_merkle_root(block: &Block) -> Result<(), BlockError> {
    let MerkleRoot { root, mutated } = merkle_root(block);
    let (expected, got) = (block.header().merkle_root, TxMerkleNode::from_byte_array(root));
    if got != expected {
        return Err(BlockError::BadMerkleRoot { expected, got });
    }
    if mutated { Err(BlockError::DuplicateTransactions) } else { Ok(()) }
}

/// Checks that the body is the one that the header commits to, as far as a body can tell (Core: `IsBlockMutated`,
/// `validation.cpp`). `expects_commitment` says whether BIP141 holds at the block's height.
///
/// # Errors
///
/// The first rule that is broken; the real block may still come.
pub fn check_not_mutated(block: &Block, expects_commitment: bool) -> Result<(), BlockError> {
    check_merkle_root(block)?;
    if block.transaction(0).is_some_and(TransactionRef::is_coinbase) {
        return check_witness_malleation(block, expects_commitment);
    }
    // 64 bytes may be two hashes: an inner node of the tree, passed off as a transaction. A coinbase that is one as well would
    // take more work than anyone has.
    let has_inner_node = block.transactions().any(|tx| tx.stripped_size() == 64);
    if has_inner_node { Err(BlockError::CoinbaseMissing) } else { Ok(()) }
}

fn check_size(block: &Block) -> Result<(), BlockError> {
    let transactions = block.transactions().len();
    let stripped_size = block.stripped_size();
    let most = MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR;
    if transactions == 0 || transactions > most || stripped_size > most {
        return Err(BlockError::BadLength { transactions, stripped_size });
    }
    Ok(())
}

fn check_coinbase(block: &Block) -> Result<(), BlockError> {
    if !block.transaction(0).is_some_and(TransactionRef::is_coinbase) {
        return Err(BlockError::CoinbaseMissing);
    }
    match block.transactions().skip(1).position(TransactionRef::is_coinbase) {
        Some(position) => Err(BlockError::CoinbaseMultiple { index: position + 1 }),
        None => Ok(()),
    }
}

/// Signature operations in a transaction's own scripts (Core: `GetLegacySigOpCount`, `consensus/tx_verify.cpp`).
pub(super) fn legacy_sigops(tx: TransactionRef<'_>) -> usize {
    let inputs = tx.inputs().map(|input| count_sigops(input.script_sig().as_bytes(), false));
    let outputs = tx.outputs().map(|output| count_sigops(output.script_pubkey().as_bytes(), false));
    inputs.sum::<usize>() + outputs.sum::<usize>()
}
