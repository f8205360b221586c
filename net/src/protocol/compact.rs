//! Compact blocks by hash (BIP152).

use std::time::Duration;

use bitcoin::BlockHash;

use super::Exchange;
use super::frame::{FOUND_OVERHEAD, Frame, FrameError, Reader, encode_found};

/// The longest compact block, in bytes. As many transactions as fit into a block are named in a tenth of that; the rest is for
/// those that are carried in full. A block whose compact form is longer has none.
pub const MAX_COMPACT_BLOCK_SIZE: usize = 1_000_000;

/// Asks for the compact form of a block (Core: `getdata` with `MSG_CMPCT_BLOCK`, `protocol.h`).
///
/// A peer that heard of the block but does not have it yet may keep the question for two seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactBlockRequest {
    /// Hash of the block.
    pub hash: BlockHash,
}

impl Frame for CompactBlockRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.hash.as_ref());
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let request = Self { hash: reader.hash()? };
        reader.finish()?;
        Ok(request)
    }
}

/// A compact block, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactBlockResponse {
    /// Its bytes in the form of BIP152, version 2, at most [`MAX_COMPACT_BLOCK_SIZE`]; `None` when the block is not there, lies
    /// too far below the tip, or has no compact form of that size.
    pub compact_block: Option<Vec<u8>>,
}

impl Frame for CompactBlockResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(FOUND_OVERHEAD + self.compact_block.as_ref().map_or(0, Vec::len));
        encode_found(self.compact_block.as_deref(), out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let response = Self { compact_block: reader.found("compact block", MAX_COMPACT_BLOCK_SIZE)? };
        reader.finish()?;
        Ok(response)
    }
}

/// The protocol `cmpct`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompactBlocks;

impl Exchange for CompactBlocks {
    type Request = CompactBlockRequest;
    type Response = CompactBlockResponse;

    const NAME: &'static str = "cmpct";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = 32;
    const MAX_RESPONSE_SIZE: usize = FOUND_OVERHEAD + MAX_COMPACT_BLOCK_SIZE;
    /// Two seconds for the peer to have the block, and two for the answer.
    const TIMEOUT: Duration = Duration::from_secs(4);
    const MAX_IN_FLIGHT: usize = 3;
}
