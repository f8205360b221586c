//! A block that is still being made.

use std::collections::HashSet;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
};

use super::coin::LockedCoin;
use super::lock::{Kind, Lock};
use crate::random::Random;

/// The target of every block on regtest.
pub(super) const BITS: u32 = 0x207f_ffff;
/// A time that every clock finds too far ahead. Nodes ask the real clock, and a tree must be the same whenever it is made:
/// near the end of the century.
pub(super) const FAR_AHEAD: u32 = 4_000_000_000;
/// What the coinbase's witness holds, which the commitment to witnesses includes (BIP141).
const RESERVED_VALUE: [u8; 32] = [0; 32];

/// What a block on regtest may create (Core: `GetBlockSubsidy`, `validation.cpp`).
pub(super) fn subsidy(height: u32) -> u64 {
    5_000_000_000 >> (height / 150)
}

/// A block that is still being made, and what it will do to the coins.
pub(super) struct Draft {
    pub(super) block: Block,
    /// Position of the parent in the tree.
    pub(super) parent: usize,
    pub(super) height: u32,
    /// Median time of the parent.
    pub(super) median: u32,
    pub(super) fees: u64,
    /// The locks of the outputs of each transaction; outputs without one are never spent.
    pub(super) locks: Vec<Vec<Option<Lock>>>,
    /// Coins of the parent's that it spends.
    pub(super) spent: Vec<LockedCoin>,
    /// Coins that its transactions create and do not spend, the coinbase's left out.
    pub(super) fresh: Vec<LockedCoin>,
    /// The outpoints of all its inputs.
    pub(super) taken: HashSet<OutPoint>,
    /// The kinds of locks that it opens.
    pub(super) kinds: Vec<Kind>,
    /// A lock that a flaw keeps closed.
    pub(super) refused: Option<Kind>,
    /// Where the coinbase commits to witnesses.
    commitment: Option<usize>,
    /// Bytes that `block` cannot express, to be sent in its stead.
    pub(super) bytes: Option<Vec<u8>>,
    /// Bytes with the header of `block` that are not the block the header commits to; `block` stays valid.
    pub(super) mutant: Option<Vec<u8>>,
}

impl Draft {
    /// A block with nothing but a coinbase that pays nothing.
    pub(super) fn new(
        rng: &mut Random,
        parent: usize,
        parent_hash: BlockHash,
        height: u32,
        median: u32,
        time: u32,
    ) -> Self {
        let script_sig = Builder::new().push_int(i64::from(height)).push_slice(rng.array::<8>()).into_script();
        let coinbase = Transaction {
            version: bitcoin::transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn { script_sig, ..TxIn::default() }],
            output: vec![TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::new() }],
        };
        let header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: parent_hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time,
            bits: CompactTarget::from_consensus(BITS),
            nonce: 0,
        };
        Self {
            block: Block { header, txdata: vec![coinbase] },
            parent,
            height,
            median,
            fees: 0,
            locks: vec![vec![None]],
            spent: Vec::new(),
            fresh: Vec::new(),
            taken: HashSet::new(),
            kinds: Vec::new(),
            refused: None,
            commitment: None,
            bytes: None,
            mutant: None,
        }
    }

    pub(super) fn coinbase(&mut self) -> &mut Transaction {
        &mut self.block.txdata[0]
    }

    /// What the coinbase may pay.
    pub(super) fn most_value(&self) -> u64 {
        subsidy(self.height) + self.fees
    }

    /// Lets the first output of the coinbase pay all it may, less what the others pay.
    pub(super) fn pay(&mut self) {
        let others: u64 = self.block.txdata[0].output[1..].iter().map(|output| output.value.to_sat()).sum();
        self.block.txdata[0].output[0].value = Amount::from_sat(self.most_value() - others);
    }

    /// Adds an output of nothing to the coinbase.
    pub(super) fn add_to_coinbase(&mut self, script_pubkey: ScriptBuf) {
        self.coinbase().output.push(TxOut { value: Amount::ZERO, script_pubkey });
    }

    pub(super) fn has_witness(&self) -> bool {
        self.block.txdata[1..].iter().any(|tx| tx.input.iter().any(|input| !input.witness.is_empty()))
    }

    /// Makes the coinbase commit to the witnesses, anew if it did.
    pub(super) fn commit(&mut self) {
        let root = self.block.witness_root().unwrap();
        let commitment = Block::compute_witness_commitment(&root, &RESERVED_VALUE);
        let output = commitment_output(commitment.to_byte_array());
        match self.commitment {
            Some(position) => self.coinbase().output[position] = output,
            None => {
                self.commitment = Some(self.coinbase().output.len());
                self.coinbase().output.push(output);
            }
        }
        self.coinbase().input[0].witness = Witness::from_slice(&[RESERVED_VALUE]);
    }

    /// Makes the header commit to the transactions, and finds a nonce.
    pub(super) fn seal(&mut self) {
        self.block.header.merkle_root = self.block.compute_merkle_root().unwrap_or(TxMerkleNode::all_zeros());
        self.mine();
    }

    /// Finds a nonce for the header as it is.
    pub(super) fn mine(&mut self) {
        mine(&mut self.block.header, true);
    }

    /// Does all that is left: pays, commits where there are witnesses, and seals.
    pub(super) fn finish(&mut self) {
        self.pay();
        if self.has_witness() {
            self.commit();
        }
        self.seal();
    }

    /// What is sent.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.mutant.clone().or_else(|| self.bytes.clone()).unwrap_or_else(|| encode::serialize(&self.block))
    }

    /// The coins that the finished block leaves.
    pub(super) fn created(&self) -> Vec<LockedCoin> {
        let mut created = Vec::new();
        for (position, (tx, locks)) in self.block.txdata.iter().zip(&self.locks).enumerate() {
            let txid = tx.compute_txid();
            for ((vout, output), lock) in (0..).zip(&tx.output).zip(locks) {
                let outpoint = OutPoint { txid, vout };
                if let Some(lock) = *lock
                    && !self.taken.contains(&outpoint)
                {
                    let is_coinbase = position == 0;
                    created.push(LockedCoin {
                        outpoint,
                        output: output.clone(),
                        height: self.height,
                        is_coinbase,
                        lock,
                    });
                }
            }
        }
        created
    }
}

/// Finds a nonce with which the header has, or has not, the work its target asks for.
pub(super) fn mine(header: &mut Header, works: bool) {
    let target = bitcoin::Target::from_compact(CompactTarget::from_consensus(BITS));
    let meets = |nonce: u32| target.is_met_by(Header { nonce, ..*header }.block_hash()) == works;
    header.nonce = (0..).find(|&nonce| meets(nonce)).unwrap();
}

/// An output that looks like a commitment to witnesses.
pub(super) fn commitment_output(hash: [u8; 32]) -> TxOut {
    let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &hash].concat();
    TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from(script) }
}
