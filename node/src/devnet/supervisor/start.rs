//! From a plan to nodes that agree.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use futures::future::{join_all, try_join_all};
use tokio::sync::{mpsc, watch};

use super::{COMMANDS, Slot, Supervisor, SupervisorOptions};
use crate::devnet::DevnetError;
use crate::devnet::attachment::{Attachment, AttachmentFile};
use crate::devnet::chain::Chain;
use crate::devnet::clock::SharedClock;
use crate::devnet::control::{ControlSocket, Status};
use crate::devnet::guard::GuardedProgram;
use crate::devnet::links::Links;
use crate::devnet::mining::MiningSchedule;
use crate::devnet::node_process::NodeLaunch;
use crate::devnet::plan::PlannedNode;
use crate::devnet::ports::{HeldPort, PortDispenser, PortRange, Ports};
use crate::devnet::state_directory::{SavedState, StateDirectory, make_private};
use crate::metrics::export;

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
            Some(_) if is_described => return Err(DevnetError::Described { directory: directory.path().to_owned() }),
            Some(saved) => saved,
            None => SavedState { plan, seconds_ahead: 0 },
        };
        let (plan, clock) = (saved.plan, SharedClock { ahead: saved.seconds_ahead });
        let socket = ControlSocket::bind()?;
        let chain = Chain::prepare(plan.rules, directory.path())?;
        let mut attachment = Attachment::new(&chain, &directory, socket.path(), plan.seed);
        let mut links = Links::default();
        for link in &plan.links {
            links.set(&link.between[0], &link.between[1], link.conditions);
        }
        let attachment_file = AttachmentFile::create(&devnets, name.as_deref(), &mut attachment)?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        // It ends when nobody takes commands any more.
        tokio::spawn(socket.serve(sender));
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
            prometheus_address: None,
        };
        supervisor.start_nodes().await?;
        supervisor.save()?;
        supervisor.publish(true)?;
        if let Some(program) = prometheus {
            supervisor.start_prometheus(&program)?;
        }
        Ok(supervisor)
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

    /// Starts Prometheus, which ends with this.
    fn start_prometheus(&mut self, program: &Path) -> Result<(), DevnetError> {
        let port = Ports::of(PortRange::PROMETHEUS).take()?.number();
        let folder = self.directory.path().join("prometheus");
        let arguments = [
            format!("--config.file={}", self.attachment.prometheus.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        self.prometheus = Some(GuardedProgram::start(program, &arguments, &folder.join("prometheus.log"))?);
        self.prometheus_address = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Ok(())
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
        let folder = self.directory.path().join("prometheus");
        make_private(&folder)?;
        let targets: Vec<String> = self.attachment.nodes.iter().map(|node| node.metrics.to_string()).collect();
        for file in export::files(&targets) {
            let path = folder.join(file.name);
            fs::write(&path, file.content).map_err(DevnetError::file("write", &path))?;
        }
        self.attachment_file.rewrite(&self.attachment)
    }
}
