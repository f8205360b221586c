//! The chain state written from time to time, so that a crash costs little.

use std::time::Duration;

use cairn_chain::chainstate::ChainstateError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use crate::context::SharedContext;

/// Time between two flushes. Core writes at random between 50 and 70 minutes (`DATABASE_WRITE_INTERVAL_MIN`,
/// `validation.cpp`); a supervisor that kills after ten seconds then costs an hour of work.
pub(crate) const FLUSH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Asks the chain thread to write what changed, until the node is to stop.
pub(super) async fn flush_periodically(context: SharedContext) -> Result<(), ChainstateError> {
    let mut ticks = interval(FLUSH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    ticks.tick().await;
    loop {
        tokio::select! {
            biased;
            () = context.shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        match context.chain.call(|chain| chain.chainstate.flush_in_background()).await {
            Ok(Ok(true)) => debug!("writing the chain state"),
            Ok(Ok(false)) => debug!("the chain state is being read or written; it is written next time"),
            // After a fault the chain thread ends and says why. A full disk is none: there may be room later.
            Ok(Err(error)) => warn!(%error, "the chain state could not be written"),
            Err(_) => return Ok(()),
        }
    }
}
