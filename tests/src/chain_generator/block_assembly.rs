//! Blocks around transactions: coinbase, commitments and proof of work.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    transaction,
};

/// Seconds between blocks.
const SPACING: u32 = 600;
/// Blocks between halvings (Core: `CRegTestParams`, `kernel/chainparams.cpp`).
const HALVING_INTERVAL: u32 = 150;
/// The easiest target, which regtest never leaves.
const BITS: u32 = 0x207f_ffff;
/// What the witness commitment of a coinbase output begins with (BIP 141).
const COMMITMENT_HEADER: [u8; 4] = [0xaa, 0x21, 0xa9, 0xed];
const WITNESS_RESERVED_VALUE: [u8; 32] = [0; 32];

/// The block at `height` on top of `parent`, whose coinbase pays the subsidy to `miner` and leaves the fees to nobody.
///
/// # Panics
///
/// When there are more than 2^32 nonces to try, of which every other one will do.
#[must_use]
pub fn assemble(parent: &Header, height: u32, miner: ScriptBuf, transactions: Vec<Transaction>) -> Block {
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.block_hash(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: parent.time + SPACING,
        bits: CompactTarget::from_consensus(BITS),
        nonce: 0,
    };
    let mut block = Block { header, txdata: vec![coinbase(height, miner)] };
    block.txdata.extend(transactions);
    let witness_root = block.witness_root().expect("there is a coinbase");
    let commitment = Block::compute_witness_commitment(&witness_root, &WITNESS_RESERVED_VALUE);
    let mut payload = [0; 36];
    payload[..4].copy_from_slice(&COMMITMENT_HEADER);
    payload[4..].copy_from_slice(commitment.as_byte_array());
    let script_pubkey = Builder::new().push_opcode(OP_RETURN).push_slice(payload).into_script();
    block.txdata[0].output.push(TxOut { value: Amount::ZERO, script_pubkey });

    block.header.merkle_root = block.compute_merkle_root().expect("there is a coinbase");
    let target = block.header.target();
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
    block
}

fn coinbase(height: u32, miner: ScriptBuf) -> Transaction {
    let subsidy = (50 * Amount::ONE_BTC.to_sat()).checked_shr(height / HALVING_INTERVAL).unwrap_or(0);
    let input = TxIn {
        previous_output: OutPoint::null(),
        // The height alone would be too short at heights up to 16.
        script_sig: Builder::new().push_int(height.into()).push_int(0).into_script(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[WITNESS_RESERVED_VALUE]),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![TxOut { value: Amount::from_sat(subsidy), script_pubkey: miner }],
    }
}
