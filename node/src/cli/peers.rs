//! `cairn peers`: who a running node is connected with, and who may be.
//!
//! | file | holds |
//! |---|---|
//! | `duration` | times as people write them |
//! | `table` | tables for people |
//! | `watch` | the table, again and again |

mod duration;
mod table;
mod watch;

use std::error::Error;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Answer;
use super::rpc::{Connection, ConnectionArgs, call};
use crate::config::{Given, Settings};
use crate::rpc::pretty;
use duration::parse_duration;

/// Spaces to a level of printed JSON.
const INDENT: usize = 2;

/// Show the peers of a running node, and decide who may be one.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  \
        cairn peers\n  \
        cairn peers --watch\n  \
        cairn peers add /ip4/192.0.2.7/tcp/8433\n  \
        cairn peers ban 192.0.2.0/24 --for 7d\n  \
        cairn peers banned",
    args_conflicts_with_subcommands = true
)]
pub(super) struct PeersArgs {
    #[command(subcommand)]
    command: Option<PeersCommand>,
    /// Show the table again each second, until Ctrl-C.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Print JSON instead of a table: what the method getpeerinfo answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum PeersCommand {
    /// Stay connected with a node, until it is removed or the node asked ends.
    #[command(
        before_help = "Examples:\n  cairn peers add /dns4/node.example.org/tcp/8433\n  cairn peers add 192.0.2.7:8433"
    )]
    Add {
        /// Multiaddress of the node, or HOST:PORT.
        address: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// No longer dial a node that was added. Its connection stays.
    #[command(before_help = "Examples:\n  cairn peers remove 192.0.2.7:8433")]
    Remove {
        /// Multiaddress of the node, or HOST:PORT.
        address: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// End the connection with a peer. It may come back.
    #[command(before_help = "Examples:\n  cairn peers disconnect 192.0.2.7:8433")]
    Disconnect {
        /// Peer id, or where the peer is.
        peer: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Let a peer or an address connect no more for a while.
    #[command(before_help = "Examples:\n  cairn peers ban 192.0.2.7\n  cairn peers ban 2001:db8::/32 --for 7d")]
    Ban {
        /// Peer id, IP address or subnet.
        who: String,
        /// How long, as a number with s, m, h, d or w.
        #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
        time: u64,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Let a banned peer or address connect again.
    #[command(before_help = "Examples:\n  cairn peers unban 192.0.2.7")]
    Unban {
        /// Peer id, IP address or subnet, as it was banned.
        who: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Show who is banned.
    #[command(before_help = "Examples:\n  cairn peers banned\n  cairn peers banned --json")]
    Banned {
        /// Print JSON instead of a table: what the method listbanned answers.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

/// Runs a `cairn peers` command.
pub(super) fn run(args: &PeersArgs, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    let node = |connection| Connection::find(connection, &settings).map(Node);
    match &args.command {
        None if args.watch => watch::run(&node(&args.connection)?),
        None if args.json => node(&args.connection)?.json("getpeerinfo"),
        None => Ok(table::of_peers(&node(&args.connection)?.peers()?, crate::penalty::unix_time())),
        Some(PeersCommand::Add { address, connection }) => {
            node(connection)?.tell("addnode", &json!([address, "add"]), format!("added {address}"))
        }
        Some(PeersCommand::Remove { address, connection }) => {
            node(connection)?.tell("addnode", &json!([address, "remove"]), format!("removed {address}"))
        }
        Some(PeersCommand::Disconnect { peer, connection }) => {
            node(connection)?.tell("disconnectnode", &json!([peer]), format!("disconnected {peer}"))
        }
        Some(PeersCommand::Ban { who, time, connection }) => {
            node(connection)?.tell("setban", &json!([who, "add", time]), format!("banned {who}"))
        }
        Some(PeersCommand::Unban { who, connection }) => {
            node(connection)?.tell("setban", &json!([who, "remove"]), format!("{who} may connect again"))
        }
        Some(PeersCommand::Banned { json: true, connection }) => node(connection)?.json("listbanned"),
        Some(PeersCommand::Banned { json: false, connection }) => Ok(table::of_bans(&node(connection)?.bans()?)),
    }
}

/// A peer, as the method `getpeerinfo` tells of it.
#[derive(Debug, Deserialize)]
struct Peer {
    peer_id: String,
    addr: String,
    inbound: bool,
    /// In seconds since 1970.
    conntime: u64,
    /// In seconds.
    pingtime: Option<f64>,
    bytessent: u64,
    bytesrecv: u64,
    subver: String,
}

/// A ban, as the method `listbanned` tells of it.
#[derive(Debug, Deserialize)]
struct Ban {
    address: String,
    /// In seconds.
    time_remaining: u64,
    ban_reason: String,
}

/// A running node.
struct Node(Connection);

impl Node {
    fn get(&self, method: &str) -> Result<Box<RawValue>, Box<dyn Error>> {
        Ok(call(&self.0, method, "[]")?.ok_or("the node answered with nothing")?)
    }

    fn json(&self, method: &str) -> Answer {
        Ok(pretty(self.get(method)?.get(), INDENT) + "\n")
    }

    fn peers(&self) -> Result<Vec<Peer>, Box<dyn Error>> {
        Ok(serde_json::from_str(self.get("getpeerinfo")?.get())?)
    }

    fn bans(&self) -> Result<Vec<Ban>, Box<dyn Error>> {
        Ok(serde_json::from_str(self.get("listbanned")?.get())?)
    }

    /// Tells the node to do something. What was done.
    fn tell(&self, method: &str, params: &serde_json::Value, done: String) -> Answer {
        call(&self.0, method, &params.to_string())?;
        Ok(done + "\n")
    }
}
