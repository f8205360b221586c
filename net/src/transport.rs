//! How bytes reach a peer: TCP, encrypted and authenticated by Noise, many streams on one connection by Yamux; QUIC, which
//! does all of it itself; names looked up.
//!
//! | file | holds |
//! |---|---|
//! | `private` | proof that both sides have the secret of a private network |
//! | `shaping` | links that can be cut, slowed and broken |

mod private;
mod shaping;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::Either;
use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Transport, dns, noise, quic, tcp, yamux};
use private::private;
use shaping::shaped;
use socket2::{Domain, Socket, Type};
use tokio::sync::watch;

use crate::config::NetworkConfig;
use crate::error::NetworkError;
use crate::links::LinkTable;
use crate::traffic::{CountedMuxer, TrafficCounts};

/// Time for a connection from the first byte to the agreed protocols.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Streams that one peer may have open with us. Our protocols need no more than about forty; a stream may hold 256 KiB that
/// nobody has read.
const MAX_STREAMS: usize = 128;

/// A connection that can carry streams, and who is at its other end.
pub(crate) type PeerTransport = Boxed<(PeerId, StreamMuxerBox)>;

/// The transports of a node with the key `key`, which count their bytes in `traffic`, and whose links are as `links` says if
/// that is there.
///
/// # Errors
///
/// When names are to be looked up and the system does not say where, or when an address would leave out the pre-shared key or
/// what `links` says.
pub(crate) fn transport(
    key: &Keypair,
    config: &NetworkConfig,
    traffic: Arc<TrafficCounts>,
    links: Option<watch::Receiver<LinkTable>>,
) -> Result<PeerTransport, NetworkError> {
    check_addresses(config)?;
    let tcp = tcp_transport(key, config, links)?;
    let direct = if config.quic && !is_tcp_only(config) {
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
    let counted = direct
        .map(move |(peer, muxer), _| {
            let counted = CountedMuxer::new(muxer, peer, Arc::clone(&traffic));
            (peer, StreamMuxerBox::new(counted))
        })
        .boxed();
    if config.dns {
        Ok(dns::tokio::Transport::system(counted).map_err(NetworkError::Dns)?.boxed())
    } else {
        Ok(counted)
    }
}

/// Whether only TCP can do what is asked for.
fn is_tcp_only(config: &NetworkConfig) -> bool {
    config.pre_shared_key.is_some() || config.link_control
}

/// Refuses addresses that a pre-shared key would not protect, and those whose links would not be shaped.
fn check_addresses(config: &NetworkConfig) -> Result<(), NetworkError> {
    if !is_tcp_only(config) {
        return Ok(());
    }
    let groups = [&config.listen, &config.peers, &config.bootstrap, &config.rendezvous];
    let is_unfit = |address: &&Multiaddr| address.iter().any(|part| matches!(part, Protocol::Udp(_)));
    match groups.into_iter().flatten().find(is_unfit).cloned() {
        Some(address) if config.pre_shared_key.is_some() => Err(NetworkError::Unprotected { address }),
        Some(address) => Err(NetworkError::Unshaped { address }),
        None => Ok(()),
    }
}

/// Refuses a TCP address that another process listens on.
///
/// The transport shares ports, so that a node can dial from the one it listens on. Two nodes with the same port would both
/// believe to have it, and each would get half of the connections.
///
/// # Errors
///
/// When the address is taken, or not ours to bind.
pub(crate) fn check_port_is_free(address: &Multiaddr) -> io::Result<()> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    let Some(Protocol::Tcp(port)) = parts.next() else { return Ok(()) };
    if port == 0 {
        return Ok(());
    }
    let address = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of the node's last run may linger on the port.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

fn tcp_transport(
    key: &Keypair,
    config: &NetworkConfig,
    links: Option<watch::Receiver<LinkTable>>,
) -> Result<PeerTransport, NetworkError> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let pre_shared_key = config.pre_shared_key.clone();
    if let Some(links) = links {
        return shaped(tcp, key, pre_shared_key, links);
    }
    match pre_shared_key {
        Some(secret) => secured(tcp.and_then(move |stream, _| private(stream, secret)), key),
        None => secured(tcp, key),
    }
}

/// Adds encryption, authentication and many streams to a transport.
fn secured<T, S>(transport: T, key: &Keypair) -> Result<PeerTransport, NetworkError>
where
    T: Transport<Output = S> + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let secured = transport
        // The dialler names the protocol and goes on without waiting for the peer's word.
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key).map_err(NetworkError::Noise)?)
        .multiplex(yamux_config())
        .timeout(HANDSHAKE_TIMEOUT)
        .boxed();
    Ok(secured)
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS);
    config
}
