//! Commitments to witnesses (BIP141). What was added to a good block by somebody else must not condemn it.

use bitcoin::consensus::encode;
use bitcoin::{ScriptBuf, TxOut, Witness};

use super::super::draft::{Draft, commitment_output};
use super::super::forge::Forge;
use super::{Effect, Mutation, mutation};

const MISMATCH: Effect = Effect::AwaitsBody("bad-witness-merkle-match");

pub(super) const ALL: &[Mutation] = &[
    mutation("witness nonce of another size", Effect::AwaitsBody("bad-witness-nonce-size"), nonce_size),
    mutation("witness nonce of another block", MISMATCH, other_nonce),
    mutation("witness with one item more", MISMATCH, malleated),
    mutation("witness nothing commits to, added", Effect::AwaitsBody("unexpected-witness"), unexpected_in_coinbase),
    mutation("witness nothing commits to", Effect::AwaitsBody("unexpected-witness"), unexpected),
    mutation("commitment to other witnesses", MISMATCH, other_commitment),
    mutation("commitment to other witnesses comes last", MISMATCH, other_commitment_last),
    mutation("commitment to other witnesses comes first", Effect::Valid, other_commitment_first),
    mutation("short commitment comes last", Effect::Valid, short_commitment_last),
    mutation("commitment to no witnesses", Effect::Valid, needless_commitment),
];

fn finish_with_commitment(draft: &mut Draft) {
    draft.pay();
    draft.commit();
    draft.seal();
}

fn set_mutant(draft: &mut Draft, transaction: usize, input: usize, witness: Witness) {
    let mut other = draft.block.clone();
    other.txdata[transaction].input[input].witness = witness;
    draft.mutant = Some(encode::serialize(&other));
}

fn nonce_size(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    finish_with_commitment(draft);
    let sizes = forge.rng.pick(&[&[][..], &[31], &[33], &[0], &[32, 0], &[32, 32]]);
    let items: Vec<_> = sizes.iter().map(|&size| vec![0; size]).collect();
    set_mutant(draft, 0, 0, Witness::from_slice(&items));
    Some(())
}

fn other_nonce(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    finish_with_commitment(draft);
    set_mutant(draft, 0, 0, Witness::from_slice(&[forge.rng.array::<32>()]));
    Some(())
}

fn malleated(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    forge.add_any(draft)?;
    finish_with_commitment(draft);
    let transaction = forge.rng.between(1, draft.block.txdata.len() - 1);
    let inputs = &draft.block.txdata[transaction].input;
    let input = forge.rng.below(inputs.len());
    let mut witness = inputs[input].witness.clone();
    // However much is added, it is not the block's own.
    let length = forge.rng.pick(&[0, 1, 600, 100_000]);
    witness.push(forge.rng.bytes(length));
    set_mutant(draft, transaction, input, witness);
    Some(())
}

fn unexpected_in_coinbase(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    *draft = forge.draft(draft.parent);
    draft.finish();
    set_mutant(draft, 0, 0, Witness::from_slice(&[[0; 32]]));
    Some(())
}

fn unexpected(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    while !draft.has_witness() {
        forge.add_any(draft)?;
    }
    draft.pay();
    draft.seal();
    Some(())
}

fn other_commitment(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    finish_with_commitment(draft);
    *draft.coinbase().output.last_mut()? = commitment_output(forge.rng.array());
    draft.seal();
    Some(())
}

fn other_commitment_last(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    finish_with_commitment(draft);
    draft.coinbase().output.push(commitment_output(forge.rng.array()));
    draft.seal();
    Some(())
}

fn other_commitment_first(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.coinbase().output.push(commitment_output(forge.rng.array()));
    finish_with_commitment(draft);
    Some(())
}

fn short_commitment_last(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    finish_with_commitment(draft);
    let TxOut { value, script_pubkey } = commitment_output(forge.rng.array());
    let script_pubkey = ScriptBuf::from(script_pubkey.as_bytes()[..37].to_vec());
    draft.coinbase().output.push(TxOut { value, script_pubkey });
    draft.seal();
    Some(())
}

fn needless_commitment(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    *draft = forge.draft(draft.parent);
    finish_with_commitment(draft);
    Some(())
}
