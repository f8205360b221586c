//! What is told about a transaction of the pool (Core: `entryToJSON`, `rpc/mempool.cpp`).

use bitcoin::hashes::Hash;
use bitcoin::{Txid, Wtxid};
use cairn_chain::mempool::{GraphIndex, Mempool, MempoolEntry};
use serde::Serialize;

use crate::rpc::{Btc, DisplayString, ResultDoc};

/// A sequence number up to this one says that the transaction may be replaced (Core: `MAX_BIP125_RBF_SEQUENCE`,
/// `util/rbf.h`).
const MAX_BIP125_RBF_SEQUENCE: u32 = 0xffff_fffd;

/// The fields.
pub(super) const ENTRY_FIELDS: &[ResultDoc] = &[
    ResultDoc::number(
        "vsize",
        "virtual transaction size as defined in BIP 141. This is different from actual serialized size for witness \
         transactions as witness data is discounted.",
    ),
    ResultDoc::number("weight", "transaction weight as defined in BIP 141."),
    ResultDoc::time("time", "local time transaction entered pool in seconds since 1 Jan 1970 GMT"),
    ResultDoc::number("height", "block height when transaction entered pool"),
    ResultDoc::number("descendantcount", "number of in-mempool descendant transactions (including this one)"),
    ResultDoc::number("descendantsize", "virtual transaction size of in-mempool descendants (including this one)"),
    ResultDoc::number("ancestorcount", "number of in-mempool ancestor transactions (including this one)"),
    ResultDoc::number("ancestorsize", "virtual transaction size of in-mempool ancestors (including this one)"),
    ResultDoc::number(
        "chunkweight",
        "sigops-adjusted weight (as defined in BIP 141 and modified by '-bytespersigop') of this transaction's chunk",
    ),
    ResultDoc::hex("wtxid", "hash of serialized transaction, including witness data"),
    ResultDoc::object(
        "fees",
        "",
        &[
            ResultDoc::amount("base", "transaction fee, denominated in BTC"),
            ResultDoc::amount(
                "modified",
                "transaction fee with fee deltas used for mining priority, denominated in BTC",
            ),
            ResultDoc::amount(
                "ancestor",
                "transaction fees of in-mempool ancestors (including this one) with fee deltas used for mining priority, \
                 denominated in BTC",
            ),
            ResultDoc::amount(
                "descendant",
                "transaction fees of in-mempool descendants (including this one) with fee deltas used for mining \
                 priority, denominated in BTC",
            ),
            ResultDoc::amount("chunk", "transaction fees of chunk, denominated in BTC"),
        ],
    ),
    ResultDoc::array(
        "depends",
        "unconfirmed transactions used as inputs for this transaction",
        &[ResultDoc::hex("transactionid", "parent transaction id")],
    ),
    ResultDoc::array(
        "spentby",
        "unconfirmed transactions spending outputs from this transaction",
        &[ResultDoc::hex("transactionid", "child transaction id")],
    ),
    ResultDoc::boolean(
        "unbroadcast",
        "Whether this transaction is currently unbroadcast (initial broadcast not yet acknowledged by any peers)",
    ),
    ResultDoc::boolean(
        "bip125-replaceable",
        "Whether this transaction signals BIP125 replaceability or has an unconfirmed ancestor signaling BIP125 \
         replaceability. (DEPRECATED)\n",
    ),
];

/// A transaction of the pool.
#[derive(Debug, Serialize)]
pub(super) struct EntryView {
    #[serde(skip)]
    pub(super) txid: Txid,
    vsize: usize,
    weight: usize,
    time: u64,
    height: u32,
    descendantcount: usize,
    descendantsize: usize,
    ancestorcount: usize,
    ancestorsize: usize,
    chunkweight: u64,
    wtxid: DisplayString<Wtxid>,
    fees: FeesView,
    depends: Vec<DisplayString<Txid>>,
    spentby: Vec<DisplayString<Txid>>,
    unbroadcast: bool,
    #[serde(rename = "bip125-replaceable")]
    bip125_replaceable: bool,
}

#[derive(Debug, Serialize)]
struct FeesView {
    base: Btc,
    modified: Btc,
    ancestor: Btc,
    descendant: Btc,
    chunk: Btc,
}

/// Transactions together: their number, their sizes in virtual bytes and their modified fees in satoshis.
struct Sum {
    count: usize,
    size: usize,
    fees: i64,
}

impl Sum {
    fn of(mempool: &Mempool, indices: &[GraphIndex]) -> Self {
        let entries = || indices.iter().map(|&index| mempool.entry(index));
        Self {
            count: indices.len(),
            size: entries().map(MempoolEntry::virtual_size).sum(),
            fees: entries().map(MempoolEntry::modified_fee).fold(0, i64::saturating_add),
        }
    }
}

impl EntryView {
    /// The transaction with a handle of the pool's graph.
    pub(super) fn new(mempool: &Mempool, index: GraphIndex) -> Self {
        let graph = mempool.graph();
        let entry = mempool.entry(index);
        let tx = entry.tx();
        let ancestors = graph.ancestors(index);
        let signals = |index: &GraphIndex| signals_opt_in_rbf(mempool.entry(*index));
        let bip125_replaceable = ancestors.iter().any(signals);
        let ancestors = Sum::of(mempool, &ancestors);
        let descendants = Sum::of(mempool, &graph.descendants(index));
        let chunk = graph.chunk_fee_rate(index);
        Self {
            txid: tx.txid(),
            vsize: entry.virtual_size(),
            weight: tx.weight(),
            time: entry.time,
            height: entry.height,
            descendantcount: descendants.count,
            descendantsize: descendants.size,
            ancestorcount: ancestors.count,
            ancestorsize: ancestors.size,
            chunkweight: chunk.size,
            wtxid: DisplayString(tx.wtxid()),
            fees: FeesView {
                base: entry.base_fee.into(),
                modified: Btc(entry.modified_fee()),
                ancestor: Btc(ancestors.fees),
                descendant: Btc(descendants.fees),
                chunk: Btc(chunk.fee),
            },
            depends: txids(mempool.parents(entry)),
            spentby: txids(mempool.children(entry)),
            unbroadcast: mempool.is_unbroadcast(&tx.txid()),
            bip125_replaceable,
        }
    }
}

/// Ids, in the order of the texts they are shown as.
fn txids(entries: Vec<&MempoolEntry>) -> Vec<DisplayString<Txid>> {
    let mut txids: Vec<_> = entries.into_iter().map(|entry| entry.tx().txid()).collect();
    // A hash is shown with its last byte first.
    txids.sort_unstable_by(|a, b| a.as_byte_array().iter().rev().cmp(b.as_byte_array().iter().rev()));
    txids.into_iter().map(DisplayString).collect()
}

/// Core: `SignalsOptInRBF`, `util/rbf.cpp`.
fn signals_opt_in_rbf(entry: &MempoolEntry) -> bool {
    entry.tx().inputs().any(|input| input.sequence() <= MAX_BIP125_RBF_SEQUENCE)
}
