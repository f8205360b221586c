//! Gossip.

use std::collections::HashSet;
use std::time::Duration;

use bitcoin::consensus::serialize;
use cairn_net::protocol::MAX_TRANSACTION_SIZE;
use cairn_net::{Acceptance, PublishError};
use tokio::time::sleep;

use crate::support::{Node, header, transaction, until, within};

/// Three nodes in a line, of which the middle one knows that the last one wants headers and transactions: what it forwards before
/// would go to nobody.
async fn line() -> [Node; 3] {
    let [mut first, mut middle, mut last] = [Node::start().await, Node::start().await, Node::start().await];
    middle.connect(&mut last).await;
    middle.publish_header(header(0)).await;
    middle.publish_transaction(&transaction(0, 100)).await;
    within("a header", last.events.headers.recv()).await.unwrap();
    within("a transaction", last.events.transactions.recv()).await.unwrap();
    first.connect(&mut middle).await;
    [first, middle, last]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_goes_down_the_line() {
    let [first, mut middle, mut last] = line().await;
    first.publish_header(header(1)).await;

    let at_middle = within("a header", middle.events.headers.recv()).await.unwrap();
    assert_eq!((at_middle.source, at_middle.header), (first.id(), header(1)));
    assert!(last.events.headers.try_recv().is_err(), "forwarded before it was judged");
    middle.handle.report(at_middle.token, Acceptance::Accept).await.unwrap();

    let at_last = within("a header", last.events.headers.recv()).await.unwrap();
    assert_eq!((at_last.source, at_last.header), (middle.id(), header(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_down_the_line() {
    let [first, mut middle, mut last] = line().await;
    let transaction = transaction(1, 300);
    first.publish_transaction(&transaction).await;

    let at_middle = within("a transaction", middle.events.transactions.recv()).await.unwrap();
    assert_eq!((at_middle.source, &at_middle.transaction), (first.id(), &transaction));
    middle.handle.report(at_middle.token, Acceptance::Accept).await.unwrap();

    let at_last = within("a transaction", last.events.transactions.recv()).await.unwrap();
    assert_eq!((at_last.source, &at_last.transaction), (middle.id(), &transaction));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rejected_or_ignored_or_not_judged_goes_no_further() {
    let [first, mut middle, mut last] = line().await;
    for (number, verdict) in [(1, Some(Acceptance::Reject)), (2, Some(Acceptance::Ignore)), (3, None)] {
        first.publish_transaction(&transaction(number, 300)).await;
        let got = within("a transaction", middle.events.transactions.recv()).await.unwrap();
        assert_eq!(got.transaction, transaction(number, 300));
        if let Some(verdict) = verdict {
            middle.handle.report(got.token, verdict).await.unwrap();
        }
    }
    // What is accepted after them arrives, and arrives alone.
    for number in [4, 5] {
        first.publish_transaction(&transaction(number, 300)).await;
        let got = within("a transaction", middle.events.transactions.recv()).await.unwrap();
        middle.handle.report(got.token, Acceptance::Accept).await.unwrap();
        let got = within("a transaction", last.events.transactions.recv()).await.unwrap();
        assert_eq!(got.transaction, transaction(number, 300));
    }
    assert!(last.events.transactions.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_verdict_does_no_harm() {
    let [first, mut middle, mut last] = line().await;
    let counters = middle.handle.counters();
    // Twelve heartbeats are 8.4 seconds, and heartbeats of a busy machine are slow.
    let mut wait = Duration::from_secs(9);
    let mut number = 0;
    while counters.late_verdicts.get() == 0 {
        number += 1;
        first.publish_transaction(&transaction(number, 300)).await;
        let got = within("a transaction", middle.events.transactions.recv()).await.unwrap();
        sleep(wait).await;
        wait *= 2;
        middle.handle.report(got.token, Acceptance::Ignore).await.unwrap();
        // Commands are done in order: the verdict has been taken when this is answered.
        middle.handle.remove_peer(first.address()).await.unwrap();
        assert!(number < 3, "no verdict is late");
    }

    first.publish_transaction(&transaction(0, 300)).await;
    let got = within("a transaction", middle.events.transactions.recv()).await.unwrap();
    middle.handle.report(got.token, Acceptance::Accept).await.unwrap();
    let got = within("a transaction", last.events.transactions.recv()).await.unwrap();
    assert_eq!(got.transaction, transaction(0, 300));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_messages_arrive_back_to_back() {
    let (mut sender, mut receiver) = (Node::start().await, Node::start().await);
    sender.connect(&mut receiver).await;
    for number in 0..20 {
        sender.publish_transaction(&transaction(number, MAX_TRANSACTION_SIZE)).await;
    }
    let mut missing: HashSet<_> = (0..20).map(|number| transaction(number, MAX_TRANSACTION_SIZE)).collect();
    while !missing.is_empty() {
        let got = within("a large transaction", receiver.events.transactions.recv()).await.unwrap();
        assert!(missing.remove(&got.transaction), "another transaction, or one of them twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_not_published() {
    let (mut sender, mut receiver) = (Node::start().await, Node::start().await);
    sender.connect(&mut receiver).await;
    let size = MAX_TRANSACTION_SIZE + 1;
    let error = sender.handle.publish_transaction(transaction(1, size)).await.unwrap_err();
    assert_eq!(error, PublishError::TooLarge { got: size, limit: MAX_TRANSACTION_SIZE });
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_says_what_became_of_it() {
    let (mut sender, mut receiver) = (Node::start().await, Node::start().await);
    assert_eq!(sender.handle.publish_header(header(1)).await, Err(PublishError::NoPeers));
    sender.connect(&mut receiver).await;
    sender.publish_header(header(1)).await;
    assert_eq!(sender.handle.publish_header(header(1)).await, Err(PublishError::AlreadyPublished));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_600_arrives() {
    let (mut sender, mut receiver) = (Node::start().await, Node::start().await);
    sender.connect(&mut receiver).await;
    for number in 0..600 {
        sender.publish_transaction(&transaction(number, 300)).await;
    }
    let mut missing: HashSet<_> = (0..600).map(|number| transaction(number, 300)).collect();
    while !missing.is_empty() {
        let got = within("a transaction", receiver.events.transactions.recv()).await.unwrap();
        assert!(missing.remove(&got.transaction));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_slow_drops_and_is_not_waited_for() {
    let mut sender = Node::start().await;
    let mut receiver = Node::with(|config| {
        config.limits.header_queue = 1;
        config.limits.transaction_queue = 2;
    })
    .await;
    sender.connect(&mut receiver).await;
    for number in 0..5 {
        sender.publish_header(header(number)).await;
        sender.publish_transaction(&transaction(number, 300)).await;
    }
    let counters = receiver.handle.counters();
    until("four headers are dropped", || counters.headers_dropped.get() == 4).await;
    until("three transactions are dropped", || counters.transactions_dropped.get() == 3).await;
    assert_eq!((counters.headers_received.get(), counters.transactions_received.get()), (1, 2));

    // Nobody is blamed, and there is room again.
    assert_eq!(receiver.events.headers.recv().await.unwrap().header, header(0));
    sender.publish_header(header(9)).await;
    assert_eq!(within("a header", receiver.events.headers.recv()).await.unwrap().header, header(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_sent_as_a_transaction_does_not_keep_the_header_out() {
    let (mut sender, mut receiver) = (Node::start().await, Node::start().await);
    sender.connect(&mut receiver).await;
    sender.publish_transaction(&serialize(&header(1))).await;
    let got = within("a transaction", receiver.events.transactions.recv()).await.unwrap();
    assert_eq!(got.transaction, serialize(&header(1)));
    sender.publish_header(header(1)).await;
    assert_eq!(within("a header", receiver.events.headers.recv()).await.unwrap().header, header(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_transactions_gets_none() {
    let mut sender = Node::start().await;
    let mut receiver = Node::with(|config| config.relay_transactions = false).await;
    sender.connect(&mut receiver).await;
    // Once the header arrived, the sender knows what the receiver wants.
    sender.publish_header(header(1)).await;
    within("a header", receiver.events.headers.recv()).await.unwrap();
    assert_eq!(sender.handle.publish_transaction(transaction(1, 300)).await, Err(PublishError::NoPeers));

    receiver.handle.relay_transactions(true).await.unwrap();
    sender.publish_transaction(&transaction(1, 300)).await;
    let got = within("a transaction", receiver.events.transactions.recv()).await.unwrap();
    assert_eq!(got.transaction, transaction(1, 300));
}
