//! Random and malformed requests: what is answered, and what the node is like afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::random::Random;

use crate::bodies::{Request, request};
use crate::environment::{number, seed};
use crate::harness::node_process::{Datadir, Node, wait_for};
use crate::http::{Access, Client, PATIENCE, Response, exchange};
use crate::noise::{AUTHORIZATION, Noise};
use crate::process::Usage;
use crate::verdict::{judge, judge_form};
use crate::world::World;

/// Clients at the same time.
const CLIENTS: usize = 8;
/// Requests after which the clock is set right and all blocks count again.
const RESTORE_EVERY: usize = 200;
/// How long a client waits for what may never come.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);
/// Wrong answers after which there are enough.
const MAX_FAILURES: usize = 20;
/// Requests of which nearly every method is called rightly by some.
const ENOUGH: usize = 10_000;
/// Bytes of a request that are shown.
const SHOWN: usize = 1500;
/// The most memory that the node may ever take, in KiB; a tenth of it is usual. The bodies there are at a time take 128 MiB at most and answers 256
/// MiB (`RpcLimits`); what is made of a body of 12 MiB while it is read takes several times as much, and there are eight
/// clients.
const MOST_MEMORY: usize = 1 << 20;
/// The most memory that it may still take when all is over, in KiB, beside what it took before: pool and chain grew a little,
/// and the allocator keeps some for the next time.
const MEMORY_LEFT: usize = 200 << 10;

/// A node that writes what it says into a file, where it never has to wait for somebody to read it.
pub(crate) fn start(datadir: &Datadir, args: &[&str]) -> (Node, PathBuf) {
    let log = datadir.path().join("stderr.log");
    let file = File::options().create(true).append(true).open(&log).unwrap();
    let child = datadir.node_command("regtest", args).stdout(Stdio::null()).stderr(file).spawn().unwrap();
    (datadir.attach("regtest", child), log)
}

/// Shows the end of what the node said when the test fails.
pub(crate) struct ShownLog<'a>(pub(crate) &'a Path);

impl Drop for ShownLog<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let said = fs::read_to_string(self.0).unwrap_or_default();
            // Wrong passwords alone would fill pages.
            let lines = said.lines().filter(|line| !line.contains("incorrect RPC password"));
            let lines: Vec<&str> = lines.collect();
            println!("the node said at the end:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

/// Panics if the node did.
pub(crate) fn check_log(log: &Path) {
    let said = fs::read_to_string(log).unwrap();
    let at = said.find("panicked at").or_else(|| said.find("RPC method failed"));
    assert!(at.is_none(), "{}", &said[at.unwrap_or(0)..].chars().take(3000).collect::<String>());
}

/// What became of the requests.
#[derive(Debug, Default)]
struct Tally {
    /// Requests, and the slowest, by kind.
    kinds: BTreeMap<&'static str, (usize, Duration)>,
    statuses: BTreeMap<u16, usize>,
    /// Requests that were given up as they may wait for ever.
    given_up: usize,
    /// Methods that were called rightly, as JSON.
    called: BTreeSet<String>,
    failures: Vec<String>,
}

/// What all clients share.
struct Attack<'a> {
    access: &'a Access,
    world: &'a World,
    seed: u64,
    count: usize,
    next: AtomicUsize,
    tally: Mutex<Tally>,
}

impl Attack<'_> {
    fn run_client(&self) {
        let mut client = Client::new(self.access.clone());
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count || self.tally.lock().unwrap().failures.len() >= MAX_FAILURES {
                return;
            }
            if number.is_multiple_of(RESTORE_EVERY) {
                self.restore(number);
            }
            let mut random =
                Random::new(self.seed ^ u64::try_from(number).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15));
            self.send(&mut client, number, request(&mut random, self.world));
        }
    }

    /// Sets the clock right, and lets all blocks count again.
    fn restore(&self, number: usize) {
        let reconsider = |hash: &String| ("reconsiderblock", format!("[\"{hash}\"]"));
        let calls = self.world.block_hashes.iter().map(reconsider);
        for (method, params) in [("setmocktime", "[0]".to_owned())].into_iter().chain(calls) {
            if let Err(error) = self.access.try_call(method, &params) {
                self.tally
                    .lock()
                    .unwrap()
                    .failures
                    .push(format!("before request {number}, {method} {params}: {error}"));
            }
        }
    }

    fn send(&self, client: &mut Client, number: usize, request: Request) {
        let start = Instant::now();
        let (kind, sent, verdict) = match request {
            Request::Body { kind, body, expected, may_wait, method } => {
                let patience = if may_wait { SHORT_PATIENCE } else { PATIENCE };
                let answer = client.post(&body, patience);
                let is_late = answer.as_ref().is_err_and(is_timeout);
                if is_late {
                    *client = Client::new(self.access.clone());
                }
                let verdict = match &answer {
                    Err(_) if may_wait && is_late => {
                        self.tally.lock().unwrap().given_up += 1;
                        Ok(())
                    }
                    Ok(response) => {
                        if response.status == 200 && !response.has_error() {
                            self.tally.lock().unwrap().called.extend(method);
                        }
                        self.note(response, judge(response, &expected))
                    }
                    Err(error) => Err(format!("{error}, expected {expected:.200?}")),
                };
                (kind, body, verdict)
            }
            Request::Raw(Noise { kind, bytes, half_close, statuses }) => {
                let bytes = self.with_password(&bytes);
                let verdict = exchange(self.access, &bytes, half_close).map_err(|error| error.to_string());
                let verdict = verdict.and_then(|responses| self.judge_noise(&responses, statuses));
                (kind, bytes, verdict)
            }
        };
        let mut tally = self.tally.lock().unwrap();
        let (count, slowest) = tally.kinds.entry(kind).or_default();
        *count += 1;
        *slowest = (*slowest).max(start.elapsed());
        if let Err(problem) = verdict {
            let sent = String::from_utf8_lossy(&sent[..sent.len().min(SHOWN)]).into_owned();
            tally.failures.push(format!("request {number}, {kind}: {problem}\n  sent: {sent}"));
        }
    }

    fn note(&self, response: &Response, verdict: Result<(), String>) -> Result<(), String> {
        *self.tally.lock().unwrap().statuses.entry(response.status).or_default() += 1;
        let body = String::from_utf8_lossy(&response.body[..response.body.len().min(SHOWN)]).into_owned();
        verdict.map_err(|problem| format!("{problem}\n  answered: {}: {body}", response.status))
    }

    fn judge_noise(&self, responses: &[Response], statuses: Option<&[u16]>) -> Result<(), String> {
        for response in responses {
            self.note(response, judge_form(response))?;
        }
        match (statuses, responses.first()) {
            (None, _) => Ok(()),
            (Some(statuses), Some(first)) if statuses.contains(&first.status) => Ok(()),
            (Some(statuses), first) => Err(format!("expected {statuses:?}, got {first:?}")),
        }
    }

    fn with_password(&self, bytes: &[u8]) -> Vec<u8> {
        // Bytes that are no text have no password to be filled in.
        let right = format!("Authorization: {}\r\n", self.access.authorization);
        std::str::from_utf8(bytes).map_or(bytes.to_vec(), |text| text.replace(AUTHORIZATION, &right).into_bytes())
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[test]
fn every_request_is_answered_as_core_would() {
    let (seed, count) = (seed(), number("CAIRN_REQUESTS", 10_000));
    let datadir = Datadir::with_chain();
    let (node, log) = start(&datadir, &["--rpc-server-timeout", "5", "--min-relay-fee", "0"]);
    let _shown = ShownLog(&log);
    let access = Access::of(&datadir, &node);
    let world = World::ask(&access);
    let before = Usage::of(node.id());
    let attack =
        Attack { access: &access, world: &world, seed, count, next: AtomicUsize::new(0), tally: Mutex::default() };
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| attack.run_client());
        }
    });
    let took = begin.elapsed();
    let Tally { kinds, statuses, given_up, called, failures } = attack.tally.into_inner().unwrap();
    println!("{count} requests in {took:.1?}, {given_up} given up, statuses {statuses:?}");
    println!("requests and the slowest, by kind: {kinds:.1?}");
    assert!(failures.is_empty(), "{} wrong answers with CAIRN_SEED={seed}:\n{}", failures.len(), failures.join("\n"));

    let methods = world.methods.iter().map(|method| format!("\"{}\"", method.name));
    let uncalled: Vec<String> = methods.filter(|method| !called.contains(method)).collect();
    println!("never called rightly: {uncalled:?}");
    // Requests that are all refused at the door would say nothing of what is behind it.
    assert!(count < ENOUGH || uncalled.len() * 6 < world.methods.len(), "{uncalled:?}");

    // The node is as it was.
    let begin = Instant::now();
    access.call("getblockcount", "[]");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    check_log(&log);
    wait_for("calls that nobody waits for to end", || {
        let active = access.call("getrpcinfo", "[]")["active_commands"].as_array().unwrap().len();
        (active == 1).then_some(())
    });
    println!("before: {before:?}, after: {:?}", Usage::of(node.id()));
    assert!(Usage::of(node.id()).most_resident < MOST_MEMORY, "{:?}", Usage::of(node.id()));
    wait_for("threads and files to be given back", || {
        let after = Usage::of(node.id());
        // The last files that blocks and undo data were read from stay open, and one connection may still be closing.
        (after.files <= before.files + 3 && after.threads <= before.threads + 2).then_some(())
    });
    wait_for("memory to be given back", || {
        access.call("getblockcount", "[]");
        (Usage::of(node.id()).resident < before.resident + MEMORY_LEFT).then_some(())
    });
    println!("settled: {:?}", Usage::of(node.id()));

    attack_is_over(&access, node, &log);
}

/// Ends the node by the one method that was not called so far.
fn attack_is_over(access: &Access, node: Node, log: &Path) {
    assert_eq!(access.call("verifychain", "[4,0]"), true);
    assert_eq!(access.call("stop", "[]"), "Cairn stopping");
    let output = node.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    check_log(log);
}
