//! Keys that others are derived from.

use bdk_wallet::keys::DescriptorSecretKey;
use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, KeySource, Xpriv, Xpub};
use bitcoin::secp256k1::{All, Keypair, PublicKey, Secp256k1, SecretKey};

use super::SecretError;
use crate::network::Network;

/// All keys that others are derived from. Their memory is overwritten when they are dropped.
pub(crate) struct Roots(pub(super) Vec<Root>);

/// A key, and where it stands in its own tree.
pub(crate) struct Root {
    /// The fingerprint of the tree's master key.
    fingerprint: Fingerprint,
    /// The way from the master key to this one.
    path: DerivationPath,
    key: RootKey,
}

pub(crate) enum RootKey {
    /// One with others below it.
    Extended(Xpriv),
    /// One alone.
    Single(SecretKey),
}

impl Root {
    pub(super) fn from_seed(seed: &[u8], network: &Network, secp: &Secp256k1<All>) -> Result<Self, SecretError> {
        let master = Xpriv::new_master(network.addresses, seed).map_err(|error| SecretError::Key(error.to_string()))?;
        let fingerprint = master.fingerprint(secp);
        Ok(Self { fingerprint, path: DerivationPath::master(), key: RootKey::Extended(master) })
    }

    pub(super) fn from_descriptor_key(key: DescriptorSecretKey, secp: &Secp256k1<All>) -> Result<Self, SecretError> {
        let (origin, own, key) = match key {
            DescriptorSecretKey::Single(single) => {
                let public = single.key.public_key(secp);
                let hash = public.pubkey_hash();
                let own = Fingerprint::from(<[u8; 4]>::try_from(&hash[..4]).expect("four of twenty bytes"));
                (single.origin, own, RootKey::Single(single.key.inner))
            }
            DescriptorSecretKey::XPrv(extended) => {
                (extended.origin, extended.xkey.fingerprint(secp), RootKey::Extended(extended.xkey))
            }
            DescriptorSecretKey::MultiXPrv(extended) => {
                (extended.origin, extended.xkey.fingerprint(secp), RootKey::Extended(extended.xkey))
            }
        };
        let (fingerprint, path) = origin.unwrap_or((own, DerivationPath::master()));
        Ok(Self { fingerprint, path, key })
    }

    /// The key at a place in the tree, if it lies below this one.
    fn derive(&self, (fingerprint, path): &KeySource, secp: &Secp256k1<All>) -> Option<SecretKey> {
        if *fingerprint != self.fingerprint {
            return None;
        }
        let rest: Vec<ChildNumber> = path.into_iter().skip(self.path.len()).copied().collect();
        if !path.into_iter().take(self.path.len()).eq(&self.path) {
            return None;
        }
        match &self.key {
            RootKey::Single(key) => rest.is_empty().then_some(*key),
            RootKey::Extended(key) => {
                let mut derived = key.derive_priv(secp, &rest).ok()?;
                let secret = derived.private_key;
                derived.private_key.non_secure_erase();
                Some(secret)
            }
        }
    }
}

impl Roots {
    /// The fingerprints of the master keys.
    pub(crate) fn fingerprints(&self) -> Vec<Fingerprint> {
        self.0.iter().map(|root| root.fingerprint).collect()
    }

    /// The keys for `public`, which is said to come from `source`; nothing unless that is true and ours.
    pub(crate) fn find(&self, public: &PublicKey, source: &KeySource, secp: &Secp256k1<All>) -> Option<SigningKey> {
        let found = self.0.iter().filter_map(|root| root.derive(source, secp)).map(SigningKey);
        // A parity is not said where keys have only an x coordinate.
        found.into_iter().find(|key| key.0.public_key(secp).x_only_public_key().0 == public.x_only_public_key().0)
    }

    /// The public key at a path below the master key, with where it comes from.
    ///
    /// # Errors
    ///
    /// When there is no master key to derive from.
    pub(crate) fn public(
        &self,
        path: &DerivationPath,
        secp: &Secp256k1<All>,
    ) -> Result<(KeySource, Xpub), SecretError> {
        let master = self.0.iter().find_map(|root| match &root.key {
            RootKey::Extended(key) if root.path.is_empty() => Some((root.fingerprint, key)),
            _ => None,
        });
        let (fingerprint, key) = master.ok_or_else(|| SecretError::Key("there is no master key".to_owned()))?;
        let mut derived = key.derive_priv(secp, path).map_err(|error| SecretError::Key(error.to_string()))?;
        let public = Xpub::from_priv(secp, &derived);
        derived.private_key.non_secure_erase();
        Ok(((fingerprint, path.clone()), public))
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        for root in &mut self.0 {
            match &mut root.key {
                RootKey::Extended(key) => key.private_key.non_secure_erase(),
                RootKey::Single(key) => key.non_secure_erase(),
            }
        }
    }
}

/// A key for one signature. Its memory is overwritten when it is dropped.
pub(crate) struct SigningKey(SecretKey);

impl SigningKey {
    pub(crate) fn secret(&self) -> &SecretKey {
        &self.0
    }

    pub(crate) fn keypair(&self, secp: &Secp256k1<All>) -> Keypair {
        self.0.keypair(secp)
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}
