//! Whether the node is well, for those who restart nodes and those who send them work.
//!
//! - `/healthy`: whether it does anything at all. If not, restarting it may help.
//! - `/ready`: whether what it says can be relied on. If not, waiting helps.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::header};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::context::NodeContext;
use crate::node::Phase;

/// Time in which the chain thread answers when it is well.
const PATIENCE: Duration = Duration::from_secs(5);
/// Networks that anybody may join, where a chain that stands still lacks blocks that others have.
const PUBLIC_NETWORKS: [&str; 4] = ["cairn", "main", "testnet4", "signet"];

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// Whether all is well.
    pub(crate) ok: bool,
    /// What is not, or what the node is doing.
    pub(crate) reasons: Vec<String>,
}

impl Health {
    fn new(ok: bool, reason: impl Into<String>) -> Self {
        Self { ok, reasons: vec![reason.into()] }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = if self.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let body = serde_json::to_string(&self).expect("texts can be written") + "\n";
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        (status, headers, body).into_response()
    }
}

/// `/healthy` and `/ready`.
pub(crate) fn router(phase: watch::Receiver<Phase>) -> Router {
    Router::new().route("/healthy", get(healthy)).route("/ready", get(ready)).with_state(phase)
}

async fn healthy(State(phase): State<watch::Receiver<Phase>>) -> Health {
    let phase = phase.borrow().clone();
    match phase {
        // Whoever kills a node that warms up or stops only makes it take longer.
        Phase::WarmUp(what) => Health::new(true, format!("warming up: {what}")),
        Phase::Stopping => Health::new(true, "stopping"),
        Phase::Running(context) => match timeout(PATIENCE, context.chain.call(|_| ())).await {
            Ok(Ok(())) => Health { ok: true, reasons: Vec::new() },
            Ok(Err(_)) => Health::new(false, "the chain thread has ended"),
            Err(_) => Health::new(false, busy()),
        },
    }
}

async fn ready(State(phase): State<watch::Receiver<Phase>>) -> Health {
    let phase = phase.borrow().clone();
    match phase {
        Phase::WarmUp(what) => Health::new(false, format!("warming up: {what}")),
        Phase::Stopping => Health::new(false, "stopping"),
        Phase::Running(context) => running_ready(&context).await,
    }
}

async fn running_ready(context: &NodeContext) -> Health {
    match timeout(PATIENCE, context.chain.call(|chain| chain.chainstate.status())).await {
        Ok(Ok(Ok(status))) => {
            let is_public = PUBLIC_NETWORKS.contains(&context.params.name.as_str());
            if is_public && status.is_initial_block_download {
                let reason = format!("initial block download: the tip is at height {}", status.tip.height);
                return Health::new(false, reason);
            }
            Health { ok: true, reasons: Vec::new() }
        }
        Ok(Ok(Err(error))) => Health::new(false, error.to_string()),
        Ok(Err(_)) => Health::new(false, "the chain thread has ended"),
        Err(_) => Health::new(false, busy()),
    }
}

fn busy() -> String {
    format!("the chain thread did not answer within {} seconds", PATIENCE.as_secs())
}
