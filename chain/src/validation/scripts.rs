//! All scripts of a block, on all threads.

use std::sync::Arc;

use bitcoin::Amount;
use rayon::prelude::*;

use super::{BlockError, InputsCheckedBlock};
use crate::coins::Coin;
use crate::primitives::Block;
use crate::script::{
    CachePolicy, PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, SignatureCache,
    TransactionSignatureChecker, verify_script,
};

/// Inputs that are handed to a thread together: enough that handing over costs nothing, few enough that no thread waits
/// long for the last.
const INPUTS_PER_JOB: usize = 4;

/// A block that obeys every rule and whose changes to the set of coins are known.
#[derive(Debug)]
pub struct ConnectableBlock {
    block: Arc<Block>,
    height: u32,
    spent: Vec<Coin>,
    fees: Amount,
}

impl ConnectableBlock {
    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The coins it spends, in the order of its inputs, the coinbase's left out: what undoing it needs.
    #[must_use]
    pub fn spent(&self) -> &[Coin] {
        &self.spent
    }

    /// The fees of all transactions together.
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.fees
    }
}

/// Verifies every script of a block on rayon's threads (Core: `CheckInputScripts`, `CCheckQueue`).
///
/// # Errors
///
/// The failure of the first input, in the order of the block, whose script fails: always the same, where Core reports the
/// one that a thread happens to find first.
pub fn check_scripts(
    block: InputsCheckedBlock,
    cache: Option<&SignatureCache>,
) -> Result<ConnectableBlock, BlockError> {
    let transactions: Vec<_> =
        block.transactions_with_spent().map(|(tx, spent)| PrecomputedTransactionData::new(tx, spent)).collect();
    let inputs: Vec<(&PrecomputedTransactionData<'_>, usize)> = transactions
        .iter()
        .flat_map(|data| (0..data.transaction().input_count()).map(move |index| (data, index)))
        .collect();
    let failure = inputs.par_iter().with_min_len(INPUTS_PER_JOB).find_map_first(|&(data, input)| {
        let source = verify_input(data, input, block.flags, cache).err()?;
        Some(BlockError::Script { txid: data.transaction().txid(), input, source })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(assume_scripts_valid(block)),
    }
}

/// Takes the scripts of a block as valid without running them: for blocks below the one the network is known to have
/// accepted (Core: `-assumevalid`).
#[must_use]
pub fn assume_scripts_valid(block: InputsCheckedBlock) -> ConnectableBlock {
    let InputsCheckedBlock { block, height, spent, fees, .. } = block;
    ConnectableBlock { block, height, spent, fees }
}

fn verify_input(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    flags: ScriptVerifyFlags,
    cache: Option<&SignatureCache>,
) -> Result<(), ScriptError> {
    let input = data.transaction().input(index).expect("an index below the number of inputs");
    let mut checker = TransactionSignatureChecker::new(data, index);
    if let Some(cache) = cache {
        // The block is the last that asks: what the mempool stored can go.
        checker = checker.with_cache(cache, CachePolicy::Consume);
    }
    let script_pubkey = data.spent_output(index).script_pubkey.as_script();
    verify_script(input.script_sig(), script_pubkey, input.witness(), flags, &mut checker)
}
