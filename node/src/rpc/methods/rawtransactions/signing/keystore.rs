//! Keys and scripts to sign with.

use std::collections::HashMap;
use std::fmt::{self, Formatter};
use std::sync::LazyLock;

use bitcoin::PrivateKey;
use bitcoin::hashes::{Hash, hash160};
use bitcoin::secp256k1::{All, Keypair, PublicKey, Secp256k1, SecretKey};

/// Signing and verifying for every thread.
pub(super) static SECP256K1: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// A private key and how its public key is written.
#[derive(Clone)]
pub(in crate::rpc::methods::rawtransactions) struct SigningKey {
    pub(super) secret: SecretKey,
    pub(super) public: PublicKey,
    pub(super) is_compressed: bool,
}

impl fmt::Debug for SigningKey {
    /// Without the secret.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl SigningKey {
    pub(in crate::rpc::methods::rawtransactions) fn new(key: &PrivateKey) -> Self {
        Self { public: key.inner.public_key(&SECP256K1), secret: key.inner, is_compressed: key.compressed }
    }

    /// The public key as scripts have it.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        if self.is_compressed {
            self.public.serialize().to_vec()
        } else {
            self.public.serialize_uncompressed().to_vec()
        }
    }

    /// For Schnorr signatures.
    pub(super) fn keypair(&self) -> Keypair {
        self.secret.keypair(&SECP256K1)
    }
}

/// Keys and scripts, by what outputs know of them.
#[derive(Debug, Default)]
pub(in crate::rpc::methods::rawtransactions) struct Keystore {
    keys: HashMap<hash160::Hash, SigningKey>,
    scripts: HashMap<hash160::Hash, Vec<u8>>,
}

impl Keystore {
    pub(in crate::rpc::methods::rawtransactions) fn add_key(&mut self, key: SigningKey) {
        self.keys.insert(hash160::Hash::hash(&key.public_bytes()), key);
    }

    pub(in crate::rpc::methods::rawtransactions) fn add_script(&mut self, script: Vec<u8>) {
        self.scripts.insert(hash160::Hash::hash(&script), script);
    }

    /// The key whose public key has this hash.
    pub(super) fn key(&self, hash: &hash160::Hash) -> Option<&SigningKey> {
        self.keys.get(hash)
    }

    /// The key whose public key has this X coordinate (Core: `GetKeyByXOnly`).
    pub(super) fn key_by_x_only(&self, x_only: &[u8; 32]) -> Option<&SigningKey> {
        self.keys.values().find(|key| key.public.x_only_public_key().0.serialize() == *x_only)
    }

    /// The script with this hash.
    pub(super) fn script(&self, hash: &hash160::Hash) -> Option<&Vec<u8>> {
        self.scripts.get(hash)
    }
}
