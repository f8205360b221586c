//! Who may call (Core: `httprpc.cpp`, `rpc/request.cpp`).
//!
//! Passwords are kept as salted hashes only, and compared in a time that does not depend on them.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `cookie` | a password in a file, new at each start | `GenerateAuthCookie` |
//! | `credential` | users and hashes of their passwords | `-rpcauth` |
//! | `whitelist` | what users may call | `-rpcwhitelist` |
//! | `secret` | texts that must not be shown | |

mod cookie;
mod credential;
mod secret;
mod whitelist;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::execute::Permission;
use super::options::RpcServerError;
use cookie::{COOKIE_USER, Cookie};
#[cfg(test)]
use credential::ParseRpcAuthError;
pub(crate) use credential::RpcAuth;
pub(crate) use secret::Secret;
pub(crate) use whitelist::Whitelist;

/// Who may call, and what.
#[derive(Debug, Clone, Default)]
pub(crate) struct RpcAuthOptions {
    /// Where to write a password for programs of the same user; none to write none.
    pub(crate) cookie_file: Option<PathBuf>,
    /// Users with hashes of their passwords (Core: `-rpcauth`).
    pub(crate) rpcauth: Vec<RpcAuth>,
    /// A user with a password (Core: `-rpcuser`, `-rpcpassword`). The cookie is written all the same.
    pub(crate) user: Option<(String, Secret)>,
    /// What users may call; who is in none may call everything, unless `whitelist_default` says otherwise.
    pub(crate) whitelist: Vec<Whitelist>,
    /// Whether users without a whitelist may call nothing; by default so if there is any whitelist (Core:
    /// `-rpcwhitelistdefault`).
    pub(crate) whitelist_default: Option<bool>,
}

impl RpcAuthOptions {
    /// Whether somebody chose who may call.
    pub(super) fn has_users(&self) -> bool {
        !self.rpcauth.is_empty() || self.user.is_some()
    }
}

/// The check that every request has to pass.
#[derive(Debug)]
pub(super) struct Authentication {
    credentials: Vec<RpcAuth>,
    whitelists: HashMap<String, Arc<HashSet<String>>>,
    /// Whether users without a whitelist may call nothing.
    denies_by_default: bool,
    /// Removed when this is dropped.
    cookie: Option<Cookie>,
}

impl Authentication {
    /// Writes the cookie, and hashes what is not hashed yet.
    pub(super) fn start(options: &RpcAuthOptions) -> Result<Self, RpcServerError> {
        let mut credentials = options.rpcauth.clone();
        if let Some((user, password)) = &options.user {
            credentials.push(RpcAuth::hash(user, password)?);
        }
        let mut cookie = None;
        if let Some(file) = &options.cookie_file {
            let (written, password) = Cookie::write(file)?;
            credentials.push(RpcAuth::hash(COOKIE_USER, &password)?);
            cookie = Some(written);
        }
        let whitelists = Whitelist::merge(&options.whitelist);
        let denies_by_default = options.whitelist_default.unwrap_or(!options.whitelist.is_empty());
        Ok(Self { credentials, whitelists, denies_by_default, cookie })
    }

    /// What the sender of this `Authorization` header may call; none if there is no such user or the password is wrong
    /// (Core: `RPCAuthorized`).
    pub(super) fn check(&self, header: &[u8]) -> Option<Permission> {
        let encoded = header.strip_prefix(b"Basic ")?.trim_ascii();
        let decoded = STANDARD.decode(encoded).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
        // All are compared, so that the time does not tell which users there are.
        let mut is_authorized = false;
        for credential in &self.credentials {
            is_authorized |= credential.matches(user, password);
        }
        is_authorized.then(|| self.permission(user))
    }

    fn permission(&self, user: &[u8]) -> Permission {
        let whitelist = std::str::from_utf8(user).ok().and_then(|user| self.whitelists.get(user));
        match whitelist {
            Some(methods) => Permission::Only(Arc::clone(methods)),
            None if self.denies_by_default => Permission::Nothing,
            None => Permission::All,
        }
    }

    /// The file of the cookie.
    pub(super) fn cookie_file(&self) -> Option<&Path> {
        self.cookie.as_ref().map(Cookie::path)
    }
}

#[cfg(test)]
mod tests;
