//! One transaction of the pool, its relatives, or all (Core: `MempoolToJSON`, `rpc/mempool.cpp`).

use bitcoin::Txid;
use cairn_chain::mempool::{GraphIndex, Mempool, TxGraph};
use serde::{Serialize, Serializer};

use super::entry::{ENTRY_FIELDS, EntryView};
use super::not_in_mempool;
use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};

/// Transactions whose views are made in one visit to the chain thread; in between it does other things.
const VIEWS_AT_ONCE: usize = 256;

const TXID: Parameter = Parameter::hex("txid", Presence::Required, "The transaction id (must be in mempool)");
const VERBOSE: Parameter = Parameter::boolean(
    "verbose",
    Presence::Default("false"),
    "True for a json object, false for array of transaction ids",
);
const VERBOSE_RESULT: ResultDoc =
    ResultDoc::object_dynamic("", "", &[ResultDoc::object("transactionid", "", ENTRY_FIELDS)])
        .when("for verbose = true");

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getmempoolancestors",
        category: Category::Blockchain,
        description: "If txid is in the mempool, returns all in-mempool ancestors.\n",
        parameters: &[TXID, VERBOSE],
        results: &[
            ResultDoc::array("", "", &[ResultDoc::hex("", "The transaction id of an in-mempool ancestor transaction")])
                .when("for verbose = false"),
            VERBOSE_RESULT,
        ],
        examples: &[Example::cli("\"mytxid\""), Example::rpc("\"mytxid\"")],
        handler: |call| Box::pin(relatives(call, TxGraph::ancestors)),
    },
    Method {
        name: "getmempooldescendants",
        category: Category::Blockchain,
        description: "If txid is in the mempool, returns all in-mempool descendants.\n",
        parameters: &[TXID, VERBOSE],
        results: &[
            ResultDoc::array(
                "",
                "",
                &[ResultDoc::hex("", "The transaction id of an in-mempool descendant transaction")],
            )
            .when("for verbose = false"),
            VERBOSE_RESULT,
        ],
        examples: &[Example::cli("\"mytxid\""), Example::rpc("\"mytxid\"")],
        handler: |call| Box::pin(relatives(call, TxGraph::descendants)),
    },
    Method {
        name: "getmempoolentry",
        category: Category::Blockchain,
        description: "Returns mempool data for given transaction\n",
        parameters: &[TXID],
        results: &[ResultDoc::object("", "", ENTRY_FIELDS)],
        examples: &[Example::cli("\"mytxid\""), Example::rpc("\"mytxid\"")],
        handler: |call| Box::pin(getmempoolentry(call)),
    },
    Method {
        name: "getrawmempool",
        category: Category::Blockchain,
        description: "Returns all transaction ids in memory pool as a json array of string transaction ids.\n\
            \nHint: use getmempoolentry to fetch a specific transaction from the mempool.\n",
        parameters: &[
            Parameter::boolean(
                "verbose",
                Presence::Default("false"),
                "True for a json object, false for array of transaction ids",
            ),
            Parameter::boolean(
                "mempool_sequence",
                Presence::Default("false"),
                "If verbose=false, returns a json object with transaction list and mempool sequence number attached.",
            ),
        ],
        results: &[
            ResultDoc::array("", "", &[ResultDoc::hex("", "The transaction id")]).when("for verbose = false"),
            VERBOSE_RESULT,
            ResultDoc::object(
                "",
                "",
                &[
                    ResultDoc::array("txids", "", &[ResultDoc::hex("", "The transaction id")]),
                    ResultDoc::number("mempool_sequence", "The mempool sequence value."),
                ],
            )
            .when("for verbose = false and mempool_sequence = true"),
        ],
        examples: &[Example::cli("true"), Example::rpc("true")],
        handler: |call| Box::pin(getrawmempool(call)),
    },
];

/// Transactions with what is told about each, by their ids.
#[derive(Debug, Default)]
struct EntryViews(Vec<EntryView>);

impl Serialize for EntryViews {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|view| (view.txid.to_string(), view)))
    }
}

/// Ancestors or descendants of a transaction.
async fn relatives(call: Call, find: fn(&TxGraph, GraphIndex) -> Vec<GraphIndex>) -> RpcResult {
    let verbose: bool = call.arguments.get("verbose")?;
    let txid: Txid = call.arguments.get("txid")?;
    let relatives_of = move |mempool: &Mempool| {
        let index = mempool.index_of(&txid)?;
        let mut relatives = find(mempool.graph(), index);
        relatives.retain(|relative| *relative != index);
        Some(relatives)
    };
    if verbose {
        let views = call.context.chain.call(move |chain| {
            let views = |indices: Vec<_>| indices.into_iter().map(|index| EntryView::new(&chain.mempool, index));
            relatives_of(&chain.mempool).map(|indices| EntryViews(views(indices).collect()))
        });
        return to_result(&views.await?.ok_or_else(not_in_mempool)?);
    }
    let txids = call.context.chain.call(move |chain| {
        let txid = |index| DisplayString(chain.mempool.entry(index).tx().txid());
        relatives_of(&chain.mempool).map(|indices| indices.into_iter().map(txid).collect::<Vec<_>>())
    });
    to_result(&txids.await?.ok_or_else(not_in_mempool)?)
}

async fn getmempoolentry(call: Call) -> RpcResult {
    let txid: Txid = call.arguments.get("txid")?;
    let view = call.context.chain.call(move |chain| {
        let index = chain.mempool.index_of(&txid)?;
        Some(EntryView::new(&chain.mempool, index))
    });
    to_result(&view.await?.ok_or_else(not_in_mempool)?)
}

async fn getrawmempool(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct WithSequence {
        txids: Vec<DisplayString<Txid>>,
        mempool_sequence: u64,
    }
    let verbose: bool = call.arguments.get("verbose")?;
    let with_sequence: bool = call.arguments.get("mempool_sequence")?;
    if verbose && with_sequence {
        return Err(RpcError::invalid_parameter("Verbose results cannot contain mempool sequence values."));
    }
    let list = call.context.chain.call(|chain| {
        let txids = chain.mempool.entries_by_mining_order().map(|entry| DisplayString(entry.tx().txid()));
        (txids.collect::<Vec<_>>(), chain.mempool.sequence())
    });
    let (txids, mempool_sequence) = list.await?;
    if !verbose {
        return if with_sequence { to_result(&WithSequence { txids, mempool_sequence }) } else { to_result(&txids) };
    }
    let mut views = EntryViews::default();
    for some in txids.chunks(VIEWS_AT_ONCE) {
        let some = some.to_vec();
        let more = call.context.chain.call(move |chain| {
            // Those that have left meanwhile are left out.
            let indices = some.iter().filter_map(|txid| chain.mempool.index_of(&txid.0));
            indices.map(|index| EntryView::new(&chain.mempool, index)).collect::<Vec<_>>()
        });
        views.0.extend(more.await?);
    }
    // As many as there may be take a while to write.
    tokio::task::spawn_blocking(move || to_result(&views))
        .await
        .map_err(|error| RpcError::internal(error.to_string()))?
}
