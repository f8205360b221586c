//! Which characters of a segwit address were mistyped (Core: `bech32::LocateErrors`, `bech32.cpp`).
//!
//! Symbols are elements of a field of 32 elements, and a text is a polynomial over it. Those without errors are multiples of
//! the code's generator, whose roots include three consecutive powers of a primitive element of the field of 1024 elements
//! above it: the 997th, the 998th and the 999th. The values a text has there, its syndromes, depend on the errors alone, and
//! one or two of those can be found from them.

use std::iter::successors;
use std::sync::LazyLock;

use super::bech32::{MAX_CHARACTERS, Variant, remainder, separator, symbol, wrong_characters};

/// Elements of the large field that are not zero, all of them powers of the primitive element.
const ORDER: usize = 1023;
/// Powers of the primitive element whose exponents are multiples of this are elements of the small field.
const INDEX: usize = 33;
/// The exponent of the first root.
const FIRST_ROOT: usize = 997;

/// Says what is wrong with a text that does not decode, and where (Core: `bech32::LocateErrors`).
pub(super) fn locate_errors(text: &str) -> (&'static str, Vec<usize>) {
    if text.len() > MAX_CHARACTERS {
        return ("Bech32 string too long", (MAX_CHARACTERS..text.len()).collect());
    }
    let wrong = wrong_characters(text);
    if !wrong.is_empty() {
        return ("Invalid character or mixed case", wrong);
    }
    let place = match separator(text) {
        Ok(place) => place,
        Err(None) => return ("Missing separator", Vec::new()),
        Err(Some(place)) => return ("Invalid separator position", vec![place]),
    };
    let hrp = text[..place].to_ascii_lowercase();
    let mut data = Vec::with_capacity(text.len());
    for (place, character) in text.bytes().enumerate().skip(place + 1) {
        match symbol(character) {
            Some(symbol) => data.push(symbol),
            None => return ("Invalid Base 32 character", vec![place]),
        }
    }
    let remainder = remainder(&hrp, &data);
    let mut best = Vec::new();
    let mut message = "Invalid checksum";
    for (variant, its_message) in
        [(Variant::Bech32, "Invalid Bech32 checksum"), (Variant::Bech32m, "Invalid Bech32m checksum")]
    {
        let errors = errors_from_right(remainder ^ variant.constant(), data.len());
        if best.is_empty() || (!errors.is_empty() && errors.len() < best.len()) {
            best = errors;
            if !best.is_empty() {
                message = its_message;
            }
        }
    }
    let mut places: Vec<_> = best.into_iter().map(|from_right| text.len() - 1 - from_right).collect();
    places.sort_unstable();
    (message, places)
}

/// Where one or two errors are that leave this remainder in a text with `length` symbols, counted from its end; nothing if
/// there are more.
fn errors_from_right(remainder: u32, length: usize) -> Vec<usize> {
    let field = &*FIELD;
    let syndromes = [0, 1, 2].map(|root| field.value_at(remainder, FIRST_ROOT + root));
    let logs = syndromes.map(|syndrome| field.log(syndrome));
    if let [Some(first), Some(second), Some(third)] = logs
        && (2 * second) % ORDER == (first + third) % ORDER
    {
        // One error with value v at place p has syndromes v·e^(997p), v·e^(998p) and v·e^(999p).
        let place = (second + ORDER - first) % ORDER;
        let value = first + (ORDER - FIRST_ROOT) * place;
        return if place < length && value.is_multiple_of(INDEX) { vec![place] } else { Vec::new() };
    }
    (0..length).find_map(|place| Some(vec![place, second_place(&syndromes, place, length)?])).unwrap_or_default()
}

/// Where the second error is, if the first is at `place`.
fn second_place(syndromes: &[u16; 3], place: usize, length: usize) -> Option<usize> {
    let field = &*FIELD;
    // Adding a syndrome times e^p to the next one cancels what the error at p contributes to both.
    let without = |lower: usize, place| field.log(syndromes[lower + 1] ^ field.shift(syndromes[lower], place));
    let first = without(0, place)?;
    let second = (without(1, place)? + ORDER - first) % ORDER;
    if second >= length || second == place {
        return None;
    }
    // Both values must be in the small field.
    let inverse = ORDER - field.log(field.power(place) ^ field.power(second))?;
    let value = |log: usize, at: usize| log + inverse + (ORDER - FIRST_ROOT) * at;
    let is_small = |value: usize| value.is_multiple_of(INDEX);
    (is_small(value(first, second)) && is_small(value(without(0, second)?, place))).then_some(second)
}

static FIELD: LazyLock<Field> = LazyLock::new(Field::new);

/// The field of 1024 elements: pairs of elements of the field of 32, the higher one times a root of x² + 9x + 23 plus the
/// lower one. That root is the primitive element.
struct Field {
    /// Powers of the primitive element.
    powers: Vec<u16>,
    /// Their exponents, by element; that of zero means nothing.
    logs: Vec<usize>,
}

impl Field {
    fn new() -> Self {
        let next = |element: &u16| {
            let (high, low) = (element >> 5, element & 31);
            Some((multiply_small(high, 9) ^ low) << 5 | multiply_small(high, 23))
        };
        let powers: Vec<u16> = successors(Some(1), next).take(ORDER).collect();
        let mut logs = vec![0; ORDER + 1];
        for (exponent, &element) in powers.iter().enumerate() {
            logs[usize::from(element)] = exponent;
        }
        Self { powers, logs }
    }

    fn power(&self, exponent: usize) -> u16 {
        self.powers[exponent % ORDER]
    }

    fn log(&self, element: u16) -> Option<usize> {
        (element != 0).then(|| self.logs[usize::from(element)])
    }

    /// An element times a power of the primitive element.
    fn shift(&self, element: u16, exponent: usize) -> u16 {
        self.log(element).map_or(0, |log| self.power(log + exponent))
    }

    /// The value of a polynomial with six coefficients of five bits at a power of the primitive element.
    fn value_at(&self, polynomial: u32, exponent: usize) -> u16 {
        let coefficient = |degree: usize| u16::try_from(polynomial >> (5 * degree) & 31).unwrap_or_default();
        (0..6).fold(0, |sum, degree| sum ^ self.shift(coefficient(degree), exponent * degree))
    }
}

/// Multiplies in the field of 32 elements, whose elements are polynomials of bits modulo x⁵ + x³ + 1.
fn multiply_small(left: u16, right: u16) -> u16 {
    let mut product = (0..5).filter(|bit| right >> bit & 1 == 1).fold(0, |sum, bit| sum ^ left << bit);
    for bit in (5..9).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0b10_1001 << (bit - 5);
        }
    }
    product
}
