//! Transactions that take the place of others (Core: `policy/rbf.cpp`; BIP125 without the signal).

use super::accept::Workspace;
use super::{FeeRate, GraphIndex, Mempool, MempoolError, Rejection};
use super::{NewTransaction, Proposal, compare_diagrams};

/// Clusters that a replacement may take transactions from (Core: `MAX_REPLACEMENT_CANDIDATES`, `policy/rbf.h`).
pub(super) const MAX_REPLACEMENT_CLUSTERS: usize = 100;

/// What goes when a transaction comes.
pub(super) struct Replaced {
    /// Conflicts with their descendants.
    pub(super) transactions: Vec<GraphIndex>,
    /// Their modified fees, in satoshis.
    pub(super) fees: i64,
}

impl Mempool {
    /// Whether a transaction may replace what it conflicts with, and what becomes of the pool (Core: `ReplacementChecks`,
    /// `validation.cpp`).
    pub(super) fn replacement_checks(
        &self,
        workspace: &Workspace,
        added: &[NewTransaction<'_>],
    ) -> Result<Proposal, Rejection> {
        let with_sibling = workspace.evicts_sibling;
        let txid = workspace.txid();
        let conflicts: Vec<_> = workspace.conflicts.iter().copied().collect();
        let replaced = self.replaced_by(&conflicts).map_err(|got| MempoolError::TooManyReplacements {
            txid,
            got,
            limit: MAX_REPLACEMENT_CLUSTERS,
            with_sibling,
        })?;
        let (expected, got) = (replaced.fees, workspace.entry.modified_fee());
        if got < expected {
            let error = MempoolError::LessFeeThanConflicts { txid, expected, got, with_sibling };
            return Err(workspace.fee_failure(error));
        }
        let additional = got.saturating_sub(expected);
        let relay = self.options.incremental_relay_fee_rate.fee_for(workspace.entry.virtual_size() as u64);
        if additional < relay {
            let error = MempoolError::NotEnoughAdditionalFee { txid, expected: relay, got: additional, with_sibling };
            return Err(workspace.fee_failure(error));
        }
        let proposal = self.graph.propose(&replaced.transactions, added).map_err(|_| MempoolError::TooLargeCluster)?;
        if !improves_fee_rate_diagram(&proposal) {
            return Err(workspace.fee_failure(MempoolError::ReplacementFailed));
        }
        Ok(proposal)
    }

    /// Conflicts with their descendants, or the number of clusters when those are too many (Core:
    /// `GetEntriesForConflicts`).
    pub(super) fn replaced_by(&self, conflicts: &[GraphIndex]) -> Result<Replaced, usize> {
        let clusters = self.graph.count_distinct_clusters(conflicts);
        if clusters > MAX_REPLACEMENT_CLUSTERS {
            return Err(clusters);
        }
        let transactions = self.graph.descendants_union(conflicts);
        let fees = transactions.iter().map(|&index| self.entry(index).modified_fee()).fold(0, i64::saturating_add);
        Ok(Replaced { transactions, fees })
    }

    /// A transaction must not spend what it replaces (Core: `EntriesAndTxidsDisjoint`).
    pub(super) fn check_disjoint(&self, workspace: &Workspace) -> Result<(), MempoolError> {
        if workspace.conflicts.is_empty() {
            return Ok(());
        }
        let ancestors = self.graph.ancestors_union(&workspace.parents);
        let both = ancestors.into_iter().filter(|ancestor| workspace.conflicts.contains(ancestor));
        // Core goes through them in the order of their txids.
        match both.map(|conflict| self.entry(conflict).tx().txid()).min() {
            None => Ok(()),
            Some(conflict) => Err(MempoolError::SpendsConflicting { txid: workspace.txid(), conflict }),
        }
    }
}

/// Whether miners earn more after a proposal, however much of the pool they take (Core: `ImprovesFeerateDiagram`).
pub(super) fn improves_fee_rate_diagram(proposal: &Proposal) -> bool {
    let (old, new): (Vec<FeeRate>, Vec<FeeRate>) = proposal.diagrams();
    compare_diagrams(&new, &old).is_some_and(std::cmp::Ordering::is_gt)
}
