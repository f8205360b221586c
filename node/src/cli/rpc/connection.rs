//! Where the node is, and how it knows us.

use std::env;
use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cairn_chain::params::{ChainParams, RegtestOptions};

use super::super::failure::Failure;
use super::RpcArgs;
use crate::node::Endpoints;
use crate::rpc::{COOKIE_FILE, Secret};

/// Everything that a request needs besides its body.
#[derive(Debug)]
pub(super) struct Connection {
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
    /// What the options say, and the cookie of the node whose data they name.
    pub(super) fn find(args: &RpcArgs) -> Result<Self, Box<dyn Error>> {
        let params = match &args.spec {
            Some(file) => ChainParams::from_spec_file(file)?,
            None => ChainParams::select(&args.network, RegtestOptions::default())?,
        };
        let (user_password, cookie) = match (&args.rpc_user, &args.rpc_password_file) {
            (Some(user), Some(file)) => {
                let text = fs::read_to_string(file)
                    .map_err(|error| format!("cannot read the password in {}: {error}", file.display()))?;
                let password = text.lines().next().unwrap_or_default();
                (Some(Secret::new(format!("{user}:{password}"))), None)
            }
            _ => {
                let cookie = datadir(args)?.join(&params.name).join(COOKIE_FILE);
                // A node that does not run has none, and does not answer, which is told better later.
                let text = fs::read_to_string(&cookie).ok();
                (text.map(|text| Secret::new(text.trim_end())), Some(cookie))
            }
        };
        // A node that took another port says so in a file.
        let of_node = || {
            let directory = datadir(args).ok()?.join(&params.name);
            Endpoints::read(&directory).ok().flatten()?.rpc.first().map(SocketAddr::port)
        };
        Ok(Self {
            host: args.rpc_connect.clone(),
            port: args.rpc_port.or_else(of_node).unwrap_or(params.default_rpc_port),
            user_password,
            timeout: Some(args.rpc_timeout).filter(|seconds| *seconds > 0).map(Duration::from_secs),
            cookie,
        })
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

fn datadir(args: &RpcArgs) -> Result<PathBuf, Box<dyn Error>> {
    if let Some(datadir) = &args.datadir {
        return Ok(datadir.clone());
    }
    let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
    Ok(home.ok_or("there is no home directory to look for data in; choose a directory with --datadir")?.join(".cairn"))
}
