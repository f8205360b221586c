//! Scripts that check signatures, in any envelope.

use bitcoin::opcodes::all::*;
use cairn_chain::hash::hash160;

use crate::keys::Key;
use crate::lock::{Envelope, Lock, public_key};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, Separator};
use crate::spend::Spend;

/// A key and `OP_CHECKSIG`, sometimes written with `OP_CHECKSIGVERIFY`.
pub(crate) fn check_sig(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let key = Key::random(rng);
    let mut script = ScriptBuilder::default();
    script.push(&public_key(rng, &key, envelope));
    if rng.chance(70) {
        script.op(OP_CHECKSIG);
    } else {
        script.op(OP_CHECKSIGVERIFY).number(1);
    }
    let lock = Lock::new(rng, spend, envelope, script.build());
    let signature = lock.sign(rng, spend, &key);
    lock.open(spend, vec![signature]);
}

pub(crate) fn public_key_hash(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let key = Key::random(rng);
    let public_key = public_key(rng, &key, envelope);
    let mut script = ScriptBuilder::default();
    script.op(OP_DUP).op(OP_HASH160).push(&hash160(&public_key)).op(OP_EQUALVERIFY).op(OP_CHECKSIG);
    let lock = Lock::new(rng, spend, envelope, script.build());
    let signature = lock.sign(rng, spend, &key);
    lock.open(spend, vec![signature, public_key]);
}

/// m of n keys, the signers anywhere among them, and some of the others no keys at all.
pub(crate) fn multisig(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let count = if rng.chance(80) { rng.between(1, 4) } else { rng.between(5, 16) };
    let keys: Vec<_> = (0..count).map(|_| Key::random(rng)).collect();
    let signs: Vec<_> = keys.iter().map(|_| rng.chance(60)).collect();
    let signers: Vec<_> = keys.iter().zip(&signs).filter(|(_, signs)| **signs).map(|(key, _)| key).collect();

    let mut script = ScriptBuilder::default();
    script.number(signers.len() as i64);
    for (key, signs) in keys.iter().zip(&signs) {
        if !signs && rng.chance(20) {
            let length = rng.pick(&[0, 1, 33, 65]);
            script.push(&rng.bytes(length));
        } else {
            script.push(&public_key(rng, key, envelope));
        }
    }
    script.number(count as i64);
    if rng.chance(80) {
        script.op(OP_CHECKMULTISIG);
    } else {
        script.op(OP_CHECKMULTISIGVERIFY).number(1);
    }
    let lock = Lock::new(rng, spend, envelope, script.build());
    let mut items = vec![Vec::new()];
    for key in signers {
        items.push(lock.sign(rng, spend, key));
    }
    lock.open(spend, items);
}

/// Separators in front of, between and behind checks, some in a branch that is not taken.
pub(crate) fn separated(rng: &mut Rng, spend: &mut Spend, envelope: Envelope) {
    let keys: [Key; 3] = std::array::from_fn(|_| Key::random(rng));
    let public_keys = keys.each_ref().map(|key| public_key(rng, key, envelope));
    let first_branch = rng.chance(50);
    let mut script = ScriptBuilder::default();
    let mut last = None;
    maybe_separate(rng, &mut script, &mut last, true);
    script.push(&public_keys[0]);
    maybe_separate(rng, &mut script, &mut last, true);
    let before_first = last;
    script.op(OP_CHECKSIGVERIFY);
    maybe_separate(rng, &mut script, &mut last, true);
    script.op(OP_IF);
    let before_if = last;
    let mut in_branch = [None; 2];
    for (branch, public_key) in public_keys[1..].iter().enumerate() {
        let mut last = before_if;
        let taken = first_branch == (branch == 0);
        maybe_separate(rng, &mut script, &mut last, taken);
        script.push(public_key);
        maybe_separate(rng, &mut script, &mut last, taken);
        script.op(OP_CHECKSIG).op(if branch == 0 { OP_ELSE } else { OP_ENDIF });
        in_branch[branch] = last;
    }
    maybe_separate(rng, &mut script, &mut last, true);

    let lock = Lock::new(rng, spend, envelope, script.build());
    let mut sign = |key: &Key, separator: Option<Separator>| {
        let hash_type = lock.random_hash_type(rng);
        lock.sign_after(spend, key, hash_type, separator)
    };
    let first = sign(&keys[0], before_first);
    let branch = usize::from(!first_branch);
    let second = sign(&keys[1 + branch], in_branch[branch]);
    let condition = if first_branch { vec![1] } else { Vec::new() };
    lock.open(spend, vec![second, condition, first]);
}

/// Writes a separator half the time; `last` is the last that is executed.
fn maybe_separate(rng: &mut Rng, script: &mut ScriptBuilder, last: &mut Option<Separator>, executed: bool) {
    if rng.chance(50) {
        let separator = script.separator();
        if executed {
            *last = Some(separator);
        }
    }
}
