//! One input's witness stack.

use crate::serialize::{DecodeError, Reader};

/// A witness stack, referring to the bytes it was decoded from: a count, then each item with its length (BIP144).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WitnessRef<'a> {
    /// Empty for an input of a transaction without witness, else as received.
    bytes: &'a [u8],
}

impl<'a> WitnessRef<'a> {
    /// The witness of an input that has none.
    pub const EMPTY: WitnessRef<'static> = WitnessRef { bytes: &[] };

    /// A witness whose bytes the decoder has walked.
    pub(super) fn from_decoded(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Decodes a stack: a count, then each item with its length, and nothing after.
    ///
    /// # Errors
    ///
    /// As the decoder of transactions does, when the bytes end early, go on, or hold a bad length.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        super::layout::skip_witness(&mut reader)?;
        reader.finish()?;
        Ok(Self { bytes })
    }

    /// Number of items.
    #[must_use]
    pub fn len(self) -> usize {
        self.items().len()
    }

    /// Whether there are no items (Core: `CScriptWitness::IsNull`).
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Size of the serialized stack, in bytes, its count included.
    #[must_use]
    pub fn serialized_size(self) -> usize {
        self.bytes.len().max(1)
    }

    /// The items from the bottom of the stack to its top.
    #[must_use]
    pub fn items(self) -> WitnessItems<'a> {
        let mut reader = Reader::new(self.bytes).expect("a range of bytes that were decoded");
        let left = if self.bytes.is_empty() { 0 } else { reader.compact_size().expect(DECODED) };
        WitnessItems { reader, left }
    }

    /// The top item.
    #[must_use]
    pub fn last(self) -> Option<&'a [u8]> {
        self.items().last()
    }
}

const DECODED: &str = "the decoder walked this stack";

/// Iterator over the items of a [`WitnessRef`].
#[derive(Clone)]
pub struct WitnessItems<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for WitnessItems<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.take_with_size().expect(DECODED))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for WitnessItems<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_bottom_first() {
        let witness = WitnessRef::decode(&[3, 1, 0xaa, 0, 2, 1, 2]).unwrap();
        assert_eq!(witness.items().collect::<Vec<_>>(), [&[0xaa][..], &[], &[1, 2]]);
        assert_eq!((witness.len(), witness.last(), witness.serialized_size()), (3, Some(&[1, 2][..]), 7));
    }

    #[test]
    fn no_witness_and_an_empty_one_are_the_same() {
        let decoded = WitnessRef::decode(&[0]).unwrap();
        for witness in [WitnessRef::EMPTY, decoded] {
            assert!(witness.is_empty());
            assert_eq!(witness.serialized_size(), 1);
            assert_eq!(witness.last(), None);
        }
    }
}
