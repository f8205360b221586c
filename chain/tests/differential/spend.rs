//! A transaction that is still being made, with the outputs it spends and the input under test.

use bitcoin::{Amount, Script};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{PrecomputedTransactionData, ScriptVerifyFlags};

use crate::rng::Rng;

#[derive(Clone)]
pub(crate) struct Output {
    pub(crate) value: u64,
    pub(crate) script_pubkey: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) prevout: [u8; 36],
    pub(crate) script_sig: Vec<u8>,
    pub(crate) sequence: u32,
    pub(crate) witness: Vec<Vec<u8>>,
    pub(crate) spent: Output,
}

#[derive(Clone)]
pub(crate) struct Spend {
    pub(crate) version: u32,
    pub(crate) lock_time: u32,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    /// The input whose script is verified.
    pub(crate) index: usize,
    pub(crate) flags: ScriptVerifyFlags,
}

impl Spend {
    /// A transaction whose input under test spends nothing yet; the others have scripts and witnesses at random.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let inputs: Vec<_> = (0..rng.between(1, 4)).map(|_| random_input(rng)).collect();
        let mut spend = Self {
            version: if rng.chance(90) { rng.pick(&[1, 2, 2, 3]) } else { rng.u32() },
            lock_time: if rng.chance(70) { 0 } else { rng.u32() },
            outputs: (0..rng.between(1, 4)).map(|_| random_output(rng)).collect(),
            index: rng.below(inputs.len()),
            flags: random_flags(rng),
            inputs,
        };
        let input = spend.input_mut();
        input.script_sig.clear();
        input.witness.clear();
        spend
    }

    pub(crate) fn input(&self) -> &Input {
        &self.inputs[self.index]
    }

    pub(crate) fn input_mut(&mut self) -> &mut Input {
        &mut self.inputs[self.index]
    }

    pub(crate) fn coins(&self) -> Vec<Coin> {
        let coin = |input: &Input| Coin {
            amount: Amount::from_sat(input.spent.value),
            script_pubkey: Script::from_bytes(&input.spent.script_pubkey).into(),
            height: 0,
            is_coinbase: false,
        };
        self.inputs.iter().map(coin).collect()
    }

    /// Calls `sign` with what signature hashes are made from.
    pub(crate) fn with_data<T>(&self, sign: impl FnOnce(&PrecomputedTransactionData<'_>) -> T) -> T {
        let transaction = Transaction::decode(self.serialize()).unwrap();
        sign(&PrecomputedTransactionData::new(transaction.as_ref(), &self.coins()))
    }

    /// The transaction's bytes, with its witness unless all stacks are empty (BIP144).
    pub(crate) fn serialize(&self) -> Vec<u8> {
        let has_witness = self.inputs.iter().any(|input| !input.witness.is_empty());
        let mut bytes = self.version.to_le_bytes().to_vec();
        if has_witness {
            bytes.extend([0, 1]);
        }
        write_size(&mut bytes, self.inputs.len());
        for input in &self.inputs {
            bytes.extend(input.prevout);
            write_with_size(&mut bytes, &input.script_sig);
            bytes.extend(input.sequence.to_le_bytes());
        }
        write_size(&mut bytes, self.outputs.len());
        for output in &self.outputs {
            bytes.extend(output.value.to_le_bytes());
            write_with_size(&mut bytes, &output.script_pubkey);
        }
        if has_witness {
            for input in &self.inputs {
                write_items(&mut bytes, &input.witness);
            }
        }
        bytes.extend(self.lock_time.to_le_bytes());
        bytes
    }
}

/// Size of a serialized witness stack, in bytes.
pub(crate) fn witness_size(items: &[Vec<u8>]) -> usize {
    let mut bytes = Vec::new();
    write_items(&mut bytes, items);
    bytes.len()
}

fn write_items(bytes: &mut Vec<u8>, items: &[Vec<u8>]) {
    write_size(bytes, items.len());
    for item in items {
        write_with_size(bytes, item);
    }
}

fn write_with_size(bytes: &mut Vec<u8>, data: &[u8]) {
    write_size(bytes, data.len());
    bytes.extend(data);
}

fn write_size(bytes: &mut Vec<u8>, size: usize) {
    match size {
        0..=0xfc => bytes.push(size as u8),
        0xfd..=0xffff => {
            bytes.push(0xfd);
            bytes.extend((size as u16).to_le_bytes());
        }
        _ => {
            bytes.push(0xfe);
            bytes.extend((size as u32).to_le_bytes());
        }
    }
}

fn random_input(rng: &mut Rng) -> Input {
    let script_length = rng.between(0, 110);
    Input {
        prevout: rng.array(),
        script_sig: if rng.chance(50) { rng.bytes(script_length) } else { Vec::new() },
        sequence: if rng.chance(70) { rng.pick(&[u32::MAX, u32::MAX - 1, 0]) } else { rng.u32() },
        witness: if rng.chance(40) { rng.items(4) } else { Vec::new() },
        spent: random_output(rng),
    }
}

pub(crate) fn random_output(rng: &mut Rng) -> Output {
    let any_length = rng.between(0, 60);
    let (prefix, length): (&[u8], usize) =
        rng.pick(&[(&[0x51, 32], 32), (&[0, 20], 20), (&[0, 32], 32), (&[0x76, 0xa9, 20], 22), (&[], any_length)]);
    let value = if rng.chance(90) { rng.word() % 2_100_000_000_000_000 } else { any_value(rng) };
    Output { value, script_pubkey: [prefix, &rng.bytes(length)].concat() }
}

/// Any amount that is not negative: whether it exceeds the supply is not for scripts to judge. To Core's signature checker
/// a negative one, which no coin has, says that nobody knows it.
pub(crate) fn any_value(rng: &mut Rng) -> u64 {
    rng.word() >> 1
}

/// Flags blocks can be verified under: half the time all, else some, with each one's preconditions.
fn random_flags(rng: &mut Rng) -> ScriptVerifyFlags {
    if rng.chance(50) {
        return ScriptVerifyFlags::MANDATORY;
    }
    let mut flags = ScriptVerifyFlags::from_bits_truncate(rng.u32()) & ScriptVerifyFlags::MANDATORY;
    if !flags.contains(ScriptVerifyFlags::P2SH) {
        flags.remove(ScriptVerifyFlags::WITNESS);
    }
    if !flags.contains(ScriptVerifyFlags::WITNESS) {
        flags.remove(ScriptVerifyFlags::TAPROOT);
    }
    flags
}
