//! Bodies as large as they may be, made to take as much memory as they can.

use std::thread;
use std::time::{Duration, Instant};

use crate::environment::number;
use crate::harness::node_process::{Datadir, wait_for};
use crate::http::{Access, Client, PATIENCE};
use crate::process::Usage;
use crate::requests::{ShownLog, check_log, start};
use crate::verdict::judge_form;

/// Clients that send such bodies at the same time.
const CLIENTS: usize = 6;
/// MiB of bodies that the node takes at a time (`RpcLimits`).
const ALL_BODIES: usize = 128;
/// MiB of answers that the node keeps at a time, and of all that it takes before there is any body.
const ANSWERS_AND_NODE: usize = 256 + 64;
/// How much more is made of a body before it is answered, at most: a value of ten bytes may become one of a hundred and more.
const MOST_MADE: usize = 12;
/// The most memory that it may still take a while later, in KiB, beside what it took before.
const MEMORY_LEFT: usize = 200 << 10;

/// So many bytes of one thing, with commas between.
fn many(element: &str, length: usize) -> String {
    let elements = format!("{element},").repeat(length / (element.len() + 1));
    elements.trim_end_matches(',').to_owned()
}

fn bodies(length: usize) -> Vec<(&'static str, String)> {
    let call = |method: &str, params: &str| format!(r#"{{"method":"{method}","params":[{params}],"id":1}}"#);
    let digits = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let input = format!(r#"{{"txid":"{digits}","vout":1}}"#);
    vec![
        ("values", call("echo", &format!("[{}]", many("0", length)))),
        (
            "transactions",
            call(
                "combinerawtransaction",
                &format!("[{}]", many(r#""02000000000100000000000000000000000000""#, length)),
            ),
        ),
        ("inputs", call("createrawtransaction", &format!("[{}],[]", many(&input, length)))),
        ("coins", call("gettxspendingprevout", &format!("[{}]", many(&input, length)))),
        ("outputs", call("createrawtransaction", &format!("[],[{}]", many(r#"{"data":"00"}"#, length)))),
        ("operators", call("decodescript", &format!("\"{}\"", "51".repeat(length / 2)))),
        ("braces", call("getdescriptorinfo", &format!("\"tr({digits},{}\"", "{".repeat(length)))),
        ("brackets", call("getdescriptorinfo", &format!("\"wsh({}\"", "and_v(".repeat(length / 6)))),
        ("members", format!(r#"{{{}"method":"getblockcount","id":1}}"#, r#""a":1,"#.repeat(length / 6))),
        ("batch", format!("[{}]", many("1", length))),
        ("help", format!("[{}]", vec![r#"{"method":"help","id":1}"#; 99_999].join(","))),
    ]
}

#[test]
fn the_largest_bodies_take_bounded_memory() {
    let megabytes = number("CAIRN_BODY_MEGABYTES", 6);
    let most_memory = (ANSWERS_AND_NODE + MOST_MADE * ALL_BODIES.min(CLIENTS * megabytes)) << 10;
    let datadir = Datadir::new();
    let (node, log) = start(&datadir, &[]);
    let _shown = ShownLog(&log);
    let access = Access::of(&datadir, &node);
    let before = Usage::of(node.id());
    for (name, body) in bodies(megabytes << 20) {
        let begin = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| send(&access, name, body.as_bytes()));
            }
        });
        let usage = Usage::of(node.id());
        println!("{name}: {:.1?}, at most {} MiB so far", begin.elapsed(), usage.most_resident >> 10);
        assert!(usage.most_resident < most_memory, "{name}: {usage:?}");
    }
    wait_for("memory to be given back", || {
        access.call("getblockcount", "[]");
        thread::sleep(Duration::from_millis(100));
        (Usage::of(node.id()).resident < before.resident + MEMORY_LEFT).then_some(())
    });
    check_log(&log);
    access.call("stop", "[]");
    assert_eq!(node.wait().status.code(), Some(0));
}

fn send(access: &Access, name: &str, body: &[u8]) {
    // A client whose body has no room may be cut off before it has read that.
    let Ok(response) = Client::new(access.clone()).post(body, 2 * PATIENCE) else { return };
    judge_form(&response).unwrap_or_else(|problem| panic!("{name}: {problem}"));
}
