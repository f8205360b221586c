//! Ctrl-C, and what supervisors send instead.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::failure::INTERRUPTED;

/// Whether the user asked to stop. The first signal asks, a second one ends the process at once.
#[derive(Debug, Clone)]
pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Listens for SIGINT and SIGTERM, which no longer end the process by themselves.
    pub(super) fn watch() -> io::Result<Self> {
        let is_requested = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: on the first signal the flag is still down when the shutdown looks at it.
            flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&is_requested))?;
            flag::register(signal, Arc::clone(&is_requested))?;
        }
        Ok(Self(is_requested))
    }

    /// Whether a signal came.
    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
