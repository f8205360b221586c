//! Where the fields of a transaction lie in its bytes, found in one pass.

use bitcoin::hashes::Hash;
use bitcoin::{Txid, Wtxid};

use crate::hash::HashWriter;
use crate::serialize::{DecodeError, Reader};

/// A range of offsets or indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn of<T>(self, slice: &[T]) -> &[T] {
        &slice[self.start as usize..self.end as usize]
    }

    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Offsets of one input: outpoint (36 bytes), script with its length, sequence (4 bytes); the witness lies elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InputLayout {
    pub(super) outpoint: u32,
    pub(super) script_sig: Span,
    pub(super) witness: Span,
}

/// Offsets of one output: value (8 bytes), script with its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutputLayout {
    pub(super) value: u32,
    pub(super) script_pubkey: Span,
}

/// Offsets of one transaction, and its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TransactionLayout {
    /// The whole transaction, from version to lock time.
    pub(super) whole: Span,
    /// Input count to last output: what lies between version and lock time when the witness is left out.
    pub(super) body: Span,
    /// Which of the shared [`InputLayout`]s are this transaction's.
    pub(super) inputs: Span,
    /// Which of the shared [`OutputLayout`]s are this transaction's.
    pub(super) outputs: Span,
    pub(super) has_witness: bool,
    pub(super) txid: Txid,
    pub(super) wtxid: Wtxid,
}

/// The arrays that the inputs and outputs of one transaction, or of all transactions of a block, share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) inputs: Vec<InputLayout>,
    pub(super) outputs: Vec<OutputLayout>,
}

impl Fields {
    /// Memory, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.inputs.capacity() * size_of::<InputLayout>() + self.outputs.capacity() * size_of::<OutputLayout>()
    }
}

/// Reads one transaction (Core: `UnserializeTransaction`, `primitives/transaction.h`).
pub(super) fn read_transaction(
    bytes: &[u8],
    reader: &mut Reader<'_>,
    fields: &mut Fields,
) -> Result<TransactionLayout, DecodeError> {
    let start = reader.position();
    let first_input = index(fields.inputs.len());
    let first_output = index(fields.outputs.len());
    reader.take(4)?; // version

    // An empty input list is either just that or BIP144's marker; the flag byte after it, which reads as an empty output
    // list when it is zero, decides.
    let mut body_start = reader.position();
    let mut flags = 0;
    read_inputs(reader, fields)?;
    if fields.inputs.len() == first_input as usize {
        flags = reader.u8()?;
        if flags != 0 {
            body_start = reader.position();
            read_inputs(reader, fields)?;
            read_outputs(reader, fields)?;
        }
    } else {
        read_outputs(reader, fields)?;
    }
    let body = Span { start: body_start, end: reader.position() };

    let has_witness = flags & 1 != 0;
    if has_witness {
        read_witnesses(reader, &mut fields.inputs[first_input as usize..])?;
    }
    if flags & !1 != 0 {
        return Err(DecodeError::UnknownOptionalData { got: flags });
    }
    reader.take(4)?; // lock time

    let whole = Span { start, end: reader.position() };
    let (txid, wtxid) = hash_transaction(bytes, whole, body, has_witness);
    let inputs = Span { start: first_input, end: index(fields.inputs.len()) };
    let outputs = Span { start: first_output, end: index(fields.outputs.len()) };
    Ok(TransactionLayout { whole, body, inputs, outputs, has_witness, txid, wtxid })
}

/// Reads one transaction whose bytes know nothing of witnesses, in which an empty input list is just that (Core:
/// `UnserializeTransaction` with `TX_NO_WITNESS`).
pub(super) fn read_transaction_without_witness(
    bytes: &[u8],
    reader: &mut Reader<'_>,
    fields: &mut Fields,
) -> Result<TransactionLayout, DecodeError> {
    let start = reader.position();
    reader.take(4)?; // version
    let body_start = reader.position();
    read_inputs(reader, fields)?;
    read_outputs(reader, fields)?;
    let body = Span { start: body_start, end: reader.position() };
    reader.take(4)?; // lock time

    let whole = Span { start, end: reader.position() };
    let (txid, wtxid) = hash_transaction(bytes, whole, body, false);
    let inputs = Span { start: 0, end: index(fields.inputs.len()) };
    let outputs = Span { start: 0, end: index(fields.outputs.len()) };
    Ok(TransactionLayout { whole, body, inputs, outputs, has_witness: false, txid, wtxid })
}

// The count claims how many follow; memory grows only as they are read, so a claim alone costs nothing.

fn read_inputs(reader: &mut Reader<'_>, fields: &mut Fields) -> Result<(), DecodeError> {
    for _ in 0..reader.compact_size()? {
        let outpoint = reader.position();
        reader.take(36)?;
        let script_sig = read_script(reader)?;
        reader.take(4)?; // sequence
        fields.inputs.push(InputLayout { outpoint, script_sig, witness: Span { start: 0, end: 0 } });
    }
    Ok(())
}

fn read_outputs(reader: &mut Reader<'_>, fields: &mut Fields) -> Result<(), DecodeError> {
    for _ in 0..reader.compact_size()? {
        let value = reader.position();
        reader.take(8)?;
        let script_pubkey = read_script(reader)?;
        fields.outputs.push(OutputLayout { value, script_pubkey });
    }
    Ok(())
}

fn read_script(reader: &mut Reader<'_>) -> Result<Span, DecodeError> {
    let size = reader.compact_size()?;
    let start = reader.position();
    reader.take(size)?;
    Ok(Span { start, end: reader.position() })
}

fn read_witnesses(reader: &mut Reader<'_>, inputs: &mut [InputLayout]) -> Result<(), DecodeError> {
    let mut any = false;
    for input in inputs {
        let start = reader.position();
        any |= skip_witness(reader)? > 0;
        input.witness = Span { start, end: reader.position() };
    }
    if any { Ok(()) } else { Err(DecodeError::SuperfluousWitness) }
}

/// Walks over one witness stack and returns its number of items.
pub(super) fn skip_witness(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let count = reader.compact_size()?;
    for _ in 0..count {
        reader.take_with_size()?;
    }
    Ok(count)
}

/// The hash without the witness and the hash with it, from the received bytes.
fn hash_transaction(bytes: &[u8], whole: Span, body: Span, has_witness: bool) -> (Txid, Wtxid) {
    let whole = whole.of(bytes);
    let mut stripped = HashWriter::new();
    stripped.write(&whole[..4]).write(body.of(bytes)).write(&whole[whole.len() - 4..]);
    let txid = stripped.sha256d();
    let wtxid = if has_witness { crate::hash::sha256d(whole) } else { txid };
    (Txid::from_byte_array(txid), Wtxid::from_byte_array(wtxid))
}

/// Each input and output takes at least nine bytes of an input that 32 bits address, so 32 bits count them.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer fields than bytes")
}
