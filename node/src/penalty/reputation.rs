//! Peers get what they deserve.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cairn_net::{Acceptance, Banned, NetworkHandle, PeerId, is_global};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::{Ban, BanFile, BanList, BanListError, Conduct, Consequence, PeerScores, penalty};
use crate::context::SharedContext;

/// How long a peer is banned that misbehaved, and one of which nothing else is said (Core: `DEFAULT_MISBEHAVING_BANTIME`,
/// `banman.h`).
pub(crate) const BAN_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest wait until the clock is looked at again: it may be set, or stand while the machine sleeps.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What peers did, and who may not come back.
///
/// Bans change in memory at once. One task, [`enforce`](Self::enforce), tells the network and writes the file, so that
/// neither ever goes back to an older list.
#[derive(Debug)]
pub(crate) struct Reputation {
    context: SharedContext,
    network: NetworkHandle,
    scores: Mutex<PeerScores>,
    bans: Mutex<BanList>,
    file: BanFile,
    /// How often the bans were changed.
    changes: watch::Sender<u64>,
    /// How many of these changes the network knows of, and the file.
    enforced: watch::Sender<u64>,
}

impl Reputation {
    /// Reads who is banned.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    pub(crate) fn open(context: SharedContext, network: NetworkHandle) -> Result<Self, BanListError> {
        let file = BanFile::new(&context.directory);
        Ok(Self {
            context,
            network,
            scores: Mutex::default(),
            bans: Mutex::new(file.read()?),
            file,
            changes: watch::Sender::default(),
            enforced: watch::Sender::default(),
        })
    }

    /// Judges what a peer sent: counts it against the peer, which may end its connection, and says what becomes of the message.
    pub(crate) async fn judge(&self, peer: PeerId, conduct: &Conduct<'_>) -> Acceptance {
        let penalty = penalty(conduct);
        let consequence = self.scores().misbehaved(Instant::now(), peer, penalty.misbehaviour);
        if penalty.misbehaviour > 0 {
            debug!(%peer, penalty.misbehaviour, penalty.reason, ?conduct, "peer misbehaved");
        }
        match consequence {
            Consequence::None => {}
            Consequence::Disconnect => {
                info!(%peer, penalty.reason, "peer disconnected for what it did");
                self.context.metrics.peers.count_disconnect(penalty.reason);
                // An error means that the node is stopping.
                let _ = self.network.disconnect(peer).await;
            }
            Consequence::Ban => self.ban_peer(peer, penalty.reason).await,
        }
        penalty.acceptance
    }

    /// Bans a peer for what it did, and its address if that is one of the world's: at home, in a company or on one machine many
    /// share one.
    async fn ban_peer(&self, peer: PeerId, reason: &'static str) {
        warn!(%peer, reason, "peer banned");
        self.context.metrics.peers.count_ban(reason);
        let connected = self.network.connected_peers().into_iter().find(|connected| connected.peer == peer);
        let ip = connected.and_then(|connected| connected.ip()).filter(|ip| is_global(*ip));
        let until = unix_time() + BAN_TIME.as_secs();
        let all = [Some(Banned::Peer(peer)), ip.map(Banned::address)];
        let change = self.change(|bans, now| {
            for banned in all.into_iter().flatten() {
                bans.insert(banned, Ban { created: now, until, reason: reason.to_owned() });
            }
        });
        self.enforced(change).await;
    }

    /// Lets nobody connect who is meant, and closes the connections there are; until `until`, in seconds since 1970. A longer
    /// ban that is there stays as it is. When this returns, the network knows.
    pub(crate) async fn ban(&self, banned: Banned, until: u64, reason: &str) {
        info!(%banned, until, reason, "banned");
        self.context.metrics.peers.count_ban(reason);
        let change =
            self.change(|bans, now| bans.insert(banned, Ban { created: now, until, reason: reason.to_owned() }));
        self.enforced(change).await;
    }

    /// Ends a ban; false when there was none for exactly this. A peer starts anew.
    pub(crate) async fn unban(&self, banned: &Banned) -> bool {
        if let Some(peer) = banned.peer() {
            self.scores().clear(&peer);
        }
        let mut was_there = false;
        let change = self.change(|bans, now| was_there = bans.remove(now, banned));
        self.enforced(change).await;
        was_there
    }

    /// All bans that have not ended.
    pub(crate) fn list(&self) -> Vec<(Banned, Ban)> {
        self.bans().list(unix_time()).map(|(banned, ban)| (*banned, ban.clone())).collect()
    }

    /// Ends all bans.
    pub(crate) async fn clear(&self) {
        let change = self.change(|bans, _| bans.clear());
        self.enforced(change).await;
    }

    /// Tells the network who is banned: now, whenever that changes, and when a ban ends. Runs until the node is to stop.
    ///
    /// # Errors
    ///
    /// Never.
    pub(crate) async fn enforce(self: Arc<Self>) -> Result<(), Infallible> {
        let mut changes = self.changes.subscribe();
        let mut told = None;
        loop {
            let change = *changes.borrow_and_update();
            let now = unix_time();
            let list = self.bans().clone();
            let banned: Vec<_> = list.list(now).map(|(banned, _)| *banned).collect();
            let wait = list.next_end(now).map_or(LONGEST_WAIT, |end| Duration::from_secs(end.saturating_sub(now)));
            if told.as_ref() != Some(&banned) {
                // An error means that the node is stopping.
                let _ = self.network.set_banned(banned.clone()).await;
                told = Some(banned);
            }
            if change > *self.enforced.borrow() {
                self.write(list, now).await;
                self.enforced.send_replace(change);
            }
            tokio::select! {
                biased;
                () = self.context.shutdown.cancelled() => {
                    if *changes.borrow() > change {
                        let list = self.bans().clone();
                        self.write(list, unix_time()).await;
                    }
                    return Ok(());
                }
                // The sender is ours.
                _ = changes.changed() => {}
                () = tokio::time::sleep(wait.min(LONGEST_WAIT)) => {}
            }
        }
    }

    async fn write(&self, list: BanList, now: u64) {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&list, now)).await;
        if let Ok(Err(error)) = written {
            warn!(%error, "bans will be forgotten when the node stops");
        }
    }

    /// Changes the bans. The number of the change, for [`enforced`](Self::enforced).
    fn change(&self, change: impl FnOnce(&mut BanList, u64)) -> u64 {
        let mut bans = self.bans();
        change(&mut bans, unix_time());
        let mut number = 0;
        self.changes.send_modify(|changes| {
            *changes += 1;
            number = *changes;
        });
        number
    }

    /// Waits until the network knows of a change, or the node is to stop.
    async fn enforced(&self, change: u64) {
        let mut enforced = self.enforced.subscribe();
        tokio::select! {
            () = self.context.shutdown.cancelled() => {}
            // The sender is ours.
            _ = enforced.wait_for(|done| *done >= change) => {}
        }
    }

    fn bans(&self) -> MutexGuard<'_, BanList> {
        // Nothing panics while it holds the lock.
        self.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scores(&self) -> MutexGuard<'_, PeerScores> {
        self.scores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since 1970.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
