//! The search for a nonce.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bitcoin::block::Header;

use super::BlockTemplate;
use super::template::decoded;
use crate::pow::{GrindOptions, GrindOutcome, GrindResult, Target, grind};
use crate::primitives::Block;

/// Nonces that are tried before `generatetoaddress` gives up (Core: `DEFAULT_MAX_TRIES`, `rpc/mining.h`).
pub const DEFAULT_MAX_TRIES: u64 = 1_000_000;

/// A template whose nonces are searched, with one extra nonce in its coinbase after another.
#[derive(Debug, Clone)]
pub struct MiningJob {
    template: BlockTemplate,
    extra_nonce: Option<u64>,
    merkle_branch: Vec<[u8; 32]>,
    header: Header,
    target: Target,
}

impl MiningJob {
    /// A job that begins with this extra nonce. Miners that pay the same script should begin with random ones, so that they do not
    /// do each other's work.
    #[must_use]
    pub fn new(template: BlockTemplate, extra_nonce: u64) -> Self {
        Self::with(template, Some(extra_nonce))
    }

    fn with(template: BlockTemplate, extra_nonce: Option<u64>) -> Self {
        let merkle_branch = template.merkle_branch();
        let header = template.header_with(extra_nonce, &merkle_branch);
        let target = template.target();
        Self { template, extra_nonce, merkle_branch, header, target }
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &BlockTemplate {
        &self.template
    }

    /// The header whose nonces are searched now.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The target its hash has to meet.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Searches nonces of the header. A slow miner should ask for few of them at a time, and [roll](Self::roll) in between, so
    /// that its blocks are not hours old.
    #[must_use]
    pub fn search(&self, options: &GrindOptions<'_>) -> GrindResult {
        grind(&self.header, &self.target, options)
    }

    /// Goes on to the next extra nonce, and to the time `now`, in seconds since 1970.
    pub fn roll(&mut self, now: u64) {
        self.extra_nonce = Some(self.extra_nonce.map_or(0, |extra_nonce| extra_nonce.wrapping_add(1)));
        self.template.update_time(now);
        self.header = self.template.header_with(self.extra_nonce, &self.merkle_branch);
        self.target = self.template.target();
    }

    /// The block with the header that is searched now and a nonce.
    #[must_use]
    pub fn block(&self, nonce: u32) -> Arc<Block> {
        decoded(self.template.block_bytes_with(&Header { nonce, ..self.header }, self.extra_nonce))
    }
}

/// How the search for one block ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mined {
    /// With this block.
    Block(Arc<Block>),
    /// No nonce is good; another template may have one.
    NoNonce,
    /// As many nonces as were allowed were tried, or the search was interrupted.
    Stopped,
}

/// Searches the nonces of a template in order, on the calling thread, without an extra nonce (Core: `GenerateBlock`,
/// `rpc/mining.cpp`). `max_tries` is what is left of the nonces that may be tried, for this block and those after it.
#[must_use]
pub fn mine_block(template: BlockTemplate, max_tries: &mut u64, interrupt: &AtomicBool) -> Mined {
    /// The last nonce is never tried.
    const NONCES: u32 = u32::MAX;
    let allowed = u32::try_from(*max_tries).unwrap_or(NONCES);
    let Some(last) = allowed.checked_sub(1) else { return Mined::Stopped };
    let job = MiningJob::with(template, None);
    match job.search(&GrindOptions { nonces: 0..=last, ..GrindOptions::new(interrupt) }).outcome {
        GrindOutcome::Found { nonce } => {
            *max_tries -= u64::from(nonce);
            Mined::Block(job.block(nonce))
        }
        GrindOutcome::Exhausted => {
            *max_tries -= u64::from(allowed);
            if *max_tries == 0 { Mined::Stopped } else { Mined::NoNonce }
        }
        GrindOutcome::Cancelled => Mined::Stopped,
    }
}
