//! A chain state with a pool, and somebody who mines.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness};
use cairn_chain::chainstate::{Acceptance, BlockReference, ChainEvent, Chainstate, ChainstateOptions};
use cairn_chain::coins::CoinsHashType;
use cairn_chain::mempool::{ClusterLimits, Mempool, MempoolOptions, Rejection};
use cairn_chain::mining::{BlockTemplate, Mined, TemplateOptions, create_block_template, mine_block};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::{Block, Transaction};
use tempfile::TempDir;

/// What a block on regtest creates before the first halving, in satoshis.
pub(crate) const SUBSIDY: u64 = 5_000_000_000;

/// An output that anybody can spend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) satoshis: u64,
}

pub(crate) struct Miner {
    pub(crate) chain: Chainstate,
    pub(crate) pool: Mempool,
    /// Coinbases in the order of their blocks.
    pub(crate) coinbases: Vec<Coin>,
    pub(crate) now: u64,
    /// Seconds between blocks.
    pub(crate) spacing: u64,
    _directory: TempDir,
}

/// Regtest without changes.
pub(crate) fn regtest() -> ChainParams {
    ChainParams::regtest(RegtestOptions::default())
}

/// The script that anybody can satisfy with nothing, so long that no transaction is too small for the pool.
pub(crate) fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x61, 0x61, 0x61, 0x61, 0x51])
}

impl Miner {
    /// At genesis, with a pool that takes everything that pays.
    pub(crate) fn new(params: ChainParams) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spacing = 600;
        let now = u64::from(params.genesis.header.time) + spacing;
        let mut chain = Chainstate::open(directory.path(), params, ChainstateOptions::default()).unwrap();
        chain.set_mock_time(Some(now));
        let mut options = MempoolOptions { cluster_limits: LARGE_CLUSTERS, ..MempoolOptions::default() };
        options.policy.require_standard = false;
        options.min_relay_fee_rate = cairn_chain::mempool::FeeRate::per_kvb(0);
        Self { chain, pool: Mempool::new(options), coinbases: Vec::new(), now, spacing, _directory: directory }
    }

    /// On regtest, with as many coinbases that can be spent.
    pub(crate) fn with_coins(count: usize) -> Self {
        let mut miner = Self::new(regtest());
        miner.mine_empty(count + 100);
        miner
    }

    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
        self.chain.set_mock_time(Some(now));
    }

    pub(crate) fn template(&self) -> BlockTemplate {
        self.template_with(&TemplateOptions::default())
    }

    pub(crate) fn template_with(&self, options: &TemplateOptions) -> BlockTemplate {
        create_block_template(&self.chain, &self.pool, options).unwrap()
    }

    /// Mines a template, makes it the tip and lets a while pass.
    pub(crate) fn mine(&mut self, template: BlockTemplate) -> Arc<Block> {
        let block = solve(template);
        self.connect(block)
    }

    /// Makes a block the tip.
    pub(crate) fn connect(&mut self, block: Arc<Block>) -> Arc<Block> {
        let outcome = self.chain.process_new_block(Arc::clone(&block), true).unwrap();
        assert_eq!(outcome.unwrap(), Acceptance::New);
        assert_eq!(self.chain.tip().hash, block.hash());
        self.pool.block_connected(&block, self.chain.tip().height, self.now);
        let coinbase = block.transaction(0).unwrap();
        let satoshis = coinbase.output(0).unwrap().value().unsigned_abs();
        self.coinbases.push(Coin { outpoint: OutPoint { txid: coinbase.txid(), vout: 0 }, satoshis });
        self.set_time(self.now + self.spacing);
        block
    }

    /// Mines blocks without transactions of the pool.
    pub(crate) fn mine_empty(&mut self, count: usize) {
        let options = TemplateOptions { use_mempool: false, test_block_validity: false, ..TemplateOptions::default() };
        for _ in 0..count {
            self.mine(self.template_with(&options));
        }
    }

    pub(crate) fn accept(&mut self, transaction: &bitcoin::Transaction) -> Txid {
        self.try_accept(transaction).unwrap()
    }

    pub(crate) fn try_accept(&mut self, transaction: &bitcoin::Transaction) -> Result<Txid, Rejection> {
        let transaction = Arc::new(Transaction::decode(encode::serialize(transaction)).unwrap());
        self.pool.accept(&self.chain, transaction).map(|admitted| admitted.txid)
    }

    /// All that must not change when a block is only looked at.
    pub(crate) fn state(&mut self) -> (BlockReference, BlockReference, [u8; 32], u64, Vec<ChainEvent>) {
        let statistics = self
            .chain
            .coins_statistics(CoinsHashType::HashSerialized3, 1 << 20, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let events = self.chain.take_events();
        let work = statistics.transaction_outputs;
        (self.chain.tip(), self.chain.best_header(), statistics.hash.unwrap(), work, events)
    }
}

/// One cluster may fill a block.
const LARGE_CLUSTERS: ClusterLimits = ClusterLimits { count: 64, size: 4_800_000 };

/// Finds a nonce.
pub(crate) fn solve(template: BlockTemplate) -> Arc<Block> {
    match mine_block(template, &mut u64::MAX.clone(), &AtomicBool::new(false)) {
        Mined::Block(block) => block,
        other => panic!("{other:?}"),
    }
}

/// A transaction that spends coins without a signature and pays `outputs`.
pub(crate) fn spend(coins: &[Coin], outputs: &[(u64, ScriptBuf)]) -> bitcoin::Transaction {
    let input = |coin: &Coin| TxIn {
        previous_output: coin.outpoint,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(satoshis, script): &(u64, ScriptBuf)| TxOut {
        value: Amount::from_sat(*satoshis),
        script_pubkey: script.clone(),
    };
    bitcoin::Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}

/// A transaction with one output that pays everything but a fee to anybody.
pub(crate) fn pay(coin: Coin, fee: u64) -> bitcoin::Transaction {
    spend(&[coin], &[(coin.satoshis - fee, anyone())])
}

/// An output of a transaction, all of which anybody can spend.
pub(crate) fn output(transaction: &bitcoin::Transaction, vout: u32) -> Coin {
    let satoshis = transaction.output[vout as usize].value.to_sat();
    Coin { outpoint: OutPoint { txid: transaction.compute_txid(), vout }, satoshis }
}

/// The ids of a template's transactions.
pub(crate) fn txids(template: &BlockTemplate) -> Vec<Txid> {
    template.transactions.iter().map(|transaction| transaction.transaction.as_ref().as_ref().txid()).collect()
}

/// What `OP_RETURN` makes a transaction larger by.
pub(crate) fn padding(bytes: usize) -> ScriptBuf {
    let mut script = vec![0x6a];
    script.resize(bytes, 0);
    ScriptBuf::from_bytes(script)
}
