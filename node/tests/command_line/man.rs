//! Manual pages.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::node_process::Datadir;
use crate::help::commands;

/// What a page says about its command, without the marks of its format.
fn plain(page: &str) -> String {
    page.replace("\\-", "-").replace("\\\\", "\\").replace("\\*(Aq", "'").replace("\\(aq", "'")
}

#[test]
fn every_command_has_a_page() {
    let datadir = Datadir::new();
    let folder = datadir.path().join("share/man1");
    let run = || datadir.run(&["man", "--dir", folder.to_str().unwrap()]);
    // The second time they are replaced.
    for output in [run(), run()] {
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("wrote {} pages to {}\n", commands().len(), folder.display()));
    }
    let written: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let expected: BTreeSet<String> = commands().iter().map(|command| format!("{}.1", command.page())).collect();
    assert_eq!(written, expected);

    for command in commands() {
        let page = fs::read_to_string(folder.join(format!("{}.1", command.page()))).unwrap();
        let text = plain(&page);
        assert!(text.contains(&format!(".TH {} 1", command.page())), "{page}");
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXAMPLES"] {
            let mut lines = text.lines().skip_while(|line| *line != section).skip(1);
            let first = lines.next().unwrap_or_default();
            assert!(!first.is_empty() && !first.starts_with(".SH"), "{section} of {} is empty", command.page());
        }
        for example in &command.examples {
            assert!(text.contains(example), "{} lacks: {example}\n{page}", command.page());
        }
    }
    let printed = String::from_utf8(datadir.run(&["man"]).stdout).unwrap();
    assert_eq!(printed, fs::read_to_string(folder.join("cairn.1")).unwrap());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let datadir = Datadir::new();
    let file = datadir.write("file", "");
    let output = datadir.run(&["man", "--dir", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with(&format!("error: cannot make {}: ", file.display())), "{said}");
}
