//! Bitcoin's consensus rules, proof of work and chain state.
#![deny(missing_docs)]

pub mod header_chain;
pub mod params;
pub mod pow;
