//! A transaction while it is being made (Core: `CMutableTransaction`, `primitives/transaction.h`).

use bitcoin::consensus::Encodable;
use bitcoin::{OutPoint, VarInt};
use cairn_chain::primitives::TransactionRef;

/// A transaction whose parts may still change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) version: u32,
    pub(super) inputs: Vec<DraftInput>,
    /// Values in satoshis, and scripts.
    pub(super) outputs: Vec<(i64, Vec<u8>)>,
    pub(super) lock_time: u32,
}

/// An input of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DraftInput {
    pub(super) prevout: OutPoint,
    pub(super) script_sig: Vec<u8>,
    pub(super) sequence: u32,
    /// The witness stack, its bottom first.
    pub(super) witness: Vec<Vec<u8>>,
}

impl Draft {
    /// A copy that may be changed.
    pub(super) fn of(tx: TransactionRef<'_>) -> Self {
        let inputs = tx.inputs().map(|input| DraftInput {
            prevout: input.prevout(),
            script_sig: input.script_sig().to_bytes(),
            sequence: input.sequence(),
            witness: input.witness().items().map(<[u8]>::to_vec).collect(),
        });
        let outputs = tx.outputs().map(|output| (output.value(), output.script_pubkey().to_bytes()));
        Self { version: tx.version(), inputs: inputs.collect(), outputs: outputs.collect(), lock_time: tx.lock_time() }
    }

    /// The bytes, with witnesses where there are any (BIP144). Unlike others, Core writes one without inputs as before BIP144.
    pub(super) fn encode(&self) -> Vec<u8> {
        let has_witness = self.inputs.iter().any(|input| !input.witness.is_empty());
        let mut bytes = self.version.to_le_bytes().to_vec();
        if has_witness {
            bytes.extend([0, 1]);
        }
        push_size(&mut bytes, self.inputs.len());
        for input in &self.inputs {
            bytes.extend_from_slice(input.prevout.txid.as_ref());
            bytes.extend(input.prevout.vout.to_le_bytes());
            push_sized(&mut bytes, &input.script_sig);
            bytes.extend(input.sequence.to_le_bytes());
        }
        push_size(&mut bytes, self.outputs.len());
        for (value, script) in &self.outputs {
            bytes.extend(value.to_le_bytes());
            push_sized(&mut bytes, script);
        }
        for input in self.inputs.iter().filter(|_| has_witness) {
            bytes.extend(encode_stack(&input.witness));
        }
        bytes.extend(self.lock_time.to_le_bytes());
        bytes
    }
}

/// A witness stack: a count, then each item with its length (BIP144).
pub(super) fn encode_stack(stack: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_size(&mut bytes, stack.len());
    for item in stack {
        push_sized(&mut bytes, item);
    }
    bytes
}

fn push_sized(bytes: &mut Vec<u8>, item: &[u8]) {
    push_size(bytes, item.len());
    bytes.extend_from_slice(item);
}

fn push_size(bytes: &mut Vec<u8>, size: usize) {
    let size = VarInt(u64::try_from(size).expect("no length has more than 64 bits"));
    size.consensus_encode(bytes).expect("a vector takes whatever is written to it");
}

#[cfg(test)]
mod tests {
    use super::super::decode::{Form, decode_hex_tx};
    use super::*;
    use bitcoin::hex::DisplayHex;

    #[test]
    fn drafts_are_written_as_they_were_read() {
        let segwit = "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000";
        for digits in [segwit, "0200000000010100000000000000015100000000", "02000000000000000000"] {
            let transaction = decode_hex_tx(digits, Form::Any).unwrap();
            assert_eq!(Draft::of(transaction.as_ref()).encode().to_lower_hex_string(), digits);
        }
    }
}
