//! This node among others. The chain and the network do not know each other; they meet here.
//!
//! | file | holds |
//! |---|---|
//! | `start` | the service and the tasks around it, as the configuration says |
//! | `tasks` | what peers and the chain ask for, handed to whoever does it |
//! | `serve` | answers to what peers ask |
//! | `status` | what we say of ourselves |

mod serve;
mod start;
mod status;
mod tasks;

pub(crate) use start::{NetworkStartError, start};
pub(crate) use status::own_status;
