//! Mining: blocks that are due, and blocks that are asked for.

use std::time::Duration;

use bitcoin::Address;
use bitcoin::Network;
use bitcoin::address::NetworkUnchecked;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Supervisor;
use crate::devnet::control::{Mined, Outcome};
use crate::devnet::node_rpc::NodeRpc;
use crate::devnet::{DevnetError, accounts};

/// Most blocks that are mined at once.
const MAX_BLOCKS: u32 = 100_000;
/// Blocks of one call: between two of them the clock may follow.
const BLOCKS_PER_CALL: u32 = 100;
/// Hashes of the newest blocks that are told: of all, an answer would grow without bound.
const MAX_HASHES: usize = 1000;
/// Hashes that may be tried for one call; Core's limit of a million would often not do.
const MAX_TRIES: i32 = i32::MAX;
/// How long one call may take.
const CALL_LIMIT: Duration = Duration::from_secs(5 * 60);
/// How long a node may take to be told the time.
const CLOCK_LIMIT: Duration = Duration::from_secs(10);
/// How long a command waits until all nodes have what was mined.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(10);

/// Height and hash of a node's tip.
pub(super) async fn tip_of(rpc: &NodeRpc) -> Result<(u32, String), DevnetError> {
    let info: Value = rpc.call("getblockchaininfo", json!([])).await?;
    let height = info["blocks"].as_u64().and_then(|height| u32::try_from(height).ok()).unwrap_or_default();
    Ok((height, info["bestblockhash"].as_str().unwrap_or_default().to_owned()))
}

impl Supervisor {
    /// Mines blocks on one node, and waits until the others have them.
    pub(super) async fn mine(
        &mut self,
        blocks: u32,
        node: Option<String>,
        to: Option<&str>,
    ) -> Result<Mined, DevnetError> {
        if !(1..=MAX_BLOCKS).contains(&blocks) {
            return Err(DevnetError::Impossible(format!("expected 1 to {MAX_BLOCKS} blocks, got {blocks}")));
        }
        let node = match node {
            Some(node) => node,
            None => self.next_miner().ok_or_else(|| DevnetError::Impossible("no node runs that mines".to_owned()))?,
        };
        self.rpc(&node)?;
        let address = match to {
            Some(to) => self.address(to)?,
            None => accounts().of_node(&node).address.to_string(),
        };
        let mut hashes = Vec::new();
        let mut left = blocks;
        while left > 0 {
            let count = left.min(BLOCKS_PER_CALL);
            hashes.extend(self.mine_on(&node, count, &address).await?);
            hashes.drain(..hashes.len().saturating_sub(MAX_HASHES));
            left -= count;
        }
        let (height, tip) = tip_of(self.rpc(&node)?).await?;
        let (agree, of, took) = self.wait_for_agreement(&node, &tip).await;
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Ok(Mined { node, blocks, hashes, height, agree, of, milliseconds })
    }

    /// Mines blocks on one node. If they would come so early that they are hard to find, or that nodes refuse them, the clock of all
    /// nodes moves first.
    async fn mine_on(&mut self, node: &str, count: u32, address: &str) -> Result<Vec<String>, DevnetError> {
        let rpc = self.rpc(node)?;
        let advance = match self.chain.pace {
            Some(pace) => {
                let info: Value = rpc.call("getmininginfo", json!([])).await?;
                pace.advance_for(count, info["next"]["difficulty"].as_f64().unwrap_or_default())
            }
            None => {
                let info: Value = rpc.call("getblockchaininfo", json!([])).await?;
                self.clock.advance_for(count, info["mediantime"].as_u64().unwrap_or_default())
            }
        };
        if !advance.is_zero() {
            self.clock.advance(advance)?;
            self.keep_time().await;
            self.save()?;
        }
        let rpc = self.rpc(node)?;
        let mut hashes: Vec<String> = Vec::new();
        while hashes.len() < usize::try_from(count).unwrap_or(usize::MAX) {
            let left = count - u32::try_from(hashes.len()).unwrap_or(count);
            let mined: Vec<String> =
                rpc.call_within(CALL_LIMIT, "generatetoaddress", json!([left, address, MAX_TRIES])).await?;
            hashes.extend(mined);
        }
        Ok(hashes)
    }

    /// An address, which may be given as the name of an account after an @.
    pub(super) fn address(&self, text: &str) -> Result<String, DevnetError> {
        if let Some(name) = text.strip_prefix('@') {
            let account = accounts().by_name(name);
            return account.map(|account| account.address.to_string()).ok_or_else(|| {
                let names: Vec<_> = accounts().all().iter().map(|account| account.name).collect();
                DevnetError::Impossible(format!("there is no account {name}; accounts are {}", names.join(", ")))
            });
        }
        let such = format!("such as {}", accounts().faucet().address);
        match text.parse::<Address<NetworkUnchecked>>() {
            Ok(address) if address.is_valid_for_network(Network::Regtest) => Ok(address.assume_checked().to_string()),
            Ok(_) => Err(DevnetError::Impossible(format!(
                "{text} is an address of another network; those of a devnet are {such}"
            ))),
            Err(_) => Err(DevnetError::Impossible(format!(
                "expected an address, {such}, @NAME of an account, or the name of a wallet in this devnet, got {text:?}"
            ))),
        }
    }

    /// Whose turn it is.
    pub(super) fn next_miner(&mut self) -> Option<String> {
        let mines = |name: &str| self.plan.nodes.iter().any(|node| node.name == name && node.mines);
        let candidates: Vec<String> =
            self.running().map(|(name, _)| name.to_owned()).filter(|name| mines(name)).collect();
        self.schedule.choose(&candidates)
    }

    /// Mines a block that is due.
    pub(super) async fn mine_what_is_due(&mut self, due: Option<Instant>) {
        if let Some(node) = self.next_miner() {
            self.mine_here(&node).await;
        }
        self.plan_next_block(due);
    }

    /// Has a node mine a block for its own account, and tells what becomes of it.
    pub(super) async fn mine_here(&mut self, node: &str) {
        let address = accounts().of_node(node).address.to_string();
        match self.mine_on(node, 1, &address).await {
            Ok(hashes) => {
                let hash = hashes.first().map(|hash| crate::devnet::control::short(hash)).unwrap_or_default();
                self.tell(format!("{node} mined {hash}"));
            }
            Err(error) => self.tell(format!("no block was mined: {error}")),
        }
    }

    /// Waits until others have what a node mined.
    pub(super) async fn wait_for_others(&self, node: &str) {
        let Ok(rpc) = self.rpc(node) else { return };
        if let Ok((_, tip)) = tip_of(rpc).await {
            self.wait_for_agreement(node, &tip).await;
        }
    }

    /// Decides when the next block is due, counted from when the last one was, so that delays do not add up.
    pub(super) fn plan_next_block(&mut self, last: Option<Instant>) {
        let now = Instant::now();
        let interval = self.schedule.interval(self.plan.mining.block_time);
        // After a long command blocks are not made up for.
        let due = interval.and_then(|interval| last.unwrap_or(now).checked_add(interval));
        self.next_block = due.map(|due| due.max(now));
    }

    /// Waits until all nodes that a partition does not keep from one of them have its tip. How many have it, how many there are, and
    /// how long that took.
    pub(super) async fn wait_for_agreement(&self, with: &str, tip: &str) -> (usize, usize, Duration) {
        let start = Instant::now();
        let limit = u64::try_from(AGREEMENT_LIMIT.as_millis()).unwrap_or(u64::MAX);
        let reachable = self.running().filter(|(name, _)| !self.links.is_cut(with, name));
        let waits = reachable.map(|(_, rpc)| async move {
            let reached: Result<Value, _> = rpc.call("waitforblock", json!([tip, limit])).await;
            reached.is_ok_and(|reached| reached["hash"].as_str() == Some(tip))
        });
        let reached = join_all(waits).await;
        (reached.iter().filter(|reached| **reached).count(), reached.len(), start.elapsed())
    }

    /// Tells all nodes what the time is, if it is not the system's. Who does not hear it now does so the next time.
    pub(super) async fn keep_time(&mut self) {
        let _ = self.tell_time().await;
    }

    async fn tell_time(&mut self) -> Result<(), DevnetError> {
        if self.clock.ahead == 0 {
            return Ok(());
        }
        let time = json!([self.clock.mock_time()]);
        let told = join_all(self.running().map(|(name, rpc)| {
            let told = rpc.call_within::<Value>(CLOCK_LIMIT, "setmocktime", time.clone());
            async move { (name.to_owned(), told.await) }
        }));
        let told = told.await;
        // One that has ended meanwhile has no time.
        self.notice_ended();
        for (name, outcome) in told {
            if self.rpc(&name).is_ok() {
                outcome?;
            }
        }
        Ok(())
    }

    /// Moves the clock of all nodes.
    pub(super) async fn move_clock(&mut self, by: Duration) -> Result<Outcome, DevnetError> {
        if !by.is_zero() {
            self.clock.advance(by)?;
            let told = self.tell_time().await;
            self.save()?;
            told?;
        }
        let status = self.look().await;
        let median_time = status.facts().map(|(_, facts)| facts.median_time).max().unwrap_or_default();
        Ok(Outcome::Time { now: self.clock.now(), ahead: self.clock.ahead, median_time })
    }
}
