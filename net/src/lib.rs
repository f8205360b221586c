//! Cairn's peer-to-peer network over libp2p. It knows nothing of chain, storage or wallet: those are `cairn-node`'s to join.
//!
//! So far it guarantees one thing: two networks whose rules differ in anything share no name, so their nodes have nothing
//! to say to each other.
//!
//! | file | holds |
//! |---|---|
//! | `names` | [`NetworkNames`]: what protocols and topics are called |

mod names;

pub use names::NetworkNames;
