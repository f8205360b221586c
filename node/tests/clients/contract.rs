//! What clients read, held against the text that the node sends: no field is missing, each has its JSON type, and amounts are
//! decimals of eight places.
//!
//! | file | |
//! |---|---|
//! | `table.rs`, `table/` | what is promised, method by method |
//! | `complete.rs` | that the table has all that the clients parse |
//! | `promises.rs` | what is promised beyond fields |
//! | `json_path.rs` | values in a text of JSON |
//!
//! The fields in the table are those of the structs of `bitcoincore-rpc` 0.19 and `corepc-client` 0.18, and what LND, Core
//! Lightning, electrs, Fulcrum and `bitcoin-cli` take from the answers.

#![allow(deprecated, reason = "the whole of `corepc-client` is, in favour of one that tests Core with wallets")]

mod complete;
mod json_path;
mod promises;
mod table;

use json_path::{find_all, is_absent, looks_like};
use serde_json::value::RawValue;
use table::{Kind, Promise, promises};

use crate::scene::Scene;

/// What is wrong with an answer; nothing if all is as promised.
fn faults(promise: &Promise, answer: &str) -> Vec<String> {
    let answer: &RawValue = serde_json::from_str(answer).unwrap();
    let mut faults = Vec::new();
    for (path, kind) in promise.fields {
        let fault = match (kind, find_all(answer, path)) {
            (Kind::Absent, _) => (!is_absent(answer, path)).then(|| "is there".to_owned()),
            (_, Err(missing)) => Some(format!("lacks {missing}")),
            (_, Ok(found)) if found.is_empty() => {
                Some("is in an empty list, so that nothing is known of it".to_owned())
            }
            (_, Ok(found)) => {
                let wrong = found.iter().find(|value| !looks_like(value.get(), kind));
                wrong.map(|value| format!("is {} and not {kind:?}", value.get()))
            }
        };
        faults.extend(fault.map(|fault| format!("{} {}: {path} {fault}", promise.method, promise.note)));
    }
    faults
}

#[test]
fn every_field_that_clients_read_is_there() {
    let scene = Scene::new();
    let mut all = Vec::new();
    for promise in promises() {
        let answer = scene.rpc.text(promise.method, &(promise.params)(&scene));
        all.extend(faults(promise, &answer));
    }
    assert!(all.is_empty(), "{} promises are broken:\n{}", all.len(), all.join("\n"));
}

/// The check itself: each of these answers breaks the promise in one way.
#[test]
fn a_broken_promise_is_seen() {
    let promise = Promise {
        method: "test",
        note: "",
        params: |_| serde_json::Value::Null,
        fields: &[("fee", Kind::Amount), ("list[].n", Kind::Integer), ("hash", Kind::Hash), ("gone", Kind::Absent)],
    };
    let good = format!(r#"{{"fee":0.00000001,"list":[{{"n":1}},{{"n":2}}],"hash":"{}"}}"#, "ab".repeat(32));
    assert_eq!(faults(&promise, &good), Vec::<String>::new());
    for (from, to) in [
        ("0.00000001", "1e-8"),
        ("0.00000001", "0.0000001"),
        ("0.00000001", "\"0.00000001\""),
        ("0.00000001", "0"),
        ("{\"n\":2}", "{\"n\":2.5}"),
        ("{\"n\":2}", "{}"),
        ("{\"n\":1},{\"n\":2}", ""),
        ("\"hash\":\"abab", "\"hash\":\"ab"),
        ("\"hash\"", "\"Hash\""),
        ("\"fee\"", "\"gone\":1,\"fee\""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert_eq!(faults(&promise, &bad).len(), 1, "{bad}");
    }
}
