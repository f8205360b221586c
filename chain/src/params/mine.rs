//! The search for a genesis block's nonce.

use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use ruint::aliases::U256;
use sha2::{Digest, Sha256};

use super::compact::target_from_bits;

/// Nonces tried between two looks at the result: enough to keep all cores busy, few enough to stop soon after success.
const BATCH: u64 = 1 << 22;

/// The lowest nonce that brings the hash of `header` under the target of its own bits, whatever nonce it has now;
/// `None` if none of the 2^32 does or the bits stand for no target.
///
/// Uses all cores of rayon's pool and always finds the same nonce.
pub fn mine_genesis(header: &Header) -> Option<u32> {
    let target = target_from_bits(header.bits)?;
    let header = serialize(header);
    // All nonces share the first of the header's two SHA-256 blocks.
    let (shared, rest) = header.split_at(64);
    let midstate = Sha256::new_with_prefix(shared);
    let time_and_bits = &rest[..12];
    let works = |nonce: u32| {
        let first = midstate.clone().chain_update(time_and_bits).chain_update(nonce.to_le_bytes()).finalize();
        let hash: [u8; 32] = Sha256::digest(first).into();
        U256::from_le_bytes(hash) <= target
    };
    let end = u64::from(u32::MAX) + 1;
    (0..end / BATCH).find_map(|batch| {
        let nonces = batch * BATCH..(batch + 1) * BATCH;
        nonces.into_par_iter().filter_map(|nonce| u32::try_from(nonce).ok()).find_first(|nonce| works(*nonce))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ChainParams;
    use bitcoin::CompactTarget;

    #[test]
    fn finds_the_lowest_nonce() {
        let regtest = ChainParams::regtest(Default::default()).genesis;
        let nonce = mine_genesis(&Header { nonce: 77, ..regtest.header }).unwrap();
        let works = |nonce| {
            let header = Header { nonce, ..regtest.header };
            header.validate_pow(header.target()).is_ok()
        };
        assert_eq!((0..).find(|nonce| works(*nonce)), Some(nonce));
        // Core's nonce for regtest is 2, so the lowest is no higher.
        assert!(nonce <= 2);
    }

    #[test]
    fn no_target_has_no_nonce() {
        let header = ChainParams::regtest(Default::default()).genesis.header;
        assert_eq!(mine_genesis(&Header { bits: CompactTarget::from_consensus(0), ..header }), None);
    }
}
