//! Our chain state, on disk, as a node that is compared with others.

use std::sync::Arc;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Acceptance, ChainEvent, Chainstate, ChainstateOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use tempfile::TempDir;

use crate::block_judge::{Answer, BlockJudge, Failure, Judgement};

/// A chain state on regtest in a directory of its own, which is opened anew every so many blocks.
#[derive(Debug)]
pub struct StoredNode {
    /// None only while it is opened anew.
    chainstate: Option<Chainstate>,
    options: ChainstateOptions,
    directory: TempDir,
    submitted: usize,
    reopen_every: usize,
}

impl StoredNode {
    /// A node with that many bytes of cache, which is closed and opened again after every `reopen_every` blocks.
    ///
    /// # Panics
    ///
    /// When the directory cannot be made.
    #[must_use]
    pub fn new(cache_bytes: usize, reopen_every: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = ChainstateOptions { cache_bytes, threads: 2, ..Default::default() };
        let mut node = Self { chainstate: None, options, directory, submitted: 0, reopen_every };
        node.open();
        node
    }

    fn open(&mut self) {
        self.chainstate = None;
        let params = ChainParams::regtest(RegtestOptions::default());
        self.chainstate = Some(Chainstate::open(self.directory.path(), params, self.options.clone()).unwrap());
    }

    /// The chain state.
    ///
    /// # Panics
    ///
    /// Never: it is there but while it is opened anew.
    pub fn chainstate(&mut self) -> &mut Chainstate {
        self.chainstate.as_mut().unwrap()
    }
}

impl BlockJudge for StoredNode {
    fn submit(&mut self, bytes: &[u8]) -> Judgement {
        let Ok(block) = Block::decode(bytes.to_vec()) else {
            return Judgement { answer: Answer::Undecodable, failed: Vec::new() };
        };
        self.submitted += 1;
        if self.submitted.is_multiple_of(self.reopen_every) {
            self.chainstate().flush().unwrap();
            self.open();
        }
        let hash = block.hash();
        let outcome = self.chainstate().process_new_block(Arc::new(block), true).unwrap();
        let failed: Vec<_> = self
            .chainstate()
            .take_events()
            .into_iter()
            .filter_map(|event| match event {
                ChainEvent::BlockInvalid { block, error } => Some((block.hash, Failure::from(&*error))),
                ChainEvent::TipChanged { .. } => None,
            })
            .collect();
        let answer = match outcome {
            Ok(Acceptance::New) => Answer::Stored,
            Ok(Acceptance::Duplicate) => Answer::Known,
            Ok(Acceptance::Ignored) => panic!("a block that was asked for is not ignored"),
            // It was stored before it could not be connected.
            Err(_) if failed.iter().any(|(failed, _)| *failed == hash) => Answer::Stored,
            Err(error) => Answer::Rejected(Failure::from(&error)),
        };
        Judgement { answer, failed }
    }

    fn tip(&self) -> BlockHash {
        self.chainstate.as_ref().unwrap().tip().hash
    }
}
