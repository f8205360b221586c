//! A chain of our own on regtest: coinbases anybody may spend, and spends of them.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::Version as TransactionVersion;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness,
};
use cairn_chain::params::{ChainParams, RegtestOptions};

/// A block, and its coinbase's outputs if they are not spent yet.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    pub(crate) hash: BlockHash,
    pub(crate) height: u32,
    time: u32,
    /// Outputs anybody may spend, the oldest first, and the height from which on.
    spendable: Vec<(OutPoint, u64, u32)>,
}

/// What a new block gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// A spend whose script fails.
    Script,
    /// A spend of a coin that is not there.
    MissingCoin,
}

impl Tip {
    pub(crate) fn genesis() -> Self {
        let genesis = ChainParams::regtest(RegtestOptions::default()).genesis;
        Self { hash: genesis.hash, height: 0, time: genesis.header.time, spendable: Vec::new() }
    }

    /// A block on top, with up to `spends` spends that split a coin in two; `salt` tells siblings apart.
    pub(crate) fn extend(&self, spends: usize, salt: u64, fault: Fault) -> (Self, Vec<u8>) {
        let height = self.height + 1;
        let mut next = Self { hash: self.hash, height, time: self.time + 600, spendable: self.spendable.clone() };
        let anyone = ScriptBuf::from_bytes(vec![0x51]);
        let nobody = ScriptBuf::from_bytes(vec![0x00]);
        let mut transactions = Vec::new();
        let (mut ripe, unripe) = next.spendable.drain(..).partition::<Vec<_>, _>(|coin| coin.2 <= height);
        for _ in 0..spends.min(ripe.len()) {
            let (previous_output, value, _) = ripe.remove(0);
            let output = |value| TxOut { value: Amount::from_sat(value), script_pubkey: anyone.clone() };
            let mut tx = spend(previous_output, vec![output(value / 2), output(value - value / 2)]);
            if fault == Fault::Script && transactions.is_empty() {
                tx.output[0].script_pubkey = nobody.clone();
            }
            let txid = tx.compute_txid();
            for (vout, output) in (0..).zip(&tx.output).filter(|(_, output)| output.value.to_sat() > 1_000) {
                ripe.push((OutPoint { txid, vout }, output.value.to_sat(), height + 1));
            }
            transactions.push(tx);
        }
        if fault == Fault::Script {
            let out = OutPoint { txid: transactions[0].compute_txid(), vout: 0 };
            transactions.push(spend(out, vec![TxOut { value: Amount::ZERO, script_pubkey: anyone.clone() }]));
        }
        if fault == Fault::MissingCoin {
            let nowhere = OutPoint { txid: bitcoin::Txid::from_byte_array([7; 32]), vout: 0 };
            transactions.push(spend(nowhere, vec![TxOut { value: Amount::ZERO, script_pubkey: anyone.clone() }]));
        }
        let subsidy = 5_000_000_000u64 >> (height / 150);
        let coinbase = Transaction {
            version: TransactionVersion::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                script_sig: Builder::new().push_int(height.into()).push_slice(salt.to_le_bytes()).into_script(),
                ..TxIn::default()
            }],
            output: vec![TxOut { value: Amount::from_sat(subsidy), script_pubkey: anyone }],
        };
        next.spendable = unripe;
        next.spendable.extend(ripe);
        next.spendable.push((OutPoint { txid: coinbase.compute_txid(), vout: 0 }, subsidy, height + 100));
        let mut block = Block {
            header: Header {
                version: Version::from_consensus(4),
                prev_blockhash: self.hash,
                merkle_root: TxMerkleNode::all_zeros(),
                time: next.time,
                bits: CompactTarget::from_consensus(0x207f_ffff),
                nonce: 0,
            },
            txdata: std::iter::once(coinbase).chain(transactions).collect(),
        };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        next.hash = block.block_hash();
        (next, encode::serialize(&block))
    }
}

fn spend(previous_output: OutPoint, output: Vec<TxOut>) -> Transaction {
    let input =
        TxIn { previous_output, sequence: Sequence::MAX, witness: Witness::new(), script_sig: ScriptBuf::new() };
    Transaction { version: TransactionVersion::TWO, lock_time: LockTime::ZERO, input: vec![input], output }
}
