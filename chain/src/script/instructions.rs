//! Iterating over the operations of a script.

use bitcoin::opcodes::{Opcode, all::*};

/// One operation: an opcode and, for the opcodes up to `OP_PUSHDATA4`, what it pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// The opcode.
    pub opcode: Opcode,
    /// The data a push carries; empty for every other opcode.
    pub data: &'a [u8],
}

impl Instruction<'_> {
    /// Whether this pushes the data it carries (`OP_0` to `OP_PUSHDATA4`).
    #[must_use]
    pub fn is_data_push(self) -> bool {
        self.opcode.to_u8() <= OP_PUSHDATA4.to_u8()
    }

    /// Whether Core counts this as pushing a value: everything up to `OP_16`, the reserved opcode 0x50 included.
    #[must_use]
    pub fn is_push(self) -> bool {
        self.opcode.to_u8() <= OP_PUSHNUM_16.to_u8()
    }

    /// Whether a data push has its shortest form (Core: `CheckMinimalPush`, `script/script.cpp`; BIP62).
    #[must_use]
    pub fn is_minimal_push(self) -> bool {
        match self.data {
            [] => self.opcode == OP_PUSHBYTES_0,
            // One of OP_1 … OP_16 or OP_1NEGATE would have pushed the same.
            [1..=16 | 0x81] => false,
            data if data.len() <= 75 => usize::from(self.opcode.to_u8()) == data.len(),
            data if data.len() <= 255 => self.opcode == OP_PUSHDATA1,
            data if data.len() <= 65_535 => self.opcode == OP_PUSHDATA2,
            _ => true,
        }
    }

    /// Whether this makes a tapscript succeed by its presence (Core: `IsOpSuccess`, `script/script.cpp`; BIP342).
    #[must_use]
    pub fn is_op_success(self) -> bool {
        matches!(
            self.opcode.to_u8(),
            80 | 98 | 126..=129 | 131..=134 | 137..=138 | 141..=142 | 149..=153 | 187..=254
        )
    }
}

/// The number an opcode pushes, for `OP_0` to `OP_16` (Core: `CScript::DecodeOP_N`, `script/script.h`).
pub(super) fn decode_op_n(opcode: Opcode) -> Option<u8> {
    match opcode.to_u8() {
        0 => Some(0),
        code @ 0x51..=0x60 => Some(code - 0x50),
        _ => None,
    }
}

/// A push that reaches beyond the end of its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruncatedPush;

/// Iterator over the operations of a script (Core: `GetScriptOp`, `script/script.cpp`).
#[derive(Debug, Clone)]
pub struct Instructions<'a> {
    script: &'a [u8],
    position: usize,
    failed: bool,
}

impl<'a> Instructions<'a> {
    /// The operations of `script` from its start.
    #[must_use]
    pub fn new(script: &'a [u8]) -> Self {
        Self { script, position: 0, failed: false }
    }

    /// Offset of the next operation, or, after a truncated push, of the data that push lacked.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Continues at `position`, which must not lie beyond the script.
    pub(super) fn skip_to(&mut self, position: usize) {
        self.position = position;
    }

    /// A little-endian length of `width` bytes.
    fn length(&mut self, width: usize) -> Option<usize> {
        let bytes = self.script.get(self.position..self.position + width)?;
        self.position += width;
        Some(bytes.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte)))
    }

    fn data(&mut self, opcode: u8) -> Option<&'a [u8]> {
        let length = match Opcode::from(opcode) {
            OP_PUSHDATA1 => self.length(1)?,
            OP_PUSHDATA2 => self.length(2)?,
            OP_PUSHDATA4 => self.length(4)?,
            _ => usize::from(opcode),
        };
        let data = self.script[self.position..].get(..length)?;
        self.position += length;
        Some(data)
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, TruncatedPush>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let opcode = *self.script.get(self.position)?;
        self.position += 1;
        let data = if opcode <= OP_PUSHDATA4.to_u8() {
            let Some(data) = self.data(opcode) else {
                self.failed = true;
                return Some(Err(TruncatedPush));
            };
            data
        } else {
            &[]
        };
        Some(Ok(Instruction { opcode: Opcode::from(opcode), data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(script: &[u8]) -> Vec<Result<(u8, Vec<u8>), TruncatedPush>> {
        Instructions::new(script).map(|item| item.map(|op| (op.opcode.to_u8(), op.data.to_vec()))).collect()
    }

    #[test]
    fn four_ways_to_push_one_byte() {
        for push in [&[1, 0x5a][..], &[0x4c, 1, 0x5a], &[0x4d, 1, 0, 0x5a], &[0x4e, 1, 0, 0, 0, 0x5a]] {
            assert_eq!(all(push), [Ok((push[0], vec![0x5a]))]);
        }
    }

    #[test]
    fn a_truncated_push_ends_the_script_where_core_stops() {
        for (script, position) in
            [(&[2, 1][..], 1), (&[0x4c], 1), (&[0x4c, 2, 1], 2), (&[0x4d, 1], 1), (&[0x4e, 255, 255, 255, 255], 5)]
        {
            let mut instructions = Instructions::new(script);
            assert_eq!(instructions.next(), Some(Err(TruncatedPush)), "{script:?}");
            assert_eq!((instructions.position(), instructions.next()), (position, None), "{script:?}");
        }
    }

    #[test]
    fn minimal_pushes() {
        let minimal = |opcode: u8, data: &[u8]| Instruction { opcode: Opcode::from(opcode), data }.is_minimal_push();
        assert!(minimal(0, &[]) && !minimal(0x4c, &[]));
        assert!(
            minimal(1, &[0]) && !minimal(1, &[1]) && !minimal(1, &[16]) && minimal(1, &[17]) && !minimal(1, &[0x81])
        );
        assert!(minimal(75, &[0; 75]) && !minimal(0x4c, &[0; 75]) && minimal(0x4c, &[0; 76]));
        assert!(!minimal(0x4d, &[0; 255]) && minimal(0x4d, &[0; 256]) && !minimal(0x4e, &[0; 65_535]));
        assert!(minimal(0x4e, &[0; 65_536]));
    }

    #[test]
    fn there_are_87_op_successes() {
        // BIP342 lists 80, 98, 126-129, 131-134, 137-138, 141-142, 149-153 and 187-254.
        let count = (0..=255).filter(|&op| Instruction { opcode: Opcode::from(op), data: &[] }.is_op_success()).count();
        assert_eq!(count, 87);
    }
}
