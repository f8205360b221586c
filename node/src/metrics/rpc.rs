//! Metrics of JSON-RPC.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};

use super::families::rpc;
use crate::rpc::RpcObserver;

/// Metrics of JSON-RPC. Methods are names of the table of methods, never what a client sent.
#[derive(Debug)]
pub(crate) struct RpcMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    active: IntGauge,
}

impl RpcMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: rpc::REQUESTS.int_counter_vec(registry)?,
            duration: rpc::REQUEST_DURATION.histogram_vec(registry)?,
            active: rpc::ACTIVE_REQUESTS.int_gauge(registry)?,
        })
    }
}

impl RpcObserver for RpcMetrics {
    fn started(&self, _: &'static str) {
        self.active.inc();
    }

    fn finished(&self, method: &'static str, duration: Duration, error: Option<i32>) {
        self.active.dec();
        self.duration.with_label_values(&[method]).observe(duration.as_secs_f64());
        self.requests.with_label_values(&[method, outcome(error)]).inc();
    }
}

/// What a code means, roughly (Core: `RPCErrorCode`, `rpc/protocol.h`).
fn outcome(error: Option<i32>) -> &'static str {
    match error {
        None => "ok",
        Some(-28) => "warm_up",
        // Invalid request, unknown method, parse error, wrong types and values: the caller's fault.
        Some(-32_600 | -32_601 | -32_602 | -32_700 | -3 | -8) => "bad_request",
        Some(-32_603 | -20 | -7) => "internal_error",
        Some(_) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_what_came_of_them() {
        let registry = Registry::new();
        let metrics = RpcMetrics::new(&registry).unwrap();
        for (error, outcome) in [
            (None, "ok"),
            (Some(-28), "warm_up"),
            (Some(-8), "bad_request"),
            (Some(-5), "refused"),
            (Some(-32_603), "internal_error"),
        ] {
            metrics.started("getblock");
            assert_eq!(metrics.active.get(), 1);
            metrics.finished("getblock", Duration::from_millis(2), error);
            assert_eq!(metrics.active.get(), 0);
            assert_eq!(metrics.requests.with_label_values(&["getblock", outcome]).get(), 1);
        }
        assert_eq!(metrics.duration.with_label_values(&["getblock"]).get_sample_count(), 5);
    }
}
