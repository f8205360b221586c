//! Which of the known forms an output's script has.

use bitcoin::opcodes::all::*;

use super::instructions::decode_op_n;
use super::signature::has_key_length;
use super::stack::Element;
use super::{
    Instruction, Instructions, MAX_PUBKEYS_PER_MULTISIG, is_pay_to_script_hash, is_push_only, number, witness_program,
};

/// The form of an output's script, with the data a spender must know (Core: `TxoutType` and the solutions of `Solver`,
/// `script/solver.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxoutType<'a> {
    /// None of the known forms.
    Nonstandard,
    /// Pay-to-anchor, which anyone may spend.
    Anchor,
    /// A public key, 33 or 65 bytes, whose signature is wanted.
    Pubkey(&'a [u8]),
    /// The HASH160 of a public key.
    PubkeyHash(&'a [u8; 20]),
    /// The HASH160 of a redeem script (BIP16).
    ScriptHash(&'a [u8; 20]),
    /// Public keys, of which some must sign.
    Multisig {
        /// How many signatures are wanted: 1 to the number of keys.
        required: u8,
        /// The keys, 33 or 65 bytes each: 1 to [`MAX_PUBKEYS_PER_MULTISIG`].
        keys: Vec<&'a [u8]>,
    },
    /// An `OP_RETURN` and pushes: carries data and can never be spent.
    NullData,
    /// The SHA-256 of a witness script (BIP141).
    WitnessV0ScriptHash(&'a [u8; 32]),
    /// The HASH160 of a public key whose signature is wanted in the witness (BIP141).
    WitnessV0KeyHash(&'a [u8; 20]),
    /// A taproot output key (BIP341).
    WitnessV1Taproot(&'a [u8; 32]),
    /// A witness program that has no meaning yet.
    WitnessUnknown {
        /// Version, 1 to 16.
        version: u8,
        /// Program, 2 to 40 bytes.
        program: &'a [u8],
    },
}

impl TxoutType<'_> {
    /// Core's name of the form, which RPC shows (Core: `GetTxnOutputType`, `script/solver.cpp`).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nonstandard => "nonstandard",
            Self::Anchor => "anchor",
            Self::Pubkey(_) => "pubkey",
            Self::PubkeyHash(_) => "pubkeyhash",
            Self::ScriptHash(_) => "scripthash",
            Self::Multisig { .. } => "multisig",
            Self::NullData => "nulldata",
            Self::WitnessV0ScriptHash(_) => "witness_v0_scripthash",
            Self::WitnessV0KeyHash(_) => "witness_v0_keyhash",
            Self::WitnessV1Taproot(_) => "witness_v1_taproot",
            Self::WitnessUnknown { .. } => "witness_unknown",
        }
    }
}

/// The form of `script_pubkey` (Core: `Solver`, `script/solver.cpp`).
#[must_use]
pub fn solve(script_pubkey: &[u8]) -> TxoutType<'_> {
    if is_pay_to_script_hash(script_pubkey)
        && let Ok(hash) = script_pubkey[2..22].try_into()
    {
        return TxoutType::ScriptHash(hash);
    }
    if let Some(form) = solve_witness_program(script_pubkey) {
        return form;
    }
    if let [first, pushes @ ..] = script_pubkey
        && *first == OP_RETURN.to_u8()
        && is_push_only(pushes)
    {
        return TxoutType::NullData;
    }
    match_pubkey(script_pubkey)
        .or_else(|| match_pubkey_hash(script_pubkey))
        .or_else(|| match_multisig(script_pubkey))
        .unwrap_or(TxoutType::Nonstandard)
}

/// The form of a script that is a witness program; version 0 has no others than those BIP141 defines.
fn solve_witness_program(script_pubkey: &[u8]) -> Option<TxoutType<'_>> {
    let witness = witness_program(script_pubkey)?;
    Some(match (witness.version, witness.program.len()) {
        (0, 20) => TxoutType::WitnessV0KeyHash(witness.program.try_into().ok()?),
        (0, 32) => TxoutType::WitnessV0ScriptHash(witness.program.try_into().ok()?),
        (0, _) => TxoutType::Nonstandard,
        (1, 32) => TxoutType::WitnessV1Taproot(witness.program.try_into().ok()?),
        _ if witness.is_pay_to_anchor() => TxoutType::Anchor,
        (version, _) => TxoutType::WitnessUnknown { version, program: witness.program },
    })
}

/// A direct push of a public key and `OP_CHECKSIG`.
fn match_pubkey(script: &[u8]) -> Option<TxoutType<'_>> {
    let [length @ (33 | 65), key @ .., last] = script else { return None };
    let matches = *last == OP_CHECKSIG.to_u8() && key.len() == usize::from(*length) && has_key_length(key);
    matches.then_some(TxoutType::Pubkey(key))
}

/// `OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG`.
fn match_pubkey_hash(script: &[u8]) -> Option<TxoutType<'_>> {
    let hash = script
        .strip_prefix(&[OP_DUP.to_u8(), OP_HASH160.to_u8(), 20])?
        .strip_suffix(&[OP_EQUALVERIFY.to_u8(), OP_CHECKSIG.to_u8()])?;
    Some(TxoutType::PubkeyHash(hash.try_into().ok()?))
}

/// A number, as many public keys or more, their number, and `OP_CHECKMULTISIG`.
///
/// Keys may be pushed by any opcode; numbers above sixteen, for which there is none, by a push of their own.
fn match_multisig(script: &[u8]) -> Option<TxoutType<'_>> {
    let (last, rest) = script.split_last()?;
    if *last != OP_CHECKMULTISIG.to_u8() {
        return None;
    }
    let mut instructions = Instructions::new(script);
    let required = key_count(instructions.next()?.ok()?)?;
    let mut keys = Vec::new();
    let total = loop {
        let instruction = instructions.next()?.ok()?;
        if !has_key_length(instruction.data) {
            break key_count(instruction)?;
        }
        keys.push(instruction.data);
    };
    // The count ends where the last byte begins, so that this byte is the opcode and not the end of a push.
    let matches = required <= total && keys.len() == usize::from(total) && instructions.position() == rest.len();
    matches.then_some(TxoutType::Multisig { required, keys })
}

/// A number from 1 to [`MAX_PUBKEYS_PER_MULTISIG`], by opcode or by its shortest push (Core: `GetScriptNumber`,
/// `script/solver.cpp`).
fn key_count(instruction: Instruction<'_>) -> Option<u8> {
    let count = if instruction.is_data_push() {
        if !instruction.is_minimal_push() {
            return None;
        }
        let value = number::decode(&Element::Pushed(instruction.data), true, number::OPERAND_SIZE).ok()?;
        u8::try_from(value).ok()?
    } else {
        decode_op_n(instruction.opcode)?
    };
    (1..=MAX_PUBKEYS_PER_MULTISIG).contains(&usize::from(count)).then_some(count)
}

#[cfg(test)]
mod tests;
