//! Statistics of one block (Core: `getblockstats`, `rpc/blockchain.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `count` | the counting |

mod count;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::header::median_time;
use super::stored::{HashOrHeight, check_has_body, check_has_undo, read_spent};
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, run_apart, to_result,
};
use count::{BlockFacts, BlockStatistics};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getblockstats",
    category: Category::Blockchain,
    description: "Compute per block statistics for a given window. All amounts are in satoshis.\n\
        It won't work for some heights with pruning.",
    parameters: &[
        Parameter::number("hash_or_height", Presence::Required, "The block hash or height of the target block")
            .any_type()
            .type_texts("", "string or numeric"),
        Parameter::array(
            "stats",
            Presence::Hint("all values"),
            "Values to plot (see result below)",
            &[
                Parameter::string("height", Presence::Omitted, "Selected statistic"),
                Parameter::string("time", Presence::Omitted, "Selected statistic"),
            ],
        )
        .oneline("stats"),
    ],
    results: &[ResultDoc::object("", "", FIELDS)],
    examples: &[
        Example::cli(
            "'\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"' '[\"minfeerate\",\"avgfeerate\"]'",
        ),
        Example::cli("1000 '[\"minfeerate\",\"avgfeerate\"]'"),
        Example::rpc(
            "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\", [\"minfeerate\",\"avgfeerate\"]",
        ),
        Example::rpc("1000, [\"minfeerate\",\"avgfeerate\"]"),
    ],
    handler: |call| Box::pin(getblockstats(call)),
}];

const fn number(key: &'static str, description: &'static str) -> ResultDoc {
    ResultDoc::number(key, description).optional()
}

const FIELDS: &[ResultDoc] = &[
    number("avgfee", "Average fee in the block"),
    number("avgfeerate", "Average feerate (in satoshis per virtual byte)"),
    number("avgtxsize", "Average transaction size"),
    ResultDoc::hex("blockhash", "The block hash (to check for potential reorgs)").optional(),
    ResultDoc::array_fixed(
        "feerate_percentiles",
        "Feerates at the 10th, 25th, 50th, 75th, and 90th percentile weight unit (in satoshis per virtual byte)",
        &[
            ResultDoc::number("10th_percentile_feerate", "The 10th percentile feerate"),
            ResultDoc::number("25th_percentile_feerate", "The 25th percentile feerate"),
            ResultDoc::number("50th_percentile_feerate", "The 50th percentile feerate"),
            ResultDoc::number("75th_percentile_feerate", "The 75th percentile feerate"),
            ResultDoc::number("90th_percentile_feerate", "The 90th percentile feerate"),
        ],
    )
    .optional(),
    number("height", "The height of the block"),
    number("ins", "The number of inputs (excluding coinbase)"),
    number("maxfee", "Maximum fee in the block"),
    number("maxfeerate", "Maximum feerate (in satoshis per virtual byte)"),
    number("maxtxsize", "Maximum transaction size"),
    number("medianfee", "Truncated median fee in the block"),
    number("mediantime", "The block median time past"),
    number("mediantxsize", "Truncated median transaction size"),
    number("minfee", "Minimum fee in the block"),
    number("minfeerate", "Minimum feerate (in satoshis per virtual byte)"),
    number("mintxsize", "Minimum transaction size"),
    number("outs", "The number of outputs"),
    number("subsidy", "The block subsidy"),
    number("swtotal_size", "Total size of all segwit transactions"),
    number("swtotal_weight", "Total weight of all segwit transactions"),
    number("swtxs", "The number of segwit transactions"),
    number("time", "The block time"),
    number("total_out", "Total amount in all outputs (excluding coinbase and thus reward [ie subsidy + totalfee])"),
    number("total_size", "Total size of all non-coinbase transactions"),
    number("total_weight", "Total weight of all non-coinbase transactions"),
    number("totalfee", "The fee total"),
    number("txs", "The number of transactions (including coinbase)"),
    number(
        "utxo_increase",
        "The increase/decrease in the number of unspent outputs (not discounting op_return and similar)",
    ),
    number("utxo_size_inc", "The increase/decrease in size for the utxo index (not discounting op_return and similar)"),
    number("utxo_increase_actual", "The increase/decrease in the number of unspent outputs, not counting unspendables"),
    number("utxo_size_inc_actual", "The increase/decrease in size for the utxo index, not counting unspendables"),
];

async fn getblockstats(call: Call) -> RpcResult {
    let block: HashOrHeight = call.arguments.get("hash_or_height")?;
    let stats: Option<Vec<String>> = call.arguments.optional("stats")?;
    let selected: BTreeSet<String> = stats.unwrap_or_default().into_iter().collect();
    let found = call.context.chain.call(move |chain| {
        let chainstate = &chain.chainstate;
        let stored = block.find(chainstate)?;
        check_has_body(chainstate, &stored)?;
        // Genesis has no undo data and needs none.
        if stored.reference.height > 0 {
            check_has_undo(chainstate, &stored)?;
        }
        let block = chainstate.lookup(&stored.reference.hash);
        let median_time = block.map(|block| median_time(chainstate, &block)).unwrap_or_default();
        let facts = BlockFacts::of(&stored.reference, median_time, &chainstate.params().consensus);
        Ok::<_, RpcError>((stored, facts))
    });
    let (stored, facts) = found.await??;
    run_apart(move || {
        let block = stored.block().map_err(|_| RpcError::misc("Block not found on disk"))?;
        let spent = read_spent(&stored, &block).map_err(|_| RpcError::misc("Can't read undo data from disk"))?;
        let statistics = BlockStatistics::count(&block, &spent, facts);
        let all = to_result(&statistics)?;
        if selected.is_empty() { Ok(all) } else { select(&all, &selected) }
    })
    .await
}

/// What was selected of all statistics, in the order of their names.
fn select(all: &RawValue, selected: &BTreeSet<String>) -> RpcResult {
    let all: BTreeMap<&str, &RawValue> =
        serde_json::from_str(all.get()).map_err(|error| RpcError::internal(error.to_string()))?;
    let mut result = BTreeMap::new();
    for name in selected {
        let value = all.get(&**name);
        let value = value.ok_or_else(|| RpcError::invalid_parameter(format!("Invalid selected statistic '{name}'")))?;
        result.insert(name, *value);
    }
    to_result(&result)
}

#[cfg(test)]
mod tests;
