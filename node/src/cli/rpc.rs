//! `cairn rpc`: calls a method of a running node (Core: `bitcoin-cli`).
//!
//! | file | holds |
//! |---|---|
//! | `params` | words become JSON, as the method's record in the table says |
//! | `connection` | where the node is, and how it knows us |
//! | `client` | one HTTP request |

mod client;
mod connection;
mod params;

use std::error::Error;
use std::io::Read;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Answer;
use super::failure::Failure;
use crate::config::{Given, Settings};
use crate::rpc::{JsonType, pretty};
use client::Response;
pub(super) use connection::{Connection, ConnectionArgs};

/// Bytes of arguments that are read from standard input; the node takes no more.
const MAX_STDIN: u64 = 32 << 20;
/// Spaces to a level of printed JSON.
const INDENT: usize = 2;

/// Call a method of a running node.
///
/// Arguments are given in order, or by name as NAME=VALUE, or both. Strings are given as they are, everything else as JSON.
/// 'cairn rpc help' lists the methods, 'cairn rpc help METHOD' explains one. Options go before the method.
///
/// Without an option that says which node, the variables of 'eval "$(cairn devnet env)"' do, if they are set.
///
/// Strings are printed as they are, everything else as JSON. The exit code is the number of the node's error without its
/// sign (28 while it starts), 3 if no node answers.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn rpc getblockcount\n  \
    cairn rpc --network regtest getblockhash 0\n  \
    cairn rpc getblockheader blockhash=$(cairn rpc getbestblockhash) verbose=false\n  \
    cairn rpc --stdin sendrawtransaction < tx.hex\n  \
    cairn rpc help getblock")]
pub(super) struct RpcArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Read more arguments from standard input, one a line: secrets, which others could see on a command line, and what is
    /// too long for one.
    #[arg(long)]
    stdin: bool,
    /// The method.
    method: String,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs `cairn rpc`.
pub(super) fn run(args: &RpcArgs, given: &Given) -> Answer {
    let mut words = args.arguments.clone();
    if args.stdin {
        let mut text = String::new();
        std::io::stdin().lock().take(MAX_STDIN).read_to_string(&mut text)?;
        words.extend(text.lines().map(str::to_owned));
    }
    let params = params::from_words(&args.method, &words).map_err(Failure::Usage)?;
    let connection = Connection::find(&args.connection, &Settings::gather(given)?)?;
    let Some(result) = call(&connection, &args.method, &params)? else {
        return Ok(String::new());
    };
    Ok(match JsonType::of(&result) {
        JsonType::Null => String::new(),
        JsonType::String => serde_json::from_str::<String>(result.get())? + "\n",
        _ => pretty(result.get(), INDENT) + "\n",
    })
}

/// Calls a method with `params` as JSON. The result, if there is any.
///
/// # Errors
///
/// What the node answers instead, or why it does not answer.
pub(super) fn call(
    connection: &Connection,
    method: &str,
    params: &str,
) -> Result<Option<Box<RawValue>>, Box<dyn Error>> {
    let method = serde_json::Value::from(method);
    let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"cairn\",\"method\":{method},\"params\":{params}}}");
    let response = client::post(connection, &request)?;
    read_reply(connection, &response)
}

/// The result; a failure for everything else.
fn read_reply(connection: &Connection, response: &Response) -> Result<Option<Box<RawValue>>, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Reply {
        result: Option<Box<RawValue>>,
        error: Option<ReplyError>,
    }
    #[derive(Deserialize)]
    struct ReplyError {
        code: i32,
        message: String,
    }
    if response.status == 401 {
        return Err(connection.refused().into());
    }
    let reply: Reply = serde_json::from_str(&response.body).map_err(|_| -> Box<dyn Error> {
        let text = response.body.lines().next().unwrap_or_default();
        format!("{} answered with HTTP status {}: {text:?}", connection.what(), response.status).into()
    })?;
    if let Some(ReplyError { code, message }) = reply.error {
        return Err(Failure::Rpc { code, message }.into());
    }
    Ok(reply.result)
}

#[cfg(test)]
mod tests;
