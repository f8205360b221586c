//! Coins (Core: `gettxout`, `gettxoutsetinfo`, `rpc/blockchain.cpp`).

use std::ops::ControlFlow;

use bitcoin::{BlockHash, OutPoint, Txid};
use cairn_chain::chainstate::{BlockReference, ChainstateError};
use cairn_chain::coins::{Coin, CoinsHashType, CoinsStatistics};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::chain_service::Chain;
use crate::rpc::views::ScriptView;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, FromArgument, HexBytes, Method, Parameter, Presence, ResultDoc,
    RpcError, RpcResult, run_apart, to_result,
};

/// The least memory for sorting coins, in bytes.
const MIN_SORT_MEMORY: usize = 16 << 20;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "gettxout",
        category: Category::Blockchain,
        description: "Returns details about an unspent transaction output.",
        parameters: &[
            Parameter::string("txid", Presence::Required, "The transaction id"),
            Parameter::number("n", Presence::Required, "vout number"),
            Parameter::boolean(
                "include_mempool",
                Presence::Default("true"),
                "Whether to include the mempool. Note that an unspent output that is spent in the mempool won't appear.",
            ),
        ],
        results: &[
            ResultDoc::null("", "").when("If the UTXO was not found"),
            ResultDoc::object(
                "",
                "",
                &[
                    ResultDoc::hex("bestblock", "The hash of the block at the tip of the chain"),
                    ResultDoc::number("confirmations", "The number of confirmations"),
                    ResultDoc::amount("value", "The transaction value in BTC"),
                    ResultDoc::object(
                        "scriptPubKey",
                        "",
                        &[
                            ResultDoc::string("asm", "Disassembly of the output script"),
                            ResultDoc::string("desc", "Inferred descriptor for the output"),
                            ResultDoc::hex("hex", "The raw output script bytes, hex-encoded"),
                            ResultDoc::string("type", "The type, eg pubkeyhash"),
                            ResultDoc::string("address", "The Bitcoin address (only if a well-defined address exists)")
                                .optional(),
                        ],
                    ),
                    ResultDoc::boolean("coinbase", "Coinbase or not"),
                ],
            )
            .when("Otherwise"),
        ],
        examples: &[
            Example::text("\nGet unspent transactions\n"),
            Example::cli_of("listunspent", ""),
            Example::text("\nView the details\n"),
            Example::cli("\"txid\" 1"),
            Example::text("\nAs a JSON-RPC call\n"),
            Example::rpc("\"txid\", 1"),
        ],
        handler: |call| Box::pin(gettxout(call)),
    },
    Method {
        name: "gettxoutsetinfo",
        category: Category::Blockchain,
        description: "Returns statistics about the unspent transaction output set.\n\
            Note this call may take some time if you are not using coinstatsindex.",
        parameters: &[
            Parameter::string(
                "hash_type",
                Presence::Default("\"hash_serialized_3\""),
                "Which UTXO set hash should be calculated. Options: 'hash_serialized_3' (the legacy algorithm), 'muhash', \
                 'none'.",
            ),
            Parameter::number(
                "hash_or_height",
                Presence::Hint("the current best block"),
                "The block hash or height of the target height (only available with coinstatsindex).",
            )
            .any_type()
            .type_texts("", "string or numeric"),
            Parameter::boolean("use_index", Presence::Default("true"), "Use coinstatsindex, if available."),
        ],
        results: &[ResultDoc::object("", "", SET_FIELDS)],
        examples: &[
            Example::cli(""),
            Example::cli("\"none\""),
            Example::cli("\"none\" 1000"),
            Example::cli("\"none\" '\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"'"),
            Example::cli_of("-named gettxoutsetinfo", "hash_type='muhash' use_index='false'"),
            Example::rpc(""),
            Example::rpc("\"none\""),
            Example::rpc("\"none\", 1000"),
            Example::rpc("\"none\", \"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
        ],
        handler: |call| Box::pin(gettxoutsetinfo(call)),
    },
];

const SET_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("height", "The block height (index) of the returned statistics"),
    ResultDoc::hex("bestblock", "The hash of the block at which these statistics are calculated"),
    ResultDoc::number("txouts", "The number of unspent transaction outputs"),
    ResultDoc::number("bogosize", "Database-independent, meaningless metric indicating the UTXO set size"),
    ResultDoc::hex(
        "hash_serialized_3",
        "The serialized hash (only present if 'hash_serialized_3' hash_type is chosen)",
    )
    .optional(),
    ResultDoc::hex("muhash", "The serialized hash (only present if 'muhash' hash_type is chosen)").optional(),
    ResultDoc::number(
        "transactions",
        "The number of transactions with unspent outputs (not available when coinstatsindex is used)",
    )
    .optional(),
    ResultDoc::number(
        "disk_size",
        "The estimated size of the chainstate on disk (not available when coinstatsindex is used)",
    )
    .optional(),
    ResultDoc::amount("total_amount", "The total amount of coins in the UTXO set"),
];

async fn gettxout(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct CoinView<'a> {
        bestblock: DisplayString<BlockHash>,
        confirmations: u32,
        value: Btc,
        #[serde(rename = "scriptPubKey")]
        script_pubkey: ScriptView<'a>,
        coinbase: bool,
    }
    let txid: Txid = call.arguments.get("txid")?;
    let outpoint = OutPoint { txid, vout: call.arguments.get("n")? };
    let include_mempool: bool = call.arguments.get("include_mempool")?;
    let found = call.context.chain.call(move |chain| {
        let found = if include_mempool { find_unspent(chain, &outpoint)? } else { find_coin(chain, &outpoint)? };
        Ok::<_, RpcError>((chain.chainstate.tip(), found))
    });
    let (tip, found) = found.await??;
    let Some(Found { coin, is_confirmed }) = found else { return to_result(&()) };
    let format = call.context.params.address_format;
    to_result(&CoinView {
        bestblock: DisplayString(tip.hash),
        confirmations: if is_confirmed { tip.height.saturating_sub(coin.height) + 1 } else { 0 },
        value: coin.amount.into(),
        script_pubkey: ScriptView::new(coin.script_pubkey.as_bytes(), format),
        coinbase: coin.is_coinbase,
    })
}

/// A coin, of the chain or of the pool.
struct Found {
    coin: Coin,
    is_confirmed: bool,
}

fn find_coin(chain: &Chain, outpoint: &OutPoint) -> Result<Option<Found>, RpcError> {
    let coin = chain.chainstate.coin(outpoint).map_err(|error| RpcError::internal(error.to_string()))?;
    Ok(coin.map(|coin| Found { coin, is_confirmed: true }))
}

/// A coin that no transaction of the pool spends (Core: `CCoinsViewMemPool`, `txmempool.cpp`).
fn find_unspent(chain: &Chain, outpoint: &OutPoint) -> Result<Option<Found>, RpcError> {
    if chain.mempool.spender(outpoint).is_some() {
        return Ok(None);
    }
    let Some(entry) = chain.mempool.get(&outpoint.txid) else { return find_coin(chain, outpoint) };
    let output = usize::try_from(outpoint.vout).ok().and_then(|vout| entry.tx().output(vout));
    Ok(output.map(|output| {
        let amount = bitcoin::Amount::from_sat(output.value().unsigned_abs());
        let coin = Coin { amount, script_pubkey: output.script_pubkey().into(), height: 0, is_coinbase: false };
        Found { coin, is_confirmed: false }
    }))
}

/// The names of the hashes (Core: `ParseHashType`).
struct HashType(CoinsHashType);

impl FromArgument for HashType {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        let text = String::from_argument(value, name)?;
        match &*text {
            "hash_serialized_3" => Ok(Self(CoinsHashType::HashSerialized3)),
            "muhash" => Ok(Self(CoinsHashType::MuHash)),
            "none" => Ok(Self(CoinsHashType::None)),
            _ => Err(RpcError::invalid_parameter(format!("'{text}' is not a valid hash_type"))),
        }
    }
}

async fn gettxoutsetinfo(call: Call) -> RpcResult {
    let HashType(hash_type) = call.arguments.get("hash_type")?;
    // There is no such index, so it makes no difference.
    let _: bool = call.arguments.get("use_index")?;
    if call.arguments.raw("hash_or_height").is_some() {
        return Err(RpcError::invalid_parameter("Querying specific block heights requires coinstatsindex"));
    }
    let turn = call.wait(call.context.coin_scans.turn()).await?;
    let found = call.context.chain.call(|chain| {
        let snapshot = chain.chainstate.coins_snapshot()?;
        let memory = (chain.chainstate.options().cache_bytes / 2).max(MIN_SORT_MEMORY);
        Ok::<_, ChainstateError>((snapshot, memory, chain.chainstate.status()?.database_bytes))
    });
    let (snapshot, memory, disk_size) = found.await??;
    let shutdown = call.context.shutdown.clone();
    run_apart(move || {
        let _turn = turn;
        let statistics = snapshot.statistics(hash_type, memory, &mut |_| match shutdown.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        let statistics = statistics.map_err(|error| match error {
            ChainstateError::Interrupted => RpcError::shutting_down(),
            error => error.into(),
        })?;
        to_result(&SetView::of(snapshot.tip, hash_type, &statistics, disk_size)?)
    })
    .await
}

#[derive(Serialize)]
struct SetView {
    height: u32,
    bestblock: DisplayString<BlockHash>,
    txouts: u64,
    bogosize: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_serialized_3: Option<HexBytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muhash: Option<HexBytes>,
    total_amount: Btc,
    transactions: u64,
    disk_size: u64,
}

impl SetView {
    fn of(
        tip: BlockReference,
        hash_type: CoinsHashType,
        statistics: &CoinsStatistics,
        disk_size: u64,
    ) -> Result<Self, RpcError> {
        let total = statistics.total_amount.ok_or_else(|| RpcError::internal("Unable to read UTXO set"))?;
        let hash = || {
            statistics.hash.map(|mut hash| {
                hash.reverse();
                HexBytes(hash.to_vec())
            })
        };
        Ok(Self {
            height: tip.height,
            bestblock: DisplayString(tip.hash),
            txouts: statistics.transaction_outputs,
            bogosize: statistics.bogo_size,
            hash_serialized_3: (hash_type == CoinsHashType::HashSerialized3).then(hash).flatten(),
            muhash: (hash_type == CoinsHashType::MuHash).then(hash).flatten(),
            total_amount: total.into(),
            transactions: statistics.transactions,
            disk_size,
        })
    }
}

#[cfg(test)]
mod tests;
