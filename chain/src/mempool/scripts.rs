//! The scripts of a transaction that is to enter the pool.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::MempoolError;
use super::policy::spends_non_anchor_witness_program;
use crate::chainstate::Chainstate;
use crate::coins::Coin;
use crate::header_chain::HeaderChain;
use crate::primitives::Transaction;
use crate::script::{
    CachePolicy, PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, SignatureCache,
    TransactionSignatureChecker, verify_input,
};
use crate::validation::{ValidationCache, block_script_flags};

/// The rules the scripts of the next block are held to, which the pool's own contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScriptsOfTransaction {
    block_flags: ScriptVerifyFlags,
}

impl ScriptsOfTransaction {
    pub(super) fn of_next_block(chain: &Chainstate) -> Self {
        let height = chain.active_chain().height() + 1;
        // Blocks that are known to break rules have their own hash; the next one is none of them.
        Self { block_flags: block_script_flags(height, &BlockHash::all_zeros(), &chain.params().consensus) }
    }

    /// Verifies every input by the rules of the pool, and then by those of the next block, for which the signatures are known by
    /// then. Were a script to pass only the stricter ones, a block with it would be invalid, and miners must not be offered it.
    pub(super) fn verify(
        self,
        transaction: &Transaction,
        spent: &[Coin],
        cache: &ValidationCache,
    ) -> Result<(), MempoolError> {
        let tx = transaction.as_ref();
        let data = PrecomputedTransactionData::new(tx, spent);
        for flags in [ScriptVerifyFlags::STANDARD, self.block_flags] {
            for (index, input) in tx.inputs().enumerate() {
                verify(&data, index, flags, &cache.signatures).map_err(|source| MempoolError::Script {
                    txid: tx.txid(),
                    wtxid: tx.wtxid(),
                    input: index,
                    outpoint: input.prevout(),
                    is_stripped: !tx.has_witness() && spends_non_anchor_witness_program(tx, spent),
                    source,
                })?;
            }
        }
        cache.scripts.insert(&tx.wtxid(), self.block_flags);
        Ok(())
    }
}

fn verify(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    flags: ScriptVerifyFlags,
    cache: &SignatureCache,
) -> Result<(), ScriptError> {
    let mut checker = TransactionSignatureChecker::new(data, index).with_cache(cache, CachePolicy::Store);
    verify_input(&mut checker, flags)
}
