//! Partitions, and links that are slow or break.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::reorganisation::reorganisation_of;
use super::{Slot, Supervisor};
use crate::devnet::control::{Outcome, Reorganisation, Status};
use crate::devnet::links::{LinkConditions, Links, partition_time};
use crate::devnet::node_rpc::RpcCall;
use crate::devnet::{BlockTime, DevnetError};

/// How long nodes may take to agree after a partition.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(30);
/// After that time without agreement it is looked whether both sides have the same work.
const TIE_LIMIT: Duration = Duration::from_secs(2);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long a node may take to be told what its links do.
const LINK_LIMIT: Duration = Duration::from_secs(10);
/// Partitions whose ends are remembered, for those that ask for them late.
const REMEMBERED: usize = 16;
/// How long nodes may take to take notice that they are parted.
const PARTING_LIMIT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Parts nodes, until somebody heals it or for some time.
    pub(super) async fn partition(
        &mut self,
        groups: &[Vec<String>],
        seconds: Option<u64>,
    ) -> Result<Outcome, DevnetError> {
        let time = partition_time(seconds)?;
        if let Some(heal_at) = self.heal_at.filter(|_| !self.links.groups().is_empty()) {
            let left = heal_at.saturating_duration_since(Instant::now()).as_secs() + 1;
            return Err(DevnetError::Impossible(format!(
                "nodes are parted already, for {left} s more; 'cairn devnet heal' joins them before that"
            )));
        }
        let names: Vec<String> = self.slots.iter().map(|slot| slot.launch.name.clone()).collect();
        let mut links = self.links.clone();
        links.partition(groups, &names)?;
        self.change_links(links).await?;
        self.heal_at = time.and_then(|time| Instant::now().checked_add(time));
        self.partitions += 1;
        let cut = self.cut_links();
        self.wait_until_parted().await;
        Ok(Outcome::Parted { number: self.partitions, groups: self.links.groups(), cut, seconds })
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
                let peers = rpc.call_within(PARTING_LIMIT, "getpeerinfo", json!([])).await;
                let peers: Vec<Value> = peers.unwrap_or_default();
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

    /// Ends the partition, and waits until all agree. Of one with another number, which is over, it is told what became of it.
    pub(super) async fn heal(&mut self, number: Option<u64>) -> Result<Outcome, DevnetError> {
        let is_over = self.links.groups().is_empty();
        if let Some(number) = number.filter(|number| is_over || *number != self.partitions) {
            return Ok(self.healed.get(&number).cloned().unwrap_or(Outcome::NotParted));
        }
        if is_over {
            return Ok(Outcome::NotParted);
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
        let outcome = Outcome::Healed { height, tip, agree, of, milliseconds, reorganisations };
        self.healed.insert(self.partitions, outcome.clone());
        if self.healed.len() > REMEMBERED {
            self.healed.pop_first();
        }
        Ok(outcome)
    }

    /// Ends a partition whose time is over, and tells what became of it.
    pub(super) async fn heal_as_planned(&mut self) {
        self.heal_at = None;
        match self.heal(None).await {
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
        let mut links = self.links.clone();
        links.set(one, other, conditions);
        self.change_links(links).await?;
        Ok(Outcome::Linked { between: [one.to_owned(), other.to_owned()], conditions })
    }

    /// Puts other links in the place of those that there are. If a node does not take them, all is as it was; what that node does is
    /// not known before it answers again, and then it is told.
    async fn change_links(&mut self, links: Links) -> Result<(), DevnetError> {
        let before = std::mem::replace(&mut self.links, links);
        let failed = self.tell_links(|_| true).await;
        if failed.is_empty() {
            return Ok(());
        }
        self.links = before;
        // Who was silent once is not waited for a second time.
        self.tell_links(|name| !failed.iter().any(|(failed, _)| failed == name)).await;
        first(failed, "all links stay as they were")
    }

    /// Tells every node that runs what its links do, as far as it has not been told.
    pub(super) async fn apply_links(&mut self) -> Result<(), DevnetError> {
        let failed = self.tell_links(|_| true).await;
        first(failed, "it is told as soon as it answers")
    }

    /// Tells nodes what their links do, as far as they have not been told. Who does not take it, and why.
    pub(super) async fn tell_links(&mut self, is_meant: impl Fn(&str) -> bool) -> Vec<(String, DevnetError)> {
        self.notice_ended();
        let mut wanted = Vec::new();
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| is_meant(&slot.launch.name)) {
            let Some(process) = &slot.process else { continue };
            let untold = self.untold(slot);
            if !untold.is_empty() {
                wanted.push((index, process.rpc.clone(), untold));
            }
        }
        let told = join_all(wanted.iter().map(|(_, rpc, untold)| async move {
            let call = |(peer, conditions): &(String, Value)| -> RpcCall { ("setlink", json!([peer, conditions])) };
            rpc.batch(LINK_LIMIT, &untold.iter().map(call).collect::<Vec<_>>()).await
        }));
        let told = told.await;
        if told.iter().any(Result::is_err) {
            // A process that ends is gone a moment later than its socket.
            sleep(INTERVAL).await;
        }
        // What has ended meanwhile has no links, and hears of all when it starts.
        self.notice_ended();
        let mut failed = Vec::new();
        for ((index, _, untold), outcome) in wanted.into_iter().zip(told) {
            let slot = &mut self.slots[index];
            // One that did not answer may have done it, or does it later.
            let is_told = outcome.is_ok();
            slot.told.extend(untold.into_iter().map(|(peer, conditions)| (peer, is_told.then_some(conditions))));
            if let Err(error) = outcome
                && slot.process.is_some()
            {
                failed.push((slot.launch.name.clone(), error));
            }
        }
        failed
    }

    /// What a node is to be told of its links, by peer id.
    fn untold(&self, slot: &Slot) -> Vec<(String, Value)> {
        let plain = Some(json!({}));
        let others = self.slots.iter().filter(|other| other.launch.name != slot.launch.name);
        let all = others.filter_map(|other| {
            let (_, peer) = other.p2p.as_ref()?.rsplit_once("/p2p/")?;
            Some((peer.to_owned(), self.links.told(&slot.launch.name, &other.launch.name)))
        });
        all.filter(|(peer, conditions)| slot.told.get(peer).unwrap_or(&plain).as_ref() != Some(conditions)).collect()
    }
}

/// The first of those that did not take what they were told, and what that means for the others.
fn first(failed: Vec<(String, DevnetError)>, consequence: &str) -> Result<(), DevnetError> {
    match failed.into_iter().next() {
        Some((_, error)) => Err(DevnetError::Impossible(format!("{error}; {consequence}"))),
        None => Ok(()),
    }
}
