//! Finding blocks in a stream, for import and reindex (Core: `LoadExternalBlockFile`, `validation.cpp`).

#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read};
use std::ops::RangeInclusive;

use memchr::memmem::Finder;

use super::block_files::STORAGE_HEADER_BYTES;

/// The most bytes a block may have on disk (Core: `MAX_BLOCK_SERIALIZED_SIZE`, `consensus/consensus.h`).
pub const MAX_BLOCK_SERIALIZED_SIZE: u32 = 4_000_000;

/// Lengths in bytes that a block can have: it has a header at least.
const BLOCK_LENGTHS: RangeInclusive<u32> = 80..=MAX_BLOCK_SERIALIZED_SIZE;

/// Bytes in front of a block: the network's magic and the block's length.
const FRAME: usize = STORAGE_HEADER_BYTES as usize;

/// Bytes asked of the stream at once. The buffer grows beyond that for a larger record only, and a buffer that stays in
/// the processor's cache is faster than a large one.
const READ_SIZE: usize = 256 * 1024;

/// A block as it stood in the stream. Nothing about it was checked but its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedBlock {
    /// Where the block itself starts, behind its frame: bytes from the start of the stream.
    pub offset: u64,
    /// The serialized block.
    pub bytes: Vec<u8>,
}

/// Finds block records in a stream of Core's `blk?????.dat` framing: the network's magic (4 bytes), the block's length in
/// bytes (4 bytes, little-endian), the block.
///
/// What is between records is passed over, whatever it is: padding, garbage, records of another network, a frame whose
/// length no block can have, a record that the end of the stream cuts short. It needs memory for one record of
/// [`MAX_BLOCK_SERIALIZED_SIZE`] beside the one it returns, and never seeks, so a pipe will do. It reads on to the magic behind
/// a record before it returns that record.
#[derive(Debug)]
pub struct BlockFileScanner<R> {
    input: R,
    magic: Finder<'static>,
    obfuscation: Option<[u8; 8]>,
    /// Bytes of the stream; those up to `end` were read, and those from `start` on were not passed over yet.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where in the stream the buffer starts.
    buffer_offset: u64,
    reached_end: bool,
    /// Length of the last record with its frame, which ends at `start`, until the search goes on.
    last_record: Option<usize>,
    /// Bytes of all records returned, with their frames.
    record_bytes: u64,
}

impl<R: Read> BlockFileScanner<R> {
    /// A scanner for blocks of the network with that magic, from where `input` stands.
    pub fn new(input: R, magic: [u8; 4]) -> Self {
        Self {
            input,
            magic: Finder::new(&magic).into_owned(),
            obfuscation: None,
            buffer: vec![0; READ_SIZE],
            start: 0,
            end: 0,
            buffer_offset: 0,
            reached_end: false,
            last_record: None,
            record_bytes: 0,
        }
    }

    /// The same for a file that Core obfuscated: byte i of the file was combined by exclusive or with byte i mod 8 of
    /// `key`, which is what `blocks/xor.dat` holds (Core: `Obfuscation`, `util/obfuscation.h`). `input` has to stand at the
    /// start of the file.
    #[must_use]
    pub fn with_obfuscation(mut self, key: [u8; 8]) -> Self {
        self.obfuscation = Some(key);
        self
    }

    /// The stream it reads.
    #[must_use]
    pub fn input(&self) -> &R {
        &self.input
    }

    /// The next record, or nothing when the stream is at its end.
    ///
    /// # Errors
    ///
    /// When the stream could not be read. Nothing is lost by that: the search may go on.
    pub fn next_record(&mut self) -> io::Result<Option<ScannedBlock>> {
        self.last_record = None;
        while self.find_magic()? {
            match self.record_length()? {
                Some(length) => return Ok(Some(self.take_record(length))),
                // A record may start within what looked like a frame.
                None => self.start += 1,
            }
        }
        Ok(None)
    }

    /// Takes back the last record because it was no block: the search goes on within it, behind its magic's first byte. By
    /// that a record is found although a frame with a wrong length stands before it.
    ///
    /// It does nothing before the first record, at the end, and when called twice.
    pub fn rescan_last(&mut self) {
        if let Some(length) = self.last_record.take() {
            self.start -= length - 1;
            self.record_bytes -= wide(length);
        }
    }

    /// Whether the next frame stands right behind the last record. If not, the last record may be one that broke off, with
    /// others inside it and across its claimed end. Before the first record and at the end, the answer is no.
    #[must_use]
    pub fn is_followed_by_frame(&self) -> bool {
        self.last_record.is_some() && self.buffer[self.start..self.end].starts_with(self.magic.needle())
    }

    /// Bytes so far that belong to no record: what was passed over, and records that were taken back.
    #[must_use]
    pub fn skipped_bytes(&self) -> u64 {
        self.buffer_offset + wide(self.start) - self.record_bytes
    }

    /// Moves to the next magic, or to the end of the stream when there is none.
    fn find_magic(&mut self) -> io::Result<bool> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(distance) = self.magic.find(unread) {
                self.start += distance;
                return Ok(true);
            }
            // The last bytes may be the first ones of a magic.
            self.start += unread.len().saturating_sub(self.magic.needle().len() - 1);
            if !self.read_more()? {
                self.start = self.end;
                return Ok(false);
            }
        }
    }

    /// Length with its frame of the record whose magic is next, if it can be one and all of it is there.
    fn record_length(&mut self) -> io::Result<Option<usize>> {
        if !self.fill(FRAME)? {
            return Ok(None);
        }
        let [_, _, _, _, a, b, c, d] =
            *self.buffer[self.start..].first_chunk::<FRAME>().expect("`fill` read that many bytes");
        let length = u32::from_le_bytes([a, b, c, d]);
        if !BLOCK_LENGTHS.contains(&length) {
            return Ok(None);
        }
        let length = FRAME + usize::try_from(length).expect("at most MAX_BLOCK_SERIALIZED_SIZE, which fits");
        // Together with the magic of the next frame: looking at that later would cost another read, and a copy of the record.
        let has_all = self.fill(length + self.magic.needle().len())? || self.end - self.start >= length;
        Ok(has_all.then_some(length))
    }

    /// Passes over the record that is next, of that length with its frame, and returns it.
    fn take_record(&mut self, length: usize) -> ScannedBlock {
        let block = self.start + FRAME;
        self.start += length;
        self.last_record = Some(length);
        self.record_bytes += wide(length);
        ScannedBlock { offset: self.buffer_offset + wide(block), bytes: self.buffer[block..self.start].to_vec() }
    }

    /// Reads until the buffer holds `count` bytes that were not passed over; false when the stream ends before.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        if self.buffer.len() < self.start + count {
            self.move_to_front();
        }
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        while self.end - self.start < count {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads once; false at the end of the stream. The buffer must not be full of bytes that were not passed over.
    fn read_more(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() || self.start == self.end {
            self.move_to_front();
        }
        // The end is final, although a terminal would go on when asked again.
        while !self.reached_end {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.reached_end = count == 0;
                    let read = &mut self.buffer[self.end..self.end + count];
                    if let Some(key) = self.obfuscation {
                        obfuscate(read, key, self.buffer_offset + wide(self.end));
                    }
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Makes room at the end by letting go of what was passed over.
    fn move_to_front(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.buffer_offset += wide(self.start);
        self.end -= self.start;
        self.start = 0;
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).expect("usize is at most 64 bits on every target Rust has")
}

/// Combines `bytes`, which stand at `offset` of the file, with the key by exclusive or (Core: `Obfuscation`,
/// `util/obfuscation.h`).
pub(crate) fn obfuscate(bytes: &mut [u8], mut key: [u8; 8], offset: u64) {
    key.rotate_left(usize::try_from(offset % 8).expect("below 8"));
    let word = u64::from_ne_bytes(key);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key_byte) in rest.iter_mut().zip(key) {
        *byte ^= key_byte;
    }
}
