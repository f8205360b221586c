//! A regtest chain on disk with a pool.

use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::Version as TransactionVersion;
use bitcoin::{Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Witness};
use cairn_chain::chainstate::{BlockReference, ChainEvent, Chainstate, ChainstateOptions};
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{Admitted, FeeRate, Mempool, MempoolEvent, MempoolOptions, PackageResult, Rejection};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use tempfile::TempDir;

use crate::transactions::{Coin, ours, output, split};

/// Value of each of the coins a node begins with, in satoshis.
pub(crate) const COIN: u64 = 20_000_000;
/// How many there are.
const COINS: u64 = 240;
/// Seconds between blocks.
const SPACING: u32 = 600;

pub(crate) struct Node {
    pub(crate) chain: Chainstate,
    pub(crate) pool: Mempool,
    /// Confirmed coins nobody has spent.
    coins: Vec<Coin>,
    /// Told apart by this, blocks at the same height differ.
    salt: u64,
    _directory: TempDir,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with(MempoolOptions::default())
    }

    /// A node at height 103, the clock at its tip.
    pub(crate) fn with(options: MempoolOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let params = ChainParams::regtest(RegtestOptions::default());
        let genesis_time = params.genesis.header.time;
        let chain_options = ChainstateOptions { cache_bytes: 8 << 20, threads: 2, ..Default::default() };
        let mut chain = Chainstate::open(directory.path(), params, chain_options).unwrap();
        chain.set_mock_time(Some(u64::from(genesis_time)));
        let mut pool = Mempool::new(options);
        pool.keep_events();
        let mut node = Self { chain, pool, coins: Vec::new(), salt: 0, _directory: directory };
        for _ in 0..102 {
            node.mine(&[]);
        }
        let coinbase = node.coinbase(1);
        let fan = split(&[coinbase], COINS, coinbase.value - COINS * COIN);
        node.mine(std::slice::from_ref(&fan));
        node.coins = crate::transactions::coins_of(&fan);
        node.events();
        node
    }

    /// A confirmed coin.
    pub(crate) fn coin(&mut self) -> Coin {
        self.coins.pop().unwrap()
    }

    pub(crate) fn coins(&mut self, count: usize) -> Vec<Coin> {
        (0..count).map(|_| self.coin()).collect()
    }

    /// What the block at a height created.
    pub(crate) fn coinbase(&self, height: u32) -> Coin {
        let block = self.chain.block(&self.chain.block_hash(height).unwrap()).unwrap();
        let coinbase = block.transaction(0).unwrap();
        let value = coinbase.output(0).unwrap().value().unsigned_abs();
        Coin { outpoint: OutPoint { txid: coinbase.txid(), vout: 0 }, value }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.chain.adjusted_time()
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.chain.set_mock_time(Some(self.now() + seconds));
    }

    pub(crate) fn min_fee_per_kvb(&self) -> i64 {
        self.pool.min_fee_rate(self.now()).fee_per_kvb()
    }

    /// What happened to the pool since the last call.
    pub(crate) fn events(&mut self) -> Vec<MempoolEvent> {
        self.pool.take_events()
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        if let Err(contradiction) = self.pool.check_consistency(&self.chain) {
            panic!("{contradiction}");
        }
    }

    pub(crate) fn try_accept(&mut self, tx: &Transaction) -> Result<Admitted, Rejection> {
        let result = self.pool.accept(&self.chain, ours(tx));
        self.check();
        result
    }

    /// Takes a transaction that must get in.
    #[track_caller]
    pub(crate) fn accept(&mut self, tx: &Transaction) -> Admitted {
        match self.try_accept(tx) {
            Ok(admitted) => {
                assert!(self.has(tx), "it was said to be there");
                admitted
            }
            Err(rejection) => panic!("{}", rejection.error.reject_details()),
        }
    }

    /// Refuses a transaction for Core's reason, with Core's words beside it, and is as it was before.
    #[track_caller]
    pub(crate) fn refuse(&mut self, tx: &Transaction, reason: &str, words: Option<&str>) -> TransactionVerdict {
        let before = (self.pool.len(), self.pool.sequence(), self.pool.memory());
        let Err(rejection) = self.try_accept(tx) else { panic!("it got in, and should not for {reason}") };
        let error = &rejection.error;
        assert_eq!((error.reject_reason().as_ref(), error.debug_message().as_deref()), (reason, words));
        assert_eq!(before, (self.pool.len(), self.pool.sequence(), self.pool.memory()));
        error.verdict()
    }

    pub(crate) fn has(&self, tx: &Transaction) -> bool {
        self.pool.contains_wtxid(&tx.compute_wtxid())
    }

    pub(crate) fn submit_package(&mut self, package: &[&Transaction], max_fee_rate: Option<FeeRate>) -> PackageResult {
        let package: Vec<_> = package.iter().copied().map(ours).collect();
        let result = self.pool.accept_package(&self.chain, &package, max_fee_rate);
        self.check();
        result
    }

    pub(crate) fn test_package(&self, package: &[&Transaction]) -> PackageResult {
        let package: Vec<_> = package.iter().copied().map(ours).collect();
        self.pool.test_package(&self.chain, &package)
    }

    /// A block on the tip.
    pub(crate) fn mine(&mut self, transactions: &[Transaction]) -> Arc<Block> {
        let tip = self.chain.tip().hash;
        self.mine_on(tip, transactions)
    }

    /// A block of everything in the pool.
    pub(crate) fn mine_pool(&mut self) -> Arc<Block> {
        let decode = |bytes| encode::deserialize(bytes).unwrap();
        let transactions: Vec<Transaction> =
            self.pool.entries_by_mining_order().map(|entry| decode(entry.tx().bytes())).collect();
        self.mine(&transactions)
    }

    /// A block on any block, of which the pool then hears if the tip moves.
    pub(crate) fn mine_on(&mut self, parent: BlockHash, transactions: &[Transaction]) -> Arc<Block> {
        self.salt += 1;
        let block = self.build(parent, transactions, self.salt);
        self.process(&block);
        block
    }

    /// A block that is not submitted.
    pub(crate) fn build(&self, parent: BlockHash, transactions: &[Transaction], salt: u64) -> Arc<Block> {
        let parent = self.chain.lookup(&parent).unwrap();
        build(&parent.header, parent.height + 1, transactions, salt)
    }

    /// Submits a block, which must be valid.
    pub(crate) fn process(&mut self, block: &Arc<Block>) {
        self.submit(block);
        self.follow();
    }

    /// The same, without telling the pool.
    pub(crate) fn submit(&mut self, block: &Arc<Block>) {
        let time = u64::from(block.header().time);
        self.chain.set_mock_time(Some(self.now().max(time)));
        self.chain.process_new_block(Arc::clone(block), true).unwrap().unwrap();
    }

    /// Takes a block, and all on top of it, from the chain.
    pub(crate) fn invalidate(&mut self, hash: &BlockHash) {
        self.chain.invalidate_block(hash).unwrap();
        self.follow();
    }

    pub(crate) fn reconsider(&mut self, hash: &BlockHash) {
        self.chain.reconsider_block(hash).unwrap();
        self.follow();
    }

    /// Tells the pool where the chain went.
    pub(crate) fn follow(&mut self) {
        for event in self.chain.take_events() {
            let ChainEvent::TipChanged { disconnected, connected, .. } = event else { continue };
            let read = |block: &BlockReference| Arc::new(self.chain.block(&block.hash).unwrap());
            let disconnected: Vec<_> = disconnected.iter().map(read).collect();
            for block in &connected {
                self.pool.block_connected(&read(block), block.height, self.now());
            }
            if !disconnected.is_empty() {
                self.pool.blocks_disconnected(&self.chain, &disconnected).unwrap();
            }
        }
        self.check();
    }
}

fn build(parent: &Header, height: u32, transactions: &[Transaction], salt: u64) -> Arc<Block> {
    const RESERVED_VALUE: [u8; 32] = [0; 32];
    let mut coinbase = Transaction {
        version: TransactionVersion::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            script_sig: Builder::new().push_int(height.into()).push_slice(salt.to_le_bytes()).into_script(),
            witness: Witness::from_slice(&[RESERVED_VALUE]),
            ..TxIn::default()
        }],
        output: vec![output(5_000_000_000 >> (height / 150))],
    };
    let with_coinbase = |coinbase: &Transaction| {
        let txdata: Vec<_> = std::iter::once(coinbase.clone()).chain(transactions.iter().cloned()).collect();
        let header = Header {
            version: Version::from_consensus(4),
            prev_blockhash: parent.block_hash(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.time + SPACING,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: 0,
        };
        bitcoin::Block { header, txdata }
    };
    let root = with_coinbase(&coinbase).witness_root().unwrap();
    let commitment = bitcoin::Block::compute_witness_commitment(&root, &RESERVED_VALUE);
    let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], commitment.as_byte_array()].concat();
    coinbase.output.push(TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(script) });
    let mut block = with_coinbase(&coinbase);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    Arc::new(Block::decode(encode::serialize(&block)).unwrap())
}
