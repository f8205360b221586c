//! Metrics and health.

use std::net::SocketAddr;

use clap::Args;

use super::ListenAddress;

/// Keys about the listener for Prometheus and for whoever asks whether the node is well.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics and health")]
pub(crate) struct MetricsConfig {
    /// Address to serve /metrics, /healthy and /ready at, with or without a port; again for each.
    #[arg(long, value_name = "IP[:PORT]", default_value = "127.0.0.1")]
    pub(crate) metrics_listen: Vec<ListenAddress>,
    /// Port of metrics and health; 0 serves them at addresses with a port of their own only.
    #[arg(long, value_name = "PORT", default_value_t = 9332)]
    pub(crate) metrics_port: u16,
}

impl MetricsConfig {
    /// Where to listen; nowhere when metrics are off.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let is_served = |address: &&ListenAddress| self.metrics_port != 0 || address.port.is_some();
        let addresses = self.metrics_listen.iter().filter(is_served);
        addresses.map(|address| address.with_default_port(self.metrics_port)).collect()
    }
}
