//! One transaction on its way into the pool.
//!
//! ```text
//! check            every rule but scripts, on the chain thread      ─▶ Candidate
//! verify_scripts   anywhere, for as long as it takes                ─▶ VerifiedCandidate
//! admit            the rules again if chain or pool moved meanwhile ─▶ Admitted
//! ```
//!
//! Scripts need not be verified again after a wait: a transaction's inputs name its coins by hash, so what its scripts say can
//! never change, only whether the coins are still there.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::{Amount, BlockHash, OutPoint, Txid, Wtxid};

use super::entry::LockPoints;
use super::policy::{
    TrucPool, check_ephemeral_spends, check_inputs_standard, check_nonwitness_size, check_sigop_cost, check_standard,
    check_witness_standard, pre_check_ephemeral_tx, single_truc_checks,
};
use super::scripts::ScriptsOfTransaction;
use super::view::MempoolView;
use super::{FeeRate, GraphIndex, Mempool, MempoolEntry, MempoolError, Rejection, RemovalReason};
use super::{NewTransaction, Parent, Proposal};
use crate::chainstate::{BlockReference, Chainstate};
use crate::coins::Coin;
use crate::header_chain::HeaderChain;
use crate::primitives::{Transaction, TransactionRef};
use crate::script::ScriptVerifyFlags;
use crate::validation::{
    SequenceLocks, ValidationCache, check_transaction, check_transaction_inputs, is_final, transaction_sigop_cost,
};

/// A tip that is older than this many seconds says nothing about fees of today (Core: `MAX_FEE_ESTIMATION_TIP_AGE`,
/// `validation.cpp`).
const MAX_FEE_ESTIMATION_TIP_AGE: u64 = 3 * 60 * 60;

/// What is asked of a transaction (Core: `ATMPArgs`, `validation.cpp`).
#[derive(Debug, Clone, Copy)]
pub(super) struct AcceptOptions {
    /// It comes back from a block, and may pay as little as it likes.
    pub(super) bypass_limits: bool,
    /// It may replace transactions that spend the same coins.
    pub(super) allow_replacement: bool,
    /// It may replace the other child of its parent, where version 3 allows only one.
    pub(super) allow_sibling_eviction: bool,
    /// It is one of a package, whose fees count together.
    pub(super) package_fee_rates: bool,
    /// It was submitted together with others.
    pub(super) is_of_package: bool,
    /// It pays at most this for each virtual byte.
    pub(super) max_fee_rate: Option<FeeRate>,
    /// When it entered, in seconds since 1970, where that was in an earlier run.
    pub(super) time: Option<u64>,
}

impl AcceptOptions {
    /// A transaction by itself (Core: `SingleAccept`).
    pub(super) const SINGLE: Self = Self {
        bypass_limits: false,
        allow_replacement: true,
        allow_sibling_eviction: true,
        package_fee_rates: false,
        is_of_package: false,
        max_fee_rate: None,
        time: None,
    };
}

/// What was found out about a transaction (Core: `Workspace`, `validation.cpp`).
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) entry: MempoolEntry,
    /// The coins of its inputs, in order.
    pub(super) spent: Vec<Coin>,
    /// Transactions of the pool that it would replace, their descendants left out.
    pub(super) conflicts: BTreeSet<GraphIndex>,
    /// Whether one of those is the other child of its parent, with which it shares no coin.
    pub(super) evicts_sibling: bool,
    /// Its parents in the pool, each once.
    pub(super) parents: Vec<GraphIndex>,
}

impl Workspace {
    pub(super) fn txid(&self) -> Txid {
        self.entry.tx().txid()
    }

    pub(super) fn wtxid(&self) -> Wtxid {
        self.entry.tx().wtxid()
    }

    /// A failure that is about its fee.
    pub(super) fn fee_failure(&self, error: MempoolError) -> Rejection {
        Rejection { error: Box::new(error), effective: Some((self.entry.fee_rate(), vec![self.wtxid()])) }
    }
}

/// A transaction that breaks no rule of chain and pool, whose scripts were not verified yet.
#[derive(Debug)]
pub struct Candidate {
    workspace: Workspace,
    options: AcceptOptions,
    /// What becomes of the pool.
    proposal: Proposal,
    scripts: ScriptsOfTransaction,
    /// The tip and the pool it was checked against.
    tip: BlockHash,
    updates: u64,
}

/// A transaction whose scripts were verified.
#[derive(Debug)]
pub struct VerifiedCandidate(Candidate);

/// A transaction that got in, or would have.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its id.
    pub txid: Txid,
    /// Its hash, the witness included.
    pub wtxid: Wtxid,
    /// Its size, in virtual bytes.
    pub virtual_size: usize,
    /// What it pays, in satoshis.
    pub base_fee: Amount,
    /// What was compared with the minimum: fees in satoshis and sizes in virtual bytes, of itself or of its package.
    pub effective_fee_rate: FeeRate,
    /// The transactions counted in.
    pub effective_includes: Vec<Wtxid>,
    /// What it replaced.
    pub replaced: Vec<Arc<Transaction>>,
}

impl Candidate {
    /// Verifies its scripts, one after the other, and remembers what it finds (Core: `PolicyScriptChecks`,
    /// `ConsensusScriptChecks`).
    ///
    /// # Errors
    ///
    /// The first input whose script fails.
    pub fn verify_scripts(self, cache: &ValidationCache) -> Result<VerifiedCandidate, Rejection> {
        self.scripts.verify(&self.workspace.entry.transaction, &self.workspace.spent, cache)?;
        Ok(VerifiedCandidate(self))
    }

    /// Whether its scripts were verified ahead, so that nothing is left to verify: see [`ScriptsAhead`](super::ScriptsAhead).
    #[must_use]
    pub fn was_verified_ahead(&self, cache: &ValidationCache) -> bool {
        self.scripts.were_verified_ahead(&self.workspace.wtxid(), cache)
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Arc<Transaction> {
        &self.workspace.entry.transaction
    }

    /// What it would be told if its scripts pass.
    #[must_use]
    pub fn admitted(&self) -> Admitted {
        let entry = &self.workspace.entry;
        Admitted {
            txid: self.workspace.txid(),
            wtxid: self.workspace.wtxid(),
            virtual_size: entry.virtual_size(),
            base_fee: entry.base_fee,
            effective_fee_rate: entry.fee_rate(),
            effective_includes: vec![self.workspace.wtxid()],
            replaced: Vec::new(),
        }
    }
}

impl VerifiedCandidate {
    /// The last block when it was checked.
    #[must_use]
    pub fn tip(&self) -> BlockHash {
        self.0.tip
    }

    /// The coins of the chain that it spends, which its block will ask for, as they were at its [tip](Self::tip).
    pub fn coins(&self) -> impl Iterator<Item = (OutPoint, &Coin)> {
        let Workspace { entry, spent, .. } = &self.0.workspace;
        let inputs = entry.tx().inputs().zip(spent);
        // What is not in the chain yet counts as in the next block.
        inputs.filter(|(_, coin)| coin.height <= entry.height).map(|(input, coin)| (input.prevout(), coin))
    }

    /// What it would be told if it were admitted.
    #[must_use]
    pub fn admitted(&self) -> Admitted {
        self.0.admitted()
    }
}

impl Mempool {
    /// Checks every rule about a transaction but its scripts.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in Core's order.
    pub fn check(&self, chain: &Chainstate, transaction: Arc<Transaction>) -> Result<Candidate, Rejection> {
        self.check_with(chain, transaction, AcceptOptions::SINGLE)
    }

    /// Adds a transaction, and evicts what then pays too little.
    ///
    /// # Errors
    ///
    /// When it does not fit any more what chain and pool became meanwhile, or pays so little that it was evicted itself.
    pub fn admit(&mut self, chain: &Chainstate, verified: VerifiedCandidate) -> Result<Admitted, Rejection> {
        let VerifiedCandidate(mut candidate) = verified;
        if candidate.tip != chain.tip().hash || candidate.updates != self.updates() {
            let transaction = Arc::clone(&candidate.workspace.entry.transaction);
            candidate = self.check_with(chain, transaction, candidate.options)?;
        }
        self.finalize_single(chain, candidate)
    }

    /// Checks a transaction, verifies its scripts here and now, and adds it (Core: `AcceptToMemoryPool`).
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in Core's order.
    pub fn accept(&mut self, chain: &Chainstate, transaction: Arc<Transaction>) -> Result<Admitted, Rejection> {
        self.accept_with(chain, transaction, AcceptOptions::SINGLE)
    }

    pub(super) fn accept_with(
        &mut self,
        chain: &Chainstate,
        transaction: Arc<Transaction>,
        options: AcceptOptions,
    ) -> Result<Admitted, Rejection> {
        let verified = self.check_with(chain, transaction, options)?.verify_scripts(chain.validation_cache())?;
        self.finalize_single(chain, verified.0)
    }

    /// Core: `AcceptSingleTransactionInternal`, `validation.cpp`, up to the scripts.
    pub(super) fn check_with(
        &self,
        chain: &Chainstate,
        transaction: Arc<Transaction>,
        options: AcceptOptions,
    ) -> Result<Candidate, Rejection> {
        let view = MempoolView::new(self, chain);
        let workspace = self.pre_checks(&view, transaction, options)?;
        let parents: Vec<Parent> = workspace.parents.iter().map(|&parent| Parent::Existing(parent)).collect();
        let added = [NewTransaction {
            fee_rate: workspace.entry.weight_rate(),
            order_key: workspace.entry.order_key(),
            parents: &parents,
        }];
        let proposal = if workspace.conflicts.is_empty() {
            self.graph.propose(&[], &added).map_err(|_| MempoolError::TooLargeCluster)?
        } else {
            self.replacement_checks(&workspace, &added)?
        };
        self.check_disjoint(&workspace)?;
        let is_above = |limit: FeeRate| workspace.entry.fee_rate().cmp_rate(limit).is_gt();
        if options.max_fee_rate.is_some_and(is_above) {
            return Err(MempoolError::MaxFeeRateExceeded.into());
        }
        if !options.bypass_limits && self.options.policy.require_standard {
            let package = [workspace.entry.tx()];
            check_ephemeral_spends(&package, self.options.policy.dust_relay_fee, |txid| {
                self.get(txid).map(MempoolEntry::tx)
            })
            .map_err(MempoolError::from)?;
        }
        let scripts = ScriptsOfTransaction::of_next_block(chain);
        Ok(Candidate { workspace, options, proposal, scripts, tip: chain.tip().hash, updates: self.updates() })
    }

    fn finalize_single(&mut self, chain: &Chainstate, candidate: Candidate) -> Result<Admitted, Rejection> {
        let mut admitted = candidate.admitted();
        let Candidate { workspace, options, proposal, .. } = candidate;
        let effective = (admitted.effective_fee_rate, admitted.effective_includes.clone());
        admitted.replaced = self.finalize(chain, proposal, vec![workspace], options);
        if !options.is_of_package && !options.bypass_limits {
            self.limit_size(chain.adjusted_time());
            if !self.contains(&admitted.txid) {
                return Err(Rejection { error: Box::new(MempoolError::MempoolFull), effective: Some(effective) });
            }
        }
        Ok(admitted)
    }

    /// Makes a proposal true (Core: `FinalizeSubpackage`). Returns what was replaced.
    pub(super) fn finalize(
        &mut self,
        chain: &Chainstate,
        proposal: Proposal,
        workspaces: Vec<Workspace>,
        options: AcceptOptions,
    ) -> Vec<Arc<Transaction>> {
        let removed = proposal.removed().to_vec();
        let added = self.graph.apply(proposal);
        let replaced = self.take_out(&removed, RemovalReason::Replaced);
        let says_something_about_fees =
            !options.bypass_limits && !options.is_of_package && is_current_for_fee_estimation(chain);
        for (index, workspace) in added.into_iter().zip(workspaces) {
            let entry = workspace.entry;
            self.fees.process_transaction(
                entry.tx().txid(),
                entry.height,
                entry.base_fee,
                entry.virtual_size() as u64,
                says_something_about_fees && workspace.parents.is_empty(),
            );
            self.insert(index, entry);
        }
        replaced.into_iter().map(|entry| entry.transaction).collect()
    }

    /// Every rule that needs neither the graph nor scripts (Core: `PreChecks`, `validation.cpp`).
    pub(super) fn pre_checks(
        &self,
        view: &MempoolView<'_>,
        transaction: Arc<Transaction>,
        options: AcceptOptions,
    ) -> Result<Workspace, Rejection> {
        let policy = &self.options.policy;
        let tx = transaction.as_ref().as_ref();
        check_transaction(tx)?;
        if tx.is_coinbase() {
            return Err(MempoolError::Coinbase.into());
        }
        if policy.require_standard {
            check_standard(tx, policy)?;
        }
        check_nonwitness_size(tx)?;
        let chain = view.chain.active_chain();
        if !is_final(tx, view.next_height(), chain.median_time_past()) {
            return Err(MempoolError::NonFinal.into());
        }
        if self.contains_wtxid(&tx.wtxid()) {
            return Err(MempoolError::AlreadyInMempool.into());
        }
        if self.contains(&tx.txid()) {
            return Err(MempoolError::SameNonWitnessData.into());
        }
        let mut conflicts: BTreeSet<_> = tx.inputs().filter_map(|input| self.spender_index(&input.prevout())).collect();
        if !options.allow_replacement && !conflicts.is_empty() {
            return Err(MempoolError::ReplacementDisallowed.into());
        }

        let spent = coins_of(view, &transaction)?;
        let lock_points = lock_points(view, &transaction, &spent);
        if !lock_points.locks.are_met_after(&chain) {
            return Err(MempoolError::NonBip68Final.into());
        }
        let base_fee = check_transaction_inputs(tx, &spent, view.next_height())?;
        if policy.require_standard {
            check_inputs_standard(tx, &spent)?;
            if tx.has_witness() {
                check_witness_standard(tx, &spent)?;
            }
        }
        let entry = MempoolEntry {
            base_fee,
            fee_delta: self.deltas.get(&tx.txid()).copied().unwrap_or(0),
            time: options.time.unwrap_or_else(|| view.chain.adjusted_time()),
            height: view.next_height() - 1,
            // One that comes back from a block stands before its children, which were here all the time.
            sequence: if options.bypass_limits { 0 } else { self.sequence() },
            spends_coinbase: spent.iter().any(|coin| coin.is_coinbase),
            sigop_cost: transaction_sigop_cost(tx, &spent, ScriptVerifyFlags::STANDARD),
            lock_points,
            bytes_per_sigop: policy.bytes_per_sigop,
            transaction: Arc::clone(&transaction),
        };
        if policy.require_standard {
            pre_check_ephemeral_tx(tx, policy.dust_relay_fee, base_fee, entry.modified_fee())?;
        }
        check_sigop_cost(entry.sigop_cost)?;
        let parents = self.parents_of(&transaction);
        let mut workspace = Workspace { entry, spent, conflicts: BTreeSet::new(), evicts_sibling: false, parents };
        if !options.bypass_limits && !options.package_fee_rates {
            let entry = &workspace.entry;
            self.check_fee_rate(entry.virtual_size(), entry.modified_fee(), view.chain.adjusted_time())
                .map_err(|error| workspace.fee_failure(error))?;
        }
        if !options.bypass_limits {
            workspace.evicts_sibling = self.truc_checks(&workspace, &mut conflicts, options)?;
        }
        workspace.conflicts = conflicts;
        Ok(workspace)
    }

    /// The parents of a transaction in the pool, in the order in which Core goes through them.
    pub(super) fn parents_by_txid(&self, workspace: &Workspace) -> Vec<TransactionRef<'_>> {
        let mut parents: Vec<_> = workspace.parents.iter().map(|&parent| self.entry(parent).tx()).collect();
        parents.sort_unstable_by_key(|parent| parent.txid());
        parents
    }

    /// Rules about version 3. Returns whether the other child of its parent was added to the conflicts.
    fn truc_checks(
        &self,
        workspace: &Workspace,
        conflicts: &mut BTreeSet<GraphIndex>,
        options: AcceptOptions,
    ) -> Result<bool, MempoolError> {
        let parents = self.parents_by_txid(workspace);
        let is_conflict = |txid: &Txid| self.index_of(txid).is_some_and(|index| conflicts.contains(&index));
        let size = workspace.entry.virtual_size();
        let Err(violation) = single_truc_checks(self, workspace.entry.tx(), &parents, is_conflict, size) else {
            return Ok(false);
        };
        let sibling = violation.evictable_sibling().filter(|_| options.allow_sibling_eviction);
        match sibling.and_then(|sibling| self.index_of(&sibling)) {
            Some(sibling) => {
                conflicts.insert(sibling);
                Ok(true)
            }
            None => Err(violation.into()),
        }
    }

    /// Core: `CheckFeeRate`, `validation.cpp`.
    pub(super) fn check_fee_rate(&self, virtual_size: usize, fee: i64, now: u64) -> Result<(), MempoolError> {
        let expected = self.min_fee_rate(now).fee_for(virtual_size as u64);
        if expected > 0 && fee < expected {
            return Err(MempoolError::MempoolMinFeeNotMet { expected, got: fee });
        }
        let expected = self.options.min_relay_fee_rate.fee_for(virtual_size as u64);
        if fee < expected {
            return Err(MempoolError::MinRelayFeeNotMet { expected, got: fee });
        }
        Ok(())
    }
}

impl TrucPool for Mempool {
    fn ancestor_count(&self, txid: &Txid) -> usize {
        self.index_of(txid).map_or(0, |index| self.graph.ancestors(index).len())
    }

    fn descendants(&self, txid: &Txid) -> Vec<Txid> {
        let Some(index) = self.index_of(txid) else { return Vec::new() };
        let others = self.graph.descendants(index).into_iter().filter(|&descendant| descendant != index);
        others.map(|descendant| self.entry(descendant).tx().txid()).collect()
    }
}

/// The coins of a transaction's inputs, in order.
fn coins_of(view: &MempoolView<'_>, transaction: &Transaction) -> Result<Vec<Coin>, MempoolError> {
    let tx = transaction.as_ref();
    let mut spent = Vec::with_capacity(tx.input_count());
    for input in tx.inputs() {
        let outpoint = input.prevout();
        match view.coin(&outpoint)? {
            Some(coin) => spent.push(coin),
            None if view.has_output_in_chain(tx.txid(), tx.outputs().len())? => {
                return Err(MempoolError::AlreadyKnown);
            }
            None => return Err(MempoolError::MissingInputs { outpoint }),
        }
    }
    Ok(spent)
}

/// When the relative lock times of a transaction end (Core: `CalculateLockPointsAtTip`, `validation.cpp`).
pub(super) fn lock_points(view: &MempoolView<'_>, transaction: &Transaction, spent: &[Coin]) -> LockPoints {
    let chain = view.chain.active_chain();
    let heights = spent.iter().map(|coin| coin.height);
    let locks = SequenceLocks::of(transaction.as_ref(), heights.clone(), &chain);
    // Coins that are not in the chain do not count: with a lock that means anything they fail.
    let highest = heights.filter(|&height| height < view.next_height()).max().unwrap_or(0);
    let highest_input_block = BlockReference { height: highest, hash: chain.header_at(highest).hash };
    LockPoints { locks, highest_input_block }
}

/// Whether what enters the pool now says something about fees (Core: `IsCurrentForFeeEstimation`, `validation.cpp`).
fn is_current_for_fee_estimation(chain: &Chainstate) -> bool {
    let tip = chain.active_chain().tip();
    !chain.is_initial_block_download()
        && u64::from(tip.time) + MAX_FEE_ESTIMATION_TIP_AGE >= chain.adjusted_time()
        && chain.tip().height + 1 >= chain.best_header().height
}
