//! Proof of work.

pub mod retarget;
