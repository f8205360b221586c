//! The hash of a set whose elements come and go in any order (Core: `crypto/muhash.h`; Bellare and Micciancio, "A New
//! Paradigm for Collision-Free Hashing", 1997).
//!
//! Each element stands for a number below 2^3072, and a set for the product of its elements' numbers modulo a prime.
//! Multiplication does not care about order, and division takes an element out again.

use std::ops::{DivAssign, MulAssign};

use chacha20::cipher::StreamCipher;
use chacha20::{ChaCha20, KeyIvInit};
use ruint::Uint;

use super::sha256;

/// Limbs of 64 bits in a number.
const LIMBS: usize = 48;

/// Bytes of a number.
const NUMBER_SIZE: usize = 8 * LIMBS;

/// A number modulo [`MODULUS`].
type Number = Uint<3072, LIMBS>;

/// The distance from [`MODULUS`] up to 2^3072, which is therefore what 2^3072 is congruent to.
const MODULUS_DISTANCE: u64 = 1_103_717;

/// 2^3072 − 1103717, the largest safe prime of 3072 bits.
const MODULUS: Number = {
    let mut limbs = [u64::MAX; LIMBS];
    limbs[0] -= MODULUS_DISTANCE - 1;
    Number::from_limbs(limbs)
};

/// A running hash of a set of byte strings (Core: `MuHash3072`, `crypto/muhash.h`).
///
/// It does not know what the set holds: an element inserted twice counts twice, and one removed that was never there
/// leaves a debt that inserting it settles.
///
/// Added elements are multiplied into a numerator and removed ones into a denominator, so that only
/// [`MuHash3072::finalize`] has to divide.
#[derive(Debug, Clone)]
pub struct MuHash3072 {
    numerator: Number,
    denominator: Number,
}

impl MuHash3072 {
    /// Bytes of [`MuHash3072::to_bytes`].
    pub const SIZE: usize = 2 * NUMBER_SIZE;

    /// The hash of the empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { numerator: Number::ONE, denominator: Number::ONE }
    }

    /// Adds an element.
    pub fn insert(&mut self, element: &[u8]) -> &mut Self {
        self.numerator = multiply(&self.numerator, &number_of(element));
        self
    }

    /// Takes an element away.
    pub fn remove(&mut self, element: &[u8]) -> &mut Self {
        self.denominator = multiply(&self.denominator, &number_of(element));
        self
    }

    /// The hash of the set: SHA-256 of the quotient's 384 bytes, little-endian.
    ///
    /// Core's RPC shows the 32 bytes in reverse, as it shows block hashes.
    #[must_use]
    pub fn finalize(&self) -> [u8; 32] {
        // Only bytes made up for the purpose have a denominator without an inverse. Core takes zero for the inverse then.
        let inverse = reduce(self.denominator).inv_mod(MODULUS).unwrap_or(Number::ZERO);
        sha256(&multiply(&self.numerator, &inverse).to_le_bytes::<NUMBER_SIZE>())
    }

    /// The running hash as Core stores it: numerator, then denominator, each 384 bytes, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (numerator, denominator) = bytes.split_at_mut(NUMBER_SIZE);
        numerator.copy_from_slice(&self.numerator.to_le_bytes::<NUMBER_SIZE>());
        denominator.copy_from_slice(&self.denominator.to_le_bytes::<NUMBER_SIZE>());
        bytes
    }

    /// A running hash from the form of [`MuHash3072::to_bytes`]; any bytes are one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let (numerator, denominator) = bytes.split_at(NUMBER_SIZE);
        Self { numerator: Number::from_le_slice(numerator), denominator: Number::from_le_slice(denominator) }
    }
}

impl Default for MuHash3072 {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds all elements of another set, so that parts of one set can be hashed at the same time.
impl MulAssign<&Self> for MuHash3072 {
    fn mul_assign(&mut self, other: &Self) {
        self.numerator = multiply(&self.numerator, &other.numerator);
        self.denominator = multiply(&self.denominator, &other.denominator);
    }
}

/// Takes all elements of another set away.
impl DivAssign<&Self> for MuHash3072 {
    fn div_assign(&mut self, other: &Self) {
        self.numerator = multiply(&self.numerator, &other.denominator);
        self.denominator = multiply(&self.denominator, &other.numerator);
    }
}

/// The number an element stands for: as much ChaCha20 keystream as fills it, with SHA-256 of the element as the key
/// (Core: `MuHash3072::ToNum3072`). It need not be below the modulus.
fn number_of(element: &[u8]) -> Number {
    let mut keystream = [0; NUMBER_SIZE];
    ChaCha20::new(&sha256(element).into(), &[0; 12].into()).apply_keystream(&mut keystream);
    Number::from_le_bytes(keystream)
}

/// The product of two numbers, below the modulus (Core: `Num3072::Multiply`).
fn multiply(a: &Number, b: &Number) -> Number {
    let product: Uint<6144, { 2 * LIMBS }> = a.widening_mul(*b);
    let limbs = product.as_limbs();
    let low = Number::from_limbs(*limbs.first_chunk().expect("a product has twice the limbs of a number"));
    let high = Number::from_limbs(*limbs.last_chunk().expect("a product has twice the limbs of a number"));

    // What lies above 2^3072 weighs MODULUS_DISTANCE there, and is 21 bits longer than a number then.
    let folded: Uint<3136, { LIMBS + 1 }> = high.widening_mul(Uint::<64, 1>::from_limbs([MODULUS_DISTANCE]));
    let [folded @ .., top] = folded.into_limbs();
    let (sum, carry) = low.overflowing_add(Number::from_limbs(folded));

    // Those 21 bits and the carry once more: 43 bits at most.
    let (sum, carry) = sum.overflowing_add(Number::from((top + u64::from(carry)) * MODULUS_DISTANCE));
    // A sum that wrapped is so small that it cannot wrap again.
    let sum = if carry { sum.wrapping_add(Number::from(MODULUS_DISTANCE)) } else { sum };
    reduce(sum)
}

/// `number` modulo [`MODULUS`], which is so near 2^3072 that one subtraction is enough.
fn reduce(number: Number) -> Number {
    if number < MODULUS { number } else { number.wrapping_sub(MODULUS) }
}

#[cfg(test)]
mod tests;
