//! When somebody should look.

use std::fmt::Write;

use cairn_chain::params::ChainParams;

use super::JOB;
use super::families::{chain, peers, process, rpc};

/// Networks where a tip that does not move means something: others have nobody who has to mine.
const WATCHED_NETWORKS: [&str; 4] = ["cairn", "main", "testnet4", "signet"];
/// Intervals between blocks after which a tip is stale. Intervals are exponential: one of nine times the mean comes once in
/// e^9, about 8100, blocks, which at ten minutes a block is eight weeks. An alarm that comes more often is not listened to.
const STALE_INTERVALS: u32 = 9;

struct Alert {
    name: String,
    expression: String,
    /// How long it has to be so.
    lasting: Option<&'static str>,
    severity: &'static str,
    summary: String,
}

/// The rules, in YAML.
pub(super) fn rules() -> String {
    let mut text = format!(
        "# When somebody should look at Cairn. Check changes with: promtool check rules FILE\n\
         groups:\n  - name: {JOB}\n    rules:\n"
    );
    for Alert { name, expression, lasting, severity, summary } in all() {
        let lasting = lasting.map(|time| format!("        for: {time}\n")).unwrap_or_default();
        // Writing to a text does not fail. JSON's strings are YAML's too.
        let _ = write!(
            text,
            "      - alert: {name}\n        expr: >-\n          {expression}\n{lasting}        labels:\n          \
             severity: {severity}\n        annotations:\n          summary: {}\n",
            serde_json::Value::from(summary)
        );
    }
    text
}

fn all() -> Vec<Alert> {
    let mut alerts = process_alerts();
    alerts.extend(chain_alerts());
    alerts.extend(WATCHED_NETWORKS.into_iter().filter_map(ChainParams::builtin).map(|params| stale(&params)));
    alerts.extend(peer_alerts());
    alerts.extend(rpc_alerts());
    alerts
}

fn process_alerts() -> Vec<Alert> {
    vec![
        alert("CairnDown", format!("up{{job=\"{JOB}\"}} == 0"), Some("2m"), "critical", "the node does not answer"),
        alert(
            "CairnRestartLoop",
            format!("changes(process_start_time_seconds{{job=\"{JOB}\"}}[30m]) > 3"),
            None,
            "critical",
            "the node starts again and again",
        ),
        alert(
            "CairnDiskAlmostFull",
            format!("{} / {} < 0.1", chain::DISK_FREE.name, chain::DISK_SIZE.name),
            Some("10m"),
            "warning",
            "less than a tenth of the disk is free",
        ),
    ]
}

fn chain_alerts() -> Vec<Alert> {
    vec![
        alert(
            "CairnSyncBehind",
            format!("{0}{{kind=\"headers\"}} - ignoring (kind) {0}{{kind=\"blocks\"}} > 3", chain::HEIGHT.name),
            Some("30m"),
            "warning",
            "blocks stay behind headers",
        ),
        alert("CairnDeepReorg", deep_reorg(), None, "critical", "a reorganisation of three blocks or more"),
        alert(
            "CairnInvalidBlock",
            format!("increase({}[1h]) > 0", chain::BLOCKS_INVALID.name),
            None,
            "warning",
            "a block with enough work was invalid: {{ $labels.reason }}",
        ),
    ]
}

/// What lies in buckets above two blocks.
fn deep_reorg() -> String {
    let bucket = |bound: &str| format!("increase({}_bucket{{le=\"{bound}\"}}[10m])", chain::REORG_DEPTH.name);
    format!("{} - ignoring (le) {} > 0", bucket("+Inf"), bucket("2"))
}

fn stale(params: &ChainParams) -> Alert {
    let seconds = params.consensus.pow.target_spacing.saturating_mul(STALE_INTERVALS);
    let expression = format!(
        "(time() - {} > {seconds}) and on (instance) {}{{network=\"{}\"}}",
        chain::TIP_TIMESTAMP.name,
        process::BUILD_INFO.name,
        params.name
    );
    let mut name = params.name.clone();
    name[..1].make_ascii_uppercase();
    let summary = format!("no block on network {} for {seconds} seconds", params.name);
    alert(&format!("CairnTipStale{name}"), expression, None, "warning", &summary)
}

fn peer_alerts() -> Vec<Alert> {
    let peers = format!("sum without (direction, transport) ({})", peers::PEERS.name);
    vec![
        alert("CairnNoPeers", format!("{peers} == 0"), Some("2m"), "critical", "no peer is connected"),
        alert("CairnFewPeers", format!("{peers} < 3"), Some("5m"), "warning", "fewer than three peers are connected"),
    ]
}

fn rpc_alerts() -> Vec<Alert> {
    let duration = rpc::REQUEST_DURATION.name;
    let requests = rpc::REQUESTS.name;
    let sum = "sum without (method, outcome)";
    vec![
        alert(
            "CairnRpcSlow",
            format!("histogram_quantile(0.99, sum without (method) (rate({duration}_bucket[5m]))) > 2"),
            Some("5m"),
            "warning",
            "one call in a hundred takes more than two seconds",
        ),
        alert(
            "CairnRpcErrors",
            format!("{sum} (rate({requests}{{outcome=\"internal_error\"}}[5m])) / {sum} (rate({requests}[5m])) > 0.1"),
            Some("5m"),
            "warning",
            "more than a tenth of all calls fail inside the node",
        ),
    ]
}

fn alert(
    name: &str,
    expression: String,
    lasting: Option<&'static str>,
    severity: &'static str,
    summary: &str,
) -> Alert {
    let summary = format!("{{{{ $labels.instance }}}}: {summary}");
    Alert { name: name.to_owned(), expression, lasting, severity, summary }
}
