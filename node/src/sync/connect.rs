//! Blocks on their way to the chain thread.

use cairn_chain::chainstate::{BlockReference, ChainstateError};
use cairn_chain::validation::{BlockError, CheckedBlock};
use cairn_net::PeerId;
use tokio::sync::mpsc;

use super::download::Arrival;
use crate::chain_service::ChainHandle;

/// Blocks that are handed over together: so many that the chain is seldom idle between two hand-overs, so few that others who
/// want the chain thread wait for no more than about half a second.
pub(super) const MAX_BLOCKS: usize = 128;
/// The same in bytes.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// Hand-overs that may wait while the chain thread works on another.
pub(super) const QUEUE: usize = 1;

/// What became of a block.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) block: BlockReference,
    /// Who sent it.
    pub(super) from: PeerId,
    pub(super) outcome: Result<(), BlockError>,
}

/// Gives blocks to the chain thread in the order in which they come, until either side is gone.
///
/// # Errors
///
/// When blocks cannot be connected any more: after a fault, or because the disk is full.
pub(super) async fn connect(
    chain: ChainHandle,
    mut ready: mpsc::Receiver<Vec<Arrival<CheckedBlock>>>,
    done: mpsc::Sender<Vec<Connected>>,
) -> Result<(), ChainstateError> {
    while let Some(arrivals) = ready.recv().await {
        let (senders, blocks): (Vec<_>, Vec<_>) =
            arrivals.into_iter().map(|Arrival { block, body, from }| ((block, from), body)).unzip();
        // The node is stopping.
        let Ok(outcomes) = chain.call(move |chain| chain.process_new_blocks(blocks)).await else { return Ok(()) };
        let connected = senders.into_iter().zip(outcomes?).map(|((block, from), outcome)| Connected {
            block,
            from,
            outcome: outcome.map(|_| ()),
        });
        if done.send(connected.collect()).await.is_err() {
            break;
        }
    }
    Ok(())
}
