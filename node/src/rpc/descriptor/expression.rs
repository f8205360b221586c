//! What a descriptor is made of, as text and as scripts (Core: `DescriptorImpl`, `script/descriptor.cpp`).

use std::iter::once;

use bitcoin::hex::DisplayHex;
use bitcoin::key::{TapTweak, TweakedPublicKey, UntweakedPublicKey};
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_CHECKSIG, OP_CHECKSIGADD, OP_NUMEQUAL};
use bitcoin::script::Builder;
use bitcoin::taproot::TaprootBuilder;
use bitcoin::{Address, CompressedPublicKey, PublicKey, ScriptBuf};
use miniscript::{Segwitv0, Tap};

use super::SECP;
use super::key::Key;
use super::policy::Policy;

/// A descriptor, or a part of one.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// `pk()`.
    Pk {
        key: Key,
        /// Whether it is in a leaf of `tr()`.
        is_x_only: bool,
    },
    /// `pkh()`.
    Pkh(Key),
    /// `wpkh()`.
    Wpkh(Key),
    /// `combo()`.
    Combo(Key),
    /// `multi()` and `sortedmulti()`.
    Multi { threshold: usize, keys: Vec<Key>, is_sorted: bool },
    /// `multi_a()` and `sortedmulti_a()`.
    MultiA { threshold: usize, keys: Vec<Key>, is_sorted: bool },
    /// `sh()`.
    Sh(Box<Self>),
    /// `wsh()`.
    Wsh(Box<Self>),
    /// `tr()`, with its leaves and how deep they are, from left to right.
    Tr { key: Key, leaves: Vec<(u8, Self)> },
    /// `rawtr()`.
    RawTr(Key),
    /// `addr()`.
    Address(Address),
    /// `raw()`.
    Raw(ScriptBuf),
    /// A miniscript in `wsh()`.
    WitnessPolicy(Box<Policy<Segwitv0>>),
    /// A miniscript in a leaf of `tr()`.
    TapPolicy(Box<Policy<Tap>>),
}

impl Expression {
    /// All keys in it.
    pub(super) fn keys(&self) -> Vec<&Key> {
        match self {
            Self::Pk { key, .. } | Self::Pkh(key) | Self::Wpkh(key) | Self::Combo(key) | Self::RawTr(key) => vec![key],
            Self::Multi { keys, .. } | Self::MultiA { keys, .. } => keys.iter().collect(),
            Self::Sh(inner) | Self::Wsh(inner) => inner.keys(),
            Self::Tr { key, leaves } => once(key).chain(leaves.iter().flat_map(|(_, leaf)| leaf.keys())).collect(),
            Self::Address(_) | Self::Raw(_) => Vec::new(),
            Self::WitnessPolicy(policy) => policy.keys().collect(),
            Self::TapPolicy(policy) => policy.keys().collect(),
        }
    }

    /// How many alternatives its paths have.
    pub(super) fn branches(&self) -> usize {
        self.keys().into_iter().map(Key::branches).max().unwrap_or(1)
    }

    /// Its canonical text, without checksum.
    pub(super) fn text(&self, branch: usize) -> String {
        let list = |threshold: &usize, keys: &[Key]| {
            let keys: Vec<_> = keys.iter().map(|key| key.text(branch)).collect();
            format!("{threshold},{}", keys.join(","))
        };
        match self {
            Self::Pk { key, .. } => format!("pk({})", key.text(branch)),
            Self::Pkh(key) => format!("pkh({})", key.text(branch)),
            Self::Wpkh(key) => format!("wpkh({})", key.text(branch)),
            Self::Combo(key) => format!("combo({})", key.text(branch)),
            Self::RawTr(key) => format!("rawtr({})", key.text(branch)),
            Self::Multi { threshold, keys, is_sorted } => {
                format!("{}({})", if *is_sorted { "sortedmulti" } else { "multi" }, list(threshold, keys))
            }
            Self::MultiA { threshold, keys, is_sorted } => {
                format!("{}({})", if *is_sorted { "sortedmulti_a" } else { "multi_a" }, list(threshold, keys))
            }
            Self::Sh(inner) => format!("sh({})", inner.text(branch)),
            Self::Wsh(inner) => format!("wsh({})", inner.text(branch)),
            Self::Tr { key, leaves } if leaves.is_empty() => format!("tr({})", key.text(branch)),
            Self::Tr { key, leaves } => format!("tr({},{})", key.text(branch), tree_text(leaves, branch)),
            Self::Address(address) => format!("addr({address})"),
            Self::Raw(script) => format!("raw({})", script.as_bytes().as_hex()),
            Self::WitnessPolicy(policy) => policy.text(branch),
            Self::TapPolicy(policy) => policy.text(branch),
        }
    }

    /// Its scripts at an index; nothing if a key cannot be derived without its private key.
    pub(super) fn scripts(&self, branch: usize, index: u32) -> Option<Vec<ScriptBuf>> {
        let Self::Combo(key) = self else { return Some(vec![self.script(branch, index)?]) };
        let key = key.derive(branch, index)?;
        let mut scripts = vec![ScriptBuf::new_p2pk(&key), ScriptBuf::new_p2pkh(&key.pubkey_hash())];
        if let Ok(short) = CompressedPublicKey::try_from(key) {
            let witness = ScriptBuf::new_p2wpkh(&short.wpubkey_hash());
            let wrapped = witness.to_p2sh();
            scripts.extend([witness, wrapped]);
        }
        Some(scripts)
    }

    fn script(&self, branch: usize, index: u32) -> Option<ScriptBuf> {
        let derive = |key: &Key| key.derive(branch, index);
        let script = match self {
            Self::Pk { key, is_x_only: false } => ScriptBuf::new_p2pk(&derive(key)?),
            Self::Pk { key, is_x_only: true } => {
                Builder::new().push_x_only_key(&x_only(derive(key)?)).push_opcode(OP_CHECKSIG).into_script()
            }
            Self::Pkh(key) => ScriptBuf::new_p2pkh(&derive(key)?.pubkey_hash()),
            Self::Wpkh(key) => ScriptBuf::new_p2wpkh(&CompressedPublicKey::try_from(derive(key)?).ok()?.wpubkey_hash()),
            Self::Multi { threshold, keys, is_sorted } => {
                let mut keys: Vec<_> = keys.iter().map(derive).collect::<Option<_>>()?;
                if *is_sorted {
                    keys.sort_unstable_by_key(|key| key.to_bytes());
                }
                multisig_script(*threshold, &keys)
            }
            Self::MultiA { threshold, keys, is_sorted } => {
                let mut keys: Vec<_> = keys.iter().map(|key| derive(key).map(x_only)).collect::<Option<_>>()?;
                if *is_sorted {
                    keys.sort_unstable_by_key(UntweakedPublicKey::serialize);
                }
                multi_a_script(*threshold, &keys)
            }
            Self::Sh(inner) => inner.script(branch, index)?.to_p2sh(),
            Self::Wsh(inner) => inner.script(branch, index)?.to_p2wsh(),
            Self::Tr { key, leaves } => {
                let mut tree = TaprootBuilder::new();
                for (depth, leaf) in leaves {
                    tree = tree.add_leaf(*depth, leaf.script(branch, index)?).ok()?;
                }
                let key = x_only(derive(key)?);
                if leaves.is_empty() {
                    ScriptBuf::new_p2tr_tweaked(key.tap_tweak(&SECP, None).0)
                } else {
                    ScriptBuf::new_p2tr_tweaked(tree.finalize(&SECP, key).ok()?.output_key())
                }
            }
            Self::RawTr(key) => {
                ScriptBuf::new_p2tr_tweaked(TweakedPublicKey::dangerous_assume_tweaked(x_only(derive(key)?)))
            }
            Self::Address(address) => address.script_pubkey(),
            Self::Raw(script) => script.clone(),
            Self::WitnessPolicy(policy) => policy.script(branch, index)?,
            Self::TapPolicy(policy) => policy.script(branch, index)?,
            Self::Combo(_) => return None,
        };
        Some(script)
    }
}

fn x_only(key: PublicKey) -> UntweakedPublicKey {
    key.inner.x_only_public_key().0
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A script that `required` of these keys sign for (Core: `GetScriptForMultisig`, `script/solver.cpp`).
pub(crate) fn multisig_script(required: usize, keys: &[PublicKey]) -> ScriptBuf {
    let script = Builder::new().push_int(number(required));
    let script = keys.iter().fold(script, |script, key| script.push_key(key));
    script.push_int(number(keys.len())).push_opcode(OP_CHECKMULTISIG).into_script()
}

fn multi_a_script(threshold: usize, keys: &[UntweakedPublicKey]) -> ScriptBuf {
    let mut script = Builder::new();
    for (place, key) in keys.iter().enumerate() {
        script = script.push_x_only_key(key).push_opcode(if place == 0 { OP_CHECKSIG } else { OP_CHECKSIGADD });
    }
    script.push_int(number(threshold)).push_opcode(OP_NUMEQUAL).into_script()
}

/// Leaves with the braces that their depths say (Core: `TRDescriptor::ToStringSubScriptHelper`).
fn tree_text(leaves: &[(u8, Expression)], branch: usize) -> String {
    let mut text = String::new();
    // For each level whether we are in its right half.
    let mut halves: Vec<bool> = Vec::new();
    for (place, (depth, leaf)) in leaves.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        while halves.len() < usize::from(*depth) {
            text.push('{');
            halves.push(false);
        }
        text += &leaf.text(branch);
        while halves.pop_if(|is_right| *is_right).is_some() {
            text.push('}');
        }
        if let Some(half) = halves.last_mut() {
            *half = true;
        }
    }
    text
}
