//! Partitions, and links that are slow or break.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Supervisor;
use super::reorganisation::reorganisation_of;
use crate::devnet::control::{Outcome, Reorganisation, Status};
use crate::devnet::links::LinkConditions;
use crate::devnet::{BlockTime, DevnetError};

/// How long nodes may take to agree after a partition.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(30);
/// After that time without agreement it is looked whether both sides have the same work.
const TIE_LIMIT: Duration = Duration::from_secs(2);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long nodes may take to take notice that they are parted.
const PARTING_LIMIT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Parts nodes, until somebody heals it or for some time.
    pub(super) async fn partition(
        &mut self,
        groups: &[Vec<String>],
        seconds: Option<u64>,
    ) -> Result<Outcome, DevnetError> {
        let names: Vec<String> = self.slots.iter().map(|slot| slot.launch.name.clone()).collect();
        self.links.partition(groups, &names)?;
        self.apply_links().await?;
        self.heal_at = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let cut = self.cut_links();
        self.wait_until_parted().await;
        Ok(Outcome::Parted { groups: self.links.groups(), cut, seconds })
    }

    /// Connections of the plan that the partition cuts.
    fn cut_links(&self) -> usize {
        let edges = self.plan.nodes.iter().flat_map(|node| node.peers.iter().map(|peer| (&node.name, peer)));
        edges.filter(|(node, peer)| self.links.is_cut(node, peer)).count()
    }

    /// Waits until no connection is left that is cut. What is told afterwards is then told to one side alone.
    async fn wait_until_parted(&self) {
        let deadline = Instant::now() + PARTING_LIMIT;
        while Instant::now() < deadline {
            let connected = join_all(self.running().map(|(name, rpc)| async move {
                let peers: Vec<Value> = rpc.call("getpeerinfo", json!([])).await.unwrap_or_default();
                let others = peers.iter().filter_map(|peer| self.name_of(peer["peer_id"].as_str()?));
                others.into_iter().any(|other| self.links.is_cut(name, other))
            }));
            if !connected.await.contains(&true) {
                return;
            }
            sleep(INTERVAL).await;
        }
    }

    fn name_of(&self, peer_id: &str) -> Option<&str> {
        let has_id = |p2p: &String| p2p.rsplit_once("/p2p/").is_some_and(|(_, id)| id == peer_id);
        self.slots.iter().find(|slot| slot.p2p.as_ref().is_some_and(has_id)).map(|slot| slot.launch.name.as_str())
    }

    /// Ends the partition, and waits until all agree.
    pub(super) async fn heal(&mut self) -> Result<Outcome, DevnetError> {
        if self.links.groups().is_empty() {
            return Err(DevnetError::Impossible("there is no partition to heal".to_owned()));
        }
        let start = Instant::now();
        let before = self.look().await;
        self.links.heal();
        self.heal_at = None;
        self.apply_links().await?;
        let after = self.wait_for_one_tip().await;
        let reorganisations = self.reorganisations(&before, &after).await;
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (height, tip, agree) =
            after.leading_tip().map(|(height, tip, agree)| (height, tip.to_owned(), agree)).unwrap_or_default();
        let of = self.running().count();
        Ok(Outcome::Healed { height, tip, agree, of, milliseconds, reorganisations })
    }

    /// Ends a partition whose time is over, and tells what became of it.
    pub(super) async fn heal_as_planned(&mut self) {
        self.heal_at = None;
        match self.heal().await {
            Ok(outcome) => self.tell(outcome.to_string()),
            Err(error) => self.tell(format!("the partition cannot be healed: {error}")),
        }
    }

    /// What nodes took back from one look to another.
    pub(super) async fn reorganisations(&self, before: &Status, after: &Status) -> Vec<Reorganisation> {
        let mut found = Vec::new();
        for (node, facts) in before.facts() {
            let changed = after.facts().any(|(other, later)| other.name == node.name && later.tip != facts.tip);
            let Some(rpc) = self.rpc(&node.name).ok().filter(|_| changed) else { continue };
            // What cannot be told is not worth failing for.
            if let Ok(Some(reorganisation)) = reorganisation_of(&node.name, rpc, &facts.tip).await {
                found.push(reorganisation);
            }
        }
        found
    }

    /// Waits until all nodes have one tip. If two sides have the same work, each stays with its own until there is one more block,
    /// which is mined here unless mining is off.
    pub(super) async fn wait_for_one_tip(&mut self) -> Status {
        let start = Instant::now();
        let mode = self.plan.mining;
        let mut is_settled = mode.block_time == BlockTime::Off && !mode.on_transactions;
        loop {
            let status = self.look().await;
            let elapsed = start.elapsed();
            if status.agree || elapsed > AGREEMENT_LIMIT {
                return status;
            }
            if elapsed > TIE_LIMIT {
                if is_settled && self.is_tie().await {
                    return status;
                }
                if !is_settled && self.is_tie().await {
                    if let Some(node) = self.next_miner() {
                        self.mine_here(&node).await;
                    }
                    is_settled = true;
                }
            }
            sleep(INTERVAL).await;
        }
    }

    /// Whether all nodes that run have the same work.
    async fn is_tie(&self) -> bool {
        let works = join_all(self.running().map(|(_, rpc)| async move {
            let info: Option<Value> = rpc.call("getblockchaininfo", json!([])).await.ok();
            info.and_then(|info| Some(info["chainwork"].as_str()?.to_owned()))
        }));
        let works = works.await;
        works.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Decides what the link between two nodes does.
    pub(super) async fn link(
        &mut self,
        one: &str,
        other: &str,
        conditions: LinkConditions,
    ) -> Result<Outcome, DevnetError> {
        conditions.check()?;
        let (first, second) = (self.index(one)?, self.index(other)?);
        if first == second {
            return Err(DevnetError::Impossible(format!("expected two nodes, got {one} twice")));
        }
        self.links.set(one, other, conditions);
        self.apply_links().await?;
        Ok(Outcome::Linked { between: [one.to_owned(), other.to_owned()], conditions })
    }

    /// Tells every node that runs what its links do, as far as it has not been told.
    pub(super) async fn apply_links(&mut self) -> Result<(), DevnetError> {
        let mut wanted = Vec::new();
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.process.is_some()) {
            for other in self.slots.iter().filter(|other| other.launch.name != slot.launch.name) {
                let Some((_, peer)) = other.p2p.as_ref().and_then(|p2p| p2p.rsplit_once("/p2p/")) else { continue };
                let conditions = self.links.told(&slot.launch.name, &other.launch.name);
                let plain = json!({});
                if slot.told.get(peer).unwrap_or(&plain) != &conditions {
                    wanted.push((index, peer.to_owned(), conditions));
                }
            }
        }
        let slots = &self.slots;
        let told = join_all(wanted.iter().map(|(index, peer, conditions)| async move {
            match &slots[*index].process {
                Some(process) => process.rpc.call::<Value>("setlink", json!([peer, conditions])).await.map(drop),
                None => Ok(()),
            }
        }));
        let told = told.await;
        for ((index, peer, conditions), outcome) in wanted.into_iter().zip(told) {
            outcome?;
            self.slots[index].told.insert(peer, conditions);
        }
        Ok(())
    }
}
