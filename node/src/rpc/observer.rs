//! Who wants to know which methods are called.

use std::fmt::Debug;
use std::time::Duration;

/// Told of every call of a method that exists. Must not block.
pub(crate) trait RpcObserver: Debug + Send + Sync {
    /// A call began.
    fn started(&self, method: &'static str) {
        let _ = method;
    }

    /// A call ended, with the code of its error if it failed.
    fn finished(&self, method: &'static str, duration: Duration, error: Option<i32>) {
        let _ = (method, duration, error);
    }
}
