//! `cairn devnet`: a network of real nodes on one machine, and everything that drives it.
//!
//! ```text
//! up ─▶ Plan ─▶ Supervisor ─ a pipe each ─▶ cairn run, cairn run, …        nodes, wired as the plan has it
//!                  ▲    └── JSON-RPC ─────▶    "          "
//!                  │
//!       one line of JSON, by a socket that the attachment names
//!                  │
//! status, mine, kill, …                                                    other terminals, tests
//! ```
//!
//! The supervisor decides when a block is due and who mines it; that node does the work. It knows no shortcut into a node: all it
//! does goes through the command line, JSON-RPC and signals, as users could do it by hand. Each node holds the other end of a pipe
//! and stops when that ends, so that nodes never outlive the supervisor, however it dies.
//!
//! | file | holds |
//! |---|---|
//! | `plan`, `plan_file`, `topology` | what a devnet is made of |
//! | `chain` | its rules; the spec file of a network with another spacing |
//! | `accounts` | ten accounts whose keys are public, and the faucet's |
//! | `mining` | when a block is due, and who mines it |
//! | `clock` | the time that all nodes are told |
//! | `links` | what lies between nodes |
//! | `ports` | ports that are free |
//! | `duration`, `coins` | times and amounts as people write them |
//! | `state_directory` | where the data are |
//! | `attachment` | how other commands find it |
//! | `folder_lock` | the right to add and take away files of devnets |
//! | `leftovers` | what one leaves that was killed |
//! | `control` | how it is driven |
//! | `node_process`, `node_rpc` | a node, and the way to ask it |
//! | `own_program` | the program of nodes, which is that of this process |
//! | `prometheus` | the Prometheus that watches all nodes |
//! | `guard` | a program that is not ours and ends with the devnet |
//! | `supervisor` | all of it, running |
//! | `scenario` | steps that drive it, and what must be so |
//! | `error` | what can go wrong |

mod accounts;
mod attachment;
mod chain;
mod clock;
mod coins;
mod control;
mod duration;
mod error;
mod folder_lock;
mod guard;
mod leftovers;
mod links;
mod mining;
mod node_process;
mod node_rpc;
mod own_program;
mod plan;
mod plan_file;
mod ports;
mod prometheus;
mod scenario;
mod state_directory;
mod supervisor;
mod topology;

pub(crate) use accounts::accounts;
pub(crate) use attachment::{AttachedNode, Attachment, UNNAMED, VARIABLE, devnets_in};
pub(crate) use chain::PRE_MINE;
pub(crate) use coins::Coins;
pub(crate) use control::{Outcome, Request, Status, ask, short};
pub(crate) use duration::{parse_duration, show_duration};
pub(crate) use error::DevnetError;
pub(crate) use guard::{COMMAND as GUARD_COMMAND, find_program, guard};
pub(crate) use links::{LinkConditions, parse_bandwidth, parse_share};
pub(crate) use mining::{BlockTime, MiningMode};
pub(crate) use node_process::NodeEnd;
pub(crate) use own_program::own_program;
pub(crate) use plan::Plan;
pub(crate) use plan_file::PlanFile;
pub(crate) use scenario::{Scenario, ScenarioRun, StepOutcome};
pub(crate) use supervisor::{Notice, Supervisor, SupervisorOptions};
pub(crate) use topology::Topology;
