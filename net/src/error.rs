//! What can go wrong between the node and its network.

use std::io;
use std::time::Duration;

use libp2p::{Multiaddr, noise};
use thiserror::Error;

use crate::links::InvalidLinkConditions;
use crate::protocol::FrameError;

/// Why a network could not be started.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The key cannot authenticate connections.
    #[error("the node's key cannot be used: {0}")]
    Noise(noise::Error),
    /// The system does not say how names are looked up.
    #[error("cannot read how names are looked up: {0}")]
    Dns(io::Error),
    /// The system does not say which interfaces it has.
    #[error("cannot look for peers on the local network: {0}")]
    Mdns(io::Error),
    /// A pre-shared key protects TCP alone, and an address is of something else.
    #[error("{address} cannot be used with a pre-shared key: it protects tcp only")]
    Unprotected {
        /// The address, as it was configured.
        address: Multiaddr,
    },
    /// Only TCP has links that are controlled, and an address is of something else.
    #[error("{address} cannot be used with link control: it shapes tcp only")]
    Unshaped {
        /// The address, as it was configured.
        address: Multiaddr,
    },
    /// The network's name is too long for a rendezvous point.
    #[error("{got} bytes in the network's name for rendezvous, expected at most {limit}")]
    NameTooLong {
        /// Its length, in bytes.
        got: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address, as it was configured.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
}

/// The service ended, because the node is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the network is stopped")]
pub struct NetworkStopped;

/// Why a message was not handed to any peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublishError {
    /// No connected peer wants messages of this kind: usually because there is none.
    #[error("no peer to send it to")]
    NoPeers,
    /// It went round already, from us or to us.
    #[error("already known to the network")]
    AlreadyPublished,
    /// It is longer than what is relayed.
    #[error("{got} bytes, expected at most {limit}")]
    TooLarge {
        /// Its length, in bytes.
        got: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Every peer still has too much to take.
    #[error("the queues of all peers are full")]
    QueuesFull,
    /// The service ended.
    #[error(transparent)]
    Stopped(#[from] NetworkStopped),
}

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The question breaks the protocol's limits and was not sent.
    #[error("not sent: {0}")]
    Unaskable(FrameError),
    /// There is no connection with the peer.
    #[error("not connected")]
    NotConnected,
    /// As many questions are open with the peer as the protocol allows; this one was not sent.
    #[error("too many questions open with this peer")]
    TooManyInFlight,
    /// The connection was lost before the answer came.
    #[error("disconnected")]
    Disconnected,
    /// The answer took too long.
    #[error("timed out")]
    Timeout,
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the protocol")]
    Unsupported,
    /// The peer has no time, or we asked for too much.
    #[error("busy for {} ms", wait.as_millis())]
    Busy {
        /// How long it wants us to wait.
        wait: Duration,
    },
    /// The answer is one that no honest peer gives.
    #[error("invalid answer: {0}")]
    Invalid(#[from] InvalidAnswer),
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Failed(io::Error),
    /// The service ended.
    #[error(transparent)]
    Stopped(#[from] NetworkStopped),
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidAnswer {
    /// It is not a frame of the protocol.
    #[error("not a frame: {0}")]
    Frame(#[from] FrameError),
    /// It answers more than was asked.
    #[error("{got} answers to {asked} questions")]
    TooMany {
        /// How many were given.
        got: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// It answers another number of questions than were asked.
    #[error("{got} answers, expected {expected}")]
    WrongCount {
        /// How many were given.
        got: usize,
        /// How many were asked for.
        expected: usize,
    },
    /// A block is not the one that was asked for.
    #[error("answer {position} is another block than was asked for")]
    WrongBlock {
        /// Its place in the answer, from 0.
        position: usize,
    },
    /// The peer follows other rules than we do.
    #[error("another network")]
    AnotherNetwork,
}

/// Why a peer was not dialled, or not reached.
#[derive(Debug, Error)]
pub enum DialError {
    /// The dial failed; the text names every address and its reason.
    #[error("{0}")]
    Failed(String),
    /// The peer is connected already.
    #[error("already connected")]
    AlreadyConnected,
    /// The service ended.
    #[error(transparent)]
    Stopped(#[from] NetworkStopped),
}

/// Why the conditions of a link were not changed.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum LinkError {
    /// The network was started without [`link_control`](crate::NetworkConfig::link_control).
    #[error("links are not controlled: the network was started without")]
    Uncontrolled,
    /// There are no such links.
    #[error(transparent)]
    Invalid(#[from] InvalidLinkConditions),
    /// As many links differ from the others as are remembered.
    #[error("{limit} links differ from the others already: set those of all")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The service ended.
    #[error(transparent)]
    Stopped(#[from] NetworkStopped),
}
