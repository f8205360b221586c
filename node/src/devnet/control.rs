//! How a devnet is driven from outside: a line of JSON for what is asked, a line for what became of it.
//!
//! The socket is in a folder that its owner alone may enter. The same requests are the steps of a scenario.
//!
//! | file | holds |
//! |---|---|
//! | `request` | what can be asked |
//! | `outcome`, `reorganisation` | what became of it |
//! | `server` | the side of the devnet |
//! | `client` | the side of commands |

mod client;
mod outcome;
mod reorganisation;
mod request;
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use client::ask;
pub(crate) use outcome::{Mined, NodeFacts, NodeStatus, Outcome, Status, short};
pub(crate) use reorganisation::Reorganisation;
pub(crate) use request::Request;
pub(crate) use server::{Command, ControlSocket};

/// The longest question, in bytes.
const MAX_LINE: u64 = 1 << 20;
/// The longest answer that is read, in bytes: all that many nodes took back, with the transactions in it, is a fraction of that.
const MAX_ANSWER: u64 = 64 << 20;
/// How long each side waits for the other's line to come or go.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// What is sent back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// It was done.
    Done(Outcome),
    /// It was not, and why.
    Failed(String),
}
