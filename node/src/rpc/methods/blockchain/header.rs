//! What is told about a header (Core: `blockheaderToJSON`, `rpc/blockchain.cpp`).

use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget};
use cairn_chain::chainstate::{BlockLookup, Chainstate};
use cairn_chain::pow::{Target, Work, decode_compact};
use serde::Serialize;

use crate::rpc::{DisplayString, Real, ResultDoc};

/// Blocks whose median time is a block's median time (Core: `nMedianTimeSpan`, `chain.h`).
const MEDIAN_TIME_SPAN: usize = 11;

/// The fields, for every method that tells about headers.
pub(in crate::rpc) const HEADER_FIELDS: &[ResultDoc] = &[
    ResultDoc::hex("hash", "the block hash (same as provided)"),
    ResultDoc::number("confirmations", "The number of confirmations, or -1 if the block is not on the main chain"),
    ResultDoc::number("height", "The block height or index"),
    ResultDoc::number("version", "The block version"),
    ResultDoc::hex("versionHex", "The block version formatted in hexadecimal"),
    ResultDoc::hex("merkleroot", "The merkle root"),
    ResultDoc::time("time", "The block time expressed in UNIX epoch time"),
    ResultDoc::time("mediantime", "The median block time expressed in UNIX epoch time"),
    ResultDoc::number("nonce", "The nonce"),
    ResultDoc::hex("bits", "nBits: compact representation of the block difficulty target"),
    ResultDoc::hex("target", "The difficulty target"),
    ResultDoc::number("difficulty", "The difficulty"),
    ResultDoc::hex("chainwork", "Expected number of hashes required to produce the current chain"),
    ResultDoc::number("nTx", "The number of transactions in the block"),
    ResultDoc::hex("previousblockhash", "The hash of the previous block (if available)").optional(),
    ResultDoc::hex("nextblockhash", "The hash of the next block (if available)").optional(),
];

/// A header, with what the chain knows of it. Other views flatten it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::rpc) struct HeaderView {
    #[serde(skip)]
    pub(in crate::rpc) header: Header,
    hash: DisplayString<BlockHash>,
    confirmations: i64,
    height: u32,
    version: i32,
    #[serde(rename = "versionHex")]
    version_hex: String,
    merkleroot: DisplayString<bitcoin::TxMerkleNode>,
    time: u32,
    mediantime: u32,
    nonce: u32,
    bits: String,
    target: DisplayString<Target>,
    difficulty: Real,
    chainwork: DisplayString<Work>,
    #[serde(rename = "nTx")]
    transactions: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<DisplayString<BlockHash>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<DisplayString<BlockHash>>,
}

impl HeaderView {
    /// The header of a block; none if the block is not known. Runs on the chain thread.
    pub(in crate::rpc) fn find(chainstate: &Chainstate, hash: &BlockHash) -> Option<Self> {
        let block = chainstate.lookup(hash)?;
        let BlockLookup { header, height, .. } = block;
        let tip = chainstate.tip();
        // Blocks above the tip are those whose scripts are still being verified.
        let is_active = block.is_active && height <= tip.height;
        let confirmations = if is_active { i64::from(tip.height) - i64::from(height) + 1 } else { -1 };
        let next = (is_active && height < tip.height).then(|| chainstate.block_hash(height + 1)).flatten();
        let version = header.version.to_consensus();
        let bits = header.bits.to_consensus();
        Some(Self {
            header,
            hash: DisplayString(*hash),
            confirmations,
            height,
            version,
            version_hex: format!("{version:08x}"),
            merkleroot: DisplayString(header.merkle_root),
            time: header.time,
            mediantime: median_time(chainstate, &block),
            nonce: header.nonce,
            bits: format!("{bits:08x}"),
            target: DisplayString(Target::new(decode_compact(header.bits).value)),
            difficulty: Real(difficulty(header.bits)),
            chainwork: DisplayString(block.work),
            transactions: block.transactions,
            previousblockhash: (height > 0).then_some(DisplayString(header.prev_blockhash)),
            nextblockhash: next.map(DisplayString),
        })
    }
}

/// Median time of a block and the ten before it, in seconds since 1970 (Core: `GetMedianTimePast`, `chain.h`).
pub(in crate::rpc) fn median_time(chainstate: &Chainstate, block: &BlockLookup) -> u32 {
    let before = std::iter::successors(Some(block.clone()), |block| chainstate.lookup(&block.header.prev_blockhash));
    let mut times: Vec<u32> = before.take(MEDIAN_TIME_SPAN).map(|block| block.header.time).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// How many times harder a block is than the easiest block of Bitcoin's main network (Core: `GetDifficulty`,
/// `rpc/blockchain.cpp`).
#[must_use]
pub(in crate::rpc) fn difficulty(bits: CompactTarget) -> f64 {
    /// The exponent at which the mantissa 0xffff means difficulty 1.
    const EXPONENT_OF_ONE: u32 = 29;
    let bits = bits.to_consensus();
    let (exponent, mantissa) = (bits >> 24, bits & 0x00ff_ffff);
    let mut difficulty = f64::from(0xffff_u32) / f64::from(mantissa);
    for _ in exponent..EXPONENT_OF_ONE {
        difficulty *= 256.0;
    }
    for _ in EXPONENT_OF_ONE..exponent {
        difficulty /= 256.0;
    }
    difficulty
}
