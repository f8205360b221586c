//! What the node holds of the network.

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Wtxid};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::banned::Banned;
use crate::counters::Counters;
use crate::error::{DialError, InvalidAnswer, LinkError, NetworkStopped, PublishError, RequestError};
use crate::event::ConnectedPeer;
use crate::facts::{PeerFacts, PeerTable};
use crate::gossip::{Acceptance, ValidationToken};
use crate::links::{LinkConditions, LinkTable};
use crate::protocol::{
    BlockTransactionsRequest, BlocksRequest, BlocksResponse, CompactBlockRequest, Exchange, FrameError, HeadersRequest,
    MAX_BLOCKS_TO_REQUEST, MAX_LOCATOR_SIZE, MAX_TRANSACTION_SIZE, MAX_TRANSACTIONS_TO_REQUEST, MAX_USER_AGENT_LENGTH,
    Status, TransactionsRequest, TransactionsResponse,
};
use crate::service::{Command, Question};
use crate::traffic::Traffic;

/// A way to reach the network's task. Cheap to clone. What it is asked waits in a bounded queue: a caller that asks faster
/// than the task works is slowed down.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    local_peer: PeerId,
    commands: mpsc::Sender<Command>,
    shared: Shared,
}

/// A peer that was [added](NetworkHandle::add_peer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedPeer {
    /// The address as it was added.
    pub address: Multiaddr,
    /// Who is there; nobody when it is not connected.
    pub connected: Option<PeerId>,
}

/// What the task shows without being asked.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) listening: watch::Receiver<Vec<Multiaddr>>,
    pub(crate) connected: watch::Receiver<Vec<ConnectedPeer>>,
    pub(crate) active: watch::Receiver<bool>,
    pub(crate) links: Option<watch::Receiver<LinkTable>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) facts: Arc<PeerTable>,
}

impl NetworkHandle {
    pub(crate) fn new(local_peer: PeerId, commands: mpsc::Sender<Command>, shared: Shared) -> Self {
        Self { local_peer, commands, shared }
    }

    /// Who we are.
    #[must_use]
    pub fn local_peer_id(&self) -> PeerId {
        self.local_peer
    }

    /// Where we listen now, each address with our `PeerId` at its end.
    #[must_use]
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.shared.listening.borrow().clone()
    }

    /// Who is connected now, the oldest first.
    #[must_use]
    pub fn connected_peers(&self) -> Vec<ConnectedPeer> {
        self.shared.connected.borrow().clone()
    }

    /// Who is connected, to wait for a change.
    #[must_use]
    pub fn watch_peers(&self) -> watch::Receiver<Vec<ConnectedPeer>> {
        self.shared.connected.clone()
    }

    /// What the service counted since it started.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// What is known of each connected peer, the oldest first.
    #[must_use]
    pub fn peer_facts(&self) -> Vec<PeerFacts> {
        self.shared.facts.all()
    }

    /// Bytes that all peers sent and were sent since the start. Counted is what streams carry; what encryption, multiplexing
    /// and the transport add to it is not.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.facts.total_traffic()
    }

    /// Whether the node takes part in the network, see [`set_network_active`](Self::set_network_active).
    #[must_use]
    pub fn is_network_active(&self) -> bool {
        *self.shared.active.borrow()
    }

    /// Says what is to become of a gossiped message. Twelve heartbeats of 700 ms after the message came, it is forgotten, and
    /// the verdict changes nothing.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn report(&self, token: ValidationToken, acceptance: Acceptance) -> Result<(), NetworkStopped> {
        self.send(Command::Report { token, acceptance }).await
    }

    /// Announces a new block to all peers. The body must be there when they ask for it.
    ///
    /// # Errors
    ///
    /// When no peer was sent the header, for which there may be good reasons.
    pub async fn publish_header(&self, header: Header) -> Result<(), PublishError> {
        self.call(|answer| Command::PublishHeader { header, answer }).await?
    }

    /// Sends a transaction to all peers that want transactions.
    ///
    /// # Errors
    ///
    /// When no peer was sent the transaction, for which there may be good reasons.
    pub async fn publish_transaction(&self, transaction: Vec<u8>) -> Result<(), PublishError> {
        let got = transaction.len();
        if got > MAX_TRANSACTION_SIZE {
            return Err(PublishError::TooLarge { got, limit: MAX_TRANSACTION_SIZE });
        }
        self.call(|answer| Command::PublishTransaction { transaction, answer }).await?
    }

    /// Hears of transactions from now on, or no longer: a node that is far behind cannot judge them.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn relay_transactions(&self, relay: bool) -> Result<(), NetworkStopped> {
        self.send(Command::RelayTransactions(relay)).await
    }

    /// Tells a peer our status, and gets its own.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_status(&self, peer: PeerId, own: Status) -> Result<Status, RequestError> {
        let length = own.user_agent.len();
        if length > MAX_USER_AGENT_LENGTH {
            return Err(RequestError::Unaskable(FrameError::TooLong { got: length, limit: MAX_USER_AGENT_LENGTH }));
        }
        self.ask(peer, own, Command::AskStatus).await
    }

    /// Asks for headers. They come in the order of the peer; whether one follows from the other is not checked.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_headers(&self, peer: PeerId, request: HeadersRequest) -> Result<Vec<Header>, RequestError> {
        let got = request.locator.len();
        if got > MAX_LOCATOR_SIZE {
            let error = FrameError::TooMany { what: "hashes in a locator", got, limit: MAX_LOCATOR_SIZE };
            return Err(RequestError::Unaskable(error));
        }
        Ok(self.ask(peer, request, Command::AskHeaders).await?.headers)
    }

    /// Asks for 1 to [`MAX_BLOCKS_TO_REQUEST`] blocks. The answer may end before all are answered, see [`BlocksResponse`].
    /// Each block begins with a header of the hash that was asked for; nothing else about it is checked.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_blocks(&self, peer: PeerId, hashes: Vec<BlockHash>) -> Result<BlocksResponse, RequestError> {
        check_count("blocks", hashes.len(), MAX_BLOCKS_TO_REQUEST)?;
        let request = BlocksRequest { hashes: hashes.clone() };
        let response = self.ask(peer, request, Command::AskBlocks).await?;
        check_blocks(&hashes, &response)?;
        Ok(response)
    }

    /// Asks for 1 to [`MAX_TRANSACTIONS_TO_REQUEST`] transactions. The answer may end before all are answered, see
    /// [`TransactionsResponse`]. Whether the transactions are those that were asked for is not checked: only whoever decodes
    /// them knows their wtxids for nothing.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_transactions(
        &self,
        peer: PeerId,
        wtxids: Vec<Wtxid>,
    ) -> Result<TransactionsResponse, RequestError> {
        let asked = wtxids.len();
        check_count("transactions", asked, MAX_TRANSACTIONS_TO_REQUEST)?;
        let response = self.ask(peer, TransactionsRequest { wtxids }, Command::AskTransactions).await?;
        let got = response.transactions.len();
        if got > asked {
            return Err(InvalidAnswer::TooMany { got, asked }.into());
        }
        Ok(response)
    }

    /// Asks for the compact form of a block; `None` when the peer has none to give. It begins with a header of the hash that was
    /// asked for; nothing else about it is checked.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_compact_block(&self, peer: PeerId, hash: BlockHash) -> Result<Option<Vec<u8>>, RequestError> {
        let response = self.ask(peer, CompactBlockRequest { hash }, Command::AskCompactBlock).await?;
        if response.compact_block.as_ref().is_some_and(|bytes| !begins_with_header(bytes, hash)) {
            return Err(InvalidAnswer::WrongBlock { position: 0 }.into());
        }
        Ok(response.compact_block)
    }

    /// Asks for transactions of a block, by their places in it: 1 to
    /// [`MAX_BLOCK_TRANSACTIONS_TO_REQUEST`](crate::protocol::MAX_BLOCK_TRANSACTIONS_TO_REQUEST), ascending. All of them come,
    /// or `None`. Whether they are the right ones is not checked: only the whole block tells.
    ///
    /// # Errors
    ///
    /// When there is no answer; [`RequestError::Invalid`] is the peer's fault.
    pub async fn request_block_transactions(
        &self,
        peer: PeerId,
        hash: BlockHash,
        indexes: Vec<u16>,
    ) -> Result<Option<Vec<Vec<u8>>>, RequestError> {
        let expected = indexes.len();
        let request = BlockTransactionsRequest { hash, indexes };
        request.check().map_err(RequestError::Unaskable)?;
        let response = self.ask(peer, request, Command::AskBlockTransactions).await?;
        match response.transactions.as_ref().map(Vec::len) {
            Some(got) if got != expected => Err(InvalidAnswer::WrongCount { got, expected }.into()),
            _ => Ok(response.transactions),
        }
    }

    /// Stays connected with a peer: dials it now, and again whenever it is not there, for as long as it is not removed. False
    /// when the address was added before, in exactly this form.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn add_peer(&self, address: Multiaddr) -> Result<bool, NetworkStopped> {
        self.call(|answer| Command::AddPeer { address, answer }).await
    }

    /// The peers that were added, those of [`peers`](crate::NetworkConfig::peers) among them, in no order. An address that
    /// turned out to be our own is dropped.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn added_peers(&self) -> Result<Vec<AddedPeer>, NetworkStopped> {
        self.call(Command::AddedPeers).await
    }

    /// No longer dials a peer. Its connection stays. False when the address was not added, in exactly this form.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn remove_peer(&self, address: Multiaddr) -> Result<bool, NetworkStopped> {
        self.call(|answer| Command::RemovePeer { address, answer }).await
    }

    /// Dials a peer once, and waits for the connection. Whether it is of our network shows when
    /// [`PeerEvent::Connected`](crate::PeerEvent::Connected) comes.
    ///
    /// # Errors
    ///
    /// When the peer was not reached.
    pub async fn dial(&self, address: Multiaddr) -> Result<(), DialError> {
        self.call(|answer| Command::Dial { address, answer }).await?
    }

    /// Closes the connections with a peer. One that was added is dialled again.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn disconnect(&self, peer: PeerId) -> Result<(), NetworkStopped> {
        self.send(Command::Disconnect(peer)).await
    }

    /// Where peers may be found, those that were reached first: for
    /// [`known_addresses`](crate::NetworkConfig::known_addresses) of the next run.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn addresses(&self) -> Result<Vec<(PeerId, Multiaddr)>, NetworkStopped> {
        self.call(Command::Addresses).await
    }

    /// Connects with none of these from now on, from either side, and closes the connections there are. Whoever was banned
    /// before and is not among them may connect again. This is not remembered when the service ends.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn set_banned(&self, banned: Vec<Banned>) -> Result<(), NetworkStopped> {
        self.call(|answer| Command::SetBanned { banned, answer }).await
    }

    /// Takes part in the network, or no longer: then all connections are closed, nobody is dialled and nobody let in.
    ///
    /// # Errors
    ///
    /// When the service has ended.
    pub async fn set_network_active(&self, active: bool) -> Result<(), NetworkStopped> {
        self.call(|answer| Command::SetNetworkActive { active, answer }).await
    }

    /// Changes what the link with a peer does to what we send, or what all links do; connections that there are feel it at
    /// once. A cut link breaks them, and the peer is not reached until it is whole again: then it is dialled at once if it was
    /// [added](Self::add_peer). None of this is held against the peer.
    ///
    /// # Errors
    ///
    /// When the network was started without [`link_control`](crate::NetworkConfig::link_control), there are no such links, or
    /// the service has ended.
    pub async fn set_link_conditions(&self, peer: Option<PeerId>, conditions: LinkConditions) -> Result<(), LinkError> {
        self.call(|answer| Command::SetLink { peer, conditions, answer }).await?
    }

    /// What links do to what we send; nothing when that is not controlled.
    #[must_use]
    pub fn link_conditions(&self) -> Option<LinkTable> {
        self.shared.links.as_ref().map(|links| links.borrow().clone())
    }

    async fn send(&self, command: Command) -> Result<(), NetworkStopped> {
        self.commands.send(command).await.map_err(|_| NetworkStopped)
    }

    async fn call<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, NetworkStopped> {
        let (answer, answered) = oneshot::channel();
        self.send(command(answer)).await?;
        answered.await.map_err(|_| NetworkStopped)
    }

    async fn ask<E: Exchange>(
        &self,
        peer: PeerId,
        request: E::Request,
        command: impl FnOnce(Question<E>) -> Command,
    ) -> Result<E::Response, RequestError> {
        self.call(|answer| command(Question { peer, request, answer })).await?
    }
}

fn check_count(what: &'static str, got: usize, limit: usize) -> Result<(), RequestError> {
    match got {
        0 => Err(RequestError::Unaskable(FrameError::Empty { what })),
        _ if got > limit => Err(RequestError::Unaskable(FrameError::TooMany { what, got, limit })),
        _ => Ok(()),
    }
}

/// Checks that the blocks are those that were asked for, as far as their headers tell.
fn check_blocks(asked: &[BlockHash], response: &BlocksResponse) -> Result<(), InvalidAnswer> {
    let got = response.blocks.len();
    if got > asked.len() {
        return Err(InvalidAnswer::TooMany { got, asked: asked.len() });
    }
    for (position, (block, asked)) in response.blocks.iter().zip(asked).enumerate() {
        if block.as_ref().is_some_and(|block| !begins_with_header(block, *asked)) {
            return Err(InvalidAnswer::WrongBlock { position });
        }
    }
    Ok(())
}

fn begins_with_header(block: &[u8], hash: BlockHash) -> bool {
    block.first_chunk::<80>().is_some_and(|header| BlockHash::hash(header) == hash)
}
