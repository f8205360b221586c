//! The blocks that are wanted, in the order of the chain.

use std::collections::{HashMap, VecDeque};

use bitcoin::BlockHash;
use cairn_chain::chainstate::BlockReference;
use cairn_net::PeerId;

use super::{Arrival, RequestId};

/// A block that is wanted.
#[derive(Debug)]
pub(super) struct Slot<B> {
    pub(super) block: BlockReference,
    /// Open questions for it.
    pub(super) asked: Vec<RequestId>,
    here: Option<Here<B>>,
}

/// A block that came.
#[derive(Debug)]
struct Here<B> {
    body: B,
    bytes: usize,
    from: PeerId,
}

/// The blocks that are wanted, the lowest first.
#[derive(Debug)]
pub(super) struct Window<B> {
    slots: VecDeque<Slot<B>>,
    /// Where each stands, counted from the first that ever stood here.
    places: HashMap<BlockHash, u64>,
    /// How many have left.
    taken: u64,
    /// Bytes of blocks that came.
    bytes: usize,
}

impl<B> Window<B> {
    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), places: HashMap::new(), taken: 0, bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of blocks that came.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn retarget(&mut self, blocks: impl IntoIterator<Item = BlockReference>) {
        let old = std::mem::take(&mut self.slots);
        let mut old: HashMap<BlockHash, Slot<B>> = old.into_iter().map(|slot| (slot.block.hash, slot)).collect();
        (self.places, self.taken, self.bytes) = (HashMap::new(), 0, 0);
        for block in blocks {
            let slot = old.remove(&block.hash).unwrap_or_else(|| Slot { block, asked: Vec::new(), here: None });
            self.bytes += slot.here.as_ref().map_or(0, |here| here.bytes);
            self.push(slot);
        }
    }

    fn push(&mut self, slot: Slot<B>) {
        if self.places.contains_key(&slot.block.hash) {
            return;
        }
        self.places.insert(slot.block.hash, self.taken + self.slots.len() as u64);
        self.slots.push_back(slot);
    }

    /// The lowest block that has not come.
    pub(super) fn front_missing(&self) -> Option<&Slot<B>> {
        self.missing().next()
    }

    /// Blocks that did not come, the lowest first.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Slot<B>> {
        self.slots.iter().filter(|slot| slot.here.is_none())
    }

    pub(super) fn asked(&mut self, hash: &BlockHash, request: RequestId) {
        if let Some(slot) = self.slot_mut(hash) {
            slot.asked.push(request);
        }
    }

    pub(super) fn no_longer_asked(&mut self, hash: &BlockHash, request: RequestId) {
        if let Some(slot) = self.slot_mut(hash) {
            slot.asked.retain(|other| *other != request);
        }
    }

    /// Keeps a block, unless it came before or is not wanted; whether it was the one that all others wait for.
    pub(super) fn came(&mut self, hash: &BlockHash, body: B, bytes: usize, from: PeerId) -> bool {
        let was_front = self.front_missing().is_some_and(|front| front.block.hash == *hash);
        let Some(slot) = self.slot_mut(hash).filter(|slot| slot.here.is_none()) else { return false };
        slot.here = Some(Here { body, bytes, from });
        self.bytes += bytes;
        was_front
    }

    pub(super) fn forget_blocks_of(&mut self, peer: &PeerId) {
        for slot in &mut self.slots {
            if let Some(here) = slot.here.take_if(|here| here.from == *peer) {
                self.bytes -= here.bytes;
            }
        }
    }

    pub(super) fn take_ready(&mut self, max_blocks: usize, max_bytes: usize) -> Vec<Arrival<B>> {
        let (mut ready, mut bytes) = (Vec::new(), 0);
        while ready.len() < max_blocks {
            let fits =
                |slot: &Slot<B>| slot.here.as_ref().is_some_and(|here| bytes + here.bytes <= max_bytes || bytes == 0);
            if !self.slots.front().is_some_and(fits) {
                break;
            }
            let Some(Slot { block, here: Some(here), .. }) = self.slots.pop_front() else { break };
            self.places.remove(&block.hash);
            self.taken += 1;
            self.bytes -= here.bytes;
            bytes += here.bytes;
            ready.push(Arrival { block, body: here.body, from: here.from });
        }
        ready
    }

    fn slot_mut(&mut self, hash: &BlockHash) -> Option<&mut Slot<B>> {
        let place = self.places.get(hash)?.checked_sub(self.taken)?;
        self.slots.get_mut(usize::try_from(place).ok()?)
    }
}
