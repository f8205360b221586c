//! Decoding a compact block, against rust-bitcoin where both accept the bytes, and putting it together with nothing.
#![no_main]

use bitcoin::bip152::HeaderAndShortIds;
use bitcoin::consensus::encode;
use cairn_chain::compact_blocks::{CompactBlock, PartiallyDownloadedBlock};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(compact) = CompactBlock::decode(bytes) else { return };
    assert_eq!(compact.encode(), bytes);
    if let Ok(theirs) = encode::deserialize::<HeaderAndShortIds>(bytes) {
        assert_eq!(compact.hash(), theirs.header.block_hash());
        assert_eq!(compact.nonce(), theirs.nonce);
        assert!(compact.short_ids().iter().map(|id| &id.0).eq(theirs.short_ids.iter().map(|id| id.as_bytes())));
        assert_eq!(compact.prefilled().len(), theirs.prefilled_txs.len());
    }
    let count = compact.transaction_count();
    let Ok(partial) = PartiallyDownloadedBlock::start(compact, []) else { return };
    let missing = partial.missing();
    assert_eq!(missing.len() + partial.sources().prefilled.count, count);
    // Any transaction will do to get to the checks behind.
    let smallest = vec![0; 10];
    let _ = partial.fill(&vec![smallest; missing.len()], true);
});
