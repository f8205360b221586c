//! How far the chain is on its way to what the network has.

use super::Chainstate;

/// Blocks that are not older than this, in seconds, are counted by headers instead of by time (Core: two hours in
/// `GuessVerificationProgress`, `validation.cpp`).
const RECENT: u64 = 2 * 60 * 60;

impl Chainstate {
    /// A guess at the share of the network's transactions that the chain holds, 0 to 1 (Core: `GuessVerificationProgress`,
    /// `validation.cpp`).
    #[must_use]
    pub fn verification_progress(&self) -> f64 {
        let tip = &self.index[self.committed_tip()];
        let best_header = &self.index[self.index.best_header()];
        let data = &self.params.chain_tx_data;
        let (now, time) = (self.now(), u64::from(tip.time));
        let total = if tip.chain_transactions <= data.transactions {
            as_real(data.transactions) + seconds_between(data.time, now) * data.rate
        } else {
            let behind = if now.abs_diff(time) <= RECENT && best_header.height >= tip.height {
                let missing = best_header.height - tip.height;
                f64::from(missing) * f64::from(self.params.consensus.pow.target_spacing)
            } else {
                seconds_between(time, now)
            };
            as_real(tip.chain_transactions) + behind * data.rate
        };
        (as_real(tip.chain_transactions) / total).min(1.0)
    }
}

/// Negative when `to` comes first.
fn seconds_between(from: u64, to: u64) -> f64 {
    as_real(to) - as_real(from)
}

/// Numbers of seconds and of transactions are far below 2^53, so nothing is lost.
fn as_real(number: u64) -> f64 {
    number as f64
}
