//! Wallets of a devnet that runs: their network, folder, node and names, without any option.

use std::error::Error;
use std::fs;
use std::time::Duration;

use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_wallet::cli::{Environment, Names};
use cairn_wallet::error::WalletError;
use cairn_wallet::network::{Network, Stakes};
use cairn_wallet::node::NodeAddress;
use cairn_wallet::wallet::{Wallet, WalletFolder};

use crate::config::Settings;
use crate::devnet::{Attachment, DevnetError};

/// How long a node on this machine may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Keys that say which node is meant. Whoever sets one does not mean a devnet.
pub(in crate::cli) const CHOICES: [&str; 5] = ["network", "spec", "rpc-port", "rpc-user", "rpc-password-file"];

/// The devnet that a wallet is for: one that runs, unless somebody says which node is meant.
///
/// # Errors
///
/// When several run, and it is not said which, or when the environment names one that does not run: its wallets are no others'.
pub(super) fn running(settings: &Settings) -> Result<Option<Attachment>, Box<dyn Error>> {
    if CHOICES.iter().any(|key| settings.is_set(key)) {
        return Ok(None);
    }
    let datadir = settings.datadir()?;
    match Attachment::chosen(&datadir, None, settings.is_option("datadir")) {
        Ok(devnet) => Ok(Some(devnet)),
        Err(DevnetError::NotRunning { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a wallet in a devnet has to know. Its wallets lie, and end, with the devnet's data.
///
/// # Errors
///
/// When the devnet's network cannot be read.
pub(in crate::cli) fn environment(devnet: &Attachment) -> Result<Environment, Box<dyn Error>> {
    let node = devnet.nodes.iter().find(|node| node.pid.is_some()).ok_or("no node of the devnet runs")?;
    // A node that does not answer is told of better later.
    let cookie = fs::read_to_string(&node.cookie).ok();
    let names = devnet.clone();
    Ok(Environment {
        folder: WalletFolder::within(&devnet.directory),
        node: NodeAddress {
            url: format!("http://{}", node.rpc),
            user_password: cookie.map(|cookie| cookie.trim_end().to_owned().into()),
            timeout: Some(TIMEOUT),
        },
        network: network(devnet)?,
        names: Box::new(move |text: &str| address_of(&names, text)) as Box<Names>,
    })
}

/// An address at which a wallet of the devnet was never paid; nothing if there is no wallet of that name.
///
/// # Errors
///
/// When there is one and it cannot be opened.
pub(in crate::cli) fn receive(devnet: &Attachment, wallet: &str) -> Result<Option<String>, Box<dyn Error>> {
    let environment = environment(devnet)?;
    if !environment.folder.names()?.iter().any(|name| name == wallet) {
        return Ok(None);
    }
    let mut wallet = Wallet::open(&environment.folder.path(wallet)?, &environment.network)?;
    Ok(Some(wallet.receive(None)?.address.to_string()))
}

fn network(devnet: &Attachment) -> Result<Network, Box<dyn Error>> {
    let params = match &devnet.spec {
        Some(spec) => ChainParams::from_spec_file(spec)?,
        None => ChainParams::select(&devnet.network, RegtestOptions::default())?,
    };
    let addresses = bitcoin::Network::Regtest;
    Ok(Network { name: params.name, addresses, genesis: params.genesis.hash, stakes: Stakes::Local })
}

/// The address that a name such as `@alice` stands for.
fn address_of(devnet: &Attachment, text: &str) -> Result<Option<String>, WalletError> {
    let Some(name) = text.strip_prefix('@') else { return Ok(None) };
    match devnet.accounts.iter().find(|account| account.name == name) {
        Some(account) => Ok(Some(account.address.clone())),
        None => {
            let names: Vec<_> = devnet.accounts.iter().map(|account| account.name.as_str()).collect();
            let problem =
                format!("nobody in the devnet {} is called {name}; there are {}", devnet.name, names.join(", "));
            Err(WalletError::Usage(problem))
        }
    }
}
