//! `cairn completions`: what a shell needs to complete commands and options.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::Answer;

/// Print a script that lets a shell complete commands and options.
#[derive(Debug, Args)]
#[command(
    display_order = 900,
    before_help = "Examples:\n  \
        cairn completions bash > ~/.local/share/bash-completion/completions/cairn\n  \
        cairn completions zsh > ~/.zfunc/_cairn\n  \
        cairn completions fish > ~/.config/fish/completions/cairn.fish"
)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Runs `cairn completions` for this command line.
pub(super) fn run(args: &CompletionsArgs, mut command_line: Command) -> Answer {
    let name = command_line.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut command_line, name, &mut script);
    Ok(String::from_utf8(script)?)
}
