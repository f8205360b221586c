//! What it takes to spend a coin: the weight of its signatures and scripts, and the sequence that its conditions ask for.
//!
//! A coin is weighed by satisfying its descriptor with signatures that look like those our signer makes: an ECDSA signature has 71
//! bytes with its sighash type, a Schnorr signature 64. What is weighed is what will be sent, to the byte.

use std::cell::Cell;

use bdk_wallet::miniscript::{DefiniteDescriptorKey, Descriptor, DescriptorPublicKey, Satisfier};
use bitcoin::absolute::LockTime;
use bitcoin::bip32::Fingerprint;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::taproot::TapLeafHash;
use bitcoin::{EcdsaSighashType, Sequence, TapSighashType, TxIn, Weight, ecdsa, relative, taproot};

use crate::sign::sign_ecdsa;

/// How a coin is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spending {
    /// The weight of its input in the transaction, without the two bytes' share that marks segwit.
    pub(crate) weight: Weight,
    /// Whether it has a witness.
    pub(crate) is_segwit: bool,
    /// The sequence of its input.
    pub(crate) sequence: Sequence,
    /// The height that its conditions ask the lock time for.
    pub(crate) lock_height: u32,
    /// Whether the wallet's own keys are all that it needs.
    pub(crate) is_own: bool,
    /// Whether the coin's age matters; otherwise all coins of the descriptor are spent alike.
    pub(crate) depends_on_age: bool,
}

/// What signatures look like, and which there will be.
pub(crate) struct Scale<'a> {
    ecdsa: ecdsa::Signature,
    schnorr: taproot::Signature,
    /// Master keys whose owners will sign.
    signers: &'a [Fingerprint],
    tip: u32,
}

impl<'a> Scale<'a> {
    /// A scale for a wallet that signs with these master keys, at a height of the chain.
    pub(crate) fn new(signers: &'a [Fingerprint], tip: u32) -> Self {
        let secp = Secp256k1::new();
        let key = SecretKey::from_slice(&[1; 32]).expect("one is a secret key");
        let signature = sign_ecdsa(&secp, Message::from_digest([1; 32]), &key);
        let schnorr = secp.sign_schnorr_no_aux_rand(&Message::from_digest([1; 32]), &key.keypair(&secp));
        Self {
            ecdsa: ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All },
            schnorr: taproot::Signature { signature: schnorr, sighash_type: TapSighashType::Default },
            signers,
            tip,
        }
    }

    /// How a coin with this descriptor is spent, `confirmations` blocks after it was made; nothing if it cannot be spent.
    ///
    /// If the wallet's own keys do, they are all that is counted on; otherwise everybody signs, and at last even keys of which nothing
    /// is known: a taproot key without an origin is mostly one that nobody has.
    pub(crate) fn weigh(&self, descriptor: &Descriptor<DefiniteDescriptorKey>, confirmations: u32) -> Option<Spending> {
        [Signers::Own, Signers::Known, Signers::All].into_iter().find_map(|signers| {
            let satisfy = |may_wait| self.satisfy(descriptor, signers, confirmations, may_wait);
            satisfy(false).or_else(|| satisfy(true))
        })
    }

    fn satisfy(
        &self,
        descriptor: &Descriptor<DefiniteDescriptorKey>,
        signers: Signers,
        confirmations: u32,
        may_wait: bool,
    ) -> Option<Spending> {
        let signs_by_key = match (descriptor, signers) {
            (Descriptor::Tr(tr), Signers::Own) => self.signers.contains(&tr.internal_key().master_fingerprint()),
            (Descriptor::Tr(tr), Signers::Known) => has_origin(tr.internal_key()),
            _ => true,
        };
        let weights = Weights {
            scale: self,
            signers,
            signs_by_key,
            confirmations,
            may_wait,
            older: Cell::new(None),
            after: Cell::new(0),
            depends_on_age: Cell::new(false),
        };
        let mut input = TxIn::default();
        descriptor.satisfy(&mut input, &weights).ok()?;
        let is_segwit = !input.witness.is_empty();
        Some(Spending {
            weight: if is_segwit { input.segwit_weight() } else { input.legacy_weight() },
            is_segwit,
            sequence: weights.older.get().map_or(Sequence::ENABLE_RBF_NO_LOCKTIME, Sequence::from_height),
            lock_height: weights.after.get(),
            is_own: signers == Signers::Own,
            depends_on_age: weights.depends_on_age.get(),
        })
    }
}

/// Whose signatures are counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signers {
    /// The wallet's own.
    Own,
    /// Everybody's whose keys have an origin.
    Known,
    /// Everybody's.
    All,
}

/// Whether somebody has derived a key.
fn has_origin(key: &DefiniteDescriptorKey) -> bool {
    match key.as_descriptor_public_key() {
        DescriptorPublicKey::Single(key) => key.origin.is_some(),
        DescriptorPublicKey::XPub(_) | DescriptorPublicKey::MultiXPub(_) => true,
    }
}

/// Answers a descriptor's questions with signatures of the right size.
struct Weights<'a> {
    scale: &'a Scale<'a>,
    signers: Signers,
    /// Whether the key of a taproot output itself signs.
    signs_by_key: bool,
    confirmations: u32,
    /// Whether the coin's age may be used.
    may_wait: bool,
    /// The age that was asked for, in blocks.
    older: Cell<Option<u16>>,
    /// The height that was asked for.
    after: Cell<u32>,
    /// Whether any age was asked for.
    depends_on_age: Cell<bool>,
}

impl Weights<'_> {
    fn signs(&self, key: &DefiniteDescriptorKey) -> bool {
        self.signers != Signers::Own || self.scale.signers.contains(&key.master_fingerprint())
    }
}

impl Satisfier<DefiniteDescriptorKey> for Weights<'_> {
    fn lookup_ecdsa_sig(&self, key: &DefiniteDescriptorKey) -> Option<ecdsa::Signature> {
        self.signs(key).then_some(self.scale.ecdsa)
    }

    fn lookup_tap_key_spend_sig(&self) -> Option<taproot::Signature> {
        self.signs_by_key.then_some(self.scale.schnorr)
    }

    fn lookup_tap_leaf_script_sig(&self, key: &DefiniteDescriptorKey, _: &TapLeafHash) -> Option<taproot::Signature> {
        self.signs(key).then_some(self.scale.schnorr)
    }

    fn check_older(&self, age: relative::LockTime) -> bool {
        self.depends_on_age.set(true);
        let relative::LockTime::Blocks(blocks) = age else { return false };
        let is_over = self.may_wait && u32::from(blocks.value()) <= self.confirmations;
        if is_over {
            self.older.set(self.older.get().max(Some(blocks.value())));
        }
        is_over
    }

    fn check_after(&self, time: LockTime) -> bool {
        let LockTime::Blocks(height) = time else { return false };
        let height = height.to_consensus_u32();
        let is_over = height <= self.scale.tip;
        if is_over {
            self.after.set(self.after.get().max(height));
        }
        is_over
    }
}
