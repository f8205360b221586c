//! A transaction before it is signed.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

use super::coin::LockedCoin;
use super::keys::Keys;
use super::lock::Lock;
use super::unlock::{Flaw, Unlocking};
use crate::random::Random;

/// An output to be.
#[derive(Clone)]
pub(super) struct Payment {
    pub(super) output: TxOut,
    /// Nothing when it is never to be spent.
    pub(super) lock: Option<Lock>,
}

/// A transaction before it is signed.
#[derive(Clone)]
pub(super) struct Spend {
    pub(super) version: i32,
    pub(super) lock_time: u32,
    pub(super) inputs: Vec<(LockedCoin, u32)>,
    pub(super) outputs: Vec<Payment>,
    /// What is wrong with the first input.
    pub(super) flaw: Flaw,
}

impl Spend {
    pub(super) fn value_in(&self) -> u64 {
        self.inputs.iter().map(|(coin, _)| coin.output.value.to_sat()).sum()
    }

    /// The sum of the outputs, each read as Core reads it; mutations can make it any.
    pub(super) fn value_out(&self) -> u64 {
        self.outputs.iter().map(|payment| payment.output.value.to_sat()).fold(0, u64::wrapping_add)
    }

    pub(super) fn set_value(&mut self, output: usize, satoshis: u64) {
        self.outputs[output].output.value = Amount::from_sat(satoshis);
    }

    /// Pays everything to an output that anyone can spend.
    pub(super) fn pay_all(coin: LockedCoin) -> Self {
        let output = TxOut { value: coin.output.value, script_pubkey: ScriptBuf::from(vec![0x51]) };
        Self {
            version: 2,
            lock_time: 0,
            inputs: vec![(coin, u32::MAX)],
            outputs: vec![Payment { output, lock: None }],
            flaw: Flaw::None,
        }
    }

    pub(super) fn sign(&self, rng: &mut Random, keys: &Keys) -> Transaction {
        let input = |(coin, sequence): &(LockedCoin, u32)| TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence(*sequence),
            witness: Witness::new(),
        };
        let mut tx = Transaction {
            version: Version(self.version),
            lock_time: LockTime::from_consensus(self.lock_time),
            input: self.inputs.iter().map(input).collect(),
            output: self.outputs.iter().map(|payment| payment.output.clone()).collect(),
        };
        let spent: Vec<_> = self.inputs.iter().map(|(coin, _)| coin.output.clone()).collect();
        let unlock = |(index, (coin, _)): (usize, &(LockedCoin, u32))| {
            let flaw = if index == 0 { self.flaw } else { Flaw::None };
            Unlocking { lock: coin.lock, keys, tx: &tx, index, spent: &spent, flaw }.run(rng)
        };
        let unlocked: Vec<_> = self.inputs.iter().enumerate().map(unlock).collect();
        for (input, (script_sig, witness)) in tx.input.iter_mut().zip(unlocked) {
            (input.script_sig, input.witness) = (script_sig, witness);
        }
        tx
    }
}
