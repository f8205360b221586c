//! An input is satisfied as far as keys and scripts go.

use bitcoin::hashes::{Hash, hash160, ripemd160};
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_DUP, OP_EQUALVERIFY, OP_HASH160};
use cairn_chain::script::{TxoutType, append_push, solve};

use super::input::SigVersion;
use super::{InputContext, Keystore, Satisfaction};

/// Satisfies the output that an input spends, with what is there and with what keys can add. Whether it is complete then is
/// told in the data. (Core: `ProduceSignature`, `script/sign.cpp`.)
pub(in crate::rpc::methods::rawtransactions) fn produce_signature(
    context: &InputContext<'_>,
    keystore: &Keystore,
    data: &mut Satisfaction,
) {
    if data.is_complete {
        return;
    }
    let mut step = Step { context, keystore, data };
    let mut script = context.script_pubkey().to_vec();
    let mut redeem_script = None;
    if let TxoutType::ScriptHash(hash) = solve(&script) {
        let Some(found) = step.redeem_script(hash160::Hash::from_byte_array(*hash)) else {
            step.data.script_sig = Vec::new();
            step.data.witness = Vec::new();
            return;
        };
        script.clone_from(&found);
        redeem_script = Some(found);
    }
    let mut witness = Vec::new();
    let mut stack = match solve(&script) {
        TxoutType::WitnessV0KeyHash(hash) => {
            witness = step.sign(&key_hash_script(hash), SigVersion::WitnessV0).stack;
            Vec::new()
        }
        TxoutType::WitnessV0ScriptHash(hash) => {
            if let Some(witness_script) = step.witness_script(hash) {
                witness = step.sign(&witness_script, SigVersion::WitnessV0).stack;
                witness.push(witness_script);
            }
            Vec::new()
        }
        TxoutType::WitnessV1Taproot(key) if redeem_script.is_none() => {
            witness.extend(context.sign_schnorr(keystore, key));
            Vec::new()
        }
        _ => step.sign(&script, SigVersion::Base).stack,
    };
    stack.extend(redeem_script);
    data.script_sig = push_all(&stack);
    data.witness = witness;
    data.is_complete = context.verify(&data.script_sig, &data.witness).is_ok();
}

/// What a script wants on the stack, as far as it is there.
#[derive(Default)]
struct Signed {
    stack: Vec<Vec<u8>>,
}

struct Step<'a, 'b> {
    context: &'a InputContext<'b>,
    keystore: &'a Keystore,
    data: &'a mut Satisfaction,
}

impl Step<'_, '_> {
    fn redeem_script(&mut self, hash: hash160::Hash) -> Option<Vec<u8>> {
        let known = self.data.redeem_script.clone().filter(|script| hash160::Hash::hash(script) == hash);
        let script = known.or_else(|| self.keystore.script(&hash).cloned())?;
        self.data.redeem_script = Some(script.clone());
        Some(script)
    }

    /// The witness script with a SHA-256; scripts are kept by the RIPEMD-160 of that.
    fn witness_script(&mut self, sha256: &[u8; 32]) -> Option<Vec<u8>> {
        let hash = hash160::Hash::from_byte_array(ripemd160::Hash::hash(sha256).to_byte_array());
        let known = self.data.witness_script.clone().filter(|script| hash160::Hash::hash(script) == hash);
        let script = known.or_else(|| self.keystore.script(&hash).cloned())?;
        self.data.witness_script = Some(script.clone());
        Some(script)
    }

    /// Core: `SignStep`, for the forms that keys satisfy.
    fn sign(&mut self, script: &[u8], version: SigVersion) -> Signed {
        let stack = match solve(script) {
            TxoutType::Pubkey(key) => self.signature(key, script, version).into_iter().collect(),
            TxoutType::PubkeyHash(hash) => {
                let hash = hash160::Hash::from_byte_array(*hash);
                let key = self.public_key(&hash);
                let signature = key.as_ref().and_then(|key| self.signature(key, script, version));
                match (signature, key) {
                    (Some(signature), Some(key)) => vec![signature, key],
                    _ => Vec::new(),
                }
            }
            TxoutType::Multisig { required, keys } => {
                let required = usize::from(required);
                let signatures: Vec<_> =
                    keys.iter().filter_map(|key| self.signature(key, script, version)).take(required).collect();
                // One item more is popped than there are signatures, and those that are missing leave their places.
                let mut stack = vec![Vec::new()];
                stack.extend(signatures);
                stack.resize(required + 1, Vec::new());
                stack
            }
            _ => Vec::new(),
        };
        Signed { stack }
    }

    fn public_key(&self, hash: &hash160::Hash) -> Option<Vec<u8>> {
        let known = self.data.signatures.get(hash).map(|(key, _)| key.clone());
        known.or_else(|| self.keystore.key(hash).map(super::SigningKey::public_bytes))
    }

    /// A signature that is there, or that a key makes (Core: `CreateSig`).
    fn signature(&mut self, key: &[u8], script: &[u8], version: SigVersion) -> Option<Vec<u8>> {
        let hash = hash160::Hash::hash(key);
        if let Some((_, signature)) = self.data.signatures.get(&hash) {
            return Some(signature.clone());
        }
        let signature = self.context.sign_ecdsa(self.keystore, key, script, version)?;
        self.data.signatures.insert(hash, (key.to_vec(), signature.clone()));
        Some(signature)
    }
}

/// What a witness program of a key's hash is run as (BIP143).
fn key_hash_script(hash: &[u8; 20]) -> Vec<u8> {
    let mut script = vec![OP_DUP.to_u8(), OP_HASH160.to_u8()];
    append_push(&mut script, hash);
    script.extend([OP_EQUALVERIFY.to_u8(), OP_CHECKSIG.to_u8()]);
    script
}

/// A script that pushes these, each in its shortest form (Core: `PushAll`, `script/sign.cpp`).
fn push_all(items: &[Vec<u8>]) -> Vec<u8> {
    let mut script = Vec::new();
    for item in items {
        match item[..] {
            [number @ 1..=16] => script.push(0x50 + number),
            [0x81] => script.push(0x4f),
            _ => append_push(&mut script, item),
        }
    }
    script
}
