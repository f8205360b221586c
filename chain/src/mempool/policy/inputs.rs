//! Rules of policy about what a transaction spends, its witnesses left aside.

use super::InputStandardnessError;
use crate::coins::Coin;
use crate::primitives::TransactionRef;
use crate::script::{TxoutType, count_p2sh_sigops, count_sigops, is_pay_to_script_hash, redeem_script, solve};

/// The most signature operations of a redeem script (Core: `MAX_P2SH_SIGOPS`, `policy/policy.h`).
pub const MAX_P2SH_SIGOPS: usize = 15;
/// The most signature operations outside the witness that the inputs of a transaction may execute (Core:
/// `MAX_TX_LEGACY_SIGOPS`, `policy/policy.h`; BIP54).
pub const MAX_TX_LEGACY_SIGOPS: usize = 2_500;

/// Whether a transaction spends only what is known, at a bearable cost (Core: `ValidateInputsStandardness`,
/// `policy/policy.cpp`).
///
/// `coins` are those of its inputs, in their order. A coinbase passes.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When there are not as many coins as inputs.
pub fn check_inputs_standard(tx: TransactionRef<'_>, coins: &[Coin]) -> Result<(), InputStandardnessError> {
    if tx.is_coinbase() {
        return Ok(());
    }
    assert_eq!(tx.input_count(), coins.len(), "one coin for each input");
    check_legacy_sigops(tx, coins)?;
    for (index, (input, coin)) in tx.inputs().zip(coins).enumerate() {
        match solve(coin.script_pubkey.as_bytes()) {
            TxoutType::Nonstandard => return Err(InputStandardnessError::ScriptUnknown { index }),
            TxoutType::WitnessUnknown { .. } => return Err(InputStandardnessError::WitnessProgramUndefined { index }),
            TxoutType::ScriptHash(_) => check_redeem_script(index, input.script_sig().as_bytes())?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether the scripts of all inputs and of what they spend hold few enough signature operations (Core:
/// `CheckSigopsBIP54`, `policy/policy.cpp`; BIP54). They count where they are executed, not where they were created.
fn check_legacy_sigops(tx: TransactionRef<'_>, coins: &[Coin]) -> Result<(), InputStandardnessError> {
    let mut sigops = 0;
    for (input, coin) in tx.inputs().zip(coins) {
        let (script_sig, script_pubkey) = (input.script_sig().as_bytes(), coin.script_pubkey.as_bytes());
        sigops += count_sigops(script_sig, true);
        sigops += if is_pay_to_script_hash(script_pubkey) {
            count_p2sh_sigops(script_sig, script_pubkey)
        } else {
            count_sigops(script_pubkey, true)
        };
        if sigops > MAX_TX_LEGACY_SIGOPS {
            return Err(InputStandardnessError::TooManyLegacySigops { got: sigops });
        }
    }
    Ok(())
}

/// Whether a redeem script is there and holds few enough signature operations.
fn check_redeem_script(index: usize, script_sig: &[u8]) -> Result<(), InputStandardnessError> {
    let redeem_script = redeem_script(script_sig)
        .map_err(|source| InputStandardnessError::ScriptSigMalformed { index, source })?
        .ok_or(InputStandardnessError::RedeemScriptMissing { index })?;
    let got = count_sigops(redeem_script, true);
    if got > MAX_P2SH_SIGOPS {
        return Err(InputStandardnessError::RedeemScriptSigops { index, got });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
