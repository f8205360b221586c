//! The server from outside, as clients see it.

mod auth;
mod batches;
mod limits;
mod long_calls;
mod malformed;
mod methods;
mod protocol;
mod replay;
