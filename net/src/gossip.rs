//! Headers of new blocks and transactions, spread over a mesh (gossipsub).
//!
//! Nothing is forwarded before the node has judged it, and what is wrong on its face never reaches the node. Bodies of blocks
//! are not gossiped: a message is known by the hash of all its bytes, so one proof of work would pay for any number of
//! bodies, and a header with a spoilt body that arrives first would keep the true one out. A header vouches for all its 80
//! bytes, and whoever accepts it asks for the body.
//!
//! | file | holds |
//! |---|---|
//! | `check` | what a header must be before the node hears of it |
//! | `settings` | gossipsub's settings, and why |
//! | `topics` | [`Topics`]: what is gossiped, and how messages are told apart |

mod check;
mod settings;
#[cfg(test)]
mod tests;
mod topics;

pub use check::HeaderError;
pub(crate) use check::check_header;
use libp2p::PeerId;
use libp2p::gossipsub::{self, MessageId};
pub(crate) use settings::{Gossipsub, gossipsub};
pub(crate) use topics::{Topic, Topics};

/// The verdict on a gossiped message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is forwarded.
    Accept,
    /// It is not forwarded, and whoever sent it did no wrong.
    Ignore,
    /// It is not forwarded, and no honest node would have sent it.
    Reject,
}

impl From<Acceptance> for gossipsub::MessageAcceptance {
    fn from(acceptance: Acceptance) -> Self {
        match acceptance {
            Acceptance::Accept => Self::Accept,
            Acceptance::Ignore => Self::Ignore,
            Acceptance::Reject => Self::Reject,
        }
    }
}

/// Names one received message when its verdict is reported. A message waits for its verdict for a few seconds; a later one
/// changes nothing.
#[derive(Debug)]
pub struct ValidationToken {
    pub(crate) message: MessageId,
    pub(crate) source: PeerId,
}
