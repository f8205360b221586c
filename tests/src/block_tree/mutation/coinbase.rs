//! Coinbases.

use bitcoin::script::Builder;
use bitcoin::{Amount, ScriptBuf};

use super::super::draft::Draft;
use super::super::forge::Forge;
use super::{Effect, Mutation, mutation};
use crate::block_judge::Class;

const fn invalid(reason: &'static str) -> Effect {
    Effect::Forgotten(Class::Consensus, reason)
}

pub(super) const ALL: &[Mutation] = &[
    mutation("no coinbase", invalid("bad-cb-missing"), no_coinbase),
    mutation("two coinbases", invalid("bad-cb-multiple"), two_coinbases),
    mutation("coinbase script of 1 byte", invalid("bad-cb-length"), short_script),
    mutation("coinbase script of 100 bytes", Effect::Valid, longest_script),
    mutation("coinbase script of 101 bytes", invalid("bad-cb-length"), long_script),
    mutation("height of another block", Effect::Condemned("bad-cb-height"), wrong_height),
    mutation("height not encoded minimally", Effect::Condemned("bad-cb-height"), padded_height),
    mutation("coinbase pays one satoshi too much", Effect::Unconnectable("bad-cb-amount"), one_satoshi_too_much),
    mutation("coinbase pays too little", Effect::Valid, too_little),
];

fn no_coinbase(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    forge.add_any(draft)?;
    draft.finish();
    draft.block.txdata.remove(0);
    draft.seal();
    Some(())
}

fn two_coinbases(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    let mut second = draft.block.txdata[0].clone();
    second.version.0 += 1;
    draft.block.txdata.push(second);
    draft.seal();
    Some(())
}

fn short_script(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    with_script(draft, ScriptBuf::from(vec![0x51]))
}

fn longest_script(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    let script = padded_script(draft, 100);
    with_script(draft, script)
}

fn long_script(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    let script = padded_script(draft, 101);
    with_script(draft, script)
}

fn padded_script(draft: &Draft, length: usize) -> ScriptBuf {
    let mut script = draft.block.txdata[0].input[0].script_sig.to_bytes();
    script.resize(length, 0x51);
    ScriptBuf::from(script)
}

fn wrong_height(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let height = forge.rng.pick(&[draft.height + 1, draft.height - 1, draft.height + 256]);
    with_script(draft, Builder::new().push_int(i64::from(height)).push_slice(forge.rng.array::<8>()).into_script())
}

fn padded_height(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    let script = [&[5][..], &draft.height.to_le_bytes(), &[0]].concat();
    with_script(draft, ScriptBuf::from(script))
}

fn with_script(draft: &mut Draft, script: ScriptBuf) -> Option<()> {
    draft.coinbase().input[0].script_sig = script;
    draft.finish();
    Some(())
}

fn one_satoshi_too_much(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    draft.coinbase().output[0].value += Amount::ONE_SAT;
    draft.seal();
    Some(())
}

fn too_little(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    let value = draft.coinbase().output[0].value.to_sat();
    draft.coinbase().output[0].value = Amount::from_sat(forge.rng.word() % value);
    draft.seal();
    Some(())
}
