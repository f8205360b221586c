//! The order of chunks, and of transactions within them.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::ChunkSet;
use crate::mempool::FeeRate;
use crate::mempool::graph::bits::{Bits, bit, bits};
use crate::mempool::graph::cluster::Member;

/// Sorts chunks and the transactions within each: parents first, then the highest rate, the smallest size, and the lowest
/// order key, which for a chunk is the highest of its transactions' (Core: `GetLinearization`, `cluster_linearize.h`).
/// Returns the places of all transactions in their new order.
pub(in crate::mempool::graph) fn order(members: &[Member], chunks: &mut [ChunkSet]) -> SmallVec<[usize; 64]> {
    let mut candidates: SmallVec<[Candidate; 16]> =
        chunks.iter().map(|chunk| Candidate::of_chunk(members, *chunk)).collect();
    sort(&mut candidates, 0);
    let mut places = SmallVec::new();
    let mut placed = 0;
    for (chunk, sorted) in chunks.iter_mut().zip(candidates) {
        *chunk = ChunkSet { members: sorted.members, fee_rate: sorted.fee_rate };
        if chunk.members.is_power_of_two() {
            places.extend(bits(chunk.members));
        } else {
            let mut candidates: SmallVec<[Candidate; 16]> =
                bits(chunk.members).map(|place| Candidate::of_transaction(members, place)).collect();
            sort(&mut candidates, placed);
            places.extend(candidates.iter().flat_map(|candidate| bits(candidate.members)));
        }
        placed |= chunk.members;
    }
    places
}

/// What stands in line.
#[derive(Clone, Copy)]
struct Candidate {
    members: Bits,
    /// Who must go before.
    ancestors: Bits,
    fee_rate: FeeRate,
    order_key: (u64, u32),
}

impl Candidate {
    fn of_chunk(members: &[Member], chunk: ChunkSet) -> Self {
        let ancestors = bits(chunk.members).fold(0, |ancestors, place| ancestors | members[place].ancestors);
        let order_key = bits(chunk.members).map(|place| members[place].order_key()).max().unwrap_or_default();
        Self { members: chunk.members, ancestors: ancestors & !chunk.members, fee_rate: chunk.fee_rate, order_key }
    }

    fn of_transaction(members: &[Member], place: usize) -> Self {
        let (member, own) = (&members[place], bit(place));
        let (ancestors, order_key) = (member.ancestors & !own, member.order_key());
        Self { members: own, ancestors, fee_rate: member.fee_rate, order_key }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_rate = other.fee_rate.cmp_rate(self.fee_rate);
        by_rate.then_with(|| (self.fee_rate.size, self.order_key).cmp(&(other.fee_rate.size, other.order_key)))
    }
}

/// Puts first, again and again, the best of those that wait for nobody. `done` are those who went before all.
fn sort(candidates: &mut [Candidate], mut done: Bits) {
    candidates.sort_unstable_by(Candidate::compare);
    for first in 0..candidates.len() {
        let waiting = &mut candidates[first..];
        // Somebody is always ready, because ancestry has no cycles.
        let ready = waiting.iter().position(|candidate| candidate.ancestors & !done == 0).unwrap_or(0);
        waiting[..=ready].rotate_right(1);
        done |= waiting[0].members;
    }
}
