//! Where the node is, and how it knows us.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use cairn_wallet::node::NodeAddress;
use clap::Args;

use super::super::failure::Failure;
use super::super::wallet::in_devnet::CHOICES;
use crate::config::{FileOption, NetworkConfig, RpcAccess, Settings};
use crate::node::Endpoints;
use crate::rpc::{COOKIE_FILE, Secret};

/// Where a node is unless it is said where.
const LOOPBACK: &str = "127.0.0.1";
/// Variables that name a node by its address and its cookie's file, as 'cairn devnet env' prints them.
const URL: &str = "CAIRN_RPC_URL";
const COOKIE: &str = "CAIRN_RPC_COOKIE";

/// Options of every command that asks a running node.
#[derive(Debug, Args)]
pub(in crate::cli) struct ConnectionArgs {
    #[command(flatten)]
    network: NetworkConfig,
    #[command(flatten)]
    file: FileOption,
    /// Where the node is.
    #[arg(long, value_name = "HOST", default_value = LOOPBACK)]
    rpc_connect: String,
    #[command(flatten)]
    access: RpcAccess,
    /// Seconds to wait for the answer; 0 is for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    rpc_timeout: u64,
}

/// Everything that a request needs besides its body.
#[derive(Debug)]
pub(in crate::cli) struct Connection {
    pub(super) host: String,
    pub(super) port: u16,
    /// User and password, separated by a colon; absent if there is no cookie.
    pub(super) user_password: Option<Secret>,
    /// How long to wait for the answer; for ever if absent.
    pub(super) timeout: Option<Duration>,
    /// The cookie's file, unless a user is named.
    cookie: Option<PathBuf>,
}

impl Connection {
    /// What the options say, and the cookie of the node whose data they name; what the environment says if no option does.
    pub(in crate::cli) fn find(args: &ConnectionArgs, settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let timeout = Some(args.rpc_timeout).filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let is_chosen = args.rpc_connect != LOOPBACK || CHOICES.iter().any(|key| settings.is_set(key));
        match (env::var(URL), env::var_os(COOKIE)) {
            (Ok(url), Some(cookie)) if !is_chosen => return Self::at(&url, cookie.into(), timeout),
            _ => {}
        }
        let network: NetworkConfig = settings.resolve()?;
        let access: RpcAccess = settings.resolve()?;
        access.check()?;
        let params = network.params()?;
        let directory = network.directory(&params)?;
        let (user_password, cookie) = match access.user()? {
            Some((user, password)) => (Some(Secret::new(format!("{user}:{}", password.reveal()))), None),
            None => {
                let cookie = directory.join(COOKIE_FILE);
                // A node that does not run has none, and does not answer, which is told better later.
                let text = fs::read_to_string(&cookie).ok();
                (text.map(|text| Secret::new(text.trim_end())), Some(cookie))
            }
        };
        // A node that listens at any free port says which it is.
        let written = || Some(Endpoints::read(&directory).ok()??.rpc.first()?.port());
        let port = access.rpc_port.filter(|port| *port != 0).or_else(written);
        Ok(Self {
            host: args.rpc_connect.clone(),
            port: port.unwrap_or(params.default_rpc_port),
            user_password,
            timeout,
            cookie,
        })
    }

    /// The node at a URL, with the cookie of a file.
    fn at(url: &str, cookie: PathBuf, timeout: Option<Duration>) -> Result<Self, Box<dyn Error>> {
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let found = authority.and_then(|authority| authority.rsplit_once(':'));
        let found = found.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
        let (host, port) =
            found.ok_or_else(|| format!("expected {URL} to be such as http://127.0.0.1:8332, got {url:?}"))?;
        let user_password = fs::read_to_string(&cookie).ok().map(|text| Secret::new(text.trim_end()));
        Ok(Self { host, port, user_password, timeout, cookie: Some(cookie) })
    }

    /// The same for the wallet, which asks with a client of its own.
    pub(in crate::cli) fn for_wallet(&self) -> NodeAddress {
        NodeAddress {
            url: format!("http://{}:{}", self.host, self.port),
            user_password: self.user_password.as_ref().map(|secret| secret.reveal().to_owned().into()),
            timeout: self.timeout,
        }
    }

    /// Who is asked, for messages.
    pub(super) fn what(&self) -> String {
        format!("the node at {}:{}", self.host, self.port)
    }

    /// The node does not know us.
    pub(super) fn refused(&self) -> String {
        let what = self.what();
        match (&self.cookie, &self.user_password) {
            (None, _) => format!("{what} does not accept the user and password"),
            (Some(cookie), None) => format!(
                "{what} asks for a password, and there is no cookie {}; choose the node's data with --datadir and \
                 --network, or a user with --rpc-user and --rpc-password-file",
                cookie.display()
            ),
            (Some(cookie), Some(_)) => {
                format!("{what} does not accept the cookie {}; it may be another node's", cookie.display())
            }
        }
    }

    /// The node does not answer.
    pub(super) fn unreachable(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::Unreachable { what: self.what(), source: source.into() }
    }
}
