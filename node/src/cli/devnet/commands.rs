//! What can be asked of a devnet that runs.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::place::Place;
use crate::devnet::{BlockTime, Coins, LinkConditions, Request, parse_bandwidth, parse_duration, parse_share};

#[derive(Debug, Subcommand)]
pub(super) enum DriveCommand {
    /// Show all nodes: height, tip, peers, pool.
    #[command(
        before_help = "Examples:\n  cairn devnet status\n  cairn devnet status --watch\n  cairn devnet status --json"
    )]
    Status {
        /// Show it again and again, until Ctrl-C.
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        #[command(flatten)]
        to: To,
    },
    /// Mine blocks now, and wait until all nodes have them.
    ///
    /// With --json, 'blocks' says how many there are and 'hashes' names the newest, a thousand at most.
    #[command(
        before_help = "Examples:\n  cairn devnet mine\n  cairn devnet mine 10\n  cairn devnet mine --node bob --to @carol"
    )]
    Mine {
        /// How many.
        #[arg(default_value_t = 1)]
        blocks: u32,
        /// Node that mines them [default: whoever is next].
        #[arg(long)]
        node: Option<String>,
        /// Address that they pay, or @NAME of an account [default: the account of the node].
        #[arg(long = "to", value_name = "ADDRESS")]
        payee: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// Show when blocks are mined, or change it.
    #[command(before_help = "Examples:\n  cairn devnet mining\n  cairn devnet mining --block-time poisson:10s\n  \
        cairn devnet mining --block-time off --mine-on-tx=true")]
    Mining {
        /// Time between blocks, such as 5s or poisson:10s; or off.
        #[arg(long, value_name = "TIME")]
        block_time: Option<BlockTime>,
        /// Whether a transaction is mined at once.
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        mine_on_tx: Option<bool>,
        #[command(flatten)]
        to: To,
    },
    /// Pay somebody from the faucet, and mine the payment.
    #[command(before_help = "Examples:\n  cairn devnet faucet @bob 2btc\n  cairn devnet faucet me 0.5btc\n  \
        cairn devnet faucet bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 50000sat --no-mine")]
    Faucet {
        /// Address, @NAME of an account, or name of a wallet in the devnet.
        #[arg(value_name = "WHO")]
        payee: String,
        /// How much, such as 2btc or 50000sat.
        amount: Coins,
        /// Leave the payment to the next block.
        #[arg(long)]
        no_mine: bool,
        #[command(flatten)]
        to: To,
    },
    /// Part nodes, so that each side goes on by itself.
    ///
    /// Nodes that are not named are together on a side of their own: of alice, bob, carol and dave, 'alice / bob,carol' makes three
    /// sides, the third of which is dave. While nodes are parted for some time (--for), they cannot be parted otherwise.
    #[command(
        before_help = "Examples:\n  cairn devnet partition alice,bob / carol,dave\n  cairn devnet partition dave --for 20s"
    )]
    Partition {
        /// Sides, with slashes between them; all nodes that are not named are one more side.
        #[arg(required = true, value_name = "NODES")]
        sides: Vec<String>,
        /// Heal it after this time, at least 1s, and show what became of it.
        #[arg(long = "for", value_name = "TIME", value_parser = parse_partition_time)]
        time: Option<Duration>,
        #[command(flatten)]
        to: To,
    },
    /// Join what was parted, and show what each node took back. If nothing is parted, that is said.
    #[command(before_help = "Examples:\n  cairn devnet heal")]
    Heal {
        #[command(flatten)]
        to: To,
    },
    /// Decide what the link between two nodes does; without options, it is a plain link again.
    ///
    /// It lies below encryption, where a lost byte can only be a late one: what is lost is sent again, as TCP does.
    #[command(before_help = "Examples:\n  cairn devnet link alice bob --latency 80ms --jitter 20ms --loss 2%\n  \
        cairn devnet link alice bob --bandwidth 1mbit --reset-rate 3\n  cairn devnet link alice bob")]
    Link {
        /// One node.
        one: String,
        /// The other one.
        other: String,
        #[command(flatten)]
        conditions: LinkOptions,
        #[command(flatten)]
        to: To,
    },
    /// Have the newest blocks give way to a longer branch, which one node mines behind a partition.
    ///
    /// What was in those blocks goes back to the pools, unless the branch spends it otherwise.
    #[command(before_help = "Examples:\n  cairn devnet reorg 3\n  cairn devnet reorg 1 --double-spend $TXID")]
    Reorg {
        /// How many blocks.
        depth: u32,
        /// Node that mines the branch [default: the last one].
        #[arg(long)]
        node: Option<String>,
        /// Transaction of one of the ten accounts, or of the faucet, whose inputs the branch spends otherwise.
        #[arg(long, value_name = "TXID")]
        double_spend: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// Show the time of all nodes, or move it ahead.
    #[command(before_help = "Examples:\n  cairn devnet time\n  cairn devnet time +2h")]
    Time {
        /// How far, in whole seconds, such as +2h.
        #[arg(value_parser = parse_step)]
        step: Option<Duration>,
        #[command(flatten)]
        to: To,
    },
    /// End a node at once, as a power cut does.
    #[command(before_help = "Examples:\n  cairn devnet kill bob")]
    Kill {
        /// The node.
        node: String,
        #[command(flatten)]
        to: To,
    },
    /// Start a node that was killed; stop one that runs in order, and start it again.
    ///
    /// Each start of a node takes back what it was told of blocks with 'invalidateblock'.
    #[command(before_help = "Examples:\n  cairn devnet restart bob")]
    Restart {
        /// The node.
        node: String,
        #[command(flatten)]
        to: To,
    },
    /// Add a node; not while nodes are parted.
    #[command(before_help = "Examples:\n  cairn devnet add\n  cairn devnet add zoe --peer alice --peer bob")]
    Add {
        /// Its name [default: the next of alice, bob, carol, …].
        node: Option<String>,
        /// Node that it connects with; again for each [default: as the topology has it].
        #[arg(long = "peer", value_name = "NODE")]
        peers: Vec<String>,
        #[command(flatten)]
        to: To,
    },
    /// End the devnet, and wait until nothing of it runs.
    #[command(before_help = "Examples:\n  cairn devnet down\n  cairn devnet down --name demo")]
    Down {
        #[command(flatten)]
        to: To,
    },
}

/// Which devnet, and how the answer is printed.
#[derive(Debug, Args)]
pub(super) struct To {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) place: Place,
}

/// What a link does.
#[derive(Debug, Args)]
pub(super) struct LinkOptions {
    /// How long a byte takes to the other end, up to 2s.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", hide_default_value = true)]
    latency: Duration,
    /// How much longer or shorter it may take.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", hide_default_value = true)]
    jitter: Duration,
    /// Share of segments that are lost, such as 2%.
    #[arg(long, value_name = "SHARE", value_parser = parse_share, default_value = "0", hide_default_value = true)]
    loss: f64,
    /// What fits through each way in a second, such as 1mbit.
    #[arg(long, value_name = "BITS", value_parser = parse_bandwidth)]
    bandwidth: Option<u64>,
    /// How often a minute its connections break, on average.
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    reset_rate: f64,
}

impl LinkOptions {
    fn conditions(&self) -> LinkConditions {
        let Self { latency, jitter, loss, bandwidth, reset_rate } = *self;
        LinkConditions { latency, jitter, loss, bandwidth: bandwidth.unwrap_or(0), reset_rate }
    }
}

/// Reads how far the clock is to go.
fn parse_step(text: &str) -> Result<Duration, String> {
    let step = text.strip_prefix('+').ok_or_else(|| format!("expected a step ahead, such as +2h, got {text:?}"))?;
    let expected = || format!("expected a step of whole seconds, at least +1s, got {text:?}");
    parse_duration(step).and_then(|step| Some(step).filter(is_whole_seconds).ok_or_else(expected))
}

fn is_whole_seconds(time: &Duration) -> bool {
    !time.is_zero() && time.subsec_nanos() == 0
}

/// Reads how long a partition is to last.
fn parse_partition_time(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected at least 1s, got {text:?}; without --for it lasts until 'cairn devnet heal'");
    parse_duration(text).and_then(|time| Some(time).filter(|time| time.as_secs() > 0).ok_or_else(expected))
}

impl DriveCommand {
    /// What is asked, and of which devnet.
    pub(super) fn request(&self) -> (Request, &To) {
        match self {
            Self::Status { to, .. } => (Request::Status, to),
            Self::Mine { blocks, node, payee, to } => {
                (Request::Mine { blocks: *blocks, node: node.clone(), to: payee.clone() }, to)
            }
            Self::Mining { block_time, mine_on_tx, to } => {
                (Request::Mining { block_time: *block_time, on_transactions: *mine_on_tx }, to)
            }
            Self::Time { step, to } => (Request::Time { seconds: step.map_or(0, |step| step.as_secs()) }, to),
            Self::Faucet { payee, amount, no_mine, to } => {
                (Request::Faucet { to: payee.clone(), amount: *amount, mine: !no_mine }, to)
            }
            Self::Partition { sides, time, to } => {
                let seconds = time.map(|time| time.as_millis().div_ceil(1000));
                let seconds = seconds.map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX));
                (Request::Partition { groups: read_sides(sides), seconds }, to)
            }
            Self::Heal { to } => (Request::Heal { number: None }, to),
            Self::Link { one, other, conditions, to } => {
                (Request::Link { between: [one.clone(), other.clone()], conditions: conditions.conditions() }, to)
            }
            Self::Reorg { depth, node, double_spend, to } => {
                (Request::Reorg { depth: *depth, node: node.clone(), double_spend: double_spend.clone() }, to)
            }
            Self::Kill { node, to } => (Request::Kill { node: node.clone() }, to),
            Self::Restart { node, to } => (Request::Restart { node: node.clone() }, to),
            Self::Add { node, peers, to } => {
                let peers = Some(peers.clone()).filter(|peers| !peers.is_empty());
                (Request::Add { node: node.clone(), peers }, to)
            }
            Self::Down { to } => (Request::Down, to),
        }
    }
}

/// Reads sides such as `alice,bob / carol dave`.
fn read_sides(words: &[String]) -> Vec<Vec<String>> {
    let text = words.join(" ");
    let names = |side: &str| {
        let names = side.split([',', ' ']).filter(|name| !name.is_empty());
        names.map(ToOwned::to_owned).collect()
    };
    text.split('/').map(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_read_however_they_are_written() {
        let read = |words: &[&str]| read_sides(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        let expected = [["alice", "bob"], ["carol", "dave"]];
        assert_eq!(read(&["alice,bob", "/", "carol,dave"]), expected);
        assert_eq!(read(&["alice", "bob/carol,", "dave"]), expected);
        assert_eq!(read(&["alice"]), [["alice"]]);
    }

    #[test]
    fn the_clock_goes_ahead_only() {
        assert_eq!(parse_step("+2h"), Ok(Duration::from_secs(7200)));
        assert!(parse_step("2h").is_err() && parse_step("-2h").is_err());
        for step in ["+500ms", "+0s", "+1.5s"] {
            assert!(parse_step(step).unwrap_err().contains("whole seconds, at least +1s"), "{step}");
        }
    }

    #[test]
    fn a_partition_takes_time() {
        assert_eq!(parse_partition_time("1.5s"), Ok(Duration::from_millis(1500)));
        for time in ["0s", "300ms"] {
            assert!(parse_partition_time(time).unwrap_err().contains("at least 1s"), "{time}");
        }
    }
}
