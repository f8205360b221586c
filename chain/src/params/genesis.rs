//! The first block of a network.

use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::opcodes::all::OP_CHECKSIG;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, absolute, transaction,
};

/// The longest message a genesis coinbase has room for, in bytes: a coinbase script has at most 100 (Core:
/// `CheckTransaction`, `consensus/tx_check.cpp`), the two numbers before the message take 7 and its push opcode 2.
pub const MAX_GENESIS_MESSAGE_BYTES: usize = 91;

/// The first block of a network, ready to be stored and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The block as it is stored and sent: header, transaction count, coinbase.
    pub block: Vec<u8>,
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
}

/// What a genesis block is made of (Core: the parameters of `CreateGenesisBlock`, `kernel/chainparams.cpp`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisParts {
    /// Text in the coinbase, at most [`MAX_GENESIS_MESSAGE_BYTES`]; by custom it proves that nobody began earlier.
    pub message: String,
    /// Script of the only output. Genesis outputs never enter the set of coins (Core: `ConnectBlock` skips the block),
    /// so whatever it is, nobody can spend it.
    pub output_script: ScriptBuf,
    /// Value of the only output.
    pub reward: Amount,
    /// Header version.
    pub version: i32,
    /// Header time, in seconds since 1970.
    pub time: u32,
    /// Compact target.
    pub bits: CompactTarget,
    /// Nonce that brings the block's hash under its target.
    pub nonce: u32,
}

impl GenesisParts {
    /// The message and output script of Bitcoin's first block, which all of Core's networks but testnet4 share.
    pub(crate) fn bitcoin(time: u32, nonce: u32, bits: u32) -> Self {
        let satoshis_key = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6\
                            49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f";
        let key = <[u8; 65]>::from_hex(satoshis_key).expect("a constant of 130 hex digits");
        Self {
            message: "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks".to_owned(),
            output_script: Builder::new().push_slice(key).push_opcode(OP_CHECKSIG).into_script(),
            reward: Amount::from_int_btc(50),
            version: 1,
            time,
            bits: CompactTarget::from_consensus(bits),
            nonce,
        }
    }

    /// Puts the block together (Core: `CreateGenesisBlock`).
    ///
    /// # Panics
    ///
    /// When the message is longer than [`MAX_GENESIS_MESSAGE_BYTES`].
    #[must_use]
    pub fn build(&self) -> Genesis {
        assert!(self.message.len() <= MAX_GENESIS_MESSAGE_BYTES, "a longer message does not fit a coinbase");
        let coinbase = Transaction {
            version: transaction::Version::ONE,
            lock_time: absolute::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: self.coinbase_script(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![TxOut { value: self.reward, script_pubkey: self.output_script.clone() }],
        };
        let header = Header {
            version: Version::from_consensus(self.version),
            prev_blockhash: BlockHash::all_zeros(),
            // The merkle root of a single transaction is its id.
            merkle_root: TxMerkleNode::from_raw_hash(coinbase.compute_txid().to_raw_hash()),
            time: self.time,
            bits: self.bits,
            nonce: self.nonce,
        };
        let block = serialize(&Block { header, txdata: vec![coinbase] });
        Genesis { block, header, hash: header.block_hash() }
    }

    /// `CScript() << 486604799 << CScriptNum(4) << message`: the two numbers are those of Bitcoin's first block.
    fn coinbase_script(&self) -> ScriptBuf {
        let message = PushBytesBuf::try_from(self.message.clone().into_bytes()).expect("`build` checked the length");
        Builder::new().push_slice(486_604_799_u32.to_le_bytes()).push_slice([4_u8]).push_slice(message).into_script()
    }
}

/// An output script nobody can satisfy: a signature by the "public key" of 33 zero bytes, which is no point of the
/// curve (a compressed key begins with 2 or 3), so there is no private key and the check always fails.
///
/// Core chose it for testnet4. Unlike `OP_RETURN` it looks like any output to software that lists the genesis block.
pub(crate) fn unspendable_script() -> ScriptBuf {
    Builder::new().push_slice([0_u8; 33]).push_opcode(OP_CHECKSIG).into_script()
}
