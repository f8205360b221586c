//! Writing scripts.

use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all::{OP_CODESEPARATOR, OP_PUSHNUM_NEG1};

/// Where an `OP_CODESEPARATOR` stands, as the two ways to sign from it count.
#[derive(Clone, Copy)]
pub(crate) struct Separator {
    /// Offset of the operation behind it.
    pub(crate) next: usize,
    /// Its index among the operations.
    pub(crate) position: u32,
}

/// A script and how many operations it has.
#[derive(Clone, Default)]
pub(crate) struct ScriptBuilder {
    bytes: Vec<u8>,
    operations: u32,
}

impl ScriptBuilder {
    pub(crate) fn op(&mut self, opcode: Opcode) -> &mut Self {
        self.raw(&[opcode.to_u8()])
    }

    pub(crate) fn ops(&mut self, opcode: Opcode, count: usize) -> &mut Self {
        for _ in 0..count {
            self.op(opcode);
        }
        self
    }

    /// Bytes that are one operation.
    pub(crate) fn raw(&mut self, operation: &[u8]) -> &mut Self {
        self.bytes.extend(operation);
        self.operations += 1;
        self
    }

    /// The push of `data` that its length asks for.
    pub(crate) fn push(&mut self, data: &[u8]) -> &mut Self {
        self.raw(&push(data))
    }

    /// The shortest push of a number.
    pub(crate) fn number(&mut self, number: i64) -> &mut Self {
        match number {
            -1 => self.op(OP_PUSHNUM_NEG1),
            1..=16 => self.raw(&[0x50 + number as u8]),
            _ => self.push(&number_bytes(number)),
        }
    }

    pub(crate) fn separator(&mut self) -> Separator {
        self.op(OP_CODESEPARATOR);
        Separator { next: self.bytes.len(), position: self.operations - 1 }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}

/// The push of `data` that its length asks for; one byte is never `OP_1`.
pub(crate) fn push(data: &[u8]) -> Vec<u8> {
    let width = match data.len() {
        0..=75 => 0,
        76..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    };
    push_as(data, width)
}

/// The push of `data` with a length of `width` bytes; none means that the opcode is the length.
pub(crate) fn push_as(data: &[u8], width: usize) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    let prefix = match width {
        0 => vec![length[0]],
        1 => vec![0x4c, length[0]],
        2 => vec![0x4d, length[0], length[1]],
        _ => [&[0x4e], &length[..]].concat(),
    };
    [prefix, data.to_vec()].concat()
}

/// A number in its shortest form: little-endian, the sign in the highest bit.
pub(crate) fn number_bytes(number: i64) -> Vec<u8> {
    let magnitude = number.unsigned_abs();
    let mut bytes = magnitude.to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.last().is_some_and(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if let (Some(last), true) = (bytes.last_mut(), number < 0) {
        *last |= 0x80;
    }
    bytes
}
