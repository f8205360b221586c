//! Calls find their methods, and run (Core: `CRPCTable::execute`, `rpc/server.cpp`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::call::{Call, Caller};
use super::error::{RpcErrorCode, RpcResult};
use super::observer::RpcObserver;
use super::table::{Method, find_method, not_found};
use super::warmup::Warmup;

/// What calls of all clients share.
#[derive(Debug)]
pub(super) struct Dispatcher {
    pub(super) warmup: Warmup,
    /// What `getrpcinfo` shows.
    pub(super) log_path: Option<PathBuf>,
    /// The port in the examples of help texts.
    pub(super) rpc_port: u16,
    observer: Option<Arc<dyn RpcObserver>>,
    active: Mutex<Active>,
}

/// Calls that run, in the order in which they began.
#[derive(Debug, Default)]
struct Active {
    next: u64,
    calls: BTreeMap<u64, (&'static str, Instant)>,
}

impl Dispatcher {
    pub(super) fn new(rpc_port: u16, log_path: Option<PathBuf>, observer: Option<Arc<dyn RpcObserver>>) -> Self {
        Self { warmup: Warmup::new(), log_path, rpc_port, observer, active: Mutex::default() }
    }

    /// Runs a method.
    pub(super) async fn execute(self: &Arc<Self>, name: &str, params: Option<&RawValue>, caller: &Caller) -> RpcResult {
        let context = self.warmup.context()?;
        let method = find_method(name).ok_or_else(|| not_found(name))?;
        let mut running = Running::start(self, method);
        let result = match Arguments::match_parameters(method, params, self.rpc_port) {
            Ok(arguments) => {
                let call = Call { context, arguments, dispatcher: Arc::clone(self), caller: caller.clone() };
                (method.handler)(call).await
            }
            Err(error) => Err(error),
        };
        running.error = result.as_ref().err().map(|error| error.code.number());
        result
    }

    /// The methods that run, and for how long they have.
    pub(super) fn active(&self) -> Vec<(&'static str, Duration)> {
        self.lock_active().calls.values().map(|(method, start)| (*method, start.elapsed())).collect()
    }

    fn lock_active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that runs, until it is dropped.
struct Running<'a> {
    dispatcher: &'a Dispatcher,
    method: &'static str,
    number: u64,
    start: Instant,
    /// What it fails with; a call that is cut off fails without a word.
    error: Option<i32>,
}

impl<'a> Running<'a> {
    fn start(dispatcher: &'a Dispatcher, method: &'static Method) -> Self {
        let start = Instant::now();
        let method = method.name;
        let mut active = dispatcher.lock_active();
        let number = active.next;
        active.next += 1;
        active.calls.insert(number, (method, start));
        drop(active);
        if let Some(observer) = &dispatcher.observer {
            observer.started(method);
        }
        Self { dispatcher, method, number, start, error: Some(RpcErrorCode::InternalError.number()) }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.dispatcher.lock_active().calls.remove(&self.number);
        if let Some(observer) = &self.dispatcher.observer {
            observer.finished(self.method, self.start.elapsed(), self.error);
        }
    }
}
