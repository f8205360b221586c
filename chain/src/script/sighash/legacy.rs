//! The signature hash of legacy and pay-to-script-hash inputs.

use bitcoin::opcodes::all::OP_CODESEPARATOR;

use super::{HashType, Outputs};
use crate::hash::HashWriter;
use crate::primitives::TransactionRef;
use crate::script::Instructions;

/// What every signature with `SIGHASH_SINGLE` signs when no output has the index of its input: the number one, a bug that
/// became a rule (Core: `SignatureHash`, `script/interpreter.cpp`).
pub(in crate::script) const SINGLE_WITHOUT_OUTPUT: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};

/// The hash a legacy signature of input `index` signs (Core: `SignatureHash` with `SigVersion::BASE`,
/// `script/interpreter.cpp`).
///
/// `script_code` is the script from its last executed `OP_CODESEPARATOR`, with the signature already deleted; `hash_type`
/// is hashed in full, though signatures carry only its low byte.
///
/// # Panics
///
/// When the transaction has no input `index`.
#[must_use]
pub fn legacy_sighash(tx: TransactionRef<'_>, index: usize, script_code: &[u8], hash_type: u32) -> [u8; 32] {
    match legacy_preimage(tx, index, script_code, HashType::from_ecdsa(hash_type)) {
        Some(mut preimage) => {
            preimage.write_u32(hash_type);
            preimage.sha256d()
        }
        None => SINGLE_WITHOUT_OUTPUT,
    }
}

/// Everything that is hashed before the hash type, or nothing when the hash is [`SINGLE_WITHOUT_OUTPUT`].
pub(in crate::script) fn legacy_preimage(
    tx: TransactionRef<'_>,
    index: usize,
    script_code: &[u8],
    hash_type: HashType,
) -> Option<HashWriter> {
    assert!(index < tx.input_count(), "input {index} of {}", tx.input_count());
    if hash_type.outputs == Outputs::Single && index >= tx.outputs().len() {
        return None;
    }
    let mut writer = HashWriter::new();
    writer.write_u32(tx.version());
    write_inputs(&mut writer, tx, index, script_code, hash_type);
    write_outputs(&mut writer, tx, index, hash_type);
    writer.write_u32(tx.lock_time());
    Some(writer)
}

fn write_inputs(
    writer: &mut HashWriter,
    tx: TransactionRef<'_>,
    index: usize,
    script_code: &[u8],
    hash_type: HashType,
) {
    writer.write_compact_size(if hash_type.anyone_can_pay { 1 } else { tx.input_count() });
    for (position, input) in tx.inputs().enumerate() {
        let signed = position == index;
        if hash_type.anyone_can_pay && !signed {
            continue;
        }
        writer.write(input.prevout_bytes());
        if signed {
            write_script_code(writer, script_code);
        } else {
            writer.write_compact_size(0);
        }
        // The other inputs may be updated at will unless all outputs are signed.
        let sequence = if signed || hash_type.outputs == Outputs::All { input.sequence() } else { 0 };
        writer.write_u32(sequence);
    }
}

fn write_outputs(writer: &mut HashWriter, tx: TransactionRef<'_>, index: usize, hash_type: HashType) {
    match hash_type.outputs {
        Outputs::All => {
            writer.write_compact_size(tx.outputs().len()).write(tx.outputs_bytes());
        }
        Outputs::None => {
            writer.write_compact_size(0);
        }
        Outputs::Single => {
            // Outputs before the signed one are blanked: value -1, no script.
            const BLANK: [u8; 9] = [255, 255, 255, 255, 255, 255, 255, 255, 0];
            writer.write_compact_size(index + 1);
            for _ in 0..index {
                writer.write(&BLANK);
            }
            let output = tx.output(index).expect("`legacy_preimage` checked that it exists");
            writer.write(output.bytes());
        }
    }
}

/// Writes the script without its `OP_CODESEPARATOR`s (Core: `CTransactionSignatureSerializer::SerializeScriptCode`).
///
/// Behind a truncated push Core writes less than the length it announced; such a script fails in any case, but the hash
/// decides with which error.
fn write_script_code(writer: &mut HashWriter, script_code: &[u8]) {
    if !script_code.contains(&OP_CODESEPARATOR.to_u8()) && Instructions::new(script_code).all(|item| item.is_ok()) {
        writer.write_with_size(script_code);
        return;
    }
    let mut kept = Vec::with_capacity(script_code.len());
    let mut separators = 0;
    let mut instructions = Instructions::new(script_code);
    let mut copied_to = 0;
    while let Some(Ok(instruction)) = instructions.next() {
        if instruction.opcode == OP_CODESEPARATOR {
            separators += 1;
            kept.extend_from_slice(&script_code[copied_to..instructions.position() - 1]);
            copied_to = instructions.position();
        }
    }
    kept.extend_from_slice(&script_code[copied_to..instructions.position()]);
    writer.write_compact_size(script_code.len() - separators).write(&kept);
}
