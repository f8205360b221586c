//! Reading a frame that a peer sent, as each of those there are: what is read has these bytes and no others.
//!
//! Input: which frame (one byte), the frame.
#![no_main]

use cairn_net::protocol::{
    BlockTransactionsRequest, BlockTransactionsResponse, BlocksRequest, BlocksResponse, CompactBlockRequest,
    CompactBlockResponse, Frame, HeadersRequest, HeadersResponse, Status, TransactionsRequest, TransactionsResponse,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind {
        0 => check::<Status>(bytes),
        1 => check::<HeadersRequest>(bytes),
        2 => check::<HeadersResponse>(bytes),
        3 => check::<BlocksRequest>(bytes),
        4 => check::<BlocksResponse>(bytes),
        5 => check::<TransactionsRequest>(bytes),
        6 => check::<TransactionsResponse>(bytes),
        7 => check::<CompactBlockRequest>(bytes),
        8 => check::<CompactBlockResponse>(bytes),
        9 => check::<BlockTransactionsRequest>(bytes),
        _ => check::<BlockTransactionsResponse>(bytes),
    }
});

fn check<F: Frame>(bytes: &[u8]) {
    let Ok(frame) = F::decode(bytes) else { return };
    let mut encoded = Vec::new();
    frame.encode(&mut encoded);
    assert_eq!(encoded, bytes);
}
