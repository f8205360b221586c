//! Calls find their methods, and run (Core: `CRPCTable::execute`, `rpc/server.cpp`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::call::{Call, Caller};
use super::error::{RpcError, RpcErrorCode, RpcResult};
use super::methods::ManyHandler;
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

    /// Runs a method several times, one after the other, by what does that faster. `params` are those of each time.
    pub(super) async fn execute_many(
        self: &Arc<Self>,
        name: &str,
        handler: ManyHandler,
        params: &[Option<&RawValue>],
    ) -> Vec<RpcResult> {
        let found = self.warmup.context().and_then(|context| {
            let method = find_method(name).ok_or_else(|| not_found(name))?;
            Ok((context, method))
        });
        let (context, method) = match found {
            Ok(found) => found,
            Err(error) => return params.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut running: Vec<_> = params.iter().map(|_| Running::start(self, method)).collect();
        let mut results = Vec::with_capacity(params.len());
        let mut calls = Vec::with_capacity(params.len());
        for params in params {
            // Whatever takes the place of an error here is replaced below.
            results.push(Arguments::match_parameters(method, *params, self.rpc_port).map(|arguments| {
                calls.push(arguments);
                RawValue::NULL.to_owned()
            }));
        }
        let mut answers = handler(context, calls).await.into_iter();
        for (result, running) in results.iter_mut().zip(&mut running) {
            if result.is_ok() {
                *result = answers.next().unwrap_or_else(|| Err(RpcError::internal("Internal bug detected: no answer")));
            }
            running.error = result.as_ref().err().map(|error| error.code.number());
            running.share = params.len();
        }
        results
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
    /// How many calls took the time together.
    share: usize,
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
        Self { dispatcher, method, number, start, error: Some(RpcErrorCode::InternalError.number()), share: 1 }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.dispatcher.lock_active().calls.remove(&self.number);
        if let Some(observer) = &self.dispatcher.observer {
            let share = u32::try_from(self.share).unwrap_or(u32::MAX);
            observer.finished(self.method, self.start.elapsed() / share, self.error);
        }
    }
}
