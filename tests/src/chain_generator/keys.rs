//! Keys, and the scripts that pay to them.

use bitcoin::key::TapTweak;
use bitcoin::opcodes::all::OP_CHECKMULTISIG;
use bitcoin::script::Builder;
use bitcoin::{CompressedPublicKey, PubkeyHash, Script, ScriptBuf, WPubkeyHash};
use secp256k1::{All, Keypair, Secp256k1, SecretKey};

use super::coin::{Destination, OutputKind};

/// Keys there are.
pub(super) const KEYS: u16 = 500;

/// A key, and each script that starts with it.
pub(super) struct Key {
    pub(super) secret: SecretKey,
    pub(super) public: CompressedPublicKey,
    /// What signs for the key path: the key, tweaked with an empty script tree (BIP 341).
    pub(super) tweaked: Keypair,
    /// A 2-of-3 of this key and the next two.
    pub(super) multisig: ScriptBuf,
    p2wpkh: ScriptBuf,
    p2tr: ScriptBuf,
    p2pkh: ScriptBuf,
    p2wsh: ScriptBuf,
}

/// The same keys in every chain.
pub(super) struct Keys {
    pub(super) secp: Secp256k1<All>,
    keys: Vec<Key>,
}

impl Keys {
    pub(super) fn new() -> Self {
        let secp = Secp256k1::new();
        let pairs: Vec<Keypair> = (0..KEYS).map(|index| key_pair(&secp, index)).collect();
        let public = |index: usize| CompressedPublicKey(pairs[index % pairs.len()].public_key());
        let keys = pairs.iter().enumerate().map(|(index, pair)| {
            let multisig = multisig([index, index + 1, index + 2].map(public));
            let tweaked = pair.tap_tweak(&secp, None);
            Key {
                secret: pair.secret_key(),
                public: public(index),
                tweaked: tweaked.to_keypair(),
                p2wpkh: ScriptBuf::new_p2wpkh(&WPubkeyHash::from(public(index))),
                p2tr: ScriptBuf::new_p2tr_tweaked(tweaked.public_parts().0),
                p2pkh: ScriptBuf::new_p2pkh(&PubkeyHash::from(public(index))),
                p2wsh: multisig.to_p2wsh(),
                multisig,
            }
        });
        let keys = keys.collect();
        Self { secp, keys }
    }

    /// The key at an index, and on from the first again after the last.
    pub(super) fn get(&self, index: u16) -> &Key {
        &self.keys[usize::from(index % KEYS)]
    }

    pub(super) fn script_pubkey(&self, destination: Destination) -> &Script {
        let key = self.get(destination.key);
        match destination.kind {
            OutputKind::P2wpkh => &key.p2wpkh,
            OutputKind::P2tr => &key.p2tr,
            OutputKind::P2pkh => &key.p2pkh,
            OutputKind::Multisig => &key.p2wsh,
        }
    }
}

fn key_pair(secp: &Secp256k1<All>, index: u16) -> Keypair {
    let mut secret = [1; 32];
    secret[..2].copy_from_slice(&index.to_be_bytes());
    let secret = SecretKey::from_slice(&secret).expect("it is neither zero nor as large as the order");
    Keypair::from_secret_key(secp, &secret)
}

fn multisig(keys: [CompressedPublicKey; 3]) -> ScriptBuf {
    let mut script = Builder::new().push_int(2);
    for key in keys {
        script = script.push_key(&key.into());
    }
    script.push_int(3).push_opcode(OP_CHECKMULTISIG).into_script()
}
