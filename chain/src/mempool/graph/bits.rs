//! Sets of places in a cluster.

use super::cluster::Member;

/// A set of places, a bit for each.
pub(super) type Bits = u64;

/// The set of one place.
pub(super) const fn bit(place: usize) -> Bits {
    1 << place
}

/// The set of the first `count` places.
pub(super) const fn lowest(count: usize) -> Bits {
    if count == 0 { 0 } else { Bits::MAX >> (64 - count) }
}

/// The places in a set, lowest first.
pub(super) fn bits(mut set: Bits) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (set != 0).then(|| set.trailing_zeros() as usize);
        set &= set.wrapping_sub(1);
        place
    })
}

/// How many of a set lie below a place: its own place when the set is packed.
pub(super) const fn rank(set: Bits, place: usize) -> usize {
    (set & lowest(place)).count_ones() as usize
}

/// What is left of `set` when the places of `within` are packed to the lowest.
pub(super) fn pack(set: Bits, within: Bits) -> Bits {
    if within & within.wrapping_add(1) == 0 {
        return set & within;
    }
    bits(set & within).fold(0, |packed, place| packed | bit(rank(within, place)))
}

/// The connected part of a set that its lowest member is in.
pub(super) fn connected_part(members: &[Member], set: Bits) -> Bits {
    let mut part = set & set.wrapping_neg();
    loop {
        let mut grown = part;
        // A member joins with its ancestors when any of the two is in the part already.
        for place in bits(set) {
            let ancestry = members[place].ancestors & set;
            if ancestry & grown != 0 {
                grown |= ancestry;
            }
        }
        if grown == part {
            return part;
        }
        part = grown;
    }
}
