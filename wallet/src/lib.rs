//! Cairn's wallet: keys that stay secret, sends that cannot surprise.
//!
//! It speaks to a node by JSON-RPC, as any other wallet would, and knows nothing of the node's insides. What it guarantees:
//!
//! - **Secrets** lie encrypted on disk, are decrypted for one signature, and are never in logs, arguments, the environment or JSON.
//!   Their memory is overwritten, and core dumps are off while the command runs.
//! - **No surprise in spending**: the fee that is shown is the fee that is paid, to the satoshi; change is never dust; a fee ceiling
//!   holds whatever else is said; nothing is sent without a yes.
//! - **Nothing is lost**: a wallet that is killed at any moment keeps every key and every address that it showed, and never shows an
//!   address twice.
//!
//! ```text
//! words ─ secret ─▶ account ─ descriptors ─▶ wallet ◀─ sync ─ node (JSON-RPC)
//!            │                                 │
//!            │                               spend ─ draft ─▶ PSBT
//!            └───────────── sign ◀─────────────────────────────┘
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`account`] | which descriptors a wallet has |
//! | [`amount`] | amounts and fee rates as people write them |
//! | [`cli`] | the command `cairn wallet` |
//! | [`error`] | everything that can go wrong, and exit codes |
//! | [`message`] | signed messages |
//! | [`network`] | which chain a wallet belongs to |
//! | [`node`] | the node it asks |
//! | [`psbt`] | partially signed transactions |
//! | [`secret`] | words and keys, and how they are sealed |
//! | [`sign`](mod@sign) | signatures |
//! | [`spend`] | coins, change and fees of transactions |
//! | [`store`] | a wallet's file |
//! | [`sync`] | blocks, reorganisations, the mempool |
//! | [`wallet`] | an open wallet |

pub mod account;
pub mod amount;
pub mod cli;
pub mod error;
pub mod message;
pub mod network;
pub mod node;
pub mod psbt;
pub mod secret;
pub mod sign;
pub mod spend;
pub mod store;
pub mod sync;
pub mod wallet;
