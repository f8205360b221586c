//! Values that change when something happens.

use std::convert::Infallible;
use std::sync::Arc;

use cairn_chain::chainstate::ChainEvent;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::Metrics;

/// Counts what happens to the chain, until the node is to stop.
pub(crate) async fn count_events(
    mut events: broadcast::Receiver<Arc<ChainEvent>>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> Result<(), Infallible> {
    loop {
        let event = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            event = events.recv() => event,
        };
        match event {
            Ok(event) => metrics.chain.count(&event),
            Err(RecvError::Lagged(missed)) => metrics.chain.count_missed(missed),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}
