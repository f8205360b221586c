//! A transaction with its bytes, and views of it and its parts.

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Script, Txid, Wtxid};

use super::layout::{self, Fields, InputLayout, OutputLayout, Span, TransactionLayout};
use super::{WITNESS_SCALE_FACTOR, WitnessRef};
use crate::serialize::{DecodeError, Reader};

/// A decoded transaction: its bytes, its hashes, and where its fields lie. No rule was checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Transaction {
    bytes: Vec<u8>,
    layout: TransactionLayout,
    fields: Fields,
}

impl Transaction {
    /// Decodes exactly one transaction, with or without witness (BIP144).
    ///
    /// Memory beyond `bytes` itself is at most five bytes for each byte of input.
    ///
    /// # Errors
    ///
    /// When Core's deserializer would refuse the bytes, or when some are left over.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&bytes)?;
        let mut fields = Fields::default();
        let layout = layout::read_transaction(&bytes, &mut reader, &mut fields)?;
        reader.finish()?;
        Ok(Self { bytes, layout, fields })
    }

    /// Decodes exactly one transaction by the rules from before BIP144, by which one without inputs can be written down.
    ///
    /// # Errors
    ///
    /// When Core's deserializer would refuse the bytes, or when some are left over.
    pub fn decode_without_witness(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&bytes)?;
        let mut fields = Fields::default();
        let layout = layout::read_transaction_without_witness(&bytes, &mut reader, &mut fields)?;
        reader.finish()?;
        Ok(Self { bytes, layout, fields })
    }

    /// Decodes the transaction that `bytes` start with, whatever follows it, and tells how many bytes it takes.
    ///
    /// # Errors
    ///
    /// When Core's deserializer would refuse the bytes; [`DecodeError::EndOfData`] when more of them are needed.
    pub fn decode_prefix(bytes: &[u8]) -> Result<(Self, usize), DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let mut fields = Fields::default();
        let layout = layout::read_transaction(bytes, &mut reader, &mut fields)?;
        let bytes = layout.whole.of(bytes).to_vec();
        let size = bytes.len();
        Ok((Self { bytes, layout, fields }, size))
    }

    /// Memory, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.fields.memory()
    }

    /// The view that everything reads a transaction through.
    #[must_use]
    pub fn as_ref(&self) -> TransactionRef<'_> {
        TransactionRef::new(&self.bytes, &self.layout, &self.fields)
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(formatter)
    }
}

/// Walks over one transaction and returns its bytes: those of `bytes`, which the reader was made of.
pub(crate) fn take_transaction<'a>(bytes: &'a [u8], reader: &mut Reader<'_>) -> Result<&'a [u8], DecodeError> {
    Ok(layout::read_transaction(bytes, reader, &mut Fields::default())?.whole.of(bytes))
}

/// A transaction in its own bytes or in those of its block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TransactionRef<'a> {
    /// The bytes that all offsets count from.
    source: &'a [u8],
    layout: &'a TransactionLayout,
    inputs: &'a [InputLayout],
    outputs: &'a [OutputLayout],
}

impl<'a> TransactionRef<'a> {
    pub(super) fn new(source: &'a [u8], layout: &'a TransactionLayout, fields: &'a Fields) -> Self {
        Self { source, layout, inputs: layout.inputs.of(&fields.inputs), outputs: layout.outputs.of(&fields.outputs) }
    }

    /// The serialized transaction, with its witness.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.layout.whole.of(self.source)
    }

    /// Where it starts in the bytes it was decoded from, in bytes; zero unless it is in a block.
    #[must_use]
    pub fn offset(self) -> u32 {
        self.layout.whole.start
    }

    /// A copy that does not depend on the block any more.
    #[must_use]
    pub fn to_owned(self) -> Transaction {
        Transaction::decode(self.bytes().to_vec()).expect("these bytes were decoded before")
    }

    /// Hash of the transaction without its witness.
    #[must_use]
    pub fn txid(self) -> Txid {
        self.layout.txid
    }

    /// Hash of the transaction with its witness; equal to the txid when there is none.
    #[must_use]
    pub fn wtxid(self) -> Wtxid {
        self.layout.wtxid
    }

    /// Version, unsigned as BIP68 compares it (Core has held it unsigned since v28).
    #[must_use]
    pub fn version(self) -> u32 {
        read_u32(self.bytes())
    }

    /// Lock time: a height below 500,000,000, else seconds since 1970.
    #[must_use]
    pub fn lock_time(self) -> u32 {
        let bytes = self.bytes();
        read_u32(&bytes[bytes.len() - 4..])
    }

    /// The inputs in order.
    #[must_use]
    pub fn inputs(self) -> impl ExactSizeIterator<Item = InputRef<'a>> + Clone {
        self.inputs.iter().map(move |layout| InputRef { source: self.source, layout })
    }

    /// Number of inputs.
    #[must_use]
    pub fn input_count(self) -> usize {
        self.inputs.len()
    }

    /// The input at `index`, if there is one.
    #[must_use]
    pub fn input(self, index: usize) -> Option<InputRef<'a>> {
        self.inputs.get(index).map(|layout| InputRef { source: self.source, layout })
    }

    /// The outputs in order.
    #[must_use]
    pub fn outputs(self) -> impl ExactSizeIterator<Item = OutputRef<'a>> + DoubleEndedIterator + Clone {
        self.outputs.iter().map(move |layout| OutputRef { source: self.source, layout })
    }

    /// The output at `index`, if there is one.
    #[must_use]
    pub fn output(self, index: usize) -> Option<OutputRef<'a>> {
        self.outputs.get(index).map(|layout| OutputRef { source: self.source, layout })
    }

    /// All outputs as serialized, without their count: what signatures commit to.
    #[must_use]
    pub(crate) fn outputs_bytes(self) -> &'a [u8] {
        match (self.outputs.first(), self.outputs.last()) {
            (Some(first), Some(last)) => Span { start: first.value, end: last.script_pubkey.end }.of(self.source),
            _ => &[],
        }
    }

    /// Whether any input has a witness.
    #[must_use]
    pub fn has_witness(self) -> bool {
        self.layout.has_witness
    }

    /// Whether this is a coinbase: one input, which spends nothing.
    #[must_use]
    pub fn is_coinbase(self) -> bool {
        self.inputs.len() == 1 && self.inputs().all(|input| input.prevout().is_null())
    }

    /// Size in bytes, witness included.
    #[must_use]
    pub fn total_size(self) -> usize {
        self.layout.whole.len()
    }

    /// Size in bytes without witness, marker and flag.
    #[must_use]
    pub fn stripped_size(self) -> usize {
        // Version and lock time stand around the body.
        self.layout.body.len() + 8
    }

    /// Weight units: three times the stripped size plus the total size (BIP141).
    #[must_use]
    pub fn weight(self) -> usize {
        self.stripped_size() * (WITNESS_SCALE_FACTOR - 1) + self.total_size()
    }
}

impl std::fmt::Debug for TransactionRef<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Transaction")
            .field("txid", &self.txid())
            .field("inputs", &self.inputs.len())
            .field("outputs", &self.outputs.len())
            .field("total_size", &self.total_size())
            .finish()
    }
}

/// An input of a transaction.
#[derive(Clone, Copy)]
pub struct InputRef<'a> {
    source: &'a [u8],
    layout: &'a InputLayout,
}

impl<'a> InputRef<'a> {
    /// The output this input spends, as serialized: txid, then index (4 bytes little-endian).
    #[must_use]
    pub fn prevout_bytes(self) -> &'a [u8; 36] {
        self.source[self.layout.outpoint as usize..][..36].try_into().expect("36 bytes were asked for")
    }

    /// The output this input spends.
    #[must_use]
    pub fn prevout(self) -> OutPoint {
        let bytes = self.prevout_bytes();
        let txid = bytes[..32].try_into().expect("the first 32 of 36 bytes");
        OutPoint { txid: Txid::from_byte_array(txid), vout: read_u32(&bytes[32..]) }
    }

    /// The script that satisfies the spent output's.
    #[must_use]
    pub fn script_sig(self) -> &'a Script {
        Script::from_bytes(self.layout.script_sig.of(self.source))
    }

    /// Sequence number: a relative lock time where BIP68 holds.
    #[must_use]
    pub fn sequence(self) -> u32 {
        read_u32(&self.source[self.layout.script_sig.end as usize..])
    }

    /// The witness stack.
    #[must_use]
    pub fn witness(self) -> WitnessRef<'a> {
        WitnessRef::from_decoded(self.layout.witness.of(self.source))
    }
}

/// An output of a transaction.
#[derive(Clone, Copy)]
pub struct OutputRef<'a> {
    source: &'a [u8],
    layout: &'a OutputLayout,
}

impl<'a> OutputRef<'a> {
    /// Value in satoshis, signed as it is on the wire: only a checked transaction's is known to be in range.
    #[must_use]
    pub fn value(self) -> i64 {
        let bytes = &self.source[self.layout.value as usize..][..8];
        i64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for"))
    }

    /// The script that a spender must satisfy.
    #[must_use]
    pub fn script_pubkey(self) -> &'a Script {
        Script::from_bytes(self.layout.script_pubkey.of(self.source))
    }

    /// The output as serialized: value (8 bytes little-endian), then the script with its length.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        Span { start: self.layout.value, end: self.layout.script_pubkey.end }.of(self.source)
    }
}

/// The little-endian integer at the start of `bytes`.
fn read_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("four bytes were asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::consensus::encode;
    use bitcoin::hex::FromHex;
    use proptest::prelude::*;

    fn decode(hex: &str) -> Result<Transaction, DecodeError> {
        Transaction::decode(Vec::from_hex(hex).unwrap())
    }

    /// BIP143's P2WPKH example: two inputs, one with a witness.
    const SEGWIT: &str = "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000";

    #[test]
    fn hashes_and_sizes_equal_rust_bitcoins() {
        let ours = decode(SEGWIT).unwrap();
        let ours = ours.as_ref();
        let theirs: bitcoin::Transaction = encode::deserialize(ours.bytes()).unwrap();
        assert_eq!(ours.txid(), theirs.compute_txid());
        assert_eq!(ours.wtxid(), theirs.compute_wtxid());
        assert_eq!(ours.weight() as u64, theirs.weight().to_wu());
        assert_eq!(ours.stripped_size(), theirs.base_size());
        assert_eq!((ours.version(), ours.lock_time()), (1, 0x11));
        for (ours, theirs) in ours.inputs().zip(&theirs.input) {
            assert_eq!(ours.prevout(), theirs.previous_output);
            assert_eq!(ours.script_sig(), theirs.script_sig.as_script());
            assert_eq!(ours.sequence(), theirs.sequence.0);
            assert_eq!(ours.witness().items().map(<[u8]>::to_vec).collect::<Vec<_>>(), theirs.witness.to_vec());
        }
        for (ours, theirs) in ours.outputs().zip(&theirs.output) {
            assert_eq!(ours.value(), i64::try_from(theirs.value.to_sat()).unwrap());
            assert_eq!(ours.script_pubkey(), theirs.script_pubkey.as_script());
            assert_eq!(ours.bytes(), encode::serialize(theirs));
        }
        assert_eq!(ours.outputs_bytes(), theirs.output.iter().flat_map(encode::serialize).collect::<Vec<_>>());
    }

    #[test]
    fn no_inputs_and_a_zero_flag_is_a_transaction_without_anything() {
        let nothing = decode("0200000000000000ffff").unwrap();
        let nothing = nothing.as_ref();
        assert_eq!((nothing.input_count(), nothing.outputs().len(), nothing.stripped_size()), (0, 0, 10));
        assert_eq!((nothing.version(), nothing.lock_time()), (2, 0xffff_0000));
    }

    #[test]
    fn without_witnesses_no_inputs_are_no_marker() {
        let output = "01000000000000000151";
        let bytes = Vec::from_hex(&format!("020000000001{output}00000000")).unwrap();
        assert!(Transaction::decode(bytes.clone()).is_err(), "a flag, and no witness");
        let transaction = Transaction::decode_without_witness(bytes.clone()).unwrap();
        let tx = transaction.as_ref();
        assert_eq!((tx.input_count(), tx.outputs().len(), tx.bytes()), (0, 1, &bytes[..]));
        assert_eq!((tx.total_size(), tx.stripped_size(), tx.has_witness()), (bytes.len(), bytes.len(), false));
        assert_eq!(tx.txid().to_string(), tx.wtxid().to_string());
        assert!(Transaction::decode_without_witness(Vec::from_hex(SEGWIT).unwrap()).is_err());
        assert!(Transaction::decode_without_witness([&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn flags_are_read_as_core_reads_them() {
        // Flag 1, no inputs: no witness can be there.
        assert_eq!(decode("02000000000100000000000000"), Err(DecodeError::SuperfluousWitness));
        // Flag 1, one input whose witness is empty.
        let empty = format!("020000000001{}00000000", "01".to_owned() + &"00".repeat(41) + "00" + "00");
        assert_eq!(decode(&empty), Err(DecodeError::SuperfluousWitness));
        // Flag 2 reads inputs and outputs, and only then is unknown.
        assert_eq!(decode("0200000000020000" /* no lock time */), Err(DecodeError::UnknownOptionalData { got: 2 }));
        // Flag 3 reads witnesses first, so an empty one is the first complaint.
        assert_eq!(decode("02000000000300000000000000"), Err(DecodeError::SuperfluousWitness));
    }

    #[test]
    fn every_prefix_ends_early_and_every_extension_is_too_long() {
        let bytes = Vec::from_hex(SEGWIT).unwrap();
        for length in 0..bytes.len() {
            assert!(Transaction::decode(bytes[..length].to_vec()).is_err(), "prefix of {length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        let (transaction, size) = Transaction::decode_prefix(&longer).unwrap();
        assert_eq!((transaction.as_ref().bytes(), size), (&bytes[..], bytes.len()));
        assert_eq!(transaction, Transaction::decode(bytes.clone()).unwrap());
        assert!(matches!(Transaction::decode_prefix(&bytes[..100]), Err(DecodeError::EndOfData { .. })));
        assert_eq!(Transaction::decode(longer), Err(DecodeError::TrailingData { extra: 1 }));
    }

    proptest! {
        /// A flipped byte either fails to decode or yields the one transaction whose serialization these bytes are.
        #[test]
        fn what_decodes_is_what_rust_bitcoin_would_encode(position in 0usize..343, value: u8) {
            let mut bytes = Vec::from_hex(SEGWIT).unwrap();
            prop_assume!(position < bytes.len());
            bytes[position] = value;
            if let Ok(ours) = Transaction::decode(bytes.clone())
                && let Ok(theirs) = encode::deserialize::<bitcoin::Transaction>(&bytes)
            {
                prop_assert_eq!(encode::serialize(&theirs), bytes);
                prop_assert_eq!(ours.as_ref().txid(), theirs.compute_txid());
                prop_assert_eq!(ours.as_ref().wtxid(), theirs.compute_wtxid());
            }
        }
    }
}
