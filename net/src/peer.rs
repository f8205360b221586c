//! Decisions about peers, without sockets or clocks.
//!
//! | file | holds |
//! |---|---|
//! | `address` | what an address says about where a peer is |
//! | `admission` | [`Admission`]: which addresses may be connected with |
//! | `backoff` | how long to wait before something is tried again |
//! | `book` | [`AddressBook`](book::AddressBook): where peers may be found |
//! | `bootstrap` | [`Bootstrap`]: when to dial the nodes that introduce us |
//! | `dialer` | [`Dialer`]: when to dial the peers that were named to us, and when again |
//! | `events` | [`PeerEventQueue`]: what is still to be told about peers, bounded by their number |
//! | `outbound` | [`Outbound`]: whom to dial of one's own accord, and whom to let go |
//! | `quota` | [`TokenBucket`], [`Quotas`]: what one peer may ask for |
//! | `rendezvous` | [`Rendezvous`]: what to ask of rendezvous points, and when |
//! | `walk` | [`Walks`]: when to walk through other peers' tables |

mod address;
mod admission;
mod backoff;
mod book;
mod bootstrap;
mod dialer;
mod events;
mod outbound;
mod quota;
mod rendezvous;
mod walk;

pub use address::is_global;
pub(crate) use address::{ip_of, is_dialable, peer_of};
pub(crate) use admission::Admission;
pub(crate) use book::Source;
pub(crate) use bootstrap::{Bootstrap, Need};
pub(crate) use dialer::{DialFailed, Dialer, Target};
pub(crate) use events::PeerEventQueue;
pub(crate) use outbound::Outbound;
pub(crate) use quota::{Ask, Quotas};
pub(crate) use rendezvous::{Rendezvous, RendezvousAction};
pub(crate) use walk::Walks;
