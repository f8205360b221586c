use super::*;
use bitcoin::hashes::Hash;
use proptest::prelude::*;

mod golden;
mod scenarios;

/// A txid for each number.
fn txid(number: u64) -> Txid {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Txid::from_byte_array(bytes)
}

/// Lets transactions with a fee in satoshis and 1000 virtual bytes enter at the best height.
fn enter(estimator: &mut FeeEstimator, transactions: impl IntoIterator<Item = (u64, u64)>) {
    let height = estimator.best_seen_height();
    for (number, fee) in transactions {
        estimator.process_transaction(txid(number), height, Amount::from_sat(fee), 1000, true);
    }
}

fn mine(estimator: &mut FeeEstimator, confirmed: impl IntoIterator<Item = u64>) {
    let confirmed: Vec<Txid> = confirmed.into_iter().map(txid).collect();
    estimator.process_block(estimator.best_seen_height() + 1, &confirmed);
}

/// An estimator that saw `blocks` blocks, each of which confirms what entered just before: 10 transactions of each fee.
fn trained(blocks: u32, fees: &[u64]) -> FeeEstimator {
    let mut estimator = FeeEstimator::new();
    let mut number = 0;
    for _ in 0..blocks {
        let first = number;
        for fee in fees {
            enter(&mut estimator, (number..number + 10).map(|number| (number, *fee)));
            number += 10;
        }
        mine(&mut estimator, first..number);
    }
    estimator
}

#[test]
fn nothing_learned_nothing_estimated() {
    let estimator = FeeEstimator::new();
    for target in [0, 1, 2, 6, 1008, 1009, u32::MAX] {
        for conservative in [false, true] {
            let calculation = estimator.estimate_smart_fee(target, conservative);
            assert_eq!(calculation.fee_rate, None);
            assert_eq!(calculation.errors(), ["Insufficient data or no feerate found"]);
            assert_eq!(calculation.desired_target, target);
        }
    }
    let raw = estimator.estimate_raw_fee(6, 0.95, FeeEstimateHorizon::Short).unwrap();
    assert_eq!(raw.fee_rate, None);
    assert_eq!(raw.errors(), ["Insufficient data or no feerate found which meets threshold"]);
    let fail = raw.estimation.fail.unwrap();
    assert_eq!((fail.start, fail.end, fail.total_confirmed), (0.0, 1e99, 0.0));
    assert_eq!(raw.estimation.pass, None);
}

#[test]
fn horizons_track_what_core_tracks() {
    let estimator = trained(10, &[5000]);
    for (horizon, name, most) in [
        (FeeEstimateHorizon::Short, "short", 12),
        (FeeEstimateHorizon::Medium, "medium", 48),
        (FeeEstimateHorizon::Long, "long", 1008),
    ] {
        assert_eq!((horizon.name(), estimator.highest_target_tracked(horizon)), (name, most));
        assert!(estimator.estimate_raw_fee(most, 0.95, horizon).is_some());
        assert!(estimator.estimate_raw_fee(1, 0.0, horizon).is_some());
        assert!(estimator.estimate_raw_fee(1, 1.0, horizon).is_some());
        assert!(estimator.estimate_raw_fee(most + 1, 0.95, horizon).is_none());
        assert!(estimator.estimate_raw_fee(0, 0.95, horizon).is_none());
        assert!(estimator.estimate_raw_fee(1, 1.000_001, horizon).is_none());
        assert!(estimator.estimate_raw_fee(1, f64::NAN, horizon).is_none());
    }
}

#[test]
fn targets_are_limited_by_half_the_history() {
    let estimator = trained(21, &[5000]);
    let returned = |target| estimator.estimate_smart_fee(target, false).returned_target;
    assert_eq!(
        [returned(1), returned(2), returned(9), returned(10), returned(11), returned(1008)],
        [2, 2, 9, 10, 10, 10]
    );
    // A target that cannot be is given back.
    assert_eq!([returned(0), returned(1009)], [0, 1009]);
    let young = trained(4, &[5000]);
    assert_eq!(young.estimate_smart_fee(5, false).returned_target, 1);
    assert_eq!(young.estimate_smart_fee(5, false).fee_rate, None);
}

#[test]
fn only_valid_transactions_at_the_best_height_are_tracked_and_once() {
    let mut estimator = FeeEstimator::new();
    let fee = Amount::from_sat(1000);
    estimator.process_block(7, &[]);
    estimator.process_transaction(txid(1), 6, fee, 1000, true);
    estimator.process_transaction(txid(2), 8, fee, 1000, true);
    estimator.process_transaction(txid(3), 7, fee, 1000, false);
    assert_eq!(estimator.tracked_transactions(), 0);
    estimator.process_transaction(txid(4), 7, fee, 1000, true);
    estimator.process_transaction(txid(4), 7, fee, 1000, true);
    assert_eq!((estimator.tracked_transactions(), estimator.long.waiting()), (1, 1));
    // A block that is no better confirms nothing.
    estimator.process_block(7, &[txid(4)]);
    estimator.process_block(6, &[txid(4)]);
    assert_eq!(estimator.tracked_transactions(), 1);
    estimator.process_block(8, &[txid(4), txid(5)]);
    assert_eq!((estimator.tracked_transactions(), estimator.first_recorded_height), (0, 8));
    assert!(!estimator.remove_transaction(&txid(4)));
}

#[test]
fn fee_rates_are_rounded_down_and_never_overflow() {
    assert_eq!(fee_rate(Amount::from_sat(999), 1000), 999.0);
    assert_eq!(fee_rate(Amount::from_sat(1), 3), 333.0);
    assert_eq!(fee_rate(Amount::from_sat(5), 0), 0.0);
    assert_eq!(fee_rate(Amount::from_sat(u64::MAX), 1), u64::MAX as f64 * 1000.0);
    let mut estimator = FeeEstimator::new();
    estimator.process_transaction(txid(1), 0, Amount::from_sat(u64::MAX), 0, true);
    estimator.process_transaction(txid(2), 0, Amount::from_sat(u64::MAX), u64::MAX, true);
    mine(&mut estimator, [1, 2]);
}

#[test]
fn estimates_survive_being_written() {
    let mut estimator = trained(300, &[1000, 2000, 50_000]);
    enter(&mut estimator, [(1 << 40, 3000)]);
    let bytes = estimator.encode();
    assert_eq!(bytes.len(), 307_176);
    let read = FeeEstimator::decode(&bytes).unwrap();
    assert_eq!((read.tracked_transactions(), read.historical_first, read.historical_best), (0, 1, 300));
    for target in 1..=150 {
        let (before, after) = (estimator.estimate_smart_fee(target, true), read.estimate_smart_fee(target, true));
        assert_eq!((before.fee_rate, before.returned_target), (after.fee_rate, after.returned_target));
    }
    // What is read and written again is the same: the run that read it has recorded less.
    assert_eq!(read.encode(), bytes);
    let empty = FeeEstimator::new().encode();
    assert_eq!(FeeEstimator::decode(&empty).unwrap().encode(), empty);
}

#[test]
fn history_that_is_too_old_is_not_used() {
    let mut read = FeeEstimator::decode(&trained(300, &[1000]).encode()).unwrap();
    assert_eq!(read.max_usable_estimate(), 149);
    read.process_block(300 + OLDEST_ESTIMATE_HISTORY, &[]);
    assert_eq!(read.max_usable_estimate(), 149);
    read.process_block(301 + OLDEST_ESTIMATE_HISTORY, &[]);
    assert_eq!(read.max_usable_estimate(), 0);
    // A record that ends long ago is written nevertheless, as Core writes it, and is no more used when it is read.
    let read = FeeEstimator::decode(&read.encode()).unwrap();
    assert_eq!((read.historical_best, read.max_usable_estimate()), (300, 0));
}

#[test]
fn golden_bytes_of_the_file() {
    let bytes = trained(2, &[1000]).encode();
    // Ten transactions were confirmed in block 1, which decayed in block 2, which confirmed ten more.
    assert_eq!(bytes[..8], *b"cairnfe\x01");
    assert_eq!(bytes[8..20], [2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
    let bucket = buckets::bucket_index(1000.0);
    let average = f64::from_le_bytes(bytes[20 + 8 * bucket..][..8].try_into().unwrap());
    assert_eq!(average.to_bits(), (10.0 * 0.9952f64 + 10.0).to_bits());
    assert_eq!(crc32fast::hash(&bytes[..bytes.len() - 4]), GOLDEN_CHECKSUM);
}

/// The checksum that ends the file of two blocks of ten transactions.
const GOLDEN_CHECKSUM: u32 = 0x1039_daab;

#[test]
fn damaged_files_are_refused() {
    let bytes = trained(30, &[1000, 7000]).encode();
    let decode = |bytes: &[u8]| FeeEstimator::decode(bytes).unwrap_err();
    let with_checksum = |mut bytes: Vec<u8>| {
        let content = bytes.len() - 4;
        let checksum = crc32fast::hash(&bytes[..content]);
        bytes[content..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    };
    assert_eq!(decode(&[]), FeeEstimatesError::Magic);
    assert_eq!(decode(&bytes[..6]), FeeEstimatesError::Magic);
    assert_eq!(decode(&[7; 307_176]), FeeEstimatesError::Magic);
    for length in (7..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert_eq!(decode(&bytes[..length]), FeeEstimatesError::Size { got: length, expected: bytes.len() });
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(decode(&longer), FeeEstimatesError::Size { got: bytes.len() + 1, expected: bytes.len() });
    let mut other = bytes.clone();
    other[7] = 2;
    assert_eq!(decode(&other), FeeEstimatesError::Version { got: 2 });
    for position in (8..bytes.len()).step_by(1009) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x10;
        assert!(matches!(decode(&flipped), FeeEstimatesError::Checksum { .. }));
    }
    // Damage that the checksum agrees with.
    let replaced = |position: usize, with: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[position..position + with.len()].copy_from_slice(with);
        decode(&with_checksum(bytes))
    };
    assert_eq!(replaced(12, &[31]), FeeEstimatesError::Heights { first: 31, best: 30, best_seen: 30 });
    assert_eq!(replaced(16, &[31]), FeeEstimatesError::Heights { first: 1, best: 31, best_seen: 30 });
    let average = |expected| FeeEstimatesError::Average { horizon: "medium", expected };
    for number in [f64::NAN, f64::INFINITY, -1.0, -0.0] {
        assert_eq!(replaced(20, &number.to_le_bytes()), average("finite averages of at least zero"));
    }
    let row = 8 * buckets::BUCKET_COUNT;
    let within = 20 + 2 * row + 8 * buckets::bucket_index(1000.0);
    assert_eq!(replaced(within, &1e9f64.to_le_bytes()), average("no less confirmed within more periods"));
    let last_after = 20 + (2 + 24 + 23) * row;
    assert_eq!(replaced(last_after, &1f64.to_le_bytes()), average("no more left after more periods"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_numbers_in_a_valid_file_never_panic(
        numbers in prop::collection::vec((0usize..38_000, any::<u64>()), 0..40),
        target in 0u32..1010,
        conservative: bool,
    ) {
        let mut bytes = trained(5, &[1000]).encode();
        for (index, number) in numbers {
            let position = 20 + 8 * index;
            if position + 8 + 4 <= bytes.len() {
                bytes[position..position + 8].copy_from_slice(&number.to_le_bytes());
            }
        }
        let content = bytes.len() - 4;
        let checksum = crc32fast::hash(&bytes[..content]);
        bytes[content..].copy_from_slice(&checksum.to_le_bytes());
        if let Ok(estimator) = FeeEstimator::decode(&bytes) {
            let _ = estimator.estimate_smart_fee(target, conservative);
        }
    }

    /// Whatever happens, what is learned can be written and read, waiting transactions are counted right, and an estimate
    /// lies within the fee rates that were paid.
    #[test]
    fn random_events(events in prop::collection::vec((0u8..10, 0u64..60, 0u32..4), 0..300)) {
        let mut estimator = FeeEstimator::new();
        for (event, number, skip) in events {
            let height = estimator.best_seen_height();
            match event {
                0..5 => {
                    let fee = Amount::from_sat(500 + 300 * number);
                    estimator.process_transaction(txid(number), height.saturating_sub(skip / 3), fee, 1000, event > 0);
                }
                5 => { estimator.remove_transaction(&txid(number)); }
                6 => estimator.process_block(height.saturating_sub(skip), &[txid(number)]),
                7 if skip == 3 => estimator.flush_unconfirmed(),
                _ => {
                    let confirmed: Vec<Txid> = (number..60).step_by(3).map(txid).collect();
                    estimator.process_block(height + 1, &confirmed);
                }
            }
        }
        for horizon in FeeEstimateHorizon::ALL {
            prop_assert_eq!(estimator.stats(horizon).waiting(), estimator.tracked_transactions() as u64);
        }
        let read = FeeEstimator::decode(&estimator.encode()).unwrap();
        prop_assert_eq!(&read.long.confirmed, &estimator.long.confirmed);
        prop_assert_eq!(&read.short.failed_after, &estimator.short.failed_after);
        for target in [1, 2, 3, 7, 13, 29] {
            for conservative in [false, true] {
                let calculation = estimator.estimate_smart_fee(target, conservative);
                if let Some(fee_rate) = calculation.fee_rate {
                    prop_assert!((500..=500 + 300 * 59).contains(&fee_rate));
                    let bucket = calculation.estimation.unwrap().pass.unwrap();
                    prop_assert!(bucket.start < bucket.end && bucket.within_target <= bucket.total_confirmed);
                }
            }
        }
    }
}
