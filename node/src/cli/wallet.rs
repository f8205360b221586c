//! `cairn wallet`: gives the wallet its network, its folder and its node: those of a devnet, if one runs and no other is meant.

pub(super) mod in_devnet;

use cairn_chain::params::ChainParams;
use cairn_wallet::cli::{Environment, Names};
use cairn_wallet::error::WalletError;
use cairn_wallet::network::{Network, Stakes};
use cairn_wallet::wallet::WalletFolder;
use clap::{Args, Command};

use super::Answer;
use super::failure::Failure;
use super::rpc::{Connection, ConnectionArgs};
use crate::config::{Given, NetworkConfig, Settings};

/// The name of the command.
const NAME: &str = "wallet";

/// Keep coins: create wallets, receive, send, sign.
///
/// While a devnet runs, commands are for its wallets and its nodes, and addresses may be names such as @alice; --network, --spec or an
/// option about the node chooses otherwise.
#[derive(Debug, Args)]
pub(super) struct WalletCommand {
    #[command(flatten)]
    wallet: cairn_wallet::cli::WalletArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Lets the options about network and node stand behind the wallet's own commands.
pub(super) fn with_options_everywhere(cli: Command) -> Command {
    cli.mut_subcommand(NAME, |wallet| wallet.mut_args(|option| option.global(true)))
}

/// Runs a `cairn wallet` command.
pub(super) fn run(args: &WalletCommand, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    if let Some(devnet) = in_devnet::running(&settings)? {
        return run_in(&args.wallet, &in_devnet::environment(&devnet)?);
    }
    let config: NetworkConfig = settings.resolve()?;
    let params = config.params()?;
    let connection = Connection::find(&args.connection, &settings)?;
    let environment = Environment {
        folder: WalletFolder::within(&config.directory(&params)?),
        node: connection.for_wallet(),
        network: network(&params),
        names: Box::new(no_names) as Box<Names>,
    };
    run_in(&args.wallet, &environment)
}

fn run_in(args: &cairn_wallet::cli::WalletArgs, environment: &Environment) -> Answer {
    cairn_wallet::cli::run(args, environment).map_err(|error| Failure::Wallet(error).into())
}

/// What a wallet has to know of a network.
fn network(params: &ChainParams) -> Network {
    let addresses = match params.name.as_str() {
        "main" => bitcoin::Network::Bitcoin,
        "testnet4" => bitcoin::Network::Testnet4,
        "signet" => bitcoin::Network::Signet,
        // Our own networks have regtest's addresses.
        _ => bitcoin::Network::Regtest,
    };
    let stakes = match params.name.as_str() {
        "testnet4" | "signet" => Stakes::Test,
        _ if params.is_mockable => Stakes::Local,
        _ => Stakes::Money,
    };
    Network { name: params.name.clone(), addresses, genesis: params.genesis.hash, stakes }
}

/// Names are a devnet's.
fn no_names(text: &str) -> Result<Option<String>, WalletError> {
    match text.strip_prefix('@') {
        Some(_) => Err(WalletError::Usage(format!("{text} would be a name in a devnet, and none runs"))),
        None => Ok(None),
    }
}
