//! Bodies, received within bounds.

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::super::budget::{Budget, Charge, UNCOUNTED};
use super::super::options::RpcLimits;

/// Why a body was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than one may be.
    TooLarge,
    /// With the others there are it is larger than all may be.
    NoRoom,
    /// It took too long, or the connection failed.
    Lost,
}

/// A body and the memory it takes.
#[derive(Debug)]
pub(super) struct ReceivedBody {
    pub(super) bytes: Vec<u8>,
    /// Given back when the body is dropped.
    #[expect(dead_code, reason = "it is held, not read")]
    charge: Charge,
}

/// Receives a body. What it takes is counted as it comes: a client that announces much and sends little takes little.
pub(super) async fn receive(body: Incoming, limits: &RpcLimits, budget: &Budget) -> Result<ReceivedBody, BodyError> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > limits.body_bytes) {
        return Err(BodyError::TooLarge);
    }
    timeout(limits.body_time, receive_all(body, limits, budget)).await.unwrap_or(Err(BodyError::Lost))
}

async fn receive_all(mut body: Incoming, limits: &RpcLimits, budget: &Budget) -> Result<ReceivedBody, BodyError> {
    let mut bytes = Vec::new();
    let mut charge = Charge::default();
    loop {
        let frame = timeout(limits.idle, body.frame()).await.map_err(|_| BodyError::Lost)?;
        let Some(frame) = frame else {
            return Ok(ReceivedBody { bytes, charge });
        };
        // Trailers say nothing here.
        let Ok(data) = frame.map_err(|_| BodyError::Lost)?.into_data() else {
            continue;
        };
        let length = bytes.len() + data.len();
        if length > limits.body_bytes {
            return Err(BodyError::TooLarge);
        }
        if !charge.try_grow_to(budget, length) {
            return Err(BodyError::NoRoom);
        }
        bytes.extend_from_slice(&data);
    }
}

/// Reads a small body that nobody wants, so that the connection can be used again, or at least is not reset before the
/// client has read the response.
pub(super) async fn discard(mut body: Incoming, limits: &RpcLimits) {
    let read = async {
        let mut left = UNCOUNTED;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, hyper::body::Bytes::len)) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Either way the response is sent.
    let _ = timeout(limits.idle, read).await;
}
