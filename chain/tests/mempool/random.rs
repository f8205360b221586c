//! Anything, in any order; the pool agrees with itself and with the chain after each step.

use bitcoin::{Sequence, Transaction};
use cairn_chain::mempool::{ClusterLimits, MempoolOptions, VerifiedCandidate};
use cairn_chain::validation::COINBASE_MATURITY;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::node::Node;
use crate::transactions::{Coin, coins_of, ours, padded, pay, truc};

/// A step; numbers choose among what there is, whatever that is.
#[derive(Debug, Clone)]
enum Step {
    /// Submits a transaction.
    Submit(Shape),
    /// Checks a transaction, to be admitted later.
    Check(Shape),
    /// Admits what was checked.
    Admit,
    /// Submits a parent and a child that pays for it.
    Package(Shape, Shape),
    /// Mines a block of some of the pool, and perhaps of a conflict.
    Mine {
        share: u8,
        conflict: Option<u8>,
    },
    /// Takes some blocks away, and perhaps puts others in their place.
    Reorganise {
        depth: u8,
        rebuilt: u8,
        share: u8,
    },
    /// Brings back what was taken away.
    Reconsider,
    Prioritise {
        which: u8,
        delta: i64,
    },
    Wait {
        hours: u16,
    },
}

/// A transaction.
#[derive(Debug, Clone)]
struct Shape {
    inputs: Vec<u8>,
    outputs: u8,
    fee: u64,
    size: Option<u16>,
    restricted: bool,
    sequence: Option<u8>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let fee = prop_oneof![1 => Just(0), 3 => 50u64..3000, 3 => 3000u64..100_000];
    let size = prop::option::weighted(0.2, 200u16..20_000);
    let sequence = prop::option::weighted(0.1, 0u8..4);
    (prop::collection::vec(any::<u8>(), 1..4), 1u8..5, fee, size, prop::bool::weighted(0.07), sequence).prop_map(
        |(inputs, outputs, fee, size, restricted, sequence)| Shape { inputs, outputs, fee, size, restricted, sequence },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => shape().prop_map(Step::Submit),
        4 => shape().prop_map(Step::Check),
        3 => Just(Step::Admit),
        5 => (shape(), shape()).prop_map(|(parent, child)| Step::Package(parent, child)),
        2 => (any::<u8>(), prop::option::of(any::<u8>())).prop_map(|(share, conflict)| Step::Mine { share, conflict }),
        3 => (1u8..5, 0u8..6, any::<u8>())
            .prop_map(|(depth, rebuilt, share)| Step::Reorganise { depth, rebuilt, share }),
        1 => Just(Step::Reconsider),
        3 => (any::<u8>(), -20_000i64..20_000).prop_map(|(which, delta)| Step::Prioritise { which, delta }),
        1 => (0u16..100).prop_map(|hours| Step::Wait { hours }),
    ]
}

struct World {
    node: Node,
    /// Coins that exist, existed or may come to exist.
    coins: Vec<Coin>,
    transactions: Vec<Transaction>,
    waiting: Vec<VerifiedCandidate>,
    invalidated: Vec<bitcoin::BlockHash>,
}

impl World {
    fn new() -> Self {
        // So little of everything that every limit is met often.
        let cluster_limits = ClusterLimits { count: 10, size: 120_000 };
        let mut node = Node::with(MempoolOptions { max_bytes: 60_000, cluster_limits, ..MempoolOptions::default() });
        let mut coins: Vec<Coin> = (2..=8).map(|height| node.coinbase(height)).collect();
        coins.extend(node.coins(30));
        Self { node, coins, transactions: Vec::new(), waiting: Vec::new(), invalidated: Vec::new() }
    }

    /// A coin: mostly a free one, now and then one that a transaction of the pool spends, seldom any that ever was.
    fn pick(&self, number: u8) -> Coin {
        let Node { pool, chain, .. } = &self.node;
        let exists = |coin: &&Coin| pool.contains(&coin.outpoint.txid) || chain.coin(&coin.outpoint).unwrap().is_some();
        let is_free = |coin: &&Coin| pool.spender(&coin.outpoint).is_none();
        let (free, taken): (Vec<_>, Vec<_>) = self.coins.iter().filter(exists).partition(is_free);
        let all: Vec<_> = self.coins.iter().collect();
        let from = match number {
            0..200 if !free.is_empty() => free,
            200..250 if !taken.is_empty() => taken,
            _ => all,
        };
        // The newest are the most interesting.
        *from[from.len() - 1 - usize::from(number) * 7 % from.len().min(24)]
    }

    fn build(&mut self, shape: &Shape, extra: &[Coin]) -> Option<Transaction> {
        let mut inputs: Vec<Coin> = extra.to_vec();
        for number in &shape.inputs {
            let coin = self.pick(*number);
            if !inputs.contains(&coin) {
                inputs.push(coin);
            }
        }
        let left = inputs.iter().map(|coin| coin.value).sum::<u64>().checked_sub(shape.fee)?;
        let each = left / u64::from(shape.outputs);
        if each < 1000 {
            return None;
        }
        let mut values = vec![each; usize::from(shape.outputs)];
        values[0] += left % u64::from(shape.outputs);
        let mut tx = pay(&inputs, &values);
        if let Some(sequence) = shape.sequence {
            tx.input[0].sequence = Sequence::from_height(u16::from(sequence));
        }
        if let Some(size) = shape.size.map(usize::from).filter(|size| *size > tx.vsize() + 30) {
            tx = padded(tx, size);
        }
        let tx = if shape.restricted { truc(tx) } else { tx };
        self.coins.extend(coins_of(&tx).into_iter().take(values.len()));
        self.transactions.push(tx.clone());
        Some(tx)
    }

    /// Some of the pool that can be mined: a transaction only with its parents.
    fn some_of_pool(&self, share: u8) -> Vec<Transaction> {
        let mut chosen: Vec<Transaction> = Vec::new();
        let pool = &self.node.pool;
        for (number, entry) in pool.entries_by_mining_order().enumerate() {
            let parents = pool.parents(entry);
            let has = |txid: bitcoin::Txid| chosen.iter().any(|tx| tx.compute_txid() == txid);
            if (number * 37 + 11) % 256 < usize::from(share) && parents.iter().all(|parent| has(parent.tx().txid())) {
                chosen.push(bitcoin::consensus::deserialize(entry.tx().bytes()).unwrap());
            }
        }
        chosen
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Submit(shape) => {
                if let Some(tx) = self.build(shape, &[]) {
                    let _ = self.node.try_accept(&tx);
                }
            }
            Step::Check(shape) => {
                if let Some(tx) = self.build(shape, &[])
                    && let Ok(candidate) = self.node.pool.check(&self.node.chain, ours(&tx))
                {
                    self.waiting.push(candidate.verify_scripts(self.node.chain.validation_cache()).unwrap());
                }
            }
            Step::Admit => {
                for candidate in std::mem::take(&mut self.waiting) {
                    let _ = self.node.pool.admit(&self.node.chain, candidate);
                    self.node.check();
                }
            }
            Step::Package(parent, child) => {
                let Some(parent) = self.build(&Shape { fee: parent.fee % 50, ..parent.clone() }, &[]) else { return };
                let from_parent = [coins_of(&parent)[0]];
                let Some(child) = self.build(child, &from_parent) else { return };
                let before = (self.node.pool.sequence(), self.node.pool.memory());
                let tested = self.node.test_package(&[&parent, &child]);
                assert_eq!(before, (self.node.pool.sequence(), self.node.pool.memory()));
                drop(tested);
                let result = self.node.submit_package(&[&parent, &child], None);
                if result.error.is_none() {
                    assert!([&parent, &child].iter().all(|tx| self.node.pool.contains(&tx.compute_txid())));
                }
            }
            Step::Mine { share, conflict } => {
                let mut txs = self.some_of_pool(*share);
                if let Some(which) = conflict {
                    txs.extend(self.conflict(*which, &txs));
                }
                self.node.mine(&txs);
            }
            Step::Reorganise { depth, rebuilt, share } => self.reorganise(*depth, *rebuilt, *share),
            Step::Reconsider => {
                for block in std::mem::take(&mut self.invalidated) {
                    self.node.reconsider(&block);
                }
            }
            Step::Prioritise { which, delta } => {
                if !self.transactions.is_empty() {
                    let count = self.transactions.len();
                    let tx = &self.transactions[count - 1 - usize::from(*which) % count.min(8)];
                    self.node.pool.prioritise_transaction(tx.compute_txid(), *delta);
                }
            }
            Step::Wait { hours } => self.node.wait(u64::from(*hours) * 3600),
        }
        self.node.check();
    }

    /// A transaction nobody has seen that spends a confirmed coin some of the pool spends.
    fn conflict(&self, which: u8, mined: &[Transaction]) -> Option<Transaction> {
        let next = self.node.chain.tip().height + 1;
        let is_free = |coin: &&Coin| {
            let found = self.node.chain.coin(&coin.outpoint).unwrap();
            found.is_some_and(|coin| !coin.is_coinbase || next - coin.height >= COINBASE_MATURITY)
                && !mined.iter().flat_map(|tx| &tx.input).any(|input| input.previous_output == coin.outpoint)
        };
        let coins: Vec<_> = self.coins.iter().filter(is_free).collect();
        let coin = **coins.get(usize::from(which) % coins.len().max(1))?;
        Some(pay(&[coin], &[coin.value / 2, coin.value / 3]))
    }

    fn reorganise(&mut self, depth: u8, rebuilt: u8, share: u8) {
        let tip = self.node.chain.tip().height;
        let depth = u32::from(depth).min((tip + 1).saturating_sub(104));
        if depth == 0 {
            return;
        }
        let first = self.node.chain.block_hash(tip + 1 - depth).unwrap();
        if rebuilt == 0 {
            self.invalidated.push(first);
            self.node.invalidate(&first);
            return;
        }
        // Another branch, of which the first block holds some of the transactions of the old one's first, in their order.
        let old = self.node.chain.block(&first).unwrap();
        let mut again: Vec<Transaction> = Vec::new();
        let mut left_out: Vec<bitcoin::Txid> = Vec::new();
        for (number, tx) in old.transactions().enumerate().skip(1) {
            let tx_of = |bytes| bitcoin::consensus::deserialize::<Transaction>(bytes).unwrap();
            let depends = tx.inputs().any(|input| left_out.contains(&input.prevout().txid));
            if depends || (number * 53 + 5) % 256 >= usize::from(share) {
                left_out.push(tx.txid());
            } else {
                again.push(tx_of(tx.bytes()));
            }
        }
        let mut parent = self.node.chain.block_hash(tip - depth).unwrap();
        for number in 0..u32::from(rebuilt) {
            let txs = if number == 0 { &again[..] } else { &[] };
            parent = self.node.mine_on(parent, txs).hash();
        }
    }
}

#[test]
fn the_pool_agrees_with_itself_whatever_happens() {
    let config = Config { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner
        .run(&prop::collection::vec(step(), 60..150), |steps| {
            let mut world = World::new();
            for step in &steps {
                world.run(step);
            }
            // Whatever is left, miners can mine.
            world.node.mine_pool();
            prop_assert!(world.node.pool.is_empty());
            Ok(())
        })
        .unwrap();
}
