//! Gossip on its way to the node, and verdicts on their way back.

use libp2p::PeerId;
use libp2p::gossipsub::{self, IdentTopic, Message, MessageId};
use tokio::sync::mpsc::error::TrySendError;
use tracing::debug;

use super::NetworkService;
use crate::error::PublishError;
use crate::event::{GossipHeader, GossipTransaction, Violation};
use crate::gossip::{Acceptance, Topic, ValidationToken, check_header};
use crate::protocol::{FrameError, MAX_TRANSACTION_SIZE};

impl NetworkService {
    pub(super) fn on_gossip_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.on_gossip_message(propagation_source, message_id, message);
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => debug!(peer = %peer_id, "peer does not gossip"),
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                debug!(peer = %peer_id, ?failed_messages, "peer is slow to take gossip");
            }
            gossipsub::Event::Subscribed { .. } | gossipsub::Event::Unsubscribed { .. } => {}
        }
    }

    fn on_gossip_message(&mut self, source: PeerId, message: MessageId, content: Message) {
        let token = ValidationToken { message, source };
        match self.topics.of(&content.topic) {
            Some(Topic::Header) => self.on_gossip_header(token, &content.data),
            Some(Topic::Transaction) => self.on_gossip_transaction(token, content.data),
            None => self.report(&token, Acceptance::Ignore),
        }
    }

    fn on_gossip_header(&mut self, token: ValidationToken, bytes: &[u8]) {
        let header = match check_header(bytes, self.config.pow_limit) {
            Ok(header) => header,
            Err(error) => return self.reject(&token, error.into()),
        };
        match self.events.headers.try_send(GossipHeader { source: token.source, header, token }) {
            Ok(()) => self.counters.headers_received.add_one(),
            Err(TrySendError::Full(event) | TrySendError::Closed(event)) => {
                self.counters.headers_dropped.add_one();
                self.report(&event.token, Acceptance::Ignore);
            }
        }
    }

    fn on_gossip_transaction(&mut self, token: ValidationToken, transaction: Vec<u8>) {
        if transaction.len() > MAX_TRANSACTION_SIZE {
            let error = FrameError::TooLong { got: transaction.len(), limit: MAX_TRANSACTION_SIZE };
            return self.reject(&token, error.into());
        }
        match self.events.transactions.try_send(GossipTransaction { source: token.source, transaction, token }) {
            Ok(()) => self.counters.transactions_received.add_one(),
            Err(TrySendError::Full(event) | TrySendError::Closed(event)) => {
                self.counters.transactions_dropped.add_one();
                self.report(&event.token, Acceptance::Ignore);
            }
        }
    }

    /// Refuses what no honest node forwards.
    fn reject(&mut self, token: &ValidationToken, violation: Violation) {
        self.counters.gossip_rejected.add_one();
        self.report(token, Acceptance::Reject);
        self.on_violation(token.source, violation);
    }

    pub(super) fn report(&mut self, token: &ValidationToken, acceptance: Acceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(&token.message, &token.source, acceptance.into()) {
            self.counters.late_verdicts.add_one();
        }
    }

    pub(super) fn publish(&mut self, topic: IdentTopic, bytes: Vec<u8>) -> Result<(), PublishError> {
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => Ok(()),
            Err(gossipsub::PublishError::Duplicate) => Err(PublishError::AlreadyPublished),
            Err(gossipsub::PublishError::AllQueuesFull(_)) => Err(PublishError::QueuesFull),
            Err(gossipsub::PublishError::NoPeersSubscribedToTopic) => Err(PublishError::NoPeers),
            Err(
                error @ (gossipsub::PublishError::MessageTooLarge
                | gossipsub::PublishError::SigningError(_)
                | gossipsub::PublishError::TransformFailed(_)),
            ) => unreachable!("sizes were checked, and nothing is signed or transformed: {error}"),
        }
    }

    /// Hears of transactions from now on, or no longer.
    pub(super) fn relay_transactions(&mut self, relay: bool) {
        let topic = self.topics.transaction.clone();
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if relay {
            gossip.subscribe(&topic).expect("the topic is on the whitelist");
        } else {
            gossip.unsubscribe(&topic);
        }
    }
}
