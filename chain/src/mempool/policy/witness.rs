//! Rules of policy about witnesses.

use super::WitnessStandardnessError;
use crate::coins::Coin;
use crate::primitives::{InputRef, TransactionRef, WitnessRef};
use crate::script::{
    ANNEX_TAG, WitnessProgram, is_pay_to_script_hash, is_tapscript_leaf, redeem_script, witness_program,
};

/// The longest witness script, in bytes (Core: `MAX_STANDARD_P2WSH_SCRIPT_SIZE`, `policy/policy.h`).
pub const MAX_STANDARD_P2WSH_SCRIPT_SIZE: usize = 3600;
/// The most items below a witness script (Core: `MAX_STANDARD_P2WSH_STACK_ITEMS`, `policy/policy.h`).
pub const MAX_STANDARD_P2WSH_STACK_ITEMS: usize = 100;
/// The longest item below a witness script, in bytes (Core: `MAX_STANDARD_P2WSH_STACK_ITEM_SIZE`, `policy/policy.h`).
pub const MAX_STANDARD_P2WSH_STACK_ITEM_SIZE: usize = 80;
/// The longest item below a tapscript, in bytes (Core: `MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE`, `policy/policy.h`).
pub const MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE: usize = 80;

/// Whether every witness belongs to a witness program and is not padded (Core: `IsWitnessStandard`, `policy/policy.cpp`).
///
/// `coins` are those of the transaction's inputs, in their order. A coinbase passes, and so does every input without a
/// witness.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When there are not as many coins as inputs.
pub fn check_witness_standard(tx: TransactionRef<'_>, coins: &[Coin]) -> Result<(), WitnessStandardnessError> {
    if tx.is_coinbase() {
        return Ok(());
    }
    assert_eq!(tx.input_count(), coins.len(), "one coin for each input");
    tx.inputs().zip(coins).enumerate().try_for_each(|(index, (input, coin))| check_witness(index, input, coin))
}

fn check_witness(index: usize, input: InputRef<'_>, coin: &Coin) -> Result<(), WitnessStandardnessError> {
    let witness = input.witness();
    if witness.is_empty() {
        return Ok(());
    }
    let script_pubkey = coin.script_pubkey.as_bytes();
    if witness_program(script_pubkey).is_some_and(WitnessProgram::is_pay_to_anchor) {
        return Err(WitnessStandardnessError::AnchorWithWitness { index });
    }
    let is_p2sh = is_pay_to_script_hash(script_pubkey);
    let script = if is_p2sh {
        redeem_script(input.script_sig().as_bytes())
            .map_err(|source| WitnessStandardnessError::ScriptSigMalformed { index, source })?
            .ok_or(WitnessStandardnessError::RedeemScriptMissing { index })?
    } else {
        script_pubkey
    };
    let program = witness_program(script).ok_or(WitnessStandardnessError::NoWitnessProgram { index })?;
    match (program.version, program.program.len()) {
        (0, 32) => check_p2wsh_witness(index, witness),
        // Behind a script hash version 1 has no meaning.
        (1, 32) if !is_p2sh => check_taproot_witness(index, witness),
        _ => Ok(()),
    }
}

/// Limits on a version 0 script and what it is given: enough for 100 keys with `OP_CHECKSIG` and `OP_ADD`.
fn check_p2wsh_witness(index: usize, witness: WitnessRef<'_>) -> Result<(), WitnessStandardnessError> {
    let below = witness.len().saturating_sub(1);
    if below > MAX_STANDARD_P2WSH_STACK_ITEMS {
        return Err(WitnessStandardnessError::P2wshStackItems { index, got: below });
    }
    let script_size = witness.last().map_or(0, <[u8]>::len);
    if script_size > MAX_STANDARD_P2WSH_SCRIPT_SIZE {
        return Err(WitnessStandardnessError::P2wshScriptSize { index, got: script_size });
    }
    match witness.items().take(below).map(<[u8]>::len).find(|&size| size > MAX_STANDARD_P2WSH_STACK_ITEM_SIZE) {
        Some(got) => Err(WitnessStandardnessError::StackItemSize { index, got }),
        None => Ok(()),
    }
}

/// Limits on what a tapscript is given, and no annex as long as none has a meaning (BIP341, BIP342).
fn check_taproot_witness(index: usize, witness: WitnessRef<'_>) -> Result<(), WitnessStandardnessError> {
    // One item is a key path, which has no limits of policy.
    let Some(below) = witness.len().checked_sub(2) else { return Ok(()) };
    let control_block = witness.last().unwrap_or(&[]);
    match control_block.first() {
        None => Err(WitnessStandardnessError::EmptyControlBlock { index }),
        Some(&ANNEX_TAG) => Err(WitnessStandardnessError::Annex { index }),
        Some(&first) if is_tapscript_leaf(first) => {
            let mut sizes = witness.items().take(below).map(<[u8]>::len);
            match sizes.find(|&size| size > MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE) {
                Some(got) => Err(WitnessStandardnessError::StackItemSize { index, got }),
                None => Ok(()),
            }
        }
        Some(_) => Ok(()),
    }
}

/// Whether a transaction spends any witness program but an anchor, those without meaning included (Core:
/// `SpendsNonAnchorWitnessProg`, `policy/policy.cpp`): when one without witness fails, its witness may have been taken away,
/// and the transaction is not to blame.
///
/// `coins` are those of the transaction's inputs, in their order. What consensus would refuse may count as no.
///
/// # Panics
///
/// When there are not as many coins as inputs.
#[must_use]
pub fn spends_non_anchor_witness_program(tx: TransactionRef<'_>, coins: &[Coin]) -> bool {
    if tx.is_coinbase() {
        return false;
    }
    assert_eq!(tx.input_count(), coins.len(), "one coin for each input");
    tx.inputs().zip(coins).any(|(input, coin)| {
        let script_pubkey = coin.script_pubkey.as_bytes();
        if let Some(program) = witness_program(script_pubkey) {
            return !program.is_pay_to_anchor();
        }
        is_pay_to_script_hash(script_pubkey)
            && redeem_script(input.script_sig().as_bytes())
                .is_ok_and(|script| script.is_some_and(|script| witness_program(script).is_some()))
    })
}

#[cfg(test)]
mod tests;
