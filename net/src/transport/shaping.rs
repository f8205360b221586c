//! Links that can be cut, slowed and broken: for networks on one's own machine that are to behave like the world's.
//!
//! What happens to a link happens below encryption, where TCP's bytes are, so that all above meets what it would meet in the
//! world: a byte may come late, and a connection may break, but nothing is ever missing or changed. So a lost segment is one
//! that comes later, when TCP would have sent it again. Each end shapes what it sends.
//!
//! Conditions are by peer, and who that is shows only once the connection is encrypted. Until then those for all hold.
//!
//! | file | holds |
//! |---|---|
//! | `shaper` | when what is sent arrives, and when a connection breaks: decisions |
//! | `queue` | bytes on their way |
//! | `line` | the task that carries a connection |

mod line;
mod queue;
mod shaper;

use std::io;

use futures::{AsyncRead, AsyncWrite, FutureExt};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use libp2p::core::{ConnectedPoint, Endpoint, Negotiated};
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, noise, tcp};
use line::{Carried, LinkCut, carried};
use multistream_select::{NegotiationError, Version, dialer_select_proto, listener_select_proto};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::private::{PrivateError, private};
use super::{HANDSHAKE_TIMEOUT, PeerTransport, yamux_config};
use crate::error::NetworkError;
use crate::links::LinkTable;
use crate::pre_shared_key::PreSharedKey;

/// Why a connection over a shaped link did not begin.
#[derive(Debug, Error)]
enum HandshakeError {
    #[error(transparent)]
    Cut(#[from] LinkCut),
    #[error(transparent)]
    Private(#[from] PrivateError),
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    #[error(transparent)]
    Noise(#[from] noise::Error),
    #[error(transparent)]
    Yamux(#[from] io::Error),
    #[error("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    Timeout,
}

/// Where connections come from whose links are shaped: what [`secured`](super::secured) makes of TCP, with a line below it.
///
/// # Errors
///
/// When the key cannot authenticate connections.
pub(super) fn shaped(
    tcp: tcp::tokio::Transport,
    key: &Keypair,
    pre_shared_key: Option<PreSharedKey>,
    links: watch::Receiver<LinkTable>,
) -> Result<PeerTransport, NetworkError> {
    let noise = noise::Config::new(key).map_err(NetworkError::Noise)?;
    let connection = move |socket: tcp::tokio::TcpStream, endpoint: ConnectedPoint| {
        let (stream, line) = carried(socket.0, links);
        let stream = stream.compat();
        let handshake = async move {
            match pre_shared_key {
                Some(secret) => secure(private(stream, secret).await?, &endpoint, noise, &line).await,
                None => secure(stream, &endpoint, noise, &line).await,
            }
        };
        async { timeout(HANDSHAKE_TIMEOUT, handshake).await.unwrap_or(Err(HandshakeError::Timeout)) }.boxed()
    };
    Ok(tcp.and_then(connection).boxed())
}

/// Encrypts and authenticates a connection, tells its line who is there, and lets it carry many streams.
async fn secure<S>(
    stream: S,
    endpoint: &ConnectedPoint,
    noise: noise::Config,
    line: &Carried,
) -> Result<(PeerId, StreamMuxerBox), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (peer, stream) = upgrade(stream, endpoint, noise).await?;
    line.authenticated(peer)?;
    let muxer = upgrade(stream, endpoint, yamux_config()).await?;
    Ok((peer, StreamMuxerBox::new(muxer)))
}

/// Agrees on a protocol and begins to speak it. libp2p's own has no place where the line could be told who is there.
async fn upgrade<S, U, T, E>(stream: S, endpoint: &ConnectedPoint, upgrade: U) -> Result<T, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    U: InboundConnectionUpgrade<Negotiated<S>, Output = T, Error = E>,
    U: OutboundConnectionUpgrade<Negotiated<S>, Output = T, Error = E>,
    HandshakeError: From<E>,
{
    let protocols = upgrade.protocol_info();
    let upgraded = match endpoint {
        ConnectedPoint::Dialer { role_override: Endpoint::Dialer, .. } => {
            let (protocol, stream) = dialer_select_proto(stream, protocols, Version::V1Lazy).await?;
            upgrade.upgrade_outbound(stream, protocol).await?
        }
        ConnectedPoint::Dialer { .. } | ConnectedPoint::Listener { .. } => {
            let (protocol, stream) = listener_select_proto(stream, protocols).await?;
            upgrade.upgrade_inbound(stream, protocol).await?
        }
    };
    Ok(upgraded)
}
