//! Questions that are open, ours and those of peers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures::StreamExt;
use futures::future::{AbortHandle, Abortable, BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use libp2p::PeerId;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use tokio::sync::oneshot;

use crate::behaviour::{Behaviour, ExchangeBehaviour};
use crate::error::RequestError;
use crate::event::{InboundRequest, Reply};
use crate::limits::Limits;
use crate::peer::Ask;
use crate::protocol::{
    Answer, BlockTransactions, BlockTransactionsRequest, BlockTransactionsResponse, Blocks, BlocksRequest,
    BlocksResponse, CompactBlockRequest, CompactBlockResponse, CompactBlocks, Exchange, Headers, HeadersRequest,
    HeadersResponse, Status, StatusExchange, Transactions, TransactionsRequest, TransactionsResponse,
};

/// What the service has to know about a protocol, beside its frames.
pub(super) trait Served: Exchange {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self>;
    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self>;
    /// What a request costs its peer.
    fn ask(request: &Self::Request) -> Ask;
    /// The event that brings a request to the node.
    fn inbound(peer: PeerId, request: Self::Request, reply: Reply<Self::Response>) -> InboundRequest;

    /// Requests in work at one time, of all peers together.
    fn max_open(_: &Limits) -> usize {
        usize::MAX
    }

    /// Bytes to charge the peer for.
    fn charged_bytes(_: &Self::Response) -> usize {
        0
    }

    /// The peer's status, if a request carries it.
    fn status_of_request(_: &Self::Request) -> Option<&Status> {
        None
    }

    /// The peer's status, if a response carries it.
    fn status_of_response(_: &Self::Response) -> Option<&Status> {
        None
    }
}

/// The open questions of all protocols.
#[derive(Default)]
pub(super) struct Exchanges {
    pub(super) status: OpenExchanges<StatusExchange>,
    pub(super) headers: OpenExchanges<Headers>,
    pub(super) blocks: OpenExchanges<Blocks>,
    pub(super) transactions: OpenExchanges<Transactions>,
    pub(super) compact_blocks: OpenExchanges<CompactBlocks>,
    pub(super) block_transactions: OpenExchanges<BlockTransactions>,
}

/// Where an answer of a peer goes.
pub(super) type AnswerSender<E> = oneshot::Sender<Result<<E as Exchange>::Response, RequestError>>;

/// An answer of the node: `None` when it gave none.
pub(super) struct Replied<E: Exchange> {
    pub(super) peer: PeerId,
    pub(super) channel: ResponseChannel<Answer<E::Response>>,
    pub(super) answer: Option<Answer<E::Response>>,
}

/// The open questions of one protocol.
pub(super) struct OpenExchanges<E: Exchange> {
    asked: HashMap<OutboundRequestId, (PeerId, AnswerSender<E>)>,
    asked_of: Counts,
    serving: HashMap<InboundRequestId, (PeerId, AbortHandle)>,
    serving_for: Counts,
    replies: FuturesUnordered<Abortable<BoxFuture<'static, Replied<E>>>>,
}

impl<E: Exchange> Default for OpenExchanges<E> {
    fn default() -> Self {
        Self {
            asked: HashMap::new(),
            asked_of: Counts::default(),
            serving: HashMap::new(),
            serving_for: Counts::default(),
            replies: FuturesUnordered::new(),
        }
    }
}

impl<E: Exchange> OpenExchanges<E> {
    /// Whether one more question may be put to the peer.
    pub(super) fn may_ask(&self, peer: &PeerId) -> bool {
        self.asked_of.of(peer) < E::MAX_IN_FLIGHT
    }

    pub(super) fn asked(&mut self, request: OutboundRequestId, peer: PeerId, answer: AnswerSender<E>) {
        self.asked.insert(request, (peer, answer));
        self.asked_of.add(peer);
    }

    /// Our question is answered or failed: where that goes.
    pub(super) fn answered(&mut self, request: OutboundRequestId) -> Option<AnswerSender<E>> {
        let (peer, answer) = self.asked.remove(&request)?;
        self.asked_of.remove(peer);
        Some(answer)
    }

    /// Whether one more question of the peer may be worked on. A peer sees the end of an answer before we know that it did,
    /// and may ask again by then: so it has twice the room that it may use.
    pub(super) fn may_serve(&self, peer: &PeerId, limits: &Limits) -> bool
    where
        E: Served,
    {
        self.serving_for.of(peer) < 2 * E::MAX_IN_FLIGHT && self.serving.len() < E::max_open(limits)
    }

    /// A question of a peer went to the node. It counts until [`served`](Self::served).
    pub(super) fn serve(
        &mut self,
        request: InboundRequestId,
        peer: PeerId,
        channel: ResponseChannel<Answer<E::Response>>,
        answered: oneshot::Receiver<Answer<E::Response>>,
    ) {
        let reply = async move { Replied { peer, channel, answer: answered.await.ok() } };
        let (abort, registration) = AbortHandle::new_pair();
        self.replies.push(Abortable::new(reply.boxed(), registration));
        self.serving.insert(request, (peer, abort));
        self.serving_for.add(peer);
    }

    /// The answer to a question is on its way in full, or will never be.
    pub(super) fn served(&mut self, request: InboundRequestId) {
        if let Some((peer, reply)) = self.serving.remove(&request) {
            self.serving_for.remove(peer);
            reply.abort();
        }
    }

    /// The next answer of the node. Waits for ever while nothing is open; nothing is lost when it is no longer waited for.
    pub(super) async fn replied(&mut self) -> Replied<E> {
        loop {
            match self.replies.next().await {
                Some(Ok(replied)) => return replied,
                // Nobody wanted the answer any more.
                Some(Err(_aborted)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// How many of something each peer has.
#[derive(Debug, Default)]
struct Counts(HashMap<PeerId, usize>);

impl Counts {
    fn of(&self, peer: &PeerId) -> usize {
        self.0.get(peer).copied().unwrap_or(0)
    }

    fn add(&mut self, peer: PeerId) {
        *self.0.entry(peer).or_insert(0) += 1;
    }

    fn remove(&mut self, peer: PeerId) {
        if let Entry::Occupied(mut count) = self.0.entry(peer) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Served for StatusExchange {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.status
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.status
    }

    fn ask(_: &Status) -> Ask {
        Ask::Status
    }

    fn inbound(peer: PeerId, status: Status, reply: Reply<Status>) -> InboundRequest {
        InboundRequest::Status { peer, status, reply }
    }

    fn status_of_request(status: &Status) -> Option<&Status> {
        Some(status)
    }

    fn status_of_response(status: &Status) -> Option<&Status> {
        Some(status)
    }
}

impl Served for Headers {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.headers
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.headers
    }

    fn ask(_: &HeadersRequest) -> Ask {
        Ask::Headers
    }

    fn inbound(peer: PeerId, request: HeadersRequest, reply: Reply<HeadersResponse>) -> InboundRequest {
        InboundRequest::Headers { peer, request, reply }
    }
}

impl Served for Blocks {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.blocks
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.blocks
    }

    fn ask(_: &BlocksRequest) -> Ask {
        Ask::Blocks
    }

    fn inbound(peer: PeerId, request: BlocksRequest, reply: Reply<BlocksResponse>) -> InboundRequest {
        InboundRequest::Blocks { peer, request, reply }
    }

    fn max_open(limits: &Limits) -> usize {
        limits.max_blocks_requests
    }

    fn charged_bytes(response: &BlocksResponse) -> usize {
        response.blocks.iter().flatten().map(Vec::len).sum()
    }
}

impl Served for Transactions {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.transactions
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.transactions
    }

    fn ask(request: &TransactionsRequest) -> Ask {
        Ask::Transactions(u32::try_from(request.wtxids.len()).unwrap_or(u32::MAX))
    }

    fn inbound(peer: PeerId, request: TransactionsRequest, reply: Reply<TransactionsResponse>) -> InboundRequest {
        InboundRequest::Transactions { peer, request, reply }
    }
}

impl Served for CompactBlocks {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.compact_blocks
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.compact_blocks
    }

    fn ask(_: &CompactBlockRequest) -> Ask {
        Ask::CompactBlock
    }

    fn inbound(peer: PeerId, request: CompactBlockRequest, reply: Reply<CompactBlockResponse>) -> InboundRequest {
        InboundRequest::CompactBlock { peer, request, reply }
    }

    fn max_open(limits: &Limits) -> usize {
        limits.max_blocks_requests
    }
}

impl Served for BlockTransactions {
    fn behaviour(behaviour: &mut Behaviour) -> &mut ExchangeBehaviour<Self> {
        &mut behaviour.block_transactions
    }

    fn open(exchanges: &mut Exchanges) -> &mut OpenExchanges<Self> {
        &mut exchanges.block_transactions
    }

    fn ask(_: &BlockTransactionsRequest) -> Ask {
        Ask::BlockTransactions
    }

    fn inbound(
        peer: PeerId,
        request: BlockTransactionsRequest,
        reply: Reply<BlockTransactionsResponse>,
    ) -> InboundRequest {
        InboundRequest::BlockTransactions { peer, request, reply }
    }

    fn max_open(limits: &Limits) -> usize {
        limits.max_blocks_requests
    }
}
