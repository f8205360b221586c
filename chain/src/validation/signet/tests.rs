//! A block of a signet of our own, signed the way a signet miner signs.

use std::sync::Arc;

use bitcoin::ScriptBuf;
use bitcoin::consensus::encode;
use secp256k1::{Message, Secp256k1, SecretKey};

use super::*;
use crate::params::ChainParams;
use crate::script::legacy_sighash;
use crate::validation::check_block;

/// `<key> OP_CHECKSIG` for the secret key 7.
fn challenge() -> (SecretKey, ScriptBuf) {
    let secret = SecretKey::from_slice(&[7; 32]).unwrap();
    let key = secret.public_key(&Secp256k1::new()).serialize();
    (secret, ScriptBuf::from([&[33][..], &key, &[0xac]].concat()))
}

/// Signet's genesis with a coinbase that commits to no witnesses and, behind that, pushes `section`.
fn block_with_section(section: &[u8]) -> Block {
    let mut block: bitcoin::Block = encode::deserialize(&ChainParams::signet().genesis.block).unwrap();
    let mut script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &[5; 32]].concat();
    append_push(&mut script, section);
    let coinbase = &mut block.txdata[0];
    coinbase.output.push(bitcoin::TxOut { value: bitcoin::Amount::ZERO, script_pubkey: ScriptBuf::from(script) });
    Block::decode(encode::serialize(&block)).unwrap()
}

/// A solution section: header, scriptSig with its length, witness stack.
fn section(script_sig: &[u8], witness: &[u8]) -> Vec<u8> {
    let mut section = SIGNET_HEADER.to_vec();
    append_with_size(&mut section, script_sig);
    section.extend(witness);
    section
}

/// A block that carries a solution made for it.
fn signed_block() -> Block {
    let (secret, challenge) = challenge();
    // What is signed has the header of the section, and nothing behind it.
    let unsigned = block_with_section(&SIGNET_HEADER);
    let coinbase = unsigned.transaction(0).unwrap();
    let script = coinbase.output(1).unwrap().script_pubkey().as_bytes().to_vec();
    let to_sign = to_sign(&unsigned, &coinbase_with_script(coinbase, 1, &script), &challenge);
    let sighash = legacy_sighash(to_sign.as_ref(), 0, challenge.as_bytes(), 1);
    let signature = Secp256k1::new().sign_ecdsa(&Message::from_digest(sighash), &secret);
    let mut script_sig = Vec::new();
    append_push(&mut script_sig, &[&signature.serialize_der()[..], &[1]].concat());
    block_with_section(&section(&script_sig, &[0]))
}

#[test]
fn a_signed_block_is_accepted_and_a_changed_one_is_not() {
    let (_, challenge) = challenge();
    let block = signed_block();
    assert!(check_signet_solution(&block, &challenge));
    assert!(!check_signet_solution(&block, Script::from_bytes(&[0x00])), "another challenge");

    let mut later: bitcoin::Block = encode::deserialize(block.bytes()).unwrap();
    later.header.nonce += 1;
    let same_but_for_the_nonce = Block::decode(encode::serialize(&later)).unwrap();
    assert!(check_signet_solution(&same_but_for_the_nonce, &challenge), "the nonce is found after signing");
    later.header.time += 1;
    assert!(!check_signet_solution(&Block::decode(encode::serialize(&later)).unwrap(), &challenge));
}

#[test]
fn solutions_that_do_not_parse_are_refused() {
    let anyone = Script::from_bytes(&[0x51]);
    let accepts = |solution: &[u8]| check_signet_solution(&block_with_section(solution), anyone);
    assert!(accepts(&section(&[], &[0])));
    assert!(accepts(&SIGNET_HEADER), "a header without solution is no solution, which a trivial challenge allows");
    assert!(accepts(b"other"));
    assert!(!accepts(&section(&[], &[])), "no witness stack");
    assert!(!accepts(&section(&[], &[0, 0])), "bytes behind the witness stack");
    assert!(!accepts(&section(&[], &[1, 0])), "a witness for a challenge that is no witness program");
}

#[test]
fn a_block_without_commitment_has_no_place_for_a_solution() {
    let genesis = Block::decode(ChainParams::signet().genesis.block).unwrap();
    assert!(!check_signet_solution(&genesis, Script::from_bytes(&[0x51])));
}

/// Without the right body there is no solution to find, so its absence must not be blamed on the header: anyone can pair a
/// header with a body.
#[test]
fn any_body_at_all_condemns_no_header() {
    let signet = ChainParams::signet();
    let mut params = signet.consensus;
    // Genesis is exempt by its hash; here its header stands for that of any block with work.
    params.genesis_hash = bitcoin::BlockHash::all_zeros();
    let forged = Block::decode([&signet.genesis.block[..80], &[0]].concat()).unwrap();
    let error = check_block(Arc::new(forged), &params).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-signet-blksig");
    assert!(!error.verdict().condemns_hash());
}
