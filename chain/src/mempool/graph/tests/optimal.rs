//! The order of a cluster, against all others there are.

use proptest::prelude::*;

use crate::mempool::compare_diagrams;
use crate::mempool::graph::bits::{Bits, bit, bits, lowest};
use crate::mempool::graph::cluster::{Cluster, Member, Members};
use crate::mempool::graph::{FeeRate, GraphIndex};

/// Members whose handles are their places, from fees, sizes and for each a set of parents, of which those before it count.
fn members(of: &[(i64, u64, Bits)]) -> Members {
    let mut members = Members::new();
    for (place, (fee, size, parents)) in of.iter().enumerate() {
        let parents = bits(parents & lowest(place));
        let ancestors = parents.fold(bit(place), |set, parent| set | members[parent].ancestors);
        let fee_rate = FeeRate::new(*fee, *size);
        members.push(Member { index: GraphIndex::new(place), fee_rate, order_key: 0, ancestors });
    }
    members
}

/// The chunks of an order, found from the definition: the best prefix of what is left, again and again.
fn chunks(members: &[Member], order: &[usize]) -> Vec<FeeRate> {
    let mut chunks: Vec<FeeRate> = Vec::new();
    for place in order {
        let mut last = members[*place].fee_rate;
        while let Some(before) = chunks.pop_if(|before| last.cmp_rate(*before).is_gt()) {
            last += before;
        }
        chunks.push(last);
    }
    chunks
}

/// Visits every order in which ancestors come first.
fn for_each_order(members: &[Member], order: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
    if order.len() == members.len() {
        visit(order);
    }
    let done = order.iter().fold(0, |set, place| set | bit(*place));
    for place in bits(lowest(members.len()) & !done) {
        if members[place].ancestors & !done == bit(place) {
            order.push(place);
            for_each_order(members, order, visit);
            order.pop();
        }
    }
}

/// Some order: of those that are ready, the one `choose` says.
fn some_order(members: &[Member], mut choose: impl FnMut(usize) -> usize) -> Vec<usize> {
    let (mut order, mut done) = (Vec::new(), 0);
    while order.len() < members.len() {
        let is_ready = |place: &usize| members[*place].ancestors & !done == bit(*place);
        let ready: Vec<usize> = bits(lowest(members.len()) & !done).filter(is_ready).collect();
        let place = ready[choose(ready.len()) % ready.len()];
        order.push(place);
        done |= bit(place);
    }
    order
}

fn check_shape(members: &[Member], cluster: &Cluster) -> Result<(), TestCaseError> {
    let mut done = 0;
    prop_assert_eq!(cluster.members().len(), members.len());
    for (place, member) in cluster.members().iter().enumerate() {
        let old = &members[member.index.as_usize()];
        let named =
            |set: Bits, of: &[Member]| bits(set).fold(0, |all: Bits, place| all | bit(of[place].index.as_usize()));
        prop_assert_eq!(named(member.ancestors, cluster.members()), old.ancestors);
        prop_assert_eq!(member.ancestors & !lowest(place + 1), 0, "ancestors first");
        prop_assert_eq!(member.fee_rate, old.fee_rate);
        done |= bit(member.index.as_usize());
    }
    prop_assert_eq!(done, lowest(members.len()));
    let rates: Vec<FeeRate> = cluster.chunk_fee_rates().collect();
    prop_assert!(rates.is_sorted_by(|a, b| a.cmp_rate(*b).is_ge()));
    for (chunk, rate) in rates.iter().enumerate() {
        prop_assert_eq!(cluster.chunk_members(chunk).iter().map(|member| member.fee_rate).sum::<FeeRate>(), *rate);
    }
    let order: Vec<usize> = cluster.members().iter().map(|member| member.index.as_usize()).collect();
    let equal = Some(std::cmp::Ordering::Equal);
    prop_assert_eq!(compare_diagrams(&rates, &chunks(members, &order)), equal, "chunks are those of the order");
    Ok(())
}

/// Whether a chunk has a part that could be mined before the rest at the same rate or a higher one.
fn can_be_parted(cluster: &Cluster, chunk: usize) -> bool {
    let (members, whole) = (cluster.chunk_members(chunk), cluster.chunk_fee_rate(chunk));
    let start = (0..chunk).map(|before| cluster.chunk_members(before).len()).sum::<usize>();
    (1..lowest(members.len())).any(|part| {
        let is_closed = bits(part).all(|place| (members[place].ancestors >> start) & !part == 0);
        let rate: FeeRate = bits(part).map(|place| members[place].fee_rate).sum();
        is_closed && rate.cmp_rate(whole).is_ge()
    })
}

prop_compose! {
    fn few()(
        dense in 0_u64..4,
        of in prop::collection::vec((-3_i64..12, 1_u64..5, any::<Bits>(), any::<Bits>()), 1..8),
    ) -> Members {
        members(&of.into_iter().map(|(fee, size, a, b)| (fee, size, if dense == 0 { a } else { a & b })).collect::<Vec<_>>())
    }
}

prop_compose! {
    fn many()(
        (fees, sizes) in (1_i64..1_000_000, 1_u64..100_000),
        of in prop::collection::vec((any::<u32>(), any::<u32>(), prop::collection::vec(any::<usize>(), 0..4)), 30..=64),
    ) -> Members {
        let tx = |(place, (fee, size, parents)): (usize, (u32, u32, Vec<usize>))| {
            let parents = parents.into_iter().filter(|_| place > 0).fold(0, |set, parent| set | bit(parent % place.max(1)));
            (i64::from(fee) % fees, u64::from(size) % sizes + 1, parents)
        };
        members(&of.into_iter().enumerate().map(tx).collect::<Vec<_>>())
    }
}

proptest! {
    #[test]
    fn no_order_is_better(members in few()) {
        let cluster = Cluster::linearize(members.clone());
        check_shape(&members, &cluster)?;
        let ours: Vec<FeeRate> = cluster.chunk_fee_rates().collect();
        let mut better = None;
        for_each_order(&members, &mut Vec::new(), &mut |order| {
            if !compare_diagrams(&ours, &chunks(&members, order)).is_some_and(std::cmp::Ordering::is_ge) {
                better = Some(order.to_vec());
            }
        });
        prop_assert_eq!(better, None);
        for chunk in 0..cluster.chunk_count() {
            prop_assert!(!can_be_parted(&cluster, chunk), "chunk {chunk} of {cluster:?}");
        }
    }

    #[test]
    fn no_order_of_many_is_better(members in many(), choices in prop::collection::vec(any::<usize>(), 64)) {
        let cluster = Cluster::linearize(members.clone());
        check_shape(&members, &cluster)?;
        let ours: Vec<FeeRate> = cluster.chunk_fee_rates().collect();
        let mut choices = choices.into_iter().cycle();
        for _ in 0..20 {
            let order = some_order(&members, |_| choices.next().unwrap());
            let order = chunks(&members, &order);
            prop_assert!(compare_diagrams(&ours, &order).is_some_and(std::cmp::Ordering::is_ge));
        }
        // The one that picks the ancestor set with the highest rate each time is hard to beat.
        let order = chunks(&members, &ancestor_set_order(&members));
        prop_assert!(compare_diagrams(&ours, &order).is_some_and(std::cmp::Ordering::is_ge));
    }

    #[test]
    fn the_order_does_not_depend_on_places(members in many(), keys in Just((0..64_u64).collect::<Vec<_>>()).prop_shuffle()) {
        let mut members = members;
        for (member, key) in members.iter_mut().zip(keys) {
            member.order_key = key;
        }
        let count = members.len();
        let reversed: Members = members.iter().rev().map(|member| Member {
            ancestors: bits(member.ancestors).fold(0, |set, place| set | bit(count - 1 - place)),
            index: GraphIndex::new(count - 1 - member.index.as_usize()),
            ..*member
        }).collect();
        let order = |members| Cluster::linearize(members).members().iter().map(|it| it.order_key).collect::<Vec<_>>();
        prop_assert_eq!(order(members), order(reversed));
    }
}

fn ancestor_set_order(members: &[Member]) -> Vec<usize> {
    let (mut order, mut done) = (Vec::new(), 0);
    while order.len() < members.len() {
        let rate =
            |place: &usize| bits(members[*place].ancestors & !done).map(|it| members[it].fee_rate).sum::<FeeRate>();
        let best = bits(lowest(members.len()) & !done).max_by(|a, b| rate(a).cmp_rate(rate(b))).unwrap();
        // Places are in a topological order here.
        order.extend(bits(members[best].ancestors & !done));
        done |= members[best].ancestors;
    }
    order
}

/// A child that pays for two parents beats every single ancestor set: greed by ancestors finds it only by luck.
#[test]
fn two_children_that_share_a_parent_go_together() {
    // 0 is a parent of 1 and 2, which pay together what neither pays alone; 3 lies between.
    let of = [(0, 10, 0), (7, 1, 0b1), (7, 1, 0b1), (4, 5, 0)];
    let members = members(&of);
    let cluster = Cluster::linearize(members);
    let rates: Vec<FeeRate> = cluster.chunk_fee_rates().collect();
    assert_eq!(rates, [FeeRate::new(14, 12), FeeRate::new(4, 5)]);
}
