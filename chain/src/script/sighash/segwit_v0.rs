//! The signature hash of version 0 witness programs (BIP143).

use super::{HashType, Outputs, PrecomputedTransactionData};
use crate::hash::{HashWriter, sha256d};

/// The hash a signature of input `index` signs in a version 0 witness program (Core: `SignatureHash` with
/// `SigVersion::WITNESS_V0`, `script/interpreter.cpp`; BIP143).
///
/// `script_code` is the witness script from its last executed `OP_CODESEPARATOR`.
///
/// # Panics
///
/// When the transaction has no input `index`.
#[must_use]
pub fn segwit_v0_sighash(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    script_code: &[u8],
    hash_type: u32,
) -> [u8; 32] {
    let mut preimage = segwit_v0_preimage(data, index, script_code, HashType::from_ecdsa(hash_type));
    preimage.write_u32(hash_type);
    preimage.sha256d()
}

/// Everything that is hashed before the hash type.
pub(in crate::script) fn segwit_v0_preimage(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    script_code: &[u8],
    hash_type: HashType,
) -> HashWriter {
    const NOT_SIGNED: [u8; 32] = [0; 32];
    let tx = data.transaction();
    let input = tx.input(index).expect("the caller names an input of this transaction");
    let shared = data.bip143();
    let prevouts = if hash_type.anyone_can_pay { &NOT_SIGNED } else { &shared.prevouts };
    let all_sequences = !hash_type.anyone_can_pay && hash_type.outputs == Outputs::All;
    let outputs = match hash_type.outputs {
        Outputs::All => shared.outputs,
        Outputs::Single => tx.output(index).map_or(NOT_SIGNED, |output| sha256d(output.bytes())),
        Outputs::None => NOT_SIGNED,
    };

    let mut writer = HashWriter::new();
    writer
        .write_u32(tx.version())
        .write(prevouts)
        .write(if all_sequences { &shared.sequences } else { &NOT_SIGNED })
        .write(input.prevout_bytes())
        .write_with_size(script_code)
        .write_u64(data.spent_output(index).amount.to_sat())
        .write_u32(input.sequence())
        .write(&outputs)
        .write_u32(tx.lock_time());
    writer
}
