//! Witness programs that hold no script: key hashes, taproot keys, and versions without meaning.

use bitcoin::opcodes::all::*;
use cairn_chain::hash::hash160;
use cairn_chain::script::tap_tweak_hash;

use crate::keys::Key;
use crate::lock::{
    pay_to_script_hash, random_annex, random_ecdsa_hash_type, random_schnorr_hash_type, sign_ecdsa, sign_taproot,
    witness_program,
};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, push};
use crate::spend::Spend;

/// Pays to a witness program, inside of pay-to-script-hash or not.
fn pay(spend: &mut Spend, program: Vec<u8>, in_p2sh: bool) {
    let input = spend.input_mut();
    if in_p2sh {
        input.script_sig = push(&program);
        input.spent.script_pubkey = pay_to_script_hash(&program);
    } else {
        input.spent.script_pubkey = program;
    }
}

pub(crate) fn p2wpkh(rng: &mut Rng, spend: &mut Spend, in_p2sh: bool) {
    let key = Key::random(rng);
    // That the key is compressed is policy.
    let public_key = if rng.chance(80) { key.compressed() } else { key.uncompressed() };
    let hash = hash160(&public_key);
    pay(spend, witness_program(0, &hash), in_p2sh);
    let mut script = ScriptBuilder::default();
    script.op(OP_DUP).op(OP_HASH160).push(&hash).op(OP_EQUALVERIFY).op(OP_CHECKSIG);
    let signature = sign_ecdsa(spend, &key, &script.build(), random_ecdsa_hash_type(rng), true);
    spend.input_mut().witness = vec![signature, public_key];
}

/// Versions 2 to 16 of any length, and version 1 of other lengths than taproot's.
pub(crate) fn unknown_version(rng: &mut Rng, spend: &mut Spend) {
    let version = rng.between(1, 16) as u8;
    let length = rng.pick(&[2, 3, 20, 31, 32, 33, 39, 40, 1, 41]);
    let program = rng.bytes(length);
    let in_p2sh = rng.chance(30);
    pay(spend, witness_program(version, &program), in_p2sh);
    spend.input_mut().witness = rng.items(3);
}

/// Version 0 knows 20 and 32 bytes; other lengths cannot be spent, unless witnesses mean nothing yet.
pub(crate) fn version_0_of_other_length(rng: &mut Rng, spend: &mut Spend) {
    let length = rng.pick(&[2, 19, 20, 21, 31, 32, 33, 40]);
    let program = rng.bytes(length);
    let in_p2sh = rng.chance(30);
    pay(spend, witness_program(0, &program), in_p2sh);
    spend.input_mut().witness = rng.items(3);
}

pub(crate) fn anchor(rng: &mut Rng, spend: &mut Spend) {
    let in_p2sh = rng.chance(20);
    pay(spend, witness_program(1, &[0x4e, 0x73]), in_p2sh);
    if rng.chance(40) {
        spend.input_mut().witness = rng.items(3);
    }
    if rng.chance(10) {
        spend.input_mut().script_sig = vec![OP_PUSHNUM_1.to_u8()];
    }
}

/// A signature by the output key, which commits to a tree of scripts, to none, or to nothing at all.
pub(crate) fn key_path(rng: &mut Rng, spend: &mut Spend) {
    let internal = Key::random(rng);
    let root: [u8; 32] = rng.array();
    let output_key = match rng.below(3) {
        0 => internal,
        1 => internal.tweaked(tap_tweak_hash(&internal.x_only(), None)).0,
        _ => internal.tweaked(tap_tweak_hash(&internal.x_only(), Some(&root))).0,
    };
    let in_p2sh = rng.chance(5);
    pay(spend, witness_program(1, &output_key.x_only()), in_p2sh);
    let annex = random_annex(rng, 30);
    let mut signature = sign_taproot(spend, &output_key, random_schnorr_hash_type(rng), annex.as_deref(), None);
    if signature.len() == 64 && rng.chance(5) {
        signature.push(0); // the default hash type is said by leaving it out
    }
    spend.input_mut().witness = std::iter::once(signature).chain(annex).collect();
}
