//! What a devnet says when it is ready, and when it has ended.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::environment::word;
use crate::devnet::{Attachment, BlockTime, NodeEnd, PRE_MINE, Plan, UNNAMED};

/// What there is, and where.
pub(super) fn text(
    devnet: &Attachment,
    is_alone: bool,
    plan: &Plan,
    prometheus: Option<SocketAddr>,
    took: Duration,
) -> String {
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
        None => {
            let path = word(&devnet.prometheus.to_string_lossy());
            writeln!(text, "  Prometheus  prometheus --config.file={path}")
        }
    };
    let kept = if devnet.is_temporary { "; they go when it ends" } else { "" };
    let _ = writeln!(text, "  name        {}", devnet.name);
    let _ = writeln!(text, "  data        {}{kept}\n", devnet.directory.display());
    let name = if is_alone && devnet.name == UNNAMED { String::new() } else { format!(" --name {}", devnet.name) };
    let blocks = match plan.mining.block_time {
        BlockTime::Off => "no blocks but those you ask for".to_owned(),
        BlockTime::Fixed(_) => format!("a block every {}", plan.mining.block_time),
        BlockTime::Poisson(mean) => format!("a block every {} on average", crate::devnet::show_duration(mean)),
    };
    let _ = writeln!(
        text,
        "ready in {:.1} s · {blocks} · seed {} · another terminal: cairn devnet status{name}",
        took.as_secs_f64(),
        devnet.seed
    );
    text
}

/// How it ended.
pub(super) fn farewell(devnet: &Attachment, ended: &[(String, NodeEnd)]) -> String {
    let (count, clean) = (ended.len(), ended.iter().filter(|(_, end)| *end == NodeEnd::Cleanly).count());
    let nodes = if clean == count {
        format!("✓ {} stopped cleanly", plural(count, "node"))
    } else {
        format!("{clean} of {} stopped cleanly", plural(count, "node"))
    };
    if devnet.is_temporary {
        format!("{nodes}; temporary data removed (to keep them next time: --name demo)\n")
    } else {
        format!("{nodes}; data stay in {}, and --name {} goes on with them\n", devnet.directory.display(), devnet.name)
    }
}

/// What is wrong with how nodes ended, if anything is.
pub(super) fn problem(ended: &[(String, NodeEnd)]) -> Option<String> {
    let problem = |(name, end): &(String, NodeEnd)| match end {
        NodeEnd::Cleanly => None,
        NodeEnd::Badly(status) => Some(format!("node {name} ended badly ({status})")),
        NodeEnd::Killed => Some(format!("node {name} did not end in time and was killed")),
    };
    let problems: Vec<_> = ended.iter().filter_map(problem).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("{count} {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_node_that_ends_badly_is_a_problem_and_one_that_was_killed_another() {
        let ended = |end| ("bob".to_owned(), end);
        let clean = ended(NodeEnd::Cleanly);
        assert_eq!(problem(std::slice::from_ref(&clean)), None);
        let bad = problem(&[clean.clone(), ended(NodeEnd::Badly(ExitStatus::from_raw(1 << 8)))]);
        assert_eq!(bad.as_deref(), Some("node bob ended badly (exit status: 1)"));
        let killed = problem(&[clean, ended(NodeEnd::Killed)]);
        assert_eq!(killed.as_deref(), Some("node bob did not end in time and was killed"));
    }
}
