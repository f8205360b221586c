//! Configurations for tests of other parts.

use clap::Parser;

use super::Config;

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

impl Config {
    /// What these flags say, without any file or environment.
    pub(crate) fn of_flags(flags: &[&str]) -> Self {
        Flags::parse_from(["cairn"].iter().chain(flags)).config
    }
}
