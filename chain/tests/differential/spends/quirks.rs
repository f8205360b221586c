//! Legacy scripts that live on bugs: signatures inside what they sign, the hash that is one, encodings of long ago.

use bitcoin::opcodes::{Opcode, all::*};
use cairn_chain::script::ScriptVerifyFlags;

use crate::keys::{Key, der, lax_der, negate_s};
use crate::lock::Envelope::{Bare, P2sh, P2shP2wsh, P2wsh};
use crate::lock::{ECDSA, Envelope, Lock, ecdsa_sighash, public_key, random_ecdsa_hash_type, sign_ecdsa};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, push, push_as};
use crate::spend::Spend;

/// One operation of a script, or nothing where a signature is pushed.
type Piece = Option<Vec<u8>>;

/// A script that holds the signatures it checks, wherever an operation may start: they are deleted before it is signed.
fn with_signatures(rng: &mut Rng, spend: &mut Spend, keys: &[Key], check: &[u8]) {
    let op = |opcode: Opcode| Some(vec![opcode.to_u8()]);
    let mut before_separator: Vec<Piece> = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for _ in 0..rng.between(1, 3) {
        match rng.below(5) {
            0 => pieces.extend([None, op(OP_DROP)]),
            1 => pieces.extend([None, None, op(OP_2DROP)]),
            2 => pieces.extend([op(OP_PUSHBYTES_0), op(OP_IF), None, op(OP_ENDIF)]),
            3 => {
                before_separator.append(&mut pieces);
                before_separator.push(op(OP_CODESEPARATOR));
            }
            _ => pieces.extend([Some(push(&rng.bytes(9))), op(OP_DROP)]),
        }
    }
    pieces.push(Some(check.to_vec()));
    if rng.chance(20) {
        pieces.extend([None, op(OP_DROP)]);
    }

    let signed: Vec<u8> = pieces.iter().flatten().flatten().copied().collect();
    let hash_type = random_ecdsa_hash_type(rng);
    let signatures: Vec<_> = keys.iter().map(|key| sign_ecdsa(spend, key, &signed, hash_type, false)).collect();
    let mut script = Vec::new();
    for piece in before_separator.into_iter().chain(pieces) {
        let signature = &signatures[rng.below(signatures.len())];
        // A few are pushed in a way that is not searched for, which spoils what was signed.
        let width = usize::from(rng.chance(3));
        script.extend(piece.unwrap_or_else(|| push_as(signature, width)));
    }
    let envelope = rng.pick(&[Bare, P2sh]);
    // Multisig removes one element more than it needs.
    let dummy = (keys.len() > 1).then(Vec::new);
    Lock::new(rng, spend, envelope, script).open(spend, dummy.into_iter().chain(signatures).collect());
}

pub(crate) fn find_and_delete(rng: &mut Rng, spend: &mut Spend) {
    let key = Key::random(rng);
    let check = ScriptBuilder::default().push(&key.compressed()).op(OP_CHECKSIG).build();
    with_signatures(rng, spend, &[key], &check);
}

pub(crate) fn find_and_delete_multisig(rng: &mut Rng, spend: &mut Spend) {
    let keys = [Key::random(rng), Key::random(rng)];
    let [first, second] = keys.each_ref().map(Key::compressed);
    let check = ScriptBuilder::default().number(2).push(&first).push(&second).number(2).op(OP_CHECKMULTISIG).build();
    with_signatures(rng, spend, &keys, &check);
}

/// With no output of the input's index every such signature signs the number one, so the output can hold it itself.
pub(crate) fn single_without_output(rng: &mut Rng, spend: &mut Spend) {
    while spend.inputs.len() < 2 {
        let another = Spend::random(rng).inputs.remove(0);
        spend.inputs.push(another);
    }
    spend.index = spend.inputs.len() - 1;
    spend.inputs[spend.index].script_sig.clear();
    spend.inputs[spend.index].witness.clear();
    let outputs = rng.between(1, spend.index);
    spend.outputs.truncate(outputs);

    let key = Key::random(rng);
    // The hash type is not hashed either: all that end in SINGLE share the signature.
    let hash_type = rng.pick(&[3, 3, 0x83, 0x23, 0x63, 0xe3]);
    if rng.chance(40) {
        let envelope = rng.pick(ECDSA);
        let public_key = public_key(rng, &key, envelope);
        let lock = Lock::new(rng, spend, envelope, ScriptBuilder::default().push(&public_key).op(OP_CHECKSIG).build());
        let signature = lock.sign_after(spend, &key, hash_type, None);
        return lock.open(spend, vec![signature]);
    }
    let signature = sign_ecdsa(spend, &key, &[], hash_type, false);
    let mut script = ScriptBuilder::default();
    if rng.chance(30) {
        script.separator();
    }
    script.raw(&push_as(&signature, rng.pick(&[0, 1, 2, 4]))).push(&key.compressed());
    if rng.chance(30) {
        script.separator();
    }
    script.op(OP_CHECKSIG);
    let envelope = rng.pick(&[Bare, P2sh]);
    Lock::new(rng, spend, envelope, script.build()).open(spend, Vec::new());
}

/// A scriptSig that checks a signature itself, over its own code; then the output takes anything true, or checks another
/// signature over code of the same length.
pub(crate) fn check_in_script_sig(rng: &mut Rng, spend: &mut Spend) {
    let (key, output_key) = (Key::random(rng), Key::random(rng));
    let again = rng.chance(40);
    let mut script = ScriptBuilder::default();
    script.push(&key.compressed()).op(if again { OP_CHECKSIGVERIFY } else { OP_CHECKSIG });
    let hash_type = random_ecdsa_hash_type(rng);
    let signature = push(&sign_ecdsa(spend, &key, &script.build(), hash_type, false));
    if again {
        let output = ScriptBuilder::default().push(&output_key.compressed()).op(OP_CHECKSIG).build();
        let output_signature = push(&sign_ecdsa(spend, &output_key, &output, hash_type, false));
        let separator = vec![OP_CODESEPARATOR.to_u8()];
        spend.input_mut().script_sig = [output_signature, signature, separator, script.build()].concat();
        spend.input_mut().spent.script_pubkey = output;
        return;
    }
    let separator = if rng.chance(40) { vec![OP_CODESEPARATOR.to_u8()] } else { Vec::new() };
    spend.input_mut().script_sig = [signature, separator, script.build()].concat();
    let output: &[Opcode] = rng.pick(&[&[], &[OP_NOP], &[OP_VERIFY, OP_PUSHNUM_1]]);
    spend.input_mut().spent.script_pubkey = output.iter().map(|opcode| opcode.to_u8()).collect();
}

/// A key in uncompressed form with the parity of a compressed one, right or wrong.
pub(crate) fn hybrid_key(rng: &mut Rng, spend: &mut Spend) {
    let key = Key::random(rng);
    let mut public_key = key.hybrid();
    if rng.chance(15) {
        public_key[0] ^= rng.pick(&[1, 2, 3, 4]);
    }
    let envelope = rng.pick(ECDSA);
    let script = ScriptBuilder::default().push(&public_key).op(OP_CHECKSIG).build();
    let lock = Lock::new(rng, spend, envelope, script);
    let signature = lock.sign(rng, spend, &key);
    lock.open(spend, vec![signature]);
}

/// A good signature in a form that OpenSSL understood, or with high S.
pub(crate) fn lax_signature(rng: &mut Rng, spend: &mut Spend) {
    if rng.chance(70) {
        spend.flags.remove(ScriptVerifyFlags::DERSIG);
    }
    let key = Key::random(rng);
    let envelope: Envelope = rng.pick(ECDSA);
    let public_key = public_key(rng, &key, envelope);
    let script = ScriptBuilder::default().push(&public_key).op(OP_CHECKSIG).build();
    let lock = Lock::new(rng, spend, envelope, script.clone());
    let hash_type = random_ecdsa_hash_type(rng);
    let sighash = ecdsa_sighash(spend, &script, hash_type, matches!(envelope, P2wsh | P2shP2wsh));
    let mut numbers = key.sign_ecdsa(sighash);
    if rng.chance(50) {
        numbers = negate_s(numbers);
    }
    let mut signature = if rng.chance(70) { lax_der(rng, numbers) } else { der(numbers) };
    signature.push(hash_type);
    lock.open(spend, vec![signature]);
}

/// Multisig removes one element more than it needs, and only NULLDUMMY looks at it.
pub(crate) fn dummy(rng: &mut Rng, spend: &mut Spend) {
    if rng.chance(50) {
        spend.flags.remove(ScriptVerifyFlags::NULLDUMMY);
    }
    let key = Key::random(rng);
    let envelope = rng.pick(ECDSA);
    let public_key = public_key(rng, &key, envelope);
    let script = ScriptBuilder::default().number(1).push(&public_key).number(1).op(OP_CHECKMULTISIG).build();
    let lock = Lock::new(rng, spend, envelope, script);
    let signature = lock.sign(rng, spend, &key);
    let dummy: &[u8] = rng.pick(&[&[], &[0], &[0x80], &[1], &[2, 3], &[0x51; 72]]);
    lock.open(spend, vec![dummy.to_vec(), signature]);
}
