//! `cairn chain export`, and the way back.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Cairn, HEIGHT, chain, failure, frames, stdout};

#[test]
fn what_was_exported_can_be_imported() {
    let cairn = Cairn::with_chain();
    let path = cairn.path("all.blocks");
    let file = path.to_str().unwrap();
    let exported = cairn.json(&["export", "-o", file]);
    assert_eq!(exported, json!({ "blocks": HEIGHT + 1, "from": 0, "to": HEIGHT }));
    assert!(fs::read(&path).unwrap() == fs::read(chain().block_file()).unwrap());

    let other = Cairn::new();
    other.text(&["import", file]);
    assert_eq!(other.utxo_stats(), cairn.utxo_stats());
    assert_eq!(
        other.json(&["utxo-stats", "--hash", "muhash"])["muhash"],
        cairn.json(&["utxo-stats", "--hash", "muhash"])["muhash"]
    );
}

#[test]
fn a_range_goes_to_standard_output_and_its_summary_elsewhere() {
    let cairn = Cairn::with_chain();
    let output = cairn.run(&["export", "--from", "3", "--to", "5"]);
    assert!(output.status.success());
    assert!(output.stdout == frames()[3..=5].concat());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "exported 3 blocks, height 3 to 5\n");
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let cairn = Cairn::with_chain();
    let mut export = cairn.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let reader = Command::new("head").args(["-c", "4"]).stdin(export.stdout.take().unwrap()).output().unwrap();
    assert_eq!(reader.stdout, &frames()[0][..4]);
    assert_eq!(stdout(&export.wait_with_output().unwrap()), "");
}

#[test]
fn files_are_replaced_only_by_force_and_never_half() {
    let cairn = Cairn::with_chain();
    let file = cairn.file("mine", b"precious");
    let message = failure(&cairn.run(&["export", "-o", &file]), 1);
    assert_eq!(message, format!("error: {file} exists; --force replaces it\n"));
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    cairn.text(&["export", "--force", "--to", "0", "-o", &file]);
    assert_eq!(fs::read(&file).unwrap(), frames()[0]);

    let missing = cairn.path("no-such-folder").join("blocks");
    let message = failure(&cairn.run(&["export", "-o", missing.to_str().unwrap()]), 1);
    assert!(message.starts_with(&format!("error: cannot write {}", missing.display())), "{message}");
    let names: Vec<_> = fs::read_dir(cairn.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("partial")), "{names:?}");
}

#[test]
fn heights_that_are_not_there_are_refused() {
    let cairn = Cairn::with_chain();
    for range in [["--from", "141"], ["--to", "141"]] {
        let message = failure(&cairn.run(&[&["export"], &range[..]].concat()), 1);
        assert_eq!(message, "error: there is no block at height 141 yet: the tip is at height 140\n");
    }
}
