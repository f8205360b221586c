//! `cairn devnet env`: where a devnet is, as variables of a shell.

use clap::Args;

use super::place::Place;
use crate::cli::Answer;
use crate::config::Settings;
use crate::devnet::{AttachedNode, Attachment, DevnetError, VARIABLE};

/// Print variables for programs that use a node, to be evaluated by a shell.
///
/// Passwords are not among them: programs read the cookie's file, which only its owner may.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  eval \"$(cairn devnet env)\"\n  eval \"$(cairn devnet env bob)\"")]
pub(super) struct EnvArgs {
    /// The node [default: the first].
    node: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Runs `cairn devnet env`.
pub(super) fn run(args: &EnvArgs, settings: &Settings) -> Answer {
    let devnet = args.place.find(settings)?;
    let node = match &args.node {
        Some(name) => devnet.node(name)?,
        None => devnet.nodes.first().ok_or_else(|| DevnetError::Impossible("it is still starting".to_owned()))?,
    };
    Ok(variables(&devnet, node, &devnet.path().to_string_lossy()))
}

fn variables(devnet: &Attachment, node: &AttachedNode, attachment: &str) -> String {
    let cookie = node.cookie.to_string_lossy();
    let url = format!("http://{}", node.rpc);
    let variables = [
        (VARIABLE, attachment.to_owned()),
        ("CAIRN_DEVNET_NETWORK", devnet.network.clone()),
        ("CAIRN_DEVNET_NODE", node.name.clone()),
        ("CAIRN_RPC_URL", url.clone()),
        ("CAIRN_RPC_COOKIE", cookie.clone().into_owned()),
        ("CAIRN_METRICS_URL", format!("http://{}/metrics", node.metrics)),
        // As rust-bitcoin's tools and tests call them.
        ("BITCOIN_RPC_URL", url),
        ("BITCOIN_RPC_COOKIE", cookie.into_owned()),
    ];
    variables.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect()
}

/// A text as POSIX shells read it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text as one word of a command that people type: without quotes if it needs none.
pub(super) fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:@,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shell_reads_more_into_a_value() {
        assert_eq!(quoted("/tmp/a b"), "'/tmp/a b'");
        assert_eq!(quoted("$(reboot)'s"), r"'$(reboot)'\''s'");
        assert_eq!((word("/tmp/a.b-c"), word("/tmp/a b")), ("/tmp/a.b-c".to_owned(), "'/tmp/a b'".to_owned()));
    }
}
