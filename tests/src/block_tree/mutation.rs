//! Blocks that break one rule each, and blocks that only just do not.
//!
//! Each is made from a valid draft. Rules that no block on regtest can break are left out: repeated coinbases (which BIP34
//! rules out from the first block on; other transactions can be repeated against BIP30), the first block of a period (BIP94), signet's solution, sums of inputs or fees
//! above the maximum (there are not as many coins), a transaction larger than a block (the block is measured first) and
//! headers of too little work (a block that was asked for has enough).

mod coinbase;
mod coins;
mod header;
mod limits;
mod lock_time;
mod scripts;
mod transactions;
mod witness;

use super::draft::Draft;
use super::forge::Forge;
use crate::block_judge::Class;

/// What a node makes of a mutation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// On the edge of a rule: valid.
    Valid,
    /// Rejected, and no trace is left of it.
    Forgotten(Class, &'static str),
    /// Rejected as mutated; the header is remembered, and the body may still come.
    AwaitsBody(&'static str),
    /// Rejected, and its hash is invalid for ever.
    Condemned(&'static str),
    /// Stored, and found invalid as soon as it is connected.
    Unconnectable(&'static str),
}

/// Changes a draft, which is filled but not finished, and finishes it; nothing when the branch does not have what it takes.
type Make = fn(&mut Forge, &mut Draft) -> Option<()>;

/// A way to break a rule, or only just not to.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) make: Make,
}

const fn mutation(name: &'static str, effect: Effect, make: Make) -> Mutation {
    Mutation { name, effect, make }
}

/// All mutations.
pub(super) fn all() -> Vec<&'static Mutation> {
    let lists = [
        header::ALL,
        transactions::ALL,
        coinbase::ALL,
        witness::ALL,
        limits::ALL,
        lock_time::ALL,
        coins::ALL,
        scripts::ALL,
    ];
    lists.into_iter().flatten().collect()
}
