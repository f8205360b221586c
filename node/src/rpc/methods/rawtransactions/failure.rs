//! Why a transaction is not taken, in Core's words (Core: `BroadcastTransaction`, `node/transaction.cpp`;
//! `JSONRPCTransactionError`, `rpc/util.cpp`).

use cairn_chain::mempool::Rejection;
use cairn_chain::mempool::policy::TransactionVerdict;

use crate::metrics::MempoolMetrics;
use crate::rpc::{RpcError, RpcErrorCode};

/// Why a transaction is not taken.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is in the chain, and one of its outputs is unspent.
    AlreadyInUtxoSet,
    /// It pays more than the client allowed.
    MaxFeeExceeded,
    /// It does not get into the pool.
    Rejected(Rejection),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Failure {
    /// Counts it, and tells it in Core's words.
    pub(super) fn count(self, metrics: &MempoolMetrics) -> RpcError {
        if let Self::Rejected(rejection) = &self {
            metrics.count_rejection(&rejection.error);
        }
        self.into()
    }
}

impl From<Failure> for RpcError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::AlreadyInUtxoSet => {
                Self::new(RpcErrorCode::VerifyAlreadyInUtxoSet, "Transaction outputs already in utxo set")
            }
            Failure::MaxFeeExceeded => Self::new(
                RpcErrorCode::VerifyError,
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
            ),
            Failure::Rejected(Rejection { error, .. }) => {
                let code = match error.verdict() {
                    TransactionVerdict::MissingInputs | TransactionVerdict::OurFault => RpcErrorCode::VerifyError,
                    _ => RpcErrorCode::VerifyRejected,
                };
                Self::new(code, error.reject_details())
            }
        }
    }
}
