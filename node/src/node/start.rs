//! What starts after what.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cairn_chain::chainstate::{Chainstate, ChainstateError};
use cairn_chain::mempool::Mempool;
use cairn_chain::store::DataDirectory;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::banner::Banner;
use super::endpoints::{Endpoints, EndpointsFile};
use super::flush::flush_periodically;
use super::serve::{serve_metrics, serve_rpc};
use super::{Node, NodeError, Phase, supervisor};
use crate::chain_service::{Chain, ChainService, ChainStopped};
use crate::config::Config;
use crate::context::{NodeContext, SharedContext};
use crate::mempool_file::MempoolFiles;
use crate::metrics::{Metrics, count_events};
use crate::miner::Miner;
use crate::network;
use crate::rpc::Warmup;
use crate::tasks::{Tasks, panic_message};
use crate::tx_index::TxIndex;

impl Node {
    /// Starts a node. When `shutdown` is cancelled on the way, it still starts, to be stopped in order.
    ///
    /// # Errors
    ///
    /// What keeps it from starting; nothing of it runs then.
    pub(super) async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, NodeError> {
        let started = Instant::now();
        let params = config.check()?;
        let path = config.chain.network.directory(&params)?;

        // The lock comes first: a second node for the same data is to hear of that, not of a port that is taken.
        let directory = DataDirectory::open(&path, &params).map_err(ChainstateError::from)?;
        EndpointsFile::clear(&path);
        let (phase, watched) = watch::channel(Phase::WarmUp("starting"));
        let metrics = Metrics::new(&params.name)?;
        let mut tasks = Tasks::default();
        let mut endpoints = Endpoints { pid: std::process::id(), ..Endpoints::default() };

        // Metrics and health: they answer while the chain state opens.
        endpoints.metrics = serve_metrics(&config, &metrics, &watched, &shutdown, &mut tasks).await?;

        // From now on calls are answered with "warming up".
        let rpc = serve_rpc(&config, &params, &metrics, &shutdown, &mut tasks).await?;
        endpoints.rpc = rpc.as_ref().map(|rpc| rpc.addresses.clone()).unwrap_or_default();
        let warm_up = WarmUp { phase, rpc: rpc.map(|rpc| rpc.warmup) };
        let endpoints_file = EndpointsFile::write(&path, &endpoints)?;

        // Core's words for it.
        warm_up.says("Loading block index…");
        let options = config.chainstate_options(&params);
        let opening = {
            let params = params.clone();
            move || Chainstate::open_in(directory, params, options)
        };
        let mut chainstate = tokio::task::spawn_blocking(opening).await.map_err(|error| NodeError::Panicked {
            what: "opening the chain state",
            message: error.try_into_panic().map_or_else(|_| "cut off".to_owned(), |panic| panic_message(&*panic)),
        })??;
        let observed = Arc::clone(&metrics.chain);
        chainstate.observe_stages(move |stage, took| observed.observe_stage(stage, took));
        let tip = chainstate.tip();
        info!(height = tip.height, seconds = started.elapsed().as_secs_f64(), "chain state opened");
        let opened = config.tx_index.then(|| TxIndex::open(&path)).transpose()?;
        let (tx_index, tx_indexer) = opened.unzip();
        let mut mempool = Mempool::new(config.mempool.options());
        if let Some(fees) = MempoolFiles::new(&path).read_fee_estimates() {
            mempool.set_fee_estimator(fees);
        }
        let (service, chain) = ChainService::start(Chain::new(chainstate, mempool)).map_err(NodeError::Thread)?;
        tasks.spawn("metrics of events", count_events(chain.clone(), metrics.clone(), shutdown.clone()));
        let context = Arc::new(NodeContext {
            chain,
            params,
            directory: path,
            started,
            shutdown,
            config,
            metrics,
            coin_scans: Arc::default(),
            tx_index,
            network: OnceLock::new(),
            reputation: OnceLock::new(),
            mempool_loaded: AtomicBool::new(false),
        });
        let mut node = Self {
            tasks,
            chain: Some(tokio::task::spawn_blocking(move || service.join())),
            endpoints: endpoints_file,
            phase: warm_up.phase.clone(),
            context,
        };
        warm_up.says("Connecting stored blocks…");
        node.connect_stored_blocks().await;
        node.tasks.spawn("flush", flush_periodically(Arc::clone(&node.context)));

        node.tasks.spawn("mempool", load_mempool(Arc::clone(&node.context)));

        if let Some(indexer) = tx_indexer {
            let NodeContext { chain, shutdown, .. } = &*node.context;
            node.tasks.spawn("txindex", indexer.run(chain.clone(), shutdown.clone()));
        }

        let network = network::start(&node.context, &mut node.tasks).await?;
        // Nobody else has set it.
        let _ = node.context.network.set(network.clone());
        endpoints.p2p = network.listen_addresses().iter().map(ToString::to_string).collect();
        node.endpoints.rewrite(&endpoints)?;

        warm_up.ends(&node.context);

        if let Some(script) = node.context.config.mining.script_pubkey(&node.context.params)? {
            let miner = Miner::new(Arc::clone(&node.context), script)?;
            node.tasks.spawn("miner", miner.run());
        }

        node.tell_that_it_runs(&endpoints);
        Ok(node)
    }

    /// Connects blocks that were stored before the node ended last, and not connected.
    async fn connect_stored_blocks(&self) {
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

/// Everybody who asks what the node does while it starts.
struct WarmUp {
    phase: watch::Sender<Phase>,
    rpc: Option<Warmup>,
}

impl WarmUp {
    /// The node does this.
    fn says(&self, what: &'static str) {
        supervisor::starting(what);
        self.phase.send_replace(Phase::WarmUp(what));
        if let Some(rpc) = &self.rpc {
            rpc.set_status(what);
        }
    }

    /// The node runs.
    fn ends(&self, context: &SharedContext) {
        self.phase.send_replace(Phase::Running(Arc::clone(context)));
        if let Some(rpc) = &self.rpc {
            rpc.finish(Arc::clone(context));
        }
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
