//! `cairn devnet up`: the devnet itself, in the foreground.

use std::error::Error;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use clap::{ArgAction, Args};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::banner;
use super::live::Live;
use super::place::Place;
use crate::cli::Answer;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::run::cancel_on_signal;
use crate::config::Settings;
use crate::devnet::{
    Attachment, BlockTime, DevnetError, Plan, PlanFile, Supervisor, SupervisorOptions, Topology, find_program,
};
use crate::whole_file::{check_json, write_json};

/// Notices that wait to be shown.
const NOTICES: usize = 256;
/// The program that collects metrics.
const PROMETHEUS: &str = "prometheus";

/// Start a network of nodes on this machine: connected, with 140 blocks and ten accounts that have coins.
///
/// It runs until Ctrl-C, SIGTERM or 'cairn devnet down', or until its terminal is closed; nodes never outlive it. Nothing stays
/// unless it has a name: then it goes on next time where it was.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn devnet up\n  \
    cairn devnet up -n 2 --topology line --block-time off\n  \
    cairn devnet up --block-time poisson:10s --seed 7\n  \
    cairn devnet up --name demo\n  \
    cairn devnet up -f net.toml --prometheus\n  \
    cairn devnet up --regtest --mine-on-tx")]
pub(super) struct UpArgs {
    /// Number of nodes [default: 4].
    #[arg(short, long, value_name = "N")]
    nodes: Option<usize>,
    /// Which nodes are connected: mesh, ring, line, star or tree [default: mesh].
    #[arg(long, value_name = "KIND")]
    topology: Option<Topology>,
    /// Time between blocks: always the same, such as 5s; random as in real networks, such as poisson:10s; or off [default: 3s].
    #[arg(long, value_name = "TIME")]
    block_time: Option<BlockTime>,
    /// Mine a block as soon as a pool has a transaction.
    #[arg(long, action = ArgAction::SetTrue)]
    mine_on_tx: bool,
    /// Repeat the keys of nodes and the order of mining of another run [default: a new one].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keep Core's regtest, value for value, instead of the network devnet.
    #[arg(long, action = ArgAction::SetTrue)]
    regtest: bool,
    /// File that describes nodes, links and all of the above: 'cairn devnet test --help' shows one. Options count more.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Also start the Prometheus that is found on this machine, to watch all nodes.
    #[arg(long, action = ArgAction::SetTrue)]
    prometheus: bool,
    /// Write where everything is to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    config_out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Runs `cairn devnet up`.
pub(super) fn run(args: &UpArgs, settings: &Settings) -> Answer {
    let started = Instant::now();
    let devnets = args.place.devnets(settings)?;
    if let Some(path) = &args.config_out {
        check_json(path).map_err(|error| {
            Failure::Usage(format!("cannot write {}: {error}; choose another file", path.display()))
        })?;
    }
    let (sender, notices) = mpsc::channel(NOTICES);
    let options = SupervisorOptions {
        devnets,
        name: args.place.name.clone(),
        plan: args.plan()?,
        is_described: args.is_described(),
        prometheus: args.prometheus()?,
        notices: sender,
    };
    // A second signal ends the process even when the runtime does not get to run. Nodes stop by themselves then.
    let _interruption = Interruption::watch()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(up(args, options, notices, started))
}

async fn up(
    args: &UpArgs,
    options: SupervisorOptions,
    notices: mpsc::Receiver<crate::devnet::Notice>,
    started: Instant,
) -> Answer {
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone())?);
    tokio::spawn(cancel_on_hangup(shutdown.clone())?);
    let live = Live::start()?;
    let devnets = options.devnets.clone();
    let supervisor = tokio::select! {
        supervisor = Supervisor::start(options) => supervisor?,
        () = shutdown.cancelled() => {
            let outcome = "the devnet did not start, and nothing of it runs".to_owned();
            return Err(Failure::Interrupted { outcome }.into());
        }
    };
    let devnet = supervisor.attachment().clone();
    if let Some(path) = &args.config_out {
        tokio::select! {
            written = write_configuration(path.clone(), devnet.clone()) => written?,
            () = shutdown.cancelled() => {}
        }
    }
    let is_alone = Attachment::all(&devnets).len() < 2;
    let banner = banner::text(&devnet, is_alone, supervisor.plan(), supervisor.prometheus_address(), started.elapsed());
    live.print(banner).await?;
    let watched = supervisor.watch();
    let ended = tokio::select! {
        ended = supervisor.run(shutdown) => ended,
        never = live.show(watched, notices) => match never {},
    };
    // If the terminal is gone, nobody wants to know.
    let _ = live.print(banner::farewell(&devnet, &ended)).await;
    match banner::problem(&ended) {
        None => Ok(String::new()),
        Some(problem) => Err(problem.into()),
    }
}

/// Writes where everything is, on a thread that nobody has to wait for: whoever is to read a pipe may not.
async fn write_configuration(path: PathBuf, devnet: Attachment) -> Result<(), String> {
    let (sender, written) = oneshot::channel();
    let write = move || {
        let outcome = write_json(&path, &devnet).map_err(|error| format!("cannot write {}: {error}", path.display()));
        // Who does not wait any more does not want to know.
        let _ = sender.send(outcome);
    };
    thread::Builder::new().name("config-out".to_owned()).spawn(write).map_err(|error| error.to_string())?;
    written.await.unwrap_or(Ok(()))
}

/// Waits for the end of the terminal, at which everything is to end too.
pub(super) fn cancel_on_hangup(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        hangup.recv().await;
        shutdown.cancel();
    })
}

impl UpArgs {
    /// What is asked for: by the file, and by options, which count more.
    fn plan(&self) -> Result<Plan, Box<dyn Error>> {
        let usage = |error: DevnetError| Failure::Usage(error.to_string());
        let mut file = match &self.file {
            Some(path) => PlanFile::read(path).map_err(usage)?,
            None => PlanFile::default(),
        };
        file.seed = self.seed.or(file.seed);
        file.block_time = self.block_time.or(file.block_time);
        file.topology = self.topology.or(file.topology);
        file.nodes = self.nodes.or(file.nodes);
        file.mine_on_tx |= self.mine_on_tx;
        file.regtest |= self.regtest;
        // Short enough to be typed again.
        let seed = u64::from(getrandom::u32()?);
        Ok(file.plan(seed).map_err(usage)?)
    }

    /// Whether anything says what the devnet is to be made of.
    fn is_described(&self) -> bool {
        let Self { nodes, topology, block_time, mine_on_tx, seed, regtest, file, .. } = self;
        let has_values = nodes.is_some() || topology.is_some() || block_time.is_some() || seed.is_some();
        has_values || file.is_some() || *mine_on_tx || *regtest
    }

    /// Where Prometheus is, if it is wanted.
    fn prometheus(&self) -> Result<Option<PathBuf>, Failure> {
        if !self.prometheus {
            return Ok(None);
        }
        let found = find_program(PROMETHEUS);
        found.map(Some).ok_or_else(|| Failure::Usage("there is no prometheus in the folders of PATH".to_owned()))
    }
}
