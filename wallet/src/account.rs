//! Which descriptors a wallet has: those of the common kinds of addresses, or any.

use bdk_wallet::descriptor::calc_checksum;
use bdk_wallet::keys::{DescriptorPublicKey, KeyMap};
use bdk_wallet::miniscript::Descriptor;
use bdk_wallet::miniscript::descriptor::DescriptorType;
use bdk_wallet::miniscript::psbt::PsbtInputExt;
use bitcoin::bip32::{ChildNumber, DerivationPath};
use bitcoin::secp256k1::{Parity, Secp256k1};
use bitcoin::{NetworkKind, PrivateKey};

use crate::network::Network;
use crate::secret::{Roots, Secret, SecretError};
use crate::spend::Scale;

/// The common kinds of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum AddressType {
    /// Native segwit, `bc1q…` (BIP84): what every wallet can pay to.
    #[default]
    Wpkh,
    /// Taproot, `bc1p…` (BIP86).
    Tr,
    /// Segwit within pay-to-script-hash, `3…` (BIP49).
    ShWpkh,
    /// The oldest kind, `1…` (BIP44).
    Pkh,
}

impl AddressType {
    /// The first step of its derivation paths, which is the number of its BIP.
    const fn purpose(self) -> u32 {
        match self {
            Self::Wpkh => 84,
            Self::Tr => 86,
            Self::ShWpkh => 49,
            Self::Pkh => 44,
        }
    }

    fn wrap(self, key: &str) -> String {
        match self {
            Self::Wpkh => format!("wpkh({key})"),
            Self::Tr => format!("tr({key})"),
            Self::ShWpkh => format!("sh(wpkh({key}))"),
            Self::Pkh => format!("pkh({key})"),
        }
    }

    /// The path of an account below the master key.
    #[must_use]
    pub fn account_path(self, network: &Network, account: u32) -> DerivationPath {
        let steps = [self.purpose(), network.coin_type(), account];
        let hardened = |index| ChildNumber::from_hardened_idx(index & !(1 << 31)).expect("below 2^31");
        steps.map(hardened).as_slice().into()
    }
}

/// The descriptors of a wallet, without any private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptors {
    /// Of the addresses that are shown.
    pub external: Descriptor<DescriptorPublicKey>,
    /// Of change; where there is none, change goes to the addresses that are shown.
    pub internal: Option<Descriptor<DescriptorPublicKey>>,
    /// Both as one, with its checksum (BIP389).
    pub combined: String,
}

/// Why a text is no descriptor for a wallet.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// It does not parse, or its checksum is wrong.
    #[error("the descriptor cannot be read: {0}")]
    Malformed(String),
    /// It has other than one or two paths.
    #[error("expected a descriptor with one path or two, as in /<0;1>/*, got {got}")]
    Paths {
        /// How many it has.
        got: usize,
    },
    /// It stands for one address only, or its addresses need private keys.
    #[error("expected a descriptor that ends in /*, for as many addresses as are needed")]
    NoWildcard,
    /// Nobody could ever spend what it receives with this wallet, or it makes no addresses.
    #[error(
        "expected a descriptor with addresses whose coins signatures and block heights can free; times and hashes cannot here"
    )]
    Unspendable,
    /// It is not as it was written down.
    #[error("the descriptor's checksum is wrong: expected {expected}, if all else is right")]
    Checksum {
        /// What it would be.
        expected: String,
    },
    /// It cannot be read, and what is wrong cannot be said without repeating a private key.
    #[error("the descriptor cannot be read; as it holds private keys, no part of it is repeated here")]
    MalformedWithKeys,
    /// Its keys are another network's.
    #[error("the descriptor's keys are for {theirs}, and this wallet is of {ours}")]
    OtherNetwork {
        /// What they are for.
        theirs: &'static str,
        /// The wallet's network.
        ours: String,
    },
    /// Its keys cannot be derived.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl DescriptorError {
    /// The error, without words that could be a private key's.
    fn without_keys(self, text: &str) -> Self {
        let is_key = |word: &str| word.contains("prv") || PrivateKey::from_wif(word).is_ok();
        let holds_keys = text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_key);
        match self {
            Self::Malformed(_) if holds_keys => Self::MalformedWithKeys,
            error => error,
        }
    }
}

impl Descriptors {
    /// The descriptors of an account of a wallet with words.
    ///
    /// # Errors
    ///
    /// When the secret has no master key.
    pub fn of_account(
        secret: &Secret,
        kind: AddressType,
        account: u32,
        network: &Network,
    ) -> Result<Self, DescriptorError> {
        let roots = secret.roots(network)?;
        let key = show_key(&roots, &kind.account_path(network, account))?;
        Ok(Self::parse(&kind.wrap(&format!("{key}/<0;1>/*")), network)?.0)
    }

    /// Reads a descriptor, and takes private keys out of it.
    ///
    /// # Errors
    ///
    /// When it is none, or not one that makes addresses of this network without private keys.
    pub fn parse(text: &str, network: &Network) -> Result<(Self, Option<Secret>), DescriptorError> {
        Self::parse_trusting(text, network).map_err(|error| error.without_keys(text))
    }

    /// As [`Self::parse`]; its errors may repeat parts of the text.
    fn parse_trusting(text: &str, network: &Network) -> Result<(Self, Option<Secret>), DescriptorError> {
        let body = without_checksum(text.trim())?;
        let paths = paths_of(body)?;
        let secp = Secp256k1::new();
        let mut keys = KeyMap::new();
        let mut single = Vec::new();
        for path in 0..paths {
            let text = choose_path(body, path);
            let (descriptor, more) = Descriptor::parse_descriptor(&secp, &text)
                .map_err(|error| DescriptorError::Malformed(error.to_string()))?;
            if !descriptor.has_wildcard() {
                return Err(DescriptorError::NoWildcard);
            }
            descriptor.sanity_check().map_err(|error| DescriptorError::Malformed(error.to_string()))?;
            check_network(&descriptor, network)?;
            check_spendable(&descriptor)?;
            keys.extend(more);
            single.push(descriptor);
        }
        let combined = combine(body, &single)?;
        let mut single = single.into_iter();
        let external = single.next().expect("there is one path at least");
        let secret = (!keys.is_empty()).then(|| Secret::from_keys(keys.values()));
        Ok((Self { external, internal: single.next(), combined }, secret))
    }

    /// Whether a secret has a key of the first address.
    ///
    /// # Errors
    ///
    /// When the secret's keys cannot be read.
    pub fn is_signed_by(&self, secret: &Secret, network: &Network) -> Result<bool, DescriptorError> {
        let secp = Secp256k1::new();
        let roots = secret.roots(network)?;
        let mut input = bitcoin::psbt::Input::default();
        let definite =
            self.external.at_derivation_index(0).map_err(|error| DescriptorError::Malformed(error.to_string()))?;
        input
            .update_with_descriptor_unchecked(&definite)
            .map_err(|error| DescriptorError::Malformed(error.to_string()))?;
        let by_ecdsa = input.bip32_derivation.iter().any(|(key, source)| roots.find(key, source, &secp).is_some());
        let by_schnorr = input
            .tap_key_origins
            .iter()
            .any(|(key, (_, source))| roots.find(&key.public_key(Parity::Even), source, &secp).is_some());
        Ok(by_ecdsa || by_schnorr)
    }

    /// What addresses of it are called.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.external.desc_type() {
            DescriptorType::Pkh => "pkh",
            DescriptorType::Wpkh => "wpkh",
            DescriptorType::ShWpkh => "sh-wpkh",
            DescriptorType::Tr => "tr",
            DescriptorType::Wsh | DescriptorType::WshSortedMulti => "wsh",
            DescriptorType::ShWsh | DescriptorType::ShWshSortedMulti => "sh-wsh",
            DescriptorType::Sh | DescriptorType::ShSortedMulti => "sh",
            DescriptorType::Bare => "bare",
        }
    }
}

/// A public key of the tree with where it comes from, as it stands in descriptors.
pub(crate) fn show_key(roots: &Roots, path: &DerivationPath) -> Result<String, SecretError> {
    let ((fingerprint, path), key) = roots.public(path, &Secp256k1::new())?;
    if path.is_empty() {
        return Ok(format!("[{fingerprint}]{key}"));
    }
    Ok(format!("[{fingerprint}/{path}]{key}"))
}

/// The descriptor without its checksum, which has to be right if it is there.
fn without_checksum(text: &str) -> Result<&str, DescriptorError> {
    let Some((body, checksum)) = text.split_once('#') else { return Ok(text) };
    let expected = calc_checksum(body).map_err(|error| DescriptorError::Malformed(error.to_string()))?;
    if checksum != expected {
        return Err(DescriptorError::Checksum { expected });
    }
    Ok(body)
}

/// How many paths a descriptor has: as many as its first `<…>` has parts.
fn paths_of(body: &str) -> Result<usize, DescriptorError> {
    let count = |group: &str| group.split_once('>').map_or(0, |(inside, _)| inside.split(';').count());
    let mut counts = body.split('<').skip(1).map(count);
    let Some(first) = counts.next() else { return Ok(1) };
    if first != 2 || counts.any(|count| count != first) {
        return Err(DescriptorError::Paths { got: first });
    }
    Ok(first)
}

/// The descriptor with one of its paths: private keys with several cannot be made public otherwise.
fn choose_path(body: &str, path: usize) -> String {
    let mut parts = body.split('<');
    let mut chosen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, after) = part.split_once('>').unwrap_or((part, ""));
        chosen += inside.split(';').nth(path).unwrap_or_default();
        chosen += after;
    }
    chosen
}

/// All paths as one text, without private keys, and with its checksum.
fn combine(body: &str, single: &[Descriptor<DescriptorPublicKey>]) -> Result<String, DescriptorError> {
    let public = match single {
        [first, second] => match body.parse::<Descriptor<DescriptorPublicKey>>() {
            Ok(public) => public.to_string(),
            Err(_) => merge(&first.to_string(), &second.to_string()),
        },
        _ => single.iter().map(ToString::to_string).collect(),
    };
    let body = public.split('#').next().unwrap_or_default();
    let checksum = calc_checksum(body).map_err(|error| DescriptorError::Malformed(error.to_string()))?;
    let combined = format!("{body}#{checksum}");
    let again: Option<Vec<_>> = combined.parse().ok().and_then(|it: Descriptor<_>| it.into_single_descriptors().ok());
    if again.as_deref() != Some(single) {
        return Err(DescriptorError::Malformed("its paths differ in more than a step".to_owned()));
    }
    Ok(combined)
}

/// Two descriptors that differ in steps of their paths only, as one.
fn merge(first: &str, second: &str) -> String {
    let steps = |text: &str| -> Vec<String> {
        let body = text.split('#').next().unwrap_or_default();
        body.split_inclusive(['/', ')', ',']).map(ToOwned::to_owned).collect()
    };
    let merged = steps(first).into_iter().zip(steps(second)).map(|(first, second)| {
        if first == second {
            return first;
        }
        let (a, b) = (first.trim_end_matches('/'), second.trim_end_matches('/'));
        format!("<{a};{b}>{}", &first[a.len()..])
    });
    merged.collect()
}

/// Whether coins could be spent in some future, when every lock by height is over.
fn check_spendable(descriptor: &Descriptor<DescriptorPublicKey>) -> Result<(), DescriptorError> {
    let definite = descriptor.at_derivation_index(0).map_err(|error| DescriptorError::Malformed(error.to_string()))?;
    let scale = Scale::new(&[], u32::MAX);
    if descriptor.desc_type() == DescriptorType::Bare || scale.weigh(&definite, u16::MAX.into()).is_none() {
        return Err(DescriptorError::Unspendable);
    }
    Ok(())
}

fn check_network(descriptor: &Descriptor<DescriptorPublicKey>, network: &Network) -> Result<(), DescriptorError> {
    use bdk_wallet::miniscript::ForEachKey;
    let ours = NetworkKind::from(network.addresses);
    let mut theirs = None;
    descriptor.for_each_key(|key| {
        let kind = match key {
            DescriptorPublicKey::XPub(key) => Some(key.xkey.network),
            DescriptorPublicKey::MultiXPub(key) => Some(key.xkey.network),
            DescriptorPublicKey::Single(_) => None,
        };
        theirs = theirs.or(kind.filter(|kind| *kind != ours));
        theirs.is_none()
    });
    match theirs {
        None => Ok(()),
        Some(kind) => Err(DescriptorError::OtherNetwork {
            theirs: if kind == NetworkKind::Main { "main" } else { "test networks" },
            ours: network.name.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Stakes;
    use bitcoin::hashes::Hash;

    const MASTER: &str = "tprv8ZgxMBicQKsPeDgjzdC36fs6bMjGApWDNLR9erAXMs5skhMv36j9MV5ecvfavji5khqjWaWSFhN3YcCUUdiKH6isR4Pwy3U5y5egddBr16m";

    fn network() -> Network {
        let genesis = bitcoin::BlockHash::all_zeros();
        Network { name: "regtest".to_owned(), addresses: bitcoin::Network::Regtest, genesis, stakes: Stakes::Local }
    }

    #[test]
    fn private_keys_leave_the_descriptor() {
        let (two, secret) = Descriptors::parse(&format!("wpkh({MASTER}/84h/1h/0h/<0;1>/*)"), &network()).unwrap();
        assert!(secret.is_some());
        assert!(!two.combined.contains("prv"), "{}", two.combined);
        assert!(two.combined.contains("/<0;1>/*)#"), "{}", two.combined);
        let (again, none) = Descriptors::parse(&two.combined, &network()).unwrap();
        assert_eq!(again, two);
        assert!(none.is_none());

        let (one, _) = Descriptors::parse(&format!("tr({MASTER}/86h/1h/0h/0/*)"), &network()).unwrap();
        assert_eq!(one.internal, None);
        assert_eq!(Descriptors::parse(&one.combined, &network()).unwrap().0, one);
    }

    #[test]
    fn words_and_their_descriptor_agree() {
        let secret = Secret::from_words(crate::secret::PUBLIC_WORDS, "", &network()).unwrap();
        for (kind, name) in [
            (AddressType::Wpkh, "wpkh"),
            (AddressType::Tr, "tr"),
            (AddressType::ShWpkh, "sh-wpkh"),
            (AddressType::Pkh, "pkh"),
        ] {
            let descriptors = Descriptors::of_account(&secret, kind, 7, &network()).unwrap();
            assert_eq!(descriptors.kind(), name);
            assert!(descriptors.combined.contains(&format!("/{}'/1'/7']tpub", kind.purpose())));
        }
    }

    #[test]
    fn what_is_no_descriptor_for_a_wallet_is_refused() {
        let refuse =
            |text: &str| Descriptors::parse(text, &network()).map(|(it, _)| it.combined).unwrap_err().to_string();
        assert!(refuse("wpkh(").contains("cannot be read"));
        assert!(refuse(&format!("wpkh({MASTER}/0/<0;1;2>/*)")).contains("got 3"));
        assert!(refuse(&format!("wpkh({MASTER}/0/0)")).contains("ends in /*"));
        assert!(refuse(&format!("wpkh({MASTER}/0/*)#aaaaaaaa")).contains("checksum is wrong"));
        let main = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8";
        assert!(refuse(&format!("wpkh({main}/0/*)")).contains("for main, and this wallet is of regtest"));
    }
}
