//! What the node says.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::ConfigError;

/// Keys about logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogConfig {
    /// How log lines are written to standard error.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What is logged, by module, such as info,cairn::node=debug [default: info, or what -v and -q choose].
    #[arg(long, value_name = "FILTER")]
    pub(crate) log_filter: Option<String>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for programs.
    Json,
}

impl LogConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let Some(filter) = &self.log_filter else { return Ok(()) };
        match EnvFilter::builder().parse(filter) {
            Ok(_) => Ok(()),
            Err(error) => Err(ConfigError::Value { key: "log-filter", problem: error.to_string() }),
        }
    }
}
