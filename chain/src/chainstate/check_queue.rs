//! Work that the connecting thread shares with others.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

type Job = Box<dyn FnOnce() + Send>;

/// A queue of jobs that rayon's threads take, and that the thread which fills it takes too when it has nothing better to do
/// (Core: `CCheckQueue`, `checkqueue.h`). Jobs begin in the order in which they came.
#[derive(Debug)]
pub(crate) struct CheckQueue {
    shared: Arc<Shared>,
    /// None where the filling thread is the only one.
    pool: Option<ThreadPool>,
}

#[derive(Default)]
struct Shared {
    jobs: Mutex<VecDeque<Job>>,
    /// Told after every job.
    progress: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("jobs", &self.lock().len()).finish_non_exhaustive()
    }
}

impl CheckQueue {
    /// A queue for `threads` threads, the one that fills it among them.
    pub(crate) fn new(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        let others = threads.saturating_sub(1);
        let pool = ThreadPoolBuilder::new().num_threads(others).thread_name(|number| format!("check-{number}"));
        let pool = if others == 0 { None } else { Some(pool.build()?) };
        Ok(Self { shared: Arc::default(), pool })
    }

    /// Adds a job.
    pub(crate) fn push(&self, job: impl FnOnce() + Send + 'static) {
        self.shared.lock().push_back(Box::new(job));
        if let Some(pool) = &self.pool {
            // One wake-up for each job; who finds the queue empty, because another thread was faster, goes back to sleep.
            let shared = Arc::clone(&self.shared);
            pool.spawn(move || {
                shared.run_one();
            });
        }
    }

    /// Runs jobs until `condition` holds, which must be something that jobs bring about.
    pub(crate) fn work_until(&self, mut condition: impl FnMut() -> bool) {
        let mut jobs = self.shared.lock();
        while !condition() {
            if let Some(job) = jobs.pop_front() {
                drop(jobs);
                self.shared.finish(job);
                jobs = self.shared.lock();
            } else {
                // A job that ends takes the lock before it tells, so none ends unnoticed between the look and the wait.
                jobs = self.shared.progress.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_one(&self) {
        let job = self.lock().pop_front();
        if let Some(job) = job {
            self.finish(job);
        }
    }

    fn finish(&self, job: Job) {
        job();
        let _jobs = self.lock();
        self.progress.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_jobs_run_on_any_number_of_threads() {
        for threads in 1..5 {
            let queue = CheckQueue::new(threads).unwrap();
            for round in 1..20 {
                let done = Arc::new(AtomicUsize::new(0));
                for _ in 0..round * 10 {
                    let done = Arc::clone(&done);
                    queue.push(move || {
                        done.fetch_add(1, Ordering::Release);
                    });
                }
                queue.work_until(|| done.load(Ordering::Acquire) == round * 10);
            }
        }
    }
}
