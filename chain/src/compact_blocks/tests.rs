//! Blocks as Core's own tests make them (`BuildBlockTestCase`, `test/blockencodings_tests.cpp`).

mod encoding;
mod reconstruction;

use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxMerkleNode, TxOut, Txid, Witness, Wtxid,
    transaction,
};

use super::*;
use crate::primitives::{Block, Transaction};

const NONCE: u64 = 0x0123_4567_89ab_cdef;

/// A transaction that spends these, and may say something in its witness.
fn spend(prevouts: &[OutPoint], witness: &[u8]) -> bitcoin::Transaction {
    let input = |&previous_output: &OutPoint| TxIn {
        previous_output,
        script_sig: ScriptBuf::from(vec![0; 10]),
        sequence: Sequence::MAX,
        witness: if witness.is_empty() { Witness::new() } else { Witness::from_slice(&[witness]) },
    };
    bitcoin::Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: prevouts.iter().map(input).collect(),
        output: vec![TxOut { value: Amount::from_sat(42), script_pubkey: ScriptBuf::new() }],
    }
}

fn coinbase() -> bitcoin::Transaction {
    spend(&[OutPoint::null()], &[])
}

/// A transaction that is different for every number.
fn numbered(number: u64) -> bitcoin::Transaction {
    let mut txid = [7; 32];
    txid[..8].copy_from_slice(&number.to_le_bytes());
    spend(&[OutPoint { txid: Txid::from_byte_array(txid), vout: 0 }], &[])
}

/// A block of these, with the root that they have.
fn block_of(txdata: Vec<bitcoin::Transaction>) -> Block {
    let header = Header {
        version: Version::from_consensus(42),
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 1,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    let mut block = bitcoin::Block { header, txdata };
    block.header.merkle_root = block.compute_merkle_root().unwrap_or(TxMerkleNode::all_zeros());
    Block::decode(serialize(&block)).unwrap()
}

/// A coinbase and two others, the second with ten inputs.
fn core_block() -> Block {
    let many: Vec<_> = (0..10).map(|vout| OutPoint { txid: Txid::from_byte_array([9; 32]), vout }).collect();
    block_of(vec![coinbase(), numbered(1), spend(&many, &[])])
}

fn ours(transaction: &bitcoin::Transaction) -> Arc<Transaction> {
    Arc::new(Transaction::decode(serialize(transaction)).unwrap())
}

fn owned(block: &Block, index: usize) -> Arc<Transaction> {
    Arc::new(block.transaction(index).unwrap().to_owned())
}

fn bytes_of(block: &Block, index: usize) -> Vec<u8> {
    block.transaction(index).unwrap().bytes().to_vec()
}

fn wtxid(transaction: &Transaction) -> Wtxid {
    transaction.as_ref().wtxid()
}

/// The compact form that carries the transactions at these places instead of the coinbase.
fn carrying(block: &Block, indexes: &[u16]) -> CompactBlock {
    let key = ShortIdKey::new(block.header(), NONCE);
    let is_carried = |index: usize| indexes.iter().any(|&carried| usize::from(carried) == index);
    let prefilled = |&index| PrefilledTransaction { index, bytes: bytes_of(block, usize::from(index)) };
    let named = block.transactions().enumerate().filter(|(index, _)| !is_carried(*index));
    CompactBlock {
        header: *block.header(),
        hash: block.hash(),
        nonce: NONCE,
        short_ids: named.map(|(_, tx)| key.short_id(&tx.wtxid())).collect(),
        prefilled: indexes.iter().map(prefilled).collect(),
    }
}

/// Starts from the bytes of a compact block, with these candidates.
fn start(
    compact: &CompactBlock,
    candidates: &[Arc<Transaction>],
) -> Result<PartiallyDownloadedBlock, ReconstructionError> {
    let sent = CompactBlock::decode(&compact.encode()).unwrap();
    assert_eq!(&sent, compact);
    PartiallyDownloadedBlock::start(sent, candidates.iter().map(|candidate| (wtxid(candidate), candidate)))
}
