//! The scripts of a transaction that is to enter the pool.

use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Wtxid};

use super::policy::spends_non_anchor_witness_program;
use super::view::MempoolView;
use super::{Mempool, MempoolError};
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
        if self.were_verified_ahead(&tx.wtxid(), cache) {
            return Ok(());
        }
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

    /// Whether [`ScriptsAhead`] found the scripts good, by the rules of now.
    pub(super) fn were_verified_ahead(self, wtxid: &Wtxid, cache: &ValidationCache) -> bool {
        cache.scripts.contains(wtxid, ScriptVerifyFlags::STANDARD, false)
            && cache.scripts.contains(wtxid, self.block_flags, false)
    }
}

/// The scripts of a transaction that is likely to enter the pool soon. They can be verified before it is its turn, since what
/// they say depends on nothing but the transaction and what its inputs name by hash.
#[derive(Debug)]
pub struct ScriptsAhead {
    transaction: Arc<Transaction>,
    spent: Vec<Coin>,
    scripts: ScriptsOfTransaction,
}

impl ScriptsAhead {
    /// Verifies them and remembers it when they pass, for [`Candidate::verify_scripts`](super::Candidate::verify_scripts) to
    /// find. What fails is found out again when it is its turn.
    pub fn verify(&self, cache: &ValidationCache) {
        if self.scripts.verify(&self.transaction, &self.spent, cache).is_ok() {
            let wtxid = self.transaction.as_ref().as_ref().wtxid();
            cache.scripts.insert(&wtxid, ScriptVerifyFlags::STANDARD);
        }
    }
}

impl Mempool {
    /// The scripts of transactions that come soon, in this order, after `before`, which come first; none for those that are
    /// here already or whose coins are not known. The coins are remembered for when it is their turn.
    pub fn scripts_ahead(
        &self,
        chain: &mut Chainstate,
        before: &[Arc<Transaction>],
        transactions: &[Arc<Transaction>],
    ) -> Vec<ScriptsAhead> {
        let mut view = MempoolView::new(self, chain);
        for transaction in before {
            view.add_of_package(transaction);
        }
        let scripts = ScriptsOfTransaction::of_next_block(chain);
        let mut ahead = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            let tx = transaction.as_ref().as_ref();
            let coins = tx.inputs().map(|input| view.coin(&input.prevout()).ok().flatten());
            let coins: Option<Vec<_>> = coins.collect();
            view.add_of_package(transaction);
            let is_known = self.contains_wtxid(&tx.wtxid());
            if let Some(spent) = coins.filter(|_| !is_known) {
                ahead.push(ScriptsAhead { transaction: Arc::clone(transaction), spent, scripts });
            }
        }
        let next_height = view.next_height();
        let tip = chain.tip().hash;
        let coins = ahead.iter().flat_map(|ahead| {
            let inputs = ahead.transaction.as_ref().as_ref().inputs().map(|input| input.prevout());
            inputs.zip(ahead.spent.iter().cloned()).filter(|(_, coin)| coin.height < next_height)
        });
        chain.remember_coins(&tip, coins);
        ahead
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
