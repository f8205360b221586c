//! `cairn chain utxo-stats`.

use std::fmt;

use bitcoin::Amount;
use bitcoin::hex::DisplayHex;
use cairn_chain::chainstate::BlockReference;
use cairn_chain::coins::{CoinsHashType, CoinsStatistics};
use clap::{Args, ValueEnum};
use indicatif::DecimalBytes;
use serde::Serialize;

use super::options::ChainOptions;
use super::write_rows;
use crate::cli::advice::with_advice;
use crate::cli::interruption::Interruption;
use crate::cli::progress::{Position, Progress, Unit};
use crate::cli::{Answer, to_json};

/// Count the coins and hash them, as Bitcoin Core's gettxoutsetinfo does.
///
/// Sorting the coins takes the memory that --cache allows; with less of it, the coins are read more often.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain utxo-stats --network main\n  \
    cairn chain utxo-stats --network main --hash muhash --json")]
pub(super) struct UtxoStatsArgs {
    /// Which hash of the coins.
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = HashType::HashSerialized3)]
    hash: HashType,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

/// The names that `gettxoutsetinfo` knows (Core: `ParseHashType`, `rpc/blockchain.cpp`).
#[derive(Debug, Clone, Copy, ValueEnum)]
enum HashType {
    /// Of all coins in order: what snapshots are checked against
    #[value(name = "hash_serialized_3")]
    HashSerialized3,
    /// Of the coins as a set
    #[value(name = "muhash")]
    MuHash,
    /// Only count
    #[value(name = "none")]
    None,
}

/// Fields of `gettxoutsetinfo`; the amount is in satoshis. Hashes are in displayed byte order, sizes in bytes.
#[derive(Debug, Serialize)]
struct UtxoStatsView {
    height: u32,
    bestblock: String,
    txouts: u64,
    bogosize: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_serialized_3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muhash: Option<String>,
    total_amount_sat: Option<u64>,
    transactions: u64,
    disk_size: u64,
}

/// Runs `cairn chain utxo-stats`.
pub(super) fn run(args: &UtxoStatsArgs) -> Answer {
    let mut chainstate = args.options.open_existing()?;
    let hash_type = match args.hash {
        HashType::HashSerialized3 => CoinsHashType::HashSerialized3,
        HashType::MuHash => CoinsHashType::MuHash,
        HashType::None => CoinsHashType::None,
    };
    let mut progress = Progress::new("counting", Unit::Things("coins"), Interruption::watch()?);
    let statistics = chainstate.coins_statistics(hash_type, args.options.cache_bytes(), &mut |at| {
        progress.report(Position { done: at.visits, total: at.expected_visits, ..Position::default() })
    });
    drop(progress);
    let statistics = statistics.map_err(with_advice)?;
    let disk_size = chainstate.status().map_err(with_advice)?.database_bytes;
    let view = UtxoStatsView::new(chainstate.tip(), hash_type, &statistics, disk_size);
    if args.options.json { to_json(&view) } else { Ok(view.to_string()) }
}

impl UtxoStatsView {
    fn new(tip: BlockReference, hash_type: CoinsHashType, statistics: &CoinsStatistics, disk_size: u64) -> Self {
        let hash = statistics.hash.map(|mut bytes| {
            bytes.reverse();
            bytes.to_lower_hex_string()
        });
        let only = |wanted| hash.clone().filter(|_| hash_type == wanted);
        Self {
            height: tip.height,
            bestblock: tip.hash.to_string(),
            txouts: statistics.transaction_outputs,
            bogosize: statistics.bogo_size,
            hash_serialized_3: only(CoinsHashType::HashSerialized3),
            muhash: only(CoinsHashType::MuHash),
            total_amount_sat: statistics.total_amount.map(Amount::to_sat),
            transactions: statistics.transactions,
            disk_size,
        }
    }
}

impl fmt::Display for UtxoStatsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |satoshis| Amount::from_sat(satoshis).to_string();
        let mut rows = vec![
            ("height", self.height.to_string()),
            ("bestblock", self.bestblock.clone()),
            ("txouts", self.txouts.to_string()),
            ("transactions", self.transactions.to_string()),
            ("bogosize", self.bogosize.to_string()),
            ("total_amount", self.total_amount_sat.map_or_else(|| "too large".to_owned(), amount)),
            ("disk_size", DecimalBytes(self.disk_size).to_string()),
        ];
        rows.extend(self.hash_serialized_3.clone().map(|hash| ("hash_serialized_3", hash)));
        rows.extend(self.muhash.clone().map(|hash| ("muhash", hash)));
        write_rows(f, &rows)
    }
}
