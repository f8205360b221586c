//! Transactions that are submitted together, so that one may pay for another.
//!
//! A package is a list in which parents stand before their children and no two transactions spend the same output.

use std::collections::HashSet;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};

use super::{MAX_STANDARD_TX_WEIGHT, PackageError};
use crate::hash::HashWriter;
use crate::primitives::TransactionRef;

/// The most transactions (Core: `MAX_PACKAGE_COUNT`, `policy/packages.h`).
pub const MAX_PACKAGE_COUNT: usize = 25;
/// The most weight together, in weight units (Core: `MAX_PACKAGE_WEIGHT`, `policy/packages.h`).
pub const MAX_PACKAGE_WEIGHT: usize = 404_000;

// Whatever is standard alone fits.
const _: () = assert!(MAX_PACKAGE_WEIGHT >= MAX_STANDARD_TX_WEIGHT);

/// Checks what can be said of a package without any context (Core: `IsWellFormedPackage`, `policy/packages.cpp`).
///
/// # Errors
///
/// The first rule that is broken, in Core's order. A package of one is never too large, because its transaction's own error
/// says more.
pub fn check_well_formed_package(package: &[TransactionRef<'_>]) -> Result<(), PackageError> {
    if package.len() > MAX_PACKAGE_COUNT {
        return Err(PackageError::TooManyTransactions { got: package.len() });
    }
    let weight = package.iter().map(|tx| tx.weight()).sum();
    if package.len() > 1 && weight > MAX_PACKAGE_WEIGHT {
        return Err(PackageError::TooLarge { got: weight });
    }
    // By txid, so that one transaction with two witnesses is found too.
    let txids = txids(package);
    if txids.len() != package.len() {
        return Err(PackageError::ContainsDuplicates);
    }
    if !has_no_later_parent(package, txids) {
        return Err(PackageError::NotSorted);
    }
    if !is_consistent(package) {
        return Err(PackageError::Conflict);
    }
    Ok(())
}

/// Checks that a package of more than one is [a child with parents](is_child_with_parents) (Core: `AcceptPackage`,
/// `validation.cpp`).
///
/// # Errors
///
/// When it is not.
pub fn check_child_with_parents(package: &[TransactionRef<'_>]) -> Result<(), PackageError> {
    if package.len() > 1 && !is_child_with_parents(package) {
        return Err(PackageError::NotChildWithParents);
    }
    Ok(())
}

/// Whether every transaction stands before those that spend from it (Core: `IsTopoSortedPackage`, `policy/packages.cpp`).
#[must_use]
pub fn is_topologically_sorted(package: &[TransactionRef<'_>]) -> bool {
    has_no_later_parent(package, txids(package))
}

/// Whether no two transactions spend the same output (Core: `IsConsistentPackage`, `policy/packages.cpp`).
///
/// Two inputs of one transaction may: consensus has an error for that, which says more. A transaction without inputs makes
/// a package inconsistent.
#[must_use]
pub fn is_consistent(package: &[TransactionRef<'_>]) -> bool {
    let mut spent: HashSet<OutPoint> = HashSet::new();
    for tx in package {
        if tx.input_count() == 0 || tx.inputs().any(|input| spent.contains(&input.prevout())) {
            return false;
        }
        spent.extend(tx.inputs().map(|input| input.prevout()));
    }
    true
}

/// Whether a sorted package is a transaction, which stands last, and parents of it, not necessarily all of them (Core:
/// `IsChildWithParents`, `policy/packages.cpp`).
#[must_use]
pub fn is_child_with_parents(package: &[TransactionRef<'_>]) -> bool {
    let Some((child, parents)) = package.split_last() else { return false };
    let spent: HashSet<Txid> = child.inputs().map(|input| input.prevout().txid).collect();
    !parents.is_empty() && parents.iter().all(|parent| spent.contains(&parent.txid()))
}

/// Whether a sorted package is a child with parents none of which spends from another (Core: `IsChildWithParentsTree`,
/// `policy/packages.cpp`).
#[must_use]
pub fn is_child_with_parents_tree(package: &[TransactionRef<'_>]) -> bool {
    let Some((_, parents)) = package.split_last() else { return false };
    let parent_txids = txids(parents);
    is_child_with_parents(package)
        && parents.iter().all(|parent| parent.inputs().all(|input| !parent_txids.contains(&input.prevout().txid)))
}

/// What names a package, in whatever order its transactions stand: the SHA-256 of their wtxids, sorted as little-endian
/// numbers (Core: `GetPackageHash`, `policy/packages.cpp`). Core shows it with its bytes reversed.
#[must_use]
pub fn package_hash(package: &[TransactionRef<'_>]) -> [u8; 32] {
    let mut wtxids: Vec<[u8; 32]> = package.iter().map(|tx| tx.wtxid().to_byte_array()).collect();
    wtxids.sort_unstable_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
    let mut writer = HashWriter::new();
    for wtxid in &wtxids {
        writer.write(wtxid);
    }
    writer.sha256()
}

fn txids(package: &[TransactionRef<'_>]) -> HashSet<Txid> {
    package.iter().map(|tx| tx.txid()).collect()
}

/// Whether no transaction spends from itself or from a later one; `later` holds all txids of the package.
fn has_no_later_parent(package: &[TransactionRef<'_>], mut later: HashSet<Txid>) -> bool {
    package.iter().all(|tx| {
        let is_sorted = tx.inputs().all(|input| !later.contains(&input.prevout().txid));
        later.remove(&tx.txid());
        is_sorted
    })
}

#[cfg(test)]
mod tests;
