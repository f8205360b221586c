//! Where other nodes were, for the next start.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_net::{Multiaddr, NetworkHandle, PeerId};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::metrics::PeerMetrics;
use crate::tasks::blocking;
use crate::whole_file::write_json;

/// The file, in the folder of the network's data.
const FILE_NAME: &str = "peers.json";
/// Time between two looks at whether addresses changed (Core: `DUMP_PEERS_INTERVAL` is 15 minutes, `net.cpp`).
const SAVE_INTERVAL: Duration = Duration::from_secs(15);

/// One address.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    peer: String,
    address: Multiaddr,
}

/// Addresses that the last run knew. What cannot be read is not worth stopping for: the node finds others.
pub(super) fn read(directory: &Path) -> Vec<(PeerId, Multiaddr)> {
    let path = directory.join(FILE_NAME);
    let lines: Result<Vec<Line>, io::Error> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let lines = lines.unwrap_or_else(|error| {
        warn!(file = %path.display(), %error, "addresses of other nodes cannot be read, and are looked for anew");
        Vec::new()
    });
    lines.into_iter().filter_map(|line| Some((line.peer.parse().ok()?, line.address))).collect()
}

/// Writes down where other nodes are, whenever that changed, until the node is to stop.
pub(super) async fn save(
    network: NetworkHandle,
    directory: PathBuf,
    metrics: Arc<PeerMetrics>,
    shutdown: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(SAVE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut saved = Vec::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let Ok(addresses) = network.addresses().await else { return Ok(()) };
        metrics.set_addresses(addresses.len());
        if addresses == saved {
            continue;
        }
        saved.clone_from(&addresses);
        let path = directory.join(FILE_NAME);
        if let Err(error) = blocking(move || write(&path, &addresses)).await {
            warn!(file = FILE_NAME, %error, "addresses of other nodes cannot be written");
        }
    }
}

fn write(path: &Path, addresses: &[(PeerId, Multiaddr)]) -> io::Result<()> {
    let line = |(peer, address): &(PeerId, Multiaddr)| Line { peer: peer.to_string(), address: address.clone() };
    write_json(path, &addresses.iter().map(line).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()), []);
        let addresses = [1, 2].map(|port| (PeerId::random(), format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()));
        write(&directory.path().join(FILE_NAME), &addresses).unwrap();
        assert_eq!(read(directory.path()), addresses);
        std::fs::write(directory.path().join(FILE_NAME), "[{").unwrap();
        assert_eq!(read(directory.path()), [], "the node starts all the same");
    }
}
