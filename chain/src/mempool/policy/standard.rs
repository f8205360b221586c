//! Rules of policy that need only the transaction.

use super::{PolicyOptions, StandardnessError, dust_outputs};
use crate::primitives::{OutputRef, TransactionRef};
use crate::script::{TxoutType, is_push_only, solve};
use crate::validation::MAX_BLOCK_SIGOPS_COST;

/// The least version (Core: `TX_MIN_STANDARD_VERSION`, `policy/policy.h`).
pub const TX_MIN_STANDARD_VERSION: u32 = 1;
/// The greatest version (Core: `TX_MAX_STANDARD_VERSION`, `policy/policy.h`; BIP431).
pub const TX_MAX_STANDARD_VERSION: u32 = 3;
/// The most weight, in weight units: hashing for signatures grows with the square of the size (Core:
/// `MAX_STANDARD_TX_WEIGHT`, `policy/policy.h`).
pub const MAX_STANDARD_TX_WEIGHT: usize = 400_000;
/// The least size without witness, in bytes: with 64 a transaction looks like an inner node of a merkle tree (Core:
/// `MIN_STANDARD_TX_NONWITNESS_SIZE`, `policy/policy.h`; CVE-2017-12842).
pub const MIN_STANDARD_TX_NONWITNESS_SIZE: usize = 65;
/// The longest scriptSig, in bytes: room for 15 of 15 multisig behind a script hash (Core: `MAX_STANDARD_SCRIPTSIG_SIZE`,
/// `policy/policy.h`).
pub const MAX_STANDARD_SCRIPTSIG_SIZE: usize = 1650;
/// The highest cost of signature operations; one outside the witness costs four (Core: `MAX_STANDARD_TX_SIGOPS_COST`,
/// `policy/policy.h`).
pub const MAX_STANDARD_TX_SIGOPS_COST: usize = MAX_BLOCK_SIGOPS_COST / 5;
/// How many outputs may be dust, if all else about them is right (Core: `MAX_DUST_OUTPUTS_PER_TX`, `policy/policy.h`).
pub const MAX_DUST_OUTPUTS_PER_TX: usize = 1;
/// The most keys of a multisig that stands in an output (Core: `IsStandard`, `policy/policy.cpp`).
const MAX_BARE_MULTISIG_KEYS: usize = 3;

/// Whether a transaction has a standard form, its inputs' coins left aside (Core: `IsStandardTx`, `policy/policy.cpp`).
///
/// Asked only where [`PolicyOptions::require_standard`] holds.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
pub fn check_standard(tx: TransactionRef<'_>, options: &PolicyOptions) -> Result<(), StandardnessError> {
    if !(TX_MIN_STANDARD_VERSION..=TX_MAX_STANDARD_VERSION).contains(&tx.version()) {
        return Err(StandardnessError::Version { got: tx.version() });
    }
    if tx.weight() > MAX_STANDARD_TX_WEIGHT {
        return Err(StandardnessError::TransactionSize { got: tx.weight() });
    }
    for (index, input) in tx.inputs().enumerate() {
        let script_sig = input.script_sig().as_bytes();
        if script_sig.len() > MAX_STANDARD_SCRIPTSIG_SIZE {
            return Err(StandardnessError::ScriptSigSize { index, got: script_sig.len() });
        }
        if !is_push_only(script_sig) {
            return Err(StandardnessError::ScriptSigNotPushOnly { index });
        }
    }
    let mut datacarrier_bytes_left = options.max_datacarrier_bytes.unwrap_or(0);
    for (index, output) in tx.outputs().enumerate() {
        check_output(index, output, &mut datacarrier_bytes_left, options.permit_bare_multisig)?;
    }
    let dust = dust_outputs(tx, options.dust_relay_fee).count();
    if dust > MAX_DUST_OUTPUTS_PER_TX {
        return Err(StandardnessError::Dust { got: dust });
    }
    Ok(())
}

/// Whether an output's script has a standard form (Core: `IsStandard`, `policy/policy.cpp`).
fn check_output(
    index: usize,
    output: OutputRef<'_>,
    datacarrier_bytes_left: &mut usize,
    permit_bare_multisig: bool,
) -> Result<(), StandardnessError> {
    let script = output.script_pubkey().as_bytes();
    match solve(script) {
        TxoutType::Nonstandard => Err(StandardnessError::ScriptPubkey { index }),
        TxoutType::Multisig { keys, .. } if keys.len() > MAX_BARE_MULTISIG_KEYS => {
            Err(StandardnessError::ScriptPubkey { index })
        }
        TxoutType::Multisig { .. } if !permit_bare_multisig => Err(StandardnessError::BareMultisig { index }),
        TxoutType::NullData => {
            let left = *datacarrier_bytes_left;
            *datacarrier_bytes_left = left.checked_sub(script.len()).ok_or(StandardnessError::Datacarrier {
                index,
                limit: left,
                got: script.len(),
            })?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether a transaction is large enough not to be mistaken for an inner node of a merkle tree (Core:
/// `MemPoolAccept::PreChecks`, `validation.cpp`; CVE-2017-12842). This holds on every network.
///
/// # Errors
///
/// When it is not.
pub fn check_nonwitness_size(tx: TransactionRef<'_>) -> Result<(), StandardnessError> {
    let got = tx.stripped_size();
    if got < MIN_STANDARD_TX_NONWITNESS_SIZE { Err(StandardnessError::NonwitnessSize { got }) } else { Ok(()) }
}

/// Whether a transaction's signature operations, as [`transaction_sigop_cost`](crate::validation::transaction_sigop_cost)
/// counts them, take no more than their share of a block (Core: `MemPoolAccept::PreChecks`, `validation.cpp`). This holds
/// on every network.
///
/// # Errors
///
/// When they take more.
pub fn check_sigop_cost(sigop_cost: usize) -> Result<(), StandardnessError> {
    if sigop_cost > MAX_STANDARD_TX_SIGOPS_COST {
        return Err(StandardnessError::TooManySigops { got: sigop_cost });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
