//! Answers of Core's own estimator (`policy/fees/block_policy_estimator.cpp`, v31) to the same events, to the last bit: its
//! class was compiled alone, was given these events, and its answers were hashed as they are here.

use super::*;

/// The generator of the events: what Core's estimator was given came from the same numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// FNV-1a of every answer so far.
struct Answers(u64);

impl Answers {
    fn put(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn put_bucket(&mut self, bucket: Option<EstimatorBucket>) {
        let Some(bucket) = bucket else { return self.put(0xffff) };
        let EstimatorBucket { start, end, within_target, total_confirmed, in_mempool, left_mempool } = bucket;
        for number in [start, end, within_target, total_confirmed, in_mempool, left_mempool] {
            self.put(number.to_bits());
        }
    }

    fn put_all(&mut self, estimator: &FeeEstimator) {
        for conservative in [false, true] {
            for target in (0..=1009).filter(|target| *target <= 60 || *target % 47 == 0 || *target >= 1008) {
                let calculation = estimator.estimate_smart_fee(target, conservative);
                self.put(calculation.fee_rate.unwrap_or(0));
                self.put(calculation.returned_target.into());
                self.put(match calculation.reason {
                    None => 0,
                    Some(FeeReason::HalfEstimate) => 1,
                    Some(FeeReason::FullEstimate) => 2,
                    Some(FeeReason::DoubleEstimate) => 3,
                    Some(FeeReason::Conservative) => 4,
                });
            }
        }
        for horizon in FeeEstimateHorizon::ALL {
            let most = estimator.highest_target_tracked(horizon);
            for target in (1..=most).filter(|target| *target <= 50 || (target - 50) % 37 == 0) {
                for threshold in [0.0, 0.5, 0.85, 0.95, 1.0] {
                    let raw = estimator.estimate_raw_fee(target, threshold, horizon).unwrap();
                    self.put(raw.fee_rate.unwrap_or(0));
                    self.put_bucket(raw.estimation.pass);
                    self.put_bucket(raw.estimation.fail);
                }
            }
        }
    }
}

/// A transaction of the pool that the events are about.
#[derive(Clone, Copy)]
struct Waiting {
    number: u64,
    fee: u64,
    vsize: u64,
}

/// What Core answered: after the block at a height, the hash of all answers so far.
const EXPECTED: [(u32, u64); 6] = [
    (8, 0x8e9d_8f46_2fd5_46ad),
    (258, 0xff14_ddc1_78d5_fe8c),
    (1008, 0x20ab_b77f_bc5f_1f18),
    (2258, 0x633a_6e54_bacf_bcbd),
    (2758, 0xf4fa_0284_1d7a_1058),
    (3000, 0xd1fe_0324_35d2_7ec6),
];

#[test]
fn every_answer_is_cores() {
    let mut numbers = Numbers(42);
    let mut answers = Answers(0xcbf2_9ce4_8422_2325);
    let mut hashes = Vec::new();
    let mut estimator = FeeEstimator::new();
    let mut pool: Vec<Waiting> = Vec::new();
    let mut number = 0;
    for height in 0..3000u32 {
        let entering = numbers.below(12);
        // For 300 blocks nothing enters.
        let entering = if (2000..2300).contains(&height) { 0 } else { entering };
        for _ in 0..entering {
            let bits = 4 + numbers.below(20);
            let fee_rate = 100 + numbers.below(1 << bits);
            let vsize = 100 + numbers.below(2000);
            let late = numbers.below(16) == 0 && height > 0;
            let valid = numbers.below(8) != 0;
            let fee = fee_rate * vsize / 1000;
            let entry_height = height - u32::from(late);
            estimator.process_transaction(txid(number), entry_height, Amount::from_sat(fee), vsize, valid);
            pool.push(Waiting { number, fee, vsize });
            number += 1;
        }
        while pool.len() > 300 || (!pool.is_empty() && numbers.below(32) == 0) {
            let index = numbers.below(pool.len() as u64);
            estimator.remove_transaction(&txid(pool.remove(usize::try_from(index).unwrap()).number));
        }
        pool.sort_by(|one, other| (other.fee * one.vsize).cmp(&(one.fee * other.vsize)));
        let most = pool.len().min(usize::try_from(numbers.below(11)).unwrap());
        let mut confirmed = Vec::new();
        pool.retain(|transaction| {
            let mined = confirmed.len() < most && numbers.below(5) != 0;
            if mined {
                confirmed.push(txid(transaction.number));
            }
            !mined
        });
        estimator.process_block(height + 1, &confirmed);
        if height % 250 == 7 || height < 12 {
            answers.put_all(&estimator);
            if [7, 257, 1007, 2257, 2757].contains(&height) {
                hashes.push((height + 1, answers.0));
            }
        }
        if height == 1007 {
            let rate = |target, conservative| estimator.estimate_smart_fee(target, conservative).fee_rate;
            assert_eq!([2, 6, 24, 1008].map(|target| rate(target, false)), [771_688, 1120, 1120, 125].map(Some));
        }
    }
    estimator.flush_unconfirmed();
    answers.put_all(&estimator);
    hashes.push((3000, answers.0));
    assert_eq!(hashes, EXPECTED);
}
