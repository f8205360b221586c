//! Decisions about peers, without sockets or clocks.
//!
//! | file | holds |
//! |---|---|
//! | `dialer` | [`Dialer`]: when to dial the peers that were named to us, and when again |
//! | `events` | [`PeerEventQueue`]: what is still to be told about peers, bounded by their number |
//! | `quota` | [`TokenBucket`], [`Quotas`]: what one peer may ask for |

mod dialer;
mod events;
mod quota;

pub(crate) use dialer::{DialFailed, Dialer, Target};
pub(crate) use events::PeerEventQueue;
pub(crate) use quota::{Ask, Quotas};
