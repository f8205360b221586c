//! Headers.

use bitcoin::block::Version;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget};

use super::super::draft::{Draft, FAR_AHEAD, mine};
use super::super::forge::Forge;
use super::{Effect, Mutation, mutation};
use crate::block_judge::Class;

const fn invalid(reason: &'static str) -> Effect {
    Effect::Forgotten(Class::InvalidHeader, reason)
}

pub(super) const ALL: &[Mutation] = &[
    mutation("hash above the target", invalid("high-hash"), high_hash),
    mutation("bits that are no target", invalid("high-hash"), impossible_bits),
    mutation("bits of another target", invalid("bad-diffbits"), wrong_bits),
    mutation("time of the median", invalid("time-too-old"), time_too_old),
    mutation("time after the median", Effect::Valid, earliest_time),
    mutation("time a day later", Effect::Valid, later_time),
    mutation("time far ahead", Effect::Forgotten(Class::TimeFuture, "time-too-new"), time_too_new),
    mutation("outdated version", invalid("bad-version(0x"), outdated_version),
    mutation("lowest version", Effect::Valid, lowest_version),
    mutation("unknown parent", Effect::Forgotten(Class::MissingParent, "prev-blk-not-found"), unknown_parent),
];

fn high_hash(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    mine(&mut draft.block.header, false);
    Some(())
}

fn impossible_bits(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.finish();
    // Zero, negative, too large for 256 bits, and easier than regtest allows.
    let bits = forge.rng.pick(&[0, 0x2080_0001, 0xff12_3456, 0x2100_ffff]);
    draft.block.header.bits = CompactTarget::from_consensus(bits);
    Some(())
}

fn wrong_bits(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let bits = forge.rng.pick(&[0x207f_fffe, 0x2060_0000]);
    draft.block.header.bits = CompactTarget::from_consensus(bits);
    draft.finish();
    let target = bitcoin::Target::from_compact(draft.block.header.bits);
    while !target.is_met_by(draft.block.block_hash()) {
        draft.block.header.nonce += 1;
    }
    Some(())
}

fn time_too_old(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.time = draft.median;
    draft.finish();
    Some(())
}

fn earliest_time(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.time = draft.median + 1;
    draft.finish();
    Some(())
}

fn later_time(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.time += 24 * 60 * 60;
    draft.finish();
    Some(())
}

fn time_too_new(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.time = FAR_AHEAD;
    draft.finish();
    Some(())
}

fn outdated_version(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.version = Version::from_consensus(forge.rng.pick(&[3, 2, 1, 0, -1, i32::MIN]));
    draft.finish();
    Some(())
}

fn lowest_version(_: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.version = Version::from_consensus(4);
    draft.finish();
    Some(())
}

fn unknown_parent(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    draft.block.header.prev_blockhash = BlockHash::from_byte_array(forge.rng.array());
    draft.finish();
    Some(())
}
