//! The coins that blocks change between two flushes.

mod generation;
mod hasher;

use std::sync::Arc;

use bitcoin::OutPoint;

use super::{Coin, CoinsError, CoinsView, CoinsViewMut};

pub(crate) use generation::{Change, Generation};
pub(crate) use hasher::CoinHasher;
pub use hasher::CoinSalt;

/// A write-back cache over the stored coins (Core: `CCoinsViewCache` over `CCoinsViewDB`, `coins.h`, `txdb.h`).
///
/// All traffic between two flushes stays in the active generation. A flush freezes it, and a new one fills while the
/// frozen one is merged into the store. A look-up asks the active generation, then the frozen one, then the store.
///
/// A coin the active generation added is *fresh* when neither the frozen generation nor the store has it: spent, it leaves
/// nothing behind. Every other spend leaves a mark, so that the coin below stays hidden. The frozen generation remains after
/// its merge, as a cache of what was changed last, until the next one takes its place.
#[derive(Debug)]
pub struct CoinsCache<V> {
    active: Generation,
    frozen: Option<Arc<Generation>>,
    /// Coins below that somebody expects to be spent soon.
    remembered: Generation,
    store: V,
    hasher: CoinHasher,
}

impl<V: CoinsView> CoinsCache<V> {
    /// An empty cache over `store`, whose salt spreads the entries.
    pub fn new(store: V, salt: CoinSalt) -> Self {
        Self {
            active: Generation::default(),
            frozen: None,
            remembered: Generation::default(),
            store,
            hasher: CoinHasher::new(salt),
        }
    }

    /// Memory of both generations, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.active_memory() + self.frozen.as_ref().map_or(0, |frozen| frozen.memory()) + self.remembered.memory()
    }

    /// Memory of coins that are remembered, in bytes.
    #[must_use]
    pub fn remembered_memory(&self) -> usize {
        self.remembered.memory()
    }

    /// Remembers an unspent coin, which is what a look-up of `outpoint` would give now, so that the next one need not go to the
    /// store. Whoever remembers a coin that is gone has made money (Core: `CCoinsViewCache` after `AccessCoin`).
    pub fn remember(&mut self, outpoint: OutPoint, coin: Coin) {
        let hash = self.hasher.hash(&outpoint);
        if self.active.get(hash, &outpoint).is_none() {
            // Fresh, so that it leaves nothing behind when it goes.
            self.remembered.add(&self.hasher, outpoint, coin, true);
        }
    }

    /// Forgets all coins that were remembered.
    pub fn forget(&mut self) {
        self.remembered = Generation::default();
    }

    /// A coin that changes is not what was remembered any more.
    fn forget_one(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        // While a chain is loaded nothing is remembered, and hashing costs something.
        if self.remembered.len() == 0 {
            return None;
        }
        self.remembered.spend(self.hasher.hash(outpoint), outpoint).flatten()
    }

    /// Memory of what a flush would write, in bytes.
    #[must_use]
    pub fn active_memory(&self) -> usize {
        self.active.memory()
    }

    /// Number of coins that were added or spent since the last freeze.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.active.len()
    }

    /// What the cache stands on.
    #[must_use]
    pub fn store(&self) -> &V {
        &self.store
    }

    /// Ends the active generation and begins a new one. The frozen one replaces the one before, which must have been merged
    /// into the store.
    pub(crate) fn freeze(&mut self) -> Arc<Generation> {
        let frozen = Arc::new(std::mem::take(&mut self.active));
        self.frozen = Some(Arc::clone(&frozen));
        frozen
    }

    /// Puts a generation that was frozen but not merged before a crash in its place.
    pub(crate) fn restore_frozen(&mut self, generation: Arc<Generation>) {
        self.frozen = Some(generation);
    }

    /// The coin in the frozen generation or in the store.
    fn below(&self, hash: u64, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        if let Some(Some(coin)) = self.remembered.get(hash, outpoint) {
            return Ok(Some(coin.clone()));
        }
        match self.frozen.as_ref().and_then(|frozen| frozen.get(hash, outpoint)) {
            Some(change) => Ok(change.cloned()),
            None => self.store.coin(outpoint),
        }
    }
}

impl<V: CoinsView> CoinsView for CoinsCache<V> {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        let hash = self.hasher.hash(outpoint);
        match self.active.get(hash, outpoint) {
            Some(change) => Ok(change.cloned()),
            None => self.below(hash, outpoint),
        }
    }
}

impl<V: CoinsView> CoinsViewMut for CoinsCache<V> {
    fn add(&mut self, outpoint: OutPoint, coin: Coin) {
        self.forget_one(&outpoint);
        self.active.add(&self.hasher, outpoint, coin, true);
    }

    fn overwrite(&mut self, outpoint: OutPoint, coin: Coin) {
        self.forget_one(&outpoint);
        self.active.add(&self.hasher, outpoint, coin, false);
    }

    fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        let hash = self.hasher.hash(outpoint);
        if let Some(spent) = self.active.spend(hash, outpoint) {
            return Ok(spent);
        }
        let coin = match self.forget_one(outpoint) {
            Some(coin) => Some(coin),
            None => self.below(hash, outpoint)?,
        };
        if coin.is_some() {
            self.active.mark_spent(&self.hasher, *outpoint);
        }
        Ok(coin)
    }
}

#[cfg(test)]
mod tests;
