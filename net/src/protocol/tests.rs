use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, io};

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode, Wtxid};
use futures::AsyncRead;
use futures::executor::block_on;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::codec::{framed, read_frame};
use super::*;

fn encoded(frame: &impl Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

fn hash<H: Hash<Bytes = [u8; 32]> + fmt::Debug>() -> impl Strategy<Value = H> {
    any::<[u8; 32]>().prop_map(H::from_byte_array)
}

fn header() -> impl Strategy<Value = Header> {
    any::<[u8; 80]>().prop_map(|bytes| bitcoin::consensus::deserialize(&bytes).unwrap())
}

fn status() -> impl Strategy<Value = Status> {
    let numbers = any::<(u32, [u8; 32], u64, u32, u64)>();
    (any::<[u8; 32]>(), hash(), numbers, "[ -~ä]{0,128}").prop_map(|(spec_hash, tip_hash, numbers, user_agent)| {
        let (height, work, services, prune_height, fee_filter) = numbers;
        let services = Services(services);
        Status { spec_hash, tip_hash, height, work, services, prune_height, fee_filter, user_agent }
    })
}

fn headers_request() -> impl Strategy<Value = HeadersRequest> {
    (vec(hash::<BlockHash>(), 0..=MAX_LOCATOR_SIZE), hash())
        .prop_map(|(locator, stop)| HeadersRequest { locator, stop })
}

fn found(most: usize) -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    vec(option::of(vec(any::<u8>(), 0..200)), 1..=most)
}

fn indexes() -> impl Strategy<Value = Vec<u16>> {
    btree_set(any::<u16>(), 1..100).prop_map(|indexes| indexes.into_iter().collect())
}

/// Checks that a frame comes back from its bytes, that no other bytes mean the same, and that parts of it mean nothing.
fn check<F: Frame + fmt::Debug + PartialEq>(frame: &F) -> Result<(), TestCaseError> {
    let bytes = encoded(frame);
    prop_assert_eq!(&F::decode(&bytes).unwrap(), frame);
    for end in 0..bytes.len().min(200) {
        prop_assert!(F::decode(&bytes[..end]).is_err(), "{} of {} bytes are a frame", end, bytes.len());
    }
    if !bytes.is_empty() {
        prop_assert!(F::decode(&bytes[..bytes.len() - 1]).is_err());
    }
    prop_assert_eq!(F::decode(&[&bytes[..], &[0]].concat()), Err(FrameError::TrailingBytes { got: 1 }));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn statuses_come_back(status in status()) {
        check(&status)?;
        prop_assert!(encoded(&status).len() <= StatusExchange::MAX_REQUEST_SIZE);
    }

    #[test]
    fn headers_requests_come_back(request in headers_request()) {
        check(&request)?;
        prop_assert!(encoded(&request).len() <= Headers::MAX_REQUEST_SIZE);
    }

    #[test]
    fn headers_come_back(headers in vec(header(), 0..20)) {
        check(&HeadersResponse { headers })?;
    }

    #[test]
    fn blocks_requests_come_back(hashes in vec(hash(), 1..=MAX_BLOCKS_TO_REQUEST)) {
        let request = BlocksRequest { hashes };
        check(&request)?;
        prop_assert!(encoded(&request).len() <= Blocks::MAX_REQUEST_SIZE);
    }

    #[test]
    fn blocks_come_back(blocks in found(MAX_BLOCKS_TO_REQUEST)) {
        check(&BlocksResponse { blocks })?;
    }

    #[test]
    fn transactions_requests_come_back(wtxids in vec(hash::<Wtxid>(), 1..=MAX_TRANSACTIONS_TO_REQUEST)) {
        let request = TransactionsRequest { wtxids };
        check(&request)?;
        prop_assert!(encoded(&request).len() <= Transactions::MAX_REQUEST_SIZE);
    }

    #[test]
    fn transactions_come_back(transactions in found(MAX_TRANSACTIONS_TO_REQUEST)) {
        check(&TransactionsResponse { transactions })?;
    }

    #[test]
    fn compact_block_requests_come_back(hash in hash()) {
        let request = CompactBlockRequest { hash };
        check(&request)?;
        prop_assert_eq!(encoded(&request).len(), CompactBlocks::MAX_REQUEST_SIZE);
    }

    #[test]
    fn compact_blocks_come_back(compact_block in option::of(vec(any::<u8>(), 0..300))) {
        check(&CompactBlockResponse { compact_block })?;
    }

    #[test]
    fn block_transactions_requests_come_back(hash in hash(), indexes in indexes()) {
        check(&BlockTransactionsRequest { hash, indexes })?;
    }

    #[test]
    fn block_transactions_come_back(transactions in option::of(vec(vec(any::<u8>(), 0..40), 1..40))) {
        check(&BlockTransactionsResponse { transactions })?;
    }

    #[test]
    fn answers_come_back(status in status(), wait: u32) {
        check(&Answer::Response(status))?;
        check(&Answer::<Status>::Busy { wait: Duration::from_millis(u64::from(wait)) })?;
    }
}

/// Whatever is decoded is the one value with these bytes.
fn decode_any<F: Frame>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(frame) = F::decode(bytes) {
        prop_assert_eq!(encoded(&frame), bytes);
    }
    Ok(())
}

fn decode_as_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    decode_any::<Status>(bytes)?;
    decode_any::<HeadersRequest>(bytes)?;
    decode_any::<HeadersResponse>(bytes)?;
    decode_any::<BlocksRequest>(bytes)?;
    decode_any::<BlocksResponse>(bytes)?;
    decode_any::<TransactionsRequest>(bytes)?;
    decode_any::<TransactionsResponse>(bytes)?;
    decode_any::<CompactBlockRequest>(bytes)?;
    decode_any::<CompactBlockResponse>(bytes)?;
    decode_any::<BlockTransactionsRequest>(bytes)?;
    decode_any::<BlockTransactionsResponse>(bytes)?;
    decode_any::<Answer<BlocksResponse>>(bytes)
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..600)) {
        decode_as_everything(&bytes)?;
    }

    /// Mostly small numbers, so that counts and kinds are often plausible.
    #[test]
    fn nearly_frames_are_judged(
        mut bytes in vec(prop_oneof![4 => 0u8..4, 1 => any::<u8>()], 0..100),
        tail in prop_oneof![Just(0), Just(32), Just(64), Just(80), Just(160)],
    ) {
        bytes.resize(bytes.len() + tail, 1);
        decode_as_everything(&bytes)?;
    }
}

/// A list that announces `count` elements, and holds `bytes`.
fn announced(count: u16, bytes: &[u8]) -> Vec<u8> {
    [&count.to_le_bytes(), bytes].concat()
}

#[test]
fn lists_end_at_their_limit() {
    let too_many = |what, limit: usize| FrameError::TooMany { what, got: limit + 1, limit };
    let over = |limit: usize, size: usize| announced(u16::try_from(limit + 1).unwrap(), &vec![0; (limit + 1) * size]);

    let request = HeadersRequest { locator: vec![BlockHash::all_zeros(); 102], stop: BlockHash::all_zeros() };
    assert_eq!(HeadersRequest::decode(&encoded(&request)), Err(too_many("hashes in a locator", 101)));
    assert_eq!(HeadersResponse::decode(&over(2000, 80)), Err(too_many("headers", 2000)));
    assert_eq!(BlocksRequest::decode(&over(16, 32)), Err(too_many("blocks", 16)));
    assert_eq!(BlocksResponse::decode(&over(16, 1)), Err(too_many("blocks", 16)));
    assert_eq!(TransactionsRequest::decode(&over(100, 32)), Err(too_many("transactions", 100)));
    assert_eq!(TransactionsResponse::decode(&over(100, 1)), Err(too_many("transactions", 100)));
}

#[test]
fn the_longest_lists_fit_their_protocol() {
    let header = Header {
        version: bitcoin::block::Version::ONE,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 0,
        bits: CompactTarget::from_consensus(0),
        nonce: 0,
    };
    let headers = HeadersResponse { headers: vec![header; MAX_HEADERS_RESULTS] };
    assert_eq!(encoded(&headers).len(), Headers::MAX_RESPONSE_SIZE);
    assert_eq!(HeadersResponse::decode(&encoded(&headers)), Ok(headers));

    let mut blocks = BlocksResponse::default();
    for _ in 0..2 {
        blocks.push(Some(vec![1; MAX_BLOCK_SIZE])).unwrap();
    }
    assert_eq!(blocks.push(Some(vec![1])), Err(Some(vec![1])));
    for _ in 2..MAX_BLOCKS_TO_REQUEST {
        blocks.push(None).unwrap();
    }
    assert!(encoded(&blocks).len() <= Blocks::MAX_RESPONSE_SIZE);
    assert_eq!(BlocksResponse::decode(&encoded(&blocks)), Ok(blocks));

    let mut transactions = TransactionsResponse::default();
    for _ in 0..10 {
        transactions.push(Some(vec![1; MAX_TRANSACTION_SIZE])).unwrap();
    }
    assert!(transactions.push(Some(vec![1])).is_err());
    assert!(encoded(&transactions).len() <= Transactions::MAX_RESPONSE_SIZE);
    assert_eq!(TransactionsResponse::decode(&encoded(&transactions)), Ok(transactions));

    let compact = CompactBlockResponse { compact_block: Some(vec![1; MAX_COMPACT_BLOCK_SIZE]) };
    assert_eq!(encoded(&compact).len(), CompactBlocks::MAX_RESPONSE_SIZE);
    assert_eq!(CompactBlockResponse::decode(&encoded(&compact)), Ok(compact));

    let request = BlockTransactionsRequest { hash: BlockHash::all_zeros(), indexes: (0..u16::MAX).collect() };
    assert_eq!(encoded(&request).len(), BlockTransactions::MAX_REQUEST_SIZE);
    assert_eq!(BlockTransactionsRequest::decode(&encoded(&request)), Ok(request));

    // As many as can be, and as large as a block altogether.
    let mut transactions = vec![vec![1]; MAX_BLOCK_TRANSACTIONS_TO_REQUEST];
    transactions[7] = vec![2; MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES - MAX_BLOCK_TRANSACTIONS_TO_REQUEST + 1];
    let response = BlockTransactionsResponse { transactions: Some(transactions) };
    assert_eq!(encoded(&response).len(), BlockTransactions::MAX_RESPONSE_SIZE);
    assert_eq!(BlockTransactionsResponse::decode(&encoded(&response)), Ok(response));
}

/// Core: `TransactionsRequestSerializationTest` and those behind it, `test/blockencodings_tests.cpp`.
#[test]
fn indexes_ascend_and_fit_16_bits() {
    let request = |indexes: Vec<u16>| BlockTransactionsRequest { hash: BlockHash::all_zeros(), indexes };
    let decoded = |indexes| BlockTransactionsRequest::decode(&encoded(&request(indexes)));
    for indexes in [vec![0, 1, 3, 4], vec![65_535], vec![0, 65_535]] {
        assert_eq!(decoded(indexes.clone()), Ok(request(indexes)));
    }
    let unordered = |got, before| Err(FrameError::NotAscending { what: "indexes", got, before });
    assert_eq!(decoded(vec![0, 3, 2]), unordered(2, 3));
    assert_eq!(decoded(vec![5, 5]), unordered(5, 5));
    assert_eq!(decoded(Vec::new()), Err(FrameError::Empty { what: "indexes" }));
    assert_eq!(
        request((0..=u16::MAX).collect()).check(),
        Err(FrameError::TooMany { what: "indexes", got: 65_536, limit: 65_535 })
    );
}

#[test]
fn things_end_at_their_limit() {
    let block = |size: usize| BlocksResponse { blocks: vec![Some(vec![0; size])] };
    assert!(BlocksResponse::decode(&encoded(&block(MAX_BLOCK_SIZE))).is_ok());
    assert_eq!(
        BlocksResponse::decode(&encoded(&block(MAX_BLOCK_SIZE + 1))),
        Err(FrameError::TooLong { got: MAX_BLOCK_SIZE + 1, limit: MAX_BLOCK_SIZE })
    );
    let transaction = TransactionsResponse { transactions: vec![Some(vec![0; MAX_TRANSACTION_SIZE + 1])] };
    assert!(TransactionsResponse::decode(&encoded(&transaction)).is_err());
    let compact = CompactBlockResponse { compact_block: Some(vec![0; MAX_COMPACT_BLOCK_SIZE + 1]) };
    assert_eq!(
        CompactBlockResponse::decode(&encoded(&compact)),
        Err(FrameError::TooLong { got: MAX_COMPACT_BLOCK_SIZE + 1, limit: MAX_COMPACT_BLOCK_SIZE })
    );
    // More than a block has, taken together.
    let transactions = Some(vec![vec![0; MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES], vec![0]]);
    let response = BlockTransactionsResponse { transactions };
    assert_eq!(BlockTransactionsResponse::decode(&encoded(&response)), Err(FrameError::TooLong { got: 1, limit: 0 }));
}

#[test]
fn nothing_may_not_be_asked_or_answered() {
    assert_eq!(BlocksRequest::decode(&[0, 0]), Err(FrameError::Empty { what: "blocks" }));
    assert_eq!(BlocksResponse::decode(&[0, 0]), Err(FrameError::Empty { what: "blocks" }));
    assert_eq!(TransactionsRequest::decode(&[0, 0]), Err(FrameError::Empty { what: "transactions" }));
    assert_eq!(TransactionsResponse::decode(&[0, 0]), Err(FrameError::Empty { what: "transactions" }));
    assert_eq!(HeadersResponse::decode(&[0, 0]), Ok(HeadersResponse::default()));
    assert_eq!(BlockTransactionsResponse::decode(&[1, 0, 0]), Err(FrameError::Empty { what: "transactions" }));
    assert_eq!(BlockTransactionsResponse::decode(&[0]), Ok(BlockTransactionsResponse::default()));
    assert_eq!(CompactBlockResponse::decode(&[0]), Ok(CompactBlockResponse::default()));
}

#[test]
fn counts_that_lie_reserve_nothing() {
    assert_eq!(
        HeadersResponse::decode(&announced(2000, &[0; 80])),
        Err(FrameError::Truncated { got: 80, expected: 160_000 })
    );
    let found_of_4_gigabytes = [&[1, 0, 1][..], &u32::MAX.to_le_bytes(), &[0; 50]].concat();
    assert_eq!(
        BlocksResponse::decode(&found_of_4_gigabytes),
        Err(FrameError::TooLong { got: 0xffff_ffff, limit: MAX_BLOCK_SIZE })
    );
    assert_eq!(
        BlockTransactionsResponse::decode(&[&[1, 255, 255][..], &[0; 8]].concat()),
        Err(FrameError::Truncated { got: 8, expected: 4 * 65_535 })
    );
    assert_eq!(CompactBlockResponse::decode(&[2]), Err(FrameError::UnknownKind { what: "compact block", got: 2 }));
    assert_eq!(BlocksResponse::decode(&[1, 0, 2]), Err(FrameError::UnknownKind { what: "blocks", got: 2 }));
    assert_eq!(Answer::<Status>::decode(&[2]), Err(FrameError::UnknownKind { what: "answer", got: 2 }));
}

#[test]
fn user_agents_are_short_text() {
    let status = |user_agent: &str| Status {
        spec_hash: [1; 32],
        tip_hash: BlockHash::all_zeros(),
        height: 1,
        work: [0; 32],
        services: Services::NETWORK.with(Services::WITNESS),
        prune_height: 0,
        fee_filter: 1000,
        user_agent: user_agent.to_owned(),
    };
    let longest = status(&"a".repeat(MAX_USER_AGENT_LENGTH));
    assert_eq!(Status::decode(&encoded(&longest)), Ok(longest));
    let longer = status(&"a".repeat(MAX_USER_AGENT_LENGTH + 1));
    assert_eq!(Status::decode(&encoded(&longer)), Err(FrameError::TooLong { got: 257, limit: 256 }));

    let mut not_text = encoded(&status("a"));
    *not_text.last_mut().unwrap() = 0xff;
    assert_eq!(Status::decode(&not_text), Err(FrameError::NotText { what: "user agent" }));
}

#[test]
fn services_are_bits() {
    let both = Services::NETWORK.with(Services::WITNESS);
    assert_eq!(both.0, 9);
    assert!(both.contains(Services::WITNESS));
    assert!(!both.contains(Services::NETWORK_LIMITED));
}

/// A stream that counts what is asked of it at once: a reader that trusted a length would ask for all of it.
struct Trickle<'a> {
    bytes: &'a [u8],
    largest_buffer: usize,
}

impl AsyncRead for Trickle<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.largest_buffer = self.largest_buffer.max(buffer.len());
        let count = self.bytes.len().min(buffer.len()).min(1000);
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Poll::Ready(Ok(count))
    }
}

fn frame_error_of(error: &io::Error) -> FrameError {
    frame_error(error).expect("the fault is the peer's").clone()
}

#[test]
fn a_length_above_the_limit_is_refused_at_once() {
    let bytes = [101, 0, 0, 0, 1, 2, 3];
    let error = block_on(read_frame::<Status>(&mut &bytes[..], 100)).unwrap_err();
    assert_eq!(frame_error_of(&error), FrameError::TooLong { got: 101, limit: 100 });
}

#[test]
fn a_length_that_lies_reserves_little() {
    let announced = u32::try_from(Blocks::MAX_RESPONSE_SIZE).unwrap();
    let bytes = [&announced.to_le_bytes()[..], &[0; 5000]].concat();
    let mut stream = Trickle { bytes: &bytes, largest_buffer: 0 };
    let error = block_on(read_frame::<BlocksResponse>(&mut stream, Blocks::MAX_RESPONSE_SIZE)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(frame_error(&error).is_none(), "a lost connection is no fault");
    assert!(stream.largest_buffer <= 64 * 1024, "{} bytes were reserved", stream.largest_buffer);
}

#[test]
fn frames_pass_a_stream() {
    let frame = BlocksResponse { blocks: vec![Some(vec![7; 300_000]), None] };
    let bytes = framed(frame.clone(), Blocks::MAX_RESPONSE_SIZE).unwrap();
    let mut stream = Trickle { bytes: &bytes, largest_buffer: 0 };
    let read = block_on(read_frame::<BlocksResponse>(&mut stream, Blocks::MAX_RESPONSE_SIZE)).unwrap();
    assert_eq!(read, frame);
}

#[test]
fn we_send_nothing_that_would_be_held_against_us() {
    let frame = HeadersRequest { locator: vec![BlockHash::all_zeros(); 102], stop: BlockHash::all_zeros() };
    let error = framed(frame, Headers::MAX_REQUEST_SIZE).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}
