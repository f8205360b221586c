//! Transactions that depend on each other, in the order they are mined.

use smallvec::SmallVec;

use super::bits::{Bits, bit, bits, lowest, pack};
use super::linearize::{optimal_chunks, order};
use super::{GraphIndex, chunk_order::ChunkKey};
use crate::mempool::FeeRate;

/// A transaction within a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) index: GraphIndex,
    pub(super) fee_rate: FeeRate,
    pub(super) order_key: u64,
    /// The places of its ancestors and of itself.
    pub(super) ancestors: Bits,
}

impl Member {
    /// What breaks ties. Keys may collide, handles do not.
    pub(super) fn order_key(&self) -> (u64, u32) {
        (self.order_key, self.index.0)
    }
}

/// The transactions of a cluster before they are linearized, at places of no meaning.
pub(super) type Members = SmallVec<[Member; 1]>;

/// A chunk within a cluster, up to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ChunkEnd {
    fee_rate: FeeRate,
    end: u8,
}

/// A connected component of the graph. The place of a member is its place in the linearization, so ancestors have lower
/// places, and a chunk is a range of them.
///
/// Only ancestors are kept: descendants are those who have it as an ancestor, and there are few to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    members: Members,
    chunks: SmallVec<[ChunkEnd; 1]>,
}

impl Cluster {
    /// Linearizes transactions, whose ancestors may stand at any places.
    pub(super) fn linearize(members: Members) -> Self {
        if let [member] = members[..] {
            let chunks = SmallVec::from_buf([ChunkEnd { fee_rate: member.fee_rate, end: 1 }]);
            return Self { members, chunks };
        }
        let mut chunk_sets = optimal_chunks(&members);
        let places = order(&members, &mut chunk_sets);
        let mut new_place = [0; 64];
        for (new, old) in places.iter().enumerate() {
            new_place[*old] = new;
        }
        let moved = places.iter().map(|old| {
            let member = members[*old];
            let ancestors = bits(member.ancestors).fold(0, |set, old| set | bit(new_place[old]));
            Member { ancestors, ..member }
        });
        let mut end = 0;
        let chunks = chunk_sets.iter().map(|chunk| {
            end += u8::try_from(chunk.members.count_ones()).expect("a set of at most 64");
            ChunkEnd { fee_rate: chunk.fee_rate, end }
        });
        Self { members: moved.collect(), chunks: chunks.collect() }
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn all(&self) -> Bits {
        lowest(self.members.len())
    }

    /// The sum of its members.
    pub(super) fn total(&self) -> FeeRate {
        self.chunks.iter().map(|chunk| chunk.fee_rate).sum()
    }

    /// The members at some places, packed, with places that begin at `offset`.
    pub(super) fn part(&self, set: Bits, offset: usize) -> impl Iterator<Item = Member> {
        bits(set).map(move |place| {
            let member = self.members[place];
            Member { ancestors: pack(member.ancestors, set) << offset, ..member }
        })
    }

    pub(super) fn indexes(&self, set: Bits) -> impl DoubleEndedIterator<Item = GraphIndex> {
        self.members.iter().enumerate().filter(move |(place, _)| set & bit(*place) != 0).map(|(_, member)| member.index)
    }

    /// The places of a member's ancestors and of itself.
    pub(super) fn ancestors(&self, place: usize) -> Bits {
        self.members[place].ancestors
    }

    pub(super) fn ancestors_union(&self, of: Bits) -> Bits {
        bits(of).fold(0, |set, place| set | self.members[place].ancestors)
    }

    /// The places of all that descend from some places, and these.
    pub(super) fn descendants_union(&self, of: Bits) -> Bits {
        let descends = |member: &Member| member.ancestors & of != 0;
        self.members
            .iter()
            .enumerate()
            .filter(|(_, member)| descends(member))
            .fold(0, |set, (place, _)| set | bit(place))
    }

    pub(super) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn chunk_fee_rate(&self, chunk: usize) -> FeeRate {
        self.chunks[chunk].fee_rate
    }

    pub(super) fn chunk_members(&self, chunk: usize) -> &[Member] {
        let start = chunk.checked_sub(1).map_or(0, |before| usize::from(self.chunks[before].end));
        &self.members[start..usize::from(self.chunks[chunk].end)]
    }

    /// The chunk that has a place.
    pub(super) fn chunk_of(&self, place: usize) -> usize {
        self.chunks.partition_point(|chunk| usize::from(chunk.end) <= place)
    }

    pub(super) fn chunk_fee_rates(&self) -> impl Iterator<Item = FeeRate> {
        self.chunks.iter().map(|chunk| chunk.fee_rate)
    }

    /// Where its chunks stand among those of all clusters.
    pub(super) fn chunk_keys(&self, id: u32) -> impl Iterator<Item = ChunkKey> {
        let mut equal = FeeRate::default();
        (0..self.chunks.len()).map(move |chunk| {
            let fee_rate = self.chunks[chunk].fee_rate;
            // The first finds an empty rate, which equals its own.
            if !fee_rate.cmp_rate(equal).is_eq() {
                equal = FeeRate::default();
            }
            equal += fee_rate;
            let order_key = self.chunk_members(chunk).iter().map(|member| member.order_key).max().unwrap_or_default();
            ChunkKey { fee_rate, equal_size: equal.size, order_key, cluster: id, chunk }
        })
    }

    /// Memory beyond the value itself, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        let members = if self.members.spilled() { self.members.capacity() * size_of::<Member>() } else { 0 };
        let chunks = if self.chunks.spilled() { self.chunks.capacity() * size_of::<ChunkEnd>() } else { 0 };
        members + chunks
    }
}
