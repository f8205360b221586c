//! Blocks on regtest with reorganisations among them, some to branches that turn out invalid.
//!
//! What the coins are after each block is computed here, by adding to and removing from a hash of sets, and not by what is
//! tested.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, BlockHash, OutPoint, Txid};
use cairn_chain::coins::{Coin, CoinScript, apply_coin_hash, remove_coin_hash};
use cairn_chain::hash::MuHash3072;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use cairn_tests::random::Random;
use tempfile::TempDir;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
/// The deepest reorganisation.
const MAX_DEPTH: usize = 20;
const WITNESS_RESERVED_VALUE: [u8; 32] = [0; 32];

/// What is right when a block is the tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TipState {
    pub(crate) height: u32,
    /// MuHash of the coins.
    pub(crate) coins: [u8; 32],
}

/// The stream, as files that are imported one after the other. No block's parent is in a later file.
pub(crate) struct Stream {
    folder: TempDir,
    pub(crate) files: Vec<PathBuf>,
    /// Every valid block.
    pub(crate) tips: HashMap<BlockHash, TipState>,
    /// What is the tip after the whole stream.
    pub(crate) last: BlockHash,
    pub(crate) reorganisations: usize,
    pub(crate) invalid_branches: usize,
}

impl Stream {
    /// The one that the tests of this program share, as long as one of them runs.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Stream>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let options = ChainOptions { blocks: u32::MAX, transactions_per_block: 6, coins: 2_500, seed: 21 };
            let stream = Arc::new(Self::make(options, 400));
            *shared = Arc::downgrade(&stream);
            stream
        })
    }

    /// A stream up to at least `height`.
    pub(crate) fn make(options: ChainOptions, height: usize) -> Self {
        let mut builder = Builder::new(options);
        while builder.trunk.len() <= height {
            builder.extend();
            builder.branch();
        }
        builder.extend();
        builder.stream
    }

    /// Whether `hash` is a valid block of the stream, or genesis.
    #[track_caller]
    pub(crate) fn tip(&self, hash: BlockHash) -> TipState {
        *self.tips.get(&hash).unwrap_or_else(|| panic!("{hash} should never have become the tip"))
    }
}

struct Builder {
    random: Random,
    /// The generator after each block of the best chain, as far down as reorganisations go; nothing further down.
    trunk: Vec<Option<ChainGenerator>>,
    coins: HashMap<OutPoint, Coin>,
    sets: HashMap<BlockHash, MuHash3072>,
    stream: Stream,
}

/// The rule that a block is made to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// A signature is wrong: found last, when the coins were changed already.
    Signature,
    /// The miner pays himself too much.
    Subsidy,
    /// A coin is spent that never was.
    MissingCoin,
    /// The transactions are not those of the header.
    MerkleRoot,
}

impl Builder {
    fn new(options: ChainOptions) -> Self {
        let generator = ChainGenerator::new(options);
        let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).block_hash();
        let set = MuHash3072::new();
        let state = TipState { height: 0, coins: set.finalize() };
        Self {
            random: Random::new(options.seed),
            trunk: vec![Some(generator)],
            coins: HashMap::new(),
            sets: HashMap::from([(genesis, set)]),
            stream: Stream {
                folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
                files: Vec::new(),
                tips: HashMap::from([(genesis, state)]),
                last: genesis,
                reorganisations: 0,
                invalid_branches: 0,
            },
        }
    }

    /// Adds some blocks to the best chain.
    fn extend(&mut self) {
        let mut generator = self.trunk.last().unwrap().clone().unwrap();
        let mut blocks = Vec::new();
        for _ in 0..1 + self.random.below(12) {
            let block = generator.next().unwrap().block;
            self.note_valid(&block);
            self.stream.last = block.block_hash();
            blocks.push(serialize(&block));
            self.trunk.push(Some(generator.clone()));
        }
        self.write(&blocks);
        let kept = self.trunk.len().saturating_sub(MAX_DEPTH + 1);
        for generator in &mut self.trunk[..kept] {
            *generator = None;
        }
    }

    /// Adds a branch with more work, valid or not, whose blocks may come in the wrong order.
    fn branch(&mut self) {
        let depth = 1 + self.random.below(MAX_DEPTH.min(self.trunk.len() - 1));
        let fork = self.trunk.len() - 1 - depth;
        let mut generator = self.trunk[fork].as_ref().unwrap().fork(self.random.word());
        let mut states = Vec::new();
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..=depth + self.random.below(2) {
            blocks.push(generator.next().unwrap().block);
            states.push(Some(generator.clone()));
        }
        // With all blocks before it the branch must not overtake, or its part would become the best chain.
        let flawed = self.random.chance(30).then(|| self.random.below(depth + 1));
        let valid = flawed.unwrap_or(blocks.len());
        for block in &blocks[..valid] {
            self.note_valid(block);
        }
        if let Some(flawed) = flawed {
            spoil(&mut blocks, flawed, &mut self.random);
            self.stream.invalid_branches += 1;
        } else {
            self.stream.reorganisations += 1;
            self.stream.last = blocks.last().unwrap().block_hash();
            self.trunk.truncate(fork + 1);
            self.trunk.append(&mut states);
        }
        let mut bytes: Vec<_> = blocks.iter().map(serialize).collect();
        if self.random.chance(20) {
            bytes.reverse();
        }
        self.write(&bytes);
    }

    fn write(&mut self, blocks: &[Vec<u8>]) {
        let mut bytes = Vec::new();
        for block in blocks {
            bytes.extend_from_slice(&MAGIC);
            bytes.extend_from_slice(&u32::try_from(block.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(block);
        }
        let path = self.stream.folder.path().join(format!("blocks-{:04}.dat", self.stream.files.len()));
        fs::write(&path, bytes).unwrap();
        self.stream.files.push(path);
    }

    fn note_valid(&mut self, block: &Block) {
        let parent = block.header.prev_blockhash;
        let height = self.stream.tips[&parent].height + 1;
        let mut set = self.sets[&parent].clone();
        for (index, transaction) in block.txdata.iter().enumerate() {
            for input in transaction.input.iter().filter(|_| index > 0) {
                let outpoint = input.previous_output;
                remove_coin_hash(&mut set, &outpoint, &self.coins[&outpoint]);
            }
            let txid = transaction.compute_txid();
            for (vout, output) in (0..).zip(&transaction.output) {
                if output.script_pubkey.is_op_return() {
                    continue;
                }
                let coin = Coin {
                    amount: output.value,
                    script_pubkey: CoinScript::from(output.script_pubkey.as_script()),
                    height,
                    is_coinbase: index == 0,
                };
                let outpoint = OutPoint { txid, vout };
                apply_coin_hash(&mut set, &outpoint, &coin);
                let before = self.coins.insert(outpoint, coin.clone());
                assert!(before.is_none_or(|before| before == coin), "branches share transactions at different heights");
            }
        }
        let hash = block.block_hash();
        self.stream.tips.insert(hash, TipState { height, coins: set.finalize() });
        self.sets.insert(hash, set);
    }
}

/// Makes a block invalid, and puts those behind it on top of what became of it.
fn spoil(blocks: &mut [Block], index: usize, random: &mut Random) {
    let flaw = random.pick(&[Flaw::Signature, Flaw::Signature, Flaw::Subsidy, Flaw::MissingCoin, Flaw::MerkleRoot]);
    let block = &mut blocks[index];
    let spends = block.txdata.len() > 1;
    match flaw {
        Flaw::Signature if spends => {
            let input = &mut block.txdata.last_mut().unwrap().input[0];
            let mut script = std::mem::take(&mut input.script_sig).into_bytes();
            let mut witness = input.witness.to_vec();
            let signature = witness.iter_mut().find(|item| item.len() > 60).unwrap_or(&mut script);
            signature[40] ^= 1;
            input.witness = witness.into();
            input.script_sig = script.into();
        }
        Flaw::MissingCoin if spends => {
            let txid = Txid::from_byte_array([9; 32]);
            block.txdata.last_mut().unwrap().input[0].previous_output = OutPoint { txid, vout: 0 };
        }
        _ => block.txdata[0].output[0].value += Amount::from_sat(1_000_000_000),
    }
    if flaw == Flaw::MerkleRoot {
        mine(block);
    } else {
        seal(block);
    }
    for above in index + 1..blocks.len() {
        blocks[above].header.prev_blockhash = blocks[above - 1].block_hash();
        mine(&mut blocks[above]);
    }
}

/// Makes the block commit to its transactions again, and finds a nonce.
fn seal(block: &mut Block) {
    let root = block.witness_root().unwrap();
    let commitment = Block::compute_witness_commitment(&root, &WITNESS_RESERVED_VALUE);
    let script = &mut block.txdata[0].output.last_mut().unwrap().script_pubkey;
    let mut bytes = std::mem::take(script).into_bytes();
    let start = bytes.len() - 32;
    bytes[start..].copy_from_slice(commitment.as_byte_array());
    *script = bytes.into();
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    mine(block);
}

fn mine(block: &mut Block) {
    let target = block.header.target();
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce = block.header.nonce.wrapping_add(1);
    }
}
