//! The retarget rule against real mainnet headers and against an alternate mainnet chain that crosses a retarget.
//!
//! The headers are acceptance data outside the repository: `CAIRN_DATA` names the folder.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::PathBuf;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use bitcoin::constants::genesis_block;
use bitcoin::hex::FromHex;
use bitcoin::{BlockHash, Network};
use cairn_chain::header_chain::HeaderFacts;
use cairn_chain::pow::header_hash::hash_header;
use cairn_chain::pow::retarget::{BitcoinRetarget, PowParams, Retarget, next_work_required};
use cairn_chain::pow::target::check_proof_of_work;
use cairn_chain::pow::work::Work;
use cairn_chain::primitives::HEADER_SIZE;
use ruint::aliases::U256;

/// First bytes of every block in a mainnet block file (Core: `CMainParams::pchMessageStart`, `kernel/chainparams.cpp`).
const MAINNET_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];

/// Mainnet's parameters (Core: `CMainParams`, `kernel/chainparams.cpp`).
fn mainnet() -> PowParams {
    PowParams {
        limit: U256::MAX >> 32,
        target_spacing: 600,
        retarget: Retarget::Bitcoin(BitcoinRetarget {
            target_timespan: 14 * 24 * 60 * 60,
            allow_min_difficulty_blocks: false,
            enforce_bip94: false,
            no_retargeting: false,
        }),
    }
}

/// Contents of a file of the acceptance data.
fn read_data(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("CAIRN_DATA").expect("set CAIRN_DATA to the folder of acceptance data");
    let path = PathBuf::from(folder).join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Headers in a row from genesis, each checked against the ones before it.
struct CheckedChain(Vec<HeaderFacts>);

impl CheckedChain {
    fn from_genesis() -> Self {
        let header = genesis_block(Network::Bitcoin).header;
        Self(vec![HeaderFacts { hash: header.block_hash(), time: header.time, bits: header.bits }])
    }

    /// Appends the header that starts `block`, which must have the hash `listed` if one is given.
    fn append(&mut self, block: &[u8], listed: Option<BlockHash>) {
        let height = self.0.len();
        let bytes = block.first_chunk::<HEADER_SIZE>().expect("a block starts with a header");
        let header: Header = deserialize(bytes).unwrap();
        let hash = hash_header(bytes);
        let params = mainnet();
        assert_eq!(hash, listed.unwrap_or_else(|| header.block_hash()), "hash at height {height}");
        assert_eq!(header.prev_blockhash, self.0[height - 1].hash, "parent at height {height}");
        assert_eq!(header.bits, next_work_required(self.0.as_slice(), header.time, &params), "bits at height {height}");
        assert_eq!(check_proof_of_work(&hash, header.bits, params.limit), Ok(()), "work at height {height}");
        self.0.push(HeaderFacts { hash, time: header.time, bits: header.bits });
    }
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data"]
fn mainnet_s_first_blocks() {
    let file = read_data("mainnet_0_438.blk.dat");
    let mut chain = CheckedChain::from_genesis();
    let mut rest = file.as_slice();
    let mut height = 0;
    while let Some((magic, behind)) = rest.split_first_chunk::<4>() {
        assert_eq!(*magic, MAINNET_MAGIC, "magic at height {height}");
        let (length, behind) = behind.split_first_chunk::<4>().unwrap();
        let (block, behind) = behind.split_at(usize::try_from(u32::from_le_bytes(*length)).unwrap());
        if height == 0 {
            assert_eq!(hash_header(block.first_chunk().unwrap()), chain.0[0].hash);
        } else {
            chain.append(block, None);
        }
        rest = behind;
        height += 1;
    }
    assert_eq!(height, 439);
    // Every one of them has difficulty 1.
    let work: Work = chain.0.iter().map(|header| Work::from_compact(header.bits)).sum();
    assert_eq!(work.to_u256(), U256::from(439_u64 * 0x1_0001_0001));
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data"]
fn an_alternate_mainnet_across_its_first_retarget() {
    let compressed = read_data("mainnet_alt_2016.blocks.txt.xz");
    let mut text = Vec::new();
    lzma_rs::xz_decompress(&mut compressed.as_slice(), &mut text).unwrap();
    let mut chain = CheckedChain::from_genesis();
    for line in std::str::from_utf8(&text).unwrap().lines() {
        let [height, hash, block] = line.split(' ').collect::<Vec<_>>().try_into().expect("height, hash and block");
        assert_eq!(height.parse(), Ok(chain.0.len()));
        chain.append(&Vec::from_hex(block).unwrap(), Some(hash.parse().unwrap()));
    }
    assert_eq!(chain.0.len(), 2017);
    let bits: Vec<u32> = [2015, 2016].map(|height: usize| chain.0[height].bits.to_consensus()).into();
    assert_eq!(bits, [0x1d00_ffff, 0x1c3f_ffc0]);
}
