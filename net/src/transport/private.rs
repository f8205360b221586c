//! Private networks: a connection begins with proof that both sides have the network's secret.
//!
//! libp2p's layer (`pnet`) encrypts with the secret and proves nothing: with another one, each side reads noise where the
//! other wrote sense, and waits for more. So each side writes a few known bytes first and reads those of the other.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::pnet::{PnetConfig, PnetError, PnetOutput, PreSharedKey as PnetKey};
use thiserror::Error;

use crate::pre_shared_key::PreSharedKey;

/// What each side writes first.
const GREETING: [u8; 16] = *b"/cairn/private/1";

/// Why a connection is not one of the private network.
#[derive(Debug, Error)]
pub(crate) enum PrivateError {
    /// The connection ended before it had begun.
    #[error("the peer closed the connection at once: it may have another pre-shared key, or none")]
    Closed(#[source] io::Error),
    /// What came makes no sense with our key.
    #[error("the peer has another pre-shared key, or none")]
    AnotherKey,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for PrivateError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Self::Closed(error)
            }
            _ => Self::Io(error),
        }
    }
}

/// Encrypts a connection with the network's secret.
///
/// # Errors
///
/// When the other side does not have the secret.
pub(crate) async fn private<S>(stream: S, key: PreSharedKey) -> Result<PnetOutput<S>, PrivateError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream =
        PnetConfig::new(PnetKey::new(key.bytes())).handshake(stream).await.map_err(|error| match error {
            PnetError::HandshakeError(error) | PnetError::IoError(error) => PrivateError::from(error),
        })?;
    stream.write_all(&GREETING).await?;
    stream.flush().await?;
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await?;
    if greeting == GREETING { Ok(stream) } else { Err(PrivateError::AnotherKey) }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::future::join;
    use futures::io::Cursor;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const KEY: PreSharedKey = PreSharedKey::new([1; 32]);

    /// Both ends of a connection.
    async fn pair() -> (libp2p::tcp::tokio::TcpStream, libp2p::tcp::tokio::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (one, other) = join(TcpStream::connect(listener.local_addr().unwrap()), listener.accept()).await;
        (libp2p::tcp::tokio::TcpStream(one.unwrap()), libp2p::tcp::tokio::TcpStream(other.unwrap().0))
    }

    #[tokio::test]
    async fn whoever_has_the_key_is_understood() {
        let (one, other) = pair().await;
        let (one, other) = join(private(one, KEY), private(other, KEY)).await;
        let (mut one, mut other) = (one.unwrap(), other.unwrap());
        one.write_all(b"hello").await.unwrap();
        one.flush().await.unwrap();
        let mut heard = [0; 5];
        other.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, *b"hello");
    }

    #[tokio::test]
    async fn another_key_is_noticed_on_both_sides() {
        let (one, other) = pair().await;
        let (one, other) = join(private(one, KEY), private(other, PreSharedKey::new([2; 32]))).await;
        assert!(matches!(one.err().unwrap(), PrivateError::AnotherKey));
        assert!(matches!(other.err().unwrap(), PrivateError::AnotherKey));
    }

    #[tokio::test]
    async fn no_key_is_noticed() {
        let (one, mut other) = pair().await;
        let without = async {
            other.write_all(b"\x13/multistream/1.0.0\n\x07/noise\n and the first message").await.unwrap();
            other
        };
        let (one, _other) = join(private(one, KEY), without).await;
        assert!(matches!(one.err().unwrap(), PrivateError::AnotherKey));
    }

    #[test]
    fn a_connection_that_ends_at_once_is_explained() {
        let error = block_on(private(Cursor::new(vec![0; 30]), KEY)).err().unwrap().to_string();
        assert!(error.contains("pre-shared key"), "{error}");
    }
}
