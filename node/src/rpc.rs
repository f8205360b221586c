//! JSON-RPC, as clients of Bitcoin Core v31 know it.
//!
//! A request takes this way:
//!
//! ```text
//! server      a connection, HTTP, a password, a body: all within bounds
//! execute     one request or a batch, version 1 or 2, and what is answered to errors
//! dispatcher  warm-up, the method, what runs
//! table       names, numbers and types of arguments, all from the method's record
//! methods     the handlers, one file for each category
//! ```
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `server`, `options` | HTTP | `httpserver.cpp` |
//! | `address` | addresses as users write them | `key_io.cpp` |
//! | `auth` | who may call | `httprpc.cpp`, `rpc/request.cpp` |
//! | `execute`, `request` | the protocol | `httprpc.cpp`, `rpc/request.cpp` |
//! | `dispatcher`, `warmup`, `observer`, `call` | a call, from outside and inside | `rpc/server.cpp` |
//! | `table` | what a method is, and its help | `rpc/util.cpp` |
//! | `address` | addresses and private keys | `key_io.cpp` |
//! | `descriptor` | texts that stand for scripts | `script/descriptor.cpp` |
//! | `arguments` | what was passed | `rpc/util.cpp`, `univalue` |
//! | `values`, `json`, `error` | what comes back | `univalue`, `rpc/protocol.h` |
//! | `views` | transactions and scripts in results | `core_io.cpp` |
//! | `budget` | memory that clients share | |
//! | `methods` | the methods | `rpc/*.cpp` |

mod address;
mod arguments;
mod auth;
mod budget;
mod call;
mod descriptor;
mod dispatcher;
mod error;
mod execute;
mod json;
mod methods;
mod observer;
mod options;
mod request;
mod server;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod values;
mod views;
mod warmup;

pub(crate) use arguments::{Arguments, FromArgument, Object};
pub(crate) use auth::{RpcAuth, RpcAuthOptions, Secret, Whitelist};
pub(crate) use call::{Call, run_apart};
pub(crate) use error::{RpcError, RpcErrorCode, RpcResult};
pub(crate) use json::{JsonType, parse_document, pretty};
pub(crate) use observer::RpcObserver;
pub(crate) use options::{COOKIE_FILE, RpcLimits, RpcServerError, RpcServerOptions};
pub(crate) use server::RpcServer;
pub(crate) use table::{Category, Example, Method, Parameter, ParameterType, Presence, ResultDoc, find_method};
pub(crate) use values::{Btc, DisplayString, Hex, HexBytes, Real, to_hex_result, to_result};
pub(crate) use warmup::Warmup;

#[cfg(test)]
mod tests;
