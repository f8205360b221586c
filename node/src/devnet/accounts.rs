//! Ten accounts that everybody has the keys of, and the one that the faucet pays from.
//!
//! The keys come from the mnemonic that the tools of other chains use for the same purpose, by BIP39, BIP32 and BIP84: account
//! number i has the key m/84'/1'/i'/0/0. Any wallet that is given the words finds the coins.

use std::str::FromStr;
use std::sync::LazyLock;

use bip39::Mnemonic;
use bitcoin::bip32::{DerivationPath, Xpriv};
use bitcoin::secp256k1::{All, Secp256k1};
use bitcoin::{Address, CompressedPublicKey, KnownHrp, NetworkKind, PrivateKey};

/// The words that all keys come from. They are PUBLIC: coins of a real network that are sent here are gone.
pub(crate) const MNEMONIC: &str = cairn_wallet::secret::PUBLIC_WORDS;

/// Who has an account, in the order of their numbers; the first nodes have the same names.
pub(crate) const NAMES: [&str; 10] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];

/// A key and what is paid to it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Whose it is.
    pub(crate) name: &'static str,
    /// Where the key comes from, such as m/84'/1'/0'/0/0.
    pub(crate) path: String,
    /// Where it is paid to: P2WPKH, as regtest writes it.
    pub(crate) address: Address,
    /// The key.
    pub(crate) key: PrivateKey,
}

/// All accounts: ten with names, and the faucet's.
#[derive(Debug)]
pub(crate) struct Accounts {
    all: Vec<Account>,
}

/// The accounts, which are the same in every devnet.
pub(crate) fn accounts() -> &'static Accounts {
    static ACCOUNTS: LazyLock<Accounts> = LazyLock::new(Accounts::derive);
    &ACCOUNTS
}

impl Accounts {
    fn derive() -> Self {
        let secp = Secp256k1::new();
        let master = Xpriv::new_master(NetworkKind::Test, &seed()).expect("these words have a master key");
        let names = NAMES.into_iter().chain(["faucet"]);
        Self { all: names.enumerate().map(|(index, name)| account(&secp, &master, index, name)).collect() }
    }

    /// The ten that have names of people.
    pub(crate) fn named(&self) -> &[Account] {
        &self.all[..NAMES.len()]
    }

    /// What the faucet pays from.
    pub(crate) fn faucet(&self) -> &Account {
        &self.all[NAMES.len()]
    }

    /// All of them, the faucet's last.
    pub(crate) fn all(&self) -> &[Account] {
        &self.all
    }

    /// The account with this name.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Account> {
        self.all.iter().find(|account| account.name == name)
    }

    /// What a node mines for: the account of its name, otherwise the faucet's.
    pub(crate) fn of_node(&self, name: &str) -> &Account {
        self.by_name(name).unwrap_or_else(|| self.faucet())
    }
}

fn account(secp: &Secp256k1<All>, master: &Xpriv, index: usize, name: &'static str) -> Account {
    let path = format!("m/84'/1'/{index}'/0/0");
    let derivation = DerivationPath::from_str(&path).expect("it was just written");
    let derived = master.derive_priv(secp, &derivation).expect("none of these few keys is out of range");
    let public = CompressedPublicKey(derived.private_key.public_key(secp));
    let address = Address::p2wpkh(&public, KnownHrp::Regtest);
    Account { name, path, address, key: derived.to_priv() }
}

/// The seed of the words, without a passphrase (BIP39).
fn seed() -> [u8; 64] {
    Mnemonic::parse_normalized(MNEMONIC).expect("the words are a mnemonic").to_seed_normalized("")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The BIP39 seed that other tools derive from these words, and the addresses that follow from it.
    #[test]
    fn keys_are_those_of_other_wallets() {
        let xpriv = Xpriv::new_master(NetworkKind::Main, &seed()).unwrap();
        // The Ethereum account that every developer knows: the same words at m/44'/60'/0'/0/0.
        let path = DerivationPath::from_str("m/44'/60'/0'/0/0").unwrap();
        let key = xpriv.derive_priv(&Secp256k1::new(), &path).unwrap().private_key;
        let known = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        assert_eq!(key.display_secret().to_string(), known);
    }

    #[test]
    fn accounts_differ_and_are_found_by_name() {
        let accounts = accounts();
        assert_eq!(accounts.named().len(), 10);
        let mut addresses: Vec<_> = accounts.all().iter().map(|account| account.address.to_string()).collect();
        assert!(addresses.iter().all(|address| address.starts_with("bcrt1q")), "{addresses:?}");
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 11);
        assert_eq!(accounts.by_name("carol").unwrap().path, "m/84'/1'/2'/0/0");
        assert_eq!(accounts.of_node("node11").name, "faucet");
        assert_eq!(accounts.faucet().path, "m/84'/1'/10'/0/0");
    }
}
