//! The drawings, row by row.

use super::families::{chain, mempool, miner, peers, process, rpc};

/// One drawing.
pub(super) struct Panel {
    /// Grafana's name of what it looks like.
    pub(super) kind: &'static str,
    /// What stands above it.
    pub(super) title: &'static str,
    /// Grafana's name of the unit.
    pub(super) unit: &'static str,
    /// Columns.
    pub(super) width: u64,
    /// Lines of the grid.
    pub(super) height: u64,
    /// Expressions, and what the values of each are called.
    pub(super) queries: Vec<(String, &'static str)>,
}

/// The rows with their titles.
pub(super) fn rows() -> Vec<(&'static str, Vec<Panel>)> {
    vec![
        ("Overview", overview()),
        ("Chain", chain_panels()),
        ("Mempool", mempool_panels()),
        ("Peers", peer_panels()),
        ("RPC", rpc_panels()),
        ("Storage", storage_panels()),
        ("Mining", mining_panels()),
        ("Process", process_panels()),
    ]
}

const INSTANCE: &str = "{{instance}}";
const REASON: &str = "{{instance}} {{reason}}";

fn stat(title: &'static str, unit: &'static str, query: String, legend: &'static str) -> Panel {
    Panel { kind: "stat", title, unit, width: 4, height: 4, queries: vec![(query, legend)] }
}

fn graph(title: &'static str, unit: &'static str, queries: Vec<(String, &'static str)>) -> Panel {
    Panel { kind: "timeseries", title, unit, width: 8, height: 8, queries }
}

/// A graph with one expression.
fn line(title: &'static str, unit: &'static str, query: String, legend: &'static str) -> Panel {
    graph(title, unit, vec![(query, legend)])
}

/// The values of a metric on the chosen nodes.
fn of(name: &str) -> String {
    format!("{name}{{instance=~\"$instance\"}}")
}

/// How fast a counter grows, a second.
fn rate(name: &str) -> String {
    format!("rate({}[5m])", of(name))
}

/// How much a counter grew.
fn increase(name: &str, time: &str) -> String {
    format!("increase({}[{time}])", of(name))
}

/// The sum of what differs in other labels only.
fn sum_by(labels: &str, expression: &str) -> String {
    format!("sum by ({labels}) ({expression})")
}

/// What this share of a distribution's values stays below.
fn quantile(share: &str, name: &str, label: &str) -> String {
    let buckets = rate(&format!("{name}_bucket"));
    format!("histogram_quantile({share}, {})", sum_by(&format!("le, {label}"), &buckets))
}

fn overview() -> Vec<Panel> {
    let height = format!("{}{{kind=\"blocks\", instance=~\"$instance\"}}", chain::HEIGHT.name);
    vec![
        stat("Version and network", "none", of(process::BUILD_INFO.name), "{{version}} {{network}}"),
        stat("Height", "none", height, INSTANCE),
        stat("Age of the tip", "s", format!("time() - {}", of(chain::TIP_TIMESTAMP.name)), INSTANCE),
        stat("Peers", "none", sum_by("instance", &of(peers::PEERS.name)), INSTANCE),
        stat("Loading the chain", "bool_yes_no", of(chain::INITIAL_BLOCK_DOWNLOAD.name), INSTANCE),
        stat("Reorganisations in a day", "none", increase(chain::REORGS.name, "1d"), INSTANCE),
    ]
}

fn chain_panels() -> Vec<Panel> {
    let depths = increase(&format!("{}_bucket", chain::REORG_DEPTH.name), "1d");
    let stages = quantile("0.95", chain::BLOCK_PROCESS_DURATION.name, "stage");
    vec![
        line("Height", "none", of(chain::HEIGHT.name), "{{instance}} {{kind}}"),
        graph(
            "Blocks connected and disconnected, a second",
            "none",
            vec![
                (rate(chain::BLOCKS_CONNECTED.name), "{{instance}} connected"),
                (rate(chain::BLOCKS_DISCONNECTED.name), "{{instance}} disconnected"),
            ],
        ),
        line("Invalid blocks in an hour", "none", increase(chain::BLOCKS_INVALID.name, "1h"), REASON),
        line("Reorganisations in a day, by depth", "none", sum_by("le", &depths), "up to {{le}} blocks"),
        line("Time of a block's stages, 95%", "s", stages, "{{stage}}"),
        line("Height of the index of transactions", "none", of(chain::TX_INDEX_HEIGHT.name), INSTANCE),
        line("Events missed in an hour", "none", increase(chain::EVENTS_MISSED.name, "1h"), INSTANCE),
    ]
}

fn mempool_panels() -> Vec<Panel> {
    vec![
        line("Transactions", "none", of(mempool::TRANSACTIONS.name), INSTANCE),
        graph(
            "Size",
            "bytes",
            vec![
                (of(mempool::VIRTUAL_BYTES.name), "{{instance}} virtual"),
                (of(mempool::MEMORY_BYTES.name), "{{instance}} memory"),
            ],
        ),
        line("Least fee rate, in sat/vB", "none", of(mempool::MIN_FEERATE.name), INSTANCE),
        graph(
            "Transactions accepted and replaced, a second",
            "none",
            vec![
                (rate(mempool::ACCEPTED.name), "{{instance}} accepted"),
                (rate(mempool::REPLACED.name), "{{instance}} replaced"),
            ],
        ),
        line("Transactions rejected, a second", "none", rate(mempool::REJECTED.name), REASON),
        line("Transactions evicted, a second", "none", rate(mempool::EVICTED.name), REASON),
    ]
}

fn peer_panels() -> Vec<Panel> {
    vec![
        line("Peers", "none", of(peers::PEERS.name), "{{instance}} {{direction}} {{transport}}"),
        line("Connections that ended, a second", "none", rate(peers::DISCONNECTS.name), REASON),
        line("Bytes, a second", "Bps", rate(peers::BYTES.name), "{{direction}}"),
        line("Connections that failed, a second", "none", rate(peers::CONNECTIONS_FAILED.name), "failed"),
        line("Gossip, messages a second", "none", rate(peers::GOSSIP.name), "{{kind}} {{outcome}}"),
        line("Questions, a second", "none", rate(peers::REQUESTS.name), "{{direction}} {{outcome}}"),
        line("Time of answers, 95%", "s", quantile("0.95", peers::REQUEST_DURATION.name, "kind"), "{{kind}}"),
        line("Time from header to body, 95%", "s", quantile("0.95", peers::HEADER_TO_BODY.name, "instance"), INSTANCE),
        line("Stalls in an hour", "none", increase(peers::STALLS.name, "1h"), INSTANCE),
        line("Known addresses", "none", of(peers::ADDRESSES.name), INSTANCE),
        line("Compact blocks in an hour", "none", increase(peers::COMPACT_BLOCKS.name, "1h"), "{{outcome}}"),
        line("Bans in an hour", "none", increase(peers::BANS.name, "1h"), REASON),
    ]
}

fn rpc_panels() -> Vec<Panel> {
    let calls = sum_by("method, outcome", &rate(rpc::REQUESTS.name));
    let time = quantile("0.99", rpc::REQUEST_DURATION.name, "method");
    vec![
        line("Calls a second", "none", calls, "{{method}} {{outcome}}"),
        line("Time of calls, 99%", "s", time, "{{method}}"),
        line("Calls at a time", "none", of(rpc::ACTIVE_REQUESTS.name), INSTANCE),
    ]
}

fn storage_panels() -> Vec<Panel> {
    vec![
        graph(
            "On disk",
            "bytes",
            vec![
                (of(chain::BLOCK_FILES.name), "{{instance}} blocks"),
                (of(chain::DATABASE.name), "{{instance}} database"),
            ],
        ),
        graph(
            "Disk",
            "bytes",
            vec![(of(chain::DISK_FREE.name), "{{instance}} free"), (of(chain::DISK_SIZE.name), "{{instance}} size")],
        ),
        line("Cache of coins", "bytes", of(chain::COINS_CACHE.name), INSTANCE),
        line("Flushes in an hour", "none", increase(chain::FLUSHES.name, "1h"), INSTANCE),
    ]
}

fn mining_panels() -> Vec<Panel> {
    vec![
        line("Hashes a second", "none", rate(miner::HASHES.name), INSTANCE),
        line("Blocks found in an hour", "none", increase(miner::BLOCKS.name, "1h"), INSTANCE),
    ]
}

fn process_panels() -> Vec<Panel> {
    vec![
        line("Memory", "bytes", of("process_resident_memory_bytes"), INSTANCE),
        line("Processors in use", "none", rate("process_cpu_seconds_total"), INSTANCE),
        graph(
            "Open files",
            "none",
            vec![(of("process_open_fds"), INSTANCE), (of("process_max_fds"), "{{instance}} limit")],
        ),
    ]
}
