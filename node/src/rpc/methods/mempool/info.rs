//! The pool as a whole.

use std::sync::atomic::Ordering;

use cairn_chain::mempool::Mempool;
use serde::Serialize;

use crate::rpc::{Btc, Call, Category, Example, Method, ResultDoc, RpcResult, to_result};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getmempoolinfo",
    category: Category::Blockchain,
    description: "Returns details on the active state of the TX memory pool.",
    parameters: &[],
    results: &[ResultDoc::object("", "", INFO_FIELDS)],
    examples: &[Example::cli(""), Example::rpc("")],
    handler: |call| Box::pin(getmempoolinfo(call)),
}];

const INFO_FIELDS: &[ResultDoc] = &[
    ResultDoc::boolean("loaded", "True if the initial load attempt of the persisted mempool finished"),
    ResultDoc::number("size", "Current tx count"),
    ResultDoc::number(
        "bytes",
        "Sum of all virtual transaction sizes as defined in BIP 141. Differs from actual serialized size because witness \
         data is discounted",
    ),
    ResultDoc::number("usage", "Total memory usage for the mempool"),
    ResultDoc::amount(
        "total_fee",
        "Total fees for the mempool in BTC, ignoring modified fees through prioritisetransaction",
    ),
    ResultDoc::number("maxmempool", "Maximum memory usage for the mempool"),
    ResultDoc::amount(
        "mempoolminfee",
        "Minimum fee rate in BTC/kvB for tx to be accepted. Is the maximum of minrelaytxfee and minimum mempool fee",
    ),
    ResultDoc::amount("minrelaytxfee", "Current minimum relay fee for transactions"),
    ResultDoc::number(
        "incrementalrelayfee",
        "minimum fee rate increment for mempool limiting or replacement in BTC/kvB",
    ),
    ResultDoc::number("unbroadcastcount", "Current number of transactions that haven't passed initial broadcast yet"),
    ResultDoc::boolean("permitbaremultisig", "True if the mempool accepts transactions with bare multisig outputs"),
    ResultDoc::number(
        "maxdatacarriersize",
        "Maximum number of bytes that can be used by OP_RETURN outputs in the mempool",
    ),
    ResultDoc::number(
        "limitclustercount",
        "Maximum number of transactions that can be in a cluster (configured by -limitclustercount)",
    ),
    ResultDoc::number(
        "limitclustersize",
        "Maximum size of a cluster in virtual bytes (configured by -limitclustersize)",
    ),
    ResultDoc::boolean("optimal", "If the mempool is in a known-optimal transaction ordering"),
    ResultDoc::boolean(
        "fullrbf",
        "True if the mempool accepts RBF without replaceability signaling inspection (DEPRECATED)",
    ),
];

#[derive(Debug, Serialize)]
struct MempoolInfo {
    loaded: bool,
    size: usize,
    bytes: u64,
    usage: usize,
    total_fee: Btc,
    maxmempool: usize,
    mempoolminfee: Btc,
    minrelaytxfee: Btc,
    incrementalrelayfee: Btc,
    unbroadcastcount: usize,
    permitbaremultisig: bool,
    maxdatacarriersize: usize,
    limitclustercount: usize,
    limitclustersize: u64,
    optimal: bool,
    fullrbf: bool,
}

impl MempoolInfo {
    fn new(mempool: &Mempool, now: u64, loaded: bool) -> Self {
        let options = mempool.options();
        let min_relay_fee = options.min_relay_fee_rate.fee_per_kvb();
        Self {
            loaded,
            size: mempool.len(),
            bytes: mempool.virtual_bytes(),
            usage: mempool.memory(),
            total_fee: Btc(i64::try_from(mempool.total_fee()).unwrap_or(i64::MAX)),
            maxmempool: options.max_bytes,
            mempoolminfee: Btc(mempool.min_fee_rate(now).fee_per_kvb().max(min_relay_fee)),
            minrelaytxfee: Btc(min_relay_fee),
            incrementalrelayfee: Btc(options.incremental_relay_fee_rate.fee_per_kvb()),
            unbroadcastcount: mempool.unbroadcast().len(),
            permitbaremultisig: options.policy.permit_bare_multisig,
            maxdatacarriersize: options.policy.max_datacarrier_bytes.unwrap_or(0),
            limitclustercount: options.cluster_limits.count,
            limitclustersize: options.cluster_limits.size / 4,
            // Every cluster is linearized to the end when it changes.
            optimal: true,
            fullrbf: true,
        }
    }
}

async fn getmempoolinfo(call: Call) -> RpcResult {
    let loaded = call.context.mempool_loaded.load(Ordering::Relaxed);
    let info = call.context.chain.call(move |chain| {
        let now = chain.chainstate.adjusted_time();
        MempoolInfo::new(&chain.mempool, now, loaded)
    });
    to_result(&info.await?)
}
