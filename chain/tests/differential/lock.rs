//! A script behind an output: paying to it, signing for it, opening it.

use bitcoin::opcodes::all::{OP_EQUAL, OP_HASH160, OP_PUSHBYTES_0, OP_PUSHNUM_1};
use cairn_chain::hash::{HashWriter, hash160, sha256};
use cairn_chain::script::{
    TaprootSpend, TapscriptSpend, legacy_sighash, segwit_v0_sighash, tap_branch_hash, tap_leaf_hash, tap_tweak_hash,
    taproot_sighash,
};

use crate::keys::{Key, der};
use crate::rng::Rng;
use crate::script::{ScriptBuilder, Separator, push};
use crate::spend::Spend;

/// What hides a script until it is spent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    Bare,
    P2sh,
    P2wsh,
    P2shP2wsh,
    Tapscript,
}

use Envelope::{Bare, P2sh, P2shP2wsh, P2wsh, Tapscript};

/// All of them.
pub(crate) const ENVELOPES: &[Envelope] = &[Bare, P2sh, P2wsh, P2shP2wsh, Tapscript];
/// Those whose scripts check ECDSA signatures.
pub(crate) const ECDSA: &[Envelope] = &[Bare, P2sh, P2wsh, P2shP2wsh];

/// A script the input under test must satisfy.
pub(crate) struct Lock {
    envelope: Envelope,
    script: Vec<u8>,
    /// Control block, for a tapscript.
    control: Vec<u8>,
    leaf_hash: [u8; 32],
    pub(crate) annex: Option<Vec<u8>>,
}

impl Lock {
    /// Lets the input under test spend an output with this script.
    pub(crate) fn new(rng: &mut Rng, spend: &mut Spend, envelope: Envelope, script: Vec<u8>) -> Self {
        if envelope == Tapscript {
            let depth = if rng.chance(95) { rng.between(0, 4) } else { rng.between(125, 129) };
            return Self::with_leaf(rng, spend, script, 0xc0, depth);
        }
        spend.input_mut().spent.script_pubkey = match envelope {
            Bare => script.clone(),
            P2sh => pay_to_script_hash(&script),
            P2wsh => witness_program(0, &sha256(&script)),
            P2shP2wsh => pay_to_script_hash(&witness_program(0, &sha256(&script))),
            Tapscript => unreachable!("handled above"),
        };
        Self { envelope, script, control: Vec::new(), leaf_hash: [0; 32], annex: None }
    }

    /// The same for a leaf of any version, `depth` below the root of its tree.
    pub(crate) fn with_leaf(rng: &mut Rng, spend: &mut Spend, script: Vec<u8>, version: u8, depth: usize) -> Self {
        let internal = Key::random(rng);
        let leaf_hash = tap_leaf_hash(version, &script);
        let mut control = [&[version], &internal.x_only()[..]].concat();
        let mut root = leaf_hash;
        for _ in 0..depth {
            let sibling = rng.array();
            root = tap_branch_hash(&root, &sibling);
            control.extend(sibling);
        }
        let (output_key, parity) = internal.tweaked(tap_tweak_hash(&internal.x_only(), Some(&root)));
        control[0] |= parity;
        spend.input_mut().spent.script_pubkey = witness_program(1, &output_key.x_only());
        Self { envelope: Tapscript, script, control, leaf_hash, annex: random_annex(rng, 20) }
    }

    /// Signs with a random hash type, as if no separator had been executed.
    pub(crate) fn sign(&self, rng: &mut Rng, spend: &Spend, key: &Key) -> Vec<u8> {
        let hash_type = self.random_hash_type(rng);
        self.sign_after(spend, key, hash_type, None)
    }

    /// Signs what a check after `separator` looks at.
    pub(crate) fn sign_after(&self, spend: &Spend, key: &Key, hash_type: u8, separator: Option<Separator>) -> Vec<u8> {
        if self.envelope == Tapscript {
            let code_separator_position = separator.map_or(u32::MAX, |separator| separator.position);
            let tapscript = Some(TapscriptSpend { leaf_hash: self.leaf_hash, code_separator_position });
            return sign_taproot(spend, key, hash_type, self.annex.as_deref(), tapscript);
        }
        let script_code = &self.script[separator.map_or(0, |separator| separator.next)..];
        sign_ecdsa(spend, key, script_code, hash_type, matches!(self.envelope, P2wsh | P2shP2wsh))
    }

    pub(crate) fn random_hash_type(&self, rng: &mut Rng) -> u8 {
        if self.envelope == Tapscript { random_schnorr_hash_type(rng) } else { random_ecdsa_hash_type(rng) }
    }

    /// What [`open`](Self::open) will leave as the witness.
    fn witness(&self, mut items: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        items.push(self.script.clone());
        if self.envelope == Tapscript {
            items.push(self.control.clone());
            items.extend(self.annex.clone());
        }
        items
    }

    /// Opens the lock with the elements its script shall start with.
    pub(crate) fn open(&self, spend: &mut Spend, items: Vec<Vec<u8>>) {
        let input = spend.input_mut();
        match self.envelope {
            Bare => input.script_sig = items.iter().flat_map(|item| push_value(item)).collect(),
            P2sh => {
                input.script_sig = items.iter().flat_map(|item| push_value(item)).collect();
                input.script_sig.extend(push(&self.script));
            }
            P2wsh | Tapscript => input.witness = self.witness(items),
            P2shP2wsh => {
                input.script_sig = push(&witness_program(0, &sha256(&self.script)));
                input.witness = self.witness(items);
            }
        }
    }
}

/// A key as a script of this envelope takes it.
pub(crate) fn public_key(rng: &mut Rng, key: &Key, envelope: Envelope) -> Vec<u8> {
    match envelope {
        Tapscript => key.x_only().to_vec(),
        _ if rng.chance(75) => key.compressed(),
        _ => key.uncompressed(),
    }
}

/// One byte is pushed by an opcode where there is one, which keeps large numbers of elements small.
fn push_value(item: &[u8]) -> Vec<u8> {
    match item {
        [value @ 1..=16] => vec![0x50 + value],
        _ => push(item),
    }
}

pub(crate) fn sign_ecdsa(spend: &Spend, key: &Key, script_code: &[u8], hash_type: u8, witness_v0: bool) -> Vec<u8> {
    let sighash = ecdsa_sighash(spend, script_code, hash_type, witness_v0);
    let mut signature = der(key.sign_ecdsa(sighash));
    signature.push(hash_type);
    signature
}

pub(crate) fn ecdsa_sighash(spend: &Spend, script_code: &[u8], hash_type: u8, witness_v0: bool) -> [u8; 32] {
    spend.with_data(|data| {
        if witness_v0 {
            segwit_v0_sighash(data, spend.index, script_code, hash_type.into())
        } else {
            legacy_sighash(data.transaction(), spend.index, script_code, hash_type.into())
        }
    })
}

/// A Schnorr signature with its hash type, or zeros where the hash type leaves nothing to sign.
pub(crate) fn sign_taproot(
    spend: &Spend,
    key: &Key,
    hash_type: u8,
    annex: Option<&[u8]>,
    tapscript: Option<TapscriptSpend>,
) -> Vec<u8> {
    let annex_hash = annex.map(|annex| {
        let mut writer = HashWriter::new();
        writer.write_with_size(annex);
        writer.sha256()
    });
    let sighash =
        spend.with_data(|data| taproot_sighash(data, spend.index, hash_type, &TaprootSpend { annex_hash, tapscript }));
    let mut signature = sighash.map_or(vec![0; 64], |sighash| key.sign_schnorr(sighash));
    if hash_type != 0 {
        signature.push(hash_type);
    }
    signature
}

/// Most often one of the six defined ones; every byte means something.
pub(crate) fn random_ecdsa_hash_type(rng: &mut Rng) -> u8 {
    if rng.chance(85) { rng.pick(&[1, 1, 1, 2, 3, 0x81, 0x82, 0x83]) } else { rng.byte() }
}

/// Nearly always one of the seven defined ones.
pub(crate) fn random_schnorr_hash_type(rng: &mut Rng) -> u8 {
    if rng.chance(97) { rng.pick(&[0, 0, 0, 1, 2, 3, 0x81, 0x82, 0x83]) } else { rng.byte() }
}

pub(crate) fn random_annex(rng: &mut Rng, percent: usize) -> Option<Vec<u8>> {
    let length = rng.pick(&[0, 1, 30, 252, 600]);
    rng.chance(percent).then(|| [&[0x50], &rng.bytes(length)[..]].concat())
}

pub(crate) fn pay_to_script_hash(script: &[u8]) -> Vec<u8> {
    ScriptBuilder::default().op(OP_HASH160).push(&hash160(script)).op(OP_EQUAL).build()
}

pub(crate) fn witness_program(version: u8, program: &[u8]) -> Vec<u8> {
    let version = if version == 0 { OP_PUSHBYTES_0.to_u8() } else { OP_PUSHNUM_1.to_u8() + version - 1 };
    [&[version], &push(program)[..]].concat()
}
