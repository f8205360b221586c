//! Headers after the last one that both sides know.

use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};

use super::Exchange;
use super::frame::{Frame, FrameError, Reader, encode_count, encode_hashes};

/// The most hashes in a locator (Core: `MAX_LOCATOR_SZ`, `net_processing.cpp`).
pub const MAX_LOCATOR_SIZE: usize = 101;

/// The most headers in a response (Core: `MAX_HEADERS_RESULTS`, `net_processing.h`).
pub const MAX_HEADERS_RESULTS: usize = 2000;

/// Bytes of a header.
const HEADER_SIZE: usize = 80;

/// What to send headers after (Core's message `getheaders`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadersRequest {
    /// Hashes of the asker's chain from its tip backwards, at most [`MAX_LOCATOR_SIZE`]: the response starts after the first
    /// of them that lies on the active chain of whoever answers, or after the genesis block.
    pub locator: Vec<BlockHash>,
    /// The last header wanted; all zeros for as many as fit.
    pub stop: BlockHash,
}

impl Frame for HeadersRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_hashes(&self.locator, out);
        out.extend_from_slice(self.stop.as_ref());
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let request = Self { locator: reader.hashes("hashes in a locator", MAX_LOCATOR_SIZE)?, stop: reader.hash()? };
        reader.finish()?;
        Ok(request)
    }
}

/// Headers in the order of their heights, at most [`MAX_HEADERS_RESULTS`]. As many as that may mean that there are more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeadersResponse {
    /// The headers. Whether one follows from the other is for the receiver to check.
    pub headers: Vec<Header>,
}

impl Frame for HeadersResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(2 + self.headers.len() * HEADER_SIZE);
        encode_count(self.headers.len(), out);
        for header in &self.headers {
            out.extend_from_slice(&serialize(header));
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let count = reader.count("headers", MAX_HEADERS_RESULTS, HEADER_SIZE)?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            headers.push(deserialize(reader.bytes(HEADER_SIZE)?).expect("any 80 bytes are a header"));
        }
        reader.finish()?;
        Ok(Self { headers })
    }
}

/// The protocol `headers`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers;

impl Exchange for Headers {
    type Request = HeadersRequest;
    type Response = HeadersResponse;

    const NAME: &'static str = "headers";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = 2 + (MAX_LOCATOR_SIZE + 1) * 32;
    const MAX_RESPONSE_SIZE: usize = 2 + MAX_HEADERS_RESULTS * HEADER_SIZE;
    const TIMEOUT: Duration = Duration::from_secs(15);
    const MAX_IN_FLIGHT: usize = 2;
}
