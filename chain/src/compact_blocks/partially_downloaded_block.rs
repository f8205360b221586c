//! From a compact block, the pool and what is missing to the block.

use std::collections::HashMap;
use std::sync::Arc;

use bitcoin::Wtxid;
use bitcoin::block::Header;

use super::{CompactBlock, PrefilledTransaction, ReconstructionError, ShortId, ShortIdKey};
use crate::primitives::{Block, HEADER_SIZE, Transaction, TransactionRef, header_bytes};
use crate::serialize::{append_compact_size, compact_size};
use crate::validation::{BlockError, MAX_BLOCK_WEIGHT, check_not_mutated};

/// A block of which some transactions are here and some are missing (Core: `PartiallyDownloadedBlock`, `blockencodings.h`).
#[derive(Debug, Clone)]
pub struct PartiallyDownloadedBlock {
    header: Header,
    key: ShortIdKey,
    /// One for each transaction of the block.
    places: Vec<Place>,
    sources: TransactionSources,
}

/// What is known of a transaction of the block.
#[derive(Debug, Clone)]
enum Place {
    /// The compact block carries it.
    Prefilled(Vec<u8>),
    /// It is most likely this one.
    Candidate(Arc<Transaction>),
    /// None that we have is it.
    Missing(ShortId),
    /// More than one that we have may be it, so it is as good as missing.
    Ambiguous(ShortId),
}

/// Where the transactions of a block came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionSources {
    /// Out of the compact block.
    pub prefilled: TransactionTotal,
    /// From those that were here: the pool, and whatever else was looked through.
    pub pool: TransactionTotal,
    /// Asked for, because they were missing.
    pub requested: TransactionTotal,
}

/// Transactions, and how large they are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionTotal {
    /// How many.
    pub count: usize,
    /// Their size, in bytes, witnesses included.
    pub bytes: usize,
}

impl TransactionTotal {
    fn add(&mut self, bytes: &[u8]) {
        self.count += 1;
        self.bytes += bytes.len();
    }

    fn remove(&mut self, bytes: &[u8]) {
        self.count -= 1;
        self.bytes -= bytes.len();
    }
}

impl PartiallyDownloadedBlock {
    /// Looks for the transactions of a compact block among `candidates`: those of the pool, and others that may be of use. A
    /// candidate may come twice. Once every place has one, no more are looked at (Core: `InitData`, `blockencodings.cpp`).
    ///
    /// Memory is at most twelve bytes for each byte of the compact block, whatever it says.
    ///
    /// Two different candidates for one place are none: asking for the right one costs less than putting the wrong one in.
    ///
    /// # Errors
    ///
    /// [`ReconstructionError::ShortIdCollision`] when the block itself has two transactions of one id. Core gives up as well
    /// when more than twelve ids share a bucket of its hash table, whose hash an attacker knows; ours has a random key.
    pub fn start<'a>(
        compact: CompactBlock,
        candidates: impl IntoIterator<Item = (Wtxid, &'a Arc<Transaction>)>,
    ) -> Result<Self, ReconstructionError> {
        let CompactBlock { header, nonce, short_ids, prefilled, .. } = compact;
        let key = ShortIdKey::new(&header, nonce);
        let mut sources = TransactionSources::default();
        let mut places = places(&short_ids, prefilled, &mut sources);

        let mut wanted = HashMap::with_capacity(short_ids.len());
        for (index, place) in places.iter().enumerate() {
            if let Place::Missing(id) = place
                && wanted.insert(*id, index).is_some()
            {
                return Err(ReconstructionError::ShortIdCollision);
            }
        }

        let pool = &mut sources.pool;
        let mut candidates = candidates.into_iter();
        while pool.count < wanted.len()
            && let Some((wtxid, transaction)) = candidates.next()
        {
            let id = key.short_id(&wtxid);
            let Some(&index) = wanted.get(&id) else { continue };
            let place = &mut places[index];
            match place {
                Place::Missing(_) => {
                    pool.add(transaction.as_ref().as_ref().bytes());
                    *place = Place::Candidate(Arc::clone(transaction));
                }
                Place::Candidate(other) if other.as_ref().as_ref().wtxid() != wtxid => {
                    pool.remove(other.as_ref().as_ref().bytes());
                    *place = Place::Ambiguous(id);
                }
                // The same once more, or one more of several.
                Place::Candidate(_) | Place::Ambiguous(_) | Place::Prefilled(_) => {}
            }
        }
        Ok(Self { header, key, places, sources })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where the transactions that are here came from; nothing was requested yet.
    #[must_use]
    pub fn sources(&self) -> TransactionSources {
        self.sources
    }

    /// The places of the missing transactions in the block, from 0, ascending: what to ask the peer for.
    #[must_use]
    pub fn missing(&self) -> Vec<u16> {
        self.places_missing().map(|(index, _)| index).collect()
    }

    /// Puts the block together with the transactions that were missing, in the order of [`missing`](Self::missing), and says
    /// where all of them came from (Core: `FillBlock`, `blockencodings.cpp`). `segwit_active` says whether BIP141 holds at the
    /// block's height.
    ///
    /// The block has the transactions that its header commits to, with the witnesses that its coinbase commits to. No other
    /// rule was checked.
    ///
    /// # Errors
    ///
    /// When they do not make the block that the header commits to, see [`ReconstructionError`]. Nothing is put together that is
    /// larger than a block may be.
    pub fn fill(
        self,
        missing: &[Vec<u8>],
        segwit_active: bool,
    ) -> Result<(Block, TransactionSources), ReconstructionError> {
        let expected = self.places_missing().count();
        if missing.len() != expected {
            return Err(ReconstructionError::WrongCount { got: missing.len(), expected });
        }
        let mut sources = self.sources;
        for bytes in missing {
            sources.requested.add(bytes);
        }
        let mutated = |error| match sources.pool.count {
            0 => ReconstructionError::Mutated(error),
            _ => ReconstructionError::PossibleCollision(error),
        };

        let (_, count_size) = compact_size(self.places.len());
        let transactions = sources.prefilled.bytes + sources.pool.bytes + sources.requested.bytes;
        let size = HEADER_SIZE + count_size + transactions;
        // A byte has a weight of one or four. Short ids may name any transactions of the pool, and all of them.
        if size > MAX_BLOCK_WEIGHT {
            return Err(mutated(BlockError::BadWeight { got: size }));
        }
        let block = Block::decode(self.assemble(missing, size))?;
        for (index, id) in self.places_missing() {
            let wtxid = block.transaction(usize::from(index)).map(TransactionRef::wtxid);
            if wtxid.is_none_or(|wtxid| self.key.short_id(&wtxid) != id) {
                return Err(ReconstructionError::WrongTransaction { index });
            }
        }
        check_not_mutated(&block, segwit_active).map_err(mutated)?;
        Ok((block, sources))
    }

    /// The serialized block of `size` bytes.
    fn assemble(&self, missing: &[Vec<u8>], size: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(header_bytes(&self.header));
        append_compact_size(&mut bytes, self.places.len());
        let mut missing = missing.iter();
        for place in &self.places {
            match place {
                Place::Prefilled(transaction) => bytes.extend(transaction),
                Place::Candidate(transaction) => bytes.extend(transaction.as_ref().as_ref().bytes()),
                Place::Missing(_) | Place::Ambiguous(_) => {
                    bytes.extend(missing.next().expect("as many as there are missing"));
                }
            }
        }
        bytes
    }

    fn places_missing(&self) -> impl Iterator<Item = (u16, ShortId)> {
        // In this order, so that the last index is not counted beyond.
        self.places.iter().zip(0u16..).filter_map(|(place, index)| match place {
            Place::Missing(id) | Place::Ambiguous(id) => Some((index, *id)),
            Place::Prefilled(_) | Place::Candidate(_) => None,
        })
    }
}

/// The transactions that are carried at their places, and ids in the places between.
fn places(short_ids: &[ShortId], prefilled: Vec<PrefilledTransaction>, sources: &mut TransactionSources) -> Vec<Place> {
    let mut places = Vec::with_capacity(short_ids.len() + prefilled.len());
    let mut ids = short_ids.iter().copied().map(Place::Missing);
    for PrefilledTransaction { index, bytes } in prefilled {
        let before = usize::from(index) - places.len();
        places.extend(ids.by_ref().take(before));
        sources.prefilled.add(&bytes);
        places.push(Place::Prefilled(bytes));
    }
    places.extend(ids);
    places
}
