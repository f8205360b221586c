//! Memory that all clients together may take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are counted together; what is smaller than this is not worth counting, as connections are bounded.
pub(super) const UNCOUNTED: usize = 64 << 10;
const UNIT: usize = 1 << 10;

/// An amount of memory. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    units: Arc<Semaphore>,
    total: u32,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX >> 4);
        Self { units: Arc::new(Semaphore::new(usize::try_from(total).unwrap_or(0))), total }
    }

    /// What of it nobody takes, in bytes.
    #[cfg(test)]
    pub(super) fn available(&self) -> usize {
        self.units.available_permits() * UNIT
    }
}

/// A part of a budget, given back when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Charge {
    permit: Option<OwnedSemaphorePermit>,
}

impl Charge {
    /// Takes what is missing to `bytes`, if there is that much.
    pub(super) fn try_grow_to(&mut self, budget: &Budget, bytes: usize) -> bool {
        let missing = self.missing(bytes);
        if missing == 0 {
            return true;
        }
        match Arc::clone(&budget.units).try_acquire_many_owned(missing) {
            Ok(permit) => {
                match &mut self.permit {
                    Some(held) => held.merge(permit),
                    None => self.permit = Some(permit),
                }
                true
            }
            Err(_) => false,
        }
    }

    /// Takes `bytes` in all, and waits for them; more than the whole budget counts as the whole.
    pub(super) async fn grow_to(&mut self, budget: &Budget, bytes: usize) {
        let missing = self.missing(bytes).min(budget.total.saturating_sub(self.units()));
        if missing > 0 {
            let all = missing + self.units();
            // Whoever holds a part and waits for the rest may wait for somebody who does the same.
            self.permit = None;
            // The semaphore is never closed.
            self.permit = Arc::clone(&budget.units).acquire_many_owned(all).await.ok();
        }
    }

    fn missing(&self, bytes: usize) -> u32 {
        if bytes <= UNCOUNTED {
            return 0;
        }
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).saturating_sub(self.units())
    }

    fn units(&self) -> u32 {
        self.permit.as_ref().map_or(0, |permit| u32::try_from(permit.num_permits()).unwrap_or(u32::MAX))
    }
}
