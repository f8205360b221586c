use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use bitcoin::consensus::serialize;
use bitcoin::{ScriptBuf, TxOut, Txid};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::hash::sha256d;

const BUDGETS: [usize; 9] = [0, 1, 36, 104, 300, 1000, 5000, 1 << 20, usize::MAX];
const TYPES: [CoinsHashType; 3] = [CoinsHashType::HashSerialized3, CoinsHashType::MuHash, CoinsHashType::None];

/// A set whose order differs from scan to scan.
struct Shuffled {
    coins: Vec<(OutPoint, Coin)>,
    scans: Cell<usize>,
}

impl Shuffled {
    fn new(coins: Vec<(OutPoint, Coin)>) -> Self {
        Self { coins, scans: Cell::new(0) }
    }
}

impl CoinsScan for Shuffled {
    fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
        let scan = self.scans.replace(self.scans.get() + 1);
        let count = self.coins.len();
        let start = if count == 0 { 0 } else { scan * 7919 % count };
        let mut order: Vec<_> = (start..count).chain(0..start).collect();
        if scan % 2 == 1 {
            order.reverse();
        }
        order.into_iter().try_for_each(|index| visit(&self.coins[index].0, &self.coins[index].1))
    }
}

fn compute(coins: &dyn CoinsScan, hash_type: CoinsHashType, budget: usize) -> Result<CoinsStatistics, StatisticsError> {
    CoinsStatistics::compute(coins, hash_type, budget, &mut |_| ControlFlow::Continue(()))
}

/// The same from rust-bitcoin's serialization, with everything in memory.
fn expected(coins: &[(OutPoint, Coin)], hash_type: CoinsHashType) -> CoinsStatistics {
    let sorted: BTreeMap<_, _> = coins
        .iter()
        .map(|(outpoint, coin)| ((outpoint.txid.to_byte_array(), outpoint.vout), (outpoint, coin)))
        .collect();
    let elements = sorted.values().map(|(outpoint, coin)| {
        let script_pubkey = ScriptBuf::from(coin.script_pubkey.as_bytes().to_vec());
        let output = TxOut { value: coin.amount, script_pubkey };
        [serialize(outpoint), serialize(&(coin.height * 2 + u32::from(coin.is_coinbase))), serialize(&output)].concat()
    });
    let elements: Vec<_> = elements.collect();
    let total: u128 = coins.iter().map(|(_, coin)| u128::from(coin.amount.to_sat())).sum();
    CoinsStatistics {
        transactions: u64::try_from(coins.iter().map(|(outpoint, _)| outpoint.txid).collect::<HashSet<_>>().len())
            .unwrap(),
        transaction_outputs: u64::try_from(coins.len()).unwrap(),
        bogo_size: coins.iter().map(|(_, coin)| 50 + u64::try_from(coin.script_pubkey.as_bytes().len()).unwrap()).sum(),
        total_amount: i64::try_from(total).ok().map(|total| Amount::from_sat(total.try_into().unwrap())),
        hash: match hash_type {
            CoinsHashType::HashSerialized3 => Some(sha256d(&elements.concat())),
            CoinsHashType::MuHash => {
                let mut set = MuHash3072::new();
                for element in &elements {
                    set.insert(element);
                }
                Some(set.finalize())
            }
            CoinsHashType::None => None,
        },
    }
}

fn coin(amount: u64, script_length: usize) -> Coin {
    let script = ScriptBuf::from(vec![0x51; script_length]);
    let script_pubkey = script.as_script().into();
    Coin { amount: Amount::from_sat(amount), script_pubkey, height: 7, is_coinbase: false }
}

fn outpoint(txid: [u8; 32], vout: u32) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array(txid), vout }
}

/// One transaction with `count` outputs.
fn one_transaction(count: u32) -> Vec<(OutPoint, Coin)> {
    (0..count).map(|vout| (outpoint([0xab; 32], vout), coin(vout.into(), 25))).collect()
}

#[test]
fn an_empty_set_has_the_hash_of_nothing() {
    for budget in BUDGETS {
        let empty = Shuffled::new(Vec::new());
        let statistics = compute(&empty, CoinsHashType::HashSerialized3, budget).unwrap();
        assert_eq!(statistics.hash, Some(sha256d(&[])));
        assert_eq!((statistics.transactions, statistics.total_amount), (0, Some(Amount::ZERO)));
        assert_eq!(compute(&empty, CoinsHashType::MuHash, budget).unwrap().hash, Some(MuHash3072::new().finalize()));
    }
}

#[test]
fn one_transaction_larger_than_the_budget_costs_scans_only() {
    let set = Shuffled::new(one_transaction(3000));
    for hash_type in TYPES {
        let want = expected(&set.coins, hash_type);
        for budget in [2_000, 20_000, 100_000] {
            set.scans.set(0);
            assert_eq!(compute(&set, hash_type, budget).unwrap(), want, "{hash_type:?} in {budget} bytes");
            let size = if hash_type == CoinsHashType::HashSerialized3 { 104 } else { 36 };
            let best = 3000 * size / budget;
            assert!((best..=3 * best + 5).contains(&set.scans.get()), "{} scans, best {best}", set.scans.get());
        }
    }
}

#[test]
fn spread_txids_take_as_many_scans_as_the_documentation_says() {
    let coins = (0..5000u32).map(|number| (outpoint(crate::hash::sha256(&number.to_le_bytes()), 0), coin(1, 22)));
    let set = Shuffled::new(coins.collect());
    for (hash_type, size) in [(CoinsHashType::HashSerialized3, 104usize), (CoinsHashType::None, 36)] {
        for budget in [10_000, 100_000, 10_000_000] {
            set.scans.set(0);
            compute(&set, hash_type, budget).unwrap();
            let best = 1 + (5000 * size).div_ceil(budget);
            assert!((best..=best + best / 10 + 1).contains(&set.scans.get()), "{} scans, best {best}", set.scans.get());
        }
    }
}

#[test]
fn batches_of_the_set_hash_join() {
    let large = one_transaction(40_000);
    let set = Shuffled::new(large);
    assert_eq!(compute(&set, CoinsHashType::MuHash, usize::MAX).unwrap(), expected(&set.coins, CoinsHashType::MuHash));
}

#[test]
fn a_total_beyond_cores_amounts_is_none() {
    let most = i64::MAX.unsigned_abs();
    let set = |amounts: &[u64]| {
        let coins = amounts.iter().zip(0..).map(|(&amount, vout)| (outpoint([1; 32], vout), coin(amount, 0)));
        Shuffled::new(coins.collect())
    };
    let total = |amounts: &[u64]| compute(&set(amounts), CoinsHashType::None, 1000).unwrap().total_amount;
    assert_eq!(total(&[most - 5, 5]), Some(Amount::from_sat(most)));
    assert_eq!(total(&[most - 5, 6]), None);
    assert_eq!(total(&[u64::MAX, u64::MAX, 0]), None);
}

#[test]
fn whoever_watches_can_stop_it() {
    let set = Shuffled::new(one_transaction(10_000));
    for stop_at in [0, 1, 2, 3, 4, 5] {
        let mut calls = 0;
        let result = CoinsStatistics::compute(&set, CoinsHashType::None, 1 << 20, &mut |_| {
            calls += 1;
            if calls > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(result, Err(StatisticsError::Interrupted)), "{result:?}");
        assert_eq!(calls, stop_at + 1);
    }
}

#[test]
fn progress_arrives_where_it_expected_to() {
    let set = Shuffled::new(one_transaction(5000));
    let mut last = ScanProgress { visits: 0, expected_visits: None };
    CoinsStatistics::compute(&set, CoinsHashType::None, 1 << 20, &mut |progress| {
        assert!(progress.visits >= last.visits);
        assert_eq!(progress.expected_visits.is_some(), progress.visits >= 5000);
        last = progress;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last.expected_visits, Some(10_000));
}

#[test]
fn a_fault_of_the_set_ends_it() {
    struct Broken;
    impl CoinsScan for Broken {
        fn scan(&self, _: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
            Err(CoinsError(Arc::new(std::fmt::Error)))
        }
    }
    assert!(matches!(compute(&Broken, CoinsHashType::MuHash, 1000), Err(StatisticsError::Coins(_))));
}

/// A set that changes, or shows coins more than once, gets no hash, and does not keep us for ever.
#[test]
fn a_set_that_breaks_its_promise_is_refused() {
    struct Growing(Cell<u32>);
    impl CoinsScan for Growing {
        fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
            self.0.set(self.0.get() + 1);
            (0..self.0.get()).try_for_each(|vout| visit(&outpoint([1; 32], vout), &coin(1, 0)))
        }
    }
    let result = compute(&Growing(Cell::new(0)), CoinsHashType::None, 1000);
    assert!(matches!(result, Err(StatisticsError::CoinsChanged { expected: 1, got: 2 })), "{result:?}");

    let repeated = Shuffled::new(vec![(outpoint([1; 32], 0), coin(1, 0)); 100]);
    let result = compute(&repeated, CoinsHashType::None, 200);
    assert!(matches!(result, Err(StatisticsError::CoinsChanged { expected: 100, .. })), "{result:?}");
}

fn coins() -> impl Strategy<Value = Vec<(OutPoint, Coin)>> {
    // Few values, so that transactions have several coins, prefixes several transactions, and txids differ in their last
    // byte only.
    let txid = (0u8..3, prop_oneof![Just(0u8), any::<u8>()], 0u8..3).prop_map(|(first, second, last)| {
        let mut txid = [first.wrapping_sub(1); 32];
        (txid[1], txid[31]) = (second, last);
        txid
    });
    let vout = prop_oneof![0u32..4, 250u32..260, any::<u32>()];
    let script = prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 250..260)];
    let coin =
        (any::<u32>(), script, 0u32..1 << 31, any::<bool>()).prop_map(|(amount, script, height, is_coinbase)| {
            let script_pubkey = Script::from_bytes(&script).into();
            Coin { amount: Amount::from_sat(amount.into()), script_pubkey, height, is_coinbase }
        });
    prop::collection::hash_map((txid, vout), coin, 0..40)
        .prop_map(|coins| coins.into_iter().map(|((txid, vout), coin)| (outpoint(txid, vout), coin)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn statistics_do_not_depend_on_the_budget(coins in coins(), budget in 0usize..6000) {
        let set = Shuffled::new(coins);
        for hash_type in TYPES {
            let want = expected(&set.coins, hash_type);
            for budget in [budget].into_iter().chain(BUDGETS) {
                prop_assert_eq!(compute(&set, hash_type, budget).unwrap(), want, "{:?} in {} bytes", hash_type, budget);
            }
        }
    }

    #[test]
    fn coins_that_come_and_go_leave_the_hash_of_the_rest(coins in coins(), split in any::<prop::sample::Index>()) {
        let (kept, spent) = coins.split_at(split.index(coins.len() + 1));
        let mut set = MuHash3072::new();
        for (outpoint, coin) in spent.iter().chain(kept) {
            apply_coin_hash(&mut set, outpoint, coin);
        }
        for (outpoint, coin) in spent {
            remove_coin_hash(&mut set, outpoint, coin);
        }
        prop_assert_eq!(Some(set.finalize()), expected(kept, CoinsHashType::MuHash).hash);
    }
}
