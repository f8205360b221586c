//! The search for a genesis block's nonce.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;

use bitcoin::block::Header;

use super::compact::target_from_bits;
use crate::pow::{GrindOptions, GrindOutcome, Target, grind};

/// A nonce that brings the hash of `header` under the target of its own bits, whatever nonce it has now; `None` if none of
/// the 2^32 does or the bits stand for no target.
///
/// Uses all cores.
#[must_use]
pub fn mine_genesis(header: &Header) -> Option<u32> {
    let target = Target::new(target_from_bits(header.bits)?);
    let never = AtomicBool::new(false);
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match grind(header, &target, &GrindOptions { threads, ..GrindOptions::new(&never) }).outcome {
        GrindOutcome::Found { nonce } => Some(nonce),
        GrindOutcome::Exhausted | GrindOutcome::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ChainParams;
    use bitcoin::CompactTarget;

    #[test]
    fn finds_a_nonce_that_works() {
        let regtest = ChainParams::regtest(Default::default()).genesis;
        let nonce = mine_genesis(&Header { nonce: 77, ..regtest.header }).unwrap();
        let header = Header { nonce, ..regtest.header };
        assert!(header.validate_pow(header.target()).is_ok());
    }

    #[test]
    fn no_target_has_no_nonce() {
        let header = ChainParams::regtest(Default::default()).genesis.header;
        assert_eq!(mine_genesis(&Header { bits: CompactTarget::from_consensus(0), ..header }), None);
    }
}
