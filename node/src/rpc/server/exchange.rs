//! One HTTP request and its response (Core: `MaybeDispatchRequestToWorker`, `httpserver.cpp`; `HTTPReq_JSONRPC`,
//! `httprpc.cpp`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tracing::{debug, error, warn};

use super::super::budget::{Charge, UNCOUNTED};
use super::super::call::{Caller, Slot};
use super::super::error::RpcError;
use super::super::execute::{Permission, Reply, execute_body};
use super::super::request::Sender;
use super::Shared;
use super::body::{BodyError, ReceivedBody, discard, receive};

type HttpResponse = Response<Full<Bytes>>;

/// How late wrong passwords are answered (Core: `HTTPReq_JSONRPC`).
const REFUSAL_DELAY: Duration = Duration::from_millis(250);
/// What a client without a password is told to send.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"jsonrpc\"");

/// Answers a request.
pub(super) async fn exchange(shared: Arc<Shared>, peer: SocketAddr, request: Request<Incoming>) -> HttpResponse {
    match admit(&shared, peer, &request).await {
        Ok(permission) => match receive(request.into_body(), &shared.limits, &shared.bodies).await {
            Ok(body) => run(shared, body, permission).await,
            Err(BodyError::TooLarge) => closing(StatusCode::PAYLOAD_TOO_LARGE, ""),
            Err(BodyError::NoRoom) => closing(StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded"),
            Err(BodyError::Lost) => closing(StatusCode::REQUEST_TIMEOUT, ""),
        },
        Err(refusal) => {
            discard_small(&shared, request.into_body()).await;
            refusal
        }
    }
}

/// Checks everything that can be checked without the body.
async fn admit(shared: &Shared, peer: SocketAddr, request: &Request<Incoming>) -> Result<Permission, HttpResponse> {
    if shared.shutdown.is_cancelled() {
        return Err(closing(StatusCode::SERVICE_UNAVAILABLE, "Request rejected during server shutdown"));
    }
    if ![Method::GET, Method::POST, Method::HEAD, Method::PUT].contains(request.method()) {
        return Err(plain(StatusCode::METHOD_NOT_ALLOWED, ""));
    }
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    // There are no wallets here; clients that name one are answered by the node.
    if path != "/" && !path.starts_with("/wallet/") {
        return Err(plain(StatusCode::NOT_FOUND, ""));
    }
    if request.method() != Method::POST {
        return Err(plain(StatusCode::METHOD_NOT_ALLOWED, "JSONRPC server handles only POST requests"));
    }
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return Err(unauthorized());
    };
    if let Some(permission) = shared.authentication.check(header.as_bytes()) {
        return Ok(permission);
    }
    warn!(%peer, "incorrect RPC password");
    // Those who guess wait for each other; who knows the password does not wait for them.
    let _turn = shared.late_refusals.acquire().await;
    tokio::time::sleep(REFUSAL_DELAY).await;
    Err(unauthorized())
}

async fn discard_small(shared: &Shared, body: Incoming) {
    let is_small = usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced <= UNCOUNTED);
    if is_small {
        discard(body, &shared.limits).await;
    }
}

/// Runs what the body asks for, in a task of its own, when it is its turn.
async fn run(shared: Arc<Shared>, body: ReceivedBody, permission: Permission) -> HttpResponse {
    let Some(slot) = queue(&shared).await else {
        warn!("an RPC request was refused: the work queue is full");
        return plain(StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded");
    };
    let caller = Caller { slot, ..Caller::default() };
    // Cancelled with this future, when the connection ends.
    let _gone = caller.gone.clone().drop_guard();
    let task = tokio::spawn(async move {
        let dispatcher = &shared.dispatcher;
        execute_body(dispatcher, &body.bytes, &permission, &caller, &shared.answers).await
    });
    match task.await {
        Ok(reply) => respond(reply),
        Err(failure) => {
            error!(%failure, "an RPC method failed");
            respond(Reply::error(&Sender::UNKNOWN, RpcError::internal("Internal bug detected")))
        }
    }
}

/// Waits for a place to run; none if too many wait already.
async fn queue(shared: &Shared) -> Option<Slot> {
    let executing = Arc::clone(&shared.executing);
    if let Ok(permit) = Arc::clone(&executing).try_acquire_owned() {
        return Some(Slot::new(permit));
    }
    let _place = QueuePlace::take(shared)?;
    // The semaphore is never closed.
    executing.acquire_owned().await.ok().map(Slot::new)
}

/// A request that waits to run, until it is dropped.
struct QueuePlace<'a>(&'a Shared);

impl<'a> QueuePlace<'a> {
    fn take(shared: &'a Shared) -> Option<Self> {
        let most = shared.limits.queued;
        let one_more = |queued| (queued < most).then_some(queued + 1);
        shared.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(shared))
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

fn respond(Reply { status, body, charge }: Reply) -> HttpResponse {
    debug!(%status, bytes = body.len(), "answering an RPC request");
    if body.is_empty() {
        return plain(status, "");
    }
    let mut response = Response::new(Full::new(Bytes::from_owner(ChargedBytes { bytes: body, _charge: charge })));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Bytes that count until they were sent.
struct ChargedBytes {
    bytes: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for ChargedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    if !text.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

/// A response after which the connection ends.
fn closing(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = plain(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn unauthorized() -> HttpResponse {
    let mut response = plain(StatusCode::UNAUTHORIZED, "");
    response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    response
}
