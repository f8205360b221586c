//! Gossipsub's settings. Several of its defaults lose messages without a word; the comments name what each one prevents.

use std::time::Duration;

use libp2p::gossipsub::{
    self, Config, ConfigBuilder, IdentityTransform, MessageAuthenticity, ValidationMode, WhitelistSubscriptionFilter,
};

use super::topics::{Topics, message_id};
use crate::protocol::MAX_TRANSACTION_SIZE;

/// Gossipsub that hears of nothing but the network's topics.
pub(crate) type Gossipsub = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// What a message takes on the wire beside its payload, at most: the topic's name and the marks of its fields.
const MESSAGE_OVERHEAD: usize = 256;

/// The longest message on the topic of headers, in bytes, with its overhead. Wrong lengths a little above 80 arrive, so that
/// whoever sent them can be told from others.
const MAX_HEADER_MESSAGE: usize = 256;

/// The most identities in one announcement. Receivers refuse announcements above 16 KiB, with the whole message they came in:
/// 400 identities of 33 bytes stay below, with the topic's name and the marks of their fields. The default of 5000 loses
/// every announcement after a burst of 500 messages.
const MAX_ANNOUNCED: usize = 400;

/// The longest gossipsub frame. A topic may not be given more than this, or nothing of it arrives while publishing succeeds;
/// and what is compared with it is not one frame but what the socket had read, so that frames near it that follow each other
/// closely are lost. Hence far above the longest message.
const MAX_FRAME: usize = 1024 * 1024;

const _: () = assert!(MAX_FRAME >= MAX_TRANSACTION_SIZE + MESSAGE_OVERHEAD + 64 * 1024);

/// The settings for a network with these topics.
pub(super) fn settings(topics: &Topics) -> ConfigBuilder {
    let mut settings = ConfigBuilder::default();
    settings
        // Messages vouch for themselves; who made them is nobody's business.
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id(topics))
        .max_transmit_size(MAX_FRAME)
        .max_transmit_size_for_topic(MAX_HEADER_MESSAGE, topics.header.hash())
        .max_transmit_size_for_topic(MAX_TRANSACTION_SIZE + MESSAGE_OVERHEAD, topics.transaction.hash())
        .max_control_messages_sent(MAX_ANNOUNCED)
        .mesh_n(8)
        .mesh_n_low(6)
        .mesh_n_high(12)
        .mesh_outbound_min(3)
        .heartbeat_interval(Duration::from_millis(700))
        // Twelve heartbeats are how long a verdict may take.
        .history_length(12)
        .history_gossip(4)
        .duplicate_cache_time(Duration::from_secs(20 * 60))
        // A new block goes to all peers at once, not to the mesh alone.
        .flood_publish(true);
    // The names of the protocols stay gossipsub's: with others, it offers old versions only, and peers cannot say that they
    // have a large message already (IDONTWANT). The network is in the topics' names.
    settings
}

/// Gossipsub for a network, subscribed to nothing yet.
pub(crate) fn gossipsub(topics: &Topics) -> Gossipsub {
    let settings = settings(topics).build().expect("the settings are constant and agree with each other");
    with_settings(topics, settings).expect("anonymous messages need no key")
}

pub(super) fn with_settings(topics: &Topics, settings: Config) -> Result<Gossipsub, &'static str> {
    let whitelist = WhitelistSubscriptionFilter([topics.header.hash(), topics.transaction.hash()].into());
    Gossipsub::new_with_subscription_filter(MessageAuthenticity::Anonymous, settings, whitelist)
}
