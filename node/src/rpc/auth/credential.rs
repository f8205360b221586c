//! Users and hashes of their passwords (Core: `-rpcauth`, `CheckUserAuthorized`, `httprpc.cpp`).

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;

use bitcoin::hex::{DisplayHex, FromHex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use super::super::options::RpcServerError;
use super::Secret;

const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// A user and the hash of a password: HMAC-SHA256, keyed with the salt as it is written. Its text form is
/// `user:salt$hash`, which Core's `share/rpcauth` makes too.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RpcAuth {
    user: String,
    salt: String,
    hash: [u8; HASH_BYTES],
}

/// Why a text is no `user:salt$hash`. The message does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an rpcauth entry must be 'user:salt$hash', with a hash of 64 hexadecimal digits")]
pub(crate) struct ParseRpcAuthError;

impl RpcAuth {
    /// Hashes a password with a salt of its own.
    pub(super) fn hash(user: &str, password: &Secret) -> Result<Self, RpcServerError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(RpcServerError::Random)?;
        let salt = salt.to_lower_hex_string();
        let hash = keyed(&salt, password.reveal().as_bytes()).finalize().into_bytes().into();
        Ok(Self { user: user.to_owned(), salt, hash })
    }

    /// Whether it is this user with this password.
    pub(super) fn matches(&self, user: &[u8], password: &[u8]) -> bool {
        let is_user = equals_in_constant_time(self.user.as_bytes(), user);
        let is_password = keyed(&self.salt, password).verify_slice(&self.hash).is_ok();
        is_user & is_password
    }
}

fn keyed(salt: &str, password: &[u8]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("a key of any length will do");
    hmac.update(password);
    hmac
}

/// Compares texts in a time that depends on the length of `got` alone (Core: `TimingResistantEqual`).
fn equals_in_constant_time(expected: &[u8], got: &[u8]) -> bool {
    let mut difference = u8::from(expected.len() != got.len());
    for (position, byte) in got.iter().enumerate() {
        let expected = expected.get(position).copied().unwrap_or(0);
        difference = black_box(difference | (byte ^ expected));
    }
    difference == 0
}

impl FromStr for RpcAuth {
    type Err = ParseRpcAuthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, rest) = text.split_once(':').ok_or(ParseRpcAuthError)?;
        let (salt, hash) = rest.split_once('$').ok_or(ParseRpcAuthError)?;
        if rest.contains(':') || hash.contains('$') {
            return Err(ParseRpcAuthError);
        }
        let hash = FromHex::from_hex(hash).map_err(|_| ParseRpcAuthError)?;
        Ok(Self { user: user.to_owned(), salt: salt.to_owned(), hash })
    }
}

impl fmt::Debug for RpcAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcAuth").field("user", &self.user).finish_non_exhaustive()
    }
}
