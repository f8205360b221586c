//! What the node may ask of the service.

use bitcoin::block::Header;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::banned::Banned;
use crate::error::{DialError, LinkError, PublishError, RequestError};
use crate::gossip::{Acceptance, ValidationToken};
use crate::handle::AddedPeer;
use crate::links::LinkConditions;
use crate::protocol::{BlockTransactions, Blocks, CompactBlocks, Exchange, Headers, StatusExchange, Transactions};

/// A question to a peer, and where its answer goes. Whoever asked may stop waiting; the question stays open until the peer
/// answers or its time is over.
#[derive(Debug)]
pub(crate) struct Question<E: Exchange> {
    pub(crate) peer: PeerId,
    pub(crate) request: E::Request,
    pub(crate) answer: oneshot::Sender<Result<E::Response, RequestError>>,
}

/// What the node may ask of the service.
#[derive(Debug)]
pub(crate) enum Command {
    Report { token: ValidationToken, acceptance: Acceptance },
    PublishHeader { header: Header, answer: oneshot::Sender<Result<(), PublishError>> },
    PublishTransaction { transaction: Vec<u8>, answer: oneshot::Sender<Result<(), PublishError>> },
    RelayTransactions(bool),
    AskStatus(Question<StatusExchange>),
    AskHeaders(Question<Headers>),
    AskBlocks(Question<Blocks>),
    AskTransactions(Question<Transactions>),
    AskCompactBlock(Question<CompactBlocks>),
    AskBlockTransactions(Question<BlockTransactions>),
    AddPeer { address: Multiaddr, answer: oneshot::Sender<bool> },
    RemovePeer { address: Multiaddr, answer: oneshot::Sender<bool> },
    AddedPeers(oneshot::Sender<Vec<AddedPeer>>),
    Dial { address: Multiaddr, answer: oneshot::Sender<Result<(), DialError>> },
    Disconnect(PeerId),
    Addresses(oneshot::Sender<Vec<(PeerId, Multiaddr)>>),
    SetBanned { banned: Vec<Banned>, answer: oneshot::Sender<()> },
    SetLink { peer: Option<PeerId>, conditions: LinkConditions, answer: oneshot::Sender<Result<(), LinkError>> },
    SetNetworkActive { active: bool, answer: oneshot::Sender<()> },
}
