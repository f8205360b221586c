//! Small changes to spends, most of which make them invalid.

use cairn_chain::hash::sha256;

use crate::lock::{pay_to_script_hash, random_annex, witness_program};
use crate::rng::Rng;
use crate::script::push_as;
use crate::spend::{Spend, any_value, random_output};

/// What can be changed; `false` when the spend has nothing of the kind.
const MUTATIONS: &[fn(&mut Rng, &mut Spend) -> bool] = &[
    script_sig,
    script_sig_pushes,
    witness_bytes,
    witness_bytes,
    witness_items,
    hash_type,
    annex,
    control_block,
    committed_script,
    spent_script,
    amount,
    transaction_fields,
    other_input,
    outputs,
    swapped_places,
];

/// Changes one to three things.
pub(crate) fn mutate(rng: &mut Rng, spend: &mut Spend) {
    let mut left = rng.pick(&[1, 1, 1, 2, 3]);
    while left > 0 {
        if rng.pick(MUTATIONS)(rng, spend) {
            left -= 1;
        }
    }
}

/// Flips a bit, or inserts, deletes or cuts off bytes.
fn edit(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len() + 1);
    match rng.below(5) {
        0 => bytes.insert(at, rng.byte()),
        1 => bytes.truncate(at),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] = rng.byte(),
        _ if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        _ => bytes.push(rng.byte()),
    }
}

fn script_sig(rng: &mut Rng, spend: &mut Spend) -> bool {
    let script_sig = &mut spend.input_mut().script_sig;
    // Where there is none, a new one is mostly not interesting.
    if script_sig.is_empty() && rng.chance(80) {
        return false;
    }
    edit(rng, script_sig);
    true
}

/// The same elements by other pushes, or in front of them something that does not matter, unless only pushes may.
fn script_sig_pushes(rng: &mut Rng, spend: &mut Spend) -> bool {
    let script_sig = &mut spend.input_mut().script_sig;
    match script_sig.first() {
        Some(&length @ 1..=75) if script_sig.len() > usize::from(length) && rng.chance(60) => {
            let rest = script_sig.split_off(usize::from(length) + 1);
            *script_sig = [push_as(&script_sig[1..], rng.pick(&[1, 2, 4])), rest].concat();
        }
        Some(_) => script_sig.insert(0, rng.pick(&[0x61, 0x51, 0x00, 0x50, 0xab])),
        None => return false,
    }
    true
}

fn witness_bytes(rng: &mut Rng, spend: &mut Spend) -> bool {
    let witness = &mut spend.input_mut().witness;
    if witness.is_empty() {
        return false;
    }
    let item = rng.below(witness.len());
    edit(rng, &mut witness[item]);
    true
}

fn witness_items(rng: &mut Rng, spend: &mut Spend) -> bool {
    let witness = &mut spend.input_mut().witness;
    if witness.is_empty() {
        if rng.chance(80) {
            return false;
        }
        *witness = rng.items(3);
        return true;
    }
    let (a, b) = (rng.below(witness.len()), rng.below(witness.len()));
    match rng.below(5) {
        0 => witness.swap(a, b),
        1 => drop(witness.remove(a)),
        2 => witness.insert(b, witness[a].clone()),
        3 => witness.clear(),
        _ => witness.insert(a, rng.pick(&[&[][..], &[1], &[0; 64]]).to_vec()),
    }
    true
}

/// The last byte of a signature, wherever one may be: the first push of a scriptSig, or an item of that size.
fn hash_type(rng: &mut Rng, spend: &mut Spend) -> bool {
    let new = if rng.chance(70) { rng.pick(&[0, 1, 2, 3, 0x81, 0x82, 0x83]) } else { rng.byte() };
    let input = spend.input_mut();
    if let Some(item) = input.witness.iter_mut().find(|item| (64..=73).contains(&item.len())) {
        match item.len() {
            64 => item.push(new),
            65 if rng.chance(30) => item.truncate(64),
            length => item[length - 1] = new,
        }
        return true;
    }
    match input.script_sig.as_slice() {
        [length @ 9..=73, ..] if input.script_sig.len() > usize::from(*length) => {
            let last = usize::from(*length);
            input.script_sig[last] = new;
            true
        }
        _ => false,
    }
}

fn annex(rng: &mut Rng, spend: &mut Spend) -> bool {
    let witness = &mut spend.input_mut().witness;
    match witness.last_mut() {
        None => return false,
        Some(annex) if annex.first() == Some(&0x50) => match rng.below(3) {
            0 => drop(witness.pop()),
            1 => annex.push(rng.byte()),
            _ => edit(rng, annex),
        },
        Some(_) => witness.extend(random_annex(rng, 100)),
    }
    true
}

/// Parity, leaf version, internal key or path of what may be a control block.
fn control_block(rng: &mut Rng, spend: &mut Spend) -> bool {
    let items = spend.input_mut().witness.iter_mut();
    let Some(control) = items.rev().find(|item| item.len() >= 33 && item.len() % 32 == 1) else { return false };
    match rng.below(5) {
        0 => control[0] ^= 1,
        1 => control[0] ^= 2 << rng.below(7),
        2 => control.truncate(control.len() - 32),
        3 => control.extend(rng.array::<32>()),
        _ => {
            let at = rng.below(control.len());
            control[at] ^= 1 << rng.below(8);
        }
    }
    true
}

/// A changed witness or redeem script that the output is made to commit to.
fn committed_script(rng: &mut Rng, spend: &mut Spend) -> bool {
    let input = spend.input_mut();
    match (input.spent.script_pubkey.as_slice(), input.witness.last_mut()) {
        ([0, 32, ..], Some(script)) => {
            edit(rng, script);
            input.spent.script_pubkey = witness_program(0, &sha256(script));
            true
        }
        ([0xa9, 20, ..], None) => {
            // A short redeem script that begins somewhere in the scriptSig: the rest of it may do anything.
            let length = rng.between(0, input.script_sig.len().min(75));
            let script = input.script_sig[input.script_sig.len() - length..].to_vec();
            input.spent.script_pubkey = pay_to_script_hash(&script);
            true
        }
        _ => false,
    }
}

fn spent_script(rng: &mut Rng, spend: &mut Spend) -> bool {
    edit(rng, &mut spend.input_mut().spent.script_pubkey);
    true
}

fn amount(rng: &mut Rng, spend: &mut Spend) -> bool {
    let value = &mut spend.input_mut().spent.value;
    *value = if rng.chance(50) { *value ^ 1 } else { any_value(rng) };
    true
}

fn transaction_fields(rng: &mut Rng, spend: &mut Spend) -> bool {
    match rng.below(4) {
        0 => spend.version = spend.version.wrapping_add(1),
        1 => spend.lock_time ^= 1 << rng.below(32),
        2 => spend.input_mut().sequence ^= 1 << rng.below(32),
        _ => spend.input_mut().prevout[rng.between(0, 35)] ^= 1,
    }
    true
}

fn other_input(rng: &mut Rng, spend: &mut Spend) -> bool {
    let index = rng.below(spend.inputs.len());
    if index == spend.index {
        return false;
    }
    let input = &mut spend.inputs[index];
    match rng.below(6) {
        0 => input.prevout[rng.between(0, 35)] ^= 1,
        1 => input.sequence = rng.u32(),
        2 => edit(rng, &mut input.script_sig),
        3 => input.witness = rng.items(3),
        4 => input.spent.value ^= 1 << rng.below(63),
        _ => edit(rng, &mut input.spent.script_pubkey),
    }
    true
}

fn outputs(rng: &mut Rng, spend: &mut Spend) -> bool {
    let index = rng.below(spend.outputs.len());
    match rng.below(4) {
        0 => spend.outputs[index].value ^= 1 << rng.below(64),
        1 => edit(rng, &mut spend.outputs[index].script_pubkey),
        2 => spend.outputs.push(random_output(rng)),
        _ if spend.outputs.len() > 1 => drop(spend.outputs.remove(index)),
        _ => return false,
    }
    true
}

/// Inputs or outputs that change places; the input under test stays the one that is tested.
fn swapped_places(rng: &mut Rng, spend: &mut Spend) -> bool {
    if rng.chance(50) {
        let (a, b) = (rng.below(spend.outputs.len()), rng.below(spend.outputs.len()));
        spend.outputs.swap(a, b);
        return a != b;
    }
    let other = rng.below(spend.inputs.len());
    if other == spend.index {
        return false;
    }
    spend.inputs.swap(other, spend.index);
    spend.index = other;
    true
}
