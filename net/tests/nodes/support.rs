//! Nodes to test with.

use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target, TxMerkleNode};
use cairn_net::protocol::{
    BlockTransactionsResponse, BlocksResponse, CompactBlockResponse, HeadersResponse, Services, Status,
    TransactionsResponse,
};
use cairn_net::{
    InboundRequest, Keypair, Multiaddr, Network, NetworkConfig, NetworkEvents, NetworkHandle, NetworkNames, PeerEvent,
    PeerId, PublishError,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The rules all nodes of a test agree on.
pub(crate) const SPEC_HASH: [u8; 32] = [7; 32];

/// How long anything may take. Far longer than it does, for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for something that must happen.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits until a condition holds that nothing signals.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A node whose task runs.
pub(crate) struct Node {
    pub(crate) handle: NetworkHandle,
    pub(crate) events: NetworkEvents,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub(crate) fn config() -> NetworkConfig {
    let mut config =
        NetworkConfig::new(NetworkNames::new("test", &SPEC_HASH), SPEC_HASH, Target::MAX_ATTAINABLE_REGTEST, true);
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    config
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut NetworkConfig)) -> Self {
        Self::with_key(Keypair::generate_ed25519(), adjust).await
    }

    pub(crate) async fn with_key(key: Keypair, adjust: impl FnOnce(&mut NetworkConfig)) -> Self {
        let mut config = config();
        adjust(&mut config);
        let Network { service, handle, events } = Network::start(config, key).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(service.run(async {
            let _ = stopped.await;
        }));
        Self { handle, events, stop, task }
    }

    pub(crate) fn id(&self) -> PeerId {
        self.handle.local_peer_id()
    }

    pub(crate) fn address(&self) -> Multiaddr {
        self.handle.listen_addresses().into_iter().next().expect("the node listens")
    }

    /// Connects with another node, and waits until both know.
    pub(crate) async fn connect(&mut self, other: &mut Self) {
        self.handle.dial(other.address()).await.unwrap();
        self.expect_connected(other.id()).await;
        other.expect_connected(self.id()).await;
    }

    pub(crate) async fn peer_event(&mut self) -> PeerEvent {
        within("an event about a peer", self.events.peers.recv()).await.expect("the service runs")
    }

    pub(crate) async fn expect_connected(&mut self, peer: PeerId) {
        match self.peer_event().await {
            PeerEvent::Connected(connected) => assert_eq!(connected.peer, peer),
            other => panic!("{other:?} instead of a connection"),
        }
    }

    pub(crate) async fn expect_disconnected(&mut self, peer: PeerId) {
        assert_eq!(self.peer_event().await, PeerEvent::Disconnected(peer));
    }

    /// Publishes a header once a peer wants it.
    pub(crate) async fn publish_header(&self, header: Header) {
        self.publish(|| self.handle.publish_header(header)).await;
    }

    /// Publishes a transaction once a peer wants it.
    pub(crate) async fn publish_transaction(&self, transaction: &[u8]) {
        self.publish(|| self.handle.publish_transaction(transaction.to_vec())).await;
    }

    async fn publish<F: Future<Output = Result<(), PublishError>>>(&self, publish: impl Fn() -> F) {
        within("a peer that wants the message", async {
            while let Err(error) = publish().await {
                assert_eq!(error, PublishError::NoPeers);
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Stops the node, and waits until it has.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        within("the end of the service", self.task).await.unwrap();
    }

    /// Answers the requests of peers with `answer`, for as long as the node lives.
    pub(crate) fn serve(&mut self, mut answer: impl FnMut(InboundRequest) + Send + 'static) -> JoinHandle<()> {
        let (_, none) = tokio::sync::mpsc::channel(1);
        let mut requests = std::mem::replace(&mut self.events.requests, none);
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                answer(request);
            }
        })
    }
}

/// Answers every request with something that fits.
pub(crate) fn answer_plainly(request: InboundRequest) {
    match request {
        InboundRequest::Status { reply, .. } => reply.send(status(1)),
        InboundRequest::Headers { reply, .. } => reply.send(HeadersResponse { headers: vec![header(1)] }),
        InboundRequest::Blocks { request, reply, .. } => {
            reply.send(BlocksResponse { blocks: vec![None; request.hashes.len()] });
        }
        InboundRequest::Transactions { request, reply, .. } => {
            reply.send(TransactionsResponse { transactions: vec![None; request.wtxids.len()] });
        }
        InboundRequest::CompactBlock { reply, .. } => reply.send(CompactBlockResponse::default()),
        InboundRequest::BlockTransactions { reply, .. } => reply.send(BlockTransactionsResponse::default()),
    }
}

pub(crate) fn status(height: u32) -> Status {
    Status {
        spec_hash: SPEC_HASH,
        tip_hash: header(height).block_hash(),
        height,
        work: [3; 32],
        services: Services::NETWORK,
        prune_height: 0,
        fee_filter: 1000,
        user_agent: "/cairn-test/".to_owned(),
    }
}

/// A header with work for the easiest target, different for every number.
pub(crate) fn header(number: u32) -> Header {
    let mut header = Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: number,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    while !header.target().is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

/// Bytes that are different for every number, as long as a transaction may be or shorter.
pub(crate) fn transaction(number: u32, size: usize) -> Vec<u8> {
    number.to_le_bytes().into_iter().cycle().take(size).collect()
}
