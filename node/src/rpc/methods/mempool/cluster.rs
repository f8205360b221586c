//! Transactions that depend on each other, and the order they are mined in.

use bitcoin::Txid;
use cairn_chain::mempool::{Chunk, FeeRate, Mempool, MempoolEntry};
use serde::Serialize;

use super::not_in_mempool;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getmempoolcluster",
        category: Category::Blockchain,
        description: "Returns mempool data for given cluster\n",
        parameters: &[Parameter::hex("txid", Presence::Required, "The txid of a transaction in the cluster")],
        results: &[ResultDoc::object("", "", CLUSTER_FIELDS)],
        examples: &[Example::cli("txid"), Example::rpc("txid")],
        handler: |call| Box::pin(getmempoolcluster(call)),
    },
    Method {
        name: "getmempoolfeeratediagram",
        category: Category::Hidden,
        description: "Returns the feerate diagram for the whole mempool.",
        parameters: &[],
        results: &[ResultDoc::array(
            "",
            "",
            &[ResultDoc::object(
                "",
                "",
                &[
                    ResultDoc::number("weight", "cumulative sigops-adjusted weight"),
                    ResultDoc::number("fee", "cumulative fee"),
                ],
            )],
        )
        .when("mempool chunks")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getmempoolfeeratediagram(call)),
    },
];

const CLUSTER_FIELDS: &[ResultDoc] = &[
    ResultDoc::number(
        "clusterweight",
        "total sigops-adjusted weight (as defined in BIP 141 and modified by '-bytespersigop')",
    ),
    ResultDoc::number("txcount", "number of transactions"),
    ResultDoc::array(
        "chunks",
        "chunks in this cluster (in mining order)",
        &[ResultDoc::object(
            "chunk",
            "",
            &[
                ResultDoc::number("chunkfee", "fees of the transactions in this chunk"),
                ResultDoc::number("chunkweight", "sigops-adjusted weight of all transactions in this chunk"),
                ResultDoc::array(
                    "txs",
                    "transactions in this chunk in mining order",
                    &[ResultDoc::hex("txid", "transaction id")],
                ),
            ],
        )],
    ),
];

#[derive(Debug, Serialize)]
struct ClusterView {
    clusterweight: usize,
    txcount: usize,
    chunks: Vec<ChunkView>,
}

#[derive(Debug, Serialize)]
struct ChunkView {
    chunkfee: Btc,
    chunkweight: u64,
    txs: Vec<DisplayString<Txid>>,
}

impl ChunkView {
    fn new(mempool: &Mempool, chunk: Chunk<'_>) -> Self {
        let FeeRate { fee, size } = chunk.fee_rate();
        let txid = |index| DisplayString(mempool.entry(index).tx().txid());
        Self { chunkfee: Btc(fee), chunkweight: size, txs: chunk.transactions().map(txid).collect() }
    }
}

async fn getmempoolcluster(call: Call) -> RpcResult {
    let txid: Txid = call.arguments.get("txid")?;
    let view = call.context.chain.call(move |chain| {
        let mempool = &chain.mempool;
        let index = mempool.index_of(&txid)?;
        let cluster = mempool.graph().cluster(index);
        let entries = cluster.iter().map(|&index| mempool.entry(index));
        Some(ClusterView {
            clusterweight: entries.map(MempoolEntry::adjusted_weight).sum(),
            txcount: cluster.len(),
            chunks: mempool.graph().cluster_chunks(index).map(|chunk| ChunkView::new(mempool, chunk)).collect(),
        })
    });
    to_result(&view.await?.ok_or_else(not_in_mempool)?)
}

async fn getmempoolfeeratediagram(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Point {
        weight: u64,
        fee: Btc,
    }
    let chunks = call.context.chain.call(|chain| {
        let mut builder = chain.mempool.graph().block_builder();
        let chunks = std::iter::from_fn(move || {
            let chunk = builder.current()?;
            builder.include();
            Some(chunk.fee_rate())
        });
        chunks.collect::<Vec<_>>()
    });
    let sums = chunks.await?.into_iter().scan(FeeRate::default(), |sum, chunk| {
        *sum += chunk;
        Some(*sum)
    });
    let points = std::iter::once(FeeRate::default()).chain(sums);
    to_result(&points.map(|FeeRate { fee, size }| Point { weight: size, fee: Btc(fee) }).collect::<Vec<_>>())
}
