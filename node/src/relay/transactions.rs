//! Announced transactions, and those whose parents are missing.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{MempoolError, Rejection};
use cairn_chain::primitives::Transaction;
use cairn_net::{Acceptance, GossipTransaction, PeerId, ValidationToken};
use thiserror::Error;
use tracing::debug;

use super::Relay;
use super::orphans::{Child, Orphans};
use crate::chain_service::{Chain, ChainStopped};
use crate::penalty::Conduct;
use crate::tasks::blocking;

/// Why a transaction is not in the pool.
#[derive(Debug, Error)]
enum Refusal {
    #[error(transparent)]
    Stopped(#[from] ChainStopped),
    #[error("{}", .0.error)]
    Rejected(Rejection),
}

impl Relay {
    /// Looks at a transaction that was announced, when it is its turn. Many are looked at at the same time.
    pub(crate) async fn transaction_announced(&self, announced: GossipTransaction) {
        // Closed only with the node.
        let Ok(place) = Arc::clone(&self.transactions).acquire_owned().await else { return };
        let relay = self.clone();
        tokio::spawn(async move {
            let _place = place;
            // Nothing is to be done about a node that stops.
            let _ = relay.take_announced(announced).await;
        });
    }

    async fn take_announced(&self, announced: GossipTransaction) -> Result<(), ChainStopped> {
        let GossipTransaction { source, transaction, token } = announced;
        let Ok(transaction) = Transaction::decode(transaction) else {
            let acceptance = self.reputation.judge(source, &Conduct::UndecodableTransaction).await;
            self.report(token, acceptance).await;
            return Ok(());
        };
        let first = Child { transaction: Arc::new(transaction), source, token: Some(token) };
        let mut waiting = VecDeque::from([first]);
        while let Some(Child { transaction, source, token }) = waiting.pop_front() {
            match self.take(Arc::clone(&transaction)).await {
                Ok(()) => {
                    if let Some(token) = token {
                        self.report(token, Acceptance::Accept).await;
                    }
                    waiting.extend(self.orphans().take_children(&transaction));
                }
                Err(Refusal::Stopped(stopped)) => return Err(stopped),
                Err(Refusal::Rejected(rejection)) => self.refuse(source, &transaction, token, &rejection.error).await,
            }
        }
        Ok(())
    }

    /// Gives a transaction to the pool. Scripts are verified off the chain thread.
    async fn take(&self, transaction: Arc<Transaction>) -> Result<(), Refusal> {
        let metrics = Arc::clone(&self.context.metrics.mempool);
        let refuse = |rejection: Rejection| {
            metrics.count_rejection(&rejection.error);
            Refusal::Rejected(rejection)
        };
        let check = move |chain: &mut Chain| {
            // The same with another witness is another message, and is judged.
            if chain.mempool.contains_wtxid(&Transaction::as_ref(&transaction).wtxid()) {
                return Ok(None);
            }
            let cache = Arc::clone(chain.chainstate.validation_cache());
            chain.mempool.check(&chain.chainstate, transaction).map(|candidate| Some((candidate, cache)))
        };
        let Some((candidate, cache)) = self.context.chain.call(check).await?.map_err(&refuse)? else { return Ok(()) };
        let verified = blocking(move || candidate.verify_scripts(&cache)).await.map_err(&refuse)?;
        self.context.chain.call(move |chain| chain.admit(verified)).await?.map(drop).map_err(&refuse)
    }

    /// A transaction was not taken. One whose parents are missing waits for them, and so does its verdict.
    async fn refuse(
        &self,
        source: PeerId,
        transaction: &Arc<Transaction>,
        token: Option<ValidationToken>,
        error: &MempoolError,
    ) {
        let verdict = error.verdict();
        debug!(%source, %error, "an announced transaction was not taken");
        match token {
            Some(token) if verdict == TransactionVerdict::MissingInputs => {
                self.orphans().add(Instant::now(), source, transaction, token);
            }
            token => {
                let acceptance = self.reputation.judge(source, &Conduct::Transaction(verdict)).await;
                if let Some(token) = token {
                    self.report(token, acceptance).await;
                }
            }
        }
    }

    /// A peer has gone.
    pub(crate) fn forget_peer(&self, peer: &PeerId) {
        self.orphans().peer_disconnected(peer);
    }

    async fn report(&self, token: ValidationToken, acceptance: Acceptance) {
        // The service ends before the node does.
        let _ = self.network.report(token, acceptance).await;
    }

    pub(super) fn orphans(&self) -> std::sync::MutexGuard<'_, Orphans> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
