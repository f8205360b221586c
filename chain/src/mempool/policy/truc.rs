//! Transactions that ask to be restricted until they are confirmed, so that they can always be replaced (TRUC, BIP431).
//!
//! They carry version 3 and have, while unconfirmed, at most one parent and at most one child, which is small. Each
//! transaction goes through [`single_truc_checks`], whatever its version; those of a package through
//! [`package_truc_checks`] as well, which also sees the parents and children that are not in the pool yet.

use std::collections::HashSet;

use bitcoin::Txid;

use super::TrucViolation;
use crate::primitives::TransactionRef;

/// The version that asks for the restrictions (Core: `TRUC_VERSION`, `policy/truc_policy.h`).
pub const TRUC_VERSION: u32 = 3;
/// The most transactions among an unconfirmed one and its descendants (Core: `TRUC_DESCENDANT_LIMIT`,
/// `policy/truc_policy.h`).
pub const TRUC_DESCENDANT_LIMIT: usize = 2;
/// The most transactions among an unconfirmed one and its ancestors (Core: `TRUC_ANCESTOR_LIMIT`,
/// `policy/truc_policy.h`).
pub const TRUC_ANCESTOR_LIMIT: usize = 2;
/// The largest size, in virtual bytes that count signature operations (Core: `TRUC_MAX_VSIZE`, `policy/truc_policy.h`).
pub const TRUC_MAX_VSIZE: usize = 10_000;
/// The largest size of one with an unconfirmed parent, in virtual bytes that count signature operations (Core:
/// `TRUC_CHILD_MAX_VSIZE`, `policy/truc_policy.h`).
pub const TRUC_CHILD_MAX_VSIZE: usize = 1000;

// The checks are written for one parent and one child.
const _: () = assert!(TRUC_ANCESTOR_LIMIT == 2 && TRUC_DESCENDANT_LIMIT == 2);

/// What the rules ask about transactions that are in the pool.
///
/// They ask about parents of the transaction they check, and about descendants they were told of. Transactions that are
/// about to be replaced are still there.
pub trait TrucPool {
    /// How many ancestors a transaction has in the pool, itself included (Core: `CTxMemPool::GetAncestorCount`).
    fn ancestor_count(&self, txid: &Txid) -> usize;

    /// The descendants a transaction has in the pool, itself left out, in any order (Core:
    /// `CTxMemPool::CalculateDescendants`).
    fn descendants(&self, txid: &Txid) -> Vec<Txid>;
}

/// Checks one transaction against the pool (Core: `SingleTRUCChecks`, `policy/truc_policy.cpp`).
///
/// `mempool_parents` are the transactions of the pool it spends from, each once; `is_direct_conflict` says whether it spends
/// what the given transaction of the pool spends, and so would replace it; `virtual_size` counts signature operations.
///
/// # Errors
///
/// The first rule that is broken, in Core's order. When the parent has another child already,
/// [`TrucViolation::evictable_sibling`] may name it: the caller may then try to replace it instead of failing.
pub fn single_truc_checks(
    pool: &impl TrucPool,
    tx: TransactionRef<'_>,
    mempool_parents: &[TransactionRef<'_>],
    is_direct_conflict: impl Fn(&Txid) -> bool,
    virtual_size: usize,
) -> Result<(), TrucViolation> {
    mempool_parents.iter().try_for_each(|parent| check_inheritance(tx, *parent))?;
    if tx.version() != TRUC_VERSION {
        return Ok(());
    }
    check_size(tx, virtual_size)?;
    if mempool_parents.len() + 1 > TRUC_ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors { tx: tx.into() });
    }
    let Some(parent) = mempool_parents.first() else { return Ok(()) };
    if pool.ancestor_count(&parent.txid()) + 1 > TRUC_ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors { tx: tx.into() });
    }
    check_child_size(tx, virtual_size)?;

    // A parent may have several descendants after a reorganisation, which does not ask for these rules. One that is going
    // to be replaced makes room for this transaction.
    let descendants = pool.descendants(&parent.txid());
    let parent_with_descendants = descendants.len() + 1;
    if parent_with_descendants + 1 > TRUC_DESCENDANT_LIMIT && !descendants.iter().any(is_direct_conflict) {
        // With more than one, or one that has another parent, nobody could say which to evict.
        let sibling = match descendants[..] {
            [sibling] if pool.ancestor_count(&sibling) == 2 => Some(sibling),
            _ => None,
        };
        return Err(TrucViolation::TooManyDescendants { parent: (*parent).into(), sibling });
    }
    Ok(())
}

/// Checks one transaction of a package against the pool and the others (Core: `PackageTRUCChecks`,
/// `policy/truc_policy.cpp`).
///
/// The package must be sorted: see [`check_well_formed_package`](super::check_well_formed_package). `index` says which
/// transaction is checked; `mempool_parents` are the transactions of the pool it spends from, each once; `virtual_size`
/// counts signature operations. Only when every transaction of a package passes does the package obey the rules: a
/// violation may show at any of those that take part in it.
///
/// # Errors
///
/// The first rule that is broken, in Core's order. Siblings are never evicted for a package.
///
/// # Panics
///
/// When the package has no transaction `index`.
pub fn package_truc_checks(
    pool: &impl TrucPool,
    package: &[TransactionRef<'_>],
    index: usize,
    mempool_parents: &[TransactionRef<'_>],
    virtual_size: usize,
) -> Result<(), TrucViolation> {
    let tx = package[index];
    let spent: HashSet<Txid> = tx.inputs().map(|input| input.prevout().txid).collect();
    let in_package_parents: Vec<TransactionRef<'_>> =
        package[..index].iter().copied().filter(|parent| spent.contains(&parent.txid())).collect();
    if tx.version() != TRUC_VERSION {
        let mut parents = mempool_parents.iter().chain(&in_package_parents);
        return parents.try_for_each(|parent| check_inheritance(tx, *parent));
    }

    check_size(tx, virtual_size)?;
    if mempool_parents.len() + in_package_parents.len() + 1 > TRUC_ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors { tx: tx.into() });
    }
    if let Some(parent) = mempool_parents.first()
        && pool.ancestor_count(&parent.txid()) + in_package_parents.len() + 1 > TRUC_ANCESTOR_LIMIT
    {
        return Err(TrucViolation::TooManyAncestors { tx: tx.into() });
    }
    // At most one is left, in the pool or in the package.
    let Some(parent) = mempool_parents.first().or(in_package_parents.first()) else { return Ok(()) };
    check_child_size(tx, virtual_size)?;
    check_inheritance(tx, *parent)?;
    check_family(package, index, *parent)?;
    let has_mempool_descendant = !mempool_parents.is_empty() && !pool.descendants(&parent.txid()).is_empty();
    if has_mempool_descendant {
        return Err(TrucViolation::TooManyDescendants { parent: (*parent).into(), sibling: None });
    }
    Ok(())
}

/// Whether the package holds neither another child of a transaction's parent nor a child of its own.
fn check_family(package: &[TransactionRef<'_>], index: usize, parent: TransactionRef<'_>) -> Result<(), TrucViolation> {
    let txid = package[index].txid();
    for (_, other) in package.iter().enumerate().filter(|(other, _)| *other != index) {
        for spent in other.inputs().map(|input| input.prevout().txid) {
            if spent == parent.txid() {
                return Err(TrucViolation::TooManyDescendants { parent: parent.into(), sibling: None });
            }
            if spent == txid {
                return Err(TrucViolation::TooManyAncestors { tx: (*other).into() });
            }
        }
    }
    Ok(())
}

/// Version 3 is inherited: by all unconfirmed children, and from all unconfirmed parents.
fn check_inheritance(tx: TransactionRef<'_>, parent: TransactionRef<'_>) -> Result<(), TrucViolation> {
    let boxed = |tx: TransactionRef<'_>| Box::new(tx.into());
    match (tx.version() == TRUC_VERSION, parent.version() == TRUC_VERSION) {
        (false, true) => Err(TrucViolation::NonTrucSpendsTruc { child: boxed(tx), parent: boxed(parent) }),
        (true, false) => Err(TrucViolation::TrucSpendsNonTruc { child: boxed(tx), parent: boxed(parent) }),
        (true, true) | (false, false) => Ok(()),
    }
}

fn check_size(tx: TransactionRef<'_>, virtual_size: usize) -> Result<(), TrucViolation> {
    if virtual_size > TRUC_MAX_VSIZE {
        return Err(TrucViolation::TooBig { tx: tx.into(), got: virtual_size });
    }
    Ok(())
}

fn check_child_size(tx: TransactionRef<'_>, virtual_size: usize) -> Result<(), TrucViolation> {
    if virtual_size > TRUC_CHILD_MAX_VSIZE {
        return Err(TrucViolation::ChildTooBig { child: tx.into(), got: virtual_size });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
