//! The hashes all inputs of a transaction share.

use std::sync::OnceLock;

use crate::coins::Coin;
use crate::hash::{HashWriter, sha256};
use crate::primitives::TransactionRef;

/// A transaction with the outputs it spends and the hashes over all of its inputs and outputs, each computed when the
/// first signature asks for it and then shared by all inputs, on whichever thread they are verified
/// (Core: `PrecomputedTransactionData`, `script/interpreter.h`).
#[derive(Debug)]
pub struct PrecomputedTransactionData<'a> {
    transaction: TransactionRef<'a>,
    spent_outputs: &'a [Coin],
    single: OnceLock<SharedHashes>,
    bip143: OnceLock<SharedHashes>,
    bip341: OnceLock<Bip341Hashes>,
}

/// Hashes over all inputs and outputs: SHA-256 for BIP341, double SHA-256 for BIP143.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedHashes {
    pub(super) prevouts: [u8; 32],
    pub(super) sequences: [u8; 32],
    pub(super) outputs: [u8; 32],
}

/// What a taproot signature commits to, SHA-256 each (BIP341, "Common signature message").
#[derive(Debug, Clone, Copy)]
pub(super) struct Bip341Hashes {
    pub(super) prevouts: [u8; 32],
    pub(super) amounts: [u8; 32],
    pub(super) scripts: [u8; 32],
    pub(super) sequences: [u8; 32],
    pub(super) outputs: [u8; 32],
}

impl<'a> PrecomputedTransactionData<'a> {
    /// A transaction and the coins its inputs spend, in the order of the inputs.
    ///
    /// # Panics
    ///
    /// When there are not as many coins as inputs: verifying against the wrong outputs must not go unnoticed.
    #[must_use]
    pub fn new(transaction: TransactionRef<'a>, spent_outputs: &'a [Coin]) -> Self {
        assert_eq!(transaction.input_count(), spent_outputs.len(), "one spent output for each input");
        Self { transaction, spent_outputs, single: OnceLock::new(), bip143: OnceLock::new(), bip341: OnceLock::new() }
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> TransactionRef<'a> {
        self.transaction
    }

    /// The coin input `index` spends.
    ///
    /// # Panics
    ///
    /// When the transaction has no input `index`.
    #[must_use]
    pub fn spent_output(&self, index: usize) -> &'a Coin {
        &self.spent_outputs[index]
    }

    fn single(&self) -> &SharedHashes {
        self.single.get_or_init(|| {
            let (mut prevouts, mut sequences) = (HashWriter::new(), HashWriter::new());
            for input in self.transaction.inputs() {
                prevouts.write(input.prevout_bytes());
                sequences.write_u32(input.sequence());
            }
            SharedHashes {
                prevouts: prevouts.sha256(),
                sequences: sequences.sha256(),
                outputs: sha256(self.transaction.outputs_bytes()),
            }
        })
    }

    pub(super) fn bip143(&self) -> &SharedHashes {
        self.bip143.get_or_init(|| {
            let single = self.single();
            SharedHashes {
                prevouts: sha256(&single.prevouts),
                sequences: sha256(&single.sequences),
                outputs: sha256(&single.outputs),
            }
        })
    }

    pub(super) fn bip341(&self) -> &Bip341Hashes {
        self.bip341.get_or_init(|| {
            let single = self.single();
            let (mut amounts, mut scripts) = (HashWriter::new(), HashWriter::new());
            for spent in self.spent_outputs {
                amounts.write_u64(spent.amount.to_sat());
                scripts.write_with_size(spent.script_pubkey.as_bytes());
            }
            Bip341Hashes {
                prevouts: single.prevouts,
                amounts: amounts.sha256(),
                scripts: scripts.sha256(),
                sequences: single.sequences,
                outputs: single.outputs,
            }
        })
    }
}
