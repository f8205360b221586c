//! The mempool, what it takes, and fees.

use serde_json::{Value, json};

use super::Kind::{self, Absent, Amount, Bool, Hash, Integer, Is, List, Real, Text};
use super::{Promise, hex, none, payment, promise};
use crate::scene::Scene;

pub(super) const PROMISES: &[Promise] = &[
    promise(
        "getmempoolinfo",
        "",
        none,
        &[
            ("loaded", Is("true")),
            ("size", Is("2")),
            ("bytes", Integer),
            ("usage", Integer),
            ("total_fee", Is("0.00007000")),
            ("maxmempool", Integer),
            ("mempoolminfee", Amount),
            ("minrelaytxfee", Amount),
            ("incrementalrelayfee", Amount),
            ("unbroadcastcount", Integer),
            ("fullrbf", Is("true")),
            ("permitbaremultisig", Bool),
            ("maxdatacarriersize", Integer),
            ("limitclustercount", Integer),
            ("limitclustersize", Integer),
            ("optimal", Bool),
        ],
    ),
    promise(
        "getmempoolentry",
        "",
        |scene| json!([scene.child.compute_txid()]),
        &[
            ("vsize", Integer),
            ("weight", Integer),
            ("time", Integer),
            ("height", Integer),
            ("descendantcount", Integer),
            ("descendantsize", Integer),
            ("ancestorcount", Integer),
            ("ancestorsize", Integer),
            ("chunkweight", Integer),
            ("wtxid", Hash),
            ("fees.base", Is("0.00005000")),
            ("fees.modified", Amount),
            ("fees.ancestor", Is("0.00007000")),
            ("fees.descendant", Amount),
            ("fees.chunk", Amount),
            ("depends[]", Hash),
            ("spentby", List),
            ("unbroadcast", Bool),
            ("bip125-replaceable", Is("true")),
        ],
    ),
    promise("getrawmempool", "", none, &[("[]", Hash)]),
    promise("getrawmempool", "verbose", |_| json!([true]), ENTRIES),
    promise(
        "getrawmempool",
        "with its sequence",
        |_| json!([false, true]),
        &[("txids[]", Hash), ("mempool_sequence", Integer)],
    ),
    promise("getmempoolancestors", "", |scene| json!([scene.child.compute_txid(), true]), ENTRIES),
    promise("getmempooldescendants", "", |scene| json!([scene.parent.compute_txid(), true]), ENTRIES),
    promise(
        "getmempoolcluster",
        "",
        |scene| json!([scene.child.compute_txid()]),
        &[
            ("clusterweight", Integer),
            ("txcount", Integer),
            ("chunks[].chunkfee", Amount),
            ("chunks[].chunkweight", Integer),
            ("chunks[].txs[]", Hash),
        ],
    ),
    promise("getmempoolfeeratediagram", "", none, &[("[].weight", Integer), ("[].fee", Amount)]),
    promise(
        "gettxspendingprevout",
        "",
        spent_by_parent,
        &[("[].txid", Hash), ("[].vout", Integer), ("[].spendingtxid", Hash)],
    ),
    promise(
        "testmempoolaccept",
        "",
        |scene| json!([[hex(&payment(scene, 1_000))]]),
        &[
            ("[].txid", Hash),
            ("[].wtxid", Hash),
            ("[].allowed", Is("true")),
            ("[].vsize", Integer),
            ("[].fees.base", Is("0.00001000")),
            ("[].fees.effective-feerate", Amount),
            ("[].fees.effective-includes[]", Hash),
            ("[].reject-reason", Absent),
        ],
    ),
    promise(
        "testmempoolaccept",
        "of what is refused",
        |scene| json!([[hex(&payment(scene, 1))]]),
        &[
            ("[].txid", Hash),
            ("[].wtxid", Hash),
            ("[].allowed", Is("false")),
            ("[].reject-reason", Is("\"min relay fee not met\"")),
            ("[].reject-details", Text),
        ],
    ),
    promise(
        "submitpackage",
        "",
        |scene| json!([[hex(&scene.parent), hex(&scene.child)]]),
        &[
            ("package_msg", Is("\"success\"")),
            ("tx-results{}.txid", Hash),
            ("tx-results{}.vsize", Integer),
            ("tx-results{}.fees.base", Amount),
            ("replaced-transactions", List),
        ],
    ),
    promise("sendrawtransaction", "", |scene| json!([hex(&scene.parent)]), &[("", Hash)]),
    promise("getprioritisedtransactions", "", none, &[("", Is("{}"))]),
    promise(
        "estimatesmartfee",
        "without a history",
        |_| json!([6]),
        &[("feerate", Amount), ("errors", Absent), ("blocks", Integer)],
    ),
    promise(
        "estimaterawfee",
        "",
        |_| json!([6]),
        &[
            ("{}.decay", Real),
            ("{}.scale", Integer),
            ("{}.fail.startrange", Real),
            ("{}.fail.endrange", Real),
            ("{}.fail.withintarget", Real),
            ("{}.fail.totalconfirmed", Real),
            ("{}.fail.inmempool", Real),
            ("{}.fail.leftmempool", Real),
            ("{}.errors[]", Text),
        ],
    ),
    promise("savemempool", "", none, &[("filename", Text)]),
];

/// A transaction of the mempool, by its txid.
const ENTRIES: &[(&str, Kind)] = &[
    ("{}.vsize", Integer),
    ("{}.weight", Integer),
    ("{}.time", Integer),
    ("{}.height", Integer),
    ("{}.descendantcount", Integer),
    ("{}.descendantsize", Integer),
    ("{}.ancestorcount", Integer),
    ("{}.ancestorsize", Integer),
    ("{}.chunkweight", Integer),
    ("{}.wtxid", Hash),
    ("{}.fees.base", Amount),
    ("{}.fees.modified", Amount),
    ("{}.fees.ancestor", Amount),
    ("{}.fees.descendant", Amount),
    ("{}.fees.chunk", Amount),
    ("{}.depends", List),
    ("{}.spentby", List),
    ("{}.unbroadcast", Bool),
    ("{}.bip125-replaceable", Bool),
];

fn spent_by_parent(scene: &Scene) -> Value {
    let outpoint = scene.parent.input[0].previous_output;
    json!([[{ "txid": outpoint.txid, "vout": outpoint.vout }]])
}
