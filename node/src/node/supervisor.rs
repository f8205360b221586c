//! What systemd is told, if it started us and wants to know (`Type=notify`).

use sd_notify::NotifyState;
use tracing::debug;

/// The node starts; this is what it does.
pub(super) fn starting(what: &str) {
    notify(&[NotifyState::Status(what)]);
}

/// The node runs.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The node stops.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "cannot reach the supervisor");
    }
}
