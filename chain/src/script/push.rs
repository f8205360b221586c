//! Writing pushes as Core's `CScript` does.

use super::number;

/// Appends the push of `data` as Core's `CScript::operator<<` makes it: by length alone, so one byte is never `OP_1`.
///
/// # Panics
///
/// When the data are 4 GiB long or longer, which no message is.
pub fn append_push(script: &mut Vec<u8>, data: &[u8]) {
    let length = u32::try_from(data.len()).expect("no element is 4 GiB long").to_le_bytes();
    match data.len() {
        0..=75 => script.push(length[0]),
        76..=0xff => script.extend([0x4c, length[0]]),
        0x100..=0xffff => script.extend([0x4d, length[0], length[1]]),
        _ => {
            script.push(0x4e);
            script.extend(length);
        }
    }
    script.extend_from_slice(data);
}

/// Appends the push of a number: `OP_1NEGATE` and `OP_0` to `OP_16` where there is one, else its bytes (Core:
/// `CScript::push_int64`, `script/script.h`).
pub(crate) fn append_number_push(script: &mut Vec<u8>, value: i64) {
    match value {
        -1 | 1..=16 => script.extend(u8::try_from(value + 0x50)),
        _ => append_push(script, number::encode(value).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pushed_as_core_pushes_heights() {
        for (value, expected) in [
            (0, &[0][..]),
            (-1, &[0x4f]),
            (1, &[0x51]),
            (16, &[0x60]),
            (17, &[1, 17]),
            (127, &[1, 127]),
            (128, &[2, 128, 0]),
            (500_000, &[3, 0x20, 0xa1, 0x07]),
        ] {
            let mut script = Vec::new();
            append_number_push(&mut script, value);
            assert_eq!(script, expected, "{value}");
        }
    }

    #[test]
    fn lengths_choose_the_opcode() {
        for (length, prefix) in [
            (0, &[0][..]),
            (75, &[75]),
            (76, &[0x4c, 76]),
            (255, &[0x4c, 255]),
            (256, &[0x4d, 0, 1]),
            (65_535, &[0x4d, 255, 255]),
            (65_536, &[0x4e, 0, 0, 1, 0]),
        ] {
            let mut script = Vec::new();
            append_push(&mut script, &vec![7; length]);
            assert_eq!((&script[..prefix.len()], script.len()), (prefix, prefix.len() + length));
        }
    }
}
