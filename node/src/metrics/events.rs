//! Values that change when something happens.

use std::convert::Infallible;
use std::ops::ControlFlow;

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::Metrics;
use crate::chain_service::ChainHandle;

/// Counts what happens to chain and pool, until the node is to stop.
pub(crate) async fn count_events(
    chain: ChainHandle,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> Result<(), Infallible> {
    let (mut events, mut mempool_events) = (chain.subscribe(), chain.subscribe_mempool());
    // The handle would keep the chain thread running.
    drop(chain);
    loop {
        let closed = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            event = events.recv() => count(event, &metrics, |event| metrics.chain.count(event)),
            some = mempool_events.recv() => count(some, &metrics, |some| {
                some.iter().for_each(|event| metrics.mempool.count(event));
            }),
        };
        if closed.is_break() {
            return Ok(());
        }
    }
}

fn count<T>(received: Result<T, RecvError>, metrics: &Metrics, one: impl FnOnce(&T)) -> ControlFlow<()> {
    match received {
        Ok(event) => one(&event),
        Err(RecvError::Lagged(missed)) => metrics.chain.count_missed(missed),
        Err(RecvError::Closed) => return ControlFlow::Break(()),
    }
    ControlFlow::Continue(())
}
