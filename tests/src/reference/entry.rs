//! What the reference remembers of each header.

use cairn_chain::header_chain::{HeaderChain, HeaderFacts};
use cairn_chain::params::Genesis;
use cairn_chain::validation::{ContextuallyCheckedBlock, ContextuallyCheckedHeader};

/// A header, and what is known about its block (Core: `CBlockIndex`, `chain.h`).
pub(super) struct Entry {
    pub(super) facts: HeaderFacts,
    /// Nothing for genesis.
    pub(super) header: Option<ContextuallyCheckedHeader>,
    /// Position of the parent; genesis is its own.
    pub(super) parent: usize,
    pub(super) children: Vec<usize>,
    /// Children whose bodies arrived while a body before them was missing.
    pub(super) waiting: Vec<usize>,
    pub(super) block: Option<ContextuallyCheckedBlock>,
    /// How many blocks were complete, itself included, when its body and all bodies before it had arrived (Core:
    /// `nSequenceId`).
    pub(super) completed: Option<usize>,
    /// Whether it or a block before it is invalid.
    pub(super) failed: bool,
}

impl Entry {
    pub(super) fn genesis(genesis: &Genesis) -> Self {
        let header = &genesis.header;
        let facts = HeaderFacts { hash: genesis.hash, time: header.time, bits: header.bits, version: header.version };
        Self { completed: Some(0), ..Self::of(facts, None, 0) }
    }

    pub(super) fn new(header: ContextuallyCheckedHeader, parent: usize) -> Self {
        Self::of(header.facts(), Some(header), parent)
    }

    fn of(facts: HeaderFacts, header: Option<ContextuallyCheckedHeader>, parent: usize) -> Self {
        let (children, waiting) = (Vec::new(), Vec::new());
        Self { facts, header, parent, children, waiting, block: None, completed: None, failed: false }
    }

    pub(super) fn height(&self) -> usize {
        self.header.map_or(0, |header| usize::try_from(header.height()).unwrap())
    }
}

/// The headers from genesis to one entry.
pub(super) struct Branch<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) last: usize,
}

impl HeaderChain for Branch<'_> {
    fn height(&self) -> u32 {
        u32::try_from(self.entries[self.last].height()).unwrap()
    }

    fn header_at(&self, height: u32) -> HeaderFacts {
        let mut entry = &self.entries[self.last];
        for _ in height..self.height() {
            entry = &self.entries[entry.parent];
        }
        entry.facts
    }
}
