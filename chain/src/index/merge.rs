//! When runs become one, and how.
//!
//! Runs have levels: each holds eight times the records of the one below. When eight runs of a level have come together, they
//! become one of the next level. So each record is written again once a level, and a search asks at most seven runs of each: with
//! a thousand million records that is six levels.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::sync::Arc;

use super::IndexError;
use super::record::Record;
use super::run::{Run, RunWriter};

/// Runs of one level that become one of the next.
const FAN_IN: usize = 8;
/// Runs with fewer records are on the lowest level.
const FIRST_LEVEL: u64 = 8 << 10;
/// Records that are merged until it is asked whether to go on.
const RECORDS_AT_ONCE: u32 = 1 << 16;

fn level(records: u64) -> u32 {
    (records / FIRST_LEVEL).checked_ilog2().map_or(0, |log2| 1 + log2 / FAN_IN.ilog2())
}

/// Where the runs start that should become one, which are all from there on; nothing while there are few. `sizes` are the numbers of
/// records of all runs, the oldest first.
pub(super) fn merge_from(sizes: &[u64]) -> Option<usize> {
    let levels: Vec<u32> = sizes.iter().map(|records| level(*records)).collect();
    // The highest level first, so that nothing is merged twice.
    (0..=levels.iter().copied().max()?).rev().find_map(|wanted| {
        let start = levels.iter().rposition(|level| *level > wanted).map_or(0, |index| index + 1);
        let count = levels[start..].iter().filter(|level| **level == wanted).count();
        (count >= FAN_IN).then_some(start)
    })
}

/// Runs that are to become one: work that may take long, which any thread may do while the index goes on.
#[derive(Debug)]
pub struct RunMerge {
    pub(super) directory: PathBuf,
    /// Number of the run they become.
    pub(super) number: u64,
    pub(super) inputs: Vec<Arc<Run>>,
}

/// A run that takes the place of others, once the index is [told](super::TransactionIndex::finish_merge).
#[derive(Debug)]
pub struct MergedRun {
    pub(super) run: Run,
    pub(super) inputs: Vec<Arc<Run>>,
}

impl RunMerge {
    /// How many transactions are in the runs.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.inputs.iter().map(|run| run.records()).sum()
    }

    /// Writes one run that holds what all of them hold. Memory is a few hundred KiB for each. Asks now and then whether to
    /// `go_on`; if not, nothing is left of it.
    ///
    /// # Errors
    ///
    /// When a run is damaged, or the disk is full or fails.
    pub fn run(self, mut go_on: impl FnMut() -> bool) -> Result<Option<MergedRun>, IndexError> {
        let mut writer = RunWriter::create(&self.directory, self.number, self.records())?;
        let mut readers: Vec<_> = self.inputs.iter().map(|run| run.reader()).collect();
        // The next record of each run.
        let mut heads: BinaryHeap<Reverse<(Record, usize)>> = BinaryHeap::with_capacity(readers.len());
        for (index, reader) in readers.iter_mut().enumerate() {
            heads.extend(reader.next()?.map(|record| Reverse((record, index))));
        }
        let mut last = None;
        let mut until_asking = RECORDS_AT_ONCE;
        while let Some(mut head) = heads.peek_mut() {
            let Reverse((record, index)) = *head;
            match readers[index].next()? {
                Some(next) => *head = Reverse((next, index)),
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
            // A block that was given to the index again left the same records in two runs.
            if last.replace(record) != Some(record) {
                writer.push(record)?;
            }
            until_asking -= 1;
            if until_asking == 0 {
                if !go_on() {
                    return Ok(None);
                }
                until_asking = RECORDS_AT_ONCE;
            }
        }
        Ok(Some(MergedRun { run: writer.finish()?, inputs: self.inputs }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_grow_eightfold() {
        for (records, expected) in
            [(1, 0), (8_191, 0), (8_192, 1), (65_535, 1), (65_536, 2), (524_287, 2), (524_288, 3), (u64::MAX, 17)]
        {
            assert_eq!(level(records), expected, "{records}");
        }
    }

    #[test]
    fn eight_of_a_level_become_one() {
        let (small, middle, large) = (5, 10_000, 100_000);
        assert_eq!(merge_from(&[]), None);
        assert_eq!(merge_from(&[small; 7]), None);
        assert_eq!(merge_from(&[small; 8]), Some(0));
        assert_eq!(merge_from(&[small; 100]), Some(0));
        assert_eq!(merge_from(&[large, middle, small, small]), None);
        assert_eq!(merge_from(&[&[large, middle][..], &[small; 8]].concat()), Some(2));
        // What is smaller goes along, since it is newer.
        assert_eq!(merge_from(&[&[large][..], &[middle; 8], &[small; 3]].concat()), Some(1));
        assert_eq!(merge_from(&[&[middle; 8][..], &[large], &[small; 3]].concat()), None);
    }

    /// However runs come, there are few of them, and each record is written few times.
    #[test]
    fn there_are_always_few_runs() {
        let (mut sizes, mut written, mut total, mut most) = (Vec::<u64>::new(), 0, 0, 0);
        for number in 0..20_000u64 {
            let records = if number % 3 == 0 { 65_536 } else { 1 + number * 7_919 % 60_000 };
            sizes.push(records);
            total += records;
            while let Some(start) = merge_from(&sizes) {
                let merged = sizes.drain(start..).sum();
                written += merged;
                sizes.push(merged);
            }
            most = most.max(sizes.len());
        }
        assert!(most <= 7 * 7, "{most}");
        assert!(written <= 7 * total, "{written} of {total}");
    }
}
