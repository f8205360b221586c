//! What an import did, as people and programs read it.

use std::fmt;
use std::time::Duration;

use cairn_chain::chainstate::{BlockReference, ImportSummary};
use indicatif::DecimalBytes;
use serde::Serialize;

use crate::cli::chain::write_rows;

/// What an import did.
#[derive(Debug, Serialize)]
pub(super) struct ImportView {
    tip: String,
    height: u32,
    accepted: u64,
    transactions: u64,
    known: u64,
    rejected: u64,
    first_rejection: Option<RejectionView>,
    without_parent: u64,
    bytes_read: u64,
    skipped_bytes: u64,
    seconds: f64,
    #[serde(skip)]
    transactions_per_second: u128,
}

#[derive(Debug, Serialize)]
struct RejectionView {
    hash: String,
    reason: String,
}

impl ImportView {
    pub(super) fn new(tip: BlockReference, summary: &ImportSummary, time: Duration) -> Self {
        let rejection = |(hash, reason): &(bitcoin::BlockHash, String)| RejectionView {
            hash: hash.to_string(),
            reason: reason.clone(),
        };
        Self {
            tip: tip.hash.to_string(),
            height: tip.height,
            accepted: summary.accepted,
            transactions: summary.transactions,
            known: summary.known,
            rejected: summary.rejected,
            first_rejection: summary.first_rejection.as_ref().map(rejection),
            without_parent: summary.without_parent,
            bytes_read: summary.bytes_read,
            skipped_bytes: summary.skipped_bytes,
            seconds: time.as_secs_f64(),
            transactions_per_second: u128::from(summary.transactions) * 1_000_000 / time.as_micros().max(1),
        }
    }

    /// Why the import is a failure, if it is: not one block was accepted or known.
    pub(super) fn failure(&self, network: &str) -> Option<String> {
        if self.accepted > 0 || self.known > 0 {
            return None;
        }
        Some(if self.rejected > 0 {
            format!("no block was accepted: rejected {}", self.rejections())
        } else if self.without_parent > 0 {
            format!(
                "no block was accepted: {} blocks have a parent that never came; import the blocks before them too",
                self.without_parent
            )
        } else {
            format!(
                "no block of network {network} was found in {} bytes; choose the network the blocks are of with --network",
                self.bytes_read
            )
        })
    }

    fn rejections(&self) -> String {
        match &self.first_rejection {
            Some(RejectionView { hash, reason }) => format!("{}, first {hash}: {reason}", self.rejected),
            None => self.rejected.to_string(),
        }
    }
}

impl fmt::Display for ImportView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("accepted", format!("{} blocks, {} transactions", self.accepted, self.transactions)),
            ("known before", self.known.to_string()),
            ("rejected", self.rejections()),
            ("without parent", self.without_parent.to_string()),
            ("skipped", format!("{} bytes of {}", self.skipped_bytes, DecimalBytes(self.bytes_read))),
            ("took", format!("{:.1} s, {} transactions per second", self.seconds, self.transactions_per_second)),
            ("tip", format!("height {}, {}", self.height, self.tip)),
        ];
        write_rows(f, &rows)
    }
}
