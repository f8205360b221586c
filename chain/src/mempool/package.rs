//! Transactions that are submitted together, so that a child can pay for its parents.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bitcoin::{Amount, Txid, Wtxid};

use super::accept::{AcceptOptions, Admitted, Workspace};
use super::policy::{
    TransactionVerdict, check_child_with_parents, check_ephemeral_spends, check_well_formed_package,
    package_truc_checks,
};
use super::replacement::{MAX_REPLACEMENT_CLUSTERS, improves_fee_rate_diagram};
use super::scripts::ScriptsOfTransaction;
use super::view::MempoolView;
use super::{FeeRate, Mempool, MempoolEntry, MempoolError, PackageRejection, Rejection};
use super::{NewTransaction, Parent, Proposal};
use crate::chainstate::Chainstate;
use crate::primitives::{Transaction, TransactionRef, format_money};

/// What became of one transaction of a package (Core: `MempoolAcceptResult`, `validation.h`).
#[derive(Debug, Clone)]
pub enum PackageOutcome {
    /// It got in, or would have.
    Admitted(Admitted),
    /// It was there already.
    AlreadyInMempool {
        /// Its size, in virtual bytes.
        virtual_size: usize,
        /// What it pays, in satoshis.
        base_fee: Amount,
    },
    /// It is there with another witness.
    DifferentWitness {
        /// The hash of the one that is there.
        wtxid: Wtxid,
    },
    /// It does not get in.
    Rejected(Rejection),
}

/// What became of a package (Core: `PackageMempoolAcceptResult`, `validation.h`).
#[derive(Debug, Clone, Default)]
pub struct PackageResult {
    /// Why not all of it got in.
    pub error: Option<PackageRejection>,
    /// What became of its transactions; those that were not looked at are missing.
    pub transactions: HashMap<Wtxid, PackageOutcome>,
}

impl PackageResult {
    fn failed(error: PackageRejection) -> Self {
        Self { error: Some(error), transactions: HashMap::new() }
    }

    fn failed_with(error: PackageRejection, wtxid: Wtxid, rejection: Rejection) -> Self {
        let transactions = HashMap::from([(wtxid, PackageOutcome::Rejected(rejection))]);
        Self { error: Some(error), transactions }
    }
}

/// A package that may enter: what becomes of the pool, and what its transactions are told.
struct CheckedPackage {
    proposal: Proposal,
    workspaces: Vec<Workspace>,
    fee_rate: FeeRate,
}

impl Mempool {
    /// What would become of transactions that depend on each other at most in their order, if they came now (Core:
    /// `ProcessNewPackage` with `test_accept`). Nothing is replaced and nothing added; a single one is checked as if it came
    /// alone.
    pub fn test_package(&self, chain: &Chainstate, package: &[Arc<Transaction>]) -> PackageResult {
        let options =
            AcceptOptions { allow_replacement: false, allow_sibling_eviction: false, ..AcceptOptions::SINGLE };
        if let [transaction] = package {
            let outcome = self
                .check(chain, Arc::clone(transaction))
                .and_then(|candidate| candidate.verify_scripts(chain.validation_cache()))
                .map(|verified| verified.admitted());
            return single(transaction, outcome);
        }
        match self.check_package(chain, package, options) {
            Err(result) => *result,
            Ok(checked) => {
                let outcome = |workspace: &Workspace| {
                    let fee_rate = workspace.entry.fee_rate();
                    (workspace.wtxid(), PackageOutcome::Admitted(told(workspace, fee_rate, vec![workspace.wtxid()])))
                };
                PackageResult { error: None, transactions: checked.workspaces.iter().map(outcome).collect() }
            }
        }
    }

    /// Submits a child with its unconfirmed parents, or a single transaction (Core: `AcceptPackage`, `validation.cpp`). Each
    /// transaction that gets in by itself does; the others get in together or not at all.
    ///
    /// `max_fee_rate` is the most any of them pays for each virtual byte.
    pub fn accept_package(
        &mut self,
        chain: &Chainstate,
        package: &[Arc<Transaction>],
        max_fee_rate: Option<FeeRate>,
    ) -> PackageResult {
        let views: Vec<_> = package.iter().map(|transaction| transaction.as_ref().as_ref()).collect();
        if let Err(error) = check_well_formed_package(&views).and_then(|()| check_child_with_parents(&views)) {
            return PackageResult::failed(error.into());
        }
        let together = AcceptOptions {
            allow_sibling_eviction: false,
            package_fee_rates: true,
            is_of_package: true,
            max_fee_rate,
            ..AcceptOptions::SINGLE
        };
        let alone = AcceptOptions { is_of_package: true, max_fee_rate, ..AcceptOptions::SINGLE };

        let mut known: HashMap<Wtxid, PackageOutcome> = HashMap::new();
        let mut failed: HashMap<Wtxid, PackageOutcome> = HashMap::new();
        let mut rest = Vec::new();
        let mut gives_up = false;
        for transaction in package {
            let tx = transaction.as_ref().as_ref();
            if let Some(outcome) = self.known_outcome(tx) {
                known.insert(tx.wtxid(), outcome);
                continue;
            }
            match self.accept_with(chain, Arc::clone(transaction), alone) {
                Ok(admitted) => {
                    known.insert(tx.wtxid(), PackageOutcome::Admitted(admitted));
                }
                Err(rejection) => {
                    // Together, only fees and coins of parents can turn out otherwise.
                    let may_pass = matches!(
                        rejection.error.verdict(),
                        TransactionVerdict::Reconsiderable | TransactionVerdict::MissingInputs
                    );
                    if may_pass && package.len() > 1 {
                        rest.push(Arc::clone(transaction));
                    } else {
                        gives_up = true;
                    }
                    failed.insert(tx.wtxid(), PackageOutcome::Rejected(rejection));
                }
            }
        }
        let mut result = if gives_up {
            PackageResult::failed(PackageRejection::Transaction)
        } else {
            self.submit_rest(chain, &rest, alone, together)
        };
        self.limit_size(chain.adjusted_time());
        self.settle(package, &mut result, known, failed);
        result
    }

    fn known_outcome(&self, tx: TransactionRef<'_>) -> Option<PackageOutcome> {
        let entry = self.get(&tx.txid())?;
        Some(if entry.tx().wtxid() == tx.wtxid() {
            PackageOutcome::AlreadyInMempool { virtual_size: entry.virtual_size(), base_fee: entry.base_fee }
        } else {
            PackageOutcome::DifferentWitness { wtxid: entry.tx().wtxid() }
        })
    }

    /// Core: `AcceptSubPackage`, `validation.cpp`.
    fn submit_rest(
        &mut self,
        chain: &Chainstate,
        rest: &[Arc<Transaction>],
        alone: AcceptOptions,
        together: AcceptOptions,
    ) -> PackageResult {
        match rest {
            [] => PackageResult::default(),
            [transaction] => {
                let outcome = self.accept_with(chain, Arc::clone(transaction), alone);
                single(transaction, outcome)
            }
            rest => match self.check_package(chain, rest, together) {
                Err(result) => *result,
                Ok(CheckedPackage { proposal, workspaces, fee_rate }) => {
                    let includes: Vec<_> = workspaces.iter().map(Workspace::wtxid).collect();
                    let outcomes: Vec<_> =
                        workspaces.iter().map(|workspace| told(workspace, fee_rate, includes.clone())).collect();
                    let mut replaced = self.finalize(chain, proposal, workspaces, together);
                    let outcome = |mut admitted: Admitted| {
                        // As in Core, the first one is told all of them.
                        admitted.replaced = std::mem::take(&mut replaced);
                        (admitted.wtxid, PackageOutcome::Admitted(admitted))
                    };
                    PackageResult { error: None, transactions: outcomes.into_iter().map(outcome).collect() }
                }
            },
        }
    }

    /// The last word on each transaction, after what pays least was evicted.
    fn settle(
        &self,
        package: &[Arc<Transaction>],
        result: &mut PackageResult,
        mut known: HashMap<Wtxid, PackageOutcome>,
        mut failed: HashMap<Wtxid, PackageOutcome>,
    ) {
        for transaction in package {
            let tx = transaction.as_ref().as_ref();
            let wtxid = tx.wtxid();
            let outcome = match result.transactions.remove(&wtxid).or_else(|| known.remove(&wtxid)) {
                Some(rejected @ PackageOutcome::Rejected(_)) => rejected,
                Some(outcome) if self.contains(&tx.txid()) => outcome,
                Some(_) => {
                    result.error = Some(PackageRejection::Transaction);
                    PackageOutcome::Rejected(MempoolError::PackageEvicted.into())
                }
                None => match failed.remove(&wtxid) {
                    Some(outcome) => outcome,
                    None => continue,
                },
            };
            result.transactions.insert(wtxid, outcome);
        }
    }

    /// Core: `AcceptMultipleTransactionsInternal`, `validation.cpp`, up to the submission.
    fn check_package(
        &self,
        chain: &Chainstate,
        package: &[Arc<Transaction>],
        options: AcceptOptions,
    ) -> Result<CheckedPackage, Box<PackageResult>> {
        let views: Vec<_> = package.iter().map(|transaction| transaction.as_ref().as_ref()).collect();
        check_well_formed_package(&views).map_err(|error| PackageResult::failed(error.into()))?;
        let failed =
            |wtxid: Wtxid, rejection| PackageResult::failed_with(PackageRejection::Transaction, wtxid, rejection);

        let mut view = MempoolView::new(self, chain);
        let mut workspaces = Vec::with_capacity(package.len());
        for transaction in package {
            let wtxid = transaction.as_ref().as_ref().wtxid();
            let workspace = self
                .pre_checks(&view, Arc::clone(transaction), options)
                .map_err(|rejection| failed(wtxid, (*rejection.error).into()))?;
            if options.max_fee_rate.is_some_and(|limit| workspace.entry.fee_rate().cmp_rate(limit).is_gt()) {
                return Err(failed(wtxid, MempoolError::MaxFeeRateExceeded.into()).into());
            }
            view.add_of_package(transaction);
            workspaces.push(workspace);
        }
        for (index, workspace) in workspaces.iter().enumerate() {
            let parents = self.parents_by_txid(workspace);
            package_truc_checks(self, &views, index, &parents, workspace.entry.virtual_size())
                .map_err(|error| PackageResult::failed(error.into()))?;
        }

        let fee = workspaces.iter().map(|workspace| workspace.entry.modified_fee()).fold(0, i64::saturating_add);
        let size: usize = workspaces.iter().map(|workspace| workspace.entry.virtual_size()).sum();
        let fee_rate = FeeRate::new(fee, size as u64);
        if options.package_fee_rates {
            self.check_fee_rate(size, fee, chain.adjusted_time()).map_err(|error| {
                let includes = workspaces.iter().map(Workspace::wtxid).collect();
                let last = workspaces.last().map(Workspace::wtxid).expect("a well-formed package is not empty");
                failed(last, Rejection { error: Box::new(error), effective: Some((fee_rate, includes)) })
            })?;
        }
        let proposal = self.propose_package(&workspaces, fee_rate).map_err(PackageResult::failed)?;
        if self.options.policy.require_standard {
            check_ephemeral_spends(&views, self.options.policy.dust_relay_fee, |txid| {
                self.get(txid).map(MempoolEntry::tx)
            })
            .map_err(|error| {
                let child = error.child().map_or_else(|| workspaces[0].wtxid(), |child| child.wtxid);
                PackageResult::failed_with(PackageRejection::UnspentDust, child, error.into())
            })?;
        }
        let scripts = ScriptsOfTransaction::of_next_block(chain);
        for workspace in &workspaces {
            scripts
                .verify(&workspace.entry.transaction, &workspace.spent, chain.validation_cache())
                .map_err(|error| failed(workspace.wtxid(), error.into()))?;
        }
        Ok(CheckedPackage { proposal, workspaces, fee_rate })
    }

    /// What becomes of the pool when a package comes.
    fn propose_package(&self, workspaces: &[Workspace], fee_rate: FeeRate) -> Result<Proposal, PackageRejection> {
        let places: HashMap<Txid, usize> =
            workspaces.iter().enumerate().map(|(place, workspace)| (workspace.txid(), place)).collect();
        let parents: Vec<Vec<Parent>> = workspaces
            .iter()
            .map(|workspace| {
                let of_pool = workspace.parents.iter().map(|&parent| Parent::Existing(parent));
                let inputs = workspace.entry.tx().inputs();
                let of_package = inputs.filter_map(|input| places.get(&input.prevout().txid).copied());
                of_pool.chain(of_package.map(Parent::Added)).collect()
            })
            .collect();
        let added: Vec<_> = workspaces
            .iter()
            .zip(&parents)
            .map(|(workspace, parents)| NewTransaction {
                fee_rate: workspace.entry.weight_rate(),
                order_key: workspace.entry.order_key(),
                parents,
            })
            .collect();
        if workspaces.iter().all(|workspace| workspace.conflicts.is_empty()) {
            return self.graph.propose(&[], &added).map_err(|_| PackageRejection::TooLargeCluster);
        }
        self.propose_package_replacement(workspaces, fee_rate, &added)
    }

    /// Core: `PackageRBFChecks`, `validation.cpp`.
    fn propose_package_replacement(
        &self,
        workspaces: &[Workspace],
        fee_rate: FeeRate,
        added: &[NewTransaction<'_>],
    ) -> Result<Proposal, PackageRejection> {
        let refused = |reason, detail| Err(PackageRejection::Replacement { reason, detail });
        let [parent, child] = workspaces else {
            return refused("package must be 1-parent-1-child", None);
        };
        if !parent.parents.is_empty() || !child.parents.is_empty() {
            return refused("new transaction cannot have mempool ancestors", None);
        }
        let conflicts: BTreeSet<_> = parent.conflicts.union(&child.conflicts).copied().collect();
        let conflicts: Vec<_> = conflicts.into_iter().collect();
        let child_txid = child.txid();
        let replaced = match self.replaced_by(&conflicts) {
            Ok(replaced) => replaced,
            Err(got) => {
                let detail = format!(
                    "rejecting replacement {child_txid}; too many conflicting clusters ({got} > {MAX_REPLACEMENT_CLUSTERS})"
                );
                return refused("too many potential replacements", Some(detail));
            }
        };
        let relay = self.options.incremental_relay_fee_rate.fee_for(fee_rate.size);
        let additional = fee_rate.fee.saturating_sub(replaced.fees);
        let complaint = if fee_rate.fee < replaced.fees {
            Some(("less fees than conflicting txs", fee_rate.fee, replaced.fees))
        } else if additional < relay {
            Some(("not enough additional fees to relay", additional, relay))
        } else {
            None
        };
        if let Some((what, got, expected)) = complaint {
            let (got, expected) = (format_money(got), format_money(expected));
            let detail = format!("rejecting replacement {child_txid}, {what}; {got} < {expected}");
            return refused("insufficient anti-DoS fees", Some(detail));
        }
        let parent_rate = parent.entry.fee_rate();
        if fee_rate.cmp_rate(parent_rate).is_le() {
            let (package, parent) = (rate_text(fee_rate), rate_text(parent_rate));
            let detail = format!("package feerate {package} <= parent feerate is {parent}");
            return refused("package feerate is less than or equal to parent feerate", Some(detail));
        }
        let Ok(proposal) = self.graph.propose(&replaced.transactions, added) else {
            return Err(PackageRejection::TooLargeCluster);
        };
        if !improves_fee_rate_diagram(&proposal) {
            return refused("insufficient feerate: does not improve feerate diagram", None);
        }
        Ok(proposal)
    }
}

fn told(workspace: &Workspace, fee_rate: FeeRate, includes: Vec<Wtxid>) -> Admitted {
    Admitted {
        txid: workspace.txid(),
        wtxid: workspace.wtxid(),
        virtual_size: workspace.entry.virtual_size(),
        base_fee: workspace.entry.base_fee,
        effective_fee_rate: fee_rate,
        effective_includes: includes,
        replaced: Vec::new(),
    }
}

/// Core: `CFeeRate::ToString`, `policy/feerate.cpp`.
fn rate_text(rate: FeeRate) -> String {
    let satoshis = rate.fee_per_kvb();
    format!("{}.{:08} BTC/kvB", satoshis / 100_000_000, satoshis % 100_000_000)
}

/// A package of one.
fn single(transaction: &Transaction, outcome: Result<Admitted, Rejection>) -> PackageResult {
    let wtxid = transaction.as_ref().wtxid();
    match outcome {
        Ok(admitted) => {
            PackageResult { error: None, transactions: HashMap::from([(wtxid, PackageOutcome::Admitted(admitted))]) }
        }
        Err(rejection) => PackageResult::failed_with(PackageRejection::Transaction, wtxid, rejection),
    }
}
