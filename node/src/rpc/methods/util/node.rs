//! Indices, memory, and the clock of tests (Core: `rpc/node.cpp`).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::context::NodeContext;
use crate::node::FLUSH_INTERVAL;
use crate::rpc::{Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result};
use crate::tx_index::TxIndexStatus;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "getindexinfo",
        category: Category::Util,
        description: "Returns the status of one or all available indices currently running in the node.\n",
        parameters: &[Parameter::string(
            "index_name",
            Presence::Omitted,
            "Filter results for an index with a specific name.",
        )],
        results: &[ResultDoc::object_dynamic(
            "",
            "",
            &[ResultDoc::object(
                "name",
                "The name of the index",
                &[
                    ResultDoc::boolean("synced", "Whether the index is synced or not"),
                    ResultDoc::number("best_block_height", "The block height to which the index is synced"),
                    ResultDoc::string("error", "Why the index does not go on (only present if it failed)").optional(),
                ],
            )],
        )],
        examples: &[Example::cli(""), Example::rpc(""), Example::cli("txindex"), Example::rpc("txindex")],
        handler: |call| Box::pin(getindexinfo(call)),
    },
    Method {
        name: "getmemoryinfo",
        category: Category::Control,
        description: "Returns an object containing information about memory usage.\n",
        parameters: &[Parameter::string(
            "mode",
            Presence::Default("\"stats\""),
            "determines what kind of information is returned.\n  \
             - \"stats\" returns general statistics about memory usage in the daemon.\n  \
             - \"mallocinfo\" returns an XML string describing low-level heap state (only available if compiled with \
             glibc).",
        )],
        results: &[
            ResultDoc::object(
                "",
                "",
                &[ResultDoc::object(
                    "locked",
                    "Information about locked memory manager",
                    &[
                        ResultDoc::number("used", "Number of bytes used"),
                        ResultDoc::number("free", "Number of bytes available in current arenas"),
                        ResultDoc::number("total", "Total number of bytes managed"),
                        ResultDoc::number(
                            "locked",
                            "Amount of bytes that succeeded locking. If this number is smaller than total, locking pages \
                             failed at some point and key data could be swapped to disk.",
                        ),
                        ResultDoc::number("chunks_used", "Number allocated chunks"),
                        ResultDoc::number("chunks_free", "Number unused chunks"),
                    ],
                )],
            )
            .when("mode \"stats\""),
            ResultDoc::string("", "\"<malloc version=\"1\">...\"").when("mode \"mallocinfo\""),
        ],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getmemoryinfo(call)),
    },
    Method {
        name: "mockscheduler",
        category: Category::Hidden,
        description: "Bump the scheduler into the future (-regtest only)\n",
        parameters: &[Parameter::number(
            "delta_time",
            Presence::Required,
            "Number of seconds to forward the scheduler into the future.",
        )],
        results: &[ResultDoc::null("", "")],
        examples: &[],
        handler: |call| Box::pin(mockscheduler(call)),
    },
    Method {
        name: "setmocktime",
        category: Category::Hidden,
        description: "Set the local time to given timestamp (-regtest only)\n",
        parameters: &[Parameter::number(
            "timestamp",
            Presence::Required,
            "UNIX epoch time\nPass 0 to go back to using the system time.",
        )],
        results: &[ResultDoc::null("", "")],
        examples: &[],
        handler: |call| Box::pin(setmocktime(call)),
    },
];

/// The state of an index.
#[derive(Debug, Clone, Serialize)]
struct IndexInfo {
    synced: bool,
    best_block_height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn getindexinfo(call: Call) -> RpcResult {
    let wanted: Option<String> = call.arguments.optional("index_name")?;
    let wanted = wanted.filter(|name| !name.is_empty());
    let mut indices: BTreeMap<&str, IndexInfo> = running_indices(&call.context);
    indices.retain(|name, _| wanted.as_ref().is_none_or(|wanted| wanted == name));
    to_result(&indices)
}

/// All indices by the names that Core has for them.
fn running_indices(context: &NodeContext) -> BTreeMap<&'static str, IndexInfo> {
    let tx_index = context.tx_index.as_ref().map(|index| {
        let TxIndexStatus { best_block, is_synced, failure } = index.status();
        let best_block_height = best_block.map_or(0, |block| block.height);
        ("txindex", IndexInfo { synced: is_synced, best_block_height, error: failure })
    });
    tx_index.into_iter().collect()
}

async fn getmemoryinfo(call: Call) -> RpcResult {
    /// What is known of memory that cannot be swapped out. The node holds no keys and locks none.
    #[derive(Default, Serialize)]
    struct LockedMemory {
        used: usize,
        free: usize,
        total: usize,
        locked: usize,
        chunks_used: usize,
        chunks_free: usize,
    }
    #[derive(Default, Serialize)]
    struct MemoryInfo {
        locked: LockedMemory,
    }
    match call.arguments.get::<String>("mode")?.as_str() {
        "stats" => to_result(&MemoryInfo::default()),
        "mallocinfo" => Err(RpcError::invalid_parameter("mallocinfo mode not available")),
        mode => Err(RpcError::invalid_parameter(format!("unknown mode {mode}"))),
    }
}

/// Whether tests may choose what the time is (Core: `IsMockableChain`).
fn is_mockable(context: &NodeContext) -> bool {
    context.params.is_mockable
}

async fn setmocktime(call: Call) -> RpcResult {
    if !is_mockable(&call.context) {
        return Err(RpcError::misc("setmocktime is for regression testing (-regtest mode) only"));
    }
    let time: i64 = call.arguments.get("timestamp")?;
    // Times of blocks have 32 bits.
    let now = u32::try_from(time).map_err(|_| {
        RpcError::invalid_parameter(format!("Mocktime must be in the range [0, {}], not {time}.", u32::MAX))
    })?;
    let now = (now > 0).then_some(u64::from(now));
    call.context.chain.call(move |chain| chain.chainstate.set_mock_time(now)).await?;
    to_result(&())
}

/// The one thing that is done from time to time is to write the chain state.
async fn mockscheduler(call: Call) -> RpcResult {
    if !is_mockable(&call.context) {
        return Err(RpcError::misc("mockscheduler is for regression testing (-regtest mode) only"));
    }
    let seconds: i64 = call.arguments.get("delta_time")?;
    if !(1..=3600).contains(&seconds) {
        return Err(RpcError::misc("delta_time must be between 1 and 3600 seconds (1 hr)"));
    }
    if seconds.unsigned_abs() >= FLUSH_INTERVAL.as_secs() {
        call.context.chain.call(|chain| chain.chainstate.flush()).await??;
    }
    to_result(&())
}

#[cfg(test)]
mod tests {
    use crate::rpc::testing::RpcTest;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_clock_is_set_and_reset() {
        let test = RpcTest::start(0).await;
        assert_eq!(test.call("setmocktime", "[1700000000]").await.unwrap().get(), "null");
        let now = || test.context.chain.call(|chain| chain.chainstate.adjusted_time());
        assert_eq!(now().await.unwrap(), 1_700_000_000);
        test.call("setmocktime", "[0]").await.unwrap();
        assert!(now().await.unwrap() > 1_700_000_000);
        for wrong in ["-1", "4294967296"] {
            let error = test.call("setmocktime", &format!("[{wrong}]")).await.unwrap_err();
            assert_eq!(error, (-8, format!("Mocktime must be in the range [0, 4294967295], not {wrong}.")));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_done_from_time_to_time_is_done_at_once() {
        let test = RpcTest::start(2).await;
        let flushes =
            || async { test.context.chain.call(|chain| chain.chainstate.status()).await.unwrap().unwrap().flushes };
        let before = flushes().await;
        test.call("mockscheduler", "[299]").await.unwrap();
        assert_eq!(flushes().await, before);
        test.call("mockscheduler", "[300]").await.unwrap();
        assert_eq!(flushes().await, before + 1);
        for wrong in ["0", "3601", "-5"] {
            let error = test.call("mockscheduler", &format!("[{wrong}]")).await.unwrap_err();
            assert_eq!(error, (-1, "delta_time must be between 1 and 3600 seconds (1 hr)".to_owned()));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn indices_and_memory_are_told_of() {
        let test = RpcTest::start(0).await;
        assert_eq!(test.call("getindexinfo", "[]").await.unwrap().get(), "{}");
        assert_eq!(test.call("getindexinfo", "[\"txindex\"]").await.unwrap().get(), "{}");
        assert!(test.call("getmemoryinfo", "[]").await.unwrap().get().starts_with("{\"locked\":{\"used\":0,"));
        for (mode, message) in [("mallocinfo", "mallocinfo mode not available"), ("foobar", "unknown mode foobar")] {
            let error = test.call("getmemoryinfo", &format!("[\"{mode}\"]")).await.unwrap_err();
            assert_eq!(error, (-8, message.to_owned()));
        }
    }
}
