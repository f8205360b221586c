//! Blocks from outside.

use std::sync::Arc;

use crate::chainstate::{Acceptance, Chainstate, ChainstateError};
use crate::params::Deployment;
use crate::primitives::{Block, HEADER_SIZE, TransactionRef};
use crate::serialize::{append_compact_size, append_with_size};
use crate::validation::{BlockError, ProposalChecks, commitment_index};

/// Takes a block that somebody mined, and says what `submitblock` answers: nothing when it is the tip now, or why not (BIP22;
/// Core: `submitblock`, `rpc/mining.cpp`).
///
/// # Errors
///
/// A fault of the chain state.
pub fn submit_block(chain: &mut Chainstate, block: Arc<Block>) -> Result<Option<String>, ChainstateError> {
    let block = update_uncommitted_block_structures(chain, block);
    let hash = block.hash();
    let outcome = chain.process_new_block(block, true)?;
    let is_active = chain.lookup(&hash).is_some_and(|known| known.is_active);
    Ok(bip22_result(&outcome, is_active))
}

/// What is answered when a block was taken or not; `is_active` says whether it is on the active chain now. Nothing is success
/// (BIP22; Core: `submitblock`, `BIP22ValidationResult`, `rpc/mining.cpp`).
#[must_use]
pub fn bip22_result(outcome: &Result<Acceptance, BlockError>, is_active: bool) -> Option<String> {
    match outcome {
        Err(error) => Some(error.reject_reason().into_owned()),
        Ok(Acceptance::Duplicate) => Some("duplicate".to_owned()),
        Ok(Acceptance::New) if is_active => None,
        // It is kept, and nobody looked whether it can be connected.
        Ok(Acceptance::New | Acceptance::Ignored) => Some("inconclusive".to_owned()),
    }
}

/// Looks at a block that somebody would like to mine, and says what `getblocktemplate` answers in the mode "proposal": nothing
/// when it could be the next, but for its proof of work, or why not (BIP23; Core: `getblocktemplate`, `rpc/mining.cpp`).
///
/// # Errors
///
/// A fault of the chain state.
pub fn propose_block(chain: &Chainstate, block: Arc<Block>) -> Result<Option<String>, ChainstateError> {
    if let Some(known) = chain.lookup(&block.hash()) {
        let answer = match known {
            known if known.is_invalid => "duplicate-invalid",
            known if known.was_connected => "duplicate",
            _ => "duplicate-inconclusive",
        };
        return Ok(Some(answer.to_owned()));
    }
    let checks = ProposalChecks { proof_of_work: false, merkle_root: true };
    let outcome = chain.test_block_validity(block, checks)?;
    Ok(outcome.err().map(|error| error.reject_reason().into_owned()))
}

/// Adds the witness of the coinbase where a miner that does not know of it left it out: 32 zero bytes, when the coinbase commits to
/// witnesses, on top of a block that is known, where segwit holds (Core: `UpdateUncommittedBlockStructures`, `validation.cpp`).
/// Nothing commits to it, so that the hash stays.
#[must_use]
pub fn update_uncommitted_block_structures(chain: &Chainstate, block: Arc<Block>) -> Arc<Block> {
    let Some(parent) = chain.lookup(&block.header().prev_blockhash) else { return block };
    let has_segwit = chain.params().consensus.activation.is_active_after(Deployment::Segwit, parent.height);
    let lacks_witness = |coinbase: &TransactionRef<'_>| {
        !coinbase.has_witness() && coinbase.input_count() > 0 && commitment_index(*coinbase).is_some()
    };
    match block.transaction(0).filter(lacks_witness) {
        Some(coinbase) if has_segwit => Arc::new(with_coinbase_witness(&block, coinbase)),
        _ => block,
    }
}

fn with_coinbase_witness(block: &Block, coinbase: TransactionRef<'_>) -> Block {
    const NONCE: [u8; 32] = [0; 32];
    let coinbase_bytes = coinbase.bytes();
    let (version, rest) = coinbase_bytes.split_at(4);
    let (fields, lock_time) = rest.split_at(rest.len() - 4);
    let mut bytes = Vec::with_capacity(block.total_size() + 36 + coinbase.input_count());
    bytes.extend_from_slice(&block.bytes()[..HEADER_SIZE]);
    append_compact_size(&mut bytes, block.transactions().len());
    bytes.extend_from_slice(version);
    bytes.extend([0, 1]);
    bytes.extend_from_slice(fields);
    append_compact_size(&mut bytes, 1);
    append_with_size(&mut bytes, &NONCE);
    // A coinbase has one input; of what only claims to be one, the others have no witness.
    bytes.resize(bytes.len() + coinbase.input_count() - 1, 0);
    bytes.extend_from_slice(lock_time);
    for tx in block.transactions().skip(1) {
        bytes.extend_from_slice(tx.bytes());
    }
    Block::decode(bytes).expect("a block that was decoded, with one witness more")
}
