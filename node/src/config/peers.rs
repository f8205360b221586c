//! Other nodes.

use cairn_net::Multiaddr;
use clap::Args;

/// Keys about the network of nodes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Peers")]
pub(crate) struct PeersConfig {
    /// Multiaddress to take connections at, such as /ip4/0.0.0.0/tcp/8433; again for each. Port 0 is any free one.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr, default_value = "/ip4/127.0.0.1/tcp/0")]
    pub(crate) listen: Vec<Multiaddr>,
    /// Multiaddress of a node to stay connected with, such as /dns4/example.org/tcp/8433; again for each.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) peer: Vec<Multiaddr>,
}

fn parse_multiaddr(text: &str) -> Result<Multiaddr, String> {
    let address = text.parse().ok().filter(|address: &Multiaddr| !address.is_empty());
    address.ok_or_else(|| "expected a multiaddress such as /ip4/0.0.0.0/tcp/8433".to_owned())
}
