//! Other nodes.

use std::path::PathBuf;

use cairn_chain::params::ChainParams;
use cairn_net::{Limits, Multiaddr, NetworkConfig, PeerId, PreSharedKey};
use clap::{ArgAction, Args};

use super::ConfigError;

/// Connections that peers may open are all but these (Core: eight outbound peers, two that relay blocks only, and a feeler,
/// `net.h`).
const KEPT_FOR_OUTBOUND: u32 = 11;

/// Keys about the network of nodes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Peers")]
pub(crate) struct PeersConfig {
    /// Multiaddress to take connections at, such as /ip4/0.0.0.0/tcp/8433; again for each. Port 0 is any free one.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr, default_value = "/ip4/127.0.0.1/tcp/0")]
    pub(crate) listen: Vec<Multiaddr>,
    /// Multiaddress of a node to stay connected with, such as /dns4/example.org/tcp/8433; again for each. One that ends in
    /// /p2p/PEER takes no other peer.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) peer: Vec<Multiaddr>,
    /// Multiaddress of a node that introduces this one to others, and may then go; again for each.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) bootstrap: Vec<Multiaddr>,
    /// Multiaddress of a node that keeps a list of nodes, to be on it and to read it; again for each.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) rendezvous: Vec<Multiaddr>,
    /// Multiaddress at which others reach this node from outside; again for each.
    #[arg(long, value_name = "MULTIADDR", value_parser = parse_multiaddr)]
    pub(crate) external: Vec<Multiaddr>,
    /// Find nodes by asking those that are known for more (Kademlia).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = true, default_missing_value = "true")]
    pub(crate) kademlia: bool,
    /// Find nodes in the local network by multicast.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true")]
    pub(crate) mdns: bool,
    /// Keep a list of nodes for others.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true")]
    pub(crate) rendezvous_server: bool,
    /// Most connections with other nodes; a few of them are for nodes of this node's own choice.
    #[arg(long, value_name = "N", default_value_t = Limits::public().max_connections,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_peers: u32,
    /// File of the secret of a private network, as IPFS writes it (swarm.key): who does not have it gets no connection.
    #[arg(long, value_name = "FILE")]
    pub(crate) psk: Option<PathBuf>,
    /// Peer to connect with; again for each. No others are.
    #[arg(long, value_name = "PEER")]
    pub(crate) allow: Vec<PeerId>,
    /// Let clients of JSON-RPC cut, slow and break the links with other nodes (setlink): for networks on one machine, and for
    /// TCP alone.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true", hide_short_help = true)]
    pub(crate) link_control: bool,
}

impl PeersConfig {
    /// Checks that the network is one on which links may be controlled, if they are.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(crate) fn check(&self, params: &ChainParams) -> Result<(), ConfigError> {
        if self.link_control && !is_local(params) {
            let name = &params.name;
            let problem =
                format!("network {name} is not for one's own machine; regtest, devnet and those of spec files are");
            return Err(ConfigError::Value { key: "link-control", problem });
        }
        Ok(())
    }

    /// Tells the network what the user set.
    ///
    /// # Errors
    ///
    /// When the secret of a private network cannot be read.
    pub(crate) fn apply(&self, config: &mut NetworkConfig) -> Result<(), ConfigError> {
        config.listen.clone_from(&self.listen);
        config.peers.clone_from(&self.peer);
        config.bootstrap.clone_from(&self.bootstrap);
        config.rendezvous.clone_from(&self.rendezvous);
        config.external.clone_from(&self.external);
        config.kademlia = self.kademlia;
        config.mdns = self.mdns;
        config.rendezvous_server = self.rendezvous_server;
        config.pre_shared_key = self.pre_shared_key()?;
        config.link_control = self.link_control;
        // A secret protects TCP alone, and only TCP's links are controlled.
        config.quic = config.pre_shared_key.is_none() && !self.link_control;
        config.allow = if self.allow.is_empty() { None } else { Some(self.allow.clone()) };
        let limits = &mut config.limits;
        limits.max_connections = self.max_peers;
        // Of few, half are for nodes of our own choice: who only takes connections is easily surrounded.
        limits.max_inbound = self.max_peers.saturating_sub(KEPT_FOR_OUTBOUND).max(self.max_peers / 2);
        let own = usize::try_from(self.max_peers - limits.max_inbound).unwrap_or(usize::MAX);
        config.outbound_target = config.outbound_target.min(own);
        Ok(())
    }

    fn pre_shared_key(&self) -> Result<Option<PreSharedKey>, ConfigError> {
        let Some(path) = &self.psk else { return Ok(None) };
        let problem =
            |reason: String| ConfigError::Value { key: "psk", problem: format!("{}: {reason}", path.display()) };
        let text = std::fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
        text.parse().map(Some).map_err(|error: cairn_net::PreSharedKeyError| problem(error.to_string()))
    }
}

/// Whether a network is on one's own machines: what presents itself as regtest is, but for our public one.
pub(crate) fn is_local(params: &ChainParams) -> bool {
    params.rpc_name == "regtest" && params.name != "cairn"
}

fn parse_multiaddr(text: &str) -> Result<Multiaddr, String> {
    let address = text.parse().ok().filter(|address: &Multiaddr| !address.is_empty());
    address.ok_or_else(|| "expected a multiaddress such as /ip4/0.0.0.0/tcp/8433".to_owned())
}

#[cfg(test)]
mod tests {
    use cairn_net::NetworkNames;

    use super::*;
    use crate::config::Config;

    fn network_of(arguments: &[&str]) -> Result<NetworkConfig, ConfigError> {
        let names = NetworkNames::new("test", &[1; 32]);
        let mut config = NetworkConfig::new(names, [1; 32], bitcoin::Target::MAX_ATTAINABLE_REGTEST, true);
        Config::of(arguments).peers.apply(&mut config)?;
        Ok(config)
    }

    #[test]
    fn some_connections_are_of_our_own_choice() {
        for (max_peers, inbound, outbound) in [("125", 114, 8), ("20", 10, 8), ("4", 2, 2), ("2", 1, 1), ("1", 0, 1)] {
            let config = network_of(&["--max-peers", max_peers]).unwrap();
            let limits = &config.limits;
            assert_eq!((limits.max_inbound, config.outbound_target), (inbound, outbound), "of {max_peers}");
        }
    }

    #[test]
    fn a_secret_is_read_from_its_file_and_keeps_quic_away() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("swarm.key");
        let path = file.to_str().unwrap();
        let missing = network_of(&["--psk", path]).unwrap_err().to_string();
        assert!(missing.contains(path), "{missing}");
        std::fs::write(&file, format!("/key/swarm/psk/1.0.0/\n/base16/\n{}\n", "ab".repeat(32))).unwrap();
        let config = network_of(&["--psk", path]).unwrap();
        assert_eq!(config.pre_shared_key, Some(PreSharedKey::new([0xab; 32])));
        assert!(!config.quic);
        assert!(network_of(&[]).unwrap().quic);
    }

    #[test]
    fn links_are_controlled_on_ones_own_machine_and_over_tcp() {
        let config = network_of(&["--link-control"]).unwrap();
        assert!(config.link_control && !config.quic);
        assert!(!network_of(&[]).unwrap().link_control);
        for (network, problem) in [
            ("regtest", None),
            ("devnet", None),
            ("cairn", Some("link-control: network cairn is not for one's own machine")),
            ("main", Some("link-control: network main is not for one's own machine")),
            ("signet", Some("link-control: network signet is not for one's own machine")),
        ] {
            let wrong =
                Config::of(&["--link-control", "--network", network]).check().err().map(|error| error.to_string());
            assert_eq!(wrong.is_some(), problem.is_some(), "{network}: {wrong:?}");
            assert!(wrong.zip(problem).is_none_or(|(wrong, problem)| wrong.starts_with(problem)), "{network}");
        }
    }

    #[test]
    fn a_list_of_those_allowed_keeps_others_out() {
        let peer = PeerId::random();
        assert_eq!(network_of(&[]).unwrap().allow, None);
        assert_eq!(network_of(&["--allow", &peer.to_string()]).unwrap().allow, Some(vec![peer]));
    }
}
