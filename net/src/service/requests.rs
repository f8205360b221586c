//! Questions on their way to a peer or to the node, and answers on their way back.

use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::request_response::{self, InboundRequestId, Message, OutboundFailure, ResponseChannel};
use tracing::debug;

use super::exchanges::{Replied, Served};
use super::{NetworkService, Question};
use crate::error::{InvalidAnswer, RequestError};
use crate::event::{Reply, Violation};
use crate::protocol::{Answer, Exchange, Received, frame_error};

/// How long a peer should wait when the node has no time for it.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// How long a peer should wait that asks before its other questions are answered.
const TOO_MANY_WAIT: Duration = Duration::from_millis(100);

type ExchangeEvent<E> = request_response::Event<Received<<E as Exchange>::Request>, Answer<<E as Exchange>::Response>>;

impl NetworkService {
    /// Puts a question to a peer.
    pub(super) fn ask<E: Served>(&mut self, question: Question<E>) {
        let Question { peer, request, answer } = question;
        let refusal = if !self.swarm.is_connected(&peer) {
            Some(RequestError::NotConnected)
        } else if !E::open(&mut self.exchanges).may_ask(&peer) {
            Some(RequestError::TooManyInFlight)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            // Whoever asked may have gone.
            let _ = answer.send(Err(refusal));
            return;
        }
        self.counters.requests_sent.add_one();
        let id = E::behaviour(self.swarm.behaviour_mut()).send_request(&peer, Ok(request));
        E::open(&mut self.exchanges).asked(id, peer, answer);
    }

    pub(super) fn on_exchange_event<E: Served>(&mut self, event: ExchangeEvent<E>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                Message::Request { request_id, request: Ok(request), channel } => {
                    self.on_request::<E>(peer, request_id, request, channel);
                }
                Message::Request { request: Err(error), .. } => self.on_violation(peer, Violation::Frame(error)),
                Message::Response { request_id, response } => {
                    let answer = match response {
                        Answer::Response(response) => self.check_network::<E>(peer, response),
                        Answer::Busy { wait } => Err(RequestError::Busy { wait }),
                    };
                    self.answer::<E>(request_id, answer);
                }
            },
            request_response::Event::OutboundFailure { peer, request_id, error, .. } => {
                let error = request_error(error);
                debug!(%peer, protocol = E::NAME, %error, "question failed");
                if let RequestError::Invalid(InvalidAnswer::Frame(error)) = &error {
                    self.on_violation(peer, Violation::Frame(error.clone()));
                }
                self.answer::<E>(request_id, Err(error));
            }
            request_response::Event::InboundFailure { peer, request_id, error, .. } => {
                debug!(%peer, protocol = E::NAME, %error, "answer not delivered");
                E::open(&mut self.exchanges).served(request_id);
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                E::open(&mut self.exchanges).served(request_id);
            }
        }
    }

    /// Hands a question of a peer to the node, if both have the time.
    fn on_request<E: Served>(
        &mut self,
        peer: PeerId,
        id: InboundRequestId,
        request: E::Request,
        channel: ResponseChannel<Answer<E::Response>>,
    ) {
        if E::status_of_request(&request).is_some_and(|status| status.spec_hash != self.config.spec_hash) {
            return self.on_violation(peer, Violation::AnotherNetwork);
        }
        // Work in hand first: what is refused for it costs the peer nothing.
        if !E::open(&mut self.exchanges).may_serve(&peer, &self.config.limits) {
            self.counters.quota_breaches.add_one();
            return self.respond::<E>(channel, Answer::Busy { wait: TOO_MANY_WAIT });
        }
        let now = Instant::now();
        let allowed = self.peers.quotas(&peer).map_or(Ok(()), |quotas| quotas.take(now, E::ask(&request)));
        if let Err(wait) = allowed {
            self.counters.quota_breaches.add_one();
            return self.respond::<E>(channel, Answer::Busy { wait });
        }
        if let Some(status) = E::status_of_request(&request) {
            self.facts.told_status(&peer, status);
        }
        let (reply, answered) = Reply::new();
        // Closed is as good as full: the node is stopping.
        if self.events.requests.try_send(E::inbound(peer, request, reply)).is_err() {
            self.counters.requests_dropped.add_one();
            return self.respond::<E>(channel, Answer::Busy { wait: BUSY_WAIT });
        }
        self.counters.requests_received.add_one();
        E::open(&mut self.exchanges).serve(id, peer, channel, answered);
    }

    /// The node answered a question of a peer.
    pub(super) fn on_reply<E: Served>(&mut self, reply: Replied<E>) {
        let Replied { peer, channel, answer } = reply;
        let answer = answer.unwrap_or_else(|| {
            self.counters.requests_dropped.add_one();
            Answer::Busy { wait: BUSY_WAIT }
        });
        if let (Answer::Response(response), Some(quotas)) = (&answer, self.peers.quotas(&peer)) {
            quotas.charge_block_bytes(Instant::now(), E::charged_bytes(response));
        }
        self.respond::<E>(channel, answer);
    }

    fn respond<E: Served>(&mut self, channel: ResponseChannel<Answer<E::Response>>, answer: Answer<E::Response>) {
        // An error means that the peer has gone.
        let _ = E::behaviour(self.swarm.behaviour_mut()).send_response(channel, answer);
    }

    /// Refuses the answer of a peer that follows other rules, and remembers the status of any other.
    fn check_network<E: Served>(&mut self, peer: PeerId, response: E::Response) -> Result<E::Response, RequestError> {
        if let Some(status) = E::status_of_response(&response) {
            if status.spec_hash != self.config.spec_hash {
                self.on_violation(peer, Violation::AnotherNetwork);
                return Err(InvalidAnswer::AnotherNetwork.into());
            }
            self.facts.told_status(&peer, status);
        }
        Ok(response)
    }

    fn answer<E: Served>(
        &mut self,
        id: request_response::OutboundRequestId,
        answer: Result<E::Response, RequestError>,
    ) {
        if answer.is_err() {
            self.counters.requests_failed.add_one();
        }
        if let Some(sender) = E::open(&mut self.exchanges).answered(id) {
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        }
    }
}

fn request_error(failure: OutboundFailure) -> RequestError {
    match failure {
        OutboundFailure::DialFailure => RequestError::NotConnected,
        OutboundFailure::Timeout => RequestError::Timeout,
        OutboundFailure::ConnectionClosed => RequestError::Disconnected,
        OutboundFailure::UnsupportedProtocols => RequestError::Unsupported,
        OutboundFailure::Io(error) => match frame_error(&error) {
            Some(frame) => InvalidAnswer::from(frame.clone()).into(),
            None => RequestError::Failed(error),
        },
    }
}
