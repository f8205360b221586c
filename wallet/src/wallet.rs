//! A wallet: descriptors, what they received and spent, and where that lies.
//!
//! | file | holds |
//! |---|---|
//! | `coins` | what there is to spend |
//! | `folder` | the wallets of a data directory, by name |
//! | `history` | what was received and sent |

mod coins;
mod folder;
mod history;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bdk_wallet::{AddressInfo, KeychainKind, PersistedWallet};
use bitcoin::Transaction;
use bitcoin::bip32::Fingerprint;

pub use coins::Coin;
pub use folder::WalletFolder;
pub use history::{Entry, Status};

use crate::account::Descriptors;
use crate::error::WalletError;
use crate::network::Network;
use crate::secret::{Passphrase, Sealed, Secret};
use crate::store::{Labelled, Record, Store, StoreError};

/// Addresses in a row without a payment after which no more are looked for (BIP44).
pub const GAP_LIMIT: u32 = 20;

/// An open wallet. Its file is locked until it is dropped.
#[derive(Debug)]
pub struct Wallet {
    pub(crate) bdk: PersistedWallet<Store>,
    pub(crate) store: Store,
    pub(crate) record: Record,
    pub(crate) network: Network,
}

/// What a new wallet is made of.
#[derive(Debug)]
pub struct NewWallet<'a> {
    /// Its descriptors.
    pub descriptors: &'a Descriptors,
    /// What signs for it; a wallet without only watches.
    pub secret: Option<&'a Secret>,
    /// What the secret is sealed with.
    pub passphrase: &'a Passphrase,
    /// Height of the first block that may concern it.
    pub birthday: u32,
    /// Addresses in a row without a payment after which no more are looked for.
    pub gap_limit: u32,
}

impl Wallet {
    /// Creates a wallet's file, whole or not at all, and opens it.
    ///
    /// # Errors
    ///
    /// When there is one already, or it cannot be written.
    pub fn create(path: &Path, network: &Network, new: &NewWallet<'_>) -> Result<Self, WalletError> {
        let fingerprints = match new.secret {
            Some(secret) => secret.roots(network)?.fingerprints(),
            None => Vec::new(),
        };
        let record = Record {
            network: network.name.clone(),
            genesis: network.genesis,
            descriptor: new.descriptors.combined.clone(),
            birthday: new.birthday,
            gap_limit: new.gap_limit,
            fingerprints,
        };
        let sealed = new.secret.map(|secret| Sealed::seal(secret, new.passphrase)).transpose()?;
        let secret = sealed.as_ref().map(|sealed| (sealed, !new.passphrase.is_empty()));
        Store::create(path, &record, secret, |store| {
            let external = new.descriptors.external.clone();
            let params = match new.descriptors.internal.clone() {
                Some(internal) => bdk_wallet::Wallet::create(external, internal),
                None => bdk_wallet::Wallet::create_single(external),
            };
            params
                .network(network.addresses)
                .genesis_hash(network.genesis)
                .lookahead(new.gap_limit)
                .use_spk_cache(true)
                .create_wallet(store)
                .map_err(|error| WalletError::Descriptors(error.to_string()))?;
            Ok::<_, WalletError>(())
        })?;
        Self::open(path, network)
    }

    /// Opens a wallet's file.
    ///
    /// # Errors
    ///
    /// When there is none, it is damaged, in use, or another network's.
    pub fn open(path: &Path, network: &Network) -> Result<Self, WalletError> {
        let mut store = Store::open(path)?;
        let record = store.record()?;
        if record.genesis != network.genesis || record.network != network.name {
            return Err(WalletError::OtherNetwork { theirs: record.network, ours: network.name.clone() });
        }
        let damaged = |problem: String| StoreError::Damaged { path: path.to_owned(), problem };
        let bdk = bdk_wallet::Wallet::load()
            .check_network(network.addresses)
            .check_genesis_hash(network.genesis)
            .lookahead(record.gap_limit)
            // Deriving ten thousand keys takes longer than everything else.
            .use_spk_cache(true)
            .load_wallet(&mut store)
            .map_err(|error| damaged(error.to_string()))?
            .ok_or_else(|| damaged("there are no descriptors".to_owned()))?;
        Ok(Self { bdk, store, record, network: network.clone() })
    }

    /// The network it belongs to.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What it is, and stays.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Its file.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Writes what has changed.
    pub(crate) fn persist(&mut self) -> Result<(), WalletError> {
        // What is staged stays staged unless it could be written.
        self.bdk.persist(&mut self.store)?;
        Ok(())
    }

    /// An address that was never shown, noted before it is returned.
    ///
    /// # Errors
    ///
    /// When the file cannot be written: then the address must not be shown either.
    pub fn receive(&mut self, label: Option<&str>) -> Result<AddressInfo, WalletError> {
        let address = self.bdk.reveal_next_address(KeychainKind::External);
        self.persist()?;
        if let Some(label) = label {
            self.store.set_label(Labelled::Address, &address.address.to_string(), label)?;
        }
        Ok(address)
    }

    /// Notes something about an address or a transaction.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn set_label(&mut self, labelled: Labelled, reference: &str, text: &str) -> Result<(), WalletError> {
        Ok(self.store.set_label(labelled, reference, text)?)
    }

    /// Notes a transaction that a node has taken, so that its coins are not spent again before the next sync.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; the next sync finds the transaction in the mempool.
    pub fn note_sent(&mut self, transaction: Transaction) -> Result<(), WalletError> {
        self.bdk.apply_unconfirmed_txs([(transaction, unix_time())]);
        self.persist()
    }

    /// How many addresses were shown since the last that was paid to. Beyond the gap limit, payments to them are not found by a
    /// wallet that is restored from its words.
    #[must_use]
    pub fn unpaid_addresses(&self) -> u32 {
        let shown = self.bdk.derivation_index(KeychainKind::External).map_or(0, |index| index + 1);
        let index = self.bdk.spk_index();
        let paid = index.last_used_index(KeychainKind::External).map_or(0, |index| index + 1);
        shown.saturating_sub(paid)
    }

    /// Height and hash of the newest block it knows.
    #[must_use]
    pub fn tip(&self) -> (u32, bitcoin::BlockHash) {
        let tip = self.bdk.latest_checkpoint();
        (tip.height(), tip.hash())
    }

    /// Whether it can sign; otherwise it only watches.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        !self.record.fingerprints.is_empty()
    }

    /// The master keys it signs with.
    pub(crate) fn fingerprints(&self) -> &[Fingerprint] {
        &self.record.fingerprints
    }

    /// Whether a passphrase has to be typed before it signs.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn has_passphrase(&self) -> Result<bool, WalletError> {
        Ok(self.store.secret()?.is_some_and(|(_, has_passphrase)| has_passphrase))
    }

    /// What it signs with, for one signature.
    ///
    /// # Errors
    ///
    /// When the wallet only watches, or the passphrase is wrong.
    pub fn unseal(&self, passphrase: &Passphrase) -> Result<Secret, WalletError> {
        let (sealed, _) = self.store.secret()?.ok_or(WalletError::WatchOnly)?;
        Ok(sealed.open(passphrase)?)
    }
}

/// The time in seconds since 1970.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
