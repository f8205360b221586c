//! The HTTP server (Core: `httpserver.cpp`, and `HTTPReq_JSONRPC` of `httprpc.cpp`).
//!
//! One task listens on each address, one task serves each connection, and each request runs in a task of its own, so that a
//! client that goes away does not cut it off half-way. Nothing a client does takes memory or time without a bound: see
//! [`RpcLimits`].
//!
//! | file | holds |
//! |---|---|
//! | `connection` | one connection, from the first byte to the last |
//! | `exchange` | one HTTP request and its response |
//! | `body` | bodies, received within bounds |
//! | `timed_stream` | clients that do not read are cut off |

mod body;
mod connection;
mod exchange;
mod timed_stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::auth::Authentication;
use super::budget::Budget;
use super::dispatcher::Dispatcher;
use super::options::{RpcLimits, RpcServerError, RpcServerOptions};
use super::warmup::Warmup;

/// Wrong passwords that are answered at the same time, each a quarter of a second late (Core: as many as it has threads).
const LATE_REFUSALS: usize = 16;
/// How long to wait when no connection can be accepted, for lack of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
#[derive(Debug)]
struct Shared {
    dispatcher: Arc<Dispatcher>,
    authentication: Authentication,
    limits: RpcLimits,
    connections: Arc<Semaphore>,
    executing: Arc<Semaphore>,
    /// Requests that wait to run.
    queued: AtomicUsize,
    late_refusals: Semaphore,
    bodies: Budget,
    answers: Budget,
    shutdown: CancellationToken,
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct RpcServer {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    listeners: JoinSet<()>,
}

impl RpcServer {
    /// Listens on all addresses, or on none, until `shutdown` is cancelled. Calls are answered that the node is starting
    /// until [`Warmup::finish`].
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on, or must not be without users, or the cookie cannot be written.
    pub(crate) async fn start(options: RpcServerOptions, shutdown: CancellationToken) -> Result<Self, RpcServerError> {
        if let Some(address) = options.bind.iter().find(|address| !address.ip().to_canonical().is_loopback())
            && !options.auth.has_users()
        {
            return Err(RpcServerError::Exposed { address: *address });
        }
        let mut bound = Vec::with_capacity(options.bind.len());
        for address in options.bind {
            let failed = |source| RpcServerError::Bind { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            bound.push((listener.local_addr().map_err(failed)?, listener));
        }
        // Last, so that a node that cannot start leaves the cookie of the one that runs alone.
        let authentication = Authentication::start(&options.auth)?;
        let limits = options.limits;
        let first_port = bound.first().map_or(0, |(address, _)| address.port());
        let rpc_port = if options.rpc_port == 0 { first_port } else { options.rpc_port };
        let shared = Arc::new(Shared {
            dispatcher: Arc::new(Dispatcher::new(rpc_port, options.log_path, options.observer)),
            authentication,
            limits,
            connections: Arc::new(Semaphore::new(limits.connections)),
            executing: Arc::new(Semaphore::new(limits.executing)),
            queued: AtomicUsize::new(0),
            late_refusals: Semaphore::new(LATE_REFUSALS),
            bodies: Budget::new(limits.all_bodies_bytes),
            answers: Budget::new(limits.all_answers_bytes),
            shutdown,
        });
        let mut listeners = JoinSet::new();
        let mut addresses = Vec::with_capacity(bound.len());
        for (address, listener) in bound {
            info!(%address, "listening for RPC");
            if address.ip().is_unspecified() {
                warn!("RPC must not be exposed to networks that are not trusted");
            }
            addresses.push(address);
            listeners.spawn(listen(Arc::clone(&shared), listener));
        }
        if let Some(path) = shared.authentication.cookie_file() {
            info!(path = %path.display(), "wrote the RPC cookie");
        }
        Ok(Self { shared, addresses, listeners })
    }

    /// All addresses, with the ports that were free.
    #[must_use]
    pub(crate) fn local_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The first address.
    ///
    /// # Panics
    ///
    /// When the server was told to listen nowhere.
    #[must_use]
    #[cfg(test)]
    pub(crate) fn local_addr(&self) -> SocketAddr {
        *self.addresses.first().expect("a server that listens somewhere")
    }

    /// Memory for bodies that nobody takes, in bytes.
    #[cfg(test)]
    pub(super) fn free_body_bytes(&self) -> usize {
        self.shared.bodies.available()
    }

    /// The way to tell clients how far the node is.
    #[must_use]
    pub(crate) fn warmup(&self) -> Warmup {
        self.shared.dispatcher.warmup.clone()
    }

    /// Waits for the server to stop after `shutdown` was cancelled, and removes the cookie: nothing new is accepted, and
    /// what runs has [`RpcLimits::grace`] to end.
    pub(crate) async fn join(mut self) {
        while self.listeners.join_next().await.is_some() {}
        info!("stopped listening for RPC");
    }
}

/// Accepts connections until the node stops, then waits for those there are.
async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shared.shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection::serve(Arc::clone(&shared), stream, peer));
            }
            Err(error) => {
                warn!(%error, "cannot accept an RPC connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
