//! Asking for blocks, and preparing what comes.

use std::sync::Arc;

use cairn_chain::params::ChainParams;
use cairn_chain::primitives::Block;
use cairn_chain::validation::{CheckedBlock, Verdict, check_block};
use cairn_net::{NetworkHandle, PeerId, RequestError};

use super::download::{Ask, Failure, Found, RequestId};
use crate::context::SharedContext;
use crate::penalty::Conduct;
use crate::tasks::blocking;

/// An answer to [`Ask`].
#[derive(Debug)]
pub(super) struct BlocksAnswer {
    pub(super) request: RequestId,
    pub(super) peer: PeerId,
    pub(super) result: Result<Vec<Found<CheckedBlock>>, RequestError>,
    /// What is wrong with the first block that is none.
    pub(super) fault: Option<Fault>,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// It is not a block.
    Undecodable,
    /// It breaks a rule that needs no chain.
    Block(Verdict),
}

impl Fault {
    pub(super) fn conduct(self) -> Conduct<'static> {
        match self {
            Self::Undecodable => Conduct::UndecodableBlock,
            Self::Block(verdict) => Conduct::Block(verdict),
        }
    }
}

impl BlocksAnswer {
    /// Why there is no answer, as the download counts it.
    pub(super) fn failure(error: &RequestError) -> Failure {
        match error {
            RequestError::Busy { wait } => Failure::Busy(*wait),
            _ => Failure::Unanswered,
        }
    }
}

/// Asks a peer for blocks, and prepares them.
pub(super) async fn ask(context: SharedContext, network: NetworkHandle, ask: Ask) -> BlocksAnswer {
    let Ask { request, peer, hashes } = ask;
    let answer = match network.request_blocks(peer, hashes).await {
        Ok(answer) => answer,
        Err(error) => return BlocksAnswer { request, peer, result: Err(error), fault: None },
    };
    // Hashing megabytes takes long enough to be in the way of others here.
    let (found, fault) = blocking(move || prepare(answer.blocks, &context.params)).await;
    BlocksAnswer { request, peer, result: Ok(found), fault }
}

/// Decodes and checks blocks.
fn prepare(blocks: Vec<Option<Vec<u8>>>, params: &ChainParams) -> (Vec<Found<CheckedBlock>>, Option<Fault>) {
    let mut fault = None;
    let mut prepare = |bytes: Option<Vec<u8>>| {
        let Some(bytes) = bytes else { return Found::Lacking };
        let size = bytes.len();
        let Ok(block) = Block::decode(bytes) else {
            fault.get_or_insert(Fault::Undecodable);
            return Found::Nothing;
        };
        match check_block(Arc::new(block), &params.consensus) {
            Ok(checked) => Found::Body(checked, size),
            Err(error) => {
                fault.get_or_insert(Fault::Block(error.verdict()));
                Found::Nothing
            }
        }
    };
    let found = blocks.into_iter().map(&mut prepare).collect();
    (found, fault)
}
