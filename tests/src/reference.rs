//! The least node that decides as Core does: in memory, on the rules of `cairn-chain`.
//!
//! It shows that the rules agree with Core's before any storage does, and it gives reasons, which the kernel does not: with
//! it the generator of block trees proves that each of its mutations breaks the rule it is named for.

mod entry;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::{BlockHash, OutPoint};
use cairn_chain::coins::{Coin, CoinsOverlay};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_chain::validation::{
    BlockError, CheckedBlock, HeaderError, ValidationCache, check_block, check_inputs, check_scripts,
    contextual_check_block, contextual_check_header,
};

use crate::block_judge::{Answer, BlockJudge, Failure, Judgement};
use entry::{Branch, Entry};

/// What a block replaced in the set of coins.
type Undo = Vec<(OutPoint, Option<Coin>)>;

/// A node on regtest that keeps everything in memory.
pub struct Reference {
    params: ChainParams,
    /// Every header that is remembered; genesis comes first.
    entries: Vec<Entry>,
    by_hash: HashMap<BlockHash, usize>,
    /// How many blocks have become part of a complete chain.
    sequence: usize,
    /// The chain that is connected, genesis first, and how to undo each block but genesis.
    connected: Vec<(usize, Undo)>,
    coins: HashMap<OutPoint, Coin>,
    cache: ValidationCache,
}

impl Reference {
    /// A node that knows nothing but genesis.
    #[must_use]
    pub fn new() -> Self {
        let params = ChainParams::regtest(RegtestOptions::default());
        let genesis = Entry::genesis(&params.genesis);
        let by_hash = HashMap::from([(genesis.facts.hash, 0)]);
        Self {
            params,
            entries: vec![genesis],
            by_hash,
            sequence: 0,
            connected: vec![(0, Undo::new())],
            coins: HashMap::new(),
            cache: ValidationCache::new(1 << 20),
        }
    }

    /// Core: `ChainstateManager::ProcessNewBlock` up to `ActivateBestChain`.
    fn accept(&mut self, block: Block) -> Result<Answer, BlockError> {
        let checked = check_block(Arc::new(block), &self.params.consensus)?;
        let index = self.accept_header(&checked)?;
        if index == 0 || self.entries[index].block.is_some() {
            return Ok(Answer::Known);
        }
        let entry = &self.entries[index];
        let header = entry.header.expect("only genesis has none");
        let chain = Branch { entries: &self.entries, last: entry.parent };
        match contextual_check_block(checked, &header, &chain, &self.params.consensus) {
            Ok(block) => {
                self.entries[index].block = Some(block);
                self.complete(index);
                Ok(Answer::Stored)
            }
            Err(error) => {
                if error.verdict().condemns_hash() {
                    self.condemn(index);
                }
                Err(error)
            }
        }
    }

    /// Core: `ChainstateManager::AcceptBlockHeader`.
    fn accept_header(&mut self, checked: &CheckedBlock) -> Result<usize, HeaderError> {
        if let Some(&index) = self.by_hash.get(&checked.header().hash()) {
            return if self.entries[index].failed { Err(HeaderError::DuplicateInvalid) } else { Ok(index) };
        }
        let parent = checked.header().header().prev_blockhash;
        let Some(&last) = self.by_hash.get(&parent) else {
            return Err(HeaderError::PreviousNotFound { parent });
        };
        if self.entries[last].failed {
            return Err(HeaderError::PreviousInvalid { parent });
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let chain = Branch { entries: &self.entries, last };
        let header = contextual_check_header(checked.header(), &chain, &self.params.consensus, now)?;
        let index = self.entries.len();
        self.entries.push(Entry::new(header, last));
        self.entries[last].children.push(index);
        self.by_hash.insert(header.hash(), index);
        Ok(index)
    }

    /// Gives a block whose body arrived, and all that waited for it, their places among the candidates (Core:
    /// `ChainstateManager::ReceivedBlockTransactions`).
    fn complete(&mut self, index: usize) {
        let parent = self.entries[index].parent;
        if parent != 0 && self.entries[parent].completed.is_none() {
            self.entries[parent].waiting.push(index);
            return;
        }
        let mut queue = vec![index];
        let mut done = 0;
        while let Some(&index) = queue.get(done) {
            done += 1;
            self.sequence += 1;
            self.entries[index].completed = Some(self.sequence);
            queue.append(&mut self.entries[index].waiting);
        }
    }

    /// Marks a block and its descendants as invalid (Core: `Chainstate::SetBlockFailureFlags`).
    fn condemn(&mut self, index: usize) {
        let mut queue = vec![index];
        while let Some(index) = queue.pop() {
            self.entries[index].failed = true;
            queue.extend(&self.entries[index].children);
        }
    }

    /// Connects the chain with the most work, or whatever of it is valid (Core: `Chainstate::ActivateBestChain`). Returns the
    /// blocks that were found invalid.
    fn activate_best_chain(&mut self) -> Vec<(BlockHash, Failure)> {
        let mut failed = Vec::new();
        loop {
            let best = self.find_most_work_chain();
            if best == self.last() {
                return failed;
            }
            let mut path = Vec::new();
            let mut fork = best;
            while self.connected.get(self.entries[fork].height()).is_none_or(|(connected, _)| *connected != fork) {
                path.push(fork);
                fork = self.entries[fork].parent;
            }
            while self.last() != fork {
                self.disconnect_tip();
            }
            for index in path.into_iter().rev() {
                if let Err(error) = self.connect_tip(index) {
                    self.condemn(index);
                    failed.push((self.entries[index].facts.hash, Failure::from(&error)));
                    break;
                }
            }
        }
    }

    /// All blocks count the same work on regtest, so height stands for it. Of two with the same, the first to be complete
    /// wins (Core: `Chainstate::FindMostWorkChain`, `CBlockIndexWorkComparator`).
    fn find_most_work_chain(&self) -> usize {
        let candidates =
            self.entries.iter().enumerate().filter(|(_, entry)| !entry.failed && entry.completed.is_some());
        let best = candidates.max_by_key(|(_, entry)| (entry.height(), std::cmp::Reverse(entry.completed)));
        best.map_or(0, |(index, _)| index)
    }

    fn last(&self) -> usize {
        self.connected.last().expect("genesis is never disconnected").0
    }

    fn disconnect_tip(&mut self) {
        let (_, undo) = self.connected.pop().expect("genesis is never disconnected");
        for (outpoint, coin) in undo {
            match coin {
                Some(coin) => self.coins.insert(outpoint, coin),
                None => self.coins.remove(&outpoint),
            };
        }
    }

    fn connect_tip(&mut self, index: usize) -> Result<(), BlockError> {
        let entry = &self.entries[index];
        let block = entry.block.clone().expect("a candidate has a body");
        let chain = Branch { entries: &self.entries, last: entry.parent };
        let mut overlay = CoinsOverlay::new(&self.coins);
        let block = check_inputs(block, &mut overlay, &chain, &self.params.consensus)?;
        let changes = overlay.into_changes();
        check_scripts(block, Some(&self.cache))?;
        let replace = |(outpoint, coin): (OutPoint, Option<Coin>)| {
            let replaced = match coin {
                Some(coin) => self.coins.insert(outpoint, coin),
                None => self.coins.remove(&outpoint),
            };
            (outpoint, replaced)
        };
        let undo = changes.into_iter().map(replace).collect();
        self.connected.push((index, undo));
        Ok(())
    }
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl BlockJudge for Reference {
    fn submit(&mut self, bytes: &[u8]) -> Judgement {
        let Ok(block) = Block::decode(bytes.to_vec()) else {
            return Judgement { answer: Answer::Undecodable, failed: Vec::new() };
        };
        match self.accept(block) {
            Ok(answer) => Judgement { answer, failed: self.activate_best_chain() },
            Err(error) => Judgement { answer: Answer::Rejected(Failure::from(&error)), failed: Vec::new() },
        }
    }

    fn tip(&self) -> BlockHash {
        self.entries[self.last()].facts.hash
    }
}
