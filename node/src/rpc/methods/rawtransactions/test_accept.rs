//! Whether transactions would enter the pool.

use std::sync::Arc;

use bitcoin::{Txid, Wtxid};
use cairn_chain::mempool::policy::{MAX_PACKAGE_COUNT, TransactionVerdict};
use cairn_chain::mempool::{Admitted, FeeRate, PackageOutcome, PackageRejection, PackageResult};
use cairn_chain::primitives::{Transaction, TransactionRef};
use serde::Serialize;

use super::decode::{Form, decode_hex_tx};
use super::limits::{self, MAX_FEE_RATE};
use super::verify_ahead;
use crate::context::SharedContext;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "testmempoolaccept",
    category: Category::Rawtransactions,
    description: "Returns result of mempool acceptance tests indicating if raw transaction(s) (serialized, hex-encoded) \
        would be accepted by mempool.\n\
        \nIf multiple transactions are passed in, parents must come before children and package policies apply: the \
        transactions cannot conflict with any mempool transactions or each other.\n\
        \nIf one transaction fails, other transactions may not be fully validated (the 'allowed' key will be blank).\n\
        \nThe maximum number of transactions allowed is 25.\n\
        \nThis checks if transactions violate the consensus or policy rules.\n\
        \nSee sendrawtransaction call.\n",
    parameters: &[
        Parameter::array(
            "rawtxs",
            Presence::Required,
            "An array of hex strings of raw transactions.",
            &[Parameter::hex("rawtx", Presence::Omitted, "")],
        ),
        MAX_FEE_RATE,
    ],
    results: &[ResultDoc::array(
        "",
        "The result of the mempool acceptance test for each raw transaction in the input array.\n\
         Returns results for each transaction in the same order they were passed in.\n\
         Transactions that cannot be fully validated due to failures in other transactions will not contain an 'allowed' \
         result.\n",
        &[ResultDoc::object("", "", ACCEPTANCE_FIELDS)],
    )],
    examples: &[
        Example::text("\nCreate a transaction\n"),
        Example::cli_of(
            "createrawtransaction",
            "\"[{\\\"txid\\\" : \\\"mytxid\\\",\\\"vout\\\":0}]\" \"{\\\"myaddress\\\":0.01}\"",
        ),
        Example::text("Sign the transaction, and get back the hex\n"),
        Example::cli_of("signrawtransactionwithkey", "\"myhex\" \"[\\\"mykey\\\"]\""),
        Example::text("\nTest acceptance of the transaction (signed hex)\n"),
        Example::cli("'[\"signedhex\"]'"),
        Example::text("\nAs a JSON-RPC call\n"),
        Example::rpc("[\"signedhex\"]"),
    ],
    handler: |call| Box::pin(testmempoolaccept(call)),
}];

const ACCEPTANCE_FIELDS: &[ResultDoc] = &[
    ResultDoc::hex("txid", "The transaction hash in hex"),
    ResultDoc::hex("wtxid", "The transaction witness hash in hex"),
    ResultDoc::string(
        "package-error",
        "Package validation error, if any (only possible if rawtxs had more than 1 transaction).",
    )
    .optional(),
    ResultDoc::boolean(
        "allowed",
        "Whether this tx would be accepted to the mempool and pass client-specified maxfeerate. If not present, the tx was \
         not fully validated due to a failure in another tx in the list.",
    )
    .optional(),
    ResultDoc::number(
        "vsize",
        "Virtual transaction size as defined in BIP 141. This is different from actual serialized size for witness \
         transactions as witness data is discounted (only present when 'allowed' is true)",
    )
    .optional(),
    ResultDoc::object(
        "fees",
        "Transaction fees (only present if 'allowed' is true)",
        &[
            ResultDoc::amount("base", "transaction fee in BTC"),
            ResultDoc::amount(
                "effective-feerate",
                "the effective feerate in BTC per KvB. May differ from the base feerate if, for example, there are \
                 modified fees from prioritisetransaction or a package feerate was used.",
            ),
            ResultDoc::array(
                "effective-includes",
                "transactions whose fees and vsizes are included in effective-feerate.",
                &[ResultDoc::hex("", "transaction wtxid in hex")],
            ),
        ],
    )
    .optional(),
    ResultDoc::string("reject-reason", "Rejection reason (only present when 'allowed' is false)").optional(),
    ResultDoc::string(
        "reject-details",
        "Rejection details (only present when 'allowed' is false and rejection details exist)",
    )
    .optional(),
];

/// What a transaction would be told.
#[derive(Debug, Serialize)]
struct Acceptance {
    txid: DisplayString<Txid>,
    wtxid: DisplayString<Wtxid>,
    #[serde(rename = "package-error", skip_serializing_if = "Option::is_none")]
    package_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vsize: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fees: Option<Fees>,
    #[serde(rename = "reject-reason", skip_serializing_if = "Option::is_none")]
    reject_reason: Option<String>,
    #[serde(rename = "reject-details", skip_serializing_if = "Option::is_none")]
    reject_details: Option<String>,
}

/// What it pays, and what was compared with the minimum.
#[derive(Debug, Serialize)]
pub(super) struct Fees {
    pub(super) base: Btc,
    #[serde(rename = "effective-feerate", skip_serializing_if = "Option::is_none")]
    pub(super) effective_fee_rate: Option<Btc>,
    #[serde(rename = "effective-includes", skip_serializing_if = "Option::is_none")]
    pub(super) effective_includes: Option<Vec<DisplayString<Wtxid>>>,
}

impl From<&Admitted> for Fees {
    fn from(admitted: &Admitted) -> Self {
        Self {
            base: admitted.base_fee.into(),
            effective_fee_rate: Some(Btc(admitted.effective_fee_rate.fee_per_kvb())),
            effective_includes: Some(admitted.effective_includes.iter().copied().map(DisplayString).collect()),
        }
    }
}

async fn testmempoolaccept(call: Call) -> RpcResult {
    let digits: Vec<String> = call.arguments.get("rawtxs")?;
    check_count(digits.len())?;
    let max_fee_rate = limits::max_fee_rate(&call.arguments)?;
    let package = read_package(&digits, |_| Ok(()))?;
    verify_package_ahead(&call.context, &package).await?;
    let tested = package.clone();
    let result = call.context.chain.call(move |chain| chain.mempool.test_package(&chain.chainstate, &tested)).await?;
    to_result(&acceptances(&package, &result, max_fee_rate))
}

/// Fails for a package that has too many transactions, or none.
pub(super) fn check_count(count: usize) -> Result<(), RpcError> {
    if (1..=MAX_PACKAGE_COUNT).contains(&count) {
        return Ok(());
    }
    Err(RpcError::invalid_parameter(format!("Array must contain between 1 and {MAX_PACKAGE_COUNT} transactions.")))
}

/// Reads the transactions of a package, each of which is to pass a check of the caller.
pub(super) fn read_package(
    digits: &[String],
    check: impl Fn(TransactionRef<'_>) -> Result<(), RpcError>,
) -> Result<Vec<Arc<Transaction>>, RpcError> {
    let read = |hex: &String| {
        let transaction = decode_hex_tx(hex, Form::Any).ok_or_else(|| {
            RpcError::deserialization(format!("TX decode failed: {hex} Make sure the tx has at least one input."))
        })?;
        check(transaction.as_ref())?;
        Ok(Arc::new(transaction))
    };
    digits.iter().map(read).collect()
}

/// Verifies the scripts of a package off the chain thread, which then finds them verified.
pub(super) async fn verify_package_ahead(
    context: &SharedContext,
    package: &[Arc<Transaction>],
) -> Result<(), RpcError> {
    verify_ahead::look_up(&context.chain, Vec::new(), package.to_vec()).await?.verify().await
}

fn acceptances(package: &[Arc<Transaction>], result: &PackageResult, max_fee_rate: Option<FeeRate>) -> Vec<Acceptance> {
    let is_about_the_package =
        |error: &&PackageRejection| !matches!(error, PackageRejection::Transaction | PackageRejection::UnspentDust);
    let package_error = result.error.as_ref().filter(is_about_the_package).map(PackageRejection::reject_details);
    // Behind one whose fee is too high nothing is told: it would not be sent, and what follows may depend on it.
    let mut ends_early = false;
    let acceptance = |transaction: &Arc<Transaction>| {
        let tx = transaction.as_ref().as_ref();
        let mut acceptance = Acceptance {
            txid: DisplayString(tx.txid()),
            wtxid: DisplayString(tx.wtxid()),
            package_error: package_error.clone(),
            allowed: None,
            vsize: None,
            fees: None,
            reject_reason: None,
            reject_details: None,
        };
        match result.transactions.get(&tx.wtxid()).filter(|_| !ends_early) {
            Some(PackageOutcome::Admitted(admitted)) => {
                let size = u64::try_from(admitted.virtual_size).unwrap_or(u64::MAX);
                let max_fee = max_fee_rate.map_or(u64::MAX, |rate| u64::try_from(rate.fee_for(size)).unwrap_or(0));
                if admitted.base_fee.to_sat() > max_fee {
                    acceptance.allowed = Some(false);
                    acceptance.reject_reason = Some("max-fee-exceeded".to_owned());
                    ends_early = true;
                } else {
                    acceptance.allowed = Some(true);
                    acceptance.vsize = Some(admitted.virtual_size);
                    acceptance.fees = Some(admitted.into());
                }
            }
            Some(PackageOutcome::Rejected(rejection)) => {
                acceptance.allowed = Some(false);
                if rejection.error.verdict() == TransactionVerdict::MissingInputs {
                    acceptance.reject_reason = Some("missing-inputs".to_owned());
                } else {
                    acceptance.reject_reason = Some(rejection.error.reject_reason().into_owned());
                    acceptance.reject_details = Some(rejection.error.reject_details());
                }
            }
            // A test finds none that is there already: that is a rejection.
            Some(PackageOutcome::AlreadyInMempool { .. } | PackageOutcome::DifferentWitness { .. }) | None => {}
        }
        acceptance
    };
    package.iter().map(acceptance).collect()
}
