//! The set of coins in sled: pages of coins whose salted hashes share a prefix.
//!
//! One entry for each coin would cost sled a hundred times the coin in memory and time. So a value is a *page*: all coins whose
//! hash lies in a range, sorted by outpoint. A page that grows over [`MAX_PAGE_SIZE`] splits in two halves of its range.
//! The key of a page is the lowest hash of its range (8 bytes big-endian); its depth, how often the range of all hashes was
//! halved to get it, stands in its first bytes.
//!
//! Readers find pages by a *directory* of lowest hashes in memory. It may lag behind: a page that was split since says so by its
//! depth, and the reader goes on to the page behind it, as in a B-link tree. For that a split writes the upper half first. A
//! crash between the two leaves the page that was to be split beside what was made of its upper half, which is taken away
//! again: merging the same changes once more, which the journal makes sure of, makes it anew.

mod hold;
mod page;

use std::fs::File;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use bitcoin::OutPoint;

use super::{MAX_VALUE_SIZE, StoreError};
use crate::coins::{Change, Coin, CoinHasher, CoinSalt, CoinsError, CoinsScan, CoinsView, Generation};
use hold::Holds;
pub(crate) use hold::PagesHold;
use page::Page;

/// A page that grows over this many bytes splits.
const MAX_PAGE_SIZE: usize = 4 << 10;
/// About what a coin takes in a page, in bytes.
const TYPICAL_COIN_SIZE: usize = 64;
/// Pages read or written between two calls that let sled free what it replaced: its collector holds a great deal back.
const OPERATIONS_PER_COLLECTION: usize = 64;
/// Pages written between two syncs. sled uses a segment again as soon as all that was in it stands elsewhere, durable or not; so
/// what was written must be durable before another segment is full, or a power cut could take both copies of a page.
const PAGES_PER_SYNC: usize = 64;

/// The set of coins as of the last merge.
#[derive(Debug)]
pub struct CoinPages {
    tree: sled::Tree,
    hasher: CoinHasher,
    /// Lowest hash of each page, in order.
    directory: RwLock<Vec<u64>>,
    /// Pages read or written so far.
    operations: AtomicUsize,
    /// The file sled writes.
    file: File,
    /// Pages written so far.
    written: AtomicUsize,
    /// Who reads all pages.
    holds: Holds,
}

impl CoinPages {
    /// The pages in `tree`, whose depths were `depths` at the last flush.
    pub(crate) fn open(tree: sled::Tree, file: File, salt: CoinSalt, depths: &[u8]) -> Result<Self, StoreError> {
        let directory = directory_of(depths)?;
        let pages = Self {
            tree,
            hasher: CoinHasher::new(salt),
            directory: RwLock::new(directory),
            operations: AtomicUsize::new(0),
            file,
            written: AtomicUsize::new(0),
            holds: Holds::default(),
        };
        if depths == [0]
            && !pages.tree.contains_key(0u64.to_be_bytes()).map_err(StoreError::database("read coins from"))?
        {
            pages.write(0, &Page::empty(0))?;
        }
        Ok(pages)
    }

    /// The depth of every page in order: what [`CoinPages::open`] needs again.
    pub(crate) fn depths(&self) -> Vec<u8> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        let ends = directory.iter().skip(1).map(|&next| Some(next)).chain([None]);
        let depth = |start: u64, end: Option<u64>| {
            let size = end.map_or(start.wrapping_neg(), |end| end - start);
            // A range of all hashes has size 2^64, which wraps to zero.
            if size == 0 { 0 } else { size.leading_zeros() + 1 }
        };
        let depth_byte = |(start, end)| u8::try_from(depth(start, end)).expect("at most 64");
        directory.iter().copied().zip(ends).map(depth_byte).collect()
    }

    /// Reads the lowest hash of every page anew: after a merge that was cut short, which left pages the directory does not know.
    /// Pages within the range of another go: they are of a split whose last write is missing.
    pub(crate) fn rebuild_directory(&self) -> Result<(), StoreError> {
        let mut directory = Vec::new();
        let mut covered = None;
        for entry in self.tree.iter() {
            let (key, value) = entry.map_err(StoreError::database("read coins from"))?;
            let lowest = <[u8; 8]>::try_from(&key[..]).map_err(|_| StoreError::Damaged {
                what: "the set of coins",
                detail: format!("expected a key of 8 bytes, got {}", key.len()),
            })?;
            let lowest = u64::from_be_bytes(lowest);
            if covered.is_some_and(|highest| lowest <= highest) {
                self.tree.remove(key).map_err(StoreError::database("remove coins from"))?;
            } else {
                directory.push(lowest);
                covered = Some(Page::decode(value)?.highest(lowest));
            }
            self.collect_garbage();
        }
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = directory;
        Ok(())
    }

    /// Whether a merge would have to wait for somebody who holds the pages.
    pub(crate) fn are_held(&self) -> bool {
        self.holds.are_held()
    }

    /// Keeps the pages as they are until the hold is dropped. No merge may be running.
    pub(crate) fn hold(&self) -> PagesHold {
        self.holds.hold()
    }

    /// Visits every coin. Before each page `progress` is told how much of all is done, from 0 to 1, and may end the visit; the
    /// answer says whether it did. Nothing may be merged meanwhile, or coins may be missed: see [`CoinPages::hold`].
    pub(crate) fn visit(
        &self,
        visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>,
        progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CoinsError> {
        for entry in self.tree.iter() {
            let (key, value) = entry.map_err(StoreError::database("read coins from"))?;
            // Hashes are spread evenly, so where a page begins says how many coins stand before it.
            let start = key.first_chunk().map_or(0, |start| u32::from_be_bytes(*start));
            if progress(f64::from(start) / 4_294_967_296.0).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            Page::decode(value)?.for_each(|outpoint, coin| visit(&outpoint, &coin))?;
            self.collect_garbage();
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Merges a generation of changes, page by page in the order of their hashes. Doing so again changes nothing. Waits for
    /// everybody who holds the pages.
    pub(crate) fn merge(&self, generation: &Generation) -> Result<(), StoreError> {
        self.holds.wait_until_gone();
        let mut changes: Vec<(u64, &Change)> =
            generation.changes().map(|change| (self.hasher.hash(&change.outpoint), change)).collect();
        changes.sort_unstable_by_key(|(hash, _)| *hash);
        let mut split = Vec::new();
        let mut rest = &mut changes[..];
        while let Some((hash, _)) = rest.first() {
            let (lowest, page) = self.page_of(*hash)?;
            let highest = page.highest(lowest);
            let here = rest.partition_point(|(hash, _)| *hash <= highest);
            let (of_page, behind) = rest.split_at_mut(here);
            rest = behind;
            self.merge_page(lowest, page, of_page, &mut split)?;
        }
        if !split.is_empty() {
            let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
            directory.append(&mut split);
            directory.sort_unstable();
            directory.dedup();
        }
        Ok(())
    }

    /// Merges changes that are sorted by hash into the page they belong to, and writes it; `split` collects the lowest hashes of
    /// new pages.
    fn merge_page(
        &self,
        lowest: u64,
        page: Page,
        changes: &mut [(u64, &Change)],
        split: &mut Vec<u64>,
    ) -> Result<(), StoreError> {
        // What will be far too large is split before it is merged, so that no page is ever far too large.
        if changes.len() * TYPICAL_COIN_SIZE > MAX_PAGE_SIZE && page.can_halve() {
            let (lower, upper, middle) = page.split(lowest, &self.hasher)?;
            let (below, above) = changes.split_at_mut(changes.partition_point(|(hash, _)| *hash < middle));
            split.push(middle);
            self.merge_page(middle, upper, above, split)?;
            return self.merge_page(lowest, lower, below, split);
        }
        changes.sort_unstable_by_key(|(_, change)| change.outpoint);
        let merged = page.merged(changes.iter().map(|(_, change)| *change))?;
        self.write_split(lowest, merged, split)
    }

    /// Writes a page, in parts where it has grown too large; `split` collects the lowest hashes of the new ones.
    fn write_split(&self, lowest: u64, page: Page, split: &mut Vec<u64>) -> Result<(), StoreError> {
        if page.size() <= MAX_PAGE_SIZE || !page.can_split()? {
            return self.write(lowest, &page);
        }
        let (lower, upper, middle) = page.split(lowest, &self.hasher)?;
        split.push(middle);
        self.write_split(middle, upper, split)?;
        self.write_split(lowest, lower, split)
    }

    fn write(&self, lowest: u64, page: &Page) -> Result<(), StoreError> {
        let bytes = page.bytes();
        if bytes.len() > MAX_VALUE_SIZE {
            let detail = format!("expected at most {MAX_VALUE_SIZE} bytes, got {}", bytes.len());
            return Err(StoreError::Damaged { what: "a page of coins", detail });
        }
        self.tree.insert(lowest.to_be_bytes(), bytes).map_err(StoreError::database("write coins to"))?;
        self.collect_garbage();
        if self.written.fetch_add(1, Ordering::Relaxed) % PAGES_PER_SYNC == PAGES_PER_SYNC - 1 {
            let failed = |source| StoreError::Database { action: "sync", source: sled::Error::Io(source) };
            self.file.sync_data().map_err(failed)?;
        }
        Ok(())
    }

    fn collect_garbage(&self) {
        if self.operations.fetch_add(1, Ordering::Relaxed).is_multiple_of(OPERATIONS_PER_COLLECTION) {
            sled::pin().flush();
        }
    }

    /// The page a hash belongs to, and its lowest hash.
    fn page_of(&self, hash: u64) -> Result<(u64, Page), StoreError> {
        let mut lowest = {
            let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
            directory[directory.partition_point(|&lowest| lowest <= hash) - 1]
        };
        loop {
            let value = self.tree.get(lowest.to_be_bytes()).map_err(StoreError::database("read coins from"))?;
            let value = value.ok_or_else(|| StoreError::Damaged {
                what: "the set of coins",
                detail: format!("expected a page at {lowest:016x}, got none"),
            })?;
            self.collect_garbage();
            let page = Page::decode(value)?;
            let highest = page.highest(lowest);
            if hash <= highest {
                return Ok((lowest, page));
            }
            lowest = highest + 1;
        }
    }

    /// The coin at `outpoint`.
    pub(crate) fn get(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let (_, page) = self.page_of(self.hasher.hash(outpoint))?;
        page.find(outpoint)
    }
}

/// The lowest hashes of pages with these depths, in order; they must cover all hashes.
fn directory_of(depths: &[u8]) -> Result<Vec<u64>, StoreError> {
    let damaged = |detail: String| StoreError::Damaged { what: "the directory of coins", detail };
    let mut directory = Vec::with_capacity(depths.len());
    let mut next = 0u128;
    for &depth in depths {
        if depth > 64 {
            return Err(damaged(format!("expected a depth of at most 64, got {depth}")));
        }
        let lowest = u64::try_from(next).map_err(|_| damaged("pages beyond the last hash".to_owned()))?;
        directory.push(lowest);
        next += 1 << (64 - depth);
    }
    if next == 1 << 64 { Ok(directory) } else { Err(damaged(format!("pages end at {next:016x}"))) }
}

impl CoinsView for CoinPages {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        Ok(self.get(outpoint)?)
    }
}

impl CoinsScan for CoinPages {
    /// Nothing may be merged meanwhile, or coins may be missed: see `CoinPages::hold`.
    fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
        self.visit(visit, &mut |_| ControlFlow::Continue(())).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
