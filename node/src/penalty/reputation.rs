//! Peers get what they deserve.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cairn_net::{Acceptance, NetworkHandle, NetworkStopped, PeerId};
use tracing::{debug, info, warn};

use super::{Ban, BanList, BanListError, Banned, Conduct, Consequence, PeerScores, penalty};
use crate::context::SharedContext;

/// How long a peer is banned that misbehaved (Core: `DEFAULT_MISBEHAVING_BANTIME`, `banman.h`).
const BAN_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What peers did, and who may not come back.
#[derive(Debug)]
pub(crate) struct Reputation {
    context: SharedContext,
    network: NetworkHandle,
    scores: Mutex<PeerScores>,
    bans: Mutex<BanList>,
}

impl Reputation {
    /// Reads who is banned, and tells the network.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    pub(crate) fn open(context: SharedContext, network: NetworkHandle) -> Result<Self, BanListError> {
        let bans = BanList::open(&context.directory)?;
        Ok(Self { context, network, scores: Mutex::default(), bans: Mutex::new(bans) })
    }

    /// Judges what a peer sent: counts it against the peer, which may end its connection, and says what becomes of the message.
    pub(crate) async fn judge(&self, peer: PeerId, conduct: &Conduct<'_>) -> Acceptance {
        let penalty = penalty(conduct);
        let misbehaved = |scores: &mut PeerScores| scores.misbehaved(Instant::now(), peer, penalty.misbehaviour);
        let consequence = misbehaved(&mut self.scores.lock().unwrap_or_else(PoisonError::into_inner));
        if penalty.misbehaviour > 0 {
            debug!(%peer, penalty.misbehaviour, penalty.reason, ?conduct, "peer misbehaved");
        }
        let done = match consequence {
            Consequence::None => Ok(()),
            Consequence::Disconnect => {
                info!(%peer, penalty.reason, "peer disconnected for what it did");
                self.context.metrics.peers.count_disconnect(penalty.reason);
                self.network.disconnect(peer).await
            }
            Consequence::Ban => self.ban_peer(peer, penalty.reason).await,
        };
        // An error means that the node is stopping.
        let _ = done;
        penalty.acceptance
    }

    /// Bans a peer for what it did, and its address if that is one of the world's: at home, in a company or on one machine many
    /// share one.
    async fn ban_peer(&self, peer: PeerId, reason: &'static str) -> Result<(), NetworkStopped> {
        warn!(%peer, reason, "peer banned");
        self.context.metrics.peers.count_ban(reason);
        let connected = self.network.connected_peers().into_iter().find(|connected| connected.peer == peer);
        let ip = connected.and_then(|connected| connected.ip()).filter(|ip| is_global(*ip));
        let now = unix_time();
        let ban = Ban { created: now, until: now + BAN_TIME.as_secs(), reason: reason.to_owned() };
        let all = [Some(Banned::Peer(peer)), ip.map(Banned::address)];
        for banned in all.into_iter().flatten() {
            if let Err(error) = self.insert(banned, ban.clone()).await {
                warn!(%error, "a ban will be forgotten when the node stops");
            }
        }
        self.network.disconnect(peer).await
    }

    async fn insert(&self, banned: Banned, ban: Ban) -> Result<(), BanListError> {
        self.bans.lock().unwrap_or_else(PoisonError::into_inner).insert(banned, ban)
    }
}

/// Seconds since 1970.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether an address is one of the world's, and not of a machine, a network at home or a range kept for other uses (IANA's
/// special-purpose address registries).
fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            let is_special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
            !(is_special || is_shared || first == 0 || first >= 224)
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_global(IpAddr::V4(ip)),
            // 2000::/3 is all that was ever given out, and 2001:db8::/32 is for documentation.
            None => ip.segments()[0] & 0xe000 == 0x2000 && ip.segments()[..2] != [0x2001, 0x0db8],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_many_share_are_not_of_the_world() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
        ] {
            assert!(!is_global(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "100.63.0.1", "2606:4700::1", "::ffff:8.8.8.8"] {
            assert!(is_global(ip.parse().unwrap()), "{ip}");
        }
    }
}
