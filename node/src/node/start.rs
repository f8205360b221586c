//! What starts after what.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use cairn_chain::chainstate::{Chainstate, ChainstateError};
use cairn_chain::mempool::Mempool;
use cairn_chain::params::ChainParams;
use cairn_chain::store::DataDirectory;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::banner::Banner;
use super::endpoints::{Endpoints, EndpointsFile};
use super::flush::flush_periodically;
use super::{Node, NodeError, Phase, supervisor};
use crate::chain_service::{Chain, ChainService, ChainStopped};
use crate::config::Config;
use crate::context::{NodeContext, SharedContext};
use crate::mempool_file::MempoolFiles;
use crate::metrics::{Metrics, RpcMetrics};
use crate::rpc::RpcServer;
use crate::tasks::{Tasks, panic_message};
use crate::{http, metrics};

impl Node {
    /// Starts a node. When `shutdown` is cancelled on the way, it still starts, to be stopped in order.
    ///
    /// # Errors
    ///
    /// What keeps it from starting; nothing of it runs then.
    pub(super) async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, NodeError> {
        let started = Instant::now();
        let params = config.check()?;
        let path = config.chain.directory(&params)?;

        // The lock comes first: a second node for the same data is to hear of that, not of a port that is taken.
        let directory = DataDirectory::open(&path, &params).map_err(ChainstateError::from)?;
        EndpointsFile::clear(&path);
        let (phase, watched) = watch::channel(Phase::WarmUp("starting"));
        let metrics = Metrics::new(&params.name)?;
        let mut tasks = Tasks::default();
        let mut endpoints = Endpoints { pid: std::process::id(), ..Endpoints::default() };

        // Metrics and health: they answer while the chain state opens.
        endpoints.metrics = serve_metrics(&config, &metrics, &watched, &shutdown, &mut tasks).await?;

        // From now on calls are answered, with what the node is doing until it runs.
        let mut rpc = serve_rpc(&config, &params, &path, &metrics, &shutdown).await?;
        endpoints.rpc = rpc.as_ref().map_or_else(Vec::new, |server| server.local_addresses().to_vec());
        warm_up(&phase, "opening the chain state");
        let options = config.chainstate_options();
        let opening = {
            let params = params.clone();
            move || Chainstate::open_in(directory, params, options)
        };
        let chainstate = tokio::task::spawn_blocking(opening).await.map_err(|error| NodeError::Panicked {
            what: "opening the chain state",
            message: error.try_into_panic().map_or_else(|_| "cut off".to_owned(), |panic| panic_message(&*panic)),
        })??;
        let tip = chainstate.tip();
        info!(height = tip.height, seconds = started.elapsed().as_secs_f64(), "chain state opened");
        let mut mempool = Mempool::new(config.mempool.options());
        let files = MempoolFiles::new(&path);
        if let Some(fees) = files.read_fee_estimates() {
            mempool.set_fee_estimator(fees);
        }
        let (service, chain) = ChainService::start(Chain::new(chainstate, mempool)).map_err(NodeError::Thread)?;
        tasks.spawn("metrics of events", metrics::count_events(chain.clone(), metrics.clone(), shutdown.clone()));
        let context = Arc::new(NodeContext {
            chain,
            params,
            directory: path,
            started,
            shutdown,
            config,
            metrics,
            coin_scans: Arc::default(),
            mempool_loaded: AtomicBool::new(false),
        });
        let mut node = Self {
            tasks,
            rpc: None,
            chain: Some(tokio::task::spawn_blocking(move || service.join())),
            endpoints: EndpointsFile::write(&context.directory, &endpoints)?,
            phase,
            context,
        };
        node.connect_stored_blocks().await;
        node.tasks.spawn("flush", flush_periodically(Arc::clone(&node.context)));

        node.tasks.spawn("mempool", load_mempool(Arc::clone(&node.context)));
        if let Some(server) = rpc.take() {
            server.warmup().finish(Arc::clone(&node.context));
            node.rpc = Some(server);
        }
        // Peers are met from here on.
        // The miner starts here.

        node.phase.send_replace(Phase::Running(Arc::clone(&node.context)));
        node.tell_that_it_runs(&endpoints);
        Ok(node)
    }

    /// Connects blocks that were stored before the node ended last, and not connected.
    async fn connect_stored_blocks(&self) {
        warm_up(&self.phase, "connecting stored blocks");
        let connected = self.context.chain.call(|chain| chain.chainstate.activate()).await;
        if let Ok(Err(error)) = connected {
            // After a fault the chain thread has ended, which the node finds out next.
            warn!(%error, "stored blocks could not be connected");
        }
    }

    fn tell_that_it_runs(&self, endpoints: &Endpoints) {
        if self.context.shutdown.is_cancelled() {
            return;
        }
        let NodeContext { chain, params, directory, config, .. } = &*self.context;
        let tip = chain.tip();
        Banner { network: &params.name, directory, tip, endpoints }.show(config.log.log_format);
        supervisor::ready(&format!("network {}, height {}", params.name, tip.height));
    }
}

/// Takes back the pool of the last run, while the node runs already.
async fn load_mempool(context: SharedContext) -> Result<(), ChainStopped> {
    if context.config.mempool.persist_mempool {
        let files = MempoolFiles::new(&context.directory);
        tokio::select! {
            loaded = files.load(&context.chain) => loaded.map(|_| ())?,
            // What was not taken back must not be lost: the file stays as it was.
            () = context.shutdown.cancelled() => return Ok(()),
        }
    }
    context.mempool_loaded.store(true, Ordering::Relaxed);
    Ok(())
}

fn warm_up(phase: &watch::Sender<Phase>, what: &'static str) {
    supervisor::starting(what);
    phase.send_replace(Phase::WarmUp(what));
}

/// Serves JSON-RPC, unless the user wants none.
async fn serve_rpc(
    config: &Config,
    params: &ChainParams,
    directory: &Path,
    metrics: &Metrics,
    shutdown: &CancellationToken,
) -> Result<Option<RpcServer>, NodeError> {
    if !config.rpc.rpc {
        return Ok(None);
    }
    let mut options = config.rpc.options(params, directory)?;
    options.observer = Some(Arc::<RpcMetrics>::clone(&metrics.rpc));
    let server = RpcServer::start(options, shutdown.clone()).await?;
    server.warmup().set_status("Loading block index…");
    Ok(Some(server))
}

/// Serves metrics and health where the user wants them, and returns where that is.
async fn serve_metrics(
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
