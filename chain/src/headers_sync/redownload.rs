//! The second pass: headers wait in a buffer until enough of them have proven to be those of the first.

use std::collections::VecDeque;

use bitcoin::block::{Header, Version};
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use super::HeadersSyncError;
use super::commitments::Commitments;
use super::received_chain::ReceivedChain;
use crate::pow::{PowParams, Work};
use crate::primitives::{hash_header, header_bytes};

/// A header without the hash of the one before, which is there already (Core: `CompressedHeader`, `headerssync.h`).
#[derive(Debug, Clone, Copy)]
struct CompressedHeader {
    version: Version,
    merkle_root: TxMerkleNode,
    time: u32,
    bits: CompactTarget,
    nonce: u32,
}

// The parameters of all networks were computed for this size.
const _: () = assert!(size_of::<CompressedHeader>() == 48);

impl From<&Header> for CompressedHeader {
    fn from(&Header { version, merkle_root, time, bits, nonce, .. }: &Header) -> Self {
        Self { version, merkle_root, time, bits, nonce }
    }
}

impl CompressedHeader {
    /// The header, given the hash of the one before (Core: `GetFullHeader`).
    fn on(self, prev_blockhash: BlockHash) -> Header {
        let Self { version, merkle_root, time, bits, nonce } = self;
        Header { version, prev_blockhash, merkle_root, time, bits, nonce }
    }
}

/// The headers of the second pass.
#[derive(Debug)]
pub(super) struct Redownload {
    /// Up to the last header in the buffer.
    chain: ReceivedChain,
    /// The bits of the first pass.
    commitments: Commitments,
    buffer: VecDeque<CompressedHeader>,
    /// Hash of the header before the first one in the buffer (Core: `m_redownload_buffer_first_prev_hash`).
    first_prev_hash: BlockHash,
    /// The work suffices: all headers may leave the buffer (Core: `m_process_all_remaining_headers`).
    process_all_remaining_headers: bool,
}

impl Redownload {
    /// The second pass begins where the first one did.
    pub(super) fn new(chain_start: ReceivedChain, commitments: Commitments) -> Self {
        Self {
            chain: chain_start,
            commitments,
            buffer: VecDeque::new(),
            first_prev_hash: chain_start.hash(),
            process_all_remaining_headers: false,
        }
    }

    /// Hash of the last header that came.
    pub(super) fn last_hash(&self) -> BlockHash {
        self.chain.hash()
    }

    /// Whether the work suffices, so that nothing stays in the buffer.
    pub(super) fn is_complete(&self) -> bool {
        self.process_all_remaining_headers
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.commitments.memory() + self.buffer.capacity() * size_of::<CompressedHeader>()
    }

    /// Puts the headers of a message into the buffer, each if it is good and as far as can be told the one of the first pass (Core:
    /// `ValidateAndStoreRedownloadedHeader`). After an error the pass must not go on.
    pub(super) fn store(
        &mut self,
        headers: &[Header],
        pow: &PowParams,
        minimum_required_work: Work,
        now: u64,
    ) -> Result<(), HeadersSyncError> {
        self.chain.check_connection(headers)?;
        // Not by doubling: the bound on memory is exact.
        self.buffer.reserve_exact(headers.len());
        for header in headers {
            let hash = self.chain.extend(header, pow, now)?;
            self.process_all_remaining_headers |= self.chain.work() >= minimum_required_work;
            // From there on the bits may be used up: the peer's chain may have grown between the passes.
            if !self.process_all_remaining_headers {
                self.commitments.verify(self.chain.height(), &hash)?;
            }
            self.buffer.push_back(header.into());
        }
        Ok(())
    }

    /// Takes the headers that may leave the buffer out of it, the lowest first: those with `buffer_size` headers on top, or all
    /// (Core: `PopHeadersReadyForAcceptance`).
    pub(super) fn pop_headers_ready_for_acceptance(&mut self, buffer_size: usize) -> Vec<Header> {
        let stay = if self.process_all_remaining_headers { 0 } else { buffer_size };
        let ready = self.buffer.len().saturating_sub(stay);
        let mut headers = Vec::with_capacity(ready);
        for compressed in self.buffer.drain(..ready) {
            let header = compressed.on(self.first_prev_hash);
            self.first_prev_hash = hash_header(&header_bytes(&header));
            headers.push(header);
        }
        headers
    }
}
