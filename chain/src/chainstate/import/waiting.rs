//! Blocks that came before their parents.

use std::collections::HashMap;
use std::io;

use bitcoin::BlockHash;

use super::source::{Place, read_again};

/// Bytes of blocks that are held in memory because they cannot be read again.
const MAX_HELD_BYTES: usize = 256 << 20;

/// Blocks whose parent was not seen yet (Core: `blocks_with_unknown_parent` of `LoadExternalBlockFile`).
#[derive(Debug, Default)]
pub(super) struct WaitingBlocks {
    by_parent: HashMap<BlockHash, Vec<Held>>,
    held_bytes: usize,
    count: u64,
}

#[derive(Debug)]
enum Held {
    Bytes(Vec<u8>),
    File(Place),
}

impl WaitingBlocks {
    /// Keeps a block until its parent comes. False when there is no room for it.
    pub(super) fn insert(&mut self, parent: BlockHash, bytes: &[u8], place: Place) -> bool {
        let held = match place {
            Place::Stream if self.held_bytes + bytes.len() > MAX_HELD_BYTES => return false,
            Place::Stream => {
                self.held_bytes += bytes.len();
                Held::Bytes(bytes.to_vec())
            }
            place @ Place::File { .. } => Held::File(place),
        };
        self.by_parent.entry(parent).or_default().push(held);
        self.count += 1;
        true
    }

    /// The blocks on top of one that came now.
    pub(super) fn take(&mut self, parent: &BlockHash) -> io::Result<Vec<Vec<u8>>> {
        let Some(held) = self.by_parent.remove(parent) else { return Ok(Vec::new()) };
        self.count -= held.len() as u64;
        held.into_iter()
            .map(|held| match held {
                Held::Bytes(bytes) => {
                    self.held_bytes -= bytes.len();
                    Ok(bytes)
                }
                Held::File(Place::File { path, key, offset, length }) => read_again(&path, key, offset, length),
                Held::File(Place::Stream) => unreachable!("blocks of streams are held"),
            })
            .collect()
    }

    /// Number of blocks that wait.
    pub(super) fn len(&self) -> u64 {
        self.count
    }
}
