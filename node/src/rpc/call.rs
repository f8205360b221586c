//! One call of a method, as its handler sees it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::arguments::Arguments;
use super::dispatcher::Dispatcher;
use super::error::RpcError;
use crate::context::SharedContext;

/// What a handler gets.
#[derive(Debug)]
pub(crate) struct Call {
    /// The node.
    pub(crate) context: SharedContext,
    /// What was passed.
    pub(crate) arguments: Arguments,
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) caller: Caller,
}

impl Call {
    /// Waits until nobody wants the answer any more: the client has gone, or the node is to stop.
    pub(crate) async fn abandoned(&self) {
        tokio::select! {
            () = self.context.shutdown.cancelled() => {}
            () = self.caller.gone.cancelled() => {}
        }
    }

    /// Waits for something that may take long and costs nothing meanwhile, such as the next block. Others may run in the
    /// meantime, however many wait.
    ///
    /// # Errors
    ///
    /// When the client has gone, or the node stops.
    pub(crate) async fn wait<T>(&self, event: impl Future<Output = T>) -> Result<T, RpcError> {
        let places = self.caller.slot.give_back();
        let outcome = tokio::select! {
            biased;
            () = self.context.shutdown.cancelled() => Err(RpcError::shutting_down()),
            () = self.caller.gone.cancelled() => Err(RpcError::misc("The client has gone")),
            outcome = event => Ok(outcome),
        };
        // What is left to do counts again.
        self.caller.slot.take(places).await;
        outcome
    }
}

/// Runs something that reads files or writes much JSON, where no other call waits for it.
///
/// # Errors
///
/// What it fails with.
pub(crate) async fn run_apart<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
) -> Result<T, RpcError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels what has not begun.
            Err(_) => Err(RpcError::shutting_down()),
        },
    }
}

/// Where a call comes from. Clones are of the same request.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    /// Cancelled when nobody waits for the answer any more.
    pub(super) gone: CancellationToken,
    /// One of the places for requests that run.
    pub(super) slot: Slot,
}

/// One of the places for requests that run, until it is given back.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

/// Where a place that was given back came from.
type Places = Option<Arc<Semaphore>>;

impl Slot {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }

    fn give_back(&self) -> Places {
        let permit = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        permit.map(|permit| Arc::clone(permit.semaphore()))
    }

    /// Waits for a place again, after one was given back.
    async fn take(&self, places: Places) {
        let Some(places) = places else { return };
        // The semaphore is never closed.
        let permit = places.acquire_owned().await.ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}
