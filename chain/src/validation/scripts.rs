//! All scripts of a block, on all threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::Amount;
use rayon::prelude::*;

use super::{BlockError, InputsCheckedBlock, ValidationCache};
use crate::coins::Coin;
use crate::primitives::{Block, TransactionRef};
use crate::script::{CachePolicy, PrecomputedTransactionData, TransactionSignatureChecker, verify_input};

/// Inputs that are handed to a thread together: enough that handing over costs nothing, few enough that no thread waits
/// long for the last.
const INPUTS_PER_CHUNK: usize = 32;
/// Inputs of one transaction that are handed over together. Each chunk hashes its transactions anew, so only the largest
/// transactions are divided.
const INPUTS_OF_ONE_TRANSACTION: usize = 1024;

/// A block that obeys every rule and whose changes to the set of coins are known.
#[derive(Debug)]
pub struct ConnectableBlock(Arc<InputsCheckedBlock>);

impl ConnectableBlock {
    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.0.block
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.0.height
    }

    /// The coins it spends, in the order of its inputs, the coinbase's left out: what undoing it needs.
    #[must_use]
    pub fn spent(&self) -> &[Coin] {
        &self.0.spent
    }

    /// The fees of all transactions together.
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.0.fees
    }
}

/// The script checks of one block, cut into chunks that threads run in any order (Core: `CScriptCheck`, `CCheckQueue`).
///
/// Nothing here knows of threads: whoever shares this calls [`run`](Self::run) once for each chunk, from wherever it likes, and
/// the call that finishes the last chunk says so.
#[derive(Debug)]
pub struct ScriptChecks {
    block: Arc<InputsCheckedBlock>,
    chunks: Vec<Chunk>,
    unfinished: AtomicUsize,
    /// Chunks behind this one need not run: a failure before them is known.
    first_failure: AtomicUsize,
    failure: Mutex<Option<Failure>>,
    cache_policy: CachePolicy,
}

/// A chunk's number, and what the first input that failed in it broke.
type Failure = (usize, BlockError);

/// A run of inputs that goes from one transaction to another.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    transaction: usize,
    /// Index among the inputs of `transaction`.
    input: usize,
    /// Index among the coins the block spends: that of the first input of `transaction`.
    spent: usize,
    inputs: usize,
}

impl ScriptChecks {
    /// All checks of a block.
    #[must_use]
    pub fn new(block: InputsCheckedBlock) -> Self {
        let mut chunks: Vec<Chunk> = Vec::with_capacity(block.spent.len().div_ceil(INPUTS_PER_CHUNK));
        let (mut room, mut spent) = (0usize, 0);
        for (transaction, tx) in block.block.transactions().enumerate().skip(1) {
            for input in (0..tx.input_count()).step_by(INPUTS_OF_ONE_TRANSACTION) {
                let inputs = INPUTS_OF_ONE_TRANSACTION.min(tx.input_count() - input);
                match chunks.last_mut().filter(|_| input == 0 && room > 0) {
                    Some(chunk) => chunk.inputs += inputs,
                    None => {
                        chunks.push(Chunk { transaction, input, spent, inputs });
                        room = INPUTS_PER_CHUNK;
                    }
                }
                room = room.saturating_sub(inputs);
            }
            spent += tx.input_count();
        }
        Self {
            unfinished: AtomicUsize::new(chunks.len()),
            first_failure: AtomicUsize::new(usize::MAX),
            failure: Mutex::new(None),
            cache_policy: CachePolicy::Consume,
            block: Arc::new(block),
            chunks,
        }
    }

    /// The same for a block that is only looked at, and comes again when it is mined: what was found good stays remembered
    /// (Core: `fJustCheck` of `ConnectBlock`, `validation.cpp`).
    #[must_use]
    pub(super) fn just_checking(block: InputsCheckedBlock) -> Self {
        Self { cache_policy: CachePolicy::Store, ..Self::new(block) }
    }

    /// A block whose scripts are taken as valid without running them: for blocks below the one the network is known to have
    /// accepted (Core: `-assumevalid`).
    #[must_use]
    pub fn assume_valid(block: InputsCheckedBlock) -> Self {
        Self {
            block: Arc::new(block),
            chunks: Vec::new(),
            unfinished: AtomicUsize::new(0),
            first_failure: AtomicUsize::new(usize::MAX),
            failure: Mutex::new(None),
            cache_policy: CachePolicy::Consume,
        }
    }

    /// Number of chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The block.
    #[must_use]
    pub fn block(&self) -> &InputsCheckedBlock {
        &self.block
    }

    /// Number of chunks that are not finished.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Acquire)
    }

    /// Whether every chunk was run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.unfinished() == 0
    }

    /// Makes the chunks that were not run yet return at once: nobody wants to know any more.
    pub fn cancel(&self) {
        self.first_failure.store(0, Ordering::Relaxed);
    }

    /// Verifies the scripts of one chunk. True when it was the last one to finish. Each chunk must be run exactly once.
    ///
    /// # Panics
    ///
    /// When there is no such chunk.
    pub fn run(&self, chunk: usize, cache: Option<&ValidationCache>) -> bool {
        if chunk < self.first_failure.load(Ordering::Relaxed)
            && let Err(error) = self.verify(self.chunks[chunk], cache)
        {
            self.first_failure.fetch_min(chunk, Ordering::Relaxed);
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            if failure.as_ref().is_none_or(|(first, _)| chunk < *first) {
                *failure = Some((chunk, error));
            }
        }
        self.unfinished.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn verify(&self, chunk: Chunk, cache: Option<&ValidationCache>) -> Result<(), BlockError> {
        let Chunk { transaction, mut input, mut spent, mut inputs } = chunk;
        for index in transaction.. {
            let Some(tx) = self.block.block.transaction(index).filter(|_| inputs > 0) else { break };
            let count = tx.input_count();
            let end = count.min(input + inputs);
            // The block is the last that asks: what the mempool stored can go, unless another chunk has a part of it.
            let is_last = input == 0 && end == count && self.cache_policy == CachePolicy::Consume;
            let passed = cache.is_some_and(|cache| cache.scripts.contains(&tx.wtxid(), self.block.flags, is_last));
            if !passed {
                self.verify_inputs(tx, input..end, &self.block.spent[spent..spent + count], cache)?;
            }
            inputs -= end - input;
            input = 0;
            spent += count;
        }
        Ok(())
    }

    fn verify_inputs(
        &self,
        tx: TransactionRef<'_>,
        inputs: Range<usize>,
        spent: &[Coin],
        cache: Option<&ValidationCache>,
    ) -> Result<(), BlockError> {
        let data = PrecomputedTransactionData::new(tx, spent);
        for index in inputs {
            let mut checker = TransactionSignatureChecker::new(&data, index);
            if let Some(cache) = cache {
                checker = checker.with_cache(&cache.signatures, self.cache_policy);
            }
            verify_input(&mut checker, self.block.flags).map_err(|source| BlockError::Script {
                txid: tx.txid(),
                input: index,
                source,
            })?;
        }
        Ok(())
    }

    /// What the checks found.
    ///
    /// # Errors
    ///
    /// The failure of the first input, in the order of the block, whose script fails: always the same, where Core reports
    /// the one that a thread happens to find first.
    ///
    /// # Panics
    ///
    /// When some chunk was not run, or the checks were cancelled: a block that was not verified must not be connected.
    pub fn finish(&self) -> Result<ConnectableBlock, BlockError> {
        assert!(self.is_finished(), "every chunk is run before the block is judged");
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error.clone()),
            None => {
                let first_failure = self.first_failure.load(Ordering::Relaxed);
                assert_eq!(first_failure, usize::MAX, "checks that were cancelled prove nothing");
                Ok(ConnectableBlock(Arc::clone(&self.block)))
            }
        }
    }
}

/// Verifies every script of a block on rayon's threads (Core: `CheckInputScripts`).
///
/// # Errors
///
/// The failure of the first input, in the order of the block, whose script fails.
pub fn check_scripts(
    block: InputsCheckedBlock,
    cache: Option<&ValidationCache>,
) -> Result<ConnectableBlock, BlockError> {
    run_all(&ScriptChecks::new(block), cache)
}

/// Runs every check on rayon's threads.
pub(super) fn run_all(checks: &ScriptChecks, cache: Option<&ValidationCache>) -> Result<ConnectableBlock, BlockError> {
    (0..checks.chunks()).into_par_iter().for_each(|chunk| {
        checks.run(chunk, cache);
    });
    checks.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coins::CoinScript;
    use crate::script::{ScriptError, ScriptVerifyFlags};
    use bitcoin::Script;

    /// A block of a coinbase and as many transactions as there are scripts, each of which spends one.
    fn block_spending(scripts: &[&[u8]]) -> InputsCheckedBlock {
        let transaction = |prevout: u8| {
            let mut bytes = vec![2, 0, 0, 0, 1];
            bytes.extend([prevout; 36]);
            bytes.extend([0; 5]); // empty script, sequence
            bytes.push(1);
            bytes.extend([0; 9 + 4]); // output of nothing, lock time
            bytes
        };
        let count = u8::try_from(scripts.len() + 1).unwrap();
        let mut bytes = vec![0; 80];
        bytes.push(count);
        bytes.extend((0..count).flat_map(transaction));
        let coin = |script: &&[u8]| Coin {
            amount: Amount::ZERO,
            script_pubkey: CoinScript::from(Script::from_bytes(script)),
            height: 0,
            is_coinbase: false,
        };
        InputsCheckedBlock {
            block: Arc::new(Block::decode(bytes).unwrap()),
            height: 1,
            flags: ScriptVerifyFlags::MANDATORY,
            spent: scripts.iter().map(coin).collect(),
            fees: Amount::from_sat(7),
        }
    }

    const OP_1: &[u8] = &[0x51];
    const OP_0: &[u8] = &[0x00];
    const OP_RETURN: &[u8] = &[0x6a];

    #[test]
    fn a_block_whose_scripts_succeed_can_be_connected() {
        let block = check_scripts(block_spending(&[OP_1; 100]), None).unwrap();
        assert_eq!((block.height(), block.fees().to_sat(), block.spent().len()), (1, 7, 100));
    }

    #[test]
    fn the_first_failure_is_reported_whichever_thread_finds_one() {
        let mut scripts = [OP_1; 100];
        scripts[60..].fill(OP_RETURN);
        scripts[59] = OP_0;
        for _ in 0..50 {
            let block = block_spending(&scripts);
            let expected = block.block().transaction(60).unwrap().txid();
            let error = check_scripts(block, None).unwrap_err();
            assert!(
                matches!(error, BlockError::Script { txid, input: 0, source: ScriptError::EvalFalse } if txid == expected),
                "{error}"
            );
        }
    }
}
