//! Questions and answers.

use std::time::Duration;

use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Wtxid};
use cairn_net::protocol::{
    BlockTransactionsResponse, BlocksResponse, CompactBlockResponse, FrameError, HeadersRequest, HeadersResponse,
    MAX_BLOCK_SIZE, MAX_COMPACT_BLOCK_SIZE, Services, TransactionsResponse,
};
use cairn_net::{InboundRequest, InvalidAnswer, Limits, PeerId, Quota, RequestError};

use crate::support::{Node, answer_plainly, header, status, transaction, until, within};

fn no_hash() -> BlockHash {
    BlockHash::all_zeros()
}

fn from_genesis() -> HeadersRequest {
    HeadersRequest { locator: vec![no_hash()], stop: no_hash() }
}

/// A block of `size` bytes with the header of this number. Nothing behind the header is valid.
fn block(number: u32, size: usize) -> Vec<u8> {
    let mut bytes = serialize(&header(number));
    bytes.resize(size, 0);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_their_status() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let asker_id = asker.id();
    answerer.serve(move |request| match request {
        InboundRequest::Status { peer, status: theirs, reply } => {
            assert_eq!((peer, theirs), (asker_id, status(5)));
            assert!(reply.is_wanted());
            reply.send(status(9));
        }
        other => panic!("{other:?}"),
    });
    let theirs = within("an answer", asker.handle.request_status(answerer.id(), status(5))).await.unwrap();
    assert_eq!(theirs, status(9));
    assert!(theirs.services.contains(Services::NETWORK));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_headers_as_many_as_fit() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let headers: Vec<_> = (0..2000).map(header).collect();
    let served = headers.clone();
    answerer.serve(move |request| match request {
        InboundRequest::Headers { request, reply, .. } => {
            assert_eq!(request, from_genesis());
            reply.send(HeadersResponse { headers: served.clone() });
        }
        other => panic!("{other:?}"),
    });
    let got = within("an answer", asker.handle.request_headers(answerer.id(), from_genesis())).await.unwrap();
    assert_eq!(got, headers);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_blocks_and_ask_again_for_the_rest() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let bodies: Vec<_> = (0..3).map(|number| block(number, MAX_BLOCK_SIZE)).collect();
    let served = bodies.clone();
    answerer.serve(move |request| match request {
        InboundRequest::Blocks { request, reply, .. } => {
            let mut response = BlocksResponse::default();
            for hash in request.hashes {
                let body = served.iter().find(|body| BlockHash::hash(&body[..80]) == hash).cloned();
                if response.push(body).is_err() {
                    break;
                }
            }
            reply.send(response);
        }
        other => panic!("{other:?}"),
    });
    let hashes = [no_hash(), header(0).block_hash(), header(1).block_hash(), header(2).block_hash()];
    let first = within("an answer", asker.handle.request_blocks(answerer.id(), hashes.to_vec())).await.unwrap();
    assert!(first.blocks == [None, Some(bodies[0].clone()), Some(bodies[1].clone())], "two of the largest fit");
    let rest = hashes[first.blocks.len()..].to_vec();
    let second = within("an answer", asker.handle.request_blocks(answerer.id(), rest)).await.unwrap();
    assert!(second.blocks == [Some(bodies[2].clone())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_transactions() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let found = transaction(4, 1000);
    let served = found.clone();
    answerer.serve(move |request| match request {
        InboundRequest::Transactions { request, reply, .. } => {
            let is_known = |wtxid: &Wtxid| *wtxid == Wtxid::hash(&served);
            let transactions = request.wtxids.iter().map(|wtxid| is_known(wtxid).then(|| served.clone())).collect();
            reply.send(TransactionsResponse { transactions });
        }
        other => panic!("{other:?}"),
    });
    let wtxids = vec![Wtxid::hash(b"unknown"), Wtxid::hash(&found)];
    let got = within("an answer", asker.handle.request_transactions(answerer.id(), wtxids)).await.unwrap();
    assert_eq!(got.transactions, [None, Some(found)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_compact_blocks() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let asker_id = asker.id();
    let compact = block(3, MAX_COMPACT_BLOCK_SIZE);
    let served = compact.clone();
    answerer.serve(move |request| match request {
        InboundRequest::CompactBlock { peer, request, reply } => {
            assert_eq!(peer, asker_id);
            let compact_block = (request.hash == header(3).block_hash()).then(|| served.clone());
            reply.send(CompactBlockResponse { compact_block });
        }
        other => panic!("{other:?}"),
    });
    let ask = |hash| asker.handle.request_compact_block(answerer.id(), hash);
    let found = within("an answer", ask(header(3).block_hash())).await.unwrap();
    assert!(found == Some(compact));
    let unknown = within("an answer", ask(header(4).block_hash())).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compact_block_may_take_a_while() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let hash = header(3).block_hash();
    // Three questions are held, and each is answered when there is an answer.
    let (handle, peer) = (asker.handle.clone(), answerer.id());
    let ask = || {
        let handle = handle.clone();
        tokio::spawn(async move { handle.request_compact_block(peer, hash).await })
    };
    let asked = [ask(), ask(), ask()];
    let mut held = Vec::new();
    for _ in 0..3 {
        match within("a question", answerer.events.requests.recv()).await.unwrap() {
            InboundRequest::CompactBlock { reply, .. } => held.push(reply),
            other => panic!("{other:?}"),
        }
    }
    let fourth = within("an answer", asker.handle.request_compact_block(peer, hash)).await;
    assert!(matches!(fourth, Err(RequestError::TooManyInFlight)), "{fourth:?}");
    for reply in held {
        assert!(reply.is_wanted());
        reply.send(CompactBlockResponse { compact_block: Some(block(3, 100)) });
    }
    for answer in asked {
        assert_eq!(within("an answer", answer).await.unwrap().unwrap(), Some(block(3, 100)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_transactions_of_a_block() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(move |request| match request {
        InboundRequest::BlockTransactions { request, reply, .. } => {
            let is_known = request.hash == header(3).block_hash();
            let find = |&index: &u16| transaction(u32::from(index), 1 + usize::from(index) % 50);
            let transactions = is_known.then(|| request.indexes.iter().map(find).collect());
            reply.send(BlockTransactionsResponse { transactions });
        }
        other => panic!("{other:?}"),
    });
    let ask =
        |number, indexes| asker.handle.request_block_transactions(answerer.id(), header(number).block_hash(), indexes);
    let some = within("an answer", ask(3, vec![0, 2, 65_535])).await.unwrap();
    assert_eq!(some, Some(vec![transaction(0, 1), transaction(2, 3), transaction(65_535, 36)]));
    let all = within("an answer", ask(3, (0..65_535).collect())).await.unwrap().expect("the block is there");
    assert_eq!((all.len(), all.last()), (65_535, Some(&transaction(65_534, 35))));
    let unknown = within("an answer", ask(4, vec![1])).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn compact_blocks_and_their_transactions_have_quotas() {
    let mut asker = Node::start().await;
    let mut answerer = Node::with(|config| {
        config.limits.compact_block_requests = Quota::per(1, Duration::from_secs(1000));
        config.limits.block_transactions_requests = Quota::per(2, Duration::from_secs(1000));
    })
    .await;
    asker.connect(&mut answerer).await;
    answerer.serve(answer_plainly);
    let compact = || asker.handle.request_compact_block(answerer.id(), no_hash());
    let transactions = || asker.handle.request_block_transactions(answerer.id(), no_hash(), vec![1]);
    within("an answer", compact()).await.unwrap();
    let refused = within("an answer", compact()).await;
    assert!(matches!(refused, Err(RequestError::Busy { wait }) if wait > Duration::from_secs(900)), "{refused:?}");
    for _ in 0..2 {
        within("an answer", transactions()).await.unwrap();
    }
    let refused = within("an answer", transactions()).await;
    assert!(matches!(refused, Err(RequestError::Busy { wait }) if wait > Duration::from_secs(400)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_one_after_the_other_find_nobody_busy() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(answer_plainly);
    for _ in 0..200 {
        within("an answer", asker.handle.request_headers(answerer.id(), from_genesis())).await.unwrap();
    }
    assert_eq!(answerer.handle.counters().requests_received.get(), 200);
    assert_eq!(asker.handle.counters().requests_sent.get(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_busy() {
    let mut asker = Node::start().await;
    let mut answerer = Node::with(|config| config.limits.request_queue = 1).await;
    asker.connect(&mut answerer).await;

    let (handle, peer) = (asker.handle.clone(), answerer.id());
    let waiting = tokio::spawn(async move { handle.request_headers(peer, from_genesis()).await });
    until("a question in the queue", || answerer.handle.counters().requests_received.get() == 1).await;

    let refused = within("an answer", asker.handle.request_status(peer, status(1))).await;
    assert!(matches!(refused, Err(RequestError::Busy { wait }) if !wait.is_zero()), "{refused:?}");
    assert_eq!(answerer.handle.counters().requests_dropped.get(), 1);

    // The question in the queue is none the worse for it, and there is room again behind it.
    answerer.serve(answer_plainly);
    assert_eq!(within("an answer", waiting).await.unwrap().unwrap(), [header(1)]);
    within("an answer", asker.handle.request_status(peer, status(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_dropped_answers_busy() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(drop);
    let refused = within("an answer", asker.handle.request_status(answerer.id(), status(1))).await;
    assert!(matches!(refused, Err(RequestError::Busy { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_may_say_itself_that_it_is_busy() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(|request| match request {
        InboundRequest::Status { reply, .. } => reply.busy(Duration::from_secs(17)),
        other => panic!("{other:?}"),
    });
    let refused = within("an answer", asker.handle.request_status(answerer.id(), status(1))).await;
    assert!(matches!(refused, Err(RequestError::Busy { wait }) if wait == Duration::from_secs(17)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_much_is_told_how_long_to_wait() {
    let mut asker = Node::start().await;
    let quota = Quota::per(3, Duration::from_secs(3000));
    let mut answerer = Node::with(|config| config.limits.status_requests = quota).await;
    asker.connect(&mut answerer).await;
    answerer.serve(answer_plainly);
    for _ in 0..3 {
        within("an answer", asker.handle.request_status(answerer.id(), status(1))).await.unwrap();
    }
    let refused = within("an answer", asker.handle.request_status(answerer.id(), status(1))).await;
    let Err(RequestError::Busy { wait }) = refused else { panic!("{refused:?}") };
    assert!(wait > Duration::from_secs(900) && wait <= Duration::from_secs(1000), "{wait:?}");
    assert_eq!(answerer.handle.counters().quota_breaches.get(), 1);
    // Other protocols have quotas of their own.
    within("an answer", asker.handle.request_headers(answerer.id(), from_genesis())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_blocks_are_paid_for() {
    let mut asker = Node::start().await;
    let quota = Quota { burst: 100_000, refill: 1, period: Duration::from_secs(1) };
    let mut answerer = Node::with(|config| config.limits.block_bytes = quota).await;
    asker.connect(&mut answerer).await;
    answerer.serve(|request| match request {
        InboundRequest::Blocks { reply, .. } => reply.send(BlocksResponse { blocks: vec![Some(block(0, 200_000))] }),
        other => panic!("{other:?}"),
    });
    let ask = || asker.handle.request_blocks(answerer.id(), vec![header(0).block_hash()]);
    within("an answer", ask()).await.unwrap();
    let refused = within("an answer", ask()).await;
    assert!(matches!(refused, Err(RequestError::Busy { wait }) if wait > Duration::from_secs(90_000)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compared_with_what_was_asked() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(|request| match request {
        InboundRequest::Blocks { request, reply, .. } if request.hashes.len() == 1 => {
            reply.send(BlocksResponse { blocks: vec![None, None] });
        }
        InboundRequest::Blocks { reply, .. } => {
            reply.send(BlocksResponse { blocks: vec![Some(block(1, 100)), Some(block(9, 100))] });
        }
        InboundRequest::Transactions { reply, .. } => {
            reply.send(TransactionsResponse { transactions: vec![None; 100] });
        }
        InboundRequest::CompactBlock { reply, .. } => {
            reply.send(CompactBlockResponse { compact_block: Some(block(9, 100)) });
        }
        InboundRequest::BlockTransactions { reply, .. } => {
            reply.send(BlockTransactionsResponse { transactions: Some(vec![vec![1]]) });
        }
        other => panic!("{other:?}"),
    });
    let hashes: Vec<_> = [1, 2].map(|number| header(number).block_hash()).to_vec();
    let too_many = within("an answer", asker.handle.request_blocks(answerer.id(), hashes[..1].to_vec())).await;
    assert!(
        matches!(too_many, Err(RequestError::Invalid(InvalidAnswer::TooMany { got: 2, asked: 1 }))),
        "{too_many:?}"
    );
    let wrong = within("an answer", asker.handle.request_blocks(answerer.id(), hashes)).await;
    assert!(matches!(wrong, Err(RequestError::Invalid(InvalidAnswer::WrongBlock { position: 1 }))), "{wrong:?}");
    let wtxids = vec![Wtxid::all_zeros(); 99];
    let too_many = within("an answer", asker.handle.request_transactions(answerer.id(), wtxids)).await;
    assert!(matches!(too_many, Err(RequestError::Invalid(InvalidAnswer::TooMany { .. }))), "{too_many:?}");
    let hash = header(1).block_hash();
    let wrong = within("an answer", asker.handle.request_compact_block(answerer.id(), hash)).await;
    assert!(matches!(wrong, Err(RequestError::Invalid(InvalidAnswer::WrongBlock { position: 0 }))), "{wrong:?}");
    let few = within("an answer", asker.handle.request_block_transactions(answerer.id(), hash, vec![1, 2])).await;
    assert!(matches!(few, Err(RequestError::Invalid(InvalidAnswer::WrongCount { got: 1, expected: 2 }))), "{few:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_limits_is_not_asked() {
    let node = Node::start().await;
    let peer = PeerId::random();
    let empty = node.handle.request_blocks(peer, Vec::new()).await;
    assert!(matches!(empty, Err(RequestError::Unaskable(FrameError::Empty { .. }))), "{empty:?}");
    let too_many = node.handle.request_blocks(peer, vec![no_hash(); 17]).await;
    assert!(matches!(too_many, Err(RequestError::Unaskable(FrameError::TooMany { .. }))), "{too_many:?}");
    let too_many = node.handle.request_transactions(peer, vec![Wtxid::all_zeros(); 101]).await;
    assert!(matches!(too_many, Err(RequestError::Unaskable(FrameError::TooMany { .. }))), "{too_many:?}");
    let empty = node.handle.request_block_transactions(peer, no_hash(), Vec::new()).await;
    assert!(matches!(empty, Err(RequestError::Unaskable(FrameError::Empty { .. }))), "{empty:?}");
    let unordered = node.handle.request_block_transactions(peer, no_hash(), vec![2, 1]).await;
    assert!(matches!(unordered, Err(RequestError::Unaskable(FrameError::NotAscending { .. }))), "{unordered:?}");
    let locator = HeadersRequest { locator: vec![no_hash(); 102], stop: no_hash() };
    let too_many = node.handle.request_headers(peer, locator).await;
    assert!(matches!(too_many, Err(RequestError::Unaskable(FrameError::TooMany { .. }))), "{too_many:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_to_one_peer_have_a_limit() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let (handle, peer) = (asker.handle.clone(), answerer.id());
    let first = tokio::spawn(async move { handle.request_status(peer, status(1)).await });
    until("a question in the queue", || answerer.handle.counters().requests_received.get() == 1).await;
    let second = within("an answer", asker.handle.request_status(peer, status(1))).await;
    assert!(matches!(second, Err(RequestError::TooManyInFlight)), "{second:?}");
    answerer.serve(answer_plainly);
    within("an answer", first).await.unwrap().unwrap();
    within("an answer", asker.handle.request_status(peer, status(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_peer_answers_nothing() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let (handle, peer) = (asker.handle.clone(), answerer.id());
    let waiting = tokio::spawn(async move { handle.request_status(peer, status(1)).await });
    let request = within("a question", answerer.events.requests.recv()).await.unwrap();
    let InboundRequest::Status { reply, .. } = request else { panic!("{request:?}") };
    assert!(reply.is_wanted());

    asker.handle.disconnect(peer).await.unwrap();
    let answer = within("an answer", waiting).await.unwrap();
    assert!(matches!(answer, Err(RequestError::Disconnected)), "{answer:?}");
    until("the reply is of no use", || !reply.is_wanted()).await;

    asker.expect_disconnected(peer).await;
    let answer = within("an answer", asker.handle.request_status(peer, status(1))).await;
    assert!(matches!(answer, Err(RequestError::NotConnected)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_everything_is_stopped() {
    let node = Node::start().await;
    let handle = node.handle.clone();
    node.stop().await;
    let answer = handle.request_status(PeerId::random(), status(1)).await;
    assert!(matches!(answer, Err(RequestError::Stopped(_))), "{answer:?}");
    assert!(handle.publish_transaction(vec![1]).await.is_err());
}

#[test]
fn public_limits_are_tighter_than_local_ones() {
    let (public, local) = (Limits::public(), Limits::local());
    assert_eq!(public.max_connections, local.max_connections);
    assert!(public.block_bytes.burst < local.block_bytes.burst);
    assert!(public.compact_block_requests.burst < local.compact_block_requests.burst);
}
