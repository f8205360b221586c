//! Which transactions of the pool spend given outputs.

use bitcoin::{OutPoint, Txid};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::rpc::{
    Call, Category, DisplayString, Example, HexBytes, JsonType, Method, Object, Parameter, Presence, ResultDoc,
    RpcError, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "gettxspendingprevout",
    category: Category::Blockchain,
    description: "Scans the mempool (and the txospenderindex, if available) to find transactions spending any of the given \
        outputs",
    parameters: &[
        Parameter::array(
            "outputs",
            Presence::Required,
            "The transaction outputs that we want to check, and within each, the txid (string) vout (numeric).",
            &[Parameter::object(
                "",
                Presence::Omitted,
                "",
                &[
                    Parameter::hex("txid", Presence::Required, "The transaction id"),
                    Parameter::number("vout", Presence::Required, "The output number"),
                ],
            )],
        ),
        Parameter::named_options(
            "options",
            Presence::Omitted,
            "",
            &[
                Parameter::boolean(
                    "mempool_only",
                    Presence::Hint("true if txospenderindex unavailable, otherwise false"),
                    "If false and mempool lacks a relevant spend, use txospenderindex (throws an exception if not \
                     available).",
                ),
                Parameter::boolean(
                    "return_spending_tx",
                    Presence::Hint("false"),
                    "If true, return the full spending tx.",
                ),
            ],
        ),
    ],
    results: &[ResultDoc::array("", "", &[ResultDoc::object("", "", SPENDER_FIELDS)])],
    examples: &[
        Example::cli(
            "\"[{\\\"txid\\\":\\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\\",\\\"vout\\\":3}]\"",
        ),
        Example::rpc(
            "\"[{\\\"txid\\\":\\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\\",\\\"vout\\\":3}]\"",
        ),
        Example::cli(
            "outputs='[{\"txid\":\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\",\"vout\":3}]' \
             return_spending_tx=true",
        ),
    ],
    handler: |call| Box::pin(gettxspendingprevout(call)),
}];

const SPENDER_FIELDS: &[ResultDoc] = &[
    ResultDoc::hex("txid", "the transaction id of the checked output"),
    ResultDoc::number("vout", "the vout value of the checked output"),
    ResultDoc::hex(
        "spendingtxid",
        "the transaction id of the mempool transaction spending this output (omitted if unspent)",
    )
    .optional(),
    ResultDoc::hex(
        "spendingtx",
        "the transaction spending this output (only if return_spending_tx is set, omitted if unspent)",
    )
    .optional(),
    ResultDoc::hex(
        "blockhash",
        "the hash of the spending block (omitted if unspent or the spending tx is not confirmed)",
    )
    .optional(),
];

/// Outputs looked at in one visit to the chain thread; in between it does other things.
const OUTPUTS_AT_ONCE: usize = 1024;

#[derive(Debug, Serialize)]
struct Spender {
    /// As it was passed.
    txid: Box<RawValue>,
    vout: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    spendingtxid: Option<DisplayString<Txid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spendingtx: Option<HexBytes>,
}

async fn gettxspendingprevout(call: Call) -> RpcResult {
    let outputs: Vec<Object> = call.arguments.get("outputs")?;
    if outputs.is_empty() {
        return Err(RpcError::invalid_parameter("Invalid parameter, outputs are missing"));
    }
    let options: Object = call.arguments.optional("options")?.unwrap_or_default();
    let types = [("mempool_only", Some(JsonType::Bool)), ("return_spending_tx", Some(JsonType::Bool))];
    options.check_types(&types, true, true)?;
    let mempool_only = options.optional("mempool_only")?.unwrap_or(true);
    let return_spending_tx = options.optional("return_spending_tx")?.unwrap_or(false);
    let mut spenders = outputs.iter().map(read_outpoint).collect::<Result<Vec<_>, _>>()?;

    for some in spenders.chunks_mut(OUTPUTS_AT_ONCE) {
        let outpoints: Vec<_> = some.iter().map(|(outpoint, _)| *outpoint).collect();
        let found = call.context.chain.call(move |chain| {
            let spender = |outpoint| chain.mempool.spender(outpoint).map(|entry| entry.transaction.clone());
            outpoints.iter().map(spender).collect::<Vec<_>>()
        });
        for ((_, told), found) in some.iter_mut().zip(found.await?) {
            match found {
                Some(transaction) => {
                    let tx = transaction.as_ref().as_ref();
                    told.spendingtxid = Some(DisplayString(tx.txid()));
                    told.spendingtx = return_spending_tx.then(|| HexBytes(tx.bytes().to_vec()));
                }
                None if mempool_only => {}
                None => {
                    let message = "Mempool lacks a relevant spend, and txospenderindex is unavailable.";
                    return Err(RpcError::misc(message));
                }
            }
        }
    }
    to_result(&spenders.into_iter().map(|(_, told)| told).collect::<Vec<_>>())
}

fn read_outpoint(output: &Object) -> Result<(OutPoint, Spender), RpcError> {
    let types = [("txid", Some(JsonType::String)), ("vout", Some(JsonType::Number))];
    output.check_types(&types, false, true)?;
    let txid: Txid = output.get("txid")?;
    let vout: i32 = output.get("vout")?;
    let index =
        u32::try_from(vout).map_err(|_| RpcError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
    let told = Spender { txid: output.get("txid")?, vout, spendingtxid: None, spendingtx: None };
    Ok((OutPoint { txid, vout: index }, told))
}
