//! Branches, and how they arrive.

use bitcoin::BlockHash;

use super::super::draft::Draft;
use super::super::mutation::{Effect, Mutation};
use super::super::step::{rejected, stored, stored_and_failed};
use super::Generator;
use super::mutated::Outcast;
use crate::block_judge::{Class, Judgement};

/// Depths of the deep forks of a tree, the first one last. The way back is one block deeper.
pub(super) const DEEP: [u32; 5] = [199, 110, 60, 35, 20];
/// Submissions before the first of them.
pub(super) const FIRST_DEEP: usize = 170;
/// Submissions between two of them.
pub(super) const DEEP_INTERVAL: usize = 130;

/// Where a branch stops being valid.
struct Break {
    hash: BlockHash,
    reason: &'static str,
    end: Outcast,
}

impl Generator {
    /// A deep reorganization, another all the way back, and a third that fails at its end.
    pub(super) fn deep_fork(&mut self, depth: u32) {
        let old = self.best;
        let base = self.forge.tree.ancestor(old, self.height_of(old) - depth);
        self.branch(base, depth + 1, None);
        self.branch(old, 2, None);
        let bad = self.forge.rng.up_to(1);
        let new = self.forge.tree.nodes.len() - 3;
        self.branch(new, 3, Some(bad));
    }

    /// A short branch: shorter than the best chain, as long, or longer; perhaps with an invalid block.
    pub(super) fn fork(&mut self) {
        let best = self.height_of(self.best);
        let depth = 1 + self.forge.rng.pick(&[1, 3, 6, 12]);
        let depth = self.forge.rng.up_to(depth).max(1);
        let base = self.forge.tree.ancestor(self.best, best - depth);
        let length = (depth + self.forge.rng.pick(&[0, 1, 1, 2, 3])).saturating_sub(self.forge.rng.pick(&[0, 0, 1]));
        let bad = self.forge.rng.chance(40).then(|| self.forge.rng.up_to(length));
        self.branch(base, length, bad);
    }

    /// Submits a branch block by block; the one at position `bad` cannot be connected.
    fn branch(&mut self, base: usize, length: u32, bad: Option<u32>) {
        let mut parent = base;
        for position in 0..length {
            if bad == Some(position)
                && let Some((draft, mutation, reason)) = self.unconnectable(parent)
            {
                let hash = draft.block.block_hash();
                let expected = self.expect_of_break(draft.height, hash, reason);
                self.submit(&format!("{}, in a branch", mutation.name), draft.to_bytes(), expected);
                let found = draft.height > self.height_of(self.best);
                let broken = Break { hash, reason, end: Outcast::of(self, &draft) };
                self.after_break(broken, length - position - 1, found);
                return;
            }
            let most = if length > 15 { 1 } else { 4 };
            let mut draft = self.forge.filled(parent, most);
            draft.finish();
            parent = self.plant_and_submit("branch", &draft);
        }
    }

    fn expect_of_break(&self, height: u32, hash: BlockHash, reason: &str) -> Judgement {
        if height > self.height_of(self.best) { stored_and_failed(hash, reason) } else { stored() }
    }

    /// The children of a block that cannot be connected, which shows as soon as they have the most work.
    fn after_break(&mut self, mut broken: Break, children: u32, mut found: bool) {
        for _ in 0..children {
            let child = broken.end.child(self);
            if found {
                return self.submit(
                    "branch after an invalid block",
                    child,
                    rejected(Class::InvalidParent, "bad-prevblk"),
                );
            }
            let expected = self.expect_of_break(broken.end.height, broken.hash, broken.reason);
            found = broken.end.height > self.height_of(self.best);
            self.submit("branch with an invalid block", child, expected);
        }
    }

    /// A block that obeys all rules but those about coins and scripts.
    fn unconnectable(&mut self, parent: usize) -> Option<(Draft, &'static Mutation, &'static str)> {
        const TRIES: usize = 12;
        for _ in 0..TRIES {
            let mutation = self.mutations[self.forge.rng.below(self.mutations.len())];
            if let Effect::Unconnectable(reason) = mutation.effect
                && let Some(draft) = self.make(mutation, parent)
            {
                return Some((draft, mutation, reason));
            }
        }
        None
    }

    /// A branch whose first body comes last, so that all of it can be connected, or fails to be, at once.
    pub(super) fn fork_at_once(&mut self) {
        let depth = 1 + self.forge.rng.up_to(8);
        let base = self.forge.tree.ancestor(self.best, self.height_of(self.best) - depth);
        let length = depth + self.forge.rng.up_to(3);
        let mutation = self.mutations.iter().copied().find(|mutation| mutation.name == "witness nonce of another size");
        let mutation = mutation.expect("the mutation exists");
        let (Some(mut first), Effect::AwaitsBody(reason)) = (self.make(mutation, base), mutation.effect) else {
            return;
        };
        self.submit("branch, first body mutated", first.to_bytes(), rejected(Class::Mutated, reason));
        first.mutant = None;
        let mut last = self.forge.plant(&first);
        let bad = self.forge.rng.chance(60).then(|| 1 + self.forge.rng.up_to(length));
        let mut broken = None;
        for position in 1..=length {
            if bad == Some(position)
                && let Some((draft, mutation, reason)) = self.unconnectable(last)
            {
                self.submit(&format!("{}, without the first body", mutation.name), draft.to_bytes(), stored());
                let mut end = Outcast::of(self, &draft);
                for _ in position..length {
                    let child = end.child(self);
                    self.submit("branch with an invalid block, without the first body", child, stored());
                }
                broken = Some(Break { hash: draft.block.block_hash(), reason, end });
                break;
            }
            let mut draft = self.forge.filled(last, 3);
            draft.finish();
            last = self.forge.plant(&draft);
            self.covers.extend(draft.kinds.iter().map(|kind| ("spend", kind.name())));
            self.submit("branch, without the first body", draft.to_bytes(), stored());
        }
        let expected = match &broken {
            Some(broken) => self.expect_of_break(broken.end.height, broken.hash, broken.reason),
            None => stored(),
        };
        self.arrive(last);
        self.submit("branch, first body", first.to_bytes(), expected);
    }

    /// Children before their parents: refused, and taken when they come again.
    pub(super) fn orphans(&mut self) {
        let mut drafts = Vec::new();
        let mut parent = self.best;
        let mut nodes = Vec::new();
        for _ in 0..self.forge.rng.between(2, 4) {
            let mut draft = self.forge.filled(parent, 3);
            draft.finish();
            parent = self.forge.plant(&draft);
            nodes.push(parent);
            drafts.push(draft);
        }
        for draft in drafts[1..].iter().rev() {
            let missing = rejected(Class::MissingParent, "prev-blk-not-found");
            self.submit("child before its parent", draft.to_bytes(), missing);
        }
        for (draft, node) in drafts.iter().zip(nodes) {
            self.arrive(node);
            self.submit("child after its parent", draft.to_bytes(), stored());
        }
    }
}
