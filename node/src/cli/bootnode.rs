//! `cairn bootnode`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use cairn_net::{Network, Role};
use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::interruption::Interruption;
use super::run::cancel_on_signal;
use super::{Answer, print, to_json};
use crate::config::{FileOption, Given, LogConfig, NetworkConfig, PeersConfig, Settings};
use crate::logging::{self, Verbosity};
use crate::network::{identity, network_config};

/// The file of the key that others know the node by, in the folder of the network's data.
const KEY_FILE: &str = "bootnode_key";

/// Introduce nodes to each other, and keep no chain.
///
/// Nodes that are told of it with --bootstrap ask it for others, and need it no more once they know some; with
/// --rendezvous-server it also keeps a list for those that are told of it with --rendezvous. Its address stays the same from one
/// run to the next, since its key does.
///
/// Prints the addresses to give to other nodes, and runs until Ctrl-C or SIGTERM.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn bootnode --listen /ip4/0.0.0.0/tcp/8534\n  \
    cairn bootnode --network devnet --rendezvous-server\n  \
    cairn run --network devnet --bootstrap /ip4/127.0.0.1/tcp/8534/p2p/12D3KooW…")]
pub(super) struct BootnodeArgs {
    #[command(flatten)]
    network: NetworkConfig,
    #[command(flatten)]
    peers: PeersConfig,
    #[command(flatten)]
    log: LogConfig,
    #[command(flatten)]
    file: FileOption,
    /// Print the addresses as JSON.
    #[arg(long)]
    json: bool,
}

/// Where others find the node.
#[derive(Debug, Serialize)]
struct Addresses {
    peer_id: String,
    addresses: Vec<String>,
}

/// Runs `cairn bootnode`.
pub(super) fn run(args: &BootnodeArgs, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    let network: NetworkConfig = settings.resolve()?;
    let peers: PeersConfig = settings.resolve()?;
    let log: LogConfig = settings.resolve()?;
    log.check()?;
    logging::start(&log, Verbosity::Normal)?;
    let params = network.params()?;
    peers.check(&params)?;
    let directory = network.directory(&params)?;
    let mut config = network_config(&params, &peers)?;
    config.role = Role::Introducer;
    let _interruption = Interruption::watch()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(introduce(config, directory, args.json))?;
    Ok(String::new())
}

async fn introduce(config: cairn_net::NetworkConfig, directory: PathBuf, json: bool) -> Result<(), Box<dyn Error>> {
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone())?);
    std::fs::create_dir_all(&directory)
        .map_err(|error| format!("cannot make the folder {}: {error}", directory.display()))?;
    let key = identity(&directory.join(KEY_FILE)).await?;
    // Nothing is gossiped to an introducer, and nothing asked of it, so its events tell nothing.
    let Network { service, handle, events: _events } = Network::start(config, key).await?;
    let addresses = Addresses {
        peer_id: handle.local_peer_id().to_string(),
        addresses: handle.listen_addresses().iter().map(ToString::to_string).collect(),
    };
    let text = if json { to_json(&addresses)? } else { addresses.addresses.join("\n") + "\n" };
    print(&text)?;
    std::io::stdout().flush()?;
    service.run(shutdown.cancelled_owned()).await;
    Ok(())
}
