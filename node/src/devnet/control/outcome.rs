//! What became of what was asked.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bitcoin::Amount;
use serde::{Deserialize, Serialize};

use super::reorganisation::Reorganisation;
use crate::devnet::coins::Coins;
use crate::devnet::duration::show_duration;
use crate::devnet::links::LinkConditions;
use crate::devnet::mining::MiningMode;

/// What became of what was asked. Shown, it is what commands print.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// How it stands.
    Status(Status),
    /// Blocks were mined.
    Mined(Mined),
    /// When blocks are mined.
    Mining(MiningMode),
    /// Somebody was paid.
    Paid {
        /// Who.
        address: String,
        /// How much.
        satoshis: u64,
        /// The transaction.
        txid: String,
        /// Height of the block that has it; nothing if none was mined.
        confirmed_at: Option<u32>,
        /// Nodes that had that block in the end, and those that could have.
        agree: Option<(usize, usize)>,
    },
    /// Nodes were parted.
    Parted {
        /// Which partition of this devnet it is, from 1 on.
        number: u64,
        /// The sides.
        groups: Vec<Vec<String>>,
        /// Connections that were cut.
        cut: usize,
        /// Seconds until it heals by itself.
        seconds: Option<u64>,
    },
    /// There was nothing to join.
    NotParted,
    /// Nodes were joined.
    Healed {
        /// Height of the tip that most nodes have.
        height: u32,
        /// That tip.
        tip: String,
        /// Nodes that have it.
        agree: usize,
        /// Nodes that run.
        of: usize,
        /// How long that took.
        milliseconds: u64,
        /// What nodes took back.
        reorganisations: Vec<Reorganisation>,
    },
    /// A link does something else.
    Linked {
        /// The two nodes.
        between: [String; 2],
        /// What it does.
        conditions: LinkConditions,
    },
    /// A longer branch took the place of blocks.
    Reorganised {
        /// Who mined the branch.
        attacker: String,
        /// What each of the others took back.
        reorganisation: Reorganisation,
        /// How many others took it back.
        took_back: usize,
        /// The transaction that spends the inputs of another one.
        double_spend: Option<String>,
        /// Nodes that have the new tip.
        agree: usize,
        /// Nodes that run.
        of: usize,
    },
    /// A node was ended.
    Killed {
        /// The node.
        node: String,
    },
    /// A node runs again.
    Restarted {
        /// The node.
        node: String,
        /// How long that took.
        milliseconds: u64,
    },
    /// There is one more node.
    Added {
        /// The node.
        node: String,
        /// Where its JSON-RPC is.
        rpc: SocketAddr,
        /// The nodes that it connects with.
        peers: Vec<String>,
    },
    /// What the clocks of all nodes say.
    Time {
        /// The time, in seconds since 1970.
        now: u64,
        /// How far that is from the system's clock, in seconds.
        ahead: u64,
        /// The time that lock times are compared with: the median of the newest eleven blocks.
        median_time: u64,
    },
    /// It ends.
    Ending,
}

/// Blocks that were mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mined {
    /// Who mined them.
    pub(crate) node: String,
    /// How many.
    pub(crate) blocks: u32,
    /// Their hashes; of many, those of the last thousand.
    pub(crate) hashes: Vec<String>,
    /// Height of the last.
    pub(crate) height: u32,
    /// Nodes that had the last as their tip in the end.
    pub(crate) agree: usize,
    /// Nodes that could have.
    pub(crate) of: usize,
    /// How long that took from the last block on.
    pub(crate) milliseconds: u64,
}

/// How a devnet stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Its name.
    pub(crate) name: String,
    /// The network's name.
    pub(crate) network: String,
    /// When blocks are mined.
    pub(crate) mining: Option<MiningMode>,
    /// Time until the next block is due, in milliseconds.
    #[serde(rename = "next_block_milliseconds")]
    pub(crate) next_block: Option<u64>,
    /// Seconds that the clocks are ahead.
    pub(crate) seconds_ahead: u64,
    /// Whether all nodes that run have the same tip.
    pub(crate) agree: bool,
    /// The nodes.
    pub(crate) nodes: Vec<NodeStatus>,
}

/// How a node stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeStatus {
    /// Its name.
    pub(crate) name: String,
    /// The process; nothing when it does not run.
    pub(crate) pid: Option<u32>,
    /// Port of its JSON-RPC.
    pub(crate) rpc_port: u16,
    /// What it says; nothing when it does not run or does not answer.
    #[serde(flatten)]
    pub(crate) facts: Option<NodeFacts>,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// What a node says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFacts {
    /// Height of its tip.
    pub(crate) height: u32,
    /// Its tip.
    pub(crate) tip: String,
    /// The median time past of its tip.
    pub(crate) median_time: u64,
    /// Connections with peers.
    pub(crate) peers: u32,
    /// Transactions in its pool.
    pub(crate) mempool: u32,
}

impl Status {
    /// Nodes that run and answer, and what they say.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&NodeStatus, &NodeFacts)> {
        self.nodes.iter().filter_map(|node| Some((node, node.facts.as_ref()?)))
    }

    /// The tip that most nodes have: its height and hash, and how many.
    pub(crate) fn leading_tip(&self) -> Option<(u32, &str, usize)> {
        let count = |tip: &str| self.facts().filter(|(_, facts)| facts.tip == tip).count();
        let tips = self.facts().map(|(_, facts)| (count(&facts.tip), facts.height, facts.tip.as_str()));
        tips.max().map(|(count, height, tip)| (height, tip, count))
    }
}

/// The start of a hash, in which the zeros of its work are left out.
pub(crate) fn short(hash: &str) -> String {
    let digits = hash.trim_start_matches('0');
    format!("{}…", digits.get(..8).unwrap_or(digits))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Mined(mined) => write!(f, "{mined}"),
            Self::Mining(mode) => {
                write!(f, "block time {}", mode.block_time)?;
                if mode.on_transactions { f.write_str(", and a block for each transaction at once") } else { Ok(()) }
            }
            Self::Paid { address, satoshis, txid, confirmed_at, agree } => {
                let amount = Coins(Amount::from_sat(*satoshis));
                write!(f, "sent {amount} to {address}\n  transaction {txid}")?;
                match (confirmed_at, agree) {
                    (Some(height), Some((agree, of))) => {
                        write!(f, "\n  confirmed in block {height}, {agree} of {of} nodes agree")
                    }
                    _ => f.write_str("\n  in the pool; the next block confirms it"),
                }
            }
            Self::Parted { number: _, groups, cut, seconds } => {
                let groups: Vec<_> = groups.iter().map(|group| format!("{{{}}}", group.join(" "))).collect();
                write!(f, "cut {cut} links · {} · ", groups.join(" "))?;
                match seconds {
                    Some(seconds) => write!(f, "heals in {seconds} s"),
                    None => f.write_str("'cairn devnet heal' rejoins"),
                }
            }
            Self::NotParted => f.write_str("nothing is parted"),
            Self::Healed { height, tip, agree, of, milliseconds, reorganisations } => {
                for reorganisation in reorganisations {
                    writeln!(f, "{reorganisation}")?;
                }
                write!(f, "healed · {height} {} on {agree} of {of} nodes after {milliseconds} ms", short(tip))?;
                if agree < of && agree * 2 == *of {
                    f.write_str("; both sides have the same work, and the next block decides")?;
                }
                Ok(())
            }
            Self::Linked { between: [one, other], conditions } => write!(f, "{one} – {other}: {conditions}"),
            Self::Reorganised { attacker, reorganisation, took_back, double_spend, agree, of } => {
                writeln!(f, "{attacker} mined a branch of its own behind a partition")?;
                let blocks = |count: u32| if count == 1 { "1 block".to_owned() } else { format!("{count} blocks") };
                let Reorganisation { fork, disconnected, connected, returned, .. } = reorganisation;
                writeln!(
                    f,
                    "{took_back} {} took back {} above block {fork}, for a branch of {}",
                    if *took_back == 1 { "other node" } else { "other nodes" },
                    blocks(*disconnected),
                    blocks(*connected)
                )?;
                for txid in returned {
                    writeln!(f, "  back in the pool: {txid}")?;
                }
                if let Some(txid) = double_spend {
                    writeln!(f, "  spent instead by: {txid}")?;
                }
                let height = reorganisation.fork + reorganisation.connected;
                write!(f, "new tip {height} {} on {agree} of {of} nodes", short(&reorganisation.new_tip))
            }
            Self::Killed { node } => write!(f, "{node} was killed; 'cairn devnet restart {node}' starts it again"),
            Self::Restarted { node, milliseconds } => write!(f, "{node} runs again, after {milliseconds} ms"),
            Self::Added { node, rpc, peers } => {
                write!(f, "{node} runs, connected with {}, RPC at http://{rpc}", peers.join(", "))
            }
            Self::Time { now, ahead, median_time } => {
                write!(f, "all clocks say {now}")?;
                if *ahead > 0 {
                    write!(f, ", {} ahead", show_duration(Duration::from_secs(*ahead)))?;
                }
                write!(f, "; median time past {median_time}")
            }
            Self::Ending => f.write_str("stopping"),
        }
    }
}

impl fmt::Display for Mined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tip = self.hashes.last().map(|hash| short(hash)).unwrap_or_default();
        write!(f, "{} mined {} → {} {tip}  ", self.node, self.blocks, self.height)?;
        if self.agree == self.of {
            write!(f, "all {} agree after {} ms", self.of, self.milliseconds)
        } else {
            write!(f, "{} of {} agree after {} ms", self.agree, self.of, self.milliseconds)
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![["NODE", "HEIGHT", "TIP", "PEERS", "MEMPOOL", "RPC"].map(ToOwned::to_owned)];
        for node in &self.nodes {
            let rpc = node.rpc_port.to_string();
            lines.push(match (&node.facts, &node.problem) {
                (Some(facts), _) => [
                    node.name.clone(),
                    facts.height.to_string(),
                    short(&facts.tip),
                    facts.peers.to_string(),
                    facts.mempool.to_string(),
                    rpc,
                ],
                (None, problem) => {
                    let problem = problem.clone().unwrap_or_else(|| "does not run".to_owned());
                    [node.name.clone(), "-".to_owned(), problem, "-".to_owned(), "-".to_owned(), rpc]
                }
            });
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..6).map(width).collect();
        for line in &lines {
            let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        if let Some(mining) = &self.mining {
            write!(f, "{}", Outcome::Mining(*mining))?;
        }
        if self.seconds_ahead > 0 {
            write!(f, "; clocks {} ahead", show_duration(Duration::from_secs(self.seconds_ahead)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devnet::mining::BlockTime;

    fn node(name: &str, tip: Option<(u32, &str)>) -> NodeStatus {
        let facts = |(height, tip): (u32, &str)| NodeFacts {
            height,
            tip: tip.to_owned(),
            median_time: 0,
            peers: 3,
            mempool: 0,
        };
        NodeStatus { name: name.to_owned(), rpc_port: 18_443, facts: tip.map(facts), ..NodeStatus::default() }
    }

    #[test]
    fn nodes_stand_in_columns() {
        let tip = format!("0000{}", "3f1a".repeat(15));
        let mining = Some(MiningMode { block_time: BlockTime::Off, on_transactions: true });
        let nodes = vec![node("alice", Some((142, &tip))), node("bob", None)];
        let status = Status { nodes, mining, seconds_ahead: 7200, ..Status::default() };
        let expected = "\
            NODE   HEIGHT  TIP           PEERS  MEMPOOL  RPC\n\
            alice  142     3f1a3f1a…     3      0        18443\n\
            bob    -       does not run  -      -        18443\n\
            block time off, and a block for each transaction at once; clocks 2h ahead";
        assert_eq!(status.to_string(), expected);
        let text = serde_json::to_string(&Outcome::Status(status.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), Outcome::Status(status));
    }

    #[test]
    fn it_is_told_who_took_back_what() {
        let reorganisation = Reorganisation {
            node: "alice".to_owned(),
            fork: 140,
            old_tip: "a".to_owned(),
            new_tip: "b".to_owned(),
            disconnected: 2,
            connected: 3,
            returned: Vec::new(),
        };
        let attacker = "dave".to_owned();
        let outcome =
            Outcome::Reorganised { attacker, reorganisation, took_back: 3, double_spend: None, agree: 4, of: 4 };
        let said = outcome.to_string();
        assert!(said.contains("3 other nodes took back 2 blocks above block 140, for a branch of 3 blocks"), "{said}");
    }

    #[test]
    fn the_leading_tip_is_that_of_most() {
        let of = |nodes: Vec<NodeStatus>| {
            let status = Status { nodes, ..Status::default() };
            status.leading_tip().map(|(height, tip, count)| (height, tip.to_owned(), count))
        };
        assert_eq!(of(vec![node("a", None)]), None);
        let nodes = vec![node("a", Some((7, "x"))), node("b", Some((9, "y"))), node("c", Some((7, "x")))];
        assert_eq!(of(nodes), Some((7, "x".to_owned(), 2)));
    }
}
