//! This node among others. The chain and the network do not know each other; they meet here.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what the network is told |
//! | `address_book` | where other nodes were, for the next start |
//! | `start` | the service and the tasks around it, as the configuration says |
//! | `tasks` | what peers and the chain ask for, handed to whoever does it |
//! | `serve` | answers to what peers ask |
//! | `compact` | compact blocks and their transactions, for peers that ask |
//! | `status` | what we say of ourselves |

mod address_book;
mod compact;
mod serve;
mod settings;
mod start;
mod status;
mod tasks;

pub(crate) use settings::{identity, network_config};
pub(crate) use start::{NetworkStartError, start};
pub(crate) use status::own_status;
