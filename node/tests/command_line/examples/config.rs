//! Configuration, and other files that commands write.

use super::{Example, run};
use crate::stage::Stage;

pub(super) const EXAMPLES: &[Example] = &[
    Example::Ends("cairn config init"),
    Example::Ends("cairn config init --config /etc/cairn.toml"),
    Example::Ends("cairn config show"),
    Example::Ends("cairn config show --origin"),
    Example::Ends("cairn config show --origin --network signet"),
    Example::Ends("cairn config show --json"),
    Example::Ends("cairn config check"),
    Example::Ends("cairn config check --config /etc/cairn.toml"),
    Example::Ends("cairn completions bash > ~/.local/share/bash-completion/completions/cairn"),
    Example::Ends("cairn completions zsh > ~/.zfunc/_cairn"),
    Example::Ends("cairn completions fish > ~/.config/fish/completions/cairn.fish"),
    Example::Ends("cairn man > cairn.1"),
    Example::Ends("cairn man --dir ~/.local/share/man/man1"),
];

#[test]
fn configuration() {
    let mut stage = Stage::new();
    stage.let_mean("/etc/cairn.toml", "etc/cairn.toml");
    for file in
        [".local/share/bash-completion/completions/cairn", ".zfunc/_cairn", ".config/fish/completions/cairn.fish"]
    {
        // The folder has to be there, as it is where the shell is used.
        stage.write(file, "");
    }
    run(&stage, EXAMPLES);
}

pub(super) const METRICS: &[Example] = &[
    Example::Ends("cairn metrics export --dir monitoring"),
    Example::Ends("cairn metrics export --dir monitoring --target 127.0.0.1:9332 --target 10.0.0.2:9332"),
    // A real Prometheus reads that file in the tests of `cairn run`.
    Example::Elsewhere("prometheus --config.file=monitoring/prometheus.yml"),
];

/// Each writes the same files.
#[test]
fn monitoring() {
    METRICS.iter().for_each(|example| run(&Stage::new(), &[*example]));
}
