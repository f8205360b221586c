//! Random numbers that are the same in every run.

/// The generator "SplitMix64" (Steele, Lea and Flood, 2014).
pub(crate) struct Random(u64);

impl Random {
    /// A generator whose numbers depend on `seed` alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits are left")
    }
}

#[test]
fn the_first_numbers_from_seed_zero() {
    // The high halves of the published 64-bit numbers.
    let mut random = Random::new(0);
    assert_eq!([random.next_u32(), random.next_u32(), random.next_u32()], [0xe220_a839, 0x6e78_9e6a, 0x06c4_5d18]);
}
