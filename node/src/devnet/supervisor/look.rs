//! How it stands.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Slot, Supervisor};
use crate::devnet::DevnetError;
use crate::devnet::control::{NodeFacts, NodeStatus, Status};

/// How long a look may take: a node that is busy is not worth waiting for.
const LIMIT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Looks at all nodes, tells those who watch, and does what follows from it.
    pub(super) async fn look_around(&mut self) {
        self.notice_ended();
        let status = self.look().await;
        self.catch_up(&status).await;
        if self.plan.mining.on_transactions {
            let with_transactions = status.facts().find(|(_, facts)| facts.mempool > 0);
            if let Some(node) = with_transactions.map(|(node, _)| node.name.clone()) {
                self.mine_here(&node).await;
                // Until the others have it, they would have the same transactions mined again.
                self.wait_for_others(&node).await;
            }
        }
        self.status.send_replace(status);
    }

    /// How it stands now.
    pub(super) async fn look(&self) -> Status {
        let nodes = join_all(self.slots.iter().map(look_at)).await;
        let mut status = Status {
            name: self.attachment.name.clone(),
            network: self.chain.network.clone(),
            mining: Some(self.plan.mining),
            next_block: self.next_block.map(|due| {
                let left = due.saturating_duration_since(Instant::now());
                u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
            }),
            seconds_ahead: self.clock.ahead,
            agree: false,
            nodes,
        };
        let running = status.nodes.iter().filter(|node| node.pid.is_some()).count();
        status.agree = status.leading_tip().is_some_and(|(_, _, count)| count == running);
        status
    }
}

async fn look_at(slot: &Slot) -> NodeStatus {
    let mut status =
        NodeStatus { name: slot.launch.name.clone(), rpc_port: slot.launch.ports.rpc, ..NodeStatus::default() };
    let Some(process) = &slot.process else { return status };
    status.pid = Some(process.pid);
    let methods = ["getblockchaininfo", "getconnectioncount", "getmempoolinfo"].map(|method| (method, json!([])));
    match process.rpc.batch(LIMIT, &methods).await {
        Ok(results) => status.facts = facts(&results),
        Err(error) => status.problem = Some(problem(error)),
    }
    status
}

fn problem(error: DevnetError) -> String {
    match error {
        DevnetError::Unanswered { .. } => "does not answer".to_owned(),
        error => error.to_string(),
    }
}

fn facts(results: &[Value]) -> Option<NodeFacts> {
    let [chain, peers, mempool] = results else { return None };
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    Some(NodeFacts {
        height: number(&chain["blocks"])?,
        tip: chain["bestblockhash"].as_str()?.to_owned(),
        median_time: chain["mediantime"].as_u64()?,
        peers: number(peers)?,
        mempool: number(&mempool["size"])?,
    })
}
