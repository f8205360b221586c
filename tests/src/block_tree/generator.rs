//! Decides what happens next, and knows what a node must make of it.

mod fork;
mod mutated;
mod resubmit;

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use bitcoin::BlockHash;

use super::draft::Draft;
use super::forge::Forge;
use super::mutation::{self, Mutation};
use super::step::{Step, stored};
use crate::block_judge::Judgement;

/// Blocks before the first coinbase can be spent, and a few more.
const START: u32 = 108;

/// Grows a tree, step by step.
pub(super) struct Generator {
    forge: Forge,
    /// The last block of the chain every node has settled on by now.
    best: usize,
    /// How often each mutation was made.
    made: BTreeMap<&'static str, usize>,
    mutations: Vec<&'static Mutation>,
    steps: VecDeque<Step>,
    /// What the next step covers.
    covers: Vec<(&'static str, &'static str)>,
    /// Blocks that are invalid for ever.
    condemned: Vec<Vec<u8>>,
    /// Depths of the forks to come, the next one last.
    depths: Vec<u32>,
    submitted: usize,
    next_deep_fork: usize,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            forge: Forge::new(seed),
            best: 0,
            made: BTreeMap::new(),
            mutations: mutation::all(),
            steps: VecDeque::new(),
            covers: Vec::new(),
            condemned: Vec::new(),
            depths: fork::DEEP.to_vec(),
            submitted: 0,
            next_deep_fork: fork::FIRST_DEEP,
        }
    }

    /// The next submission.
    pub(super) fn next(&mut self) -> Step {
        while self.steps.is_empty() {
            self.episode();
        }
        self.submitted += 1;
        self.steps.pop_front().expect("an episode has a step")
    }

    /// Adds steps that belong together. Afterwards every valid block of the tree has arrived.
    fn episode(&mut self) {
        if self.height_of(self.best) < START {
            return match self.forge.rng.below(10) {
                0 => self.mutate(),
                _ => self.extend(),
            };
        }
        let height = self.height_of(self.best);
        if self.submitted >= self.next_deep_fork
            && let Some(depth) = self.depths.pop_if(|depth| *depth < height)
        {
            self.next_deep_fork = self.submitted + fork::DEEP_INTERVAL;
            return self.deep_fork(depth);
        }
        match self.forge.rng.below(100) {
            0..30 => self.extend(),
            30..82 => self.mutate(),
            82..88 => self.fork(),
            88..90 => self.fork_at_once(),
            90..92 => self.orphans(),
            92..94 => self.sibling(),
            94..98 => self.resubmit(),
            _ => self.undecodable(),
        }
    }

    /// A valid block on the best chain.
    fn extend(&mut self) {
        let most = self.forge.rng.pick(&[0, 2, 2, 5, 5, 12]);
        let mut draft = self.forge.filled(self.best, most);
        draft.finish();
        self.plant_and_submit("valid block", &draft);
    }

    /// Puts a valid block into the tree and submits it.
    fn plant_and_submit(&mut self, name: &str, draft: &Draft) -> usize {
        let node = self.forge.plant(draft);
        self.arrive(node);
        self.covers.extend(draft.kinds.iter().map(|kind| ("spend", kind.name())));
        self.submit(name, draft.to_bytes(), stored());
        node
    }

    /// A block and all before it have arrived: of two chains with the same work the first stays.
    fn arrive(&mut self, node: usize) {
        if self.height_of(node) <= self.height_of(self.best) {
            return;
        }
        let mut fork = self.best;
        while !self.forge.tree.is_ancestor(fork, node) {
            fork = self.forge.tree.nodes[fork].parent;
        }
        let depth = self.height_of(self.best) - self.height_of(fork);
        if depth > 0 {
            self.covers.push(("reorganization", depth_name(depth)));
        }
        self.best = node;
    }

    fn submit(&mut self, name: &str, bytes: Vec<u8>, expected: Judgement) {
        let covers = mem::take(&mut self.covers);
        self.steps.push_back(Step { name: name.to_owned(), bytes, expected, tip: self.tip(), covers });
    }

    fn tip(&self) -> BlockHash {
        self.forge.tree.nodes[self.best].hash
    }

    fn height_of(&self, node: usize) -> u32 {
        self.forge.tree.nodes[node].height
    }

    /// A block somewhere near the end of the best chain, or the end of another branch.
    fn some_parent(&mut self) -> usize {
        if self.forge.rng.chance(70) {
            return self.best;
        }
        let nodes = self.forge.tree.nodes.len();
        nodes - 1 - self.forge.rng.below(nodes.min(12))
    }
}

fn depth_name(depth: u32) -> &'static str {
    match depth {
        1 => "1 deep",
        2..10 => "2 to 9 deep",
        10..100 => "10 to 99 deep",
        100..200 => "100 to 199 deep",
        _ => "200 deep",
    }
}
