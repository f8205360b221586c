//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::Shared;
use super::exchange::exchange;
use super::timed_stream::TimedStream;

/// Bytes of a request's head, and of what is read and written at a time. (Core: `MAX_HEADERS_SIZE`, 8192.)
const BUFFER_BYTES: usize = 16 << 10;
/// How long a connection beyond the limit is spoken to.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 20\r\n\r\nToo many connections";

/// Serves a connection until it ends, or the node stops.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let Ok(_place) = Arc::clone(&shared.connections).try_acquire_owned() else {
        debug!(%peer, "too many RPC connections");
        // Whether it gets there or not, the connection is closed.
        if let Ok(Ok(())) = timeout(REFUSAL_TIME, stream.writable()).await {
            let _ = stream.try_write(REFUSAL);
        }
        return;
    };
    // Without it small answers would wait for the client's acknowledgement; those who cannot set it only wait.
    let _ = stream.set_nodelay(true);
    let limits = shared.limits;
    let stream = TokioIo::new(TimedStream::new(stream, limits.idle));
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(exchange(shared, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shared.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match timeout(limits.grace, connection).await {
                Ok(result) => result,
                Err(_) => return debug!(%peer, "an RPC request was cut off because the node stops"),
            }
        }
    };
    if let Err(error) = result {
        debug!(%peer, %error, "an RPC connection failed");
    }
}
