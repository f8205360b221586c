use std::collections::BTreeSet;

use super::family::Kind;
use super::*;

fn names() -> BTreeSet<&'static str> {
    families::all().map(|family| family.name).collect()
}

/// Prometheus' guidelines (<https://prometheus.io/docs/practices/naming/>).
#[test]
fn names_say_what_they_are() {
    assert_eq!(names().len(), families::all().count(), "two metrics have one name");
    for family in families::all() {
        let name = family.name;
        assert!(name.starts_with("cairn_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind == Kind::Counter, "{name}");
        if let Kind::Histogram(bounds) = family.kind {
            assert!(name.ends_with("_seconds") || name.ends_with("_blocks"), "{name}");
            assert!(bounds.is_sorted_by(|a, b| a < b), "{name}");
        }
        assert!(family.help.ends_with('.'), "{name}");
        for unit in ["milli", "_ms", "kilo", "mega", "minute", "hour", "percent"] {
            assert!(!name.contains(unit), "{name}");
        }
    }
}

#[test]
fn what_is_registered_is_defined() {
    let metrics = Metrics::new("regtest").unwrap();
    metrics.chain.count_missed(3);
    let text = metrics.encode().unwrap();
    let names = names();
    let typed: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(typed.len() > 10);
    for line in typed {
        let name = line.split(' ').next().unwrap();
        assert!(name.starts_with("process_") || names.contains(name), "{name}");
    }
    assert!(text.contains("\ncairn_build_info{network=\"regtest\",version=\""), "{text}");
    assert!(text.contains("\ncairn_chain_events_missed_total 3\n"), "{text}");
}

/// Words in expressions that begin like our metrics.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("cairn_") || word.starts_with("process_")).map(ToOwned::to_owned).collect()
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_exist() {
    let names = names();
    let histograms: BTreeSet<String> = families::all()
        .filter(|family| matches!(family.kind, Kind::Histogram(_)))
        .map(|family| format!("{}_bucket", family.name))
        .collect();
    let process = [
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    ];
    let files = export::files(&["127.0.0.1:9332".to_owned(), "[::1]:1".to_owned()]);
    let mut shown = BTreeSet::new();
    for file in &files[1..] {
        for word in mentioned(&file.content) {
            let exists =
                names.contains(word.as_str()) || histograms.contains(&word) || process.contains(&word.as_str());
            assert!(exists, "{}: {word}", file.name);
            shown.insert(word.trim_end_matches("_bucket").to_owned());
        }
    }
    // Whoever adds a metric says where people see it.
    let hidden: Vec<_> = names.iter().filter(|name| !shown.contains(**name)).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn exported_files_are_well_formed() {
    let files = export::files(&["127.0.0.1:9332".to_owned(), "[::1]:1".to_owned()]);
    assert!(files[0].content.contains("targets: [\"127.0.0.1:9332\", \"[::1]:1\"]\n"));
    let dashboard: serde_json::Value = serde_json::from_str(&files[2].content).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    // No two drawings lie on each other.
    let mut cells = BTreeSet::new();
    for panel in panels {
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{panel}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(cells.insert((x, y)), "{panel}");
            }
        }
    }
}
