//! Spends of every kind, most of them valid under all rules as they are made.

mod limits;
mod locks;
mod quirks;
mod random;
mod signed;
mod tapscript;
mod witness;

use crate::lock::ENVELOPES;
use crate::lock::Envelope::{Bare, P2sh, P2shP2wsh, P2wsh, Tapscript};
use crate::rng::Rng;
use crate::spend::Spend;

/// One way to spend an output.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Makes the input under test spend an output of this kind.
    pub(crate) make: fn(&mut Rng, &mut Spend),
}

const fn kind(name: &'static str, make: fn(&mut Rng, &mut Spend)) -> Kind {
    Kind { name, make }
}

pub(crate) const KINDS: &[Kind] = &[
    kind("bare P2PK", |rng, spend| signed::check_sig(rng, spend, Bare)),
    kind("P2PKH", |rng, spend| signed::public_key_hash(rng, spend, Bare)),
    kind("bare multisig", |rng, spend| signed::multisig(rng, spend, Bare)),
    kind("P2SH(P2PK)", |rng, spend| signed::check_sig(rng, spend, P2sh)),
    kind("P2SH(P2PKH)", |rng, spend| signed::public_key_hash(rng, spend, P2sh)),
    kind("P2SH(multisig)", |rng, spend| signed::multisig(rng, spend, P2sh)),
    kind("P2WPKH", |rng, spend| witness::p2wpkh(rng, spend, false)),
    kind("P2SH-P2WPKH", |rng, spend| witness::p2wpkh(rng, spend, true)),
    kind("P2WSH(P2PK, P2PKH)", |rng, spend| match rng.chance(50) {
        true => signed::check_sig(rng, spend, P2wsh),
        false => signed::public_key_hash(rng, spend, P2wsh),
    }),
    kind("P2WSH(multisig)", |rng, spend| signed::multisig(rng, spend, P2wsh)),
    kind("P2SH-P2WSH(multisig)", |rng, spend| signed::multisig(rng, spend, P2shP2wsh)),
    kind("code separators, legacy", |rng, spend| {
        let envelope = rng.pick(&[Bare, P2sh]);
        signed::separated(rng, spend, envelope);
    }),
    kind("code separators, P2WSH", |rng, spend| {
        let envelope = rng.pick(&[P2wsh, P2shP2wsh]);
        signed::separated(rng, spend, envelope);
    }),
    kind("code separators, tapscript", |rng, spend| signed::separated(rng, spend, Tapscript)),
    kind("FindAndDelete", quirks::find_and_delete),
    kind("FindAndDelete, multisig", quirks::find_and_delete_multisig),
    kind("SIGHASH_SINGLE without output", quirks::single_without_output),
    kind("signature check in scriptSig", quirks::check_in_script_sig),
    kind("hybrid keys", quirks::hybrid_key),
    kind("lax signatures", quirks::lax_signature),
    kind("dummy that is not null", quirks::dummy),
    kind("unknown witness version", witness::unknown_version),
    kind("version 0, other lengths", witness::version_0_of_other_length),
    kind("pay to anchor", witness::anchor),
    kind("P2TR key path", witness::key_path),
    kind("tapscript CHECKSIG", |rng, spend| signed::check_sig(rng, spend, Tapscript)),
    kind("tapscript CHECKSIGADD", tapscript::check_sig_add),
    kind("tapscript OP_SUCCESS", tapscript::op_success),
    kind("tapscript key types", tapscript::unknown_key_type),
    kind("tapscript budget", tapscript::budget),
    kind("leaf versions", tapscript::leaf_version),
    kind("minimal IF", tapscript::minimal_if),
    kind("CHECKLOCKTIMEVERIFY", locks::lock_time),
    kind("CHECKSEQUENCEVERIFY", locks::sequence),
    kind("limits: operations", limits::operations),
    kind("limits: stack", limits::stack),
    kind("limits: element", limits::element),
    kind("limits: script", limits::script),
    kind("limits: multisig", |rng, spend| {
        let envelope = rng.pick(ENVELOPES);
        limits::multisig(rng, spend, envelope);
    }),
    kind("limits: tapscript items", limits::tapscript_items),
    kind("random, bare", |rng, spend| random::script(rng, spend, Bare)),
    kind("random, P2SH", |rng, spend| random::script(rng, spend, P2sh)),
    kind("random, P2WSH", |rng, spend| random::script(rng, spend, P2wsh)),
    kind("random, tapscript", |rng, spend| random::script(rng, spend, Tapscript)),
    kind("random bytes", |rng, spend| {
        let envelope = rng.pick(ENVELOPES);
        random::bytes(rng, spend, envelope);
    }),
];
