//! Core's own test of the estimator (`test/policyestimator_tests.cpp`), and what else users count on.

use super::*;

/// As Core's `estimateFee`: 95 % over the medium horizon.
fn estimate(estimator: &FeeEstimator, target: u32) -> Option<u64> {
    if target <= 1 {
        return None;
    }
    estimator.estimate_raw_fee(target, 0.95, FeeEstimateHorizon::Medium).unwrap().fee_rate
}

/// Core's scenario: transactions that pay one to ten times a base fee.
struct Scenario {
    estimator: FeeEstimator,
    /// The transactions that wait, by fee.
    waiting: [Vec<u64>; 10],
    next: u64,
}

const VSIZE: u64 = 188;
const BASE_FEE: u64 = 2000;
/// Satoshis per 1000 virtual bytes.
const BASE_RATE: u64 = BASE_FEE * 1000 / VSIZE;
/// By how much an estimate may miss what Core's test expects.
const TOLERANCE: u64 = 100;

impl Scenario {
    /// Four transactions of each fee enter.
    fn enter(&mut self) {
        let height = self.estimator.best_seen_height();
        for (fee, waiting) in (1..).zip(&mut self.waiting) {
            for _ in 0..4 {
                let fee = Amount::from_sat(BASE_FEE * fee);
                self.estimator.process_transaction(txid(self.next), height, fee, VSIZE, true);
                waiting.push(self.next);
                self.next += 1;
            }
        }
    }

    /// A block confirms all that pays one of the best `fees` fees.
    fn mine_best(&mut self, fees: usize) {
        let confirmed: Vec<u64> = self.waiting[10 - fees..].iter_mut().flat_map(std::mem::take).collect();
        mine(&mut self.estimator, confirmed);
    }

    fn estimates(&self) -> Vec<Option<u64>> {
        (0..=48).map(|target| estimate(&self.estimator, target)).collect()
    }
}

#[test]
fn block_policy_estimates() {
    let mut scenario = Scenario { estimator: FeeEstimator::new(), waiting: Default::default(), next: 0 };
    let near = |got: Option<u64>, expected: u64| got.is_some_and(|got| got.abs_diff(expected) < TOLERANCE);
    // Blocks take the highest fee always, the second highest nine times of ten, and so on.
    for block in 0..200 {
        scenario.enter();
        scenario.mine_best(block % 10 + 1);
        if block == 2 {
            // Three buckets have to be taken together: 100 %, 100 % and 90 %, which is 97 % on average.
            assert_eq!(estimate(&scenario.estimator, 1), None);
            assert!(near(estimate(&scenario.estimator, 2), 9 * BASE_RATE));
        }
    }
    // The second highest fee is confirmed within two blocks for certain, the third within three, and so on.
    let original = scenario.estimates();
    for target in (2..10).step_by(2) {
        assert!(near(original[target], (11 - target as u64) * BASE_RATE), "target {target}");
    }
    assert!(original[2..].is_sorted_by(|lower, higher| lower >= higher), "estimates fall as targets rise");

    // Nothing happens for 50 blocks: the averages decay together.
    for _ in 0..50 {
        scenario.mine_best(0);
    }
    let unchanged = scenario.estimates();
    for (unchanged, original) in unchanged[2..10].iter().zip(&original[2..10]) {
        assert!(near(*unchanged, original.unwrap()));
    }
    assert_eq!(estimate(&scenario.estimator, 1), None);

    // Much enters and nothing is mined: estimates rise, or there are none.
    for _ in 0..15 {
        scenario.enter();
        scenario.mine_best(0);
    }
    let risen = scenario.estimates();
    for (risen, original) in risen[2..10].iter().zip(&original[2..10]) {
        assert!(risen.is_none_or(|risen| risen + TOLERANCE > original.unwrap()));
    }
    // All of it is mined: they are not below what they were.
    scenario.mine_best(10);
    let after = scenario.estimates();
    for (after, original) in after[2..10].iter().zip(&original[2..10]) {
        assert!(after.is_none_or(|after| after + TOLERANCE > original.unwrap()));
    }

    // Everything is confirmed at once for 400 blocks: estimates are at the bottom.
    for _ in 0..400 {
        scenario.enter();
        scenario.mine_best(10);
    }
    let fallen = scenario.estimates();
    for (fallen, original) in fallen[2..9].iter().zip(&original[2..9]) {
        assert!(fallen.unwrap() + TOLERANCE < original.unwrap());
    }
    // And smart estimates do not rise with the target.
    for conservative in [false, true] {
        let smart =
            (2..=300).map(|target| scenario.estimator.estimate_smart_fee(target, conservative).fee_rate.unwrap());
        assert!(smart.is_sorted_by(|lower, higher| lower >= higher));
    }
}

#[test]
fn conservative_estimates_fall_slower() {
    // A week of expensive blocks, then a few hours of cheap ones.
    let mut estimator = trained(600, &[100_000]);
    for block in 0..60 {
        let first = (1 << 32) + block * 20;
        enter(&mut estimator, (first..first + 20).map(|number| (number, 1000)));
        mine(&mut estimator, first..first + 20);
    }
    let fee_rate = |conservative| estimator.estimate_smart_fee(4, conservative).fee_rate;
    assert_eq!(fee_rate(false), Some(1000));
    assert!(fee_rate(true) >= fee_rate(false));
    // What was not confirmed over the longer horizons only the conservative estimate heeds.
    let mut estimator = trained(300, &[100_000]);
    enter(&mut estimator, (1 << 32..(1 << 32) + 200).map(|number| (number, 1000)));
    for _ in 0..200 {
        mine(&mut estimator, []);
    }
    estimator.flush_unconfirmed();
    for block in 0..80 {
        let first = (1 << 33) + block * 20;
        enter(&mut estimator, (first..first + 20).map(|number| (number, if number % 2 == 0 { 1000 } else { 100_000 })));
        mine(&mut estimator, first..first + 20);
    }
    let calculation = |conservative| estimator.estimate_smart_fee(4, conservative);
    assert_eq!(calculation(false).fee_rate, Some(1000));
    assert_eq!(calculation(true).fee_rate, Some(100_000));
    assert_eq!(calculation(true).reason, Some(FeeReason::Conservative));
}

#[test]
fn what_is_never_confirmed_is_no_estimate() {
    // Cheap transactions wait, leave, or are forgotten: each counts against their fee rate.
    let mut estimator = FeeEstimator::new();
    for block in 0..100 {
        let cheap = 1000 + block * 10..1010 + block * 10;
        let dear = 1_000_000 + block * 10..1_000_010 + block * 10;
        enter(&mut estimator, cheap.map(|number| (number, 1000)).chain(dear.clone().map(|number| (number, 9000))));
        // One of ten cheap ones is lucky.
        mine(&mut estimator, dear.chain([1000 + block * 10]));
    }
    assert_eq!(estimator.estimate_smart_fee(6, false).fee_rate, Some(9000));
    let waiting = estimator.estimate_raw_fee(6, 0.85, FeeEstimateHorizon::Short).unwrap().estimation.fail.unwrap();
    assert!(waiting.in_mempool > 0.0 && waiting.left_mempool == 0.0);
    estimator.flush_unconfirmed();
    assert_eq!(estimator.tracked_transactions(), 0);
    assert_eq!(estimator.estimate_smart_fee(6, false).fee_rate, Some(9000));
    let left = estimator.estimate_raw_fee(6, 0.85, FeeEstimateHorizon::Short).unwrap().estimation.fail.unwrap();
    assert!(left.in_mempool == 0.0 && left.left_mempool > 0.0);
    assert!(left.start < 1000.0 && 1000.0 <= left.end);
}

#[test]
fn estimates_end_when_too_much_was_forgotten() {
    let mut estimator = trained(100, &[5000]);
    assert_eq!(estimator.estimate_smart_fee(2, false).fee_rate, Some(5000));
    let mut quiet = 0;
    while estimator.estimate_raw_fee(2, 0.85, FeeEstimateHorizon::Short).unwrap().fee_rate.is_some() {
        mine(&mut estimator, []);
        quiet += 1;
        assert!(quiet < 1000);
    }
    // 10 a block is enough until 0.962^n is below 0.05.
    assert_eq!(quiet, 77);
    assert!(estimator.estimate_raw_fee(2, 0.85, FeeEstimateHorizon::Long).unwrap().fee_rate.is_some());
}
