//! A peer that does what it should not.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Block, BlockHash, Target, Witness};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_net::protocol::{
    BlocksResponse, CompactBlockResponse, HeadersRequest, HeadersResponse, MAX_HEADERS_RESULTS, Services, Status,
};
use cairn_net::{InboundRequest, Keypair, Network, NetworkConfig, NetworkHandle, NetworkNames, Reply};
use tokio::runtime::Runtime;

/// What it does when it is asked for blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// It sends them.
    Good,
    /// It never answers.
    Silent,
    /// It sends them with another output value than the header vouches for.
    Corrupt,
    /// It says that it has none.
    Withheld,
    /// It announces the last one, and sends it with a witness that the coinbase does not vouch for.
    Tampered,
}

/// A peer on regtest with the chain of a file. It has gone when it is forgotten.
pub(crate) struct EvilPeer {
    pub(crate) address: String,
    pub(crate) peer: String,
    asked: Arc<AtomicUsize>,
    last: Header,
    handle: NetworkHandle,
    runtime: Runtime,
}

/// The chain that the peer offers.
struct Offered {
    status: Status,
    headers: Vec<Header>,
    heights: HashMap<BlockHash, usize>,
    blocks: Vec<Vec<u8>>,
}

/// The blocks of a file in Core's framing.
pub(crate) fn blocks(file: &Path) -> Vec<Block> {
    let bytes = std::fs::read(file).unwrap();
    let mut rest = &bytes[..];
    let mut blocks = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(head[4..].try_into().unwrap()) as usize;
        let (block, behind) = behind.split_at(length);
        blocks.push(deserialize(block).unwrap());
        rest = behind;
    }
    blocks
}

impl EvilPeer {
    pub(crate) fn start(behaviour: Blocks, chain: &Path) -> Self {
        let mut offered = Offered::new(chain);
        let last = *offered.headers.last().unwrap();
        if behaviour == Blocks::Tampered {
            // Who asks how far it is does not hear of the last one.
            offered.forget_last();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let params = ChainParams::regtest(RegtestOptions::default());
        let spec_hash = params.spec_hash();
        let names = NetworkNames::new(&params.name, &spec_hash);
        let mut config = NetworkConfig::new(names, spec_hash, Target::MAX_ATTAINABLE_REGTEST, true);
        config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        let key = Keypair::generate_ed25519();
        let Network { service, handle, mut events } = runtime.block_on(Network::start(config, key)).unwrap();
        let address = handle.listen_addresses()[0].to_string();
        let peer = handle.local_peer_id().to_string();
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        runtime.spawn(service.run(std::future::pending()));
        runtime.spawn(async move {
            let mut unanswered = Vec::new();
            while let Some(request) = events.requests.recv().await {
                match request {
                    InboundRequest::Status { reply, .. } => reply.send(offered.status.clone()),
                    InboundRequest::Headers { request, reply, .. } => reply.send(offered.headers_after(&request)),
                    InboundRequest::Blocks { request, reply, .. } => {
                        count.fetch_add(1, Ordering::Relaxed);
                        offered.answer(behaviour, &request.hashes, reply, &mut unanswered);
                    }
                    InboundRequest::CompactBlock { reply, .. } => {
                        reply.send(CompactBlockResponse { compact_block: None });
                    }
                    // Whoever asks for something else hears that we are busy.
                    _ => {}
                }
            }
        });
        Self { address, peer, asked, last, handle, runtime }
    }

    /// Announces the last block to whoever is connected, as soon as somebody is.
    pub(crate) fn announce(&self) {
        let published = || self.runtime.block_on(self.handle.publish_header(self.last)).is_ok();
        while !published() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// How often it was asked for blocks.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Offered {
    fn new(chain: &Path) -> Self {
        let spec_hash = ChainParams::regtest(RegtestOptions::default()).spec_hash();
        let blocks = blocks(chain);
        let headers: Vec<Header> = blocks.iter().map(|block| block.header).collect();
        let tip = headers.last().unwrap();
        let work = headers.iter().map(Header::work).reduce(|sum, work| sum + work).unwrap();
        let status = Status {
            spec_hash,
            tip_hash: tip.block_hash(),
            height: u32::try_from(headers.len() - 1).unwrap(),
            work: work.to_be_bytes(),
            services: Services::NETWORK.with(Services::WITNESS),
            prune_height: 0,
            fee_filter: 0,
            user_agent: "/evil/".to_owned(),
        };
        let heights = headers.iter().enumerate().map(|(height, header)| (header.block_hash(), height)).collect();
        Self { status, heights, blocks: blocks.iter().map(serialize).collect(), headers }
    }

    fn forget_last(&mut self) {
        let last = self.headers.pop().unwrap();
        let tip = self.headers.last().unwrap();
        self.status.tip_hash = tip.block_hash();
        self.status.height -= 1;
        let work = self.headers.iter().map(Header::work).reduce(|sum, work| sum + work).unwrap();
        self.status.work = work.to_be_bytes();
        assert_eq!(last.prev_blockhash, self.status.tip_hash);
    }

    fn headers_after(&self, request: &HeadersRequest) -> HeadersResponse {
        let fork = request.locator.iter().find_map(|hash| self.heights.get(hash)).copied().unwrap_or(0);
        HeadersResponse { headers: self.headers[fork + 1..].iter().take(MAX_HEADERS_RESULTS).copied().collect() }
    }

    fn answer(
        &self,
        behaviour: Blocks,
        hashes: &[BlockHash],
        reply: Reply<BlocksResponse>,
        unanswered: &mut Vec<Reply<BlocksResponse>>,
    ) {
        let block = |hash| self.heights.get(hash).map(|height| self.blocks[*height].clone());
        let corrupt = |mut block: Vec<u8>| {
            // The value of the last output of the last transaction, or its script: not the header.
            let last = block.len() - 20;
            block[last] ^= 1;
            block
        };
        let tampered = |block: Vec<u8>| {
            let mut block: Block = deserialize(&block).unwrap();
            block.txdata[0].input[0].witness = Witness::from_slice(&[[1; 32]]);
            serialize(&block)
        };
        let blocks = match behaviour {
            Blocks::Silent => return unanswered.push(reply),
            Blocks::Good => hashes.iter().map(block).collect(),
            Blocks::Tampered => hashes.iter().map(|hash| block(hash).map(tampered)).collect(),
            Blocks::Corrupt => hashes.iter().map(|hash| block(hash).map(corrupt)).collect(),
            Blocks::Withheld => vec![None; hashes.len()],
        };
        reply.send(BlocksResponse { blocks });
    }
}
