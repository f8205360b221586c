//! A devnet that runs: its nodes, and whoever decides about them.
//!
//! Everything happens on one task, one thing after the other: what is asked, blocks that are due, nodes that ended.
//!
//! | file | holds |
//! |---|---|
//! | `start` | from a plan to nodes that agree |
//! | `pre_mine` | the first blocks, and whom they pay |
//! | `blocks` | mining |
//! | `nodes` | nodes that are ended, started again and added; how they are wired |
//! | `faucet` | payments |
//! | `faults` | partitions, and links that are slow or break |
//! | `reorg`, `reorganisation` | branches that take the place of others, and what is told of them |
//! | `look` | how it stands |

mod blocks;
mod faucet;
mod faults;
mod look;
mod nodes;
mod pre_mine;
mod reorg;
mod reorganisation;
mod start;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::attachment::{Attachment, AttachmentFile};
use super::chain::Chain;
use super::clock::SharedClock;
use super::control::{Command, Outcome, Request, Status};
use super::links::Links;
use super::mining::MiningSchedule;
use super::node_process::{NodeEnd, NodeLaunch, NodeProcess};
use super::plan::Plan;
use super::prometheus::Prometheus;
use super::state_directory::StateDirectory;
use super::{DevnetError, MiningMode};

/// Time between two looks at all nodes.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How far a clock that is ahead may fall behind before nodes are told again.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);
/// Commands that wait.
const COMMANDS: usize = 16;

/// What a devnet is started with.
#[derive(Debug)]
pub(crate) struct SupervisorOptions {
    /// The folder of all devnets.
    pub(crate) devnets: PathBuf,
    /// Its name; without, its data go when it ends.
    pub(crate) name: Option<String>,
    /// What it is made of, unless it was there before.
    pub(crate) plan: Plan,
    /// Whether somebody said what it is made of, so that another one will not do.
    pub(crate) is_described: bool,
    /// Prometheus, to be started too.
    pub(crate) prometheus: Option<PathBuf>,
    /// Takes what happens; what it has no room for is not told.
    pub(crate) notices: mpsc::Sender<Notice>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice(pub(crate) String);

/// A node and what is known about it, whether it runs or not.
#[derive(Debug)]
struct Slot {
    launch: NodeLaunch,
    process: Option<NodeProcess>,
    /// Where peers connect, with its peer id; nothing before it ran.
    p2p: Option<String>,
    /// What the process was told of its links, by peer id; nothing where it is not known what it has heard.
    told: BTreeMap<String, Option<Value>>,
    /// The block that it was told to take for invalid while it mines a branch of its own.
    forbidden: Option<String>,
}

/// A devnet that runs.
#[derive(Debug)]
pub(crate) struct Supervisor {
    plan: Plan,
    chain: Chain,
    slots: Vec<Slot>,
    clock: SharedClock,
    schedule: MiningSchedule,
    /// When a block is due.
    next_block: Option<Instant>,
    links: Links,
    /// When the partition ends by itself.
    heal_at: Option<Instant>,
    /// Partitions so far.
    partitions: u64,
    /// What became of the newest of those that ended, by their numbers.
    healed: BTreeMap<u64, Outcome>,
    commands: mpsc::Receiver<Command>,
    status: watch::Sender<Status>,
    notices: mpsc::Sender<Notice>,
    attachment: Attachment,
    prometheus: Option<Prometheus>,
    /// Says that somebody asked it to end.
    ending: CancellationToken,
    directory: StateDirectory,
    /// Last, so that nothing is left when nobody is told of it any more.
    attachment_file: AttachmentFile,
}

impl Supervisor {
    /// Where it can be found.
    pub(crate) fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Where Prometheus is, if it runs.
    pub(crate) fn prometheus_address(&self) -> Option<SocketAddr> {
        self.prometheus.as_ref().map(|prometheus| prometheus.address)
    }

    /// What it is made of.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it stands, as of the last look.
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Does what is due and what is asked, until it is to end. Then it stops all nodes in order. How those ended that still ran, by
    /// name.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Vec<(String, NodeEnd)> {
        let ending = self.ending.clone();
        self.plan_next_block(None);
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut clock_ticks = interval(CLOCK_INTERVAL);
        clock_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (due, heal_at) = (self.next_block, self.heal_at);
            let turn = async {
                tokio::select! {
                    command = self.commands.recv() => match command {
                        Some(Command { request, reply }) => {
                            let outcome = self.handle(request).await;
                            // Whoever hung up does not want to know.
                            let _ = reply.send(outcome);
                        }
                        // The socket ended.
                        None => return false,
                    },
                    () = until(due) => self.mine_what_is_due(due).await,
                    () = until(heal_at) => self.heal_as_planned().await,
                    _ = looks.tick() => self.look_around().await,
                    _ = clock_ticks.tick() => self.keep_time().await,
                }
                true
            };
            let goes_on = tokio::select! {
                () = shutdown.cancelled() => false,
                () = ending.cancelled() => false,
                goes_on = turn => goes_on,
            };
            if !goes_on {
                return self.stop().await;
            }
        }
    }

    async fn handle(&mut self, request: Request) -> Result<Outcome, DevnetError> {
        match request {
            Request::Status => Ok(Outcome::Status(self.look().await)),
            Request::Mine { blocks, node, to } => self.mine(blocks, node, to.as_deref()).await.map(Outcome::Mined),
            Request::Mining { block_time, on_transactions } => {
                let MiningMode { block_time: old_time, on_transactions: old_on } = self.plan.mining;
                self.plan.mining = MiningMode {
                    block_time: block_time.unwrap_or(old_time),
                    on_transactions: on_transactions.unwrap_or(old_on),
                };
                if block_time.is_some() {
                    self.plan_next_block(None);
                }
                self.save()?;
                Ok(Outcome::Mining(self.plan.mining))
            }
            Request::Faucet { to, amount, mine } => self.faucet(&to, amount.0, mine).await,
            Request::Partition { groups, seconds } => self.partition(&groups, seconds).await,
            Request::Heal { number } => self.heal(number).await,
            Request::Link { between: [one, other], conditions } => {
                let outcome = self.link(&one, &other, conditions).await?;
                self.plan.set_link([one, other], conditions);
                self.save()?;
                Ok(outcome)
            }
            Request::Reorg { depth, node, double_spend } => self.reorg(depth, node, double_spend.as_deref()).await,
            Request::Kill { node } => self.kill(&node).await,
            Request::Restart { node } => self.restart(&node).await,
            Request::Add { node, peers } => self.add(node, peers).await,
            Request::Time { seconds } => self.move_clock(Duration::from_secs(seconds)).await,
            // The socket's side has said it already.
            Request::Down => Ok(Outcome::Ending),
        }
    }

    /// Tells whoever watches. If there is no room, there is much to be seen already.
    fn tell(&self, what: String) {
        let _ = self.notices.try_send(Notice(what));
    }

    fn save(&self) -> Result<(), DevnetError> {
        self.directory.save(&self.plan, self.clock)
    }

    async fn stop(mut self) -> Vec<(String, NodeEnd)> {
        if let Some(prometheus) = self.prometheus.take() {
            prometheus.stop().await;
        }
        let running = self.slots.iter_mut().filter_map(|slot| Some((slot.launch.name.clone(), slot.process.take()?)));
        let stopping = running.map(|(name, process)| async move { (name, process.stop().await) });
        let ended = join_all(stopping).await;
        // The clock may have moved since it was written last.
        let _ = self.save();
        ended
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
