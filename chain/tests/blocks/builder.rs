//! Blocks on regtest, valid until a test changes them.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::OP_PUSHNUM_1;
use bitcoin::script::Builder;
use bitcoin::transaction::Version as TransactionVersion;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
};
use cairn_chain::coins::CoinsView;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::validation::{BlockError, Verdict};

use crate::tree::BlockTree;

/// Seconds between blocks.
const SPACING: u32 = 600;
/// What a block on regtest may create, in satoshis, before its first halving at height 150.
pub(crate) const SUBSIDY: u64 = 5_000_000_000;

/// The witness script that anyone can satisfy; every output pays to its hash.
fn anyone() -> ScriptBuf {
    ScriptBuf::from(vec![OP_PUSHNUM_1.to_u8()])
}

/// A chain on regtest whose coins anyone can spend, with a witness.
pub(crate) struct Chain {
    tree: BlockTree,
    coinbases: Vec<OutPoint>,
}

impl Chain {
    /// A chain of `height` blocks without transactions.
    pub(crate) fn new(height: u32, options: RegtestOptions) -> Self {
        let params = ChainParams::regtest(options);
        let genesis_time = params.genesis.header.time;
        let mut chain = Self { tree: BlockTree::new(params), coinbases: Vec::new() };
        chain.tree.set_time(u64::from(genesis_time + (height + 1) * SPACING));
        for _ in 0..height {
            let mut block = chain.empty_block();
            seal(&mut block);
            chain.accept(&block);
        }
        chain
    }

    /// Adds a block, which must be valid.
    pub(crate) fn accept(&mut self, block: &Block) {
        assert_eq!(self.tree.submit(encode::serialize(block)), Ok(()));
        self.coinbases.push(OutPoint { txid: block.txdata[0].compute_txid(), vout: 0 });
    }

    /// Height of the next block.
    pub(crate) fn next_height(&self) -> u32 {
        self.tree.headers().height() + 1
    }

    /// The output of the coinbase at `height`.
    pub(crate) fn coinbase(&self, height: u32) -> OutPoint {
        self.coinbases[height as usize - 1]
    }

    /// The next block with nothing but a coinbase; its header still has to be sealed.
    pub(crate) fn empty_block(&self) -> Block {
        let parent = self.tree.headers().tip();
        let coinbase = Transaction {
            version: TransactionVersion::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                script_sig: Builder::new()
                    .push_int(i64::from(self.next_height()))
                    .push_opcode(OP_PUSHNUM_1)
                    .into_script(),
                ..TxIn::default()
            }],
            output: vec![TxOut { value: Amount::from_sat(SUBSIDY), script_pubkey: anyone().to_p2wsh() }],
        };
        let header = Header {
            version: Version::from_consensus(4),
            prev_blockhash: parent.hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.time + SPACING,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: 0,
        };
        Block { header, txdata: vec![coinbase] }
    }

    /// The next block, complete: it spends the coinbases at these heights, one transaction each, and commits to witnesses.
    pub(crate) fn block_spending(&self, heights: &[u32]) -> Block {
        let mut block = self.empty_block();
        block.txdata.extend(heights.iter().map(|&height| spend(self.coinbase(height), SUBSIDY)));
        commit(&mut block);
        seal(&mut block);
        block
    }

    /// The error a block meets.
    pub(crate) fn judge(&self, block: &Block) -> Result<(), BlockError> {
        self.tree.judge(encode::serialize(block), None)
    }

    /// The error a block meets when these are the coins before it.
    pub(crate) fn judge_with_coins(&self, block: &Block, coins: &dyn CoinsView) -> Result<(), BlockError> {
        self.tree.judge(encode::serialize(block), Some(coins))
    }

    /// Asserts that a block is rejected for a reason, with a verdict.
    #[track_caller]
    pub(crate) fn assert_rejects(&self, block: &Block, reason: &str, verdict: Verdict) {
        let error = self.judge(block).expect_err(reason);
        assert_eq!((error.reject_reason().as_ref(), error.verdict()), (reason, verdict), "{error}");
    }
}

/// A transaction that spends an output with the witness everyone knows, and pays `satoshis` on.
pub(crate) fn spend(previous_output: OutPoint, satoshis: u64) -> Transaction {
    Transaction {
        version: TransactionVersion::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[anyone().as_bytes()]),
            ..TxIn::default()
        }],
        output: vec![TxOut { value: Amount::from_sat(satoshis), script_pubkey: anyone().to_p2wsh() }],
    }
}

/// Makes the coinbase commit to the witnesses, in an output behind the others.
pub(crate) fn commit(block: &mut Block) {
    const RESERVED_VALUE: [u8; 32] = [0; 32];
    let root = block.witness_root().unwrap();
    let commitment = Block::compute_witness_commitment(&root, &RESERVED_VALUE);
    block.txdata[0].output.push(commitment_output(commitment.to_byte_array()));
    block.txdata[0].input[0].witness = Witness::from_slice(&[RESERVED_VALUE]);
}

/// An output that looks like a commitment to witnesses.
pub(crate) fn commitment_output(hash: [u8; 32]) -> TxOut {
    let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &hash].concat();
    TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from(script) }
}

/// Makes the header commit to the transactions, and finds a nonce.
pub(crate) fn seal(block: &mut Block) {
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    mine(block);
}

/// Finds a nonce for the header as it is.
pub(crate) fn mine(block: &mut Block) {
    let works = |header: Header| header.validate_pow(header.target()).is_ok();
    block.header.nonce = (0..).find(|&nonce| works(Header { nonce, ..block.header })).unwrap();
}
