use std::collections::HashMap;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, CompactTarget, Transaction, TxMerkleNode, TxOut, transaction};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// The numbers of a block's transactions.
type Numbers = Vec<u32>;

/// A transaction that is told from others by its number.
fn transaction(number: u32) -> Transaction {
    let output = TxOut { value: Amount::ZERO, script_pubkey: vec![0x51; number as usize % 50].into() };
    let lock_time = LockTime::from_consensus(number);
    Transaction { version: transaction::Version::TWO, lock_time, input: vec![Default::default()], output: vec![output] }
}

fn txid(number: u32) -> Txid {
    transaction(number).compute_txid()
}

/// A block of these transactions; `branch` tells blocks of the same height apart.
fn block(previous: BlockHash, numbers: &[u32], branch: u32) -> Block {
    let header = Header {
        version: Version::TWO,
        prev_blockhash: previous,
        merkle_root: TxMerkleNode::all_zeros(),
        time: branch,
        bits: CompactTarget::from_consensus(0),
        nonce: 0,
    };
    let txdata = numbers.iter().map(|number| transaction(*number)).collect();
    Block::decode(serialize(&bitcoin::Block { header, txdata })).unwrap()
}

/// A chain, and everything that was ever on it.
#[derive(Debug, Default)]
struct Model {
    chain: Vec<Block>,
    positions: HashMap<u32, Vec<TransactionPosition>>,
    branches: u32,
}

impl Model {
    fn reference(&self, height: usize) -> BlockReference {
        BlockReference { height: u32::try_from(height).unwrap(), hash: self.chain[height].hash() }
    }

    fn extend(&mut self, numbers: Numbers) {
        let height = u32::try_from(self.chain.len()).unwrap();
        let previous = self.chain.last().map_or(BlockHash::all_zeros(), Block::hash);
        self.branches += 1;
        let block = block(previous, &numbers, self.branches);
        if height > 0 {
            for (number, tx) in numbers.iter().zip(block.transactions()) {
                let offset = u32::try_from(tx.bytes().as_ptr() as usize - block.bytes().as_ptr() as usize).unwrap();
                self.positions.entry(*number).or_default().push(TransactionPosition { height, offset });
            }
        }
        self.chain.push(block);
    }

    /// Gives the index what it lacks, as its owner does.
    fn feed(&self, index: &mut TransactionIndex) {
        let is_active = |block: &BlockReference| {
            self.chain.get(block.height as usize).is_some_and(|active| active.hash() == block.hash)
        };
        let locator = index.locator();
        let start = match locator.iter().find(|block| is_active(block)) {
            Some(fork) => {
                index.rewind(*fork).unwrap();
                fork.height + 1
            }
            None => 0,
        };
        for height in start..u32::try_from(self.chain.len()).unwrap() {
            index.append(&self.chain[height as usize], height).unwrap();
        }
        assert_eq!(index.best_block(), self.chain.len().checked_sub(1).map(|tip| self.reference(tip)));
    }

    /// What is on the chain is found; and nothing that never was.
    fn check(&self, index: &TransactionIndex) {
        let reader = index.reader();
        for (number, positions) in &self.positions {
            let found = reader.find(&txid(*number)).unwrap();
            assert!(found.is_sorted_by(|a, b| a > b), "{found:?}");
            assert!(found.iter().all(|position| positions.contains(position)), "{number}: {found:?} of {positions:?}");
            for (height, block) in (0u32..).zip(&self.chain).skip(1) {
                for tx in block.transactions().filter(|tx| tx.txid() == txid(*number)) {
                    assert!(found.contains(&TransactionPosition { height, offset: tx.offset() }), "{number}");
                }
            }
        }
        assert_eq!(reader.find(&txid(1_000_000)).unwrap(), []);
    }
}

fn open(directory: &TempDir) -> TransactionIndex {
    TransactionIndex::open(&directory.path().join("indexes").join("txindex")).unwrap()
}

fn merge_all(index: &mut TransactionIndex) -> usize {
    let mut merges = 0;
    while let Some(merge) = index.plan_merge() {
        let merged = merge.run(|| true).unwrap().unwrap();
        index.finish_merge(merged).unwrap();
        merges += 1;
    }
    merges
}

fn files(index: &TransactionIndex) -> Vec<String> {
    names(index.directory())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[derive(Debug, Clone)]
enum Step {
    Extend(Vec<Numbers>),
    Reorganise(usize, Vec<Numbers>),
    Feed,
    Flush,
    Merge,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let numbers = prop::collection::vec(0..400u32, 0..30);
    let blocks = || prop::collection::vec(numbers.clone(), 1..6);
    prop_oneof![
        4 => blocks().prop_map(Step::Extend),
        1 => (1..30usize, blocks()).prop_map(|(depth, blocks)| Step::Reorganise(depth, blocks)),
        4 => Just(Step::Feed),
        4 => Just(Step::Flush),
        2 => Just(Step::Merge),
        2 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens to chain, index and process: once the index has caught up, it knows every transaction of the chain.
    #[test]
    fn everything_on_the_chain_is_found(steps in prop::collection::vec(step(), 1..60), buffer in 1..200usize) {
        let directory = TempDir::new().unwrap();
        let mut model = Model::default();
        let mut index = open(&directory).with_buffer(buffer);
        for step in steps {
            match step {
                Step::Extend(blocks) => blocks.into_iter().for_each(|numbers| model.extend(numbers)),
                Step::Reorganise(depth, blocks) => {
                    // Genesis stays.
                    model.chain.truncate(model.chain.len().saturating_sub(depth).max(1));
                    blocks.into_iter().for_each(|numbers| model.extend(numbers));
                }
                Step::Feed => model.feed(&mut index),
                Step::Flush => index.flush().unwrap(),
                Step::Merge => drop(merge_all(&mut index)),
                // Without a flush: what was in memory is lost.
                Step::Reopen => index = { drop(index); open(&directory).with_buffer(buffer) },
            }
        }
        model.feed(&mut index);
        model.check(&index);
        index.flush().unwrap();
        merge_all(&mut index);
        model.check(&index);
        let index = open(&directory);
        prop_assert_eq!(index.best_block(), model.chain.len().checked_sub(1).map(|tip| model.reference(tip)));
        model.check(&index);
    }
}

fn chain(blocks: u32, transactions: u32) -> Model {
    let mut model = Model::default();
    (0..blocks).for_each(|height| model.extend((height * transactions..(height + 1) * transactions).collect()));
    model
}

#[test]
fn genesis_is_left_out() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(2, 3);
    model.feed(&mut index);
    assert_eq!(index.reader().find(&txid(0)).unwrap(), []);
    assert_eq!(index.reader().find(&txid(3)).unwrap(), [TransactionPosition { height: 1, offset: 81 }]);
}

#[test]
fn a_buffer_that_is_full_becomes_a_run() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory).with_buffer(10);
    let model = chain(8, 5);
    model.feed(&mut index);
    // Two blocks fill it, the third one finds no room.
    assert_eq!((index.runs(), index.shared.read().buffer.len()), (3, 5));
    model.check(&index);
    drop(index);
    // The last block was in memory only.
    let index = open(&directory);
    assert_eq!(index.best_block(), Some(model.reference(6)));
    assert_eq!(index.reader().find(&txid(35)).unwrap(), []);
}

#[test]
fn runs_become_one() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(81, 7);
    let mut merges = 0;
    for height in 0..81 {
        index.append(&model.chain[height as usize], height).unwrap();
        index.flush().unwrap();
        merges += merge_all(&mut index);
    }
    assert_eq!((merges, index.runs()), (11, 3));
    assert_eq!(files(&index).len(), 4, "{:?}", files(&index));
    model.check(&index);
    // A block that was given again leaves nothing twice.
    let before: u64 = index.shared.read().runs.iter().map(|run| run.records()).sum();
    assert_eq!(before, 80 * 7);
    for _ in 0..8 {
        index.rewind(model.reference(79)).unwrap();
        index.append(&model.chain[80], 80).unwrap();
        index.locator.push(BlockReference { height: 81, hash: BlockHash::all_zeros() });
        index.flush().unwrap();
    }
    merge_all(&mut index);
    let after: u64 = index.shared.read().runs.iter().map(|run| run.records()).sum();
    assert!(after < before + 7 * 7, "{after}");
    model.check(&index);
}

/// The index goes on while others merge, and nobody waits.
#[test]
fn a_merge_may_end_later_or_never() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(30, 3);
    let give = |index: &mut TransactionIndex, heights: std::ops::Range<u32>| {
        for height in heights {
            index.append(&model.chain[height as usize], height).unwrap();
            index.flush().unwrap();
        }
    };
    give(&mut index, 0..9);
    let (first, second) = (index.plan_merge().unwrap(), index.plan_merge().unwrap());
    assert_eq!(first.records(), 24);
    give(&mut index, 9..12);
    let reader = index.reader();
    let before = Arc::clone(&reader.shared.read().runs);
    let (first, second) = (first.run(|| true).unwrap().unwrap(), second.run(|| true).unwrap().unwrap());
    index.finish_merge(first).unwrap();
    assert_eq!(index.runs(), 4);
    // Its runs are not there any more.
    index.finish_merge(second).unwrap();
    assert_eq!((index.runs(), files(&index).len()), (4, 5));
    // Whoever looked something up when they went away reads on.
    let key = index.shared.salt.key(&txid(3));
    let mut found = Vec::new();
    before.iter().for_each(|run| run.find(key, &mut found).unwrap());
    assert_eq!(found, reader.find(&txid(3)).unwrap());
    // The block that was given last is not the one that is durable.
    index.append(&model.chain[12], 12).unwrap();
    drop(index);
    let mut index = open(&directory);
    assert_eq!(index.best_block(), Some(model.reference(11)));
    model.feed(&mut index);
    model.check(&index);
}

#[test]
fn a_merge_can_be_stopped() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(9, 9_000);
    for height in 0..9 {
        index.append(&model.chain[height as usize], height).unwrap();
        index.flush().unwrap();
    }
    let before = files(&index);
    assert!(index.plan_merge().unwrap().run(|| false).unwrap().is_none());
    assert_eq!(files(&index), before);
    assert_eq!(merge_all(&mut index), 1);
    assert_eq!(index.reader().find(&txid(80_999)).unwrap().len(), 1);
}

#[test]
fn what_a_crash_left_is_removed_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(3, 3);
    model.feed(&mut index);
    index.flush().unwrap();
    let path = index.directory().to_owned();
    let before = files(&index);
    assert_eq!(before, ["00000000.run", "manifest.toml"]);
    drop(index);
    for name in ["00000001.run", "00000777.run", "manifest.toml.new"] {
        fs::write(path.join(name), "half of it").unwrap();
    }
    assert_eq!(files(&open(&directory)), before);
    fs::write(path.join("notes.txt"), "of somebody else").unwrap();
    let mut index = open(&directory);
    assert_eq!(files(&index), ["00000000.run", "manifest.toml", "notes.txt"]);
    model.feed(&mut index);
    model.check(&index);
    // Without its manifest an index is none.
    fs::remove_file(path.join("manifest.toml")).unwrap();
    drop(index);
    let index = open(&directory);
    assert_eq!((index.best_block(), files(&index).len()), (None, 2));
}

#[test]
fn a_damaged_index_is_left_as_it_is() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    chain(3, 3).feed(&mut index);
    index.flush().unwrap();
    let path = index.directory().to_owned();
    fs::write(path.join("00000009.run"), "left by a crash").unwrap();
    let before = files(&index);
    let manifest = fs::read(path.join("manifest.toml")).unwrap();
    drop(index);
    let refused = || TransactionIndex::open(&path).unwrap_err();
    let mut damaged = manifest.clone();
    damaged[150] ^= 1;
    fs::write(path.join("manifest.toml"), damaged).unwrap();
    let error = refused();
    assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
    assert!(error.to_string().ends_with(&format!("; delete {} to build the index anew", path.display())), "{error}");
    fs::write(path.join("manifest.toml"), "schema = 77").unwrap();
    assert!(matches!(refused(), IndexError::SchemaVersion { expected: 1, got: 77, .. }));
    fs::write(path.join("manifest.toml"), manifest).unwrap();
    let run = fs::read(path.join("00000000.run")).unwrap();
    fs::write(path.join("00000000.run"), &run[1..]).unwrap();
    assert!(matches!(refused(), IndexError::Damaged { .. }));
    assert_eq!(names(&path), before);
    fs::write(path.join("00000000.run"), run).unwrap();
    assert_eq!(open(&directory).best_block().unwrap().height, 2);
}

#[test]
fn blocks_have_to_follow() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let model = chain(4, 1);
    let error = index.append(&model.chain[1], 1).unwrap_err().to_string();
    assert!(error.starts_with("expected the block after nothing, got the one at height 1 after "), "{error}");
    index.append(&model.chain[0], 0).unwrap();
    index.append(&model.chain[1], 1).unwrap();
    for (height, block) in [(1, 1), (2, 1), (3, 2), (1, 2), (3, 3), (0, 0)] {
        let error = index.append(&model.chain[block], height).unwrap_err();
        assert!(matches!(error, IndexError::OutOfOrder { .. }), "{height} {block}: {error}");
    }
    let error = index.rewind(model.reference(2)).unwrap_err().to_string();
    assert!(error.starts_with("expected a block that the index remembers, got "), "{error}");
    index.append(&model.chain[2], 2).unwrap();
    assert_eq!(index.locator(), [model.reference(2), model.reference(1), model.reference(0)]);
}

#[test]
fn a_flush_of_nothing_writes_nothing() {
    let directory = TempDir::new().unwrap();
    let mut index = open(&directory);
    let manifest = index.directory().join("manifest.toml");
    let written = || fs::metadata(&manifest).unwrap().modified().unwrap();
    let before = written();
    index.flush().unwrap();
    assert_eq!(written(), before);
    // Genesis is no record, but is not to be given again.
    index.append(&chain(1, 4).chain[0], 0).unwrap();
    index.flush().unwrap();
    assert_eq!(index.runs(), 0);
    drop(index);
    assert_eq!(open(&directory).best_block().unwrap().height, 0);
}
