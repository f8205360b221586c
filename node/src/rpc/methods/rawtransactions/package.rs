//! Several transactions enter the pool together.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use bitcoin::{Amount, Txid, Wtxid};
use cairn_chain::mempool::policy::is_child_with_parents_tree;
use cairn_chain::mempool::{PackageOutcome, PackageRejection, PackageResult};
use cairn_chain::primitives::Transaction;
use serde::Serialize;

use super::limits::{self, MAX_BURN_AMOUNT, MAX_FEE_RATE};
use super::test_accept::{Fees, check_count, read_package, verify_package_ahead};
use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult,
    to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "submitpackage",
    category: Category::Rawtransactions,
    description: "Submit a package of raw transactions (serialized, hex-encoded) to local node.\n\
        The package will be validated according to consensus and mempool policy rules. If any transaction passes, it will \
        be accepted to mempool.\n\
        This RPC is experimental and the interface may be unstable. Refer to doc/policy/packages.md for documentation on \
        package policies.\n\
        Warning: successful submission does not mean the transactions will propagate throughout the network.\n",
    parameters: &[
        Parameter::array(
            "package",
            Presence::Required,
            "An array of raw transactions.\n\
             The package must consist of a transaction with (some, all, or none of) its unconfirmed parents. A single \
             transaction is permitted.\n\
             None of the parents may depend on each other. Parents that are already in mempool do not need to be present \
             in the package.\n\
             The package must be topologically sorted, with the child being the last element in the array if there are \
             multiple elements.",
            &[Parameter::hex("rawtx", Presence::Omitted, "")],
        ),
        MAX_FEE_RATE,
        MAX_BURN_AMOUNT,
    ],
    results: &[ResultDoc::object(
        "",
        "",
        &[
            ResultDoc::string(
                "package_msg",
                "The transaction package result message. \"success\" indicates all transactions were accepted into or are \
                 already in the mempool.",
            ),
            ResultDoc::object_dynamic(
                "tx-results",
                "The transaction results keyed by wtxid. An entry is returned for every submitted wtxid.",
                &[ResultDoc::object("wtxid", "transaction wtxid", TRANSACTION_FIELDS)],
            ),
            ResultDoc::array(
                "replaced-transactions",
                "List of txids of replaced transactions",
                &[ResultDoc::hex("", "The transaction id")],
            )
            .optional(),
        ],
    )],
    examples: &[
        Example::rpc("[\"raw-parent-tx-1\", \"raw-parent-tx-2\", \"raw-child-tx\"]"),
        Example::cli("'[\"raw-tx-without-unconfirmed-parents\"]'"),
    ],
    handler: |call| Box::pin(submitpackage(call)),
}];

const TRANSACTION_FIELDS: &[ResultDoc] = &[
    ResultDoc::hex("txid", "The transaction hash in hex"),
    ResultDoc::hex(
        "other-wtxid",
        "The wtxid of a different transaction with the same txid but different witness found in the mempool. This means \
         the submitted transaction was ignored.",
    )
    .optional(),
    ResultDoc::number("vsize", "Sigops-adjusted virtual transaction size.").optional(),
    ResultDoc::object(
        "fees",
        "Transaction fees",
        &[
            ResultDoc::amount("base", "transaction fee in BTC"),
            ResultDoc::amount(
                "effective-feerate",
                "if the transaction was not already in the mempool, the effective feerate in BTC per KvB. For example, the \
                 package feerate and/or feerate with modified fees from prioritisetransaction.",
            )
            .optional(),
            ResultDoc::array(
                "effective-includes",
                "if effective-feerate is provided, the wtxids of the transactions whose fees and vsizes are included in \
                 effective-feerate.",
                &[ResultDoc::hex("", "transaction wtxid in hex")],
            )
            .optional(),
        ],
    )
    .optional(),
    ResultDoc::string(
        "error",
        "Error string if rejected from mempool, or \"package-not-validated\" when the package aborts before any per-tx \
         processing.",
    )
    .optional(),
];

#[derive(Debug, Serialize)]
struct PackageReport {
    package_msg: String,
    #[serde(rename = "tx-results")]
    results: Outcomes,
    #[serde(rename = "replaced-transactions")]
    replaced: Vec<DisplayString<Txid>>,
}

/// What became of each transaction, in the order of the package.
#[derive(Debug)]
struct Outcomes(Vec<(Wtxid, Outcome)>);

impl Serialize for Outcomes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(wtxid, outcome)| (wtxid.to_string(), outcome)))
    }
}

#[derive(Debug, Serialize)]
struct Outcome {
    txid: DisplayString<Txid>,
    #[serde(rename = "other-wtxid", skip_serializing_if = "Option::is_none")]
    other_wtxid: Option<DisplayString<Wtxid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vsize: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fees: Option<Fees>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn submitpackage(call: Call) -> RpcResult {
    let digits: Vec<String> = call.arguments.get("package")?;
    check_count(digits.len())?;
    let max_fee_rate = limits::max_fee_rate(&call.arguments)?;
    let max_burn: Amount = call.arguments.get("maxburnamount")?;
    let package = read_package(&digits, |tx| limits::check_burn(tx, max_burn))?;
    let views: Vec<_> = package.iter().map(|transaction| transaction.as_ref().as_ref()).collect();
    if views.len() > 1 && !is_child_with_parents_tree(&views) {
        let message = "package topology disallowed. not child-with-parents or parents depend on each other.";
        return Err(RpcError::new(RpcErrorCode::VerifyError, message));
    }
    drop(views);
    verify_package_ahead(&call.context, &package).await?;
    let submitted = package.clone();
    let submit = call.context.chain.call(move |chain| {
        let result = chain.mempool.accept_package(&chain.chainstate, &submitted, max_fee_rate);
        for transaction in &submitted {
            chain.mempool.add_unbroadcast(transaction.as_ref().as_ref().txid());
        }
        result
    });
    let result = submit.await?;
    for outcome in result.transactions.values() {
        if let PackageOutcome::Rejected(rejection) = outcome {
            call.context.metrics.mempool.count_rejection(&rejection.error);
        }
    }
    to_result(&report(&package, &result))
}

fn report(package: &[Arc<Transaction>], result: &PackageResult) -> PackageReport {
    let mut replaced = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    for transaction in package {
        let tx = transaction.as_ref().as_ref();
        let outcome = result.transactions.get(&tx.wtxid());
        if let Some(PackageOutcome::Admitted(admitted)) = outcome {
            replaced.extend(admitted.replaced.iter().map(|transaction| transaction.as_ref().as_ref().txid()));
        }
        if seen.insert(tx.wtxid()) {
            order.push((tx.wtxid(), outcome_of(tx.txid(), outcome)));
        }
    }
    PackageReport {
        package_msg: result.error.as_ref().map_or_else(|| "success".to_owned(), PackageRejection::reject_details),
        results: Outcomes(order),
        replaced: replaced.into_iter().map(DisplayString).collect(),
    }
}

fn outcome_of(txid: Txid, outcome: Option<&PackageOutcome>) -> Outcome {
    let mut told = Outcome { txid: DisplayString(txid), other_wtxid: None, vsize: None, fees: None, error: None };
    match outcome {
        Some(PackageOutcome::Admitted(admitted)) => {
            told.vsize = Some(admitted.virtual_size);
            told.fees = Some(admitted.into());
        }
        Some(PackageOutcome::AlreadyInMempool { virtual_size, base_fee }) => {
            told.vsize = Some(*virtual_size);
            told.fees = Some(Fees { base: (*base_fee).into(), effective_fee_rate: None, effective_includes: None });
        }
        Some(PackageOutcome::DifferentWitness { wtxid }) => told.other_wtxid = Some(DisplayString(*wtxid)),
        Some(PackageOutcome::Rejected(rejection)) => told.error = Some(rejection.error.reject_details()),
        None => told.error = Some("package-not-validated".to_owned()),
    }
    told
}
