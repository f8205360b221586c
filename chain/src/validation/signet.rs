//! The signature a signet demands of its blocks (BIP325).

use bitcoin::Script;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::OP_RETURN;

use super::merkle::root_of;
use super::witness_commitment::commitment_index;
use crate::coins::{Coin, CoinScript};
use crate::hash::sha256d;
use crate::primitives::{Block, Transaction, TransactionRef, WitnessRef};
use crate::script::{
    Instructions, PrecomputedTransactionData, ScriptVerifyFlags, TransactionSignatureChecker, append_push,
    verify_script,
};
use crate::serialize::{DecodeError, Reader, append_compact_size, append_with_size};

/// What precedes the solution in the witness commitment's script (Core: `SIGNET_HEADER`, `signet.cpp`).
const SIGNET_HEADER: [u8; 4] = [0xec, 0xc7, 0xda, 0xa2];

/// The rules solutions are held to (Core: `BLOCK_SCRIPT_VERIFY_FLAGS`, `signet.cpp`).
const SOLUTION_FLAGS: ScriptVerifyFlags = ScriptVerifyFlags::P2SH
    .union(ScriptVerifyFlags::WITNESS)
    .union(ScriptVerifyFlags::DERSIG)
    .union(ScriptVerifyFlags::NULLDUMMY);

/// Whether the block carries a solution of `challenge` (Core: `CheckSignetBlockSolution`, `signet.cpp`).
///
/// The solution is the scriptSig and witness of a transaction that spends an output with the challenge as its script, and
/// that commits to the block without the solution itself.
pub(super) fn check_signet_solution(block: &Block, challenge: &Script) -> bool {
    let Some(coinbase) = block.transaction(0) else { return false };
    let Some(commitment) = commitment_index(coinbase) else { return false };
    let output = coinbase.output(commitment).expect("an index `commitment_index` found");
    let (script_without_solution, solution) = split_solution(output.script_pubkey().as_bytes());
    let Ok((script_sig, witness)) = parse_solution(&solution) else { return false };

    let coinbase = coinbase_with_script(coinbase, commitment, &script_without_solution);
    let to_sign = to_sign(block, &coinbase, challenge);
    let spent = [Coin {
        amount: bitcoin::Amount::ZERO,
        script_pubkey: CoinScript::from(challenge),
        height: 0,
        is_coinbase: false,
    }];
    let data = PrecomputedTransactionData::new(to_sign.as_ref(), &spent);
    let mut checker = TransactionSignatureChecker::new(&data, 0);
    verify_script(script_sig, challenge, witness, SOLUTION_FLAGS, &mut checker).is_ok()
}

/// The commitment's script with what follows the signet header taken out, and what was taken (Core:
/// `FetchAndClearCommitmentSection`, `signet.cpp`). No solution is an empty one, which satisfies trivial challenges.
fn split_solution(script: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut replacement = Vec::with_capacity(script.len());
    let mut solution = None;
    for instruction in Instructions::new(script).map_while(Result::ok) {
        let mut data = instruction.data;
        if data.is_empty() {
            replacement.push(instruction.opcode.to_u8());
            continue;
        }
        if solution.is_none() && data.len() > SIGNET_HEADER.len() && data.starts_with(&SIGNET_HEADER) {
            solution = Some(data[SIGNET_HEADER.len()..].to_vec());
            data = &SIGNET_HEADER;
        }
        append_push(&mut replacement, data);
    }
    match solution {
        Some(solution) => (replacement, solution),
        None => (script.to_vec(), Vec::new()),
    }
}

/// A scriptSig with its length, then a witness stack, and nothing else.
fn parse_solution(solution: &[u8]) -> Result<(&Script, WitnessRef<'_>), DecodeError> {
    if solution.is_empty() {
        return Ok((Script::new(), WitnessRef::EMPTY));
    }
    let mut reader = Reader::new(solution)?;
    let script_sig = Script::from_bytes(reader.take_with_size()?);
    let rest = reader.take(reader.remaining())?;
    Ok((script_sig, WitnessRef::decode(rest)?))
}

/// The coinbase without its witness and with another script in one output, serialized.
fn coinbase_with_script(coinbase: TransactionRef<'_>, index: usize, script: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(coinbase.stripped_size());
    bytes.extend(coinbase.version().to_le_bytes());
    append_compact_size(&mut bytes, coinbase.input_count());
    for input in coinbase.inputs() {
        bytes.extend(input.prevout_bytes());
        append_with_size(&mut bytes, input.script_sig().as_bytes());
        bytes.extend(input.sequence().to_le_bytes());
    }
    append_compact_size(&mut bytes, coinbase.outputs().len());
    for (position, output) in coinbase.outputs().enumerate() {
        if position == index {
            bytes.extend(output.value().to_le_bytes());
            append_with_size(&mut bytes, script);
        } else {
            bytes.extend(output.bytes());
        }
    }
    bytes.extend(coinbase.lock_time().to_le_bytes());
    bytes
}

/// The transaction the solution signs: it spends one that names the block (Core: `SignetTxs::Create`, `signet.cpp`).
fn to_sign(block: &Block, coinbase: &[u8], challenge: &Script) -> Transaction {
    let others = block.transactions().skip(1).map(|tx| tx.txid().to_byte_array());
    let merkle_root = root_of(std::iter::once(sha256d(coinbase)).chain(others).collect()).root;
    let header = block.header();
    let mut block_data = Vec::with_capacity(72);
    block_data.extend(header.version.to_consensus().to_le_bytes());
    block_data.extend(header.prev_blockhash.to_byte_array());
    block_data.extend(merkle_root);
    block_data.extend(header.time.to_le_bytes());

    let mut script_sig = vec![0]; // OP_0
    append_push(&mut script_sig, &block_data);
    let no_prevout = [[0; 32].as_slice(), &[0xff; 4]].concat();
    let to_spend = transaction(&no_prevout, &script_sig, challenge.as_bytes());
    let prevout = [sha256d(&to_spend).as_slice(), &[0; 4]].concat();
    // No signature commits to the scriptSig or the witness of what it signs, so they can be left out.
    Transaction::decode(transaction(&prevout, &[], &[OP_RETURN.to_u8()])).expect("one input, one output, no witness")
}

/// Version 0, one input with sequence 0, one output of no value, lock time 0.
fn transaction(prevout: &[u8], script_sig: &[u8], script_pubkey: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.push(1);
    bytes.extend(prevout);
    append_with_size(&mut bytes, script_sig);
    bytes.extend([0; 4]);
    bytes.push(1);
    bytes.extend([0; 8]);
    append_with_size(&mut bytes, script_pubkey);
    bytes.extend([0; 4]);
    bytes
}

#[cfg(test)]
mod tests;
