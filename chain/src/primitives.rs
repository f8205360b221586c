//! Blocks and transactions as they arrive: received bytes and where each field lies in them.
//!
//! The decoder is Core's to the letter (`serialize.h`, `primitives/transaction.h`), where rust-bitcoin's differs: in
//! transactions without inputs and in how large a length may be. It makes one pass, copies no field and keeps offsets;
//! what Bitcoin hashes (txid, wtxid, merkle and witness roots, signature hashes) is hashed from the received bytes, which
//! are also the bytes that are stored and relayed. The encoding has one form per value, so the bytes are the value.
//!
//! | file | holds |
//! |---|---|
//! | `header` | a header's 80 bytes, and their hash |
//! | `layout` | offsets of the fields, found by the one pass |
//! | `transaction` | [`Transaction`] with its bytes, [`TransactionRef`] into a block's |
//! | `witness` | [`WitnessRef`]: one input's witness stack |
//! | `money` | amounts as text |
//! | `block` | [`Block`]: a header, and all transactions in one set of arrays |

mod block;
mod header;
mod layout;
mod money;
mod transaction;
mod witness;

pub use crate::serialize::DecodeError;
pub use block::Block;
pub use header::{HEADER_SIZE, decode_header, hash_header, header_bytes};
pub use money::format_money;
pub(crate) use transaction::take_transaction;
pub use transaction::{InputRef, OutputRef, Transaction, TransactionRef};
pub use witness::{WitnessItems, WitnessRef};

/// How many weight units a byte outside the witness counts; a witness byte counts one (BIP141, Core:
/// `WITNESS_SCALE_FACTOR`, `consensus/consensus.h`).
pub const WITNESS_SCALE_FACTOR: usize = 4;
