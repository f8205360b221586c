//! Values with exactly one binary form, and reading them without trusting a single length.

use std::time::Duration;

use bitcoin::hashes::Hash;
use thiserror::Error;

/// Why bytes are not a frame. Whoever sent them does not speak the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The announced length is above the protocol's limit.
    #[error("frame of {got} bytes, expected at most {limit}")]
    TooLong {
        /// Bytes announced.
        got: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The frame ends within a field.
    #[error("frame ends early: {got} bytes left, expected {expected}")]
    Truncated {
        /// Bytes left.
        got: usize,
        /// Bytes the next field needs.
        expected: usize,
    },
    /// The frame goes on behind its last field.
    #[error("{got} bytes behind the end of the frame, expected none")]
    TrailingBytes {
        /// Bytes left.
        got: usize,
    },
    /// A list is longer than the protocol allows.
    #[error("{got} {what}, expected at most {limit}")]
    TooMany {
        /// What the list holds.
        what: &'static str,
        /// Elements announced.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A list that must hold something is empty.
    #[error("no {what}, expected at least one")]
    Empty {
        /// What the list should hold.
        what: &'static str,
    },
    /// Numbers that must ascend do not.
    #[error("{what} in no order: {got} behind {before}")]
    NotAscending {
        /// What the numbers are.
        what: &'static str,
        /// A number.
        got: u16,
        /// The one before it.
        before: u16,
    },
    /// A byte that says which form follows has no meaning.
    #[error("{what} of unknown kind {got}")]
    UnknownKind {
        /// What was to follow.
        what: &'static str,
        /// The byte.
        got: u8,
    },
    /// Text is not UTF-8.
    #[error("{what} is not UTF-8")]
    NotText {
        /// What the text is.
        what: &'static str,
    },
}

/// A value that travels between peers.
///
/// Encoding and decoding are inverse to each other: every value has one form, and bytes that are not a value's form are not
/// decoded. Integers are little-endian, hashes in the order in which they are computed.
pub trait Frame: Sized {
    /// Appends the value's bytes.
    ///
    /// The caller keeps the limits of the protocol; what exceeds them is refused by whoever reads it.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a value that fills `bytes`.
    ///
    /// # Errors
    ///
    /// The first field that is not as it must be. What is reserved meanwhile is in proportion to `bytes`.
    fn decode(bytes: &[u8]) -> Result<Self, FrameError>;
}

/// Reads fields off the front of a frame.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (bytes, left) =
            self.left.split_at_checked(count).ok_or(FrameError::Truncated { got: self.left.len(), expected: count })?;
        self.left = left;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (bytes, left) =
            self.left.split_first_chunk().ok_or(FrameError::Truncated { got: self.left.len(), expected: N })?;
        self.left = left;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, FrameError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, FrameError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn hash<H: Hash<Bytes = [u8; 32]>>(&mut self) -> Result<H, FrameError> {
        self.array().map(H::from_byte_array)
    }

    /// The number of elements that follow, each of at least `size` bytes: a number the frame cannot hold is refused here,
    /// before anything is reserved for it.
    pub(super) fn count(&mut self, what: &'static str, limit: usize, size: usize) -> Result<usize, FrameError> {
        let count = usize::from(self.u16()?);
        if count > limit {
            return Err(FrameError::TooMany { what, got: count, limit });
        }
        let expected = count * size;
        if self.left.len() < expected {
            return Err(FrameError::Truncated { got: self.left.len(), expected });
        }
        Ok(count)
    }

    /// Hashes behind their number.
    pub(super) fn hashes<H: Hash<Bytes = [u8; 32]>>(
        &mut self,
        what: &'static str,
        limit: usize,
    ) -> Result<Vec<H>, FrameError> {
        let count = self.count(what, limit, 32)?;
        (0..count).map(|_| self.hash()).collect()
    }

    /// Bytes behind their length, which is four bytes, and at most `limit`.
    pub(super) fn sized_bytes(&mut self, limit: usize) -> Result<Vec<u8>, FrameError> {
        let length = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if length > limit {
            return Err(FrameError::TooLong { got: length, limit });
        }
        Ok(self.bytes(length)?.to_vec())
    }

    /// Whether something was found and follows.
    pub(super) fn is_found(&mut self, what: &'static str) -> Result<bool, FrameError> {
        match self.u8()? {
            MISSING => Ok(false),
            FOUND => Ok(true),
            got => Err(FrameError::UnknownKind { what, got }),
        }
    }

    /// A thing that was found, in at most `limit` bytes, or not.
    pub(super) fn found(&mut self, what: &'static str, limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
        if self.is_found(what)? { self.sized_bytes(limit).map(Some) } else { Ok(None) }
    }

    /// What is left, for a value that reaches to the end.
    pub(super) fn rest(self) -> &'a [u8] {
        self.left
    }

    pub(super) fn finish(self) -> Result<(), FrameError> {
        match self.left.len() {
            0 => Ok(()),
            got => Err(FrameError::TrailingBytes { got }),
        }
    }
}

/// The number of elements of a list. A list of more than 65,535 is cut in its number, and refused by whoever reads it: no
/// protocol allows lists near that length.
pub(super) fn encode_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

/// Hashes behind their number.
pub(super) fn encode_hashes<H: Hash<Bytes = [u8; 32]>>(hashes: &[H], out: &mut Vec<u8>) {
    encode_count(hashes.len(), out);
    for hash in hashes {
        out.extend_from_slice(&hash.to_byte_array());
    }
}

/// Bytes behind their length, which is four bytes.
pub(super) fn encode_sized_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Something or its absence.
pub(super) const MISSING: u8 = 0;
pub(super) const FOUND: u8 = 1;

/// A thing that was found, as bytes, or not.
pub(super) fn encode_found(item: Option<&[u8]>, out: &mut Vec<u8>) {
    match item {
        None => out.push(MISSING),
        Some(bytes) => {
            out.push(FOUND);
            encode_sized_bytes(bytes, out);
        }
    }
}

/// A list of things that were found, as bytes, or not.
pub(super) fn encode_found_list(items: &[Option<Vec<u8>>], out: &mut Vec<u8>) {
    let bytes: usize = items.iter().flatten().map(Vec::len).sum();
    out.reserve(2 + items.len() * FOUND_OVERHEAD + bytes);
    encode_count(items.len(), out);
    for item in items {
        encode_found(item.as_deref(), out);
    }
}

/// Bytes that a found thing takes beside its own: the kind and the length.
pub(super) const FOUND_OVERHEAD: usize = 5;

/// A list of things that were found or not, each of at most `size_limit` bytes, and of at least one.
pub(super) fn decode_found_list(
    bytes: &[u8],
    what: &'static str,
    limit: usize,
    size_limit: usize,
) -> Result<Vec<Option<Vec<u8>>>, FrameError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(what, limit, 1)?;
    if count == 0 {
        return Err(FrameError::Empty { what });
    }
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(reader.found(what, size_limit)?);
    }
    reader.finish()?;
    Ok(items)
}

/// Every response: what was asked for, or that there is no time for it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// What was asked for.
    Response(T),
    /// Nothing was done about the request.
    Busy {
        /// How long to wait before asking again; in milliseconds on the wire.
        wait: Duration,
    },
}

impl<T> Answer<T> {
    const RESPONSE: u8 = 0;
    const BUSY: u8 = 1;
    /// Bytes that this adds to a response.
    pub(super) const OVERHEAD: usize = 1;
}

impl<T: Frame> Frame for Answer<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Response(response) => {
                out.push(Self::RESPONSE);
                response.encode(out);
            }
            Self::Busy { wait } => {
                out.push(Self::BUSY);
                out.extend_from_slice(&u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            Self::RESPONSE => T::decode(reader.rest()).map(Self::Response),
            Self::BUSY => {
                let wait = Duration::from_millis(u64::from(reader.u32()?));
                reader.finish()?;
                Ok(Self::Busy { wait })
            }
            got => Err(FrameError::UnknownKind { what: "answer", got }),
        }
    }
}
