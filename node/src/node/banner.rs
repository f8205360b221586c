//! What a node says when it runs.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use cairn_chain::chainstate::BlockReference;
use tracing::info;

use super::Endpoints;
use crate::config::LogFormat;

/// What a node says when it runs.
#[derive(Debug)]
pub(super) struct Banner<'a> {
    pub(super) network: &'a str,
    pub(super) directory: &'a Path,
    pub(super) tip: BlockReference,
    pub(super) endpoints: &'a Endpoints,
}

impl Banner<'_> {
    /// Says it, to people or to programs.
    pub(super) fn show(&self, format: LogFormat) {
        if format == LogFormat::Text {
            if tracing::enabled!(tracing::Level::INFO) {
                // If standard error is closed, nobody wants to know.
                let _ = write!(io::stderr().lock(), "{self}");
            }
            return;
        }
        let Endpoints { pid, rpc, metrics, p2p } = self.endpoints;
        info!(
            network = self.network,
            directory = %self.directory.display(),
            height = self.tip.height,
            tip = %self.tip.hash,
            ?rpc,
            ?metrics,
            ?p2p,
            pid,
            version = env!("CARGO_PKG_VERSION"),
            "running"
        );
    }
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cairn {} on network {}", env!("CARGO_PKG_VERSION"), self.network)?;
        writeln!(f, "  data      {}", self.directory.display())?;
        writeln!(f, "  tip       height {}, {}", self.tip.height, self.tip.hash)?;
        for address in &self.endpoints.rpc {
            writeln!(f, "  RPC       http://{address}/")?;
        }
        for address in &self.endpoints.p2p {
            writeln!(f, "  peers     {address}")?;
        }
        for address in &self.endpoints.metrics {
            writeln!(f, "  metrics   http://{address}/metrics (also /healthy, /ready)")?;
        }
        Ok(())
    }
}
