//! The text of segwit addresses (BIP173, BIP350; Core: `bech32.cpp`).

/// The 32 characters, in the order of their values.
const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// What stands between the human-readable part and the data.
pub(super) const SEPARATOR: u8 = b'1';
/// Symbols of the checksum.
pub(super) const CHECKSUM_SYMBOLS: usize = 6;
/// The most characters of which the checksum finds four errors (Core: `CharLimit::BECH32`).
pub(super) const MAX_CHARACTERS: usize = 90;

/// Which checksum a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// That of BIP173.
    Bech32,
    /// That of BIP350.
    Bech32m,
}

impl Variant {
    /// What the remainder of a text without errors is (Core: `EncodingConstant`).
    pub(super) fn constant(self) -> u32 {
        match self {
            Self::Bech32 => 1,
            Self::Bech32m => 0x2bc8_30a3,
        }
    }
}

/// A text without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) variant: Variant,
    /// The human-readable part, in lower case.
    pub(super) hrp: String,
    /// Symbols of five bits, without the checksum.
    pub(super) data: Vec<u8>,
}

/// Places of characters that no such text has, or of another case than those before (Core: `CheckCharacters`).
pub(super) fn wrong_characters(text: &str) -> Vec<usize> {
    let (mut has_lower, mut has_upper) = (false, false);
    let mut wrong = Vec::new();
    for (place, character) in text.bytes().enumerate() {
        let is_wrong = match character {
            b'a'..=b'z' => has_upper,
            b'A'..=b'Z' => has_lower,
            _ => !character.is_ascii_graphic(),
        };
        if is_wrong {
            wrong.push(place);
        } else {
            has_lower |= character.is_ascii_lowercase();
            has_upper |= character.is_ascii_uppercase();
        }
    }
    wrong
}

/// The value of a character, in either case.
pub(super) fn symbol(character: u8) -> Option<u8> {
    let character = character.to_ascii_lowercase();
    let place = CHARACTERS.iter().position(|known| *known == character)?;
    u8::try_from(place).ok()
}

/// Place of the separator, if there is something before it and more than a checksum's worth after it; else the place where it
/// should not be, if it is anywhere.
pub(super) fn separator(text: &str) -> Result<usize, Option<usize>> {
    let place = text.bytes().rposition(|character| character == SEPARATOR).ok_or(None)?;
    if place == 0 || place + CHECKSUM_SYMBOLS >= text.len() { Err(Some(place)) } else { Ok(place) }
}

/// Reads a text; nothing if it has errors (Core: `bech32::Decode`).
pub(super) fn decode(text: &str) -> Option<Decoded> {
    if text.len() > MAX_CHARACTERS || !wrong_characters(text).is_empty() {
        return None;
    }
    let place = separator(text).ok()?;
    let hrp = text[..place].to_ascii_lowercase();
    let mut data: Vec<u8> = text.bytes().skip(place + 1).map(symbol).collect::<Option<_>>()?;
    let remainder = remainder(&hrp, &data);
    let variant = [Variant::Bech32, Variant::Bech32m].into_iter().find(|variant| variant.constant() == remainder)?;
    data.truncate(data.len() - CHECKSUM_SYMBOLS);
    Some(Decoded { variant, hrp, data })
}

/// What remains of human-readable part and symbols when they are divided by the code's generator, six symbols of five bits
/// (Core: `PolyMod`).
pub(super) fn remainder(hrp: &str, data: &[u8]) -> u32 {
    /// Multiples of the generator, less its highest term, by one, two, four, eight and sixteen.
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = hrp.bytes().map(|character| character >> 5);
    let low = hrp.bytes().map(|character| character & 31);
    let symbols = high.chain([0]).chain(low).chain(data.iter().copied());
    symbols.fold(1_u32, |remainder, symbol| {
        let highest = remainder >> 25;
        let shifted = ((remainder & 0x01ff_ffff) << 5) ^ u32::from(symbol);
        (0..).zip(GENERATOR).filter(|(bit, _)| highest >> bit & 1 == 1).fold(shifted, |sum, (_, term)| sum ^ term)
    })
}

/// The bytes that symbols of five bits stand for; nothing if what is left over is more than padding with zeros (Core:
/// `ConvertBits<5, 8, false>`, `util/strencodings.h`).
pub(super) fn to_bytes(symbols: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = Vec::with_capacity(symbols.len() * 5 / 8);
    for &symbol in symbols {
        bits = (bits << 5 | u32::from(symbol)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    let padding = bits & ((1 << count) - 1);
    (count < 5 && padding == 0).then_some(bytes)
}
