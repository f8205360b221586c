//! What the service tells the node, by class. Each class has a bounded queue of its own, so that none delays another.

use std::net::IpAddr;
use std::time::Duration;

use bitcoin::block::Header;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::gossip::{HeaderError, ValidationToken};
use crate::protocol::{
    Answer, BlockTransactionsRequest, BlockTransactionsResponse, BlocksRequest, BlocksResponse, CompactBlockRequest,
    CompactBlockResponse, FrameError, HeadersRequest, HeadersResponse, Status, TransactionsRequest,
    TransactionsResponse,
};

/// The receiving ends of the service's queues. Events of one queue are in order; between queues there is no order.
#[derive(Debug)]
pub struct NetworkEvents {
    /// Peers that came, went or misbehaved. A slow reader is told late and less, but what it believes in the end is true.
    pub peers: mpsc::Receiver<PeerEvent>,
    /// Headers of new blocks. When the queue is full, a header is not forwarded, and forgotten.
    pub headers: mpsc::Receiver<GossipHeader>,
    /// Transactions. When the queue is full, a transaction is not forwarded, and forgotten.
    pub transactions: mpsc::Receiver<GossipTransaction>,
    /// Questions to answer. When the queue is full, the peer is answered that we are busy.
    pub requests: mpsc::Receiver<InboundRequest>,
}

/// Something about a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// A peer is connected, and said that it is of our network.
    Connected(ConnectedPeer),
    /// The last connection with a peer is gone.
    Disconnected(PeerId),
    /// A peer broke a rule that no honest node breaks. It is being disconnected; whether it may come back is not decided
    /// here. Told once for a connection.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// What it did.
        violation: Violation,
    },
}

/// A peer that we are connected with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedPeer {
    /// Who it is.
    pub peer: PeerId,
    /// Where it is: as it was dialled, or where its connection came from.
    pub address: Multiaddr,
    /// Who opened the connection.
    pub direction: Direction,
    /// The program it says it is, without control characters, at most
    /// [`MAX_USER_AGENT_LENGTH`](crate::protocol::MAX_USER_AGENT_LENGTH) bytes.
    pub user_agent: String,
}

impl ConnectedPeer {
    /// The peer's IP address, if its address starts with one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.address.iter().next()? {
            Protocol::Ip4(ip) => Some(ip.into()),
            Protocol::Ip6(ip) => Some(ip.into()),
            _ => None,
        }
    }
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The peer.
    Inbound,
    /// We.
    Outbound,
}

/// What no honest node does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// It sent what is not a frame of the protocol.
    #[error("not a frame: {0}")]
    Frame(#[from] FrameError),
    /// It forwarded what is not a header, or one without work.
    #[error("not a header: {0}")]
    Header(#[from] HeaderError),
    /// It follows other rules than we do.
    #[error("another network")]
    AnotherNetwork,
}

/// The header of a new block, from gossip. Its hash meets its own target, and that target is allowed on the network: somebody
/// worked for it. Nothing else is known about it.
#[derive(Debug)]
pub struct GossipHeader {
    /// Who sent it to us, and who is likely to have the block.
    pub source: PeerId,
    /// The header.
    pub header: Header,
    /// What to report the verdict with.
    pub token: ValidationToken,
}

/// A transaction from gossip, of which nothing is known but its size.
#[derive(Debug)]
pub struct GossipTransaction {
    /// Who sent it to us.
    pub source: PeerId,
    /// Its bytes, at most [`MAX_TRANSACTION_SIZE`](crate::protocol::MAX_TRANSACTION_SIZE).
    pub transaction: Vec<u8>,
    /// What to report the verdict with.
    pub token: ValidationToken,
}

/// A question of a peer, within its quotas.
#[derive(Debug)]
pub enum InboundRequest {
    /// It tells us its status, and asks for ours.
    Status {
        /// Who asks.
        peer: PeerId,
        /// The peer's status; it follows our rules.
        status: Status,
        /// Takes ours.
        reply: Reply<Status>,
    },
    /// It asks for headers.
    Headers {
        /// Who asks.
        peer: PeerId,
        /// For what.
        request: HeadersRequest,
        /// Takes the answer.
        reply: Reply<HeadersResponse>,
    },
    /// It asks for blocks.
    Blocks {
        /// Who asks.
        peer: PeerId,
        /// For what.
        request: BlocksRequest,
        /// Takes the answer.
        reply: Reply<BlocksResponse>,
    },
    /// It asks for transactions.
    Transactions {
        /// Who asks.
        peer: PeerId,
        /// For what.
        request: TransactionsRequest,
        /// Takes the answer.
        reply: Reply<TransactionsResponse>,
    },
    /// It asks for a compact block. The answer may take two seconds, if the block is only on its way to us.
    CompactBlock {
        /// Who asks.
        peer: PeerId,
        /// For what.
        request: CompactBlockRequest,
        /// Takes the answer.
        reply: Reply<CompactBlockResponse>,
    },
    /// It asks for transactions of a block.
    BlockTransactions {
        /// Who asks.
        peer: PeerId,
        /// For what.
        request: BlockTransactionsRequest,
        /// Takes the answer.
        reply: Reply<BlockTransactionsResponse>,
    },
}

/// Where the answer to a request goes. Dropped without one, it answers that we are busy.
#[derive(Debug)]
pub struct Reply<T> {
    answer: oneshot::Sender<Answer<T>>,
}

impl<T> Reply<T> {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Answer<T>>) {
        let (answer, answered) = oneshot::channel();
        (Self { answer }, answered)
    }

    /// Answers. Never waits, so it may be called from any thread.
    pub fn send(self, response: T) {
        // Who asked may have gone.
        let _ = self.answer.send(Answer::Response(response));
    }

    /// Answers that the peer should ask again after `wait`.
    pub fn busy(self, wait: Duration) {
        let _ = self.answer.send(Answer::Busy { wait });
    }

    /// False once nobody waits for the answer any more, so that no work need be done for it.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }
}
