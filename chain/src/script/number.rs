//! Numbers on the stack.

use super::ScriptError;
use super::stack::Element;

/// Bytes a number may have as an operand (Core: `CScriptNum::nDefaultMaxNumSize`, `script/script.h`).
pub(super) const OPERAND_SIZE: usize = 4;
/// Bytes a number may have as a lock time, which exceeds 31 bits (BIP65, BIP112).
pub(super) const LOCK_TIME_SIZE: usize = 5;

/// Reads a number: little-endian, with the sign in the highest bit (Core: `CScriptNum`, `script/script.h`).
///
/// Operands have at most four bytes, but results may be longer, and may be pushed as long as no operation reads them as
/// numbers: which is why they are held in 64 bits here, where none can overflow.
pub(super) fn decode(element: &Element<'_>, minimal: bool, max_size: usize) -> Result<i64, ScriptError> {
    let bytes = element.as_bytes();
    if bytes.len() > max_size {
        return Err(ScriptError::ScriptNum);
    }
    let [head @ .., last] = bytes else {
        return Ok(0);
    };
    // Minimal: the highest byte is not just a sign, unless the byte below needs its highest bit for itself. This refuses
    // negative zero too.
    if minimal && last & 0x7f == 0 && head.last().is_none_or(|below| below & 0x80 == 0) {
        return Err(ScriptError::ScriptNum);
    }
    let magnitude = head.iter().rev().fold(i64::from(last & 0x7f), |value, &byte| value << 8 | i64::from(byte));
    Ok(if last & 0x80 == 0 { magnitude } else { -magnitude })
}

/// Writes a number in its shortest form (Core: `CScriptNum::serialize`, `script/script.h`).
pub(super) fn encode(value: i64) -> Element<'static> {
    let mut bytes = [0; 9];
    let mut length = 0;
    let mut magnitude = value.unsigned_abs();
    while magnitude > 0 {
        bytes[length] = magnitude.to_le_bytes()[0];
        magnitude >>= 8;
        length += 1;
    }
    if length > 0 {
        if bytes[length - 1] & 0x80 != 0 {
            length += 1; // the sign needs a byte of its own
        }
        if value < 0 {
            bytes[length - 1] |= 0x80;
        }
    }
    Element::computed(&bytes[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], minimal: bool) -> Result<i64, ScriptError> {
        decode(&Element::Pushed(bytes), minimal, OPERAND_SIZE)
    }

    #[test]
    fn examples() {
        for (value, bytes) in [
            (0, &[][..]),
            (1, &[1]),
            (-1, &[0x81]),
            (127, &[0x7f]),
            (128, &[0x80, 0]),
            (-128, &[0x80, 0x80]),
            (255, &[0xff, 0]),
            (-255, &[0xff, 0x80]),
            (0x7fff_ffff, &[0xff, 0xff, 0xff, 0x7f]),
        ] {
            assert_eq!(encode(value).as_bytes(), bytes);
            assert_eq!(read(bytes, true), Ok(value));
        }
    }

    #[test]
    fn longer_forms_are_numbers_only_without_minimaldata() {
        for (bytes, value) in [(&[0][..], 0), (&[0x80], 0), (&[1, 0], 1), (&[1, 0x80], -1), (&[0, 0, 0, 0x80], 0)] {
            assert_eq!(read(bytes, false), Ok(value), "{bytes:?}");
            assert_eq!(read(bytes, true), Err(ScriptError::ScriptNum), "{bytes:?}");
        }
        assert_eq!(read(&[0; 5], false), Err(ScriptError::ScriptNum));
    }

    proptest! {
        #[test]
        fn numbers_survive_a_round_trip(value in -0xff_ffff_ffff_i64 / 2..0xff_ffff_ffff / 2) {
            prop_assert_eq!(decode(&encode(value), true, LOCK_TIME_SIZE), Ok(value));
        }
    }
}
