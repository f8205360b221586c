//! JSON-RPC.

use std::net::SocketAddr;
use std::path::PathBuf;

use cairn_chain::params::ChainParams;
use clap::{ArgAction, Args};

use super::{ConfigError, ListenAddress};
use crate::rpc::{RpcAuth, Secret, Whitelist};

/// Keys about JSON-RPC. Whoever can call it controls the node.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "RPC")]
pub(crate) struct RpcConfig {
    /// Serve JSON-RPC.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = true, default_missing_value = "true")]
    pub(crate) rpc: bool,
    /// Address to serve JSON-RPC at, with or without a port; again for each.
    #[arg(long, value_name = "IP[:PORT]", default_value = "127.0.0.1")]
    pub(crate) rpc_listen: Vec<ListenAddress>,
    /// Where it is, and who may call.
    #[command(flatten)]
    pub(crate) access: RpcAccess,
    /// User and hash of a password, as Core's rpcauth.py writes them; again for each.
    #[arg(long, value_name = "USER:SALT$HASH")]
    pub(crate) rpc_auth: Vec<RpcAuth>,
    /// Methods that a user may call, separated by commas; again for each user.
    #[arg(long, value_name = "USER:METHODS")]
    pub(crate) rpc_whitelist: Vec<Whitelist>,
    /// Seconds that a client may send nothing of a request, or take nothing of an answer (Core: -rpcservertimeout).
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) rpc_server_timeout: u32,
}

impl RpcConfig {
    /// Where to listen; nowhere when RPC is off.
    pub(crate) fn addresses(&self, params: &ChainParams) -> Vec<SocketAddr> {
        let port = self.access.port(params);
        self.rpc_listen.iter().filter(|_| self.rpc).map(|address| address.with_default_port(port)).collect()
    }
}

/// Keys that clients have too.
#[derive(Debug, Clone, Args)]
pub(crate) struct RpcAccess {
    /// Port of JSON-RPC [default: 8332 on main, 48332 on testnet4, 38332 on signet, otherwise 18443].
    #[arg(long, value_name = "PORT")]
    pub(crate) rpc_port: Option<u16>,
    /// Name of a user, whose password is in rpc-password-file.
    #[arg(long, value_name = "NAME", value_parser = parse_user)]
    pub(crate) rpc_user: Option<String>,
    /// File with the password of rpc-user in it.
    #[arg(long, value_name = "FILE")]
    pub(crate) rpc_password_file: Option<PathBuf>,
}

impl RpcAccess {
    /// Checks that the two parts of a user are there, or none.
    ///
    /// # Errors
    ///
    /// When one of them is missing.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match (&self.rpc_user, &self.rpc_password_file) {
            (Some(_), None) => Err(ConfigError::Needs { key: "rpc-user", needed: "rpc-password-file" }),
            (None, Some(_)) => Err(ConfigError::Needs { key: "rpc-password-file", needed: "rpc-user" }),
            _ => Ok(()),
        }
    }

    /// Port of addresses that have none of their own.
    pub(crate) fn port(&self, params: &ChainParams) -> u16 {
        self.rpc_port.unwrap_or(params.default_rpc_port)
    }

    /// The user and the password, which is the first line of its file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(crate) fn user(&self) -> Result<Option<(String, Secret)>, ConfigError> {
        let (Some(user), Some(path)) = (&self.rpc_user, &self.rpc_password_file) else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let password = text.lines().next().unwrap_or_default();
        Ok(Some((user.clone(), Secret::new(password))))
    }
}

fn parse_user(text: &str) -> Result<String, String> {
    // HTTP separates a name from its password by a colon (RFC 7617, section 2).
    if text.is_empty() || text.contains(':') {
        return Err("expected a name without a colon".to_owned());
    }
    Ok(text.to_owned())
}
