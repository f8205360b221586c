//! Making transactions: which coins, which change, which fee. Nothing here signs.
//!
//! Coins are chosen by BDK's branch and bound; every amount is then computed here in whole satoshis from exact weights, so that the fee
//! shown before signing is the fee that is paid.
//!
//! | file | holds |
//! |---|---|
//! | `balance` | coins, fee and change that balance |
//! | `bump` | paying more for a transaction that waits |
//! | `draft` | a transaction that nobody has signed yet |
//! | `fee` | what a transaction pays |
//! | `request` | what the user asks for |
//! | `weigh` | what it takes to spend a coin |

mod balance;
mod bump;
mod draft;
mod fee;
mod request;
mod weigh;

pub use bump::BumpKind;
pub use draft::{Change, Draft};
pub use request::{Recipient, SpendRequest};
pub(crate) use weigh::Scale;
