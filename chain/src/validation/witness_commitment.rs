//! The commitment to all witnesses in the coinbase (BIP141).

use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::{ScriptBuf, WitnessCommitment};

use super::{BlockError, witness_merkle_root};
use crate::hash::sha256d_pair;
use crate::primitives::{Block, TransactionRef, WitnessRef};

/// Bytes of a commitment: this header, then the hash (Core: `MINIMUM_WITNESS_COMMITMENT`, `consensus/validation.h`).
const COMMITMENT_SIZE: usize = 38;
/// `OP_RETURN`, a push of 36 bytes, and the four bytes that tell a commitment (BIP141, "Commitment structure").
const COMMITMENT_HEADER: [u8; 6] = [OP_RETURN.to_u8(), 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Index of the output of a coinbase that commits to the block's witnesses: the last that looks like it
/// (Core: `GetWitnessCommitmentIndex`, `consensus/validation.h`).
pub(crate) fn commitment_index(coinbase: TransactionRef<'_>) -> Option<usize> {
    coinbase
        .outputs()
        .map(|output| output.script_pubkey().as_bytes())
        .rposition(|script| script.len() >= COMMITMENT_SIZE && script.starts_with(&COMMITMENT_HEADER))
}

/// The hash a block's coinbase commits to its witnesses with, given the one item of the coinbase's own witness.
#[must_use]
pub fn witness_commitment(block: &Block, reserved_value: &[u8; 32]) -> [u8; 32] {
    sha256d_pair(&witness_merkle_root(block), reserved_value)
}

/// The script of the output that commits to witnesses with this hash (Core: `GenerateCoinbaseCommitment`, `validation.cpp`).
pub(crate) fn commitment_script(commitment: &[u8; 32]) -> ScriptBuf {
    ScriptBuf::from_bytes([&COMMITMENT_HEADER[..], commitment].concat())
}

/// Checks that the witnesses are those the block commits to, and that there are none if it commits to none
/// (Core: `CheckWitnessMalleation`, `validation.cpp`).
pub(super) fn check_witness_malleation(block: &Block, expect_commitment: bool) -> Result<(), BlockError> {
    let coinbase = block.transaction(0).filter(|_| expect_commitment);
    if let Some((coinbase, index)) = coinbase.and_then(|coinbase| Some((coinbase, commitment_index(coinbase)?))) {
        let witness = coinbase.input(0).map_or(WitnessRef::EMPTY, |input| input.witness());
        let first = witness.items().next().unwrap_or_default();
        let Some(reserved_value) = first.try_into().ok().filter(|_| witness.len() == 1) else {
            return Err(BlockError::BadWitnessNonceSize { items: witness.len(), size: first.len() });
        };
        let output = coinbase.output(index).expect("an index `commitment_index` found");
        let committed = &output.script_pubkey().as_bytes()[COMMITMENT_HEADER.len()..COMMITMENT_SIZE];
        let expected = WitnessCommitment::from_slice(committed).expect("38 bytes less 6");
        let got = WitnessCommitment::from_byte_array(witness_commitment(block, reserved_value));
        return if got == expected { Ok(()) } else { Err(BlockError::BadWitnessMerkleMatch { expected, got }) };
    }
    // Without a commitment, witnesses would be data that anyone could attach.
    match block.transactions().find(|tx| tx.has_witness()) {
        Some(tx) => Err(BlockError::UnexpectedWitness { txid: tx.txid() }),
        None => Ok(()),
    }
}
