//! How bytes reach a peer: TCP, encrypted and authenticated by Noise, many streams on one connection by Yamux; QUIC, which
//! does all of it itself; names looked up.

use std::time::Duration;

use futures::future::Either;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, dns, noise, quic, tcp, yamux};

use crate::error::NetworkError;

/// Time for a connection from the first byte to the agreed protocols.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Streams that one peer may have open with us. Our protocols need no more than about forty; a stream may hold 256 KiB that
/// nobody has read.
const MAX_STREAMS: usize = 128;

/// A connection that can carry streams, and who is at its other end.
pub(crate) type PeerTransport = Boxed<(PeerId, StreamMuxerBox)>;

/// The transports of a node with the key `key`.
///
/// # Errors
///
/// When names are to be looked up and the system does not say where.
pub(crate) fn transport(key: &Keypair, with_quic: bool, with_dns: bool) -> Result<PeerTransport, NetworkError> {
    let tcp = tcp_transport(key)?;
    let direct = if with_quic {
        let quic = quic::tokio::Transport::new(quic::Config::new(key));
        tcp.or_transport(quic)
            .map(|connection, _| match connection {
                Either::Left((peer, muxer)) => (peer, muxer),
                Either::Right((peer, connection)) => (peer, StreamMuxerBox::new(connection)),
            })
            .boxed()
    } else {
        tcp
    };
    if with_dns { Ok(dns::tokio::Transport::system(direct).map_err(NetworkError::Dns)?.boxed()) } else { Ok(direct) }
}

fn tcp_transport(key: &Keypair) -> Result<PeerTransport, NetworkError> {
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(MAX_STREAMS);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        // The dialler names the protocol and goes on without waiting for the peer's word.
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key).map_err(NetworkError::Noise)?)
        .multiplex(yamux)
        .timeout(HANDSHAKE_TIMEOUT)
        .boxed();
    Ok(tcp)
}
