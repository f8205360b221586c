//! The best order of a cluster.
//!
//! An order is as good as the diagram of its chunks: a miner who stops anywhere should have got the most. There is one
//! diagram that is nowhere below any other's, and it is found exactly, at every size a cluster may have. The best first part
//! of a set at some rate is a closure: a subset that has all its ancestors in the set. At the rate of the whole set, either
//! some closure pays more, and the one with the largest surplus parts the set in two that are ordered on their own, the
//! closure first; or none does, and the set is a chunk. [`Settlement`] finds that closure.
//!
//! Core reaches the same chunks by another way (`SpanningForestState`, `cluster_linearize.h`): where that runs to its end,
//! they are optimal and as small as they can be, and ordered by the same rules as here (its `GetLinearization`).

mod order;
mod settlement;

use smallvec::SmallVec;

pub(super) use order::order;
use settlement::{Parting, Settlement};

use super::bits::{Bits, bits, connected_part, lowest};
use super::cluster::Member;
use crate::mempool::FeeRate;

/// A subset of a cluster that is mined together, with its sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkSet {
    pub(super) members: Bits,
    pub(super) fee_rate: FeeRate,
}

/// The chunks of the best order, in no order. Each is connected, and none can be parted into chunks of equal rate.
pub(super) fn optimal_chunks(members: &[Member]) -> SmallVec<[ChunkSet; 8]> {
    let mut chunks = SmallVec::new();
    let mut settlement = Settlement::new(members);
    let mut open: SmallVec<[Bits; 8]> = SmallVec::new();
    open.push(lowest(members.len()));
    while let Some(set) = open.pop() {
        let part = connected_part(members, set);
        if part != set {
            open.push(set & !part);
        }
        let fee_rate = sum(members, part);
        if part.is_power_of_two() {
            chunks.push(ChunkSet { members: part, fee_rate });
            continue;
        }
        match settlement.part(part, fee_rate) {
            Parting::First(first) => open.extend([part & !first, first]),
            Parting::Balanced(parts) => {
                chunks.extend(parts.iter().map(|part| ChunkSet { members: *part, fee_rate: sum(members, *part) }));
            }
        }
    }
    chunks
}

fn sum(members: &[Member], set: Bits) -> FeeRate {
    bits(set).map(|position| members[position].fee_rate).sum()
}
