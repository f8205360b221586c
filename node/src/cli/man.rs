//! `cairn man`: a manual page for each command, made from what `--help` says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Answer;

/// Print the manual page of cairn, or write one for each command.
#[derive(Debug, Args)]
#[command(
    display_order = 901,
    before_help = "Examples:\n  \
        cairn man > cairn.1\n  \
        cairn man --dir ~/.local/share/man/man1"
)]
pub(super) struct ManArgs {
    /// Folder to write all pages to, such as cairn-wallet-send.1; it is made if it is not there, and pages in it are replaced.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `cairn man` for this command line.
pub(super) fn run(args: &ManArgs, command_line: Command) -> Answer {
    // What `cairn help` explains has pages already.
    let mut command_line = command_line.disable_help_subcommand(true);
    command_line.build();
    match &args.dir {
        None => Ok(String::from_utf8(page(&command_line)?)?),
        Some(directory) => {
            fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
            let pages = write_pages(&command_line, directory)?;
            Ok(format!("wrote {pages} pages to {}\n", directory.display()))
        }
    }
}

/// Writes the pages of a command and of those below it; how many they are.
fn write_pages(command: &Command, directory: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let path = directory.join(Man::new(command.clone()).get_filename());
    fs::write(&path, page(command)?).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    below.map(|command| write_pages(command, directory)).sum::<Result<usize, _>>().map(|pages| pages + 1)
}

/// The page of one command.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).source(format!("cairn {}", env!("CARGO_PKG_VERSION"))).manual("Cairn");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    examples(command).to_writer(&mut page)?;
    Ok(page)
}

/// What `--help` opens with, line by line. clap_mangen leaves it out.
fn examples(command: &Command) -> Roff {
    let mut section = Roff::new();
    let text = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    if let Some(lines) = text.strip_prefix("Examples:\n") {
        section.control("SH", ["EXAMPLES"]);
        section.control("nf", []);
        for line in lines.lines() {
            section.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        section.control("fi", []);
    }
    section
}
