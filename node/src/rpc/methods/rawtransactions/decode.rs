//! Hexadecimal digits become a transaction.

use bitcoin::hex::FromHex;
use cairn_chain::primitives::{Transaction, TransactionRef};
use cairn_chain::script::{MAX_SCRIPT_SIZE, has_valid_ops};

/// Which ways to write a transaction are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rpc::methods) enum Form {
    /// Both, and the one that makes more sense counts.
    Any,
    /// With BIP144's marker where there are witnesses.
    WithWitness,
    /// As before BIP144: inputs may be missing, witnesses cannot be there.
    WithoutWitness,
}

/// Reads a transaction from hexadecimal digits (Core: `DecodeHexTx`, `core_io.cpp`).
pub(in crate::rpc::methods) fn decode_hex_tx(hex: &str, form: Form) -> Option<Transaction> {
    let bytes = Vec::from_hex(hex).ok().filter(|bytes| !bytes.is_empty())?;
    decode_tx(bytes, form)
}

/// Core: `DecodeTx`, `core_io.cpp`.
fn decode_tx(bytes: Vec<u8>, form: Form) -> Option<Transaction> {
    // Few bytes begin as both forms may; only for those a copy is needed.
    let is_ambiguous = form == Form::Any && bytes.get(4) == Some(&0);
    let (extended, legacy) = match form {
        Form::WithWitness => (Some(bytes), None),
        Form::WithoutWitness => (None, Some(bytes)),
        Form::Any if is_ambiguous => (Some(bytes.clone()), Some(bytes)),
        // With at least one input, both forms of a transaction without witness are the same.
        Form::Any => (Some(bytes), None),
    };
    let extended = extended.and_then(|bytes| Transaction::decode(bytes).ok());
    if extended.as_ref().is_some_and(|transaction| has_sane_scripts(transaction.as_ref())) {
        return extended;
    }
    let legacy = legacy.and_then(|bytes| Transaction::decode_without_witness(bytes).ok());
    if legacy.as_ref().is_some_and(|transaction| has_sane_scripts(transaction.as_ref())) {
        return legacy;
    }
    extended.or(legacy)
}

/// Core: `CheckTxScriptsSanity`, `core_io.cpp`.
fn has_sane_scripts(tx: TransactionRef<'_>) -> bool {
    let is_sane = |script: &bitcoin::Script| script.len() <= MAX_SCRIPT_SIZE && has_valid_ops(script.as_bytes());
    (tx.is_coinbase() || tx.inputs().all(|input| is_sane(input.script_sig())))
        && tx.outputs().all(|output| is_sane(output.script_pubkey()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No inputs, one output of 1 satoshi to `OP_TRUE`.
    const NO_INPUTS: &str = "0200000000010100000000000000015100000000";
    /// BIP143's P2WPKH example.
    const SEGWIT: &str = "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000";

    fn inputs(hex: &str, form: Form) -> Option<usize> {
        decode_hex_tx(hex, form).map(|transaction| transaction.as_ref().input_count())
    }

    #[test]
    fn the_form_that_makes_sense_counts() {
        assert_eq!(inputs(NO_INPUTS, Form::Any), Some(0));
        assert_eq!(inputs(NO_INPUTS, Form::WithoutWitness), Some(0));
        assert_eq!(inputs(NO_INPUTS, Form::WithWitness), None);
        assert_eq!(inputs(SEGWIT, Form::Any), Some(2));
        assert_eq!(inputs(SEGWIT, Form::WithWitness), Some(2));
        assert_eq!(inputs(SEGWIT, Form::WithoutWitness), None);
    }

    #[test]
    fn insane_scripts_are_read_when_nothing_else_fits() {
        // An input spends nothing in particular, with an operation that does not exist.
        let insane = format!("0200000001{}01ffffffffff0100000000000000000000000000", "11".repeat(36));
        assert_eq!(inputs(&insane, Form::Any), Some(1));
    }

    #[test]
    fn digits_must_be_whole_bytes_of_one_transaction() {
        for wrong in ["", "0", "zz", &SEGWIT[1..], &SEGWIT[..SEGWIT.len() - 2], &format!("{SEGWIT}00")] {
            assert_eq!(inputs(wrong, Form::Any), None, "{wrong}");
        }
        assert_eq!(inputs(&SEGWIT.to_uppercase(), Form::Any), Some(2));
    }
}
