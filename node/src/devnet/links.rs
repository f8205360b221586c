//! What lies between nodes: which of them are parted, and what single links do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use cairn_net::MIN_BANDWIDTH;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::DevnetError;
use super::duration::{LONGEST, parse_duration, show_duration};

/// The longest delay that nodes take, one way.
const MAX_DELAY: Duration = Duration::from_secs(2);
/// The highest share of losses that nodes take.
const MAX_LOSS: f64 = 0.9;
/// Most breaks a minute that nodes take.
const MAX_RESET_RATE: f64 = 600.0;

/// What a link does, in both directions. The default is a plain link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LinkConditions {
    /// How long a byte takes to the other end.
    #[serde(with = "duration_text")]
    pub(crate) latency: Duration,
    /// How much longer or shorter it may take.
    #[serde(with = "duration_text")]
    pub(crate) jitter: Duration,
    /// Share of segments that are lost and sent again.
    #[serde(with = "share_text")]
    pub(crate) loss: f64,
    /// Bits per second that fit through each way; zero for no limit.
    #[serde(with = "bandwidth_text", skip_serializing_if = "is_unlimited")]
    pub(crate) bandwidth: u64,
    /// Connections that break, per minute on average.
    pub(crate) reset_rate: f64,
}

/// What lies between all nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Links {
    conditions: BTreeMap<(String, String), LinkConditions>,
    /// The sides of a partition; empty when there is none.
    groups: Vec<BTreeSet<String>>,
}

impl LinkConditions {
    /// Checks what nodes would refuse.
    ///
    /// # Errors
    ///
    /// The first value that is out of range.
    pub(crate) fn check(&self) -> Result<(), DevnetError> {
        let wrong = |what: &str, most: String| Err(DevnetError::Impossible(format!("{what} goes up to {most}")));
        if self.latency > MAX_DELAY || self.jitter > MAX_DELAY {
            return wrong("latency, like jitter,", show_duration(MAX_DELAY));
        }
        if !(0.0..=MAX_LOSS).contains(&self.loss) {
            return wrong("loss", format!("{}%", MAX_LOSS * 100.0));
        }
        if !(0.0..=MAX_RESET_RATE).contains(&self.reset_rate) {
            return wrong("the rate of breaks", format!("{MAX_RESET_RATE} a minute"));
        }
        if self.bandwidth != 0 && self.bandwidth / 8 < MIN_BANDWIDTH {
            return Err(DevnetError::Impossible(format!(
                "bandwidth is at least {}kbit, got {} bit/s",
                MIN_BANDWIDTH * 8 / 1000,
                self.bandwidth
            )));
        }
        Ok(())
    }
}

impl fmt::Display for LinkConditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latency, jitter, loss, bandwidth, reset_rate } = self;
        let mut parts = Vec::new();
        if !latency.is_zero() || !jitter.is_zero() {
            parts.push(format!("latency {} each way", show_duration(*latency)));
        }
        if !jitter.is_zero() {
            parts.push(format!("jitter {}", show_duration(*jitter)));
        }
        if *loss > 0.0 {
            parts.push(format!("loss {}%", loss * 100.0));
        }
        if *bandwidth > 0 {
            parts.push(format!("{} kbit/s", bandwidth / 1000));
        }
        if *reset_rate > 0.0 {
            parts.push(format!("broken {reset_rate} times a minute"));
        }
        if parts.is_empty() { f.write_str("a plain link") } else { f.write_str(&parts.join(", ")) }
    }
}

impl Links {
    /// Parts nodes. Those that no side names are a side of their own.
    ///
    /// # Errors
    ///
    /// When a node is on two sides, or there is one side only.
    pub(crate) fn partition(&mut self, groups: &[Vec<String>], nodes: &[String]) -> Result<(), DevnetError> {
        let wrong = |problem: String| {
            Err(DevnetError::Impossible(format!("{problem}; expected sides such as 'alice,bob / carol,dave'")))
        };
        let mut sides: Vec<BTreeSet<String>> = Vec::new();
        let mut named = BTreeSet::new();
        for group in groups.iter().filter(|group| !group.is_empty()) {
            for name in group {
                if !nodes.contains(name) {
                    let problem = format!("there is no node {name}");
                    return Err(DevnetError::Node { problem, known: nodes.to_vec() });
                }
                if !named.insert(name.clone()) {
                    return wrong(format!("{name} cannot be on two sides"));
                }
            }
            sides.push(group.iter().cloned().collect());
        }
        let rest: BTreeSet<String> = nodes.iter().filter(|name| !named.contains(*name)).cloned().collect();
        sides.extend(Some(rest).filter(|rest| !rest.is_empty()));
        if sides.len() < 2 {
            return wrong("there is one side only".to_owned());
        }
        self.groups = sides;
        Ok(())
    }

    /// Ends the partition.
    pub(crate) fn heal(&mut self) {
        self.groups.clear();
    }

    /// The sides of the partition; none when there is none.
    pub(crate) fn groups(&self) -> Vec<Vec<String>> {
        self.groups.iter().map(|group| group.iter().cloned().collect()).collect()
    }

    /// Decides what the link between two nodes does.
    pub(crate) fn set(&mut self, one: &str, other: &str, conditions: LinkConditions) {
        if conditions == LinkConditions::default() {
            self.conditions.remove(&ordered(one, other));
        } else {
            self.conditions.insert(ordered(one, other), conditions);
        }
    }

    /// Whether the partition is between two nodes.
    pub(crate) fn is_cut(&self, one: &str, other: &str) -> bool {
        let side = |name: &str| self.groups.iter().position(|group| group.contains(name));
        matches!((side(one), side(other)), (Some(one), Some(other)) if one != other)
    }

    /// What each of two nodes is told of the link between them, as `setlink` takes it.
    pub(crate) fn told(&self, one: &str, other: &str) -> Value {
        if self.is_cut(one, other) {
            return json!({ "cut": true });
        }
        let Some(conditions) = self.conditions.get(&ordered(one, other)) else { return json!({}) };
        json!({
            "latency_ms": u64::try_from(conditions.latency.as_millis()).unwrap_or(u64::MAX),
            "jitter_ms": u64::try_from(conditions.jitter.as_millis()).unwrap_or(u64::MAX),
            "loss": conditions.loss,
            "bandwidth": conditions.bandwidth / 8,
            // Both are told, and their rates add up.
            "reset_rate": conditions.reset_rate / 2.0,
        })
    }
}

/// How long a partition is to last, if it is to end by itself.
///
/// # Errors
///
/// When it would be over at once, or last longer than any time that is read.
pub(crate) fn partition_time(seconds: Option<u64>) -> Result<Option<Duration>, DevnetError> {
    let time = seconds.map(Duration::from_secs);
    match time.filter(|time| time.is_zero() || *time > LONGEST) {
        Some(_) => Err(DevnetError::Impossible(format!(
            "a partition lasts 1s to {}, got {} s; without a time it lasts until 'cairn devnet heal'",
            show_duration(LONGEST),
            seconds.unwrap_or_default()
        ))),
        None => Ok(time),
    }
}

fn ordered(one: &str, other: &str) -> (String, String) {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    (first.to_owned(), second.to_owned())
}

/// Reads a share such as `2%` or `0.02`.
///
/// # Errors
///
/// What was expected.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.parse::<f64>().ok().map(|number| number / unit).filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("expected a share such as 2%, got {text:?}"))
}

/// Reads a bandwidth such as `1mbit`, in bits per second.
///
/// # Errors
///
/// What was expected.
pub(crate) fn parse_bandwidth(text: &str) -> Result<u64, String> {
    let units = [("kbit", 1000), ("mbit", 1_000_000), ("gbit", 1_000_000_000)];
    let parsed = units.iter().find_map(|(unit, bits)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*bits));
    parsed
        .filter(|bits| *bits >= 8)
        .ok_or_else(|| format!("expected kbit, mbit or gbit a second, such as 1mbit, got {text:?}"))
}

fn is_unlimited(bandwidth: &u64) -> bool {
    *bandwidth == 0
}

/// Makes a module that writes and reads a value as people do.
macro_rules! as_text {
    ($module:ident, $type:ty, $show:expr, $parse:expr) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de};

            use super::*;

            pub(super) fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$show(*value))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                $parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

as_text!(duration_text, Duration, show_duration, parse_duration);
as_text!(share_text, f64, |share: f64| format!("{}%", share * 100.0), parse_share);
as_text!(bandwidth_text, u64, |bits: u64| format!("{}kbit", bits / 1000), parse_bandwidth);

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
    }

    #[test]
    fn sides_are_cut_off_from_each_other_and_whole_in_themselves() {
        let nodes = names("alice bob carol dave");
        let mut links = Links::default();
        links.partition(&[names("alice bob")], &nodes).unwrap();
        assert_eq!(links.groups(), [names("alice bob"), names("carol dave")]);
        assert!(links.is_cut("alice", "dave") && links.is_cut("dave", "alice"));
        assert!(!links.is_cut("alice", "bob") && !links.is_cut("carol", "dave") && !links.is_cut("erin", "alice"));
        assert_eq!(links.told("alice", "dave"), json!({ "cut": true }));
        links.heal();
        assert_eq!(links.told("alice", "dave"), json!({}));
        for wrong in [vec![names("alice bob carol dave")], vec![], vec![names("alice"), names("alice bob")]] {
            assert!(links.partition(&wrong, &nodes).is_err(), "{wrong:?}");
        }
        assert!(matches!(links.partition(&[names("eve")], &nodes), Err(DevnetError::Node { .. })));
        assert!(links.groups().is_empty(), "what is refused changes nothing");
    }

    #[test]
    fn both_ends_are_told_what_a_link_does() {
        let mut links = Links::default();
        let conditions = LinkConditions {
            latency: Duration::from_millis(80),
            bandwidth: 1_000_000,
            reset_rate: 3.0,
            ..LinkConditions::default()
        };
        links.set("bob", "alice", conditions);
        let told = links.told("alice", "bob");
        assert_eq!(told, links.told("bob", "alice"));
        assert_eq!(
            told,
            json!({ "latency_ms": 80, "jitter_ms": 0, "loss": 0.0, "bandwidth": 125_000, "reset_rate": 1.5 })
        );
        links.set("alice", "bob", LinkConditions::default());
        assert_eq!(links, Links::default());
    }

    #[test]
    fn values_are_read_and_limited() {
        assert_eq!((parse_share("2%"), parse_share("0.5")), (Ok(0.02), Ok(0.5)));
        assert_eq!((parse_bandwidth("64kbit"), parse_bandwidth("1mbit")), (Ok(64_000), Ok(1_000_000)));
        assert!(["", "%", "-1%", "200%", "nan"].iter().all(|text| parse_share(text).is_err()));
        assert!(["", "1", "mbit", "1mb", "-1kbit", "0kbit"].iter().all(|text| parse_bandwidth(text).is_err()));
        let read = |text| serde_json::from_str::<LinkConditions>(text);
        assert_eq!(read(r#"{"latency":"80ms","loss":"2%"}"#).unwrap().latency, Duration::from_millis(80));
        let all = r#"{"latency":"80ms","jitter":"0s","loss":"2%","bandwidth":"64kbit","reset_rate":1.5}"#;
        assert_eq!(serde_json::to_string(&read(all).unwrap()).unwrap(), all);
        assert!(read(r#"{"latency":"80"}"#).is_err() && read(r#"{"delay":"80ms"}"#).is_err());
        assert!(LinkConditions { loss: 0.95, ..LinkConditions::default() }.check().is_err());
        assert!(LinkConditions { latency: Duration::from_secs(3), ..LinkConditions::default() }.check().is_err());
        assert!(LinkConditions::default().check().is_ok());
        let narrow = |bandwidth| LinkConditions { bandwidth, ..LinkConditions::default() }.check();
        assert!(narrow(7_999).unwrap_err().to_string().contains("at least 8kbit, got 7999 bit/s"));
        assert!(narrow(8_000).is_ok(), "what is stored here, nodes take");
    }

    #[test]
    fn a_partition_lasts_some_time_and_not_for_ever() {
        assert_eq!(partition_time(None).unwrap(), None);
        assert_eq!(partition_time(Some(3)).unwrap(), Some(Duration::from_secs(3)));
        for wrong in [0, LONGEST.as_secs() + 1, u64::MAX] {
            assert!(partition_time(Some(wrong)).unwrap_err().to_string().contains("1s to 3650d"), "{wrong}");
        }
    }
}
