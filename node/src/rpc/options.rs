//! How the server is set up, and why it cannot start.

use std::io;
use std::net::SocketAddr;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::auth::RpcAuthOptions;
use super::observer::RpcObserver;

/// Name of the cookie's file in the network's folder (Core: `COOKIEAUTH_FILE`).
pub(crate) const COOKIE_FILE: &str = ".cookie";

/// How the server is set up.
#[derive(Debug, Clone)]
pub(crate) struct RpcServerOptions {
    /// Where to listen. Port 0 is any free one.
    pub(crate) bind: Vec<SocketAddr>,
    /// Who may call.
    pub(crate) auth: RpcAuthOptions,
    /// How much clients may take.
    pub(crate) limits: RpcLimits,
    /// File of the log, which `getrpcinfo` shows.
    pub(crate) log_path: Option<PathBuf>,
    /// The port in the examples of help texts; 0 is the one that is listened on.
    pub(crate) rpc_port: u16,
    /// Who wants to know of calls.
    pub(crate) observer: Option<Arc<dyn RpcObserver>>,
}

impl RpcServerOptions {
    /// A server for programs that can read the network's folder.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn new(bind: Vec<SocketAddr>, directory: &Path) -> Self {
        let rpc_port = bind.first().map_or(0, SocketAddr::port);
        let auth = RpcAuthOptions { cookie_file: Some(directory.join(COOKIE_FILE)), ..RpcAuthOptions::default() };
        Self { bind, auth, limits: RpcLimits::default(), log_path: None, rpc_port, observer: None }
    }
}

/// How much all clients together may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RpcLimits {
    /// Connections; further ones are answered 503.
    pub(crate) connections: usize,
    /// Requests that run at the same time (Core: `-rpcthreads`, 16, of which each takes a thread).
    pub(crate) executing: usize,
    /// Requests that wait to run; further ones are answered 503 (Core: `-rpcworkqueue`).
    pub(crate) queued: usize,
    /// Bytes of one body; more is answered 413 (Core: `MAX_BODY_SIZE`, `httpserver.h`).
    pub(crate) body_bytes: usize,
    /// Bytes of all bodies that are being received or run, small ones not counted; more is answered 503.
    pub(crate) all_bodies_bytes: usize,
    /// Bytes of all answers that are being sent, small ones not counted. A request that has no room waits with its answer; a
    /// batch does no more.
    pub(crate) all_answers_bytes: usize,
    /// How long a client may send nothing of a request it owes, and read nothing of an answer (Core:
    /// `-rpcservertimeout`).
    pub(crate) idle: Duration,
    /// How long a body may take altogether.
    pub(crate) body_time: Duration,
    /// How long requests may still run when the node stops.
    pub(crate) grace: Duration,
}

impl RpcLimits {
    /// The same with another patience for silent clients. A body has as much more time altogether as it had before.
    #[must_use]
    pub(crate) fn with_timeout(self, idle: Duration) -> Self {
        let ratio = self.body_time.as_secs_f64() / self.idle.as_secs_f64();
        Self { idle, body_time: idle.mul_f64(ratio), ..self }
    }
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            connections: 600,
            executing: 64,
            queued: 64,
            body_bytes: 32 << 20,
            all_bodies_bytes: 128 << 20,
            all_answers_bytes: 256 << 20,
            idle: Duration::from_secs(30),
            body_time: Duration::from_secs(120),
            grace: Duration::from_secs(10),
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, Error)]
pub(crate) enum RpcServerError {
    /// Others could reach it, and nobody chose who may.
    #[error(
        "RPC on {address} could be reached from other machines: set users and passwords with rpcauth first, or listen on \
         a loopback address"
    )]
    Exposed {
        /// The address beyond loopback.
        address: SocketAddr,
    },
    /// An address cannot be listened on.
    #[error("cannot listen for RPC on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The cookie cannot be written.
    #[error("cannot write the RPC cookie {path}: {source}", path = path.display())]
    Cookie {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The operating system has no random numbers.
    #[error("no random numbers for RPC passwords: {0}")]
    Random(getrandom::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_patience_is_another_time_for_bodies() {
        let limits = RpcLimits::default();
        assert_eq!(limits.with_timeout(limits.idle), limits);
        let short = limits.with_timeout(Duration::from_secs(3));
        assert_eq!((short.idle, short.body_time), (Duration::from_secs(3), Duration::from_secs(12)));
        assert_eq!(RpcLimits { idle: limits.idle, body_time: limits.body_time, ..short }, limits);
    }
}
