//! What is there to satisfy an output.

use std::collections::HashMap;

use bitcoin::hashes::{Hash, hash160};
use cairn_chain::script::{Instructions, TxoutType, is_push_only, solve};

use super::InputContext;
use super::input::SigVersion;

/// What is there to satisfy an output, whole or in parts (Core: `SignatureData`, `script/sign.h`).
#[derive(Debug, Clone, Default)]
pub(in crate::rpc::methods::rawtransactions) struct Satisfaction {
    /// Whether scriptSig and witness satisfy it.
    pub(in crate::rpc::methods::rawtransactions) is_complete: bool,
    pub(in crate::rpc::methods::rawtransactions) script_sig: Vec<u8>,
    pub(in crate::rpc::methods::rawtransactions) witness: Vec<Vec<u8>>,
    pub(super) redeem_script: Option<Vec<u8>>,
    pub(super) witness_script: Option<Vec<u8>>,
    /// Public keys and their signatures, by the hash of the key.
    pub(super) signatures: HashMap<hash160::Hash, (Vec<u8>, Vec<u8>)>,
}

impl Satisfaction {
    /// What an input of a transaction has (Core: `DataFromTransaction`, `script/sign.cpp`).
    pub(in crate::rpc::methods::rawtransactions) fn of_input(
        context: &InputContext<'_>,
        script_sig: &[u8],
        witness: &[Vec<u8>],
    ) -> Self {
        let mut data = Self { script_sig: script_sig.to_vec(), witness: witness.to_vec(), ..Self::default() };
        if context.verify(script_sig, witness).is_ok() {
            data.is_complete = true;
            return data;
        }
        let mut stack = pushed_by(script_sig);
        let mut script = context.script_pubkey().to_vec();
        let mut version = SigVersion::Base;
        if matches!(solve(&script), TxoutType::ScriptHash(_))
            && let Some(redeem_script) = stack.pop_if(|item| !item.is_empty())
        {
            script.clone_from(&redeem_script);
            data.redeem_script = Some(redeem_script);
        }
        if matches!(solve(&script), TxoutType::WitnessV0ScriptHash(_))
            && let Some((witness_script, rest)) = witness.split_last().filter(|(last, _)| !last.is_empty())
        {
            script.clone_from(witness_script);
            data.witness_script = Some(witness_script.clone());
            stack = rest.to_vec();
            version = SigVersion::WitnessV0;
        }
        if let TxoutType::Multisig { keys, .. } = solve(&script) {
            data.match_signatures(context, &stack, &keys, &script, version);
        }
        data
    }

    /// Finds out which signatures are of which keys; both are in the same order.
    fn match_signatures(
        &mut self,
        context: &InputContext<'_>,
        signatures: &[Vec<u8>],
        keys: &[&[u8]],
        script: &[u8],
        version: SigVersion,
    ) {
        let mut rest = keys.iter();
        for signature in signatures {
            let mut ahead = rest.clone();
            let signs = |key: &&&[u8]| context.is_signature_of(signature, key, script, version);
            if let Some(key) = ahead.by_ref().find(signs) {
                let of_key = (key.to_vec(), signature.clone());
                self.signatures.entry(hash160::Hash::hash(key)).or_insert(of_key);
                rest = ahead;
            }
        }
    }

    /// Adds what another has to offer (Core: `MergeSignatureData`).
    pub(in crate::rpc::methods::rawtransactions) fn merge(&mut self, other: Self) {
        if self.is_complete {
            return;
        }
        if other.is_complete {
            *self = other;
            return;
        }
        self.redeem_script = self.redeem_script.take().or(other.redeem_script);
        self.witness_script = self.witness_script.take().or(other.witness_script);
        for (hash, signature) in other.signatures {
            self.signatures.entry(hash).or_insert(signature);
        }
    }
}

/// What a scriptSig that does nothing else leaves on the stack, its bottom first.
fn pushed_by(script_sig: &[u8]) -> Vec<Vec<u8>> {
    /// The opcode before the one that pushes 1.
    const BEFORE_ONE: u8 = 0x50;
    if !is_push_only(script_sig) {
        return Vec::new();
    }
    let pushed = Instructions::new(script_sig).flatten().map(|instruction| match instruction.opcode.to_u8() {
        0x4f => vec![0x81],
        code @ 0x51..=0x60 => vec![code - BEFORE_ONE],
        _ => instruction.data.to_vec(),
    });
    pushed.collect()
}
