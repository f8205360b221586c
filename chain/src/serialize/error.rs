//! Why bytes are not what they should be.

use thiserror::Error;

use super::MAX_SIZE;

/// Bytes that Core's deserializer would not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A field reaches beyond the end of the input.
    #[error("end of data: expected {wanted} more bytes at offset {offset}, got {left}")]
    EndOfData {
        /// Bytes the field needs.
        wanted: usize,
        /// Where the field starts.
        offset: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// A length is written in more bytes than it needs.
    ///
    /// Core: `non-canonical ReadCompactSize()`, `serialize.h`.
    #[error("length {got} at offset {offset} is not in its shortest form")]
    NonCanonicalCompactSize {
        /// The length as written.
        got: u64,
        /// Where it stands.
        offset: usize,
    },
    /// A length exceeds what any message may hold.
    ///
    /// Core: `ReadCompactSize(): size too large`, `MAX_SIZE` in `serialize.h`.
    #[error("length at offset {offset} is too large: expected at most {MAX_SIZE}, got {got}")]
    SizeTooLarge {
        /// The length as written.
        got: u64,
        /// Where it stands.
        offset: usize,
    },
    /// The witness flag is set and every witness is empty.
    ///
    /// Core: `Superfluous witness record`, `primitives/transaction.h`.
    #[error("superfluous witness record: every witness is empty")]
    SuperfluousWitness,
    /// The flag byte after an empty input list has a bit set that means nothing.
    ///
    /// Core: `Unknown transaction optional data`, `primitives/transaction.h`.
    #[error("unknown transaction optional data: expected flag 1, got {got}")]
    UnknownOptionalData {
        /// The flag byte.
        got: u8,
    },
    /// Bytes are left after the last field.
    #[error("{extra} bytes follow the end")]
    TrailingData {
        /// How many.
        extra: usize,
    },
    /// The input is longer than offsets can say.
    #[error("input is too long: expected less than 4294967296 bytes, got {got}")]
    InputTooLong {
        /// Length of the input, in bytes.
        got: usize,
    },
}
