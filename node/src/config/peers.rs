//! Other nodes.

use clap::Args;

/// Keys about the network of nodes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Peers")]
#[allow(dead_code, reason = "read by the network, which is yet to come")]
pub(crate) struct PeersConfig {
    /// Multiaddress to take connections at, such as /ip4/0.0.0.0/tcp/8433; again for each.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) listen: Vec<String>,
}

fn parse_multiaddr(text: &str) -> Result<String, String> {
    match text.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a multiaddress such as /ip4/0.0.0.0/tcp/8433".to_owned()),
    }
}
