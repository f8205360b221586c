//! A search for coins (Core: `scantxoutset`, `rpc/blockchain.cpp`).

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use bitcoin::{Amount, BlockHash, OutPoint, Script, ScriptBuf, Txid};
use cairn_chain::chainstate::{ChainstateError, CoinsSnapshot};
use cairn_chain::coins::Coin;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::params::AddressFormat;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::coin_scans::CoinSearch;
use crate::rpc::descriptor::{Descriptor, IndexRange};
use crate::rpc::views::infer_descriptor;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, FromArgument, HexBytes, JsonType, Method, Object, Parameter, Presence,
    ResultDoc, RpcError, RpcErrorCode, RpcResult, run_apart, to_result,
};

/// The scripts of a range that does not say where it ends.
const DEFAULT_RANGE: IndexRange = IndexRange { first: 0, last: 1000 };

/// The most indices that are looked for at a time, so that no client chooses our memory: twice what one range can have.
const MAX_INDICES: u32 = 2_000_000;

/// A `raw()` descriptor for examples: an output of 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S.
macro_rules! raw_descriptor {
    () => {
        "raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)#fm24fxxy"
    };
}

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "scantxoutset",
    category: Category::Blockchain,
    description: "Scans the unspent transaction output set for entries that match certain output descriptors.\n\
        Examples of output descriptors are:\n    \
        addr(<address>)                      Outputs whose output script corresponds to the specified address (does not include \
        P2PK)\n    \
        raw(<hex script>)                    Outputs whose output script equals the specified hex-encoded bytes\n    \
        combo(<pubkey>)                      P2PK, P2PKH, P2WPKH, and P2SH-P2WPKH outputs for the given pubkey\n    \
        pkh(<pubkey>)                        P2PKH outputs for the given pubkey\n    \
        sh(multi(<n>,<pubkey>,<pubkey>,...)) P2SH-multisig outputs for the given threshold and pubkeys\n    \
        tr(<pubkey>)                         P2TR\n    \
        tr(<pubkey>,{pk(<pubkey>)})          P2TR with single fallback pubkey in tapscript\n    \
        rawtr(<pubkey>)                      P2TR with the specified key as output key rather than inner\n    \
        wsh(and_v(v:pk(<pubkey>),after(2)))  P2WSH miniscript with mandatory pubkey and a timelock\n\
        \nIn the above, <pubkey> either refers to a fixed public key in hexadecimal notation, or to an xpub/xprv optionally \
        followed by one\n\
        or more path elements separated by \"/\", and optionally ending in \"/*\" (unhardened), or \"/*'\" or \"/*h\" (hardened) \
        to specify all\n\
        unhardened or hardened child keys.\n\
        In the latter case, a range needs to be specified by below if different from 1000.\n\
        For more information on output descriptors, see the documentation in the doc/descriptors.md file.\n",
    parameters: &[
        Parameter::string(
            "action",
            Presence::Required,
            "The action to execute\n\
             \"start\" for starting a scan\n\
             \"abort\" for aborting the current scan (returns true when abort was successful)\n\
             \"status\" for progress report (in %) of the current scan",
        ),
        Parameter::array(
            "scanobjects",
            Presence::Omitted,
            "Array of scan objects. Required for \"start\" action\n\
             Every scan object is either a string descriptor or an object:",
            &[
                Parameter::string("descriptor", Presence::Omitted, "An output descriptor"),
                Parameter::object(
                    "",
                    Presence::Omitted,
                    "An object with output descriptor and metadata",
                    &[
                        Parameter::string("desc", Presence::Required, "An output descriptor"),
                        Parameter::range(
                            "range",
                            Presence::Default("1000"),
                            "The range of HD chain indexes to explore (either end or [begin,end])",
                        ),
                    ],
                ),
            ],
        )
        .oneline("[scanobjects,...]"),
    ],
    results: &[
        ResultDoc::object("", "", FOUND_FIELDS).when("when action=='start'; only returns after scan completes"),
        ResultDoc::boolean(
            "success",
            "True if scan will be aborted (not necessarily before this RPC returns), or false if there is no scan to abort",
        )
        .when("when action=='abort'"),
        ResultDoc::object("", "", &[ResultDoc::number("progress", "Approximate percent complete")])
            .when("when action=='status' and a scan is currently in progress"),
        ResultDoc::null("", "")
            .when("when action=='status' and no scan is in progress - possibly already completed"),
    ],
    examples: &[
        Example::cli(concat!("start '[\"", raw_descriptor!(), "\"]'")),
        Example::cli("status"),
        Example::cli("abort"),
        Example::rpc(concat!("\"start\", [\"", raw_descriptor!(), "\"]")),
        Example::rpc("\"status\""),
        Example::rpc("\"abort\""),
    ],
    handler: |call| Box::pin(scantxoutset(call)),
}];

const FOUND_FIELDS: &[ResultDoc] = &[
    ResultDoc::boolean("success", "Whether the scan was completed"),
    ResultDoc::number("txouts", "The number of unspent transaction outputs scanned"),
    ResultDoc::number("height", "The block height at which the scan was done"),
    ResultDoc::hex("bestblock", "The hash of the block at the tip of the chain"),
    ResultDoc::array(
        "unspents",
        "",
        &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::hex("txid", "The transaction id"),
                ResultDoc::number("vout", "The vout value"),
                ResultDoc::hex("scriptPubKey", "The output script"),
                ResultDoc::string("desc", "A specialized descriptor for the matched output script"),
                ResultDoc::amount("amount", "The total amount in BTC of the unspent output"),
                ResultDoc::boolean("coinbase", "Whether this is a coinbase output"),
                ResultDoc::number("height", "Height of the unspent transaction output"),
                ResultDoc::hex("blockhash", "Blockhash of the unspent transaction output"),
                ResultDoc::number(
                    "confirmations",
                    "Number of confirmations of the unspent transaction output when the scan was done",
                ),
            ],
        )],
    ),
    ResultDoc::amount("total_amount", "The total amount of all found unspent outputs in BTC"),
];

async fn scantxoutset(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct ProgressView {
        progress: u8,
    }
    let action: String = call.arguments.get("action")?;
    let running = call.context.coin_scans.search();
    match &*action {
        "status" => to_result(&running.map(|search| ProgressView { progress: search.percent() })),
        "abort" => {
            if let Some(search) = &running {
                search.abort();
            }
            to_result(&running.is_some())
        }
        "start" => start(call).await,
        _ => Err(RpcError::invalid_parameter(format!("Invalid action '{action}'"))),
    }
}

async fn start(call: Call) -> RpcResult {
    let running =
        call.context.coin_scans.begin_search().ok_or_else(|| {
            RpcError::invalid_parameter("Scan already in progress, use action \"abort\" or \"status\"")
        })?;
    let objects: Option<Vec<Box<RawValue>>> = call.arguments.optional("scanobjects")?;
    let objects = objects.ok_or_else(|| RpcError::misc("scanobjects argument is required for the start action"))?;
    let objects = objects.iter().map(|object| ScanObject::read(object)).collect::<Result<Vec<_>, _>>()?;
    let format = call.context.params.address_format;
    let (shutdown, search) = (call.context.shutdown.clone(), Arc::clone(&running.search));
    let wanted = run_apart(move || Wanted::derive(&objects, format, &search, &shutdown)).await?;

    let turn = call.wait(call.context.coin_scans.turn()).await?;
    let snapshot = call.context.chain.call(|chain| chain.chainstate.coins_snapshot()).await??;
    let tip = snapshot.tip;
    let shutdown = call.context.shutdown.clone();
    let found = run_apart(move || {
        let _turn = turn;
        Found::search(&snapshot, &wanted, &running.search, format, &shutdown)
    });
    let found = found.await?;

    // Their blocks are below the tip of the snapshot, which is not the chain's any more if that was reorganized.
    let heights: Vec<_> = found.coins.iter().map(|found| found.coin.height).collect();
    let hashes = call.context.chain.call(move |chain| {
        let chain = chain.chainstate.chain_to(&tip.hash)?;
        Some(heights.into_iter().map(|height| chain.header_at(height).hash).collect::<Vec<_>>())
    });
    let hashes = hashes.await?.ok_or_else(|| RpcError::internal("the block of a snapshot is not known"))?;
    let unspent = |(found, hash): (&FoundCoin, BlockHash)| UnspentView {
        txid: DisplayString(found.outpoint.txid),
        vout: found.outpoint.vout,
        script_pubkey: HexBytes(found.coin.script_pubkey.as_bytes().to_vec()),
        desc: found.descriptor.clone(),
        amount: found.coin.amount.into(),
        coinbase: found.coin.is_coinbase,
        height: found.coin.height,
        blockhash: DisplayString(hash),
        confirmations: tip.height.saturating_sub(found.coin.height) + 1,
    };
    to_result(&FoundView {
        success: found.is_complete,
        txouts: found.visited,
        height: tip.height,
        bestblock: DisplayString(tip.hash),
        unspents: found.coins.iter().zip(hashes).map(unspent).collect(),
        total_amount: found.coins.iter().map(|found| found.coin.amount).sum::<Amount>().into(),
    })
}

#[derive(Serialize)]
struct FoundView {
    success: bool,
    txouts: u64,
    height: u32,
    bestblock: DisplayString<BlockHash>,
    unspents: Vec<UnspentView>,
    total_amount: Btc,
}

#[derive(Serialize)]
struct UnspentView {
    txid: DisplayString<Txid>,
    vout: u32,
    #[serde(rename = "scriptPubKey")]
    script_pubkey: HexBytes,
    desc: String,
    amount: Btc,
    coinbase: bool,
    height: u32,
    blockhash: DisplayString<BlockHash>,
    confirmations: u32,
}

/// What a client looks for (Core: `EvalDescriptorStringOrObject`, `rpc/util.cpp`).
struct ScanObject {
    text: String,
    range: IndexRange,
}

impl ScanObject {
    fn read(value: &RawValue) -> Result<Self, RpcError> {
        match JsonType::of(value) {
            JsonType::String => Ok(Self { text: String::from_argument(value, "descriptor")?, range: DEFAULT_RANGE }),
            JsonType::Object => {
                let object = Object::from_argument(value, "descriptor")?;
                if object.raw("desc").is_none() {
                    let message = "Descriptor needs to be provided in scan object";
                    return Err(RpcError::invalid_parameter(message));
                }
                let range = object.optional("range")?.unwrap_or(DEFAULT_RANGE);
                Ok(Self { text: object.get("desc")?, range })
            }
            _ => Err(RpcError::invalid_parameter("Scan object needs to be either a string or an object")),
        }
    }
}

/// The scripts that are looked for, and where each comes from.
struct Wanted {
    descriptors: Vec<Descriptor>,
    scripts: HashMap<ScriptBuf, Source>,
}

/// A script among those of a descriptor.
#[derive(Clone, Copy)]
struct Source {
    descriptor: usize,
    index: u32,
    /// Which of the scripts at that index.
    place: usize,
}

impl Wanted {
    fn derive(
        objects: &[ScanObject],
        format: AddressFormat,
        search: &CoinSearch,
        shutdown: &CancellationToken,
    ) -> Result<Self, RpcError> {
        let mut wanted = Self { descriptors: Vec::new(), scripts: HashMap::new() };
        let mut indices = 0_u32;
        for ScanObject { text, range } in objects {
            for descriptor in Descriptor::parse(text, format, false)? {
                let range = if descriptor.is_range() { *range } else { IndexRange { first: 0, last: 0 } };
                indices = indices.saturating_add(range.last - range.first + 1);
                if indices > MAX_INDICES {
                    let message = format!("More than {MAX_INDICES} indices to look for at a time");
                    return Err(RpcError::new(RpcErrorCode::LimitExceeded, message));
                }
                for index in range.first..=range.last {
                    if shutdown.is_cancelled() {
                        return Err(RpcError::shutting_down());
                    }
                    if search.is_aborted() {
                        // The search itself ends at once, too.
                        return Ok(wanted);
                    }
                    let scripts = descriptor.scripts(index).ok_or_else(|| {
                        let message = format!("Cannot derive script without private keys: '{text}'");
                        RpcError::invalid_address_or_key(message)
                    })?;
                    for (place, script) in scripts.into_iter().enumerate() {
                        let source = Source { descriptor: wanted.descriptors.len(), index, place };
                        wanted.scripts.entry(script).or_insert(source);
                    }
                }
                wanted.descriptors.push(descriptor);
            }
        }
        Ok(wanted)
    }

    /// The descriptor of one of the scripts, with the keys in it (Core: `InferDescriptor`).
    fn descriptor_of(&self, script: &Script, format: AddressFormat) -> String {
        let specialized = || {
            let source = self.scripts.get(script)?;
            let descriptor = self.descriptors.get(source.descriptor).filter(|descriptor| descriptor.is_solvable())?;
            Some(descriptor.specialized(source.index)?.get(source.place)?.to_string())
        };
        // Of a script or an address alone nothing more is known than what it says.
        specialized().unwrap_or_else(|| infer_descriptor(script.as_bytes(), format))
    }
}

/// What a search has seen.
struct Found {
    is_complete: bool,
    visited: u64,
    /// In the order of their outpoints.
    coins: Vec<FoundCoin>,
}

struct FoundCoin {
    outpoint: OutPoint,
    coin: Coin,
    descriptor: String,
}

impl Found {
    /// Looks at all coins (Core: `FindScriptPubKey`).
    fn search(
        snapshot: &CoinsSnapshot,
        wanted: &Wanted,
        search: &CoinSearch,
        format: AddressFormat,
        shutdown: &CancellationToken,
    ) -> Result<Self, RpcError> {
        let mut visited = 0;
        let mut coins = BTreeMap::new();
        let mut visit = |outpoint: &OutPoint, coin: &Coin| {
            visited += 1;
            if wanted.scripts.contains_key(Script::from_bytes(coin.script_pubkey.as_bytes())) {
                coins.insert(*outpoint, coin.clone());
            }
        };
        let mut progress = |done| {
            search.set_progress(done);
            match search.is_aborted() || shutdown.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let is_complete = match snapshot.visit(&mut visit, &mut progress) {
            Ok(()) => true,
            Err(ChainstateError::Interrupted) if shutdown.is_cancelled() => return Err(RpcError::shutting_down()),
            Err(ChainstateError::Interrupted) => false,
            Err(error) => return Err(error.into()),
        };
        let describe = |(outpoint, coin): (OutPoint, Coin)| {
            let descriptor = wanted.descriptor_of(Script::from_bytes(coin.script_pubkey.as_bytes()), format);
            FoundCoin { outpoint, coin, descriptor }
        };
        Ok(Self { is_complete, visited, coins: coins.into_iter().map(describe).collect() })
    }
}

#[cfg(test)]
mod tests;
