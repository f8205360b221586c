//! Bitcoin's serialization (Core: `serialize.h`): integers little-endian, lengths in as few bytes as they need.
//!
//! [`Reader`] never reads beyond the end of its bytes; the functions beside it write what hashes and scripts need written.

mod error;

pub use error::DecodeError;

/// The largest length any field may claim (Core: `MAX_SIZE`, `serialize.h`).
const MAX_SIZE: u64 = 0x0200_0000;

/// Reads fields one after the other and never beyond the end.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which offsets of 32 bits must be able to address.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(DecodeError::InputTooLong { got: bytes.len() });
        }
        Ok(Self { bytes, position: 0 })
    }

    /// Offset of the next byte.
    pub(crate) fn position(&self) -> u32 {
        u32::try_from(self.position).expect("`new` checked that 32 bits address every byte")
    }

    /// Bytes that are left.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        if count > self.remaining() {
            return Err(DecodeError::EndOfData { wanted: count, offset: self.position, left: self.remaining() });
        }
        let taken = &self.bytes[self.position..self.position + count];
        self.position += count;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        Ok(self.take(N)?.try_into().expect("`take` returns as many bytes as asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take_array::<1>()?[0])
    }

    /// A length: one byte below 253, else a marker and 2, 4 or 8 bytes; only the shortest form is valid
    /// (Core: `ReadCompactSize`, `serialize.h`).
    pub(crate) fn compact_size(&mut self) -> Result<usize, DecodeError> {
        let offset = self.position;
        let (got, shortest) = match self.u8()? {
            253 => (u64::from(u16::from_le_bytes(self.take_array()?)), 253),
            254 => (u64::from(u32::from_le_bytes(self.take_array()?)), 0x1_0000),
            255 => (u64::from_le_bytes(self.take_array()?), 0x1_0000_0000),
            small => (u64::from(small), 0),
        };
        if got < shortest {
            return Err(DecodeError::NonCanonicalCompactSize { got, offset });
        }
        if got > MAX_SIZE {
            return Err(DecodeError::SizeTooLarge { got, offset });
        }
        Ok(usize::try_from(got).expect("at most MAX_SIZE, which fits"))
    }

    /// Bytes preceded by their length.
    pub(crate) fn take_with_size(&mut self) -> Result<&'a [u8], DecodeError> {
        let size = self.compact_size()?;
        self.take(size)
    }

    /// Fails unless everything was read.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            extra => Err(DecodeError::TrailingData { extra }),
        }
    }
}

/// `size` in Bitcoin's variable-length form, and how many of the nine bytes it takes.
#[must_use]
pub(crate) fn compact_size(size: usize) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    let size = size as u64; // usize is at most 64 bits on every target Rust has
    let little_endian = size.to_le_bytes();
    let (marker, length) = match size {
        0..=252 => {
            bytes[0] = little_endian[0];
            return (bytes, 1);
        }
        253..=0xffff => (253, 2),
        0x1_0000..=0xffff_ffff => (254, 4),
        _ => (255, 8),
    };
    bytes[0] = marker;
    bytes[1..=length].copy_from_slice(&little_endian[..length]);
    (bytes, length + 1)
}

/// Appends a length in Bitcoin's variable-length form.
pub(crate) fn append_compact_size(bytes: &mut Vec<u8>, size: usize) {
    let (encoded, length) = compact_size(size);
    bytes.extend(&encoded[..length]);
}

/// Appends bytes preceded by their length.
pub(crate) fn append_with_size(bytes: &mut Vec<u8>, data: &[u8]) {
    append_compact_size(bytes, data.len());
    bytes.extend(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<usize, DecodeError> {
        Reader::new(bytes)?.compact_size()
    }

    #[test]
    fn longer_forms_of_a_small_length_are_refused() {
        assert_eq!(read(&[252]), Ok(252));
        assert_eq!(read(&[253, 253, 0]), Ok(253));
        assert!(matches!(read(&[253, 252, 0]), Err(DecodeError::NonCanonicalCompactSize { got: 252, offset: 0 })));
        assert!(matches!(read(&[254, 255, 255, 0, 0]), Err(DecodeError::NonCanonicalCompactSize { .. })));
        assert!(matches!(
            read(&[255, 255, 255, 255, 255, 0, 0, 0, 0]),
            Err(DecodeError::NonCanonicalCompactSize { .. })
        ));
    }

    #[test]
    fn lengths_above_32_mib_are_refused() {
        assert_eq!(read(&[254, 0, 0, 0, 2]), Ok(0x0200_0000));
        assert_eq!(read(&[254, 1, 0, 0, 2]), Err(DecodeError::SizeTooLarge { got: 0x0200_0001, offset: 0 }));
        assert!(matches!(read(&[255; 9]), Err(DecodeError::SizeTooLarge { got: u64::MAX, .. })));
    }

    #[test]
    fn short_input_says_what_was_missing() {
        assert_eq!(read(&[253, 1]), Err(DecodeError::EndOfData { wanted: 2, offset: 1, left: 1 }));
    }

    proptest! {
        #[test]
        fn compact_sizes_survive_a_round_trip(size in 0usize..=0x0200_0000) {
            let (bytes, length) = compact_size(size);
            prop_assert_eq!(read(&bytes[..length]), Ok(size));
        }
    }
}
