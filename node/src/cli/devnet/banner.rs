//! What a devnet says when it is ready, and when it has ended.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use crate::devnet::{Attachment, BlockTime, PRE_MINE, Plan};

/// What there is, and where.
pub(super) fn text(devnet: &Attachment, plan: &Plan, prometheus: Option<SocketAddr>, took: Duration) -> String {
    let names: Vec<_> = devnet.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut text = format!(
        "✓ {} on network {}, connected as a {}: {}\n",
        plural(names.len(), "node"),
        devnet.network,
        plan.topology,
        names.join(" ")
    );
    text += &format!("✓ {PRE_MINE} blocks mined, ten accounts with 100 BTC each that can be spent, and a faucet\n");
    text += &format!("  seed words  {}\n", devnet.mnemonic);
    text += "              PUBLIC: never use them for real money\n\n";
    let width = devnet.nodes.iter().map(|node| node.name.len()).max().unwrap_or(0).max(4);
    // Writing to a string succeeds.
    let _ = writeln!(text, "  {:<width$}  {:<24}  {:<34}  PEERS CONNECT AT", "NODE", "RPC", "METRICS");
    for node in &devnet.nodes {
        let (rpc, metrics) = (format!("http://{}", node.rpc), format!("http://{}/metrics", node.metrics));
        let p2p = node.p2p.as_deref().unwrap_or("-");
        let p2p = p2p.split("/p2p/").next().unwrap_or(p2p);
        let _ = writeln!(text, "  {:<width$}  {rpc:<24}  {metrics:<34}  {p2p}", node.name);
    }
    text += "\n  ACCOUNT  ADDRESS                                       KEY\n";
    for account in &devnet.accounts {
        let _ = writeln!(text, "  {:<7}  {}  {}", account.name, account.address, account.path);
    }
    text.push('\n');
    if let Some(first) = devnet.nodes.first() {
        let _ = writeln!(text, "  cookie      {}", first.cookie.display());
    }
    let _ = match prometheus {
        Some(address) => writeln!(text, "  Prometheus  http://{address}"),
        None => writeln!(text, "  Prometheus  prometheus --config.file={}", devnet.prometheus.display()),
    };
    let kept = if devnet.is_temporary { "; they go when it ends" } else { "" };
    let _ = writeln!(text, "  data        {}{kept}\n", devnet.directory.display());
    let blocks = match plan.mining.block_time {
        BlockTime::Off => "no blocks but those you ask for".to_owned(),
        BlockTime::Fixed(_) => format!("a block every {}", plan.mining.block_time),
        BlockTime::Poisson(mean) => format!("a block every {} on average", crate::devnet::show_duration(mean)),
    };
    let _ = writeln!(
        text,
        "ready in {:.1} s · {blocks} · seed {} · another terminal: cairn devnet status",
        took.as_secs_f64(),
        devnet.seed
    );
    text
}

/// How it ended.
pub(super) fn farewell(devnet: &Attachment, stopped: usize, count: usize) -> String {
    let nodes = if stopped == count {
        format!("✓ {} stopped cleanly", plural(count, "node"))
    } else {
        format!("{stopped} of {} stopped cleanly, the others were killed", plural(count, "node"))
    };
    if devnet.is_temporary {
        format!("{nodes}; temporary data removed (to keep them next time: --name demo)\n")
    } else {
        format!("{nodes}; data stay in {}, and --name {} goes on with them\n", devnet.directory.display(), devnet.name)
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("{count} {what}") } else { format!("{count} {what}s") }
}
