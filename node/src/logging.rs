//! What the node says while it runs: on standard error, for people or for programs.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{LogConfig, LogFormat};

/// How much is logged unless the filter says it for each module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// What somebody should look at.
    Quiet,
    /// What an operator wants to know.
    Normal,
    /// What happens inside, too.
    Verbose,
    /// Everything, of the libraries as well.
    Everything,
}

impl Verbosity {
    fn filter(self) -> &'static str {
        match self {
            Self::Quiet => "warn,libp2p_kad=error",
            Self::Normal => "warn,libp2p_kad=error,cairn=info,cairn_chain=info,cairn_net=info",
            Self::Verbose => "info,cairn=debug,cairn_chain=debug,cairn_net=debug",
            Self::Everything => "debug,cairn=trace,cairn_chain=trace,cairn_net=trace",
        }
    }
}

/// Begins to log.
///
/// # Errors
///
/// When the filter is none.
pub(crate) fn start(config: &LogConfig, verbosity: Verbosity) -> Result<(), ParseError> {
    let filter = config.log_filter.as_deref().unwrap_or(verbosity.filter());
    let filter = EnvFilter::builder().parse(filter)?;
    // A closed standard error is no reason to stop.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(wants_colours()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Colours are for terminals, and not where the user does without (no-color.org).
fn wants_colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
