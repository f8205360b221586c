//! Where metrics are served, and health beside them.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::Metrics;
use super::collect::Collector;
use crate::health;
use crate::node::Phase;

/// The text format (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone)]
struct Served {
    metrics: Metrics,
    collector: Collector,
    phase: watch::Receiver<Phase>,
}

/// `/metrics`, `/healthy` and `/ready`.
pub(crate) fn router(metrics: Metrics, phase: watch::Receiver<Phase>) -> Router {
    let served = Served { metrics, collector: Collector::default(), phase: phase.clone() };
    let metrics = Router::new().route("/metrics", get(serve_metrics)).with_state(served);
    metrics.merge(health::router(phase))
}

async fn serve_metrics(State(served): State<Served>) -> Response {
    let phase = served.phase.borrow().clone();
    if let Phase::Running(context) = phase {
        served.collector.refresh(&served.metrics, &context).await;
    }
    match served.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
