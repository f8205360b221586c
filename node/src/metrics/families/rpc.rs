//! JSON-RPC.

use super::Family;

pub(crate) const REQUESTS: Family =
    Family::counter("cairn_rpc_requests_total", "Calls that were answered, by method and kind of answer.")
        .with_labels(&["method", "outcome"]);
pub(crate) const REQUEST_DURATION: Family = Family::histogram(
    "cairn_rpc_request_duration_seconds",
    "Time that calls took, by method.",
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0],
)
.with_labels(&["method"]);
pub(crate) const ACTIVE_REQUESTS: Family = Family::gauge("cairn_rpc_active_requests", "Calls that are being answered.");

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[&REQUESTS, &REQUEST_DURATION, &ACTIVE_REQUESTS];
