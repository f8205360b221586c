//! What blocks changed from one freeze to the next.

use bitcoin::OutPoint;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::CoinHasher;
use crate::coins::Coin;

/// One coin that was added, or spent.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) outpoint: OutPoint,
    /// The coin, or nothing where it was spent.
    pub(crate) coin: Option<Coin>,
    /// Nothing below has this coin.
    fresh: bool,
}

impl Change {
    /// A place whose coin was born and died here, to be used again.
    fn is_vacant(&self) -> bool {
        self.fresh && self.coin.is_none()
    }
}

/// Coins that were added or spent, by outpoint.
///
/// Changes stand in one dense array; the table that finds them holds nothing but places in it. So memory grows with the
/// number of changes and not by doubling, and rehashing moves four bytes a change.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    table: HashTable<u32>,
    changes: Vec<Change>,
    /// Places in `changes` that are vacant.
    vacant: Vec<u32>,
    /// Scripts too long to be held in place, in bytes.
    heap: usize,
}

impl Generation {
    /// Memory it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.changes.len() * size_of::<Change>() + self.vacant.len() * 4 + self.table.allocation_size() + self.heap
    }

    /// Number of changes.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// All changes, in no order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !change.is_vacant())
    }

    /// What is known of an outpoint: nothing; that its coin is spent; or its coin.
    pub(crate) fn get(&self, hash: u64, outpoint: &OutPoint) -> Option<Option<&Coin>> {
        let index = self.table.find(hash, |&index| self.changes[index as usize].outpoint == *outpoint)?;
        Some(self.changes[*index as usize].coin.as_ref())
    }

    /// Adds a coin. `fresh` says that nothing below has one, which a change that is here already overrules.
    pub(crate) fn add(&mut self, hasher: &CoinHasher, outpoint: OutPoint, coin: Coin, fresh: bool) {
        self.put(hasher, Change { outpoint, coin: Some(coin), fresh });
    }

    /// Notes that a coin below is spent.
    pub(crate) fn mark_spent(&mut self, hasher: &CoinHasher, outpoint: OutPoint) {
        self.put(hasher, Change { outpoint, coin: None, fresh: false });
    }

    fn put(&mut self, hasher: &CoinHasher, change: Change) {
        let Self { table, changes, vacant, heap } = self;
        *heap += heap_of(change.coin.as_ref());
        let entry = table.entry(
            hasher.hash(&change.outpoint),
            |&index| changes[index as usize].outpoint == change.outpoint,
            |&index| hasher.hash(&changes[index as usize].outpoint),
        );
        match entry {
            Entry::Occupied(place) => {
                let known = &mut changes[*place.get() as usize];
                *heap -= heap_of(known.coin.as_ref());
                known.coin = change.coin;
            }
            Entry::Vacant(place) => {
                let index = if let Some(index) = vacant.pop() {
                    changes[index as usize] = change;
                    index
                } else {
                    changes.push(change);
                    u32::try_from(changes.len() - 1).expect("memory ends before 2^32 changes")
                };
                place.insert(index);
            }
        }
    }

    /// Spends a coin that is here, and returns it; `Some(None)` when it is known to be spent, nothing when nothing is known.
    pub(crate) fn spend(&mut self, hash: u64, outpoint: &OutPoint) -> Option<Option<Coin>> {
        let Self { table, changes, vacant, heap } = self;
        let place = table.find_entry(hash, |&index| changes[index as usize].outpoint == *outpoint).ok()?;
        let index = *place.get();
        let change = &mut changes[index as usize];
        let coin = change.coin.take();
        *heap -= heap_of(coin.as_ref());
        if change.is_vacant() {
            place.remove();
            vacant.push(index);
        }
        Some(coin)
    }
}

/// Memory of a coin's script beyond the coin itself, in bytes.
fn heap_of(coin: Option<&Coin>) -> usize {
    coin.map_or(0, |coin| coin.script_pubkey.heap_bytes())
}
