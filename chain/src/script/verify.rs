//! Whether an input may spend an output.

use bitcoin::Script;
use bitcoin::opcodes::all::*;

use super::interpreter::{SigVersion, TapscriptState, eval_script};
use super::sighash::{TaprootSpend, TapscriptSpend};
use super::stack::{Element, Stack};
use super::taproot::ControlBlock;
use super::{
    ANNEX_TAG, Instructions, MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE, ScriptError, ScriptVerifyFlags,
    TransactionSignatureChecker, VALIDATION_WEIGHT_OFFSET, WitnessProgram, append_push, is_pay_to_script_hash,
    is_push_only, tap_leaf_hash, witness_program,
};
use crate::hash::{HashWriter, sha256};
use crate::primitives::WitnessRef;

/// Whether an input may spend the coin it names: [`verify_script`] with what the checker's transaction says.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
pub fn verify_input(
    checker: &mut TransactionSignatureChecker<'_>,
    flags: ScriptVerifyFlags,
) -> Result<(), ScriptError> {
    let (input, spent) = (checker.input(), checker.spent_output());
    verify_script(input.script_sig(), spent.script_pubkey.as_script(), input.witness(), flags, checker)
}

/// Whether `script_sig` and `witness` satisfy `script_pubkey` (Core: `VerifyScript`, `script/interpreter.cpp`).
///
/// `flags` must be [consistent](ScriptVerifyFlags::is_consistent).
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
pub fn verify_script(
    script_sig: &Script,
    script_pubkey: &Script,
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<(), ScriptError> {
    debug_assert!(flags.is_consistent(), "{flags:?}");
    let (script_sig, script_pubkey) = (script_sig.as_bytes(), script_pubkey.as_bytes());
    if flags.contains(ScriptVerifyFlags::SIGPUSHONLY) && !is_push_only(script_sig) {
        return Err(ScriptError::SigPushOnly);
    }

    // The scripts run one after the other on one stack; they were once concatenated, and a scriptSig could then end the
    // program early (CVE-2010-5141).
    let stack = eval_script(Stack::new(), script_sig, flags, SigVersion::Base, checker)?;
    let is_p2sh = flags.contains(ScriptVerifyFlags::P2SH) && is_pay_to_script_hash(script_pubkey);
    let after_script_sig = is_p2sh.then(|| stack.clone());
    let stack = eval_script(stack, script_pubkey, flags, SigVersion::Base, checker)?;
    require_true_on_top(&stack)?;

    let mut had_witness = false;
    let mut is_clean = stack.len() == 1;
    if flags.contains(ScriptVerifyFlags::WITNESS)
        && let Some(program) = witness_program(script_pubkey)
    {
        had_witness = true;
        if !script_sig.is_empty() {
            return Err(ScriptError::WitnessMalleated);
        }
        verify_witness_program(program, witness, flags, checker, false)?;
        is_clean = true; // the program left its own stack behind, which was judged
    }

    if let Some(after_script_sig) = after_script_sig {
        let redeemed = verify_redeem_script(after_script_sig, script_sig, witness, flags, checker)?;
        had_witness |= redeemed.had_witness;
        is_clean = redeemed.is_clean;
    }

    if flags.contains(ScriptVerifyFlags::CLEANSTACK) && !is_clean {
        return Err(ScriptError::CleanStack);
    }
    if flags.contains(ScriptVerifyFlags::WITNESS) && !had_witness && !witness.is_empty() {
        return Err(ScriptError::WitnessUnexpected);
    }
    Ok(())
}

/// How a redeem script succeeded.
struct Redeemed {
    /// It left one element, or was a witness program, whose own stack was judged.
    is_clean: bool,
    had_witness: bool,
}

/// Runs the script that a scriptSig pushed last on what it pushed before (BIP16).
fn verify_redeem_script(
    mut stack: Stack<'_>,
    script_sig: &[u8],
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<Redeemed, ScriptError> {
    if !is_push_only(script_sig) {
        return Err(ScriptError::SigPushOnly);
    }
    let redeem_script = stack.pop().expect("hashing the top element succeeded, so there is one");
    let redeem_script = redeem_script.as_bytes();
    let stack = eval_script(stack, redeem_script, flags, SigVersion::Base, checker)?;
    require_true_on_top(&stack)?;

    let program = witness_program(redeem_script).filter(|_| flags.contains(ScriptVerifyFlags::WITNESS));
    let Some(program) = program else {
        return Ok(Redeemed { is_clean: stack.len() == 1, had_witness: false });
    };
    let mut only_push = Vec::with_capacity(redeem_script.len() + 1);
    append_push(&mut only_push, redeem_script);
    if script_sig != only_push {
        return Err(ScriptError::WitnessMalleatedP2sh);
    }
    verify_witness_program(program, witness, flags, checker, true)?;
    Ok(Redeemed { is_clean: true, had_witness: true })
}

fn require_true_on_top(stack: &Stack<'_>) -> Result<(), ScriptError> {
    if stack.last().is_some_and(|top| top.to_bool()) { Ok(()) } else { Err(ScriptError::EvalFalse) }
}

/// Core: `VerifyWitnessProgram`, `script/interpreter.cpp`.
fn verify_witness_program(
    program: WitnessProgram<'_>,
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
    is_p2sh: bool,
) -> Result<(), ScriptError> {
    match (program.version, program.program.len()) {
        (0, 32) => verify_p2wsh(program.program, witness, flags, checker),
        (0, 20) => verify_p2wpkh(program.program, witness, flags, checker),
        (0, _) => Err(ScriptError::WitnessProgramWrongLength),
        (1, 32) if !is_p2sh => {
            if flags.contains(ScriptVerifyFlags::TAPROOT) {
                verify_taproot(program.program, witness, flags, checker)
            } else {
                Ok(())
            }
        }
        _ if !is_p2sh && program.is_pay_to_anchor() => Ok(()),
        _ if flags.contains(ScriptVerifyFlags::DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) => {
            Err(ScriptError::DiscourageUpgradableWitnessProgram)
        }
        // Left open for future rules.
        _ => Ok(()),
    }
}

/// Pay-to-witness-script-hash: the last item is the script (BIP141).
fn verify_p2wsh(
    program: &[u8],
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<(), ScriptError> {
    let Some(script) = witness.last() else {
        return Err(ScriptError::WitnessProgramWitnessEmpty);
    };
    if sha256(script) != program {
        return Err(ScriptError::WitnessProgramMismatch);
    }
    let stack = Stack::from_items(witness.items().take(witness.len() - 1));
    execute_witness_script(stack, script, flags, SigVersion::WitnessV0, checker)
}

/// Pay-to-witness-public-key-hash: signature and key, for the script that pays to the key's hash (BIP141).
fn verify_p2wpkh(
    program: &[u8],
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<(), ScriptError> {
    if witness.len() != 2 {
        return Err(ScriptError::WitnessProgramMismatch);
    }
    let mut script = [0; 25];
    script[..3].copy_from_slice(&[OP_DUP.to_u8(), OP_HASH160.to_u8(), 20]);
    script[3..23].copy_from_slice(program);
    script[23..].copy_from_slice(&[OP_EQUALVERIFY.to_u8(), OP_CHECKSIG.to_u8()]);
    execute_witness_script(Stack::from_items(witness.items()), &script, flags, SigVersion::WitnessV0, checker)
}

/// Taproot: a signature by the output key, or a script and the proof that the key commits to it (BIP341).
fn verify_taproot(
    output_key: &[u8],
    witness: WitnessRef<'_>,
    flags: ScriptVerifyFlags,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<(), ScriptError> {
    let mut count = witness.len();
    let item = |index: usize| witness.items().nth(index).expect("an index below the number of items");
    if count == 0 {
        return Err(ScriptError::WitnessProgramWitnessEmpty);
    }
    let mut annex_hash = None;
    if count >= 2 && item(count - 1).first() == Some(&ANNEX_TAG) {
        let mut writer = HashWriter::new();
        writer.write_with_size(item(count - 1));
        annex_hash = Some(writer.sha256());
        count -= 1;
    }

    if count == 1 {
        return checker.check_schnorr_signature(item(0), output_key, &TaprootSpend { annex_hash, tapscript: None });
    }

    let (script, control) = (item(count - 2), item(count - 1));
    let control = ControlBlock::parse(control).ok_or(ScriptError::TaprootWrongControlSize)?;
    let leaf_hash = tap_leaf_hash(control.leaf_version(), script);
    if !control.commits(output_key, leaf_hash) {
        return Err(ScriptError::WitnessProgramMismatch);
    }
    if control.is_tapscript() {
        let size = i64::try_from(witness.serialized_size()).expect("32 bits address every byte");
        let state = TapscriptState {
            spend: TaprootSpend {
                annex_hash,
                tapscript: Some(TapscriptSpend { leaf_hash, code_separator_position: u32::MAX }),
            },
            validation_weight_left: size + VALIDATION_WEIGHT_OFFSET,
        };
        let stack = Stack::from_items(witness.items().take(count - 2));
        return execute_witness_script(stack, script, flags, SigVersion::Tapscript(state), checker);
    }
    if flags.contains(ScriptVerifyFlags::DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) {
        return Err(ScriptError::DiscourageUpgradableTaprootVersion);
    }
    Ok(())
}

/// Core: `ExecuteWitnessScript`, `script/interpreter.cpp`.
fn execute_witness_script<'s>(
    stack: Stack<'s>,
    script: &'s [u8],
    flags: ScriptVerifyFlags,
    version: SigVersion,
    checker: &mut TransactionSignatureChecker<'_>,
) -> Result<(), ScriptError> {
    if let SigVersion::Tapscript(_) = version {
        // OP_SUCCESSx overrides everything, limits included, and counts even where it would not be executed.
        for instruction in Instructions::new(script) {
            if instruction.map_err(|_| ScriptError::BadOpcode)?.is_op_success() {
                return if flags.contains(ScriptVerifyFlags::DISCOURAGE_OP_SUCCESS) {
                    Err(ScriptError::DiscourageOpSuccess)
                } else {
                    Ok(())
                };
            }
        }
        if stack.len() > MAX_STACK_SIZE {
            return Err(ScriptError::StackSize);
        }
    }
    if stack.iter().any(|element: &Element<'_>| element.as_bytes().len() > MAX_SCRIPT_ELEMENT_SIZE) {
        return Err(ScriptError::PushSize);
    }
    let stack = eval_script(stack, script, flags, version, checker)?;
    // In witnesses a clean stack is consensus.
    if stack.len() != 1 {
        return Err(ScriptError::CleanStack);
    }
    require_true_on_top(&stack)
}

#[cfg(test)]
mod tests;
