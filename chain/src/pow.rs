//! Proof of work: what a header must prove, what it is worth, and how to find one.
//!
//! Everything here is a pure function of headers; nothing reads a clock (apart from the throttle of [`grind`]), a disk or
//! a network.
//!
//! | file | question | Core |
//! |---|---|---|
//! | `target` | does this hash meet this compact target? | `arith_uint256.cpp`, `pow.cpp` |
//! | `work` | how many hashes is this chain worth? | `chain.cpp` |
//! | `retarget` | which compact target must the next block carry? | `pow.cpp` |
//! | `midstate` | what is the hash of this header, with another nonce? | `primitives/block.cpp` |
//! | `grind` | which nonce makes this header meet its target? | `rpc/mining.cpp` |
//!
//! ```text
//!   headers ──► retarget ──► compact bits ──► target ──► grind ──► nonce
//!                                  │             ▲          │
//!                                  └──► work     └── midstate
//! ```

mod grind;
mod midstate;
mod retarget;
mod target;
mod work;

pub use grind::{GrindOptions, GrindOutcome, GrindResult, grind};
pub use midstate::Midstate;
pub(crate) use retarget::asert_work_required;
pub use retarget::{
    AsertRetarget, BitcoinRetarget, PowParams, Retarget, asert_target, next_work_required,
    permitted_difficulty_transition,
};
pub use ruint::aliases::U256;
pub use target::{Compact, ProofOfWorkError, Target, TargetError, check_proof_of_work, decode_compact, encode_compact};
pub use work::{ParseWorkError, Work, proof_equivalent_time};
