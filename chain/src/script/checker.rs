//! What the interpreter asks about the transaction: are its signatures good, is it locked long enough.

use super::sighash::{HashType, SINGLE_WITHOUT_OUTPUT, TaprootSpend, legacy_preimage, segwit_v0_preimage};
use super::signature::has_key_length;
use super::{LOCKTIME_THRESHOLD, PrecomputedTransactionData, ScriptError, SignatureCache, signature, taproot_sighash};
use crate::coins::Coin;
use crate::hash::HashWriter;
use crate::primitives::InputRef;

/// Sequence bit that switches the relative lock time off (Core: `CTxIn::SEQUENCE_LOCKTIME_DISABLE_FLAG`; BIP68).
pub(crate) const SEQUENCE_LOCKTIME_DISABLE_FLAG: u32 = 1 << 31;
/// Sequence bit that makes the relative lock time a duration (Core: `CTxIn::SEQUENCE_LOCKTIME_TYPE_FLAG`; BIP68).
pub(crate) const SEQUENCE_LOCKTIME_TYPE_FLAG: u32 = 1 << 22;
/// The relative lock time itself (Core: `CTxIn::SEQUENCE_LOCKTIME_MASK`; BIP68).
pub(crate) const SEQUENCE_LOCKTIME_MASK: u32 = 0xffff;
/// The sequence of an input that ignores its transaction's lock time (Core: `CTxIn::SEQUENCE_FINAL`).
pub(crate) const SEQUENCE_FINAL: u32 = u32::MAX;

/// What becomes of a signature that the cache holds or could hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// Good signatures are stored: the transaction will be seen again, in a block.
    Store,
    /// Entries are used up: the block was the last to ask.
    Consume,
}

/// Checks the signatures and lock times of one input (Core: `GenericTransactionSignatureChecker` and
/// `CachingTransactionSignatureChecker`, `script/interpreter.h`, `script/sigcache.h`).
pub struct TransactionSignatureChecker<'a> {
    data: &'a PrecomputedTransactionData<'a>,
    index: usize,
    input: InputRef<'a>,
    cache: Option<(&'a SignatureCache, CachePolicy)>,
    midstates: SighashMidstates,
}

impl<'a> TransactionSignatureChecker<'a> {
    /// Checks input `index` of the transaction.
    ///
    /// # Panics
    ///
    /// When the transaction has no input `index`.
    #[must_use]
    pub fn new(data: &'a PrecomputedTransactionData<'a>, index: usize) -> Self {
        let input = data.transaction().input(index).expect("the caller names an input of this transaction");
        Self { data, index, input, cache: None, midstates: SighashMidstates::default() }
    }

    /// The same, with a cache of good signatures.
    #[must_use]
    pub fn with_cache(self, cache: &'a SignatureCache, policy: CachePolicy) -> Self {
        Self { cache: Some((cache, policy)), ..self }
    }

    /// The input it checks.
    pub(super) fn input(&self) -> InputRef<'a> {
        self.input
    }

    /// The coin the input spends.
    pub(super) fn spent_output(&self) -> &'a Coin {
        self.data.spent_output(self.index)
    }

    /// Whether an ECDSA signature, its hash type included, signs this input (Core: `CheckECDSASignature`).
    ///
    /// `script_code` is the script from its last executed `OP_CODESEPARATOR`; in a legacy script the signature is already
    /// deleted from it.
    pub(super) fn check_ecdsa_signature(
        &mut self,
        signature: &[u8],
        key: &[u8],
        script_code: &[u8],
        witness_v0: bool,
    ) -> bool {
        if !has_key_length(key) {
            return false;
        }
        let [der @ .., hash_type] = signature else { return false };
        let sighash = self.ecdsa_sighash(script_code, *hash_type, witness_v0);
        self.cached(|cache| cache.ecdsa_entry(&sighash, key, der), || signature::verify_ecdsa(der, key, sighash))
    }

    fn ecdsa_sighash(&mut self, script_code: &[u8], hash_type: u8, witness_v0: bool) -> [u8; 32] {
        let parts = HashType::from_ecdsa(hash_type.into());
        let (data, index) = (self.data, self.index);
        let preimage = self.midstates.get_or_insert(parts, script_code, || {
            if witness_v0 {
                Some(segwit_v0_preimage(data, index, script_code, parts))
            } else {
                legacy_preimage(data.transaction(), index, script_code, parts)
            }
        });
        let Some(mut preimage) = preimage else {
            return SINGLE_WITHOUT_OUTPUT;
        };
        preimage.write_u32(hash_type.into());
        preimage.sha256d()
    }

    /// Checks a Schnorr signature of 64 bytes, or 65 with its hash type (Core: `CheckSchnorrSignature`; BIP341, BIP342).
    pub(super) fn check_schnorr_signature(
        &self,
        signature: &[u8],
        key: &[u8],
        spend: &TaprootSpend,
    ) -> Result<(), ScriptError> {
        const SIGHASH_DEFAULT: u8 = 0;
        let (signature, hash_type) = match signature.len() {
            64 => (signature, SIGHASH_DEFAULT),
            // The default is said by leaving it out; a second way to say it would be malleable.
            65 if signature[64] == SIGHASH_DEFAULT => return Err(ScriptError::SchnorrSigHashType),
            65 => (&signature[..64], signature[64]),
            _ => return Err(ScriptError::SchnorrSigSize),
        };
        let sighash =
            taproot_sighash(self.data, self.index, hash_type, spend).ok_or(ScriptError::SchnorrSigHashType)?;
        let good = self.cached(
            |cache| cache.schnorr_entry(&sighash, key, signature),
            || signature::verify_schnorr(signature, key, sighash),
        );
        if good { Ok(()) } else { Err(ScriptError::SchnorrSig) }
    }

    fn cached(&self, entry: impl FnOnce(&SignatureCache) -> [u8; 32], verify: impl FnOnce() -> bool) -> bool {
        let Some((cache, policy)) = self.cache else { return verify() };
        let entry = entry(cache);
        if cache.contains(&entry, policy == CachePolicy::Consume) {
            return true;
        }
        let good = verify();
        if good && policy == CachePolicy::Store {
            cache.insert(&entry);
        }
        good
    }

    /// Whether the transaction is locked at least until `lock_time` (Core: `CheckLockTime`; BIP65).
    pub(super) fn check_lock_time(&self, lock_time: i64) -> bool {
        let of_transaction = self.data.transaction().lock_time();
        let is_height = |value: i64| value < i64::from(LOCKTIME_THRESHOLD);
        is_height(lock_time) == is_height(of_transaction.into())
            && lock_time <= i64::from(of_transaction)
            // A final input would switch the lock time off.
            && self.input.sequence() != SEQUENCE_FINAL
    }

    /// Whether the input is locked for at least `sequence` after its coin (Core: `CheckSequence`; BIP112).
    pub(super) fn check_sequence(&self, sequence: i64) -> bool {
        let of_input = self.input.sequence();
        if self.data.transaction().version() < 2 || of_input & SEQUENCE_LOCKTIME_DISABLE_FLAG != 0 {
            return false;
        }
        let mask = SEQUENCE_LOCKTIME_TYPE_FLAG | SEQUENCE_LOCKTIME_MASK;
        let (wanted, of_input) = (sequence & i64::from(mask), i64::from(of_input & mask));
        let is_height = |value: i64| value < i64::from(SEQUENCE_LOCKTIME_TYPE_FLAG);
        is_height(wanted) == is_height(of_input) && wanted <= of_input
    }
}

/// Hashes of everything but the hash type, for the last script code of each of the six ways to sign: the signatures of one
/// multisig nearly always share them, and hashing a large transaction for each key again would cost quadratic time
/// (Core: `SigHashCache`, `script/interpreter.h`).
#[derive(Default)]
struct SighashMidstates([Option<(Vec<u8>, HashWriter)>; 6]);

impl SighashMidstates {
    fn get_or_insert(
        &mut self,
        hash_type: HashType,
        script_code: &[u8],
        preimage: impl FnOnce() -> Option<HashWriter>,
    ) -> Option<HashWriter> {
        let slot = &mut self.0[hash_type.index()];
        if let Some((of, midstate)) = slot
            && of == script_code
        {
            return Some(midstate.clone());
        }
        let midstate = preimage()?;
        *slot = Some((script_code.to_vec(), midstate.clone()));
        Some(midstate)
    }
}

#[cfg(test)]
mod tests;
