//! Unspent outputs, and views of the set of them.

mod cache;
mod overlay;
mod statistics;
mod undo;

use std::collections::HashMap;
use std::sync::Arc;

use bitcoin::{Amount, OutPoint, Script};
use smallvec::SmallVec;
use thiserror::Error;

pub(crate) use cache::{Change, CoinHasher, Generation};
pub use cache::{CoinSalt, CoinsCache};
pub use overlay::CoinsOverlay;
pub use statistics::{
    CoinsHashType, CoinsStatistics, ScanProgress, StatisticsError, apply_coin_hash, bogo_size, remove_coin_hash,
};
pub use undo::{DisconnectOutcome, disconnect_block};
pub(crate) use undo::{created_coins, disconnect_transactions};

/// Bytes of script a [`Coin`] holds without an allocation: every output an address stands for fits (Core: `prevector<36, uint8_t>`,
/// `script/script.h`).
const INLINE_SCRIPT: usize = 36;

/// No block holds more outputs: each weighs at least 36 weight units (Core: `MAX_OUTPUTS_PER_BLOCK`, `coins.cpp`).
pub const MAX_OUTPUTS_PER_BLOCK: u32 = 4_000_000 / (4 * 9);

/// An output that was created and not spent yet (Core: `Coin`, `coins.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Value.
    pub amount: Amount,
    /// The script a spender must satisfy.
    pub script_pubkey: CoinScript,
    /// Height of the block that created it.
    pub height: u32,
    /// Whether a coinbase created it.
    pub is_coinbase: bool,
}

impl Coin {
    /// Memory it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.script_pubkey.heap_bytes()
    }
}

/// The script of a [`Coin`], held in place when it is short.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CoinScript(SmallVec<[u8; INLINE_SCRIPT]>);

impl CoinScript {
    /// The script's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Memory beyond the value itself, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.0.spilled() { self.0.capacity() } else { 0 }
    }

    /// The script.
    #[must_use]
    pub fn as_script(&self) -> &Script {
        Script::from_bytes(&self.0)
    }
}

impl From<&[u8]> for CoinScript {
    fn from(script: &[u8]) -> Self {
        Self(SmallVec::from_slice(script))
    }
}

impl From<&Script> for CoinScript {
    fn from(script: &Script) -> Self {
        Self(SmallVec::from_slice(script.as_bytes()))
    }
}

impl std::fmt::Debug for CoinScript {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_script().fmt(formatter)
    }
}

/// The set of coins could not be read: a fault of ours or of the disk, never of the block.
#[derive(Debug, Clone, Error)]
#[error("cannot read the coins: {0}")]
pub struct CoinsError(#[source] pub Arc<dyn std::error::Error + Send + Sync>);

/// A view of the set of coins after some block (Core: `CCoinsView`, `coins.h`).
pub trait CoinsView {
    /// The coin at `outpoint`, or nothing when it never existed or is spent.
    ///
    /// # Errors
    ///
    /// When the view could not be read.
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError>;

    /// Whether there is a coin at `outpoint`.
    ///
    /// # Errors
    ///
    /// When the view could not be read.
    fn have_coin(&self, outpoint: &OutPoint) -> Result<bool, CoinsError> {
        Ok(self.coin(outpoint)?.is_some())
    }
}

/// A view that blocks are applied to (Core: `AddCoin` and `SpendCoin` of `CCoinsViewCache`, `coins.h`).
pub trait CoinsViewMut: CoinsView {
    /// Adds a coin where the view has none.
    ///
    /// Nobody looks: the caller knows it, because no two transactions have the same hash (BIP30, BIP34). A coin that may be
    /// there goes through [`CoinsViewMut::overwrite`].
    fn add(&mut self, outpoint: OutPoint, coin: Coin);

    /// Adds a coin and replaces the one that may be there, which only the blocks excepted from BIP30 do.
    fn overwrite(&mut self, outpoint: OutPoint, coin: Coin);

    /// Removes a coin and returns it, or nothing when there is none.
    ///
    /// # Errors
    ///
    /// When the view could not be read.
    fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError>;
}

/// Coins in memory: small sets, and tests.
impl<S: std::hash::BuildHasher> CoinsView for HashMap<OutPoint, Coin, S> {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        Ok(self.get(outpoint).cloned())
    }
}

/// A whole set of coins that holds still: what statistics are taken of (Core: `CCoinsViewCursor`, `coins.h`).
pub trait CoinsScan {
    /// Visits every coin once, in no particular order; each call visits the same coins. Stops at the first error.
    ///
    /// # Errors
    ///
    /// When the set could not be read, or whatever `visit` returns.
    fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError>;
}

impl<V: CoinsView + ?Sized> CoinsView for &V {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        (**self).coin(outpoint)
    }
}

impl<V: CoinsView + ?Sized> CoinsView for Arc<V> {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        (**self).coin(outpoint)
    }
}
