//! What signatures sign: the three signature hashes, and what the inputs of a transaction share of them.

mod legacy;
mod precomputed;
mod segwit_v0;
mod taproot;

pub use legacy::legacy_sighash;
pub(super) use legacy::{SINGLE_WITHOUT_OUTPUT, legacy_preimage};
pub use precomputed::PrecomputedTransactionData;
pub(super) use segwit_v0::segwit_v0_preimage;
pub use segwit_v0::segwit_v0_sighash;
pub use taproot::{TaprootSpend, TapscriptSpend, taproot_sighash};

/// The parts of a signature's hash type that choose what it commits to (Core: `SIGHASH_*`, `script/interpreter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashType {
    /// Commits to this input alone (`SIGHASH_ANYONECANPAY`).
    pub(super) anyone_can_pay: bool,
    pub(super) outputs: Outputs,
}

/// Which outputs a signature commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outputs {
    All,
    None,
    /// The one with the index of the input.
    Single,
}

impl HashType {
    /// Reads the hash type of an ECDSA signature, every value of which means something.
    pub(super) fn from_ecdsa(hash_type: u32) -> Self {
        let outputs = match hash_type & 0x1f {
            2 => Outputs::None,
            3 => Outputs::Single,
            _ => Outputs::All,
        };
        Self { anyone_can_pay: hash_type & 0x80 != 0, outputs }
    }

    /// Reads the hash type of a Schnorr signature, of which only seven values are defined (BIP341).
    pub(super) fn from_schnorr(hash_type: u8) -> Option<Self> {
        let outputs = match hash_type & !0x80 {
            0 if hash_type == 0 => Outputs::All,
            1 => Outputs::All,
            2 => Outputs::None,
            3 => Outputs::Single,
            _ => return None,
        };
        Some(Self { anyone_can_pay: hash_type & 0x80 != 0, outputs })
    }

    /// One of six numbers, distinct for hash types that commit to different data.
    pub(super) fn index(self) -> usize {
        usize::from(self.anyone_can_pay) * 3
            + match self.outputs {
                Outputs::All => 0,
                Outputs::None => 1,
                Outputs::Single => 2,
            }
    }
}
