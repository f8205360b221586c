//! The commands there are, by what `--help` says.

use std::sync::OnceLock;

use crate::harness::node_process::Datadir;

/// Columns of a terminal that nobody can ask for its width.
const COLUMNS: usize = 100;

/// A command and its help.
#[derive(Debug)]
pub(crate) struct Command {
    /// The words after `cairn`; none for `cairn` itself.
    pub(crate) path: Vec<String>,
    /// The examples, as they stand there.
    pub(crate) examples: Vec<String>,
    below: Vec<String>,
}

impl Command {
    fn ask(datadir: &Datadir, path: Vec<String>) -> Self {
        let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        // So wide that nothing is broken into lines.
        let output = datadir.command(&words).env("COLUMNS", "1000").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
        let help = String::from_utf8(output.stdout).unwrap();
        let examples = block(&help, "Examples:").map(|line| line.trim().to_owned()).collect();
        let names = block(&help, "Commands:").filter_map(|line| line.split_whitespace().next());
        let below = names.filter(|name| *name != "help").map(ToOwned::to_owned).collect();
        Self { path, examples, below }
    }

    /// As a manual page is called: `cairn-wallet-send`.
    pub(crate) fn page(&self) -> String {
        [&["cairn".to_owned()][..], &self.path].concat().join("-")
    }
}

/// The lines below a heading.
fn block<'a>(help: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    help.lines().skip_while(move |line| *line != heading).skip(1).take_while(|line| line.starts_with("  "))
}

/// Every command, each before those below it.
pub(crate) fn commands() -> &'static [Command] {
    static COMMANDS: OnceLock<Vec<Command>> = OnceLock::new();
    COMMANDS.get_or_init(|| {
        let datadir = Datadir::new();
        let mut commands = vec![Command::ask(&datadir, Vec::new())];
        let mut asked = 0;
        while let Some(command) = commands.get(asked) {
            let paths: Vec<_> =
                command.below.iter().map(|name| [&command.path[..], std::slice::from_ref(name)].concat()).collect();
            commands.extend(paths.into_iter().map(|path| Command::ask(&datadir, path)));
            asked += 1;
        }
        commands
    })
}

#[test]
fn every_command_has_examples() {
    assert!(commands().len() > 40, "the help was not understood: {:?}", commands());
    for command in commands() {
        assert!(!command.examples.is_empty(), "the help of {} has no example", command.page());
    }
}

/// Otherwise they are broken into lines, and cannot be copied.
#[test]
fn examples_fit_into_a_line() {
    for command in commands() {
        for example in &command.examples {
            let columns = 2 + example.chars().count();
            assert!(
                columns <= COLUMNS,
                "{}: expected at most {COLUMNS} columns, got {columns}: {example}",
                command.page()
            );
        }
    }
}
