//! Proof of work, and what a header owes to the chain it extends.

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::{HeaderError, MAX_FUTURE_BLOCK_TIME, MAX_TIMEWARP};
use crate::header_chain::{HeaderChain, HeaderFacts};
use crate::params::{ConsensusParams, Deployment};
use crate::pow::{check_proof_of_work, next_work_required};
use crate::primitives::{hash_header, header_bytes};

/// A header whose hash meets the target it claims. Whether it may claim that target is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedHeader {
    header: Header,
    hash: BlockHash,
}

impl CheckedHeader {
    /// A header nobody has mined yet, for a block that is only looked at.
    pub(super) fn unproven(header: &Header, hash: BlockHash) -> Self {
        Self { header: *header, hash }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.hash
    }
}

/// A header that obeys every rule about headers, at a known height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextuallyCheckedHeader {
    header: CheckedHeader,
    height: u32,
}

impl ContextuallyCheckedHeader {
    /// A header that was found good before.
    pub(crate) fn known(header: CheckedHeader, height: u32) -> Self {
        Self { header, height }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.header.header()
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What later headers are judged by.
    #[must_use]
    pub fn facts(&self) -> HeaderFacts {
        let Header { version, time, bits, .. } = *self.header();
        HeaderFacts { hash: self.hash(), time, bits, version }
    }
}

/// Checks a header on its own: its proof of work (Core: `CheckBlockHeader`, `validation.cpp`).
///
/// # Errors
///
/// [`HeaderError::HighHash`].
pub fn check_header(header: &Header, params: &ConsensusParams) -> Result<CheckedHeader, HeaderError> {
    check_hashed_header(header, hash_header(&header_bytes(header)), params)
}

/// The same for a header whose hash is known.
pub(super) fn check_hashed_header(
    header: &Header,
    hash: BlockHash,
    params: &ConsensusParams,
) -> Result<CheckedHeader, HeaderError> {
    check_proof_of_work(&hash, header.bits, params.pow.limit).map_err(HeaderError::HighHash)?;
    Ok(CheckedHeader { header: *header, hash })
}

/// Checks a header against `chain`, which must end in its parent, and the clock: `now` in seconds since 1970
/// (Core: `ContextualCheckBlockHeader`, `validation.cpp`).
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When `chain` does not end in the parent.
pub fn contextual_check_header(
    header: CheckedHeader,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
    now: u64,
) -> Result<ContextuallyCheckedHeader, HeaderError> {
    let Header { version, prev_blockhash, time, bits, .. } = header.header;
    let parent = chain.tip();
    assert_eq!(parent.hash, prev_blockhash, "a chain that ends in another block");
    let height = chain.height() + 1;

    let expected = next_work_required(chain, time, &params.pow);
    if bits != expected {
        return Err(HeaderError::BadDifficultyBits { expected, got: bits });
    }
    let median = chain.median_time_past();
    if time <= median {
        return Err(HeaderError::TimeTooOld { median, got: time });
    }
    check_timewarp(height, time, &parent, params)?;
    let latest = now.saturating_add(MAX_FUTURE_BLOCK_TIME);
    if u64::from(time) > latest {
        return Err(HeaderError::TimeTooNew { latest, got: time });
    }
    check_version(version.to_consensus(), height, params)?;
    Ok(ContextuallyCheckedHeader { header, height })
}

/// BIP94: a period must not start far before the last one ended.
fn check_timewarp(height: u32, time: u32, parent: &HeaderFacts, params: &ConsensusParams) -> Result<(), HeaderError> {
    if !params.pow.limits_timewarp_at(height) {
        return Ok(());
    }
    let earliest = parent.time.saturating_sub(MAX_TIMEWARP);
    if time < earliest { Err(HeaderError::TimewarpAttack { earliest, got: time }) } else { Ok(()) }
}

/// Each of three soft forks retired the version before it.
fn check_version(version: i32, height: u32, params: &ConsensusParams) -> Result<(), HeaderError> {
    let required = [(Deployment::Bip34, 2), (Deployment::Dersig, 3), (Deployment::Cltv, 4)];
    for (deployment, expected) in required {
        if version < expected && params.activation.is_active_at(deployment, height) {
            return Err(HeaderError::BadVersion { expected, got: version });
        }
    }
    Ok(())
}
