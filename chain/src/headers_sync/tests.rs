//! Chains of real headers, with easy targets, under Bitcoin's rule and under ASERT.
//!
//! | file | holds |
//! |---|---|
//! | `core_cases` | Core's `headers_sync_chainwork_tests.cpp`, on both networks |
//! | `mistakes` | one case for each error |
//! | `memory` | the bounds the module promises |
//! | `random` | any chain in any messages |

mod core_cases;
mod memory;
mod mistakes;
mod random;

use bitcoin::hashes::Hash;
use bitcoin::{CompactTarget, TxMerkleNode};

use super::*;
use crate::header_chain::HeaderFacts;
use crate::params::{HeadersSyncParams, RegtestOptions};
use crate::pow::{AsertRetarget, Retarget, check_proof_of_work, next_work_required};
use crate::primitives::{hash_header, header_bytes};

/// Far after everything that is mined here.
const NOW: u64 = 1_900_000_000;

/// Regtest, with parameters that fit a chain of some thousand headers.
fn regtest(headers_sync: HeadersSyncParams) -> ChainParams {
    ChainParams { headers_sync, ..ChainParams::regtest(RegtestOptions::default()) }
}

/// A network as easy as regtest, with a schedule from height 5 on that a few blocks move.
fn asert(headers_sync: HeadersSyncParams) -> ChainParams {
    let mut params = regtest(headers_sync);
    params.consensus.pow.target_spacing = 60;
    params.consensus.pow.retarget = Retarget::Asert(AsertRetarget {
        anchor_height: 5,
        anchor_bits: CompactTarget::from_consensus(0x2040_0000),
        half_life: 3600,
    });
    params
}

/// What rules ask of a header.
fn facts(header: &Header) -> HeaderFacts {
    let &Header { version, time, bits, .. } = header;
    HeaderFacts { hash: hash_header(&header_bytes(header)), time, bits, version }
}

/// Work of headers, without what is below them.
fn work(headers: &[Header]) -> Work {
    headers.iter().map(|header| Work::from_compact(header.bits)).sum()
}

/// The hash of a header.
fn hash(header: &Header) -> BlockHash {
    facts(header).hash
}

/// A chain from genesis on.
struct Miner {
    params: ChainParams,
    facts: Vec<HeaderFacts>,
    headers: Vec<Header>,
    /// Tells one chain from another.
    merkle_root: TxMerkleNode,
}

impl Miner {
    fn new(params: &ChainParams, merkle_root: u8) -> Self {
        let genesis = facts(&params.genesis.header);
        let merkle_root = TxMerkleNode::from_byte_array([merkle_root; 32]);
        Self { params: params.clone(), facts: vec![genesis], headers: Vec::new(), merkle_root }
    }

    /// A header on top with whatever nonce makes it one; `seconds` after the last.
    fn next(&self, seconds: u32) -> Header {
        let last = self.facts[self.facts.len() - 1];
        let time = last.time + seconds;
        self.prove(Header {
            version: last.version,
            prev_blockhash: last.hash,
            merkle_root: self.merkle_root,
            time,
            bits: next_work_required(self.facts.as_slice(), time, &self.params.consensus.pow),
            nonce: 0,
        })
    }

    /// The header with the first nonce that gives it the work it claims.
    fn prove(&self, mut header: Header) -> Header {
        let limit = self.params.consensus.pow.limit;
        while check_proof_of_work(&hash(&header), header.bits, limit).is_err() {
            header.nonce += 1;
        }
        header
    }

    fn push(&mut self, header: Header) {
        self.facts.push(facts(&header));
        self.headers.push(header);
    }

    /// Mines headers, each so many seconds after the one before.
    fn mine(mut self, seconds: impl IntoIterator<Item = u32>) -> Self {
        for seconds in seconds {
            self.push(self.next(seconds));
        }
        self
    }

    /// Work of the whole chain, genesis included.
    fn chain_work(&self) -> Work {
        work(&[self.params.genesis.header]) + work(&self.headers)
    }
}

/// A sync of everything above genesis, with secrets that a test may know.
fn sync(params: &ChainParams, minimum_required_work: Work, offset: u32) -> HeadersSyncState {
    sync_at(params, minimum_required_work, offset, NOW)
}

fn sync_at(params: &ChainParams, minimum_required_work: Work, offset: u32, now: u64) -> HeadersSyncState {
    let genesis = params.genesis.header;
    let commitments = Commitments::new([9; 16], params.headers_sync.commitment_period, offset);
    let start = [facts(&genesis)];
    HeadersSyncState::with_commitments(params, &start[..], work(&[genesis]), minimum_required_work, now, commitments)
}
