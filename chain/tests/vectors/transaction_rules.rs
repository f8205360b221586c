//! The rules a transaction breaks or keeps whatever it spends (Core: `CheckTransaction`, `consensus/tx_check.cpp`).

use std::collections::HashSet;

use bitcoin::Amount;
use cairn_chain::primitives::{TransactionRef, WITNESS_SCALE_FACTOR};

/// Most weight units of a block, which no transaction can exceed (Core: `MAX_BLOCK_WEIGHT`).
const MAX_BLOCK_WEIGHT: usize = 4_000_000;

/// Whether a transaction breaks a rule that needs no context.
pub(crate) fn is_bad_transaction(tx: TransactionRef<'_>) -> bool {
    let is_empty = tx.input_count() == 0 || tx.outputs().len() == 0;
    is_empty
        || tx.stripped_size() * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT
        || !has_values_in_range(tx)
        || tx.inputs().map(|input| input.prevout()).collect::<HashSet<_>>().len() < tx.input_count()
        || if tx.is_coinbase() {
            tx.inputs().any(|input| !(2..=100).contains(&input.script_sig().len()))
        } else {
            tx.inputs().any(|input| input.prevout().is_null())
        }
}

fn has_values_in_range(tx: TransactionRef<'_>) -> bool {
    let in_range = |value: u64| value <= Amount::MAX_MONEY.to_sat();
    tx.outputs()
        .try_fold(0, |total: u64, output| {
            let value = u64::try_from(output.value()).ok().filter(|value| in_range(*value))?;
            Some(total + value).filter(|total| in_range(*total))
        })
        .is_some()
}
