//! Transactions enter the pool (Core: `BroadcastTransaction`, `node/transaction.cpp`).
//!
//! One comes in three steps, so that nobody waits for its scripts: checked on the chain thread, verified elsewhere, admitted on
//! the chain thread. Many of a batch are admitted in their order, too, but the scripts of those that follow are verified
//! meanwhile.

use std::sync::Arc;

use bitcoin::{Amount, OutPoint, Txid};
use cairn_chain::coins::MAX_OUTPUTS_PER_BLOCK;
use cairn_chain::mempool::{Candidate, FeeRate, VerifiedCandidate};
use cairn_chain::primitives::Transaction;
use cairn_chain::validation::ValidationCache;
use tokio::task::JoinHandle;

use super::decode::{Form, decode_hex_tx};
use super::failure::Failure;
use super::limits::{self, MAX_BURN_AMOUNT, MAX_FEE_RATE};
use super::verify_ahead;
use crate::chain_service::Chain;
use crate::context::SharedContext;
use crate::metrics::MempoolMetrics;
use crate::rpc::{
    Arguments, Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult,
    to_result,
};

/// Transactions of a batch that are looked at together; the scripts of so many more are verified meanwhile.
const WINDOW: usize = 64;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "sendrawtransaction",
    category: Category::Rawtransactions,
    description: "Submit a raw transaction (serialized, hex-encoded) to the network.\n\
        \nThe transaction will be put into the local mempool of the node and will be sent unconditionally to all\n\
        currently connected peers, so using sendrawtransaction for manual rebroadcast will degrade\n\
        privacy by leaking the transaction's origin, as nodes will normally not\n\
        rebroadcast non-wallet transactions already in their mempool.\n\
        \nA specific exception, RPC_TRANSACTION_ALREADY_IN_UTXO_SET, may throw if the transaction cannot be added to the \
        mempool.\n\
        \nRelated RPCs: createrawtransaction, signrawtransactionwithkey\n",
    parameters: &[
        Parameter::hex("hexstring", Presence::Required, "The hex string of the raw transaction"),
        MAX_FEE_RATE,
        MAX_BURN_AMOUNT,
    ],
    results: &[ResultDoc::hex("", "The transaction hash in hex")],
    examples: &[
        Example::text("\nCreate a transaction\n"),
        Example::cli_of(
            "createrawtransaction",
            "\"[{\\\"txid\\\" : \\\"mytxid\\\",\\\"vout\\\":0}]\" \"{\\\"myaddress\\\":0.01}\"",
        ),
        Example::text("Sign the transaction, and get back the hex\n"),
        Example::cli_of("signrawtransactionwithkey", "\"myhex\" \"[\\\"mykey\\\"]\""),
        Example::text("\nSend the transaction (signed hex)\n"),
        Example::cli("\"signedhex\""),
        Example::text("\nAs a JSON-RPC call\n"),
        Example::rpc("\"signedhex\""),
    ],
    handler: |call| Box::pin(sendrawtransaction(call)),
}];

/// What a client sent.
#[derive(Debug, Clone)]
struct Submission {
    transaction: Arc<Transaction>,
    /// The most it may pay, in satoshis.
    max_fee: Option<i64>,
}

impl Submission {
    fn read(arguments: &Arguments) -> Result<Self, RpcError> {
        let max_burn: Amount = arguments.get("maxburnamount")?;
        let hex: String = arguments.get("hexstring")?;
        let transaction = decode_hex_tx(&hex, Form::Any)
            .ok_or_else(|| RpcError::deserialization("TX decode failed. Make sure the tx has at least one input."))?;
        limits::check_burn(transaction.as_ref(), max_burn)?;
        let rate: Option<FeeRate> = limits::max_fee_rate(arguments)?;
        let max_fee = limits::max_fee(transaction.as_ref(), rate);
        Ok(Self { transaction: Arc::new(transaction), max_fee })
    }

    fn txid(&self) -> Txid {
        self.transaction.as_ref().as_ref().txid()
    }
}

/// Where a transaction is on its way.
enum Step {
    /// It is in the pool.
    Done,
    /// Its scripts are to be verified.
    Scripts(Box<Candidate>, Arc<ValidationCache>),
}

async fn sendrawtransaction(call: Call) -> RpcResult {
    let submission = Submission::read(&call.arguments)?;
    let begun = submission.clone();
    let step = call.context.chain.call(move |chain| begin(chain, &begun)).await?;
    match step.map_err(|failure| failure.count(&call.context.metrics.mempool))? {
        Step::Done => to_result(&DisplayString(submission.txid())),
        Step::Scripts(candidate, cache) => verify_and_finish(&call.context, candidate, cache, submission).await,
    }
}

/// Verifies the scripts of a transaction that was checked, and admits it.
async fn verify_and_finish(
    context: &SharedContext,
    candidate: Box<Candidate>,
    cache: Arc<ValidationCache>,
    submission: Submission,
) -> RpcResult {
    let verify = move || candidate.verify_scripts(&cache);
    let verified = verify_ahead::run_for(&submission.transaction, verify).await?;
    let metrics = &context.metrics.mempool;
    let verified = verified.map_err(|rejection| Failure::Rejected(rejection).count(metrics))?;
    let (txid, max_fee) = (submission.txid(), submission.max_fee);
    let finished = context.chain.call(move |chain| finish(chain, verified, max_fee)).await?;
    finished.map_err(|failure| failure.count(metrics))?;
    to_result(&DisplayString(txid))
}

/// Checks a transaction, and admits it at once if its scripts were verified ahead.
fn begin(chain: &mut Chain, submission: &Submission) -> Result<Step, Failure> {
    let Submission { transaction, max_fee } = submission;
    let tx = transaction.as_ref().as_ref();
    let txid = tx.txid();
    // No block holds a transaction with more outputs, so nobody has to look.
    for (vout, _) in (0..MAX_OUTPUTS_PER_BLOCK).zip(tx.outputs()) {
        let coin = chain.chainstate.coin(&OutPoint { txid, vout });
        if coin.map_err(|error| Failure::Rejected(error.into()))?.is_some() {
            return Err(Failure::AlreadyInUtxoSet);
        }
    }
    if chain.mempool.contains(&txid) {
        // Whoever sends it again wants it to be announced again.
        chain.mempool.add_unbroadcast(txid);
        return Ok(Step::Done);
    }
    let candidate = chain.mempool.check(&chain.chainstate, Arc::clone(transaction))?;
    let cache = chain.chainstate.validation_cache();
    if !candidate.was_verified_ahead(cache) {
        return Ok(Step::Scripts(Box::new(candidate), Arc::clone(cache)));
    }
    let verified = candidate.verify_scripts(cache)?;
    finish(chain, verified, *max_fee)?;
    Ok(Step::Done)
}

/// Admits a transaction whose scripts were verified.
fn finish(chain: &mut Chain, verified: VerifiedCandidate, max_fee: Option<i64>) -> Result<(), Failure> {
    let admitted = verified.admitted();
    let fee = i64::try_from(admitted.base_fee.to_sat()).unwrap_or(i64::MAX);
    if max_fee.is_some_and(|max_fee| fee > max_fee) {
        return Err(Failure::MaxFeeExceeded);
    }
    let admitted = chain.admit(verified)?;
    chain.mempool.add_unbroadcast(admitted.txid);
    Ok(())
}

/// Does what calls one after the other would do, in their order.
pub(in crate::rpc) async fn send_many(context: SharedContext, calls: Vec<Arguments>) -> Vec<RpcResult> {
    let mut results = Vec::with_capacity(calls.len());
    let mut calls = calls.into_iter();
    let mut next = Window::prepare(&context, &mut calls, Vec::new()).await;
    while let Some(window) = next {
        // Before the pool changes, so that the next scripts are verified while it does.
        next = Window::prepare(&context, &mut calls, window.transactions()).await;
        // What was not verified ahead is verified when it is its turn.
        let _ = window.verification.await;
        results.extend(submit_in_order(&context, window.submissions).await);
    }
    results
}

/// Transactions of a batch that are looked at together.
struct Window {
    /// What can be submitted, and errors for what cannot.
    submissions: Vec<Result<Submission, RpcError>>,
    /// Ends when their scripts were verified.
    verification: JoinHandle<Result<(), RpcError>>,
}

impl Window {
    /// Reads the next calls and begins to verify their scripts. `before` are transactions that come first and are not in the
    /// pool yet.
    async fn prepare(
        context: &SharedContext,
        calls: &mut std::vec::IntoIter<Arguments>,
        before: Vec<Arc<Transaction>>,
    ) -> Option<Self> {
        let calls: Vec<_> = calls.by_ref().take(WINDOW).collect();
        if calls.is_empty() {
            return None;
        }
        let submissions: Vec<_> = calls.iter().map(Submission::read).collect();
        let transactions = transactions_of(&submissions);
        let ahead = verify_ahead::look_up(&context.chain, before, transactions).await;
        let verification = tokio::spawn(async move { ahead?.verify().await });
        Some(Self { submissions, verification })
    }

    fn transactions(&self) -> Vec<Arc<Transaction>> {
        transactions_of(&self.submissions)
    }
}

fn transactions_of(submissions: &[Result<Submission, RpcError>]) -> Vec<Arc<Transaction>> {
    submissions.iter().flatten().map(|submission| Arc::clone(&submission.transaction)).collect()
}

/// Submits transactions in their order, with few visits to the chain thread when most were verified ahead.
async fn submit_in_order(context: &SharedContext, submissions: Vec<Result<Submission, RpcError>>) -> Vec<RpcResult> {
    let mut results = Vec::with_capacity(submissions.len());
    let mut rest = submissions.into_iter();
    loop {
        let metrics = Arc::clone(&context.metrics.mempool);
        let run = context.chain.call(move |chain| submit_run(chain, rest, &metrics)).await;
        let run = match run {
            Ok(run) => run,
            Err(stopped) => {
                results.resize_with(results.capacity(), || Err(stopped.into()));
                return results;
            }
        };
        results.extend(run.results);
        let Some((submission, candidate, cache)) = run.waiting else { return results };
        results.push(verify_and_finish(context, candidate, cache, submission).await);
        rest = run.rest;
    }
}

/// What was done in one visit to the chain thread.
struct Run {
    results: Vec<RpcResult>,
    /// The transaction that must be verified before the rest can go on.
    waiting: Option<(Submission, Box<Candidate>, Arc<ValidationCache>)>,
    rest: std::vec::IntoIter<Result<Submission, RpcError>>,
}

fn submit_run(
    chain: &mut Chain,
    mut rest: std::vec::IntoIter<Result<Submission, RpcError>>,
    metrics: &MempoolMetrics,
) -> Run {
    let mut results = Vec::with_capacity(rest.len());
    for submission in rest.by_ref() {
        let submission = match submission {
            Ok(submission) => submission,
            Err(error) => {
                results.push(Err(error));
                continue;
            }
        };
        match begin(chain, &submission) {
            Ok(Step::Done) => results.push(to_result(&DisplayString(submission.txid()))),
            Ok(Step::Scripts(candidate, cache)) => {
                return Run { results, waiting: Some((submission, candidate, cache)), rest };
            }
            Err(failure) => results.push(Err(failure.count(metrics))),
        }
    }
    Run { results, waiting: None, rest }
}
