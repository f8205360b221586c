//! What must be so.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::devnet::{Status, parse_duration};

/// How long it is waited for, unless another time is given.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

/// What must be so, of all nodes or of one. What is absent may be as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expectation {
    /// The node; without, it is said of all that run.
    node: Option<String>,
    /// Height of the tip.
    height: Option<u32>,
    /// Height of the tip, at least.
    min_height: Option<u32>,
    /// Connections.
    peers: Option<u32>,
    /// Transactions in the pool.
    mempool: Option<u32>,
    /// Whether all have one tip.
    agree: Option<bool>,
    /// How many different tips there are.
    tips: Option<usize>,
    /// How many nodes run.
    running: Option<usize>,
    /// How long it may take until it is so.
    within: Option<String>,
}

impl Expectation {
    /// Checks that something is expected.
    ///
    /// # Errors
    ///
    /// When nothing is, or what is wrong with the time.
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == (Self { node: self.node.clone(), within: self.within.clone(), ..Self::default() }) {
            return Err("the step expects nothing".to_owned());
        }
        self.limit().map(drop)
    }

    /// How long it may take until it is so.
    ///
    /// # Errors
    ///
    /// When it is no time.
    pub(super) fn limit(&self) -> Result<Duration, String> {
        self.within.as_deref().map_or(Ok(DEFAULT_LIMIT), parse_duration)
    }

    /// What is not so.
    pub(super) fn unmet(&self, status: &Status) -> Option<String> {
        let mut nodes =
            status.facts().filter(|(node, _)| self.node.as_ref().is_none_or(|name| *name == node.name)).peekable();
        if nodes.peek().is_none() {
            return Some(
                self.node.as_ref().map_or("no node answers".to_owned(), |name| format!("{name} does not answer")),
            );
        }
        for (node, facts) in nodes {
            let name = &node.name;
            let differs = |what: &str, expected: Option<u32>, got: u32| {
                expected
                    .filter(|expected| *expected != got)
                    .map(|expected| format!("{name}: expected {what} {expected}, got {got}"))
            };
            let low = self.min_height.filter(|least| facts.height < *least);
            let low = low.map(|least| format!("{name}: expected a height of at least {least}, got {}", facts.height));
            let unmet = differs("height", self.height, facts.height)
                .or(low)
                .or_else(|| differs("peers", self.peers, facts.peers))
                .or_else(|| differs("mempool", self.mempool, facts.mempool));
            if unmet.is_some() {
                return unmet;
            }
        }
        let tips = status.facts().map(|(_, facts)| facts.tip.as_str()).collect::<BTreeSet<_>>().len();
        let running = status.nodes.iter().filter(|node| node.pid.is_some()).count();
        let count = |what: &str, expected: Option<usize>, got: usize| {
            expected
                .filter(|expected| *expected != got)
                .map(|expected| format!("expected {expected} {what}, got {got}"))
        };
        let agree = self.agree.filter(|agree| *agree != status.agree);
        let agree =
            agree.map(|agree| format!("expected that nodes {}agree, got {tips} tips", if agree { "" } else { "dis" }));
        agree.or_else(|| count("tips", self.tips, tips)).or_else(|| count("running nodes", self.running, running))
    }
}

/// Where an answer is not as expected; of an object, the members that are named count.
pub(super) fn difference(expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected.iter().find_map(|(name, expected)| {
            difference(expected, got.get(name).unwrap_or(&Value::Null))
                .map(|difference| format!("{name}: {difference}"))
        }),
        // A whole number is the same with a point.
        _ if expected == got || (expected.is_number() && expected.as_f64() == got.as_f64()) => None,
        _ => Some(format!("expected {expected}, got {got}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::devnet::control::{NodeFacts, NodeStatus};

    fn status() -> Status {
        let node = |name: &str, height, tip: &str| NodeStatus {
            name: name.to_owned(),
            pid: Some(1),
            facts: Some(NodeFacts { height, tip: tip.to_owned(), median_time: 0, peers: 1, mempool: 2 }),
            ..NodeStatus::default()
        };
        Status { nodes: vec![node("a", 5, "x"), node("b", 6, "y")], agree: false, ..Status::default() }
    }

    fn unmet(text: &str) -> Option<String> {
        let expectation: Expectation = toml::from_str(text).unwrap();
        expectation.check().unwrap();
        expectation.unmet(&status())
    }

    #[test]
    fn what_is_not_so_is_told() {
        for met in [
            "tips = 2",
            "agree = false",
            "peers = 1\nmempool = 2",
            "node = 'b'\nheight = 6",
            "min_height = 5\nrunning = 2",
        ] {
            assert_eq!(unmet(met), None, "{met}");
        }
        for (text, problem) in [
            ("height = 5", "b: expected height 5, got 6"),
            ("min_height = 6", "a: expected a height of at least 6, got 5"),
            ("node = 'c'\nheight = 5", "c does not answer"),
            ("agree = true", "expected that nodes agree, got 2 tips"),
            ("tips = 1", "expected 1 tips, got 2"),
            ("mempool = 0", "a: expected mempool 0, got 2"),
        ] {
            assert_eq!(unmet(text).as_deref(), Some(problem));
        }
        assert!(toml::from_str::<Expectation>("tips = 1\nwithin = 'soon'").unwrap().check().is_err());
    }

    #[test]
    fn of_objects_the_named_members_count() {
        let got = json!({ "a": 1, "b": { "c": [1, 2] }, "d": 2.0 });
        assert_eq!(difference(&json!({ "a": 1, "b": { "c": [1, 2] }, "d": 2 }), &got), None);
        assert_eq!(difference(&json!({ "b": { "c": [1] } }), &got).unwrap(), "b: c: expected [1], got [1,2]");
        assert_eq!(difference(&json!({ "e": 1 }), &got).unwrap(), "e: expected 1, got null");
    }
}
