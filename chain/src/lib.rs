//! Bitcoin's consensus rules, proof of work and chain state.
#![deny(missing_docs)]

pub mod coins;
pub mod hash;
pub mod header_chain;
pub mod params;
pub mod pow;
pub mod primitives;
pub mod script;
pub mod validation;
