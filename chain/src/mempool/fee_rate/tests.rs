use proptest::prelude::*;

use super::*;

/// Core: `GetFeeTest`, `test/amount_tests.cpp`.
#[test]
fn fees_are_rounded_up() {
    let fees = |fee| [0, 1, 8, 9, 121, 122, 999, 1_000, 9_000].map(|size| FeeRate::per_kvb(fee).fee_for(size));
    assert_eq!(fees(0), [0; 9]);
    assert_eq!(fees(1_000), [0, 1, 8, 9, 121, 122, 999, 1_000, 9_000]);
    assert_eq!(fees(-1_000), [0, -1, -8, -9, -121, -122, -999, -1_000, -9_000]);
    assert_eq!(fees(123), [0, 1, 1, 2, 15, 16, 123, 123, 1_107]);
    assert_eq!(fees(-123), [0, -1, -1, -1, -14, -15, -122, -123, -1_107]);
}

#[test]
fn rates_that_are_no_multiple_of_a_thousand_keep_their_precision() {
    let rate = FeeRate::new(1, 3);
    assert_eq!(rate.fee_for(3_000_000), 1_000_000);
    assert_eq!(rate.fee_per_kvb(), 333);
    assert_eq!(FeeRate::new(-1, 3).fee_per_kvb(), -334);
    assert_eq!(FeeRate::new(10, 401).weight_to_vbytes(), FeeRate::new(10, 101));
    assert_eq!(FeeRate::new(10, 400).weight_to_vbytes(), FeeRate::new(10, 100));
}

#[test]
fn nothing_overflows() {
    for fee in [i64::MIN, -1, 0, 1, i64::MAX] {
        for size in [0, 1, u64::MAX] {
            let rate = FeeRate::new(fee, size);
            assert_eq!(rate.fee_for(0), 0);
            assert_eq!(rate.fee_for(u64::MAX).signum(), if size == 0 { 0 } else { fee.signum() });
            let _ = rate.fee_per_kvb();
            assert_eq!(rate.cmp_rate(rate), Ordering::Equal);
            let _ = compare_diagrams(&[rate, rate, rate], &[rate]);
        }
    }
    let most = FeeRate::new(i64::MAX, u64::MAX);
    assert_eq!(most + most, most);
    assert_eq!(FeeRate::default() - most, FeeRate::new(-i64::MAX, 0));
}

#[test]
fn an_empty_rate_is_no_rate() {
    let empty = FeeRate::default();
    assert!(empty.is_empty());
    assert_eq!((empty.fee_for(1_000), empty.fee_per_kvb()), (0, 0));
    assert_eq!(empty.cmp_rate(FeeRate::new(1, 1)), Ordering::Equal);
}

#[test]
fn rates_too_close_for_floating_point_differ() {
    let (a, b) = (FeeRate::new(i64::MAX, 4_000_000_001), FeeRate::new(i64::MAX - 1, 4_000_000_001));
    assert_eq!(a.cmp_rate(b), Ordering::Greater);
    assert_eq!(FeeRate::new(1, 3).cmp_rate(FeeRate::new(2, 6)), Ordering::Equal);
    assert_ne!(FeeRate::new(1, 3), FeeRate::new(2, 6));
    assert_eq!(FeeRate::new(-1, 3).cmp_rate(FeeRate::new(-1, 4)), Ordering::Less);
}

/// Core: `feefrac`s of `test/rbf_tests.cpp`, `calc_feerate_diagram_rbf` and `feerate_chunks_utilities`.
#[test]
fn diagrams_compare_as_cores() {
    let diagram =
        |chunks: &[(i64, u64)]| chunks.iter().map(|(fee, size)| FeeRate::new(*fee, *size)).collect::<Vec<_>>();
    let compare = |a: &[(i64, u64)], b: &[(i64, u64)]| compare_diagrams(&diagram(a), &diagram(b));
    let old = [(950, 300), (100, 100)];
    assert_eq!(compare(&old, &[(1_000, 300), (50, 100)]), Some(Ordering::Less));
    assert_eq!(compare(&old, &[(1_000, 300), (0, 100)]), None);
    assert_eq!(compare(&old, &[(1_000, 300), (50, 200)]), None);
    assert_eq!(compare(&old, &old), Some(Ordering::Equal));
    assert_eq!(compare(&old, &[]), Some(Ordering::Greater));
    assert_eq!(compare(&[], &[(-1, 1)]), Some(Ordering::Greater));
    assert_eq!(compare(&[], &[(0, 1)]), Some(Ordering::Equal));
    assert_eq!(compare(&[(2, 2)], &[(1, 1), (1, 1)]), Some(Ordering::Equal));
    assert_eq!(compare(&old, &[(1_100, 400)]), None);
}

prop_compose! {
    fn chunks()(mut chunks in prop::collection::vec((-4_i64..16, 1_u64..6), 0..6)) -> Vec<FeeRate> {
        chunks.sort_by(|a, b| FeeRate::new(b.0, b.1).cmp_rate(FeeRate::new(a.0, a.1)));
        chunks.into_iter().map(|(fee, size)| FeeRate::new(fee, size)).collect()
    }
}

/// The height of a diagram at every size up to a bound, times 60: sizes of chunks divide it.
fn heights(chunks: &[FeeRate]) -> Vec<i64> {
    let mut heights = vec![0];
    for chunk in chunks {
        for _ in 0..chunk.size {
            heights.push(heights.last().unwrap() + 60 * chunk.fee / i64::try_from(chunk.size).unwrap());
        }
    }
    heights.resize(64, *heights.last().unwrap());
    heights
}

proptest! {
    #[test]
    fn diagrams_compare_as_their_heights(a in chunks(), b in chunks()) {
        let pairs = || heights(&a).into_iter().zip(heights(&b));
        let (above, below) = (pairs().any(|(a, b)| a > b), pairs().any(|(a, b)| a < b));
        let expected = if above && below { None } else { Some(above.cmp(&below)) };
        prop_assert_eq!(compare_diagrams(&a, &b), expected);
    }
}
