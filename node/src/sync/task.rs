//! The task that does what was decided.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::ChainstateError;
use cairn_chain::pow::Work;
use cairn_chain::validation::CheckedBlock;
use cairn_net::protocol::Status;
use cairn_net::{NetworkHandle, PeerId, RequestError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tracing::{debug, info};

use super::blocks::{self, BlocksAnswer};
use super::connect::{self, Connected, connect};
use super::download::{Arrival, Download, Found, MAX_WINDOW, Offer};
use super::header_sync::HeaderSync;
use super::headers::{self, Continuation, HeadersAnswer, Taken};
use super::look::{Missing, look};
use super::status_schedule::StatusSchedule;
use super::{Claims, Command, SyncCommands};
use crate::chain_service::ChainStopped;
use crate::context::SharedContext;
use crate::network::own_status;
use crate::penalty::{Conduct, Reputation, penalty};

/// How long blocks that nobody sends are not asked for.
const WITHHELD_PAUSE: Duration = Duration::from_secs(60);
/// Time between two reports while blocks are loaded.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// What the task waited for.
enum Outcome {
    Status(PeerId, Result<Status, RequestError>),
    Headers(HeadersAnswer),
    Blocks(BlocksAnswer),
    Missing(Result<Missing, ChainStopped>),
}

/// The task.
struct Sync {
    context: SharedContext,
    network: NetworkHandle,
    reputation: Arc<Reputation>,
    claims: Claims,
    headers: HeaderSync,
    /// Where the next question for headers to a peer goes on.
    continuations: HashMap<PeerId, Continuation>,
    download: Download<CheckedBlock>,
    peers: HashSet<PeerId>,
    questions: JoinSet<Outcome>,
    /// When all peers are asked how far they are.
    statuses: StatusSchedule,
    ready: mpsc::Sender<Vec<Arrival<CheckedBlock>>>,
    /// Blocks that were handed to the chain thread and of which it has not spoken.
    handed_over: HashSet<BlockHash>,
    look: Look,
    /// Work of the best header's chain.
    best_work: Work,
    /// Blocks that nobody sends, and when they are asked for again.
    withheld: HashMap<BlockHash, Instant>,
    report: Report,
    /// Whether we hear of transactions.
    relays_transactions: bool,
}

/// Whether to look for what is missing.
#[derive(Debug, Default)]
struct Look {
    is_due: bool,
    is_running: bool,
}

/// What was loaded since the last report.
#[derive(Debug)]
struct Report {
    blocks: usize,
    since: Instant,
}

/// Gets headers and blocks from peers until the node is to stop.
///
/// # Errors
///
/// When blocks cannot be connected any more: after a fault, or because the disk is full.
pub(crate) async fn run(
    context: SharedContext,
    network: NetworkHandle,
    reputation: Arc<Reputation>,
    commands: SyncCommands,
) -> Result<(), ChainstateError> {
    let shutdown = context.shutdown.clone();
    let SyncCommands { mut commands, claims } = commands;
    let (ready, waiting) = mpsc::channel(connect::QUEUE);
    let (done, mut connected) = mpsc::channel(connect::QUEUE);
    let connector = tokio::spawn(connect(context.chain.clone(), waiting, done));
    let mut tip = context.chain.watch_tip();
    let mut sync = Sync::new(context, network, reputation, claims, ready);
    loop {
        let now = Instant::now();
        sync.decide(now);
        let due = sync.next_due(now);
        tokio::select! {
            () = shutdown.cancelled() => break,
            command = commands.recv() => match command {
                Some(command) => sync.on_command(command),
                None => break,
            },
            Some(outcome) = sync.questions.join_next() => match outcome {
                Ok(outcome) => if sync.on_outcome(outcome).await.is_err() { break },
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            connected = connected.recv() => match connected {
                Some(connected) => sync.on_connected(connected).await,
                // The chain thread has ended, and says why.
                None => break,
            },
            changed = tip.changed() => match changed {
                Ok(()) => sync.look.is_due |= sync.download.is_empty(),
                Err(_) => break,
            },
            () = sleep_until(due.into()) => {}
        }
    }
    drop((sync, connected));
    // What is with the chain thread is finished; nothing else is begun.
    match connector.await {
        Ok(connected) => Ok(connected?),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

impl Sync {
    fn new(
        context: SharedContext,
        network: NetworkHandle,
        reputation: Arc<Reputation>,
        claims: Claims,
        ready: mpsc::Sender<Vec<Arrival<CheckedBlock>>>,
    ) -> Self {
        Self {
            context,
            network,
            reputation,
            claims,
            headers: HeaderSync::default(),
            continuations: HashMap::new(),
            download: Download::new(),
            peers: HashSet::new(),
            questions: JoinSet::new(),
            statuses: StatusSchedule::new(Instant::now()),
            ready,
            handed_over: HashSet::new(),
            look: Look { is_due: true, is_running: false },
            best_work: Work::ZERO,
            withheld: HashMap::new(),
            report: Report { blocks: 0, since: Instant::now() },
            relays_transactions: false,
        }
    }

    /// Does everything that can be done now.
    fn decide(&mut self, now: Instant) {
        if self.statuses.due() <= now {
            self.ask_statuses(now);
        }
        self.withheld.retain(|_, until| *until > now);
        while let Some(peer) = self.headers.ask(now, self.best_work) {
            let continuation = self.continuations.remove(&peer);
            let question = headers::ask(self.network.clone(), self.context.chain.clone(), peer, continuation);
            let metrics = Arc::clone(&self.context.metrics.peers);
            self.questions.spawn(async move {
                let answer = question.await;
                metrics.observe_request("headers", now.elapsed());
                Outcome::Headers(answer)
            });
        }
        for ask in self.download.ask(now) {
            let question = blocks::ask(Arc::clone(&self.context), self.network.clone(), ask);
            let metrics = Arc::clone(&self.context.metrics.peers);
            self.questions.spawn(async move {
                let answer = question.await;
                metrics.observe_request("blocks", now.elapsed());
                Outcome::Blocks(answer)
            });
        }
        self.context.metrics.peers.count_stalls(self.download.take_stalls());
        self.hand_over();
        if self.download.is_withheld(now)
            && let Some(front) = self.download.front()
        {
            debug!(hash = %front.hash, height = front.height, "nobody sends the next block");
            self.withheld.insert(front.hash, now + WITHHELD_PAUSE);
            self.look.is_due = true;
            self.statuses.hurry();
        }
        if self.look.is_due && !self.look.is_running {
            self.look = Look { is_due: false, is_running: true };
            let (chain, avoided) = (self.context.chain.clone(), self.withheld.keys().copied().collect());
            self.questions.spawn(async move {
                Outcome::Missing(chain.call(move |chain| look(&chain.chainstate, &avoided, MAX_WINDOW)).await)
            });
        }
    }

    /// Gives the chain thread what came in its turn.
    fn hand_over(&mut self) {
        while let Ok(place) = self.ready.try_reserve() {
            let arrivals = self.download.take_ready(connect::MAX_BLOCKS, connect::MAX_BYTES);
            if arrivals.is_empty() {
                return;
            }
            self.handed_over.extend(arrivals.iter().map(|arrival| arrival.block.hash));
            place.send(arrivals);
        }
    }

    fn next_due(&self, now: Instant) -> Instant {
        let withheld = self.withheld.values().min().copied();
        let dues = self.headers.next_due(now).into_iter().chain(self.download.next_due(now)).chain(withheld);
        dues.fold(self.statuses.due(), Instant::min)
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connected(peer) => {
                self.peers.insert(peer);
                self.ask_status(peer);
            }
            Command::Disconnected(peer) => self.remove_peer(&peer),
            Command::Status(peer, status) => self.on_status(peer, &status),
            Command::Announced(peer, height) => {
                self.announces(peer, height);
                self.look.is_due = true;
            }
            Command::Unconnected(peer) => self.headers.peer_has_news(peer),
            Command::Look => self.look.is_due = true,
        }
    }

    fn remove_peer(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
        self.headers.remove_peer(peer);
        self.continuations.remove(peer);
        self.download.remove_peer(peer);
    }

    fn ask_statuses(&mut self, now: Instant) {
        self.statuses.asked(now);
        for peer in self.peers.clone() {
            self.ask_status(peer);
        }
    }

    fn ask_status(&mut self, peer: PeerId) {
        let (context, network) = (Arc::clone(&self.context), self.network.clone());
        self.questions.spawn(async move {
            let status = match own_status(&context).await {
                Ok(own) => network.request_status(peer, own).await,
                Err(ChainStopped) => Err(RequestError::Stopped(cairn_net::NetworkStopped)),
            };
            Outcome::Status(peer, status)
        });
    }

    fn on_status(&mut self, peer: PeerId, status: &Status) {
        if self.peers.contains(&peer) {
            self.headers.peer_claims(peer, Work::from_be_bytes(status.work));
            let offer = Offer { first: status.prune_height, last: status.height };
            if self.download.peer_offers(peer, offer) {
                self.try_withheld_again();
            }
        }
    }

    /// A peer announced a header of this height.
    fn announces(&mut self, peer: PeerId, height: u32) {
        if self.peers.contains(&peer) && self.download.peer_announces(peer, height) {
            self.try_withheld_again();
        }
    }

    /// Somebody has something new, perhaps what nobody else sent.
    fn try_withheld_again(&mut self) {
        self.look.is_due |= !self.withheld.is_empty();
        self.withheld.clear();
    }

    async fn on_outcome(&mut self, outcome: Outcome) -> Result<(), ChainStopped> {
        match outcome {
            Outcome::Status(peer, Ok(status)) => self.on_status(peer, &status),
            Outcome::Status(peer, Err(error)) => {
                debug!(%peer, %error, "peer does not say how far it is");
                self.reputation.judge(peer, &Conduct::Answer(&error)).await;
            }
            Outcome::Headers(answer) => self.on_headers(answer).await,
            Outcome::Blocks(answer) => self.on_blocks(answer).await,
            Outcome::Missing(missing) => self.on_missing(missing?).await,
        }
        Ok(())
    }

    async fn on_headers(&mut self, answer: HeadersAnswer) {
        let HeadersAnswer { peer, answered, taken: Taken { is_news, height, continuation }, failure } = answer;
        self.headers.answered(Instant::now(), &peer, answered);
        self.look.is_due |= is_news;
        if let Some(continuation) = continuation.filter(|_| self.peers.contains(&peer)) {
            if let Continuation::Presync(presync) = &continuation {
                debug!(%peer, height = presync.presync_height(), phase = ?presync.phase(), "headers of little work so far");
            }
            self.continuations.insert(peer, continuation);
        }
        if let Some(height) = height {
            self.announces(peer, height);
            debug!(%peer, height, ?answered, "headers");
        }
        if let Some(failure) = failure {
            debug!(%peer, error = %failure, "no use of a peer's headers");
            if let Some(conduct) = failure.conduct() {
                self.reputation.judge(peer, &conduct).await;
            }
        }
    }

    async fn on_blocks(&mut self, answer: BlocksAnswer) {
        let BlocksAnswer { request, peer, result, fault } = answer;
        let now = Instant::now();
        match result {
            Ok(found) => {
                // Others may have it, and were not heard of since.
                if found.iter().any(|found| matches!(found, Found::Lacking)) {
                    self.statuses.hurry();
                }
                self.download.answered(now, request, found);
            }
            Err(error) => {
                debug!(%peer, %error, "peer does not send blocks");
                self.download.failed(now, request, BlocksAnswer::failure(&error));
                self.reputation.judge(peer, &Conduct::Answer(&error)).await;
            }
        }
        if let Some(fault) = fault.filter(|_| self.peers.contains(&peer)) {
            info!(%peer, ?fault, "peer sent a bad block");
            // Before anybody is asked again: not this one, whatever it says until it is gone.
            self.remove_peer(&peer);
            self.download.forget_blocks_of(&peer);
            self.reputation.judge(peer, &fault.conduct()).await;
        }
    }

    async fn on_missing(&mut self, missing: Missing) {
        self.look.is_running = false;
        self.best_work = missing.best_work;
        if self.relays_transactions == missing.is_initial_block_download {
            self.relays_transactions = !missing.is_initial_block_download;
            // An error means that the node is stopping.
            let _ = self.network.relay_transactions(self.relays_transactions).await;
        }
        let is_wanted = |hash: &BlockHash| !self.handed_over.contains(hash) && !self.claims.contains(hash);
        let wanted = missing.blocks.into_iter().filter(|block| is_wanted(&block.hash));
        self.download.retarget(wanted);
        if self.report.since.elapsed() >= REPORT_INTERVAL && self.report.blocks > 0 {
            let tip = self.context.chain.tip();
            info!(height = tip.height, of = missing.target.height, blocks = self.report.blocks, "loading blocks");
            self.report = Report { blocks: 0, since: Instant::now() };
        }
    }

    async fn on_connected(&mut self, connected: Vec<Connected>) {
        let mut failed = Vec::new();
        for Connected { block, from, outcome } in connected {
            self.handed_over.remove(&block.hash);
            match outcome {
                Ok(()) => self.report.blocks += 1,
                Err(error) => {
                    info!(hash = %block.hash, height = block.height, peer = %from, %error, "a peer's block breaks a rule");
                    failed.push((from, error.verdict()));
                }
            }
        }
        self.look.is_due |= !failed.is_empty() || self.download.room() >= MAX_WINDOW / 2;
        for (peer, verdict) in failed {
            // Once is enough, whatever else it sent.
            if self.peers.contains(&peer) && penalty(&Conduct::Block(verdict)).misbehaviour > 0 {
                self.remove_peer(&peer);
                self.download.forget_blocks_of(&peer);
                self.reputation.judge(peer, &Conduct::Block(verdict)).await;
            }
        }
    }
}
