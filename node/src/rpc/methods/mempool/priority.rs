//! What the operator pretends that transactions pay. Unlike elsewhere, amounts are in satoshis.

use bitcoin::Txid;
use cairn_chain::mempool::policy::dust_outputs;
use cairn_chain::mempool::{Mempool, MempoolEntry};
use serde::{Serialize, Serializer};

use crate::rpc::{Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getprioritisedtransactions",
        category: Category::Mining,
        description: "Returns a map of all user-created (see prioritisetransaction) fee deltas by txid, and whether the tx \
            is present in mempool.",
        parameters: &[],
        results: &[ResultDoc::object_dynamic(
            "",
            "prioritisation keyed by txid",
            &[ResultDoc::object(
                "<transactionid>",
                "",
                &[
                    ResultDoc::number("fee_delta", "transaction fee delta in satoshis"),
                    ResultDoc::boolean("in_mempool", "whether this transaction is currently in mempool"),
                    ResultDoc::number("modified_fee", "modified fee in satoshis. Only returned if in_mempool=true")
                        .optional(),
                ],
            )],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getprioritisedtransactions(call)),
    },
    Method {
        name: "prioritisetransaction",
        category: Category::Mining,
        description: "Accepts the transaction into mined blocks at a higher (or lower) priority\n",
        parameters: &[
            Parameter::hex("txid", Presence::Required, "The transaction id."),
            Parameter::number(
                "dummy",
                Presence::Omitted,
                "API-Compatibility for previous API. Must be zero or null.\n                  \
                 DEPRECATED. For forward compatibility use named arguments and omit this parameter.",
            ),
            Parameter::number(
                "fee_delta",
                Presence::Required,
                "The fee value (in satoshis) to add (or subtract, if negative).\n                  \
                 Note, that this value is not a fee rate. It is a value to modify absolute fee of the TX.\n                  \
                 The fee is not actually paid, only the algorithm for selecting transactions into a block\n                  \
                 considers the transaction as it would have paid a higher (or lower) fee.",
            ),
        ],
        results: &[ResultDoc::boolean("", "Returns true")],
        examples: &[Example::cli("\"txid\" 0.0 10000"), Example::rpc("\"txid\", 0.0, 10000")],
        handler: |call| Box::pin(prioritisetransaction(call)),
    },
];

async fn prioritisetransaction(call: Call) -> RpcResult {
    let txid: Txid = call.arguments.get("txid")?;
    let dummy: Option<f64> = call.arguments.optional("dummy")?;
    let fee_delta: i64 = call.arguments.get("fee_delta")?;
    if dummy.is_some_and(|dummy| dummy != 0.0) {
        let message = "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.";
        return Err(RpcError::invalid_parameter(message));
    }
    let done = call.context.chain.call(move |chain| {
        let policy = &chain.mempool.options().policy;
        // A transaction with dust pays no fee, or it would not be here; pretending one would bring the dust in by itself.
        let has_dust = |entry: &MempoolEntry| dust_outputs(entry.tx(), policy.dust_relay_fee).next().is_some();
        if policy.require_standard && chain.mempool.get(&txid).is_some_and(has_dust) {
            let message = "Priority is not supported for transactions with dust outputs.";
            return Err(RpcError::invalid_parameter(message));
        }
        chain.mempool.prioritise_transaction(txid, fee_delta);
        Ok(())
    });
    done.await??;
    to_result(&true)
}

#[derive(Debug, Serialize)]
struct Prioritised {
    fee_delta: i64,
    in_mempool: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_fee: Option<i64>,
}

#[derive(Debug)]
struct AllPrioritised(Vec<(Txid, Prioritised)>);

impl AllPrioritised {
    fn of(mempool: &Mempool) -> Self {
        let prioritised = |(txid, fee_delta): (&Txid, &i64)| {
            let modified_fee = mempool.get(txid).map(MempoolEntry::modified_fee);
            (*txid, Prioritised { fee_delta: *fee_delta, in_mempool: modified_fee.is_some(), modified_fee })
        };
        Self(mempool.prioritised_transactions().iter().map(prioritised).collect())
    }
}

impl Serialize for AllPrioritised {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(txid, prioritised)| (txid.to_string(), prioritised)))
    }
}

async fn getprioritisedtransactions(call: Call) -> RpcResult {
    to_result(&call.context.chain.call(|chain| AllPrioritised::of(&chain.mempool)).await?)
}
