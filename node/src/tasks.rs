//! The parts of a node that run at the same time, and what becomes of them.

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::time::Duration;

use thiserror::Error;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};

/// Why a task ended.
type TaskError = Box<dyn Error + Send + Sync>;

/// A task ended as it should not.
#[derive(Debug, Error)]
pub(crate) enum TaskFailure {
    /// It ended with an error.
    #[error("task {name}: {source}")]
    Failed {
        /// The task.
        name: &'static str,
        /// Its error.
        source: TaskError,
    },
    /// It panicked, and said so on standard error.
    #[error("task {name} panicked: {message}")]
    Panicked {
        /// The task.
        name: &'static str,
        /// What it panicked with.
        message: String,
    },
}

/// The tasks of a node. Each ends by itself when the node is to stop; those that remain when this is dropped are cut off.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: JoinSet<Result<(), TaskError>>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    /// Starts a task. Its error, like a panic, stops the node.
    pub(crate) fn spawn<E: Error + Send + Sync + 'static>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let handle = self.running.spawn(async move { task.await.map_err(TaskError::from) });
        self.names.insert(handle.id(), name);
    }

    /// Waits for a task to fail; as long as none does, forever.
    pub(crate) async fn next_failure(&mut self) -> TaskFailure {
        loop {
            match self.running.join_next_with_id().await {
                Some(ended) => {
                    if let Err(failure) = self.outcome(ended) {
                        return failure;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for all tasks to end, which were told to. Those that do not within `limit` are cut off.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub(crate) async fn drain(&mut self, limit: Duration) -> Result<(), TaskFailure> {
        let mut first = Ok(());
        let all_ended = timeout(limit, async {
            while let Some(ended) = self.running.join_next_with_id().await {
                let outcome = self.outcome(ended);
                if first.is_ok() {
                    first = outcome;
                }
            }
        });
        if all_ended.await.is_err() {
            let mut names: Vec<_> = self.names.values().copied().collect();
            names.sort_unstable();
            warn!(tasks = names.join(", "), seconds = limit.as_secs(), "cutting off what does not end");
            self.running.shutdown().await;
        }
        first
    }

    fn outcome(&mut self, ended: Result<(Id, Result<(), TaskError>), JoinError>) -> Result<(), TaskFailure> {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let name = self.names.remove(&id).unwrap_or("unnamed");
        match ended {
            Ok((_, Ok(()))) => {
                debug!(name, "task ended");
                Ok(())
            }
            Ok((_, Err(source))) => Err(TaskFailure::Failed { name, source }),
            Err(error) if error.is_panic() => {
                Err(TaskFailure::Panicked { name, message: panic_message(&*error.into_panic()) })
            }
            // Only dropping this cuts tasks off, and then nobody asks.
            Err(_) => Ok(()),
        }
    }
}

/// Runs what takes too long for the async runtime on a thread for such work. A panic goes on here.
pub(crate) async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn worse() -> Result<(), io::Error> {
        panic!("of course")
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_are_told_by_name() {
        let mut tasks = Tasks::default();
        tasks.spawn("good", async { Ok::<(), io::Error>(()) });
        tasks.spawn("bad", async { Err(io::Error::other("no luck")) });
        assert_eq!(tasks.next_failure().await.to_string(), "task bad: no luck");
        tasks.spawn("worse", worse());
        assert_eq!(tasks.next_failure().await.to_string(), "task worse panicked: of course");
        assert!(timeout(Duration::from_millis(20), tasks.next_failure()).await.is_err());
    }

    #[tokio::test]
    async fn tasks_that_do_not_end_are_cut_off() {
        let mut tasks = Tasks::default();
        let shutdown = CancellationToken::new();
        let told = shutdown.clone();
        tasks.spawn("obedient", async move {
            told.cancelled().await;
            Ok::<(), io::Error>(())
        });
        tasks.spawn("deaf", async {
            std::future::pending::<()>().await;
            Ok::<(), io::Error>(())
        });
        shutdown.cancel();
        let start = std::time::Instant::now();
        tasks.drain(Duration::from_millis(50)).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(tasks.names.values().copied().collect::<Vec<_>>(), ["deaf"]);
        tasks.drain(Duration::from_secs(60)).await.unwrap();
    }
}
