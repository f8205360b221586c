//! Bodies of blocks by hash.

use std::time::Duration;

use bitcoin::BlockHash;

use super::Exchange;
use super::frame::{FOUND_OVERHEAD, Frame, FrameError, Reader, decode_found_list, encode_found_list, encode_hashes};

/// The most blocks that one request asks for (Core: `MAX_BLOCKS_IN_TRANSIT_PER_PEER`, `net_processing.cpp`).
pub const MAX_BLOCKS_TO_REQUEST: usize = 16;

/// The largest block, in bytes (Core: `MAX_BLOCK_SERIALIZED_SIZE`, `consensus/consensus.h`).
pub const MAX_BLOCK_SIZE: usize = 4_000_000;

/// The most bytes of bodies in one response: two of the largest blocks fit. Sixteen of them would be 64 MB held on both
/// sides until the slower one is done.
pub const MAX_BLOCKS_RESPONSE_BYTES: usize = 2 * MAX_BLOCK_SIZE;

/// Asks for blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocksRequest {
    /// Their hashes: at least one, at most [`MAX_BLOCKS_TO_REQUEST`].
    pub hashes: Vec<BlockHash>,
}

impl Frame for BlocksRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_hashes(&self.hashes, out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let hashes = reader.hashes("blocks", MAX_BLOCKS_TO_REQUEST)?;
        reader.finish()?;
        if hashes.is_empty() {
            return Err(FrameError::Empty { what: "blocks" });
        }
        Ok(Self { hashes })
    }
}

/// What was found of the blocks that were asked for, in the order of the request.
///
/// It may end before the request does, because of [`MAX_BLOCKS_RESPONSE_BYTES`]: what is missing at the end was not looked
/// for, and may be asked for again. It holds at least one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlocksResponse {
    /// Each block's bytes as they stand on disk, or `None` when the block is not there (any more).
    pub blocks: Vec<Option<Vec<u8>>>,
}

impl BlocksResponse {
    /// Adds the answer for the next hash, unless the response is full; then it is given back.
    ///
    /// # Errors
    ///
    /// The answer, when it does not fit. The first always fits.
    pub fn push(&mut self, block: Option<Vec<u8>>) -> Result<(), Option<Vec<u8>>> {
        let size: usize = self.blocks.iter().flatten().map(Vec::len).sum();
        if size + block.as_ref().map_or(0, Vec::len) > MAX_BLOCKS_RESPONSE_BYTES {
            return Err(block);
        }
        self.blocks.push(block);
        Ok(())
    }
}

impl Frame for BlocksResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_found_list(&self.blocks, out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        Ok(Self { blocks: decode_found_list(bytes, "blocks", MAX_BLOCKS_TO_REQUEST, MAX_BLOCK_SIZE)? })
    }
}

/// The protocol `blocks`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks;

impl Exchange for Blocks {
    type Request = BlocksRequest;
    type Response = BlocksResponse;

    const NAME: &'static str = "blocks";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = 2 + MAX_BLOCKS_TO_REQUEST * 32;
    const MAX_RESPONSE_SIZE: usize = 2 + MAX_BLOCKS_TO_REQUEST * FOUND_OVERHEAD + MAX_BLOCKS_RESPONSE_BYTES;
    /// Five seconds to the first byte and twenty for each of the two largest blocks.
    const TIMEOUT: Duration = Duration::from_secs(45);
    const MAX_IN_FLIGHT: usize = 2;
}
