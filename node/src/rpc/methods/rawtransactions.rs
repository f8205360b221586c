//! Transactions (Core: `rpc/rawtransaction.cpp`, and those of `rpc/mempool.cpp` that take transactions).
//!
//! | file | holds |
//! |---|---|
//! | `decode`, `draft` | hexadecimal digits become a transaction, and parts become one |
//! | `limits` | what a client wants to be protected from |
//! | `failure` | why a transaction is not taken, in Core's words |
//! | `verify_ahead` | scripts are verified before it is their turn |
//! | `send` | one transaction enters the pool, or many of a batch |
//! | `test_accept`, `package` | whether some would enter; several enter together |
//! | `get`, `show` | a transaction that is known; digits that a client wants explained |
//! | `create`, `sign`, `combine` | a transaction is made, signed, and put together from several that are partly signed |
//! | `spent_coins`, `signing` | what it spends, and what satisfies that |

pub(super) mod combine;
pub(super) mod create;
pub(super) mod decode;
mod draft;
mod failure;
pub(super) mod get;
mod limits;
pub(super) mod package;
pub(super) mod send;
pub(super) mod show;
pub(super) mod sign;
mod signing;
mod spent_coins;
pub(super) mod test_accept;
mod verify_ahead;

#[cfg(test)]
mod tests;
