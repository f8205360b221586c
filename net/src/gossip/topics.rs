//! What is gossiped on a network, and how messages are told apart.

use bitcoin::hashes::{Hash, sha256d};
use libp2p::gossipsub::{IdentTopic, Message, MessageId, TopicHash};

use crate::names::NetworkNames;

/// The version of both topics.
const VERSION: u32 = 1;

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Headers of new blocks.
    Header,
    /// Transactions.
    Transaction,
}

/// A network's topics.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    pub(crate) header: IdentTopic,
    pub(crate) transaction: IdentTopic,
}

impl Topics {
    pub(crate) fn new(names: &NetworkNames) -> Self {
        Self {
            header: IdentTopic::new(names.name("hdr", VERSION)),
            transaction: IdentTopic::new(names.name("tx", VERSION)),
        }
    }

    /// What a topic carries, if it is one of ours.
    pub(crate) fn of(&self, topic: &TopicHash) -> Option<Topic> {
        if *topic == self.header.hash() {
            Some(Topic::Header)
        } else if *topic == self.transaction.hash() {
            Some(Topic::Transaction)
        } else {
            None
        }
    }
}

/// A function that gives messages their identity: the double SHA-256 of all bytes, which is a block's hash or a wtxid, and a
/// byte for the topic.
///
/// The byte keeps topics apart. Without it, the bytes of a header that somebody sends as a transaction would be remembered as
/// seen, and the header would not be heard when it comes.
pub(super) fn message_id(topics: &Topics) -> impl Fn(&Message) -> MessageId + Send + Sync + 'static {
    let (header, transaction) = (topics.header.hash(), topics.transaction.hash());
    move |message| {
        let topic: u8 = if message.topic == header {
            0
        } else if message.topic == transaction {
            1
        } else {
            u8::MAX
        };
        let mut id = sha256d::Hash::hash(&message.data).to_byte_array().to_vec();
        id.push(topic);
        MessageId::from(id)
    }
}
