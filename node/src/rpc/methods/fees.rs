//! What a transaction should pay (Core: `rpc/fees.cpp`).

use cairn_chain::mempool::Mempool;
use cairn_chain::mempool::fees::{EstimatorBucket, FeeEstimateHorizon, FeeEstimator, FeeFallback, RawFee};
use serde::Serialize;

use crate::rpc::{
    Arguments, Btc, Call, Category, Example, Method, Parameter, Presence, Real, ResultDoc, RpcError, RpcResult,
    to_result,
};

/// Weight of the transactions of a block that miners fill: all it may have, less what they keep for themselves (Core:
/// `DEFAULT_BLOCK_RESERVED_WEIGHT`, `policy/policy.h`). In weight units.
const BLOCK_WEIGHT: u64 = 4_000_000 - 8_000;

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "estimaterawfee",
        category: Category::Hidden,
        description: "WARNING: This interface is unstable and may disappear or change!\n\
            \nWARNING: This is an advanced API call that is tightly coupled to the specific\n\
            implementation of fee estimation. The parameters it can be called with\n\
            and the results it returns will change if the internal implementation changes.\n\
            \nEstimates the approximate fee per kilobyte needed for a transaction to begin\n\
            confirmation within conf_target blocks if possible. Uses virtual transaction size as\n\
            defined in BIP 141 (witness data is discounted).\n",
        parameters: &[
            CONF_TARGET,
            Parameter::number(
                "threshold",
                Presence::Default("0.95"),
                "The proportion of transactions in a given feerate range that must have been\n\
                 confirmed within conf_target in order to consider those feerates as high enough and proceed to check\n\
                 lower buckets.",
            ),
        ],
        results: &[ResultDoc::object(
            "",
            "Results are returned for any horizon which tracks blocks up to the confirmation target",
            &[
                ResultDoc::object("short", "estimate for short time horizon", HORIZON_FIELDS).optional(),
                ResultDoc::object("medium", "estimate for medium time horizon", &[])
                    .and_elided(HORIZON_FIELDS, "")
                    .optional(),
                ResultDoc::object("long", "estimate for long time horizon", &[])
                    .and_elided(HORIZON_FIELDS, "")
                    .optional(),
            ],
        )],
        examples: &[Example::cli("6 0.9")],
        handler: |call| Box::pin(estimaterawfee(call)),
    },
    Method {
        name: "estimatesmartfee",
        category: Category::Util,
        description: "Estimates the approximate fee per kilobyte needed for a transaction to begin\n\
            confirmation within conf_target blocks if possible and return the number of blocks\n\
            for which the estimate is valid. Uses virtual transaction size as defined\n\
            in BIP 141 (witness data is discounted).\n",
        parameters: &[
            CONF_TARGET,
            Parameter::string(
                "estimate_mode",
                Presence::Default("\"economical\""),
                "The fee estimate mode.\n\
                 unset, economical, conservative \n\
                 unset means no mode set (default mode will be used). \n\
                 economical estimates use a shorter time horizon, making them more\n\
                 responsive to short-term drops in the prevailing fee market. This mode\n\
                 potentially returns a lower fee rate estimate.\n\
                 conservative estimates use a longer time horizon, making them\n\
                 less responsive to short-term drops in the prevailing fee market. This mode\n\
                 potentially returns a higher fee rate estimate.\n",
            ),
        ],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::number(
                    "feerate",
                    "estimate fee rate in BTC/kvB (only present if no errors were encountered)",
                )
                .optional(),
                ResultDoc::array(
                    "errors",
                    "Errors encountered during processing (if there are any)",
                    &[ResultDoc::string("", "error")],
                )
                .optional(),
                ResultDoc::number(
                    "blocks",
                    "block number where estimate was found\n\
                     The request target will be clamped between 2 and the highest target\n\
                     fee estimation is able to return based on how long it has been running.\n\
                     An error is returned if not enough transactions and blocks\n\
                     have been observed to make an estimate for any number of blocks.",
                ),
            ],
        )],
        examples: &[Example::cli("6"), Example::rpc("6")],
        handler: |call| Box::pin(estimatesmartfee(call)),
    },
];

const CONF_TARGET: Parameter =
    Parameter::number("conf_target", Presence::Required, "Confirmation target in blocks (1 - 1008)");

const HORIZON_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("feerate", "estimate fee rate in BTC/kvB").optional(),
    ResultDoc::number("decay", "exponential decay (per block) for historical moving average of confirmation data"),
    ResultDoc::number("scale", "The resolution of confirmation targets at this time horizon"),
    ResultDoc::object(
        "pass",
        "information about the lowest range of feerates to succeed in meeting the threshold",
        BUCKET_FIELDS,
    )
    .optional(),
    ResultDoc::object("fail", "information about the highest range of feerates to fail to meet the threshold", &[])
        .and_elided(BUCKET_FIELDS, "")
        .optional(),
    ResultDoc::array(
        "errors",
        "Errors encountered during processing (if there are any)",
        &[ResultDoc::string("error", "")],
    )
    .optional(),
];

const BUCKET_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("startrange", "start of feerate range"),
    ResultDoc::number("endrange", "end of feerate range"),
    ResultDoc::number(
        "withintarget",
        "number of txs over history horizon in the feerate range that were confirmed within target",
    ),
    ResultDoc::number(
        "totalconfirmed",
        "number of txs over history horizon in the feerate range that were confirmed at any point",
    ),
    ResultDoc::number(
        "inmempool",
        "current number of txs in mempool in the feerate range unconfirmed for at least target blocks",
    ),
    ResultDoc::number(
        "leftmempool",
        "number of txs over history horizon in the feerate range that left mempool unconfirmed after target",
    ),
];

/// Core: `ParseConfirmTarget`, `rpc/util.cpp`.
fn parse_confirm_target(arguments: &Arguments, estimator: &FeeEstimator) -> Result<u32, RpcError> {
    let target: i32 = arguments.get("conf_target")?;
    let max_target = estimator.highest_target_tracked(FeeEstimateHorizon::Long);
    u32::try_from(target)
        .ok()
        .filter(|target| (1..=max_target).contains(target))
        .ok_or_else(|| RpcError::invalid_parameter(format!("Invalid conf_target, must be between 1 and {max_target}")))
}

/// Whether a mode asks for conservative estimates (Core: `FeeModeFromString`, `common/messages.cpp`).
fn is_conservative(mode: &str) -> Result<bool, RpcError> {
    match mode.to_ascii_lowercase().as_str() {
        "unset" | "economical" => Ok(false),
        "conservative" => Ok(true),
        _ => Err(RpcError::invalid_parameter(
            "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"",
        )),
    }
}

#[derive(Debug, Serialize)]
struct SmartFee {
    #[serde(skip_serializing_if = "Option::is_none")]
    feerate: Option<Btc>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'static [&'static str],
    blocks: u32,
}

impl SmartFee {
    /// Nothing but what was learned (Core: `estimatesmartfee`).
    fn learned(mempool: &Mempool, now: u64, target: u32, conservative: bool) -> Self {
        let learned = mempool.fee_estimator().estimate_smart_fee(target, conservative);
        let feerate = learned.fee_rate.map(|rate| Btc(rate_of(rate).max(minimum(mempool, now))));
        Self { feerate, errors: learned.errors(), blocks: learned.returned_target }
    }

    /// An answer in any case.
    fn always(mempool: &Mempool, now: u64, target: u32, conservative: bool) -> Self {
        let next_block = mempool.next_block_fee_rate(BLOCK_WEIGHT);
        let fallback = FeeFallback {
            next_block_fee_rate: next_block.and_then(|rate| u64::try_from(rate.fee_per_kvb()).ok()),
            minimum_fee_rate: u64::try_from(minimum(mempool, now)).unwrap_or(0),
        };
        let fee = mempool.fee_estimator().estimate_with_fallback(target, conservative, &fallback);
        Self { feerate: Some(Btc(rate_of(fee.fee_rate))), errors: &[], blocks: fee.returned_target }
    }
}

/// The least a transaction must pay to get in, in satoshis per 1000 virtual bytes.
fn minimum(mempool: &Mempool, now: u64) -> i64 {
    mempool.min_fee_rate(now).fee_per_kvb().max(mempool.options().min_relay_fee_rate.fee_per_kvb())
}

fn rate_of(rate: u64) -> i64 {
    i64::try_from(rate).unwrap_or(i64::MAX)
}

async fn estimatesmartfee(call: Call) -> RpcResult {
    // What a node of a public network does not know it must not invent; on others there is nothing to know.
    let is_public = call.context.params.rpc_name != "regtest";
    let fee = call.context.chain.call(move |chain| {
        let target = parse_confirm_target(&call.arguments, chain.mempool.fee_estimator())?;
        let conservative = is_conservative(&call.arguments.get::<String>("estimate_mode")?)?;
        let now = chain.chainstate.adjusted_time();
        let estimate = if is_public { SmartFee::learned } else { SmartFee::always };
        Ok::<_, RpcError>(estimate(&chain.mempool, now, target, conservative))
    });
    to_result(&fee.await??)
}

#[derive(Debug, Default, Serialize)]
struct RawFees {
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<HorizonView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<HorizonView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    long: Option<HorizonView>,
}

#[derive(Debug, Serialize)]
struct HorizonView {
    #[serde(skip_serializing_if = "Option::is_none")]
    feerate: Option<Btc>,
    decay: Real,
    scale: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<BucketView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail: Option<BucketView>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct BucketView {
    startrange: Real,
    endrange: Real,
    withintarget: Real,
    totalconfirmed: Real,
    inmempool: Real,
    leftmempool: Real,
}

impl BucketView {
    fn new(bucket: Option<&EstimatorBucket>) -> Self {
        /// What Core shows where there is no range (Core: `EstimatorBucket`, `policy/fees/block_policy_estimator.h`).
        const NONE: f64 = -1.0;
        let hundredths = |count: f64| Real((count * 100.0).round() / 100.0);
        let count = |of: fn(&EstimatorBucket) -> f64| hundredths(bucket.map_or(0.0, of));
        Self {
            startrange: Real(bucket.map_or(NONE, |bucket| bucket.start).round()),
            endrange: Real(bucket.map_or(NONE, |bucket| bucket.end).round()),
            withintarget: count(|bucket| bucket.within_target),
            totalconfirmed: count(|bucket| bucket.total_confirmed),
            inmempool: count(|bucket| bucket.in_mempool),
            leftmempool: count(|bucket| bucket.left_mempool),
        }
    }
}

impl HorizonView {
    fn new(fee: &RawFee) -> Self {
        let estimation = &fee.estimation;
        let (pass, fail) = if fee.fee_rate.is_some() {
            // None failed when all of them passed.
            let fail = estimation.fail.as_ref().map(|fail| BucketView::new(Some(fail)));
            (Some(BucketView::new(estimation.pass.as_ref())), fail)
        } else {
            (None, Some(BucketView::new(estimation.fail.as_ref())))
        };
        Self {
            feerate: fee.fee_rate.map(|rate| Btc(rate_of(rate))),
            decay: Real(estimation.decay),
            scale: estimation.scale,
            pass,
            fail,
            errors: fee.errors(),
        }
    }
}

async fn estimaterawfee(call: Call) -> RpcResult {
    let fees = call.context.chain.call(move |chain| {
        let estimator = chain.mempool.fee_estimator();
        let target = parse_confirm_target(&call.arguments, estimator)?;
        let threshold: f64 = call.arguments.get("threshold")?;
        if !(0.0..=1.0).contains(&threshold) {
            return Err(RpcError::invalid_parameter("Invalid threshold"));
        }
        let view = |horizon| estimator.estimate_raw_fee(target, threshold, horizon).map(|fee| HorizonView::new(&fee));
        Ok(RawFees {
            short: view(FeeEstimateHorizon::Short),
            medium: view(FeeEstimateHorizon::Medium),
            long: view(FeeEstimateHorizon::Long),
        })
    });
    to_result(&fees.await??)
}

#[cfg(test)]
mod tests;
