//! `cairn health`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::failure::Failure;
use super::{Answer, to_json};
use crate::config::{FileOption, Given, MetricsConfig, NetworkConfig, Settings};
use crate::health::Health;
use crate::node::Endpoints;

/// How long the node may take; its own patience with its chain thread is five seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 << 10;

/// Ask a running node whether it is well.
///
/// The exit code is 0 if it is, 6 if it is not, 3 if it does not answer. The node is found by the file endpoints.json among its
/// data, and without it by its options.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn health\n  cairn health --network main --ready\n  \
    HEALTHCHECK CMD cairn health          (in a Dockerfile)")]
pub(super) struct HealthArgs {
    /// Ask whether what it says can be relied on too: not while it starts or loads the chain.
    #[arg(long)]
    ready: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkConfig,
    #[command(flatten)]
    metrics: MetricsConfig,
    #[command(flatten)]
    file: FileOption,
}

/// Runs `cairn health`.
pub(super) fn run(args: &HealthArgs, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    let address = address(&settings)?;
    let path = if args.ready { "/ready" } else { "/healthy" };
    let health = ask(address, path)
        .map_err(|error| Failure::Unreachable { what: format!("the node at http://{address}{path}"), source: error })?;
    let text = if args.json {
        to_json(&health)?
    } else {
        let word = match (health.ok, args.ready) {
            (true, true) => "ready",
            (true, false) => "healthy",
            (false, true) => "not ready",
            (false, false) => "not healthy",
        };
        let reasons =
            if health.reasons.is_empty() { String::new() } else { format!(": {}", health.reasons.join("; ")) };
        format!("{word}{reasons}\n")
    };
    if health.ok {
        Ok(text)
    } else {
        Err(Failure::Unhealthy { answer: text, reasons: health.reasons.join("; ") }.into())
    }
}

/// Where the node serves health.
fn address(settings: &Settings) -> Result<SocketAddr, Box<dyn Error>> {
    let network: NetworkConfig = settings.resolve()?;
    let metrics: MetricsConfig = settings.resolve()?;
    let directory = network.directory(&network.params()?)?;
    let written = Endpoints::read(&directory)?.unwrap_or_default().metrics;
    let first = written.first().copied().or_else(|| metrics.addresses().first().copied());
    let address = first.ok_or("the node serves no health: metrics-port is 0")?;
    Ok(SocketAddr::new(reachable(address.ip()), address.port()))
}

/// Who listens at every address is asked at the nearest one.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// A request in HTTP/1.0, whose answer ends with the connection.
fn ask(address: SocketAddr, path: &str) -> Result<Health, Box<dyn Error + Send + Sync>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?.1;
    Ok(serde_json::from_str(body)?)
}
