//! The fee rates that buckets end at.

/// Number of buckets.
pub(super) const BUCKET_COUNT: usize = 237;

/// Where the lowest bucket ends, in satoshis per 1000 virtual bytes (Core: `MIN_BUCKET_FEERATE`).
const MIN_BUCKET_FEE_RATE: f64 = 100.0;
/// No bucket but the last ends above (Core: `MAX_BUCKET_FEERATE`).
const MAX_BUCKET_FEE_RATE: f64 = 1e7;
/// Each bucket ends at so many times the end of the one below (Core: `FEE_SPACING`).
const FEE_SPACING: f64 = 1.05;
/// Where the last bucket ends (Core: `INF_FEERATE`).
const INFINITE_FEE_RATE: f64 = 1e99;

/// Where each bucket ends, in satoshis per 1000 virtual bytes: a fee rate belongs to the first bucket that does not end
/// below it.
pub(super) static BUCKET_ENDS: [f64; BUCKET_COUNT] = bucket_ends();

const fn bucket_ends() -> [f64; BUCKET_COUNT] {
    let mut ends = [INFINITE_FEE_RATE; BUCKET_COUNT];
    let mut index = 0;
    let mut end = MIN_BUCKET_FEE_RATE;
    while end <= MAX_BUCKET_FEE_RATE {
        ends[index] = end;
        end *= FEE_SPACING;
        index += 1;
    }
    assert!(index == BUCKET_COUNT - 1, "the last bucket alone ends at infinity");
    ends
}

/// The bucket of a fee rate, in satoshis per 1000 virtual bytes.
pub(super) fn bucket_index(fee_rate: f64) -> usize {
    BUCKET_ENDS.partition_point(|end| *end < fee_rate).min(BUCKET_COUNT - 1)
}

/// Where a bucket starts: where the one below ends.
pub(super) fn bucket_start(bucket: usize) -> f64 {
    bucket.checked_sub(1).map_or(0.0, |below| BUCKET_ENDS[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cores() {
        assert_eq!(BUCKET_ENDS[..3], [100.0, 105.0, 110.25]);
        assert!(BUCKET_ENDS[BUCKET_COUNT - 2] <= 1e7 && BUCKET_ENDS[BUCKET_COUNT - 2] * 1.05 > 1e7);
        assert_eq!(BUCKET_ENDS[BUCKET_COUNT - 1].to_bits(), 1e99f64.to_bits());
        assert!(BUCKET_ENDS.is_sorted_by(|below, above| below < above));
    }

    #[test]
    fn a_bucket_holds_the_fee_rate_it_ends_at() {
        assert_eq!(bucket_index(0.0), 0);
        assert_eq!(bucket_index(100.0), 0);
        assert_eq!(bucket_index(100.5), 1);
        assert_eq!(bucket_index(105.0), 1);
        assert_eq!(bucket_index(106.0), 2);
        assert_eq!(bucket_index(1.1e7), BUCKET_COUNT - 1);
        assert_eq!(bucket_index(f64::MAX), BUCKET_COUNT - 1);
        for (bucket, end) in BUCKET_ENDS.iter().enumerate() {
            assert_eq!(bucket_index(*end), bucket);
            assert!(bucket_start(bucket) < *end);
        }
    }
}
