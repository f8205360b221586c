use bitcoin::hex::{DisplayHex, FromHex};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The element Core's tests make of a number (`FromInt`, `test/crypto_tests.cpp`).
fn element(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

fn set(elements: &[u8]) -> MuHash3072 {
    let mut set = MuHash3072::new();
    for &number in elements {
        set.insert(&element(number));
    }
    set
}

/// A hash as Core shows it.
fn shown(mut hash: [u8; 32]) -> String {
    hash.reverse();
    hash.to_lower_hex_string()
}

/// `muhash_tests`, `test/crypto_tests.cpp`.
mod core_vectors {
    use super::*;

    const HASH: &str = "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863";

    #[test]
    fn elements_one_by_one() {
        let mut set = set(&[0, 1]);
        set.remove(&element(2));
        assert_eq!(shown(set.finalize()), HASH);
    }

    #[test]
    fn sets_at_once() {
        let mut all = set(&[0]);
        all *= &set(&[1]);
        all /= &set(&[2]);
        assert_eq!(shown(all.finalize()), HASH);
    }

    #[test]
    fn stored_form() {
        let numerator = [
            "1fa093295ea30a6a3acdc7b3f770fa538eff537528e990e2910e40bbcfd7f6696b1256901929094694b56316de342f59",
            "3303dd12ac43e06dce1be1ff8301c845beb15468fff0ef002dbf80c29f26e6452bccc91b5cb9437ad410d2a67ea84788",
            "7fa3c6a6553309946880fe20db2c73fe0641adbd4e86edfee0d9f8cd0ee1230898873dc13ed8ddcaf045c80faa082774",
            "279007a2253f8922ee3ef361d378a6af3ddaf180b190ac97e556888c36b3d1fb1c85aab9ccd46e3deaeb7b7cf5db067a",
            "7e9ff86b658cf3acd6662bbcce37232daa753c48b794356c020090c831a8304416e2aa7ad633c0ddb2f11be1be316a81",
            "be7f7e472071c042cb68faef549c221ebff209273638b741aba5a81675c45a5fa92fea4ca821d7a324cb1e1a2ccd3b76",
            "c4228ec8066dad2a5df6e1bd0de45c7dd5de8070bdb46db6c554cf9aefc9b7b2bbf9f75b1864d9f95005314593905c01",
            "09b71f703d49944ae94477b51dac10a816bb6d1c700bafabc8bd86fac8df24be519a2f2836b16392e18036cb13e48c5c",
        ];
        let mut bytes = Vec::from_hex(&numerator.concat()).unwrap();
        bytes.push(1);
        bytes.resize(MuHash3072::SIZE, 0);
        let set = set(&[1, 2]);
        assert_eq!(set.to_bytes()[..], bytes);
        assert_eq!(MuHash3072::from_bytes(&set.to_bytes()).finalize(), set.finalize());
    }

    #[test]
    fn numerator_above_the_modulus() {
        let mut bytes = [0; MuHash3072::SIZE];
        bytes[..NUMBER_SIZE].fill(0xff);
        bytes[NUMBER_SIZE] = 1;
        let hash = MuHash3072::from_bytes(&bytes).finalize();
        // Core's test prints this one byte by byte.
        assert_eq!(hash.to_lower_hex_string(), "3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271");
    }
}

#[test]
fn a_denominator_without_an_inverse_makes_the_quotient_zero() {
    let zero = sha256(&[0; NUMBER_SIZE]);
    for denominator in [Number::ZERO, MODULUS] {
        assert_eq!(MuHash3072 { numerator: Number::from(7), denominator }.finalize(), zero);
    }
}

#[test]
fn products_are_exact_where_carries_are_rare() {
    let small = |value: u64| Number::from(value);
    let mut numbers = vec![Number::ZERO, Number::ONE, small(MODULUS_DISTANCE), small(u64::MAX), Number::ONE << 3071];
    numbers.extend([0, 1, 2, MODULUS_DISTANCE - 1, MODULUS_DISTANCE].map(|distance| Number::MAX - small(distance)));
    numbers.extend([1, 2, 64, 1536].map(|shift| Number::MAX >> shift));
    numbers.extend([1, 2, 64, 1536].map(|shift| Number::MAX << shift));
    // Times its divisor, the quotient lies just below 2^3072, and the number after it just above.
    for divisor in [2, 3, 1000, MODULUS_DISTANCE, u64::MAX] {
        let quotient = Number::MAX / small(divisor);
        numbers.extend([quotient, quotient + Number::ONE, small(divisor)]);
    }
    for a in &numbers {
        for b in &numbers {
            assert_eq!(multiply(a, b), a.mul_mod(*b, MODULUS), "{a:x} times {b:x}");
        }
    }
}

/// With a small residue the first fold ends just below 2^3072, and the second one carries out of the number.
#[test]
fn the_carry_of_the_second_fold_is_kept() {
    for seed in 0..100 {
        let a = number_of(&[seed]);
        let residue = Number::from((u64::from(seed) + 1) * MODULUS_DISTANCE);
        let b = residue.mul_mod(reduce(a).inv_mod(MODULUS).unwrap(), MODULUS);
        assert_eq!(multiply(&a, &b), residue);
    }
}

fn numbers() -> impl Strategy<Value = Number> {
    // Limbs of all zeros or all ones make carries run far.
    let limb = prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
    vec(limb, LIMBS).prop_map(|limbs| Number::from_limbs(limbs.try_into().unwrap()))
}

proptest! {
    #[test]
    fn products_equal_plain_arithmetic(a in numbers(), b in numbers()) {
        prop_assert_eq!(multiply(&a, &b), a.mul_mod(b, MODULUS));
    }

    #[test]
    fn order_does_not_matter(
        (elements, shuffled) in vec(any::<u8>(), 0..12).prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        prop_assert_eq!(set(&elements).finalize(), set(&shuffled).finalize());
    }

    #[test]
    fn what_is_removed_leaves_no_trace(kept in vec(any::<u8>(), 0..6), removed in vec(any::<u8>(), 0..6)) {
        let mut after = MuHash3072::new();
        for &number in &removed {
            after.remove(&element(number));
        }
        after *= &set(&kept);
        after *= &set(&removed);
        prop_assert_eq!(after.finalize(), set(&kept).finalize());
    }

    #[test]
    fn parts_make_the_whole(left in vec(any::<u8>(), 0..6), right in vec(any::<u8>(), 0..6)) {
        let mut whole = set(&left);
        whole *= &set(&right);
        prop_assert_eq!(whole.finalize(), set(&[&left[..], &right].concat()).finalize());
        whole /= &set(&right);
        prop_assert_eq!(whole.finalize(), set(&left).finalize());
    }

    #[test]
    fn the_stored_form_survives_a_round_trip(bytes in vec(any::<u8>(), MuHash3072::SIZE)) {
        let bytes = bytes.try_into().unwrap();
        prop_assert_eq!(MuHash3072::from_bytes(&bytes).to_bytes(), bytes);
    }
}
