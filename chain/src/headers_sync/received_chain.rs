//! The end of a chain of headers that nobody keeps.

use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget};

use super::HeadersSyncError;
use crate::header_chain::HeaderChain;
use crate::pow::{
    PowParams, Retarget, Work, asert_work_required, check_proof_of_work, permitted_difficulty_transition,
};
use crate::primitives::{hash_header, header_bytes};
use crate::validation::MAX_FUTURE_BLOCK_TIME;

/// What the next header is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceivedChain {
    hash: BlockHash,
    height: u32,
    /// In seconds since 1970.
    time: u32,
    bits: CompactTarget,
    /// Work of the chain up to its end.
    work: Work,
    /// Timestamp of the block at ASERT's anchor height, in seconds since 1970, if the network has one and the chain is that
    /// high.
    anchor_time: Option<u32>,
}

impl ReceivedChain {
    /// The end of a chain that is known, which has this work.
    pub(super) fn new(chain: &(impl HeaderChain + ?Sized), work: Work, pow: &PowParams) -> Self {
        let (tip, height) = (chain.tip(), chain.height());
        let anchor_height = anchor_height(pow).filter(|&anchor| anchor <= height);
        let anchor_time = anchor_height.map(|anchor| chain.header_at(anchor).time);
        Self { hash: tip.hash, height, time: tip.time, bits: tip.bits, work, anchor_time }
    }

    /// Hash of the last header.
    pub(super) fn hash(&self) -> BlockHash {
        self.hash
    }

    /// Height of the last header.
    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// Timestamp of the last header, in seconds since 1970.
    pub(super) fn time(&self) -> u32 {
        self.time
    }

    /// Work of the chain.
    pub(super) fn work(&self) -> Work {
        self.work
    }

    /// Timestamp of ASERT's anchor, in seconds since 1970, if the chain has one.
    pub(super) fn anchor_time(&self) -> Option<u32> {
        self.anchor_time
    }

    /// Checks that a message goes on here.
    pub(super) fn check_connection(&self, headers: &[Header]) -> Result<(), HeadersSyncError> {
        match headers.first() {
            Some(first) if first.prev_blockhash != self.hash => {
                Err(HeadersSyncError::Unconnecting { expected: self.hash, got: first.prev_blockhash })
            }
            _ => Ok(()),
        }
    }

    /// Goes on by a header, and returns its hash (Core: `ValidateAndProcessSingleHeader`; before it, `CheckHeadersPoW` and
    /// `CheckHeadersAreContinuous`, `net_processing.cpp`). `now` is in seconds since 1970. After an error the chain is as it was.
    pub(super) fn extend(&mut self, header: &Header, pow: &PowParams, now: u64) -> Result<BlockHash, HeadersSyncError> {
        let height = self.height.checked_add(1).ok_or(HeadersSyncError::TooHigh)?;
        if header.prev_blockhash != self.hash {
            let (expected, got) = (self.hash, header.prev_blockhash);
            return Err(HeadersSyncError::NonContinuous { height, expected, got });
        }
        let hash = hash_header(&header_bytes(header));
        check_proof_of_work(&hash, header.bits, pow.limit)
            .map_err(|source| HeadersSyncError::ProofOfWork { height, source })?;
        self.check_difficulty(header, height, pow, now)?;
        *self = Self {
            hash,
            height,
            time: header.time,
            bits: header.bits,
            work: self.work + Work::from_compact(header.bits),
            anchor_time: self.anchor_time.or((anchor_height(pow) == Some(height)).then_some(header.time)),
        };
        Ok(hash)
    }

    /// Checks that a header does not claim more work, or less, than it may. An attacker who could put much work into few headers
    /// would have more luck with it.
    fn check_difficulty(
        &self,
        header: &Header,
        height: u32,
        pow: &PowParams,
        now: u64,
    ) -> Result<(), HeadersSyncError> {
        let got = header.bits;
        let rule = match &pow.retarget {
            Retarget::Bitcoin(_) if permitted_difficulty_transition(height, self.bits, got, pow) => return Ok(()),
            Retarget::Bitcoin(_) => {
                return Err(HeadersSyncError::DifficultyTransition { height, previous: self.bits, got });
            }
            Retarget::Asert(rule) => rule,
        };
        let expected = asert_work_required(self.anchor_time, self.height, self.time, pow, rule);
        if got != expected {
            return Err(HeadersSyncError::DifficultyBits { height, expected, got });
        }
        // A chain that claims to be from the next century is behind its schedule, and easy.
        let latest = now.saturating_add(MAX_FUTURE_BLOCK_TIME);
        if u64::from(header.time) > latest {
            return Err(HeadersSyncError::TimeTooNew { height, latest, got: header.time });
        }
        Ok(())
    }
}

/// The height at which ASERT's schedule starts, on networks that have one.
fn anchor_height(pow: &PowParams) -> Option<u32> {
    match &pow.retarget {
        Retarget::Asert(rule) => Some(rule.anchor_height),
        Retarget::Bitcoin(_) => None,
    }
}
