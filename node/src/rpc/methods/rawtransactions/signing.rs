//! What satisfies the outputs that a transaction spends: signatures, scripts, and what both are put together to.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `satisfaction` | what is there for an input, and what several have to offer together | `SignatureData`, `DataFromTransaction` |
//! | `produce` | an input is satisfied as far as keys and scripts go | `ProduceSignature`, `SignStep` |
//! | `keystore` | keys and scripts | `FlatSigningProvider` |
//! | `input` | one input: its hashes, and whether it is satisfied | `MutableTransactionSignatureCreator` |

mod input;
mod keystore;
mod produce;
mod satisfaction;

pub(super) use input::InputContext;
pub(super) use keystore::{Keystore, SigningKey};
pub(super) use produce::produce_signature;
pub(super) use satisfaction::Satisfaction;
