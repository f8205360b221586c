//! From a plan to nodes that agree.

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::{join_all, try_join_all};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{COMMANDS, Slot, Supervisor, SupervisorOptions};
use crate::devnet::DevnetError;
use crate::devnet::attachment::{Attachment, AttachmentFile};
use crate::devnet::chain::Chain;
use crate::devnet::clock::SharedClock;
use crate::devnet::control::{ControlSocket, Status};
use crate::devnet::links::Links;
use crate::devnet::mining::MiningSchedule;
use crate::devnet::node_process::NodeLaunch;
use crate::devnet::plan::PlannedNode;
use crate::devnet::ports::{HeldPort, PortDispenser};
use crate::devnet::prometheus::{self, Prometheus};
use crate::devnet::state_directory::{SavedState, StateDirectory};

impl Supervisor {
    /// Starts all nodes, mines the first blocks and waits until all agree on them. A devnet with a name that was there before goes
    /// on where it was.
    ///
    /// # Errors
    ///
    /// What keeps it from running; nothing of it runs then.
    pub(crate) async fn start(options: SupervisorOptions) -> Result<Self, DevnetError> {
        let SupervisorOptions { devnets, name, plan, is_described, prometheus, notices } = options;
        let directory = match &name {
            Some(name) => StateDirectory::named(&devnets, name)?,
            None => StateDirectory::temporary()?,
        };
        let saved = match directory.saved()? {
            // One whose first start was interrupted may become what is asked for now.
            Some(saved) if !is_described || saved.has_started => {
                if is_described {
                    return Err(DevnetError::Described { directory: directory.path().to_owned() });
                }
                saved
            }
            _ => SavedState { plan, seconds_ahead: 0, has_started: false },
        };
        let SavedState { plan, seconds_ahead, has_started } = saved;
        let clock = SharedClock { ahead: seconds_ahead };
        let socket = ControlSocket::bind()?;
        let chain = Chain::of(plan.rules, directory.path(), has_started)?;
        let mut attachment = Attachment::new(&chain, &directory, socket.path(), plan.seed);
        let mut links = Links::default();
        for link in &plan.links {
            links.set(&link.between[0], &link.between[1], link.conditions);
        }
        let attachment_file = AttachmentFile::create(&devnets, name.as_deref(), &mut attachment)?;
        // From here on the name is ours. What it is to be is kept before anything is made of it.
        if !has_started {
            directory.begin(&plan, clock)?;
            chain.write_spec()?;
        }
        let (sender, commands) = mpsc::channel(COMMANDS);
        let ending = CancellationToken::new();
        // It ends when nobody takes commands any more.
        tokio::spawn(socket.serve(sender, ending.clone()));
        let mut supervisor = Self {
            schedule: MiningSchedule::new(plan.seed),
            plan,
            chain,
            slots: Vec::new(),
            clock,
            next_block: None,
            links,
            heal_at: None,
            partitions: 0,
            healed: BTreeMap::new(),
            commands,
            status: watch::Sender::new(Status::default()),
            notices,
            attachment,
            attachment_file,
            directory,
            prometheus: None,
            ending: ending.clone(),
        };
        let is_temporary = supervisor.directory.is_temporary();
        let started = tokio::select! {
            started = supervisor.start_all(prometheus.as_deref()) => started,
            () = ending.cancelled() => Err(DevnetError::Impossible("it was told to end before it had started".to_owned())),
        };
        started.map_err(|error| if is_temporary { error.without_data() } else { error })?;
        Ok(supervisor)
    }

    async fn start_all(&mut self, prometheus: Option<&Path>) -> Result<(), DevnetError> {
        self.start_nodes().await?;
        self.save()?;
        if let Some(program) = prometheus {
            self.publish(false)?;
            let configuration = &self.attachment.prometheus;
            let folder = configuration.parent().unwrap_or(configuration);
            self.prometheus = Some(Prometheus::start(program, configuration, folder).await?);
        }
        self.publish(true)
    }

    async fn start_nodes(&mut self) -> Result<(), DevnetError> {
        let mut ports = PortDispenser::new();
        let mut waiting = Vec::new();
        for node in &self.plan.nodes {
            waiting.push(self.prepare(node, &mut ports)?);
        }
        let mut first = true;
        let starting = waiting.into_iter().map(|(mut launch, held)| {
            let has_first_blocks = std::mem::take(&mut first);
            let (spacing, clock) = (self.plan.spacing(), self.clock);
            async move {
                let process = launch.start(Some(held)).await?;
                if has_first_blocks {
                    super::pre_mine::pre_mine(&process.rpc, spacing, clock).await?;
                }
                Ok::<_, DevnetError>(Slot::new(launch, process))
            }
        });
        self.slots = try_join_all(starting).await?;
        self.keep_time().await;
        // Before anybody connects.
        self.apply_links().await?;
        let names: Vec<String> = self.plan.nodes.iter().map(|node| node.name.clone()).collect();
        try_join_all(names.iter().map(|name| self.dial_peers_of(name))).await?;
        self.wait_for_first_agreement().await
    }

    /// A node that may be started, and what holds its ports until then.
    pub(super) fn prepare(
        &self,
        node: &PlannedNode,
        ports: &mut PortDispenser,
    ) -> Result<(NodeLaunch, [HeldPort; 3]), DevnetError> {
        self.directory.prepare_node(&node.name, &self.chain.network, self.plan.seed)?;
        let (ports, held) = ports.take()?;
        let launch = NodeLaunch {
            name: node.name.clone(),
            datadir: self.directory.node(&node.name),
            log: self.directory.log(&node.name),
            chain: self.chain.clone(),
            ports,
        };
        Ok((launch, held))
    }

    /// Waits until all have the tip of the one with the longest chain, as far as they are connected.
    async fn wait_for_first_agreement(&self) -> Result<(), DevnetError> {
        let tips = join_all(self.running().map(|(name, rpc)| async move {
            let (height, tip) = super::blocks::tip_of(rpc).await?;
            Ok::<_, DevnetError>((height, tip, name))
        }));
        let tips: Vec<_> = tips.await.into_iter().collect::<Result<_, _>>()?;
        let Some((height, tip, with)) = tips.iter().max() else { return Ok(()) };
        let (agree, of, _) = self.wait_for_agreement(with, tip).await;
        if agree < of && of > 1 {
            self.tell(format!("{agree} of {of} nodes have block {height} so far; the others follow"));
        }
        Ok(())
    }

    /// Tells other programs what there is: where nodes are, and what Prometheus is to watch.
    pub(super) fn publish(&mut self, ready: bool) -> Result<(), DevnetError> {
        self.attachment.ready = ready;
        self.attachment.nodes = self.slots.iter().map(Slot::attached).collect();
        let targets: Vec<String> = self.attachment.nodes.iter().map(|node| node.metrics.to_string()).collect();
        prometheus::configure(&self.directory.path().join("prometheus"), &targets)?;
        self.attachment_file.rewrite(&self.attachment)
    }
}
