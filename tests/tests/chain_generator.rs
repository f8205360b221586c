//! Generated chains are valid, and a seed determines them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use bitcoin::{BlockHash, OutPoint};
use cairn_chain::coins::{Coin, CoinsOverlay};
use cairn_chain::header_chain::HeaderFacts;
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_chain::validation::{
    check_block, check_inputs, check_scripts, contextual_check_block, contextual_check_header,
};
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions, GeneratedBlock, GeneratedChain, SignatureKind};
use secp256k1::Secp256k1;

/// Grows for a few blocks, then spends at random.
const SMALL: ChainOptions = ChainOptions { blocks: 112, transactions_per_block: 20, coins: 2_000, seed: 7 };

fn tip(options: ChainOptions) -> BlockHash {
    ChainGenerator::new(options).last().unwrap().block.block_hash()
}

/// A node's memory: headers and coins.
struct Replay {
    params: ChainParams,
    headers: Vec<HeaderFacts>,
    coins: HashMap<OutPoint, Coin>,
}

impl Replay {
    fn new() -> Self {
        let params = ChainParams::regtest(RegtestOptions::default());
        let genesis = &params.genesis;
        let Header { version, time, bits, .. } = genesis.header;
        let headers = vec![HeaderFacts { hash: genesis.hash, time, bits, version }];
        Self { params, headers, coins: HashMap::new() }
    }

    fn connect(&mut self, bytes: Vec<u8>) {
        let (params, headers) = (&self.params.consensus, &self.headers[..]);
        let block = check_block(Arc::new(Block::decode(bytes).unwrap()), params).unwrap();
        let header = contextual_check_header(block.header(), headers, params, u64::MAX).unwrap();
        let block = contextual_check_block(block, &header, headers, params).unwrap();
        let mut overlay = CoinsOverlay::new(&self.coins);
        let block = check_inputs(block, &mut overlay, headers, params).unwrap();
        let changes = overlay.into_changes();
        check_scripts(block, None).unwrap();
        self.headers.push(header.facts());
        for (outpoint, change) in changes {
            match change {
                Some(coin) => self.coins.insert(outpoint, coin),
                None => self.coins.remove(&outpoint),
            };
        }
    }
}

#[test]
fn a_seed_determines_the_chain() {
    assert_eq!(tip(SMALL), tip(SMALL));
    assert_ne!(tip(SMALL), tip(ChainOptions { seed: 8, ..SMALL }));
}

#[test]
fn the_chain_is_valid_and_has_the_shape_asked_for() {
    let mut replay = Replay::new();
    let mut generator = ChainGenerator::new(SMALL);
    let mut last = None;
    for GeneratedBlock { block, .. } in &mut generator {
        replay.connect(serialize(&block));
        last = Some(block);
    }
    let last = last.unwrap();
    assert_eq!(last.txdata.len(), 1 + SMALL.transactions_per_block);
    assert!(last.txdata[1..].iter().all(|tx| (tx.input.len(), tx.output.len()) == (2, 2)));
    let spendable = generator.spendable_coins();
    assert!((2_000..2_300).contains(&spendable), "{spendable}");
    // The other coins are the coinbases that were too young for the last block.
    assert_eq!(replay.coins.len(), spendable + 100);
}

#[test]
fn the_checks_are_those_of_the_scripts() {
    let secp = Secp256k1::verification_only();
    let (mut key_paths, mut multisigs, mut others) = (0, 0, 0);
    for GeneratedBlock { block, signature_checks } in ChainGenerator::new(SMALL) {
        let inputs = block.txdata[1..].iter().flat_map(|transaction| &transaction.input);
        let mut checks = signature_checks.iter();
        for input in inputs {
            match input.witness.len() {
                1 => {
                    assert_eq!(checks.next().unwrap().kind(), SignatureKind::Schnorr);
                    key_paths += 1;
                }
                4 => {
                    let answers: Vec<_> = checks.by_ref().take(3).map(|check| check.is_good()).collect();
                    assert_eq!(answers, [false, true, true]);
                    multisigs += 1;
                }
                _ => {
                    let check = checks.next().unwrap();
                    assert_eq!((check.kind(), check.is_good()), (SignatureKind::Ecdsa, true));
                    others += 1;
                }
            }
        }
        assert_eq!(checks.next(), None);
        assert!(signature_checks.iter().all(|check| check.verify(&secp)));
    }
    assert!(others > key_paths && key_paths > multisigs && multisigs > 0, "{others} {key_paths} {multisigs}");
}

#[test]
fn a_chain_on_disk_is_made_once() {
    let parent = tempfile::tempdir().unwrap();
    let chain = GeneratedChain::open_or_generate(parent.path(), &SMALL).unwrap();
    let checks = chain.signature_checks().unwrap();
    assert_eq!(checks, ChainGenerator::new(SMALL).flat_map(|block| block.signature_checks).collect::<Vec<_>>());
    assert_eq!(chain.tip(), tip(SMALL));

    let bytes = fs::read(chain.block_file()).unwrap();
    let mut rest = &bytes[..];
    let mut hashes = Vec::new();
    while let Some((frame, blocks)) = rest.split_first_chunk::<8>() {
        let (magic, length) = frame.split_first_chunk::<4>().unwrap();
        assert_eq!(magic, &[0xfa, 0xbf, 0xb5, 0xda]);
        let length = u32::from_le_bytes(length.try_into().unwrap());
        let (block, after) = blocks.split_at(length as usize);
        hashes.push(Block::decode(block.to_vec()).unwrap().hash());
        rest = after;
    }
    assert_eq!(hashes.len(), 113);
    assert_eq!(hashes.last(), Some(&chain.tip()));

    let modified = || fs::metadata(chain.block_file()).unwrap().modified().unwrap();
    let before = modified();
    GeneratedChain::open_or_generate(parent.path(), &SMALL).unwrap();
    assert_eq!(modified(), before);
}
