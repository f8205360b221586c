//! What a gossiped header must be before anybody looks at the chain.

use bitcoin::Target;
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use thiserror::Error;

/// Bytes of a header.
const HEADER_SIZE: usize = 80;

/// Why a gossiped message is not worth the node's attention. Every honest node checks as much before it forwards one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// It has another length than a header.
    #[error("{got} bytes, expected 80")]
    Length {
        /// Its length, in bytes.
        got: usize,
    },
    /// Its target is zero, negative, overflows or is easier than the network allows (Core: `DeriveTarget`, `pow.cpp`).
    #[error("target {got:#010x} is out of range")]
    Target {
        /// The target in compact form.
        got: u32,
    },
    /// Its hash is above its target (Core: `high-hash`).
    #[error("hash above the target: high-hash")]
    HighHash,
}

/// Reads a gossiped header and checks its work against the target it names. Whether that is the target it should have, only
/// its place in the chain can tell.
pub(crate) fn check_header(bytes: &[u8], pow_limit: Target) -> Result<Header, HeaderError> {
    if bytes.len() != HEADER_SIZE {
        return Err(HeaderError::Length { got: bytes.len() });
    }
    let header: Header = deserialize(bytes).expect("any 80 bytes are a header");
    let target = target(header.bits.to_consensus(), pow_limit)?;
    if target.is_met_by(header.block_hash()) { Ok(header) } else { Err(HeaderError::HighHash) }
}

/// The target that `bits` stand for. `Target::from_compact` drops what overflows, and knows no sign.
fn target(bits: u32, pow_limit: Target) -> Result<Target, HeaderError> {
    let out_of_range = HeaderError::Target { got: bits };
    let (exponent, mantissa) = (bits >> 24, bits & 0x007f_ffff);
    let is_negative = mantissa != 0 && bits & 0x0080_0000 != 0;
    // Core: `arith_uint256::SetCompact`, `arith_uint256.cpp`.
    let overflows =
        mantissa != 0 && (exponent > 34 || (mantissa > 0xff && exponent > 33) || (mantissa > 0xffff && exponent > 32));
    if is_negative || overflows {
        return Err(out_of_range);
    }
    let target = Target::from_compact(bitcoin::CompactTarget::from_consensus(bits));
    if target == Target::ZERO || target > pow_limit { Err(out_of_range) } else { Ok(target) }
}

#[cfg(test)]
mod tests {
    use bitcoin::blockdata::constants::genesis_block;
    use bitcoin::consensus::serialize;
    use bitcoin::{CompactTarget, Network};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn genesis_headers_pass() {
        for (network, limit) in [
            (Network::Bitcoin, Target::MAX_ATTAINABLE_MAINNET),
            (Network::Regtest, Target::MAX_ATTAINABLE_REGTEST),
            (Network::Signet, Target::MAX_ATTAINABLE_SIGNET),
        ] {
            let header = genesis_block(network).header;
            assert_eq!(check_header(&serialize(&header), limit), Ok(header));
        }
    }

    #[test]
    fn the_length_is_exact() {
        let bytes = serialize(&genesis_block(Network::Bitcoin).header);
        let check = |bytes: &[u8]| check_header(bytes, Target::MAX_ATTAINABLE_MAINNET);
        assert_eq!(check(&bytes[..79]), Err(HeaderError::Length { got: 79 }));
        assert_eq!(check(&[&bytes[..], &[0]].concat()), Err(HeaderError::Length { got: 81 }));
        assert_eq!(check(&[]), Err(HeaderError::Length { got: 0 }));
    }

    #[test]
    fn work_is_demanded() {
        let mut header = genesis_block(Network::Bitcoin).header;
        header.nonce ^= 1;
        assert_eq!(check_header(&serialize(&header), Target::MAX_ATTAINABLE_MAINNET), Err(HeaderError::HighHash));
    }

    #[test]
    fn the_easiest_target_is_the_networks() {
        let header = genesis_block(Network::Regtest).header;
        assert_eq!(
            check_header(&serialize(&header), Target::MAX_ATTAINABLE_MAINNET),
            Err(HeaderError::Target { got: 0x207f_ffff })
        );
    }

    #[test]
    fn targets_are_read_as_core_reads_them() {
        let of = |bits| target(bits, Target::MAX);
        for bits in [0, 0x0100_3456, 0x0200_0056, 0x0300_0000, 0x0092_3456, 0x0180_0000, 0x2000_0000] {
            assert_eq!(of(bits), Err(HeaderError::Target { got: bits }), "{bits:#x} is zero");
        }
        for bits in [0x01fe_dcba, 0x0492_3456, 0x2080_0001] {
            assert_eq!(of(bits), Err(HeaderError::Target { got: bits }), "{bits:#x} is negative");
        }
        for bits in [0x2300_0001, 0x2200_0100, 0x2101_0000, 0xff12_3456] {
            assert_eq!(of(bits), Err(HeaderError::Target { got: bits }), "{bits:#x} overflows");
        }
        for bits in [0x0112_3456, 0x2200_00ff, 0x2100_ffff, 0x207f_ffff, 0x1d00_ffff] {
            assert_eq!(of(bits), Ok(Target::from_compact(CompactTarget::from_consensus(bits))), "{bits:#x}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            // Chance does not find work for a target that mainnet allows.
            prop_assert!(check_header(&bytes, Target::MAX_ATTAINABLE_MAINNET).is_err());
        }

        #[test]
        fn any_target_is_judged(bits: u32) {
            if let Ok(target) = target(bits, Target::MAX_ATTAINABLE_REGTEST) {
                prop_assert!(target > Target::ZERO && target <= Target::MAX_ATTAINABLE_REGTEST);
            }
        }
    }
}
