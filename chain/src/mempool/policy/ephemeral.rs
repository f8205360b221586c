//! Dust that does not stay: a transaction may create some if it pays no fee, and then only together with the transaction
//! that spends it and pays for both.
//!
//! A child must spend all dust of each unconfirmed parent, so that no selection of transactions a miner would make leaves
//! dust behind in the set of coins.

use std::collections::HashSet;

use bitcoin::{Amount, OutPoint, Txid};

use super::{EphemeralError, dust_outputs};
use crate::primitives::TransactionRef;

/// Whether a transaction with dust pays no fee, so that nobody has a reason to mine it alone (Core: `PreCheckEphemeralTx`,
/// `policy/ephemeral_policy.cpp`).
///
/// `base_fee` is what it pays, `modified_fee`, in satoshis, what mining counts after the operator's adjustments;
/// `dust_relay_fee` is in satoshis per 1000 virtual bytes.
///
/// # Errors
///
/// When it pays a fee, or is made to count as if it did.
pub fn pre_check_ephemeral_tx(
    tx: TransactionRef<'_>,
    dust_relay_fee: u64,
    base_fee: Amount,
    modified_fee: i64,
) -> Result<(), EphemeralError> {
    let has_fee = base_fee != Amount::ZERO || modified_fee != 0;
    if has_fee && dust_outputs(tx, dust_relay_fee).next().is_some() {
        return Err(EphemeralError::DustWithFee);
    }
    Ok(())
}

/// Whether each transaction of a package spends all dust of those of its parents that are in the package or the pool (Core:
/// `CheckEphemeralSpends`, `policy/ephemeral_policy.cpp`).
///
/// `pool_transaction` looks a transaction up in the pool; `dust_relay_fee` is in satoshis per 1000 virtual bytes.
///
/// # Errors
///
/// The first transaction that leaves dust of a parent behind.
pub fn check_ephemeral_spends<'p>(
    package: &[TransactionRef<'_>],
    dust_relay_fee: u64,
    pool_transaction: impl Fn(&Txid) -> Option<TransactionRef<'p>>,
) -> Result<(), EphemeralError> {
    for tx in package {
        let mut unspent_dust: HashSet<OutPoint> = HashSet::new();
        let mut looked_at: HashSet<Txid> = HashSet::new();
        for parent in tx.inputs().map(|input| input.prevout().txid) {
            if !looked_at.insert(parent) {
                continue;
            }
            match package.iter().find(|other| other.txid() == parent) {
                Some(parent) => unspent_dust.extend(dust_outpoints(*parent, dust_relay_fee)),
                None => unspent_dust
                    .extend(pool_transaction(&parent).into_iter().flat_map(|tx| dust_outpoints(tx, dust_relay_fee))),
            }
        }
        if unspent_dust.is_empty() {
            continue;
        }
        for input in tx.inputs() {
            unspent_dust.remove(&input.prevout());
        }
        if !unspent_dust.is_empty() {
            return Err(EphemeralError::MissingSpends { child: (*tx).into() });
        }
    }
    Ok(())
}

/// Where a transaction's dust lies.
fn dust_outpoints(tx: TransactionRef<'_>, dust_relay_fee: u64) -> impl Iterator<Item = OutPoint> {
    let txid = tx.txid();
    dust_outputs(tx, dust_relay_fee)
        .map(move |index| OutPoint { txid, vout: u32::try_from(index).expect("32 bits address every byte") })
}

#[cfg(test)]
mod tests;
