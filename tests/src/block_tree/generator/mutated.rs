//! Mutations, and what follows on them: the same again, children, the block as it should have been.

use bitcoin::BlockHash;
use bitcoin::consensus::encode;

use super::super::draft::{Draft, FAR_AHEAD};
use super::super::mutation::{Effect, Mutation};
use super::super::step::{answer, rejected, stored, stored_and_failed};
use super::Generator;
use crate::block_judge::{Answer, Class};

/// The end of a chain whose last blocks nobody can spend from, as they follow a block that is not in the tree.
pub(super) struct Outcast {
    hash: BlockHash,
    pub(super) height: u32,
    /// The latest time of the blocks before it: later than any median.
    latest: u32,
}

impl Outcast {
    pub(super) fn of(generator: &Generator, draft: &Draft) -> Self {
        let tree = &generator.forge.tree;
        let before = (0..11).scan(draft.parent, |node, _| {
            let time = tree.nodes[*node].time;
            *node = tree.nodes[*node].parent;
            Some(time)
        });
        let own = draft.block.header.time;
        // The far future is not the next block's as well.
        let own = if own == FAR_AHEAD { 0 } else { own };
        Self { hash: draft.block.block_hash(), height: draft.height, latest: before.max().unwrap().max(own) }
    }

    /// Goes on to a child with nothing but a coinbase, and returns its bytes.
    pub(super) fn child(&mut self, generator: &mut Generator) -> Vec<u8> {
        self.height += 1;
        self.latest += 600;
        let mut draft = Draft::new(&mut generator.forge.rng, 0, self.hash, self.height, 0, self.latest);
        draft.seal();
        self.hash = draft.block.block_hash();
        encode::serialize(&draft.block)
    }
}

impl Generator {
    /// A block with a mutation that was not made often yet.
    pub(super) fn mutate(&mut self) {
        const TRIES: usize = 12;
        const CHOICE: usize = 6;
        let parent = self.some_parent();
        for _ in 0..TRIES {
            let choice = (0..CHOICE).map(|_| self.mutations[self.forge.rng.below(self.mutations.len())]);
            let choice: Vec<_> = choice.collect();
            let made = |mutation: &&&Mutation| self.made.get(mutation.name).copied().unwrap_or_default();
            let mutation = *choice.iter().min_by_key(made).expect("there is a choice");
            if let Some(draft) = self.make(mutation, parent) {
                return self.submit_mutation(mutation, draft);
            }
        }
        self.extend();
    }

    /// A block with a mutation, if the branch has what it takes.
    pub(super) fn make(&mut self, mutation: &Mutation, parent: usize) -> Option<Draft> {
        let mut draft = self.forge.filled(parent, 3);
        (mutation.make)(&mut self.forge, &mut draft)?;
        *self.made.entry(mutation.name).or_default() += 1;
        self.covers.push(("mutation", mutation.name));
        self.covers.extend(draft.refused.map(|kind| ("refusal", kind.name())));
        Some(draft)
    }

    fn submit_mutation(&mut self, mutation: &Mutation, mut draft: Draft) {
        let (name, bytes) = (mutation.name, draft.to_bytes());
        match mutation.effect {
            Effect::Valid => {
                self.plant_and_submit(name, &draft);
            }
            Effect::Forgotten(class, reason) => {
                self.submit(name, bytes.clone(), rejected(class, reason));
                if self.forge.rng.chance(20) {
                    self.submit(&format!("{name}, again"), bytes, rejected(class, reason));
                }
                if self.forge.rng.chance(20) {
                    let child = Outcast::of(self, &draft).child(self);
                    let missing = rejected(Class::MissingParent, "prev-blk-not-found");
                    self.submit(&format!("{name}, child"), child, missing);
                }
                if draft.mutant.take().is_some() && self.forge.rng.chance(80) {
                    self.plant_and_submit(&format!("{name}, as it should be"), &draft);
                }
            }
            Effect::AwaitsBody(reason) => self.submit_without_body(name, reason, draft),
            Effect::Condemned(reason) => {
                self.submit(name, bytes.clone(), rejected(Class::Consensus, reason));
                self.follow_condemned(name, bytes, &draft);
            }
            Effect::Unconnectable(reason) => self.submit_unconnectable(name, reason, draft),
        }
    }

    fn submit_without_body(&mut self, name: &str, reason: &str, mut draft: Draft) {
        let bytes = draft.to_bytes();
        self.submit(name, bytes.clone(), rejected(Class::Mutated, reason));
        if self.forge.rng.chance(20) {
            self.submit(&format!("{name}, again"), bytes, rejected(Class::Mutated, reason));
        }
        if draft.mutant.take().is_none() {
            // The header has no body that would do, so its children wait for ever.
            if self.forge.rng.chance(30) {
                let child = Outcast::of(self, &draft).child(self);
                self.submit(&format!("{name}, child"), child.clone(), stored());
                self.submit(&format!("{name}, child, again"), child, answer(Answer::Known));
            }
        } else if self.forge.rng.chance(40) {
            let node = self.forge.plant(&draft);
            let mut last = node;
            for _ in 0..self.forge.rng.between(1, 3) {
                let mut child = self.forge.filled(last, 3);
                child.finish();
                last = self.forge.plant(&child);
                self.submit(&format!("{name}, child"), child.to_bytes(), stored());
            }
            self.arrive(last);
            self.submit(&format!("{name}, as it should be, after its children"), draft.to_bytes(), stored());
        } else {
            self.plant_and_submit(&format!("{name}, as it should be"), &draft);
        }
    }

    fn submit_unconnectable(&mut self, name: &str, reason: &str, draft: Draft) {
        let (bytes, hash) = (draft.to_bytes(), draft.block.block_hash());
        let best = self.height_of(self.best);
        if draft.height > best {
            self.submit(name, bytes.clone(), stored_and_failed(hash, reason));
            return self.follow_condemned(name, bytes, &draft);
        }
        self.submit(&format!("{name}, on a branch"), bytes.clone(), stored());
        if self.forge.rng.chance(50) {
            self.submit(&format!("{name}, on a branch, again"), bytes.clone(), answer(Answer::Known));
        }
        if self.forge.rng.chance(70) {
            let mut end = Outcast::of(self, &draft);
            while end.height < best {
                let child = end.child(self);
                self.submit(&format!("{name}, on a branch, child"), child, stored());
            }
            let child = end.child(self);
            self.submit(&format!("{name}, on a branch, overtaking"), child.clone(), stored_and_failed(hash, reason));
            let again = rejected(Class::CachedInvalid, "duplicate-invalid");
            self.submit(&format!("{name}, on a branch, overtaking, again"), child, again);
            self.follow_condemned(name, bytes, &draft);
        }
    }

    fn follow_condemned(&mut self, name: &str, bytes: Vec<u8>, draft: &Draft) {
        if self.forge.rng.chance(20) {
            let again = rejected(Class::CachedInvalid, "duplicate-invalid");
            self.submit(&format!("{name}, again"), bytes.clone(), again);
        }
        if self.forge.rng.chance(30) {
            let child = Outcast::of(self, draft).child(self);
            self.submit(&format!("{name}, child"), child, rejected(Class::InvalidParent, "bad-prevblk"));
        }
        self.condemned.push(bytes);
    }
}
