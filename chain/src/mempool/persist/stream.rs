//! The bytes of a file, as many as are needed at once.

use std::io::{self, Read};

use super::ObfuscationKey;

/// Bytes that are asked of the file at once.
const READ_SIZE: usize = 1 << 16;

/// A file read from start to end through a buffer, which grows to what its user needs at once and not beyond.
#[derive(Debug)]
pub(super) struct Stream<R> {
    input: R,
    key: Option<ObfuscationKey>,
    /// What was read and not used yet begins at `start`.
    buffer: Vec<u8>,
    start: usize,
    /// Where in the file the unused bytes begin.
    offset: u64,
    reached_end: bool,
}

impl<R: Read> Stream<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, key: None, buffer: Vec::new(), start: 0, offset: 0, reached_end: false }
    }

    /// Takes the key off all bytes that were not used yet.
    pub(super) fn set_key(&mut self, key: ObfuscationKey) {
        key.apply(&mut self.buffer[self.start..], self.offset);
        self.key = Some(key);
    }

    /// Where in the file the unused bytes begin.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The unused bytes in the buffer.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Marks bytes of the buffer as used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads on until at least `wanted` unused bytes are in the buffer, or all there are; false in the latter case.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.buffered().len() < wanted && !self.reached_end {
            self.buffer.drain(..self.start);
            self.start = 0;
            let before = self.buffer.len();
            // A short file costs only its size.
            let missing = (wanted - before).max(READ_SIZE) as u64;
            let read = self.input.by_ref().take(missing).read_to_end(&mut self.buffer)?;
            self.reached_end = (read as u64) < missing;
            if let Some(key) = self.key {
                key.apply(&mut self.buffer[before..], self.offset + before as u64);
            }
        }
        Ok(self.buffered().len() >= wanted)
    }

    /// The next bytes, if the file has as many left.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        self.fill(N)?;
        let Some(taken) = self.buffered().first_chunk::<N>().copied() else { return Ok(None) };
        self.consume(N);
        Ok(Some(taken))
    }
}
