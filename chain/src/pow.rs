//! Proof of work: what a header must prove, what it is worth, and how to find one.
//!
//! Everything here is a pure function of headers; nothing reads a clock (apart from the throttle of [`grind`]), a disk or
//! a network.
//!
//! | module | question | Core |
//! |---|---|---|
//! | [`target`] | does this hash meet this compact target? | `arith_uint256.cpp`, `pow.cpp` |
//! | [`work`] | how many hashes is this chain worth? | `chain.cpp` |
//! | [`retarget`] | which compact target must the next block carry? | `pow.cpp` |
//! | [`header_hash`] | what is the hash of these 80 bytes? | `hash.h`, `primitives/block.cpp` |
//! | [`mod@grind`] | which nonce makes this header meet its target? | `rpc/mining.cpp` |
//!
//! ```text
//!   headers ──► retarget ──► compact bits ──► target ──► grind ──► nonce
//!                                  │             ▲          │
//!                                  └──► work     └── header_hash
//! ```

pub mod grind;
pub mod header_hash;
pub mod retarget;
pub mod target;
pub mod work;
