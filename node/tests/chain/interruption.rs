//! Imports that are stopped go on where they were.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::Duration;

use crate::support::{Cairn, HEIGHT, chain, failure, frames, signal};

/// Imports everything and compares with an import that nothing stopped.
fn resumes(cairn: &Cairn) {
    let summary = cairn.json(&["import", chain().block_file().to_str().unwrap()]);
    assert_eq!(summary["height"], HEIGHT);
    assert_eq!(cairn.utxo_stats(), Cairn::with_chain().utxo_stats());
    cairn.text(&["verify", "--level", "4", "--blocks", "0"]);
}

/// The pipe stays open and silent, so that only the signal can end the import.
#[test]
fn a_signal_ends_an_import_that_waits_for_input() {
    for name in ["INT", "TERM"] {
        let cairn = Cairn::new();
        let mut child = cairn.spawn(&["import", "-"]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&frames()[..120].concat()).unwrap();
        cairn.wait_until_open();
        thread::sleep(Duration::from_millis(300));
        signal(&child, name);
        let message = failure(&child.wait_with_output().unwrap(), 5);
        drop(stdin);
        assert!(message.contains("error: interrupted; all up to height "), "{message}");
        assert!(message.contains("the same command goes on from there"), "{message}");
        let height = cairn.json(&["status"])["height"].as_u64().unwrap();
        assert!((1..120).contains(&height), "{height}");
        resumes(&cairn);
    }
}

#[test]
fn an_import_of_files_can_be_stopped_and_killed_at_any_time() {
    for milliseconds in [10, 60, 150] {
        for name in ["INT", "KILL"] {
            let cairn = Cairn::new();
            let child = cairn.spawn(&["import", "--threads", "1", chain().block_file().to_str().unwrap()]);
            cairn.wait_until_open();
            thread::sleep(Duration::from_millis(milliseconds));
            signal(&child, name);
            let status = child.wait_with_output().unwrap().status;
            match name {
                "KILL" => assert!(status.success() || status.signal() == Some(9), "{status}"),
                _ => assert!(matches!(status.code(), Some(0 | 5)), "{status}"),
            }
            resumes(&cairn);
        }
    }
}
