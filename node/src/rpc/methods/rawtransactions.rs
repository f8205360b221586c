//! Transactions (Core: `rpc/rawtransaction.cpp`, and those of `rpc/mempool.cpp` that take transactions).
//!
//! | file | holds |
//! |---|---|
//! | `decode` | hexadecimal digits become a transaction |
//! | `limits` | what a client wants to be protected from |
//! | `failure` | why a transaction is not taken, in Core's words |
//! | `verify_ahead` | scripts are verified before it is their turn |
//! | `send` | one transaction enters the pool, or many of a batch |
//! | `test_accept`, `package` | whether some would enter; several enter together |

pub(super) mod decode;
mod failure;
mod limits;
pub(super) mod package;
pub(super) mod send;
pub(super) mod test_accept;
mod verify_ahead;

#[cfg(test)]
mod tests;
