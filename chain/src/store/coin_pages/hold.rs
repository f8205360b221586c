//! Pages that hold still while somebody reads all of them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many read, for whoever wants to write.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: Mutex<usize>,
    all_gone: Condvar,
}

impl Shared {
    fn count(&self) -> MutexGuard<'_, usize> {
        // Whoever panicked did not do so between two steps that belong together.
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holds {
    pub(super) fn hold(&self) -> PagesHold {
        *self.0.count() += 1;
        PagesHold(Arc::clone(&self.0))
    }

    /// Whether somebody holds the pages.
    pub(super) fn are_held(&self) -> bool {
        *self.0.count() > 0
    }

    /// Waits until nobody holds the pages any more.
    pub(super) fn wait_until_gone(&self) {
        let waited = self.0.all_gone.wait_while(self.0.count(), |count| *count > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Keeps the pages as they are: merging waits until it is dropped.
#[derive(Debug)]
pub(crate) struct PagesHold(Arc<Shared>);

impl Drop for PagesHold {
    fn drop(&mut self) {
        let mut count = self.0.count();
        *count -= 1;
        if *count == 0 {
            self.0.all_gone.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn writing_waits_for_the_last_reader() {
        let holds = Holds::default();
        holds.wait_until_gone();
        let (first, second) = (holds.hold(), holds.hold());
        let written = Arc::new(AtomicBool::new(false));
        let writer = std::thread::spawn({
            let (holds, written) = (holds.clone(), Arc::clone(&written));
            move || {
                holds.wait_until_gone();
                written.store(true, Ordering::SeqCst);
            }
        });
        drop(first);
        std::thread::sleep(Duration::from_millis(50));
        assert!(!written.load(Ordering::SeqCst));
        drop(second);
        writer.join().unwrap();
        assert!(written.load(Ordering::SeqCst));
    }
}
