//! How hard it is to find a block (Core: `getmininginfo`, `getnetworkhashps`, `rpc/mining.cpp`).

use bitcoin::CompactTarget;
use cairn_chain::chainstate::Chainstate;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::mining::{NextBlock, TemplateOptions};
use cairn_chain::pow::{Target, Work, decode_compact};
use serde::Serialize;

use super::super::blockchain::header::difficulty;
use crate::chain_service::Chain;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, HexBytes, Method, Parameter, Presence, Real, ResultDoc, RpcError,
    RpcResult, to_result,
};

/// Blocks that the rate of hashes is estimated from, unless the client says otherwise.
const DEFAULT_BLOCKS: i32 = 120;

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getmininginfo",
        category: Category::Mining,
        description: "Returns a json object containing mining-related information.",
        parameters: &[],
        results: &[ResultDoc::object("", "", MINING_FIELDS)],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getmininginfo(call)),
    },
    Method {
        name: "getnetworkhashps",
        category: Category::Mining,
        description: "Returns the estimated network hashes per second based on the last n blocks.\n\
            Pass in [blocks] to override # of blocks, -1 specifies since last difficulty change.\n\
            Pass in [height] to estimate the network speed at the time when a certain block was found.\n",
        parameters: &[
            Parameter::number(
                "nblocks",
                Presence::Default("120"),
                "The number of previous blocks to calculate estimate from, or -1 for blocks since last difficulty change.",
            ),
            Parameter::number("height", Presence::Default("-1"), "To estimate at the time of the given height."),
        ],
        results: &[ResultDoc::number("", "Hashes per second estimated")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getnetworkhashps(call)),
    },
];

const MINING_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("blocks", "The current block"),
    ResultDoc::number(
        "currentblockweight",
        "The block weight (including reserved weight for block header, txs count and coinbase tx) of the last assembled block \
         (only present if a block was ever assembled)",
    )
    .optional(),
    ResultDoc::number(
        "currentblocktx",
        "The number of block transactions (excluding coinbase) of the last assembled block (only present if a block was ever \
         assembled)",
    )
    .optional(),
    ResultDoc::hex("bits", "The current nBits, compact representation of the block difficulty target"),
    ResultDoc::number("difficulty", "The current difficulty"),
    ResultDoc::hex("target", "The current target"),
    ResultDoc::number("networkhashps", "The network hashes per second"),
    ResultDoc::number("pooledtx", "The size of the mempool"),
    ResultDoc::amount("blockmintxfee", "Minimum feerate of packages selected for block inclusion in BTC/kvB"),
    ResultDoc::string("chain", "current network name (main, test, testnet4, signet, regtest)"),
    ResultDoc::hex(
        "signet_challenge",
        "The block challenge (aka. block script), in hexadecimal (only present if the current network is a signet)",
    )
    .optional(),
    ResultDoc::object(
        "next",
        "The next block",
        &[
            ResultDoc::number("height", "The next height"),
            ResultDoc::hex("bits", "The next target nBits"),
            ResultDoc::number("difficulty", "The next difficulty"),
            ResultDoc::hex("target", "The next target"),
        ],
    ),
    ResultDoc::array(
        "warnings",
        "any network and blockchain warnings",
        &[ResultDoc::string("", "warning")],
    ),
];

/// How hard it is to find one block.
#[derive(Debug, Serialize)]
struct TargetView {
    bits: String,
    difficulty: Real,
    target: DisplayString<Target>,
}

impl TargetView {
    fn new(bits: CompactTarget) -> Self {
        Self {
            bits: format!("{:08x}", bits.to_consensus()),
            difficulty: Real(difficulty(bits)),
            target: DisplayString(Target::new(decode_compact(bits).value)),
        }
    }
}

#[derive(Debug, Serialize)]
struct NextView {
    height: u32,
    #[serde(flatten)]
    target: TargetView,
}

#[derive(Debug, Serialize)]
struct MiningInfo {
    blocks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    currentblockweight: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currentblocktx: Option<usize>,
    #[serde(flatten)]
    target: TargetView,
    networkhashps: Real,
    pooledtx: usize,
    blockmintxfee: Btc,
    chain: &'static str,
    next: NextView,
    #[serde(skip_serializing_if = "Option::is_none")]
    signet_challenge: Option<HexBytes>,
    warnings: [&'static str; 0],
}

async fn getmininginfo(call: Call) -> RpcResult {
    let info = call.context.chain.call(|chain| MiningInfo::new(chain)).await??;
    to_result(&info)
}

impl MiningInfo {
    fn new(chain: &Chain) -> Result<Self, RpcError> {
        let (chainstate, params) = (&chain.chainstate, chain.chainstate.params());
        let active = chainstate.active_chain();
        let next = NextBlock::after(&active, &params.consensus.pow);
        let next_bits = next.bits_at(next.time_at(chainstate.adjusted_time()));
        let size = chain.last_template_size();
        Ok(Self {
            blocks: active.height(),
            currentblockweight: size.map(|size| size.weight),
            currentblocktx: size.map(|size| size.transactions),
            target: TargetView::new(active.tip().bits),
            networkhashps: Real(hashes_per_second(chainstate, DEFAULT_BLOCKS, -1)?),
            pooledtx: chain.mempool.len(),
            blockmintxfee: Btc(TemplateOptions::default().block_min_fee_rate.fee_per_kvb()),
            chain: params.rpc_name,
            next: NextView { height: active.height() + 1, target: TargetView::new(next_bits) },
            signet_challenge: params.consensus.signet_challenge.clone().map(|script| HexBytes(script.into_bytes())),
            warnings: [],
        })
    }
}

async fn getnetworkhashps(call: Call) -> RpcResult {
    let (blocks, height): (i32, i32) = (call.arguments.get("nblocks")?, call.arguments.get("height")?);
    let rate = call.context.chain.call(move |chain| hashes_per_second(&chain.chainstate, blocks, height)).await??;
    to_result(&Real(rate))
}

/// Hashes per second that the last `blocks` blocks up to `height` took; -1 stands for all since the target changed, and for the
/// tip (Core: `GetNetworkHashPS`).
fn hashes_per_second(chainstate: &Chainstate, blocks: i32, height: i32) -> Result<f64, RpcError> {
    let chain = chainstate.active_chain();
    let wrong_height = || RpcError::invalid_parameter("Block does not exist at specified height");
    let blocks = match blocks {
        -1 => None,
        blocks => Some(
            u32::try_from(blocks)
                .ok()
                .filter(|blocks| *blocks > 0)
                .ok_or_else(|| RpcError::invalid_parameter("Invalid nblocks. Must be a positive number or -1."))?,
        ),
    };
    let height = match height {
        -1 => chain.height(),
        height => u32::try_from(height).ok().filter(|height| *height <= chain.height()).ok_or_else(wrong_height)?,
    };
    if height == 0 {
        return Ok(0.0);
    }
    // Where every block has a target of its own, one block is all there is since the last change.
    let interval = chainstate.params().consensus.pow.difficulty_adjustment_interval().unwrap_or(1);
    let first = height - blocks.unwrap_or_else(|| height % interval + 1).min(height);
    let times = (first..=height).map(|height| chain.header_at(height).time);
    let (earliest, latest) = times.fold((u32::MAX, 0), |(least, most), time| (least.min(time), most.max(time)));
    if earliest == latest {
        return Ok(0.0);
    }
    let work = |height| chainstate.lookup(&chain.header_at(height).hash).map_or(Work::ZERO, |block| block.work);
    let hashes = work(height).to_u256().wrapping_sub(work(first).to_u256());
    Ok(to_real(hashes.as_limbs()) / f64::from(latest - earliest))
}

/// The nearest real number, rounded as Core rounds it (Core: `base_uint::getdouble`, `arith_uint256.cpp`).
fn to_real(limbs: &[u64]) -> f64 {
    let halves = limbs.iter().flat_map(|limb| [limb & u64::from(u32::MAX), limb >> 32]);
    let (sum, _) = halves.fold((0.0, 1.0), |(sum, factor), half| {
        (sum + factor * f64::from(u32::try_from(half).unwrap_or(u32::MAX)), factor * 4_294_967_296.0)
    });
    sum
}
