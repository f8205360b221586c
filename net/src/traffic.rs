//! Bytes that went to and came from peers.
//!
//! Counted is what streams carry, on every transport alike. What encryption, multiplexing and the transport add to it is not.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{AsyncRead, AsyncWrite};
use libp2p::PeerId;
use libp2p::core::StreamMuxer;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerEvent, SubstreamBox};

use crate::counters::Counter;

/// Bytes that came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
}

#[derive(Debug, Default)]
struct Counts {
    received: Counter,
    sent: Counter,
}

impl Counts {
    fn get(&self) -> Traffic {
        Traffic { received: self.received.get(), sent: self.sent.get() }
    }
}

/// The traffic with one peer.
#[derive(Debug, Default)]
struct PeerCounts {
    counts: Counts,
    /// When bytes came and went last, in seconds since 1970; 0 if never.
    last_received: AtomicU64,
    last_sent: AtomicU64,
}

/// What is known of the traffic with one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PeerTraffic {
    pub(crate) traffic: Traffic,
    /// When bytes came last, to the second.
    pub(crate) last_received: Option<SystemTime>,
    /// When bytes went last, to the second.
    pub(crate) last_sent: Option<SystemTime>,
}

impl PeerCounts {
    fn get(&self) -> PeerTraffic {
        let time = |seconds: &AtomicU64| match seconds.load(Ordering::Relaxed) {
            0 => None,
            seconds => UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
        };
        PeerTraffic {
            traffic: self.counts.get(),
            last_received: time(&self.last_received),
            last_sent: time(&self.last_sent),
        }
    }
}

/// Now, in seconds since 1970.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The traffic of all connections.
#[derive(Debug, Default)]
pub(crate) struct TrafficCounts {
    total: Counts,
    /// Of each peer that has connections, with their number.
    peers: Mutex<HashMap<PeerId, (usize, Arc<PeerCounts>)>>,
}

impl TrafficCounts {
    /// Of all connections since the start.
    pub(crate) fn total(&self) -> Traffic {
        self.total.get()
    }

    /// Of the connections with one peer.
    pub(crate) fn of(&self, peer: &PeerId) -> PeerTraffic {
        self.peers().get(peer).map(|(_, counts)| counts.get()).unwrap_or_default()
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<PeerId, (usize, Arc<PeerCounts>)>> {
        // Nothing panics while it holds the lock.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection whose streams are counted.
pub(crate) struct CountedMuxer {
    inner: StreamMuxerBox,
    peer: PeerId,
    all: Arc<TrafficCounts>,
    counts: Arc<PeerCounts>,
}

impl CountedMuxer {
    pub(crate) fn new(inner: StreamMuxerBox, peer: PeerId, all: Arc<TrafficCounts>) -> Self {
        let counts = {
            let mut peers = all.peers();
            let (connections, counts) = peers.entry(peer).or_default();
            *connections += 1;
            Arc::clone(counts)
        };
        Self { inner, peer, all, counts }
    }

    fn counted(&self, inner: SubstreamBox) -> CountedStream {
        CountedStream { inner, all: Arc::clone(&self.all), peer: Arc::clone(&self.counts) }
    }
}

impl Drop for CountedMuxer {
    fn drop(&mut self) {
        let mut peers = self.all.peers();
        if let Some((connections, _)) = peers.get_mut(&self.peer) {
            *connections -= 1;
            if *connections == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

impl StreamMuxer for CountedMuxer {
    type Substream = CountedStream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<CountedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(context))?;
        Poll::Ready(Ok(self.counted(stream)))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<CountedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(context))?;
        Poll::Ready(Ok(self.counted(stream)))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(context)
    }
}

/// A stream that is counted.
pub(crate) struct CountedStream {
    inner: SubstreamBox,
    all: Arc<TrafficCounts>,
    peer: Arc<PeerCounts>,
}

impl CountedStream {
    fn received(&self, bytes: usize) {
        self.all.total.received.add(bytes as u64);
        self.peer.counts.received.add(bytes as u64);
        self.peer.last_received.store(unix_time(), Ordering::Relaxed);
    }

    fn sent(&self, bytes: usize) {
        self.all.total.sent.add(bytes as u64);
        self.peer.counts.sent.add(bytes as u64);
        self.peer.last_sent.store(unix_time(), Ordering::Relaxed);
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        self.received(bytes);
        Poll::Ready(Ok(bytes))
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [io::IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.inner).poll_read_vectored(context, buffers))?;
        self.received(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(context, buffers))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}
