//! The signature hash of taproot and tapscript (BIP341, BIP342).

use std::sync::LazyLock;

use super::{HashType, Outputs, PrecomputedTransactionData};
use crate::hash::{HashWriter, sha256};

static TAP_SIGHASH: LazyLock<HashWriter> = LazyLock::new(|| HashWriter::tagged("TapSighash"));

/// How an input spends a taproot output, as far as signatures commit to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaprootSpend {
    /// SHA-256 of the annex with its length, if there is one.
    pub annex_hash: Option<[u8; 32]>,
    /// The script that is executed, when this is not a key path spend.
    pub tapscript: Option<TapscriptSpend>,
}

/// What signatures inside a tapscript commit to in addition (BIP342, "Common signature message extension").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapscriptSpend {
    /// Tagged hash of leaf version and script.
    pub leaf_hash: [u8; 32],
    /// Index of the last executed `OP_CODESEPARATOR` among the operations of the script, or `u32::MAX`.
    pub code_separator_position: u32,
}

/// The hash a Schnorr signature of input `index` signs, or nothing when `hash_type` is undefined or asks for an output
/// that does not exist (Core: `SignatureHashSchnorr`, `script/interpreter.cpp`).
///
/// # Panics
///
/// When the transaction has no input `index`.
#[must_use]
pub fn taproot_sighash(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    hash_type: u8,
    spend: &TaprootSpend,
) -> Option<[u8; 32]> {
    const EPOCH: u8 = 0;
    const KEY_VERSION: u8 = 0;
    let parts = HashType::from_schnorr(hash_type)?;
    let tx = data.transaction();
    let input = tx.input(index).expect("the caller names an input of this transaction");
    let shared = data.bip341();

    let mut writer = TAP_SIGHASH.clone();
    writer.write(&[EPOCH, hash_type]).write_u32(tx.version()).write_u32(tx.lock_time());
    if !parts.anyone_can_pay {
        writer.write(&shared.prevouts).write(&shared.amounts).write(&shared.scripts).write(&shared.sequences);
    }
    if parts.outputs == Outputs::All {
        writer.write(&shared.outputs);
    }

    let spend_type = u8::from(spend.tapscript.is_some()) << 1 | u8::from(spend.annex_hash.is_some());
    writer.write(&[spend_type]);
    if parts.anyone_can_pay {
        let spent = data.spent_output(index);
        writer
            .write(input.prevout_bytes())
            .write_u64(spent.amount.to_sat())
            .write_with_size(spent.script_pubkey.as_bytes())
            .write_u32(input.sequence());
    } else {
        writer.write_u32(u32::try_from(index).expect("fewer inputs than bytes"));
    }
    if let Some(annex_hash) = &spend.annex_hash {
        writer.write(annex_hash);
    }
    if parts.outputs == Outputs::Single {
        writer.write(&sha256(tx.output(index)?.bytes()));
    }
    if let Some(tapscript) = &spend.tapscript {
        writer.write(&tapscript.leaf_hash).write(&[KEY_VERSION]).write_u32(tapscript.code_separator_position);
    }
    Some(writer.sha256())
}
