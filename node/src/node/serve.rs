//! What a node serves, and where.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use cairn_chain::params::ChainParams;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{NodeError, Phase};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::rpc::{COOKIE_FILE, RpcAuthOptions, RpcLimits, RpcServer, RpcServerOptions, Warmup};
use crate::tasks::Tasks;
use crate::{http, metrics};

/// Serves metrics and health where the user wants them, and returns where that is.
pub(super) async fn serve_metrics(
    config: &Config,
    metrics: &Metrics,
    phase: &watch::Receiver<Phase>,
    shutdown: &CancellationToken,
    tasks: &mut Tasks,
) -> Result<Vec<SocketAddr>, NodeError> {
    let failed = |address, source| NodeError::Listen {
        what: "metrics",
        address,
        source,
        advice: "--metrics-listen and --metrics-port; --metrics-port 0 serves none",
    };
    let wanted = config.metrics.addresses();
    let listeners = http::listen(&wanted).await.map_err(|(address, source)| failed(address, source))?;
    let router = metrics::router(metrics.clone(), phase.clone());
    let mut addresses = Vec::with_capacity(listeners.len());
    for (listener, wanted) in listeners.into_iter().zip(wanted) {
        addresses.push(listener.local_addr().map_err(|source| failed(wanted, source))?);
        tasks.spawn("metrics", http::serve(listener, router.clone(), shutdown.clone()));
    }
    Ok(addresses)
}

/// JSON-RPC that is served.
pub(super) struct ServedRpc {
    /// Where.
    pub(super) addresses: Vec<SocketAddr>,
    /// What callers are told until the node runs.
    pub(super) warmup: Warmup,
}

/// Serves JSON-RPC where the user wants it; nothing if nowhere.
pub(super) async fn serve_rpc(
    config: &Config,
    params: &ChainParams,
    metrics: &Metrics,
    shutdown: &CancellationToken,
    tasks: &mut Tasks,
) -> Result<Option<ServedRpc>, NodeError> {
    let bind = config.rpc.addresses(params);
    if bind.is_empty() {
        return Ok(None);
    }
    let auth = RpcAuthOptions {
        cookie_file: Some(config.chain.network.directory(params)?.join(COOKIE_FILE)),
        rpcauth: config.rpc.rpc_auth.clone(),
        user: config.rpc.access.user()?,
        whitelist: config.rpc.rpc_whitelist.clone(),
        whitelist_default: None,
    };
    let options = RpcServerOptions {
        bind,
        auth,
        limits: RpcLimits::default().with_timeout(Duration::from_secs(config.rpc.rpc_server_timeout.into())),
        log_path: None,
        rpc_port: config.rpc.access.port(params),
        observer: Some(metrics.rpc.clone()),
    };
    let server = RpcServer::start(options, shutdown.clone()).await?;
    let served = ServedRpc { addresses: server.local_addresses().to_vec(), warmup: server.warmup() };
    tasks.spawn("RPC", async move {
        server.join().await;
        Ok::<(), Infallible>(())
    });
    Ok(Some(served))
}
