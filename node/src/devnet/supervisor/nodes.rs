//! Nodes that are ended, started again and added, and how they are wired.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Slot, Supervisor};
use crate::devnet::DevnetError;
use crate::devnet::attachment::AttachedNode;
use crate::devnet::control::Outcome;
use crate::devnet::node_process::{NodeLaunch, NodeProcess};
use crate::devnet::node_rpc::NodeRpc;
use crate::devnet::own_program::own_program;
use crate::devnet::ports::PortDispenser;
use crate::devnet::prometheus::Prometheus;
use crate::rpc::COOKIE_FILE;

/// JSON-RPC's error of a node that was added already (Core: `RPC_CLIENT_NODE_ALREADY_ADDED`).
const ALREADY_ADDED: i64 = -23;

impl Slot {
    /// A node that runs.
    pub(super) fn new(launch: NodeLaunch, process: NodeProcess) -> Self {
        let mut slot = Self { launch, process: None, p2p: None, told: BTreeMap::new(), forbidden: None };
        slot.runs(process);
        slot
    }

    /// It runs, and nobody has told it anything yet.
    fn runs(&mut self, process: NodeProcess) {
        self.p2p = Some(process.p2p.clone());
        self.process = Some(process);
        self.told.clear();
        self.forbidden = None;
    }

    /// The node, for other programs.
    pub(super) fn attached(&self) -> AttachedNode {
        let launch = &self.launch;
        let local = |port| std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
        AttachedNode {
            name: launch.name.clone(),
            pid: self.process.as_ref().map(|process| process.pid),
            rpc: local(launch.ports.rpc),
            metrics: local(launch.ports.metrics),
            p2p: self.p2p.clone(),
            datadir: launch.datadir.clone(),
            cookie: launch.datadir.join(&launch.chain.network).join(COOKIE_FILE),
            log: launch.log.clone(),
        }
    }
}

impl Supervisor {
    /// Nodes that run, and the way to ask them.
    pub(super) fn running(&self) -> impl Iterator<Item = (&str, &NodeRpc)> {
        self.slots.iter().filter_map(|slot| Some((slot.launch.name.as_str(), &slot.process.as_ref()?.rpc)))
    }

    /// The way to ask a node.
    pub(super) fn rpc(&self, name: &str) -> Result<&NodeRpc, DevnetError> {
        let process = self.slots[self.index(name)?].process.as_ref();
        process.map(|process| &process.rpc).ok_or_else(|| {
            let advice = format!("node {name} does not run; 'cairn devnet restart {name}' starts it");
            DevnetError::Impossible(advice)
        })
    }

    pub(super) fn index(&self, name: &str) -> Result<usize, DevnetError> {
        let found = self.slots.iter().position(|slot| slot.launch.name == name);
        found.ok_or_else(|| DevnetError::Node {
            problem: format!("there is no node {name}"),
            known: self.slots.iter().map(|slot| slot.launch.name.clone()).collect(),
        })
    }

    fn p2p(&self, name: &str) -> Option<&str> {
        self.slots.iter().find(|slot| slot.launch.name == name)?.p2p.as_deref()
    }

    /// Has a node connect with the peers that the plan names for it, and stay connected.
    pub(super) async fn dial_peers_of(&self, name: &str) -> Result<(), DevnetError> {
        let Some(node) = self.plan.nodes.iter().find(|node| node.name == name) else { return Ok(()) };
        for address in node.peers.iter().filter_map(|peer| self.p2p(peer)) {
            add_node(self.rpc(name)?, address, "add").await?;
        }
        Ok(())
    }

    /// Has those connect at once whose peer a node is, instead of when they try again.
    async fn dial_from_others(&self, name: &str) {
        let Some(address) = self.p2p(name) else { return };
        for node in self.plan.nodes.iter().filter(|node| node.peers.iter().any(|peer| peer == name)) {
            if let Ok(rpc) = self.rpc(&node.name) {
                // Where it was first, it may not be any more. They try again by themselves if this fails.
                let _ = add_node(rpc, address, "add").await;
                let _ = add_node(rpc, address, "onetry").await;
            }
        }
    }

    pub(super) async fn kill(&mut self, name: &str) -> Result<Outcome, DevnetError> {
        self.rpc(name)?;
        let index = self.index(name)?;
        if let Some(process) = self.slots[index].process.take() {
            process.kill().await;
        }
        self.publish(true)?;
        Ok(Outcome::Killed { node: name.to_owned() })
    }

    pub(super) async fn restart(&mut self, name: &str) -> Result<Outcome, DevnetError> {
        let start = Instant::now();
        let index = self.index(name)?;
        // A node that cannot be started again is better left running.
        own_program()?;
        if let Some(process) = self.slots[index].process.take() {
            process.stop().await;
        }
        let slot = &mut self.slots[index];
        let process = slot.launch.start(None).await?;
        slot.runs(process);
        self.welcome(name).await?;
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Outcome::Restarted { node: name.to_owned(), milliseconds })
    }

    pub(super) async fn add(
        &mut self,
        name: Option<String>,
        peers: Option<Vec<String>>,
    ) -> Result<Outcome, DevnetError> {
        if !self.links.groups().is_empty() {
            // On which side it is, nobody has said, and on none it would join all.
            let advice = "nodes are parted; 'cairn devnet heal' joins them, and then one more can be added";
            return Err(DevnetError::Impossible(advice.to_owned()));
        }
        let name = name.unwrap_or_else(|| self.plan.free_name());
        let node = self.plan.add(&name, peers)?;
        let started = async {
            let (mut launch, held) = self.prepare(&node, &mut PortDispenser::new())?;
            let process = launch.start(Some(held)).await?;
            Ok::<_, DevnetError>(Slot::new(launch, process))
        };
        let slot = match started.await {
            Ok(slot) => slot,
            Err(error) => {
                self.plan.nodes.pop();
                return Err(error);
            }
        };
        let rpc = slot.attached().rpc;
        self.slots.push(slot);
        self.save()?;
        self.welcome(&name).await?;
        Ok(Outcome::Added { node: name, rpc, peers: node.peers })
    }

    /// Tells a node that was just started what it must know, and others of it.
    async fn welcome(&mut self, name: &str) -> Result<(), DevnetError> {
        self.keep_time().await;
        // Before anybody connects. If another node does not hear it, this one runs nevertheless.
        let told = self.apply_links().await;
        self.dial_peers_of(name).await?;
        self.dial_from_others(name).await;
        self.publish(true)?;
        told
    }

    /// Notices nodes that ended by themselves.
    pub(super) fn notice_ended(&mut self) {
        let mut ended = Vec::new();
        for slot in &mut self.slots {
            if let Some(status) = slot.process.as_mut().and_then(NodeProcess::ended) {
                slot.process = None;
                ended.push(format!("{} ended ({status}); its log is {}", slot.launch.name, slot.launch.log.display()));
            }
        }
        if let Some(what) = self.prometheus.as_mut().and_then(Prometheus::ended) {
            self.prometheus = None;
            self.tell(what);
        }
        if ended.is_empty() {
            return;
        }
        for what in ended {
            self.tell(what);
        }
        if let Err(error) = self.publish(true) {
            self.tell(error.to_string());
        }
    }
}

async fn add_node(rpc: &NodeRpc, address: &str, command: &str) -> Result<(), DevnetError> {
    match rpc.call::<Value>("addnode", json!([address, command])).await {
        Err(DevnetError::Refused { code: ALREADY_ADDED, .. }) => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}
