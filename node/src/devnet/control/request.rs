//! What can be asked of a devnet.

use serde::{Deserialize, Serialize};

use crate::devnet::coins::Coins;
use crate::devnet::links::LinkConditions;
use crate::devnet::mining::BlockTime;

/// What can be asked of a devnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How it stands.
    Status,
    /// Mine blocks now.
    Mine {
        /// How many.
        #[serde(default = "one")]
        blocks: u32,
        /// Who; without, whoever is next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Whom the blocks pay: an address, or the name of an account after an @; without, the miner's account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// When blocks are mined; what is absent stays as it is.
    Mining {
        /// Time between blocks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        block_time: Option<BlockTime>,
        /// Whether a transaction is mined at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_transactions: Option<bool>,
    },
    /// Pay somebody from the faucet.
    Faucet {
        /// An address, or the name of an account after an @.
        to: String,
        /// How much.
        amount: Coins,
        /// Whether the payment is mined at once.
        #[serde(default = "yes")]
        mine: bool,
    },
    /// Part nodes.
    Partition {
        /// The sides; nodes that no side names are one more.
        groups: Vec<Vec<String>>,
        /// Seconds until it heals by itself; without, it stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// Join what was parted.
    Heal {
        /// The partition that is meant, as the answer to it numbers it; without, the one that there is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
    },
    /// Decide what a link does.
    Link {
        /// The two nodes.
        between: [String; 2],
        /// What it does; without anything, it is a plain link.
        #[serde(default)]
        conditions: LinkConditions,
    },
    /// Have a longer branch take the place of the newest blocks.
    Reorg {
        /// How many blocks.
        depth: u32,
        /// Who mines the branch; without, the last node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Transaction whose inputs the branch spends otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        double_spend: Option<String>,
    },
    /// End a node at once.
    Kill {
        /// The node.
        node: String,
    },
    /// Start a node again, or stop it and start it again.
    Restart {
        /// The node.
        node: String,
    },
    /// Add a node.
    Add {
        /// Its name; without, the next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// The nodes that it connects with; without, as the topology has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peers: Option<Vec<String>>,
    },
    /// Move the clock of all nodes ahead.
    Time {
        /// Seconds; none to be told the time.
        #[serde(default)]
        seconds: u64,
    },
    /// End the devnet.
    Down,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_short_to_write_and_strictly_read() {
        let read = |text| serde_json::from_str::<Request>(text);
        assert_eq!(read(r#"{"do":"mine"}"#).unwrap(), Request::Mine { blocks: 1, node: None, to: None });
        let text = r#"{"do":"mine","blocks":3,"node":"bob"}"#;
        assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
        let link = read(r#"{"do":"link","between":["a","b"],"conditions":{"latency":"80ms"}}"#).unwrap();
        assert!(matches!(link, Request::Link { conditions, .. } if conditions.latency.as_millis() == 80));
        let faucet = read(r#"{"do":"faucet","to":"@bob","amount":"2btc"}"#).unwrap();
        assert!(matches!(faucet, Request::Faucet { mine: true, .. }));
        assert_eq!(read(r#"{"do":"heal"}"#).unwrap(), Request::Heal { number: None });
        for wrong in [r#"{"do":"mine","block":3}"#, r#"{"do":"dance"}"#, r#"{"blocks":3}"#, r#"{"do":"kill"}"#, "[]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
