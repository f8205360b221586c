//! Bitcoin Core's kernel as a node.
//!
//! The kernel says what it thinks through two channels: what `process_block` returns, and the callback `block_checked`, which
//! runs on the calling thread before `process_block` returns. Which failure takes which (Core v31.99, `validation.cpp`):
//!
//! | what happens | in | returned | `block_checked` | here |
//! |---|---|---|---|---|
//! | bytes that are no block | `btck_block_create` | no block at all | – | [`Answer::Undecodable`] |
//! | bytes after the block | `btck_block_create` | ignored | – | [`Answer::Undecodable`], found by encoding the block again |
//! | `CheckBlock` fails: proof of work, merkle root, sizes, coinbase, transactions, legacy sigops | `ProcessNewBlock` | rejected | once, the block | [`Answer::Rejected`]; the header is not remembered, so children miss their parent |
//! | the header fails: unknown or invalid parent, difficulty, time, version | `AcceptBlockHeader` | rejected | once, the block | [`Answer::Rejected`]; not remembered |
//! | the hash was found invalid before | `AcceptBlockHeader` | rejected | once: `BLOCK_CACHED_INVALID` | [`Answer::Rejected`] |
//! | the hash is stored and not known to be invalid, whatever the witnesses now | `AcceptBlock` | duplicate | – | [`Answer::Known`] |
//! | `ContextualCheckBlock` fails as `BLOCK_CONSENSUS`: lock times, height, weight | `AcceptBlock` | rejected | once, the block | [`Answer::Rejected`]; the hash is condemned, children have an invalid parent |
//! | `ContextualCheckBlock` fails as `BLOCK_MUTATED`: witnesses | `AcceptBlock` | rejected | once, the block | [`Answer::Rejected`]; the header stays, so children are stored and wait for the body |
//! | the block is stored, and its chain has not the most work, or lacks a body | `AcceptBlock` | new | – | [`Answer::Stored`] |
//! | a block connects | `ConnectTip` | new | once for each, valid | [`Answer::Stored`] |
//! | a block fails to connect: all of `ConnectBlock` | `ConnectTip` | **new** | once, the block that failed, which need not be the submitted one | [`Answer::Stored`] and [`Judgement::failed`]; it and its descendants are condemned, the descendants without a callback |
//!
//! After a failure the kernel looks for the best chain that is left, which may fail as well, and so on: all before
//! `process_block` returns. Blocks that are connected again on the way back are checked again, valid. A valid check says
//! nothing that the tip does not say, so only failures are kept.
//!
//! The kernel has no mock time; its clock is the computer's. It gives no reject reasons, and a `BLOCK_CONSENSUS` of
//! `CheckBlock` has the same class as one of `ConnectBlock`.

use std::mem;
use std::sync::{Arc, Mutex, Once};

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use bitcoinkernel::prelude::*;
use bitcoinkernel::{
    Block, BlockValidationResult, BlockValidationStateRef, ChainType, ChainstateManager, Context, ProcessBlockResult,
    ValidationMode, disable_logging,
};
use tempfile::TempDir;

use crate::block_judge::{Answer, BlockJudge, Class, Failure, Judgement};

/// Bitcoin Core's kernel on regtest, in a temporary directory.
pub struct Kernel {
    // Fields are dropped in this order: the chain state needs the context, and both the directory.
    chainstate: ChainstateManager,
    _context: Context,
    _directory: TempDir,
    failed: Arc<Mutex<Vec<(BlockHash, Failure)>>>,
}

impl Kernel {
    /// A kernel that knows nothing but genesis.
    ///
    /// # Panics
    ///
    /// When the kernel does not start.
    #[must_use]
    pub fn new() -> Self {
        static LOGGING: Once = Once::new();
        // Otherwise the kernel keeps its messages in memory for a logger to come.
        LOGGING.call_once(disable_logging);
        let failed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&failed);
        let block_checked = move |block: Block, state: BlockValidationStateRef<'_>| {
            let hash = BlockHash::from_byte_array(block.hash().to_bytes());
            match state.mode() {
                ValidationMode::Valid => {}
                ValidationMode::Invalid => seen.lock().unwrap().push((hash, failure(state.result()))),
                ValidationMode::InternalError => panic!("the kernel could not check block {hash}"),
            }
        };
        let context = Context::builder().chain_type(ChainType::Regtest).with_block_checked_validation(block_checked);
        let context = context.build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        let chainstate = ChainstateManager::builder(&context, &path, &format!("{path}/blocks")).unwrap();
        let chainstate = chainstate.chainstate_db_in_memory(true).block_tree_db_in_memory(true).build().unwrap();
        chainstate.import_blocks().unwrap();
        Self { chainstate, _context: context, _directory: directory, failed }
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl BlockJudge for Kernel {
    fn submit(&mut self, bytes: &[u8]) -> Judgement {
        let block = Block::new(bytes).ok().filter(|block| block.consensus_encode().unwrap().len() == bytes.len());
        let Some(block) = block else {
            return Judgement { answer: Answer::Undecodable, failed: Vec::new() };
        };
        let result = self.chainstate.process_block(&block);
        let mut failed = mem::take(&mut *self.failed.lock().unwrap());
        let answer = match result {
            ProcessBlockResult::NewBlock => Answer::Stored,
            ProcessBlockResult::Duplicate => Answer::Known,
            ProcessBlockResult::Rejected => {
                let hash = BlockHash::from_byte_array(block.hash().to_bytes());
                assert!(failed.len() == 1 && failed[0].0 == hash, "one callback for a rejected block: {failed:?}");
                Answer::Rejected(failed.remove(0).1)
            }
        };
        Judgement { answer, failed }
    }

    fn tip(&self) -> BlockHash {
        BlockHash::from_byte_array(self.chainstate.active_chain().tip().block_hash().to_bytes())
    }
}

fn failure(result: BlockValidationResult) -> Failure {
    let class = match result {
        BlockValidationResult::Consensus => Class::Consensus,
        BlockValidationResult::CachedInvalid => Class::CachedInvalid,
        BlockValidationResult::InvalidHeader => Class::InvalidHeader,
        BlockValidationResult::Mutated => Class::Mutated,
        BlockValidationResult::MissingPrev => Class::MissingParent,
        BlockValidationResult::InvalidPrev => Class::InvalidParent,
        BlockValidationResult::TimeFuture => Class::TimeFuture,
        BlockValidationResult::Unset | BlockValidationResult::HeaderLowWork => {
            panic!("no block can be {result:?} here")
        }
    };
    Failure { class, reason: None }
}
