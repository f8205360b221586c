//! Carries the bytes of one connection, as the conditions of its link say.
//!
//! ```text
//! encryption ─ pipe ─▶ delay queue ─▶ socket      shaped: what we send
//! encryption ◀─ pipe ──────────────── socket      as it comes: the other end shaped it
//! ```

use std::future::pending;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::queue::DelayQueue;
use super::shaper::{SEGMENT, Shaper};
use crate::links::{LinkConditions, LinkTable};

/// Bytes of one connection that are on their way at most: a link with a round trip of a fifth of a second carries ten
/// megabytes a second at that.
const MAX_ON_THE_WAY: usize = 1 << 20;

/// Bytes that are looked at together.
const CHUNK: usize = 16 * 1024;

/// How long the other end may take to accept the rest once ours is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// When nothing is due, the time until the clock is looked at again.
const IDLE: Duration = Duration::from_secs(3600);

/// The link with a peer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the link with {0} is cut")]
pub(super) struct LinkCut(PeerId);

/// Says who is at the other end of a connection that is being carried.
#[derive(Debug)]
pub(super) struct Carried {
    peer: watch::Sender<Option<PeerId>>,
    links: watch::Receiver<LinkTable>,
}

impl Carried {
    /// Who it is: from now on the conditions of the link with that peer count.
    ///
    /// # Errors
    ///
    /// When the link with it is cut.
    pub(super) fn authenticated(&self, peer: PeerId) -> Result<(), LinkCut> {
        self.peer.send_replace(Some(peer));
        if self.links.borrow().of(&peer).is_cut { Err(LinkCut(peer)) } else { Ok(()) }
    }
}

/// Carries a connection for as long as it lasts. What is returned takes its place, and must be told who is at the other end.
pub(super) fn carried(socket: TcpStream, links: watch::Receiver<LinkTable>) -> (DuplexStream, Carried) {
    let (ours, theirs) = duplex(CHUNK);
    let (peer, told) = watch::channel(None);
    // Its keys are random, and so is what it makes of anything.
    let seed = RandomState::new().hash_one(0);
    tokio::spawn(carry(socket, theirs, Link::new(links.clone(), told, seed)));
    (ours, Carried { peer, links })
}

/// What the link does to one connection.
struct Link {
    links: watch::Receiver<LinkTable>,
    peer: watch::Receiver<Option<PeerId>>,
    in_force: LinkConditions,
    shaper: Shaper,
    /// When the connection breaks; never if nothing.
    breaks_at: Option<Instant>,
}

impl Link {
    fn new(links: watch::Receiver<LinkTable>, peer: watch::Receiver<Option<PeerId>>, seed: u64) -> Self {
        Self { links, peer, in_force: LinkConditions::default(), shaper: Shaper::new(seed), breaks_at: None }
    }

    /// Looks at what the link is like now. Whether it breaks the connection.
    fn breaks(&mut self, now: Instant) -> bool {
        let conditions = self.conditions();
        if conditions != self.in_force {
            self.in_force = conditions;
            self.shaper.set(conditions);
            self.breaks_at = self.shaper.life().and_then(|life| now.checked_add(life));
        }
        conditions.is_cut || self.breaks_at.is_some_and(|breaks_at| breaks_at <= now)
    }

    fn conditions(&mut self) -> LinkConditions {
        let (links, peer) = (self.links.borrow_and_update(), *self.peer.borrow_and_update());
        match peer {
            Some(peer) => links.of(&peer),
            // Whether the link is cut shows when it is known whose it is.
            None => LinkConditions { is_cut: false, ..links.all() },
        }
    }

    /// Waits until the link may be another.
    async fn changed(&mut self) {
        tokio::select! {
            Ok(()) = self.links.changed() => {}
            Ok(()) = self.peer.changed() => {}
            // The network is stopping, and closes its connections.
            else => pending().await,
        }
    }
}

/// How a connection ended.
enum End {
    /// One of the ends closed it, and the other has heard of it.
    Closed,
    /// The link broke.
    Broken,
}

async fn carry(mut socket: TcpStream, pipe: DuplexStream, link: Link) {
    if let End::Broken = carry_until_end(&mut socket, pipe, link).await {
        // What is on its way is lost, and the other end hears at once. An error means that it has heard already.
        let _ = socket.set_zero_linger();
    }
}

async fn carry_until_end(socket: &mut TcpStream, pipe: DuplexStream, mut link: Link) -> End {
    let (mut from_peer, mut to_peer) = socket.split();
    let (mut from_us, mut to_us) = split(pipe);
    let mut inbound = pin!(async move {
        // Either way nothing more comes.
        let _ = copy(&mut from_peer, &mut to_us).await;
        let _ = to_us.shutdown().await;
    });
    // Whether the peer sends no more, and until when it may take what we sent before we closed.
    let (mut is_peer_done, mut closing) = (false, None);
    let mut queue = DelayQueue::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        let now = Instant::now();
        if link.breaks(now) {
            return End::Broken;
        }
        if let Some(deadline) = closing {
            if deadline <= now || (is_peer_done && queue.is_empty()) {
                return End::Closed;
            }
            if queue.is_empty() {
                // An error means that the peer has gone, which the other direction tells.
                let _ = to_peer.shutdown().await;
            }
        }
        queue.advance(now);
        let room = link.shaper.room(now);
        let wake = [queue.next_arrival(), room.err(), link.breaks_at, closing].into_iter().flatten().min();
        let room = room.unwrap_or(0).min(MAX_ON_THE_WAY - queue.len()).min(CHUNK);
        tokio::select! {
            read = from_us.read(&mut buffer[..room]), if closing.is_none() && room > 0 => match read {
                Ok(count @ 1..) => {
                    let now = Instant::now();
                    for segment in buffer[..count].chunks(SEGMENT) {
                        queue.push(link.shaper.send(now, segment.len()), segment);
                    }
                }
                Ok(0) | Err(_) => closing = Some(now + CLOSE_TIMEOUT),
            },
            written = to_peer.write(queue.arrived()), if !queue.arrived().is_empty() => match written {
                Ok(count @ 1..) => queue.consume(count),
                Ok(0) | Err(_) => return End::Closed,
            },
            () = &mut inbound, if !is_peer_done => is_peer_done = true,
            () = link.changed() => {}
            () = sleep_until(wake.unwrap_or(now + IDLE).into()) => {}
        }
    }
}

#[cfg(test)]
mod tests;
