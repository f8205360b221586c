//! What miners work on (Core: `getblocktemplate`, `rpc/mining.cpp`; BIP22, BIP23, BIP9, BIP145).

use std::collections::BTreeMap;
use std::time::Duration;

use bitcoin::{BlockHash, Txid, Wtxid};
use cairn_chain::mining::{BlockTemplate, propose_block};
use cairn_chain::pow::Target;
use serde::Serialize;
use tokio::time::timeout;

use super::super::network::Connections;
use super::decode_block;
use crate::chain_service::{ChainHandle, ChainStopped};
use crate::rpc::{
    Call, Category, DisplayString, Example, FromArgument, Hex, HexBytes, JsonType, Method, Object, Parameter, Presence,
    ResultDoc, RpcError, RpcErrorCode, RpcResult, to_result,
};

/// How long a client that waits for a better template waits at least, unless there is a new tip.
const FIRST_LOOK: Duration = Duration::from_secs(60);
/// Time between looks at the pool after that.
const NEXT_LOOK: Duration = Duration::from_secs(10);
/// Digits of a block's hash.
const HASH_DIGITS: usize = 64;

pub(super) const METHODS: &[Method] = &[Method {
    name: "getblocktemplate",
    category: Category::Mining,
    description: "If the request parameters include a 'mode' key, that is used to explicitly select between the default \
        'template' request or a 'proposal'.\n\
        It returns data needed to construct a block to work on.\n\
        For full specification, see BIPs 22, 23, 9, and 145:\n    \
        https://github.com/bitcoin/bips/blob/master/bip-0022.mediawiki\n    \
        https://github.com/bitcoin/bips/blob/master/bip-0023.mediawiki\n    \
        https://github.com/bitcoin/bips/blob/master/bip-0009.mediawiki#getblocktemplate_changes\n    \
        https://github.com/bitcoin/bips/blob/master/bip-0145.mediawiki\n",
    parameters: &[Parameter::object("template_request", Presence::Required, "Format of the template", REQUEST)],
    results: &[
        ResultDoc::null("", "").when("If the proposal was accepted with mode=='proposal'"),
        ResultDoc::string("", "According to BIP22").when("If the proposal was not accepted with mode=='proposal'"),
        ResultDoc::object("", "", TEMPLATE_FIELDS).when("Otherwise"),
    ],
    examples: &[Example::cli("'{\"rules\": [\"segwit\"]}'"), Example::rpc("{\"rules\": [\"segwit\"]}")],
    handler: |call| Box::pin(getblocktemplate(call)),
}];

const REQUEST: &[Parameter] = &[
    Parameter::string(
        "mode",
        Presence::Omitted,
        "This must be set to \"template\", \"proposal\" (see BIP 23), or omitted",
    ),
    Parameter::array(
        "capabilities",
        Presence::Omitted,
        "A list of strings",
        &[Parameter::string(
            "str",
            Presence::Omitted,
            "client side supported feature, 'longpoll', 'coinbasevalue', 'proposal', 'serverlist', 'workid'",
        )],
    ),
    Parameter::array(
        "rules",
        Presence::Required,
        "A list of strings",
        &[
            Parameter::string("segwit", Presence::Required, "(literal) indicates client side segwit support"),
            Parameter::string("str", Presence::Omitted, "other client side supported softfork deployment"),
        ],
    ),
    Parameter::string(
        "longpollid",
        Presence::Omitted,
        "delay processing request until the result would vary significantly from the \"longpollid\" of a prior template",
    ),
    Parameter::hex(
        "data",
        Presence::Omitted,
        "proposed block data to check, encoded in hexadecimal; valid only for mode=\"proposal\"",
    ),
];

const TEMPLATE_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("version", "The preferred block version"),
    ResultDoc::array(
        "rules",
        "specific block rules that are to be enforced",
        &[ResultDoc::string("", "name of a rule the client must understand to some extent; see BIP 9 for format")],
    ),
    ResultDoc::object_dynamic(
        "vbavailable",
        "set of pending, supported versionbit (BIP 9) softfork deployments",
        &[ResultDoc::number(
            "rulename",
            "identifies the bit number as indicating acceptance and readiness for the named softfork rule",
        )],
    ),
    ResultDoc::array("capabilities", "", &[ResultDoc::string("value", "A supported feature, for example 'proposal'")]),
    ResultDoc::number("vbrequired", "bit mask of versionbits the server requires set in submissions"),
    ResultDoc::string("previousblockhash", "The hash of current highest block"),
    ResultDoc::array(
        "transactions",
        "contents of non-coinbase transactions that should be included in the next block",
        &[ResultDoc::object("", "", TRANSACTION_FIELDS)],
    ),
    ResultDoc::object_dynamic(
        "coinbaseaux",
        "data that should be included in the coinbase's scriptSig content",
        &[ResultDoc::hex("key", "values must be in the coinbase (keys may be ignored)")],
    ),
    ResultDoc::number(
        "coinbasevalue",
        "maximum allowable input to coinbase transaction, including the generation award and transaction fees (in satoshis)",
    ),
    ResultDoc::string("longpollid", "an id to include with a request to longpoll on an update to this template"),
    ResultDoc::string("target", "The hash target"),
    ResultDoc::time(
        "mintime",
        "The minimum timestamp appropriate for the next block time, expressed in UNIX epoch time. Adjusted for the proposed \
         BIP94 timewarp rule.",
    ),
    ResultDoc::array(
        "mutable",
        "list of ways the block template may be changed",
        &[ResultDoc::string(
            "value",
            "A way the block template may be changed, e.g. 'time', 'transactions', 'prevblock'",
        )],
    ),
    ResultDoc::hex("noncerange", "A range of valid nonces"),
    ResultDoc::number("sigoplimit", "limit of sigops in blocks"),
    ResultDoc::number("sizelimit", "limit of block size"),
    ResultDoc::number("weightlimit", "limit of block weight").optional(),
    ResultDoc::time("curtime", "current timestamp in UNIX epoch time. Adjusted for the proposed BIP94 timewarp rule."),
    ResultDoc::string("bits", "compressed target of next block"),
    ResultDoc::number("height", "The height of the next block"),
    ResultDoc::hex("signet_challenge", "Only on signet").optional(),
    ResultDoc::hex("default_witness_commitment", "a valid witness commitment for the unmodified block template")
        .optional(),
];

const TRANSACTION_FIELDS: &[ResultDoc] = &[
    ResultDoc::hex("data", "transaction data encoded in hexadecimal (byte-for-byte)"),
    ResultDoc::hex("txid", "transaction hash excluding witness data, shown in byte-reversed hex"),
    ResultDoc::hex("hash", "transaction hash including witness data, shown in byte-reversed hex"),
    ResultDoc::array(
        "depends",
        "array of numbers",
        &[ResultDoc::number(
            "",
            "transactions before this one (by 1-based index in 'transactions' list) that must be present in the final block \
             if this one is",
        )],
    ),
    ResultDoc::number(
        "fee",
        "difference in value between transaction inputs and outputs (in satoshis); for coinbase transactions, this is a \
         negative Number of the total collected block fees (ie, not including the block subsidy); if key is not present, fee \
         is unknown and clients MUST NOT assume there isn't one",
    ),
    ResultDoc::number(
        "sigops",
        "total SigOps cost, as counted for purposes of block limits; if key is not present, sigop cost is unknown and clients \
         MUST NOT assume it is zero",
    ),
    ResultDoc::number("weight", "total transaction weight, as counted for purposes of block limits"),
];

async fn getblocktemplate(call: Call) -> RpcResult {
    let request: Object = call.arguments.get("template_request")?;
    let mode = match request.raw("mode").map(JsonType::of) {
        None => "template".to_owned(),
        Some(JsonType::String) => request.get("mode")?,
        Some(_) => return Err(invalid_mode()),
    };
    if mode == "proposal" {
        return propose(&call, &request).await;
    }
    let rules: Vec<String> = match request.raw("rules") {
        Some(rules) if JsonType::of(rules) == JsonType::Array => request.get("rules")?,
        _ => Vec::new(),
    };
    if mode != "template" {
        return Err(invalid_mode());
    }
    check_network(&call).await?;
    if request.raw("longpollid").is_some() {
        let known = LongPollId::read(&call, &request).await?;
        call.wait(better_template(&call.context.chain, known, [FIRST_LOOK, NEXT_LOOK])).await??;
    }
    let has_rule = |rule: &str| rules.iter().any(|known| known == rule);
    let challenge = call.context.params.consensus.signet_challenge.as_ref();
    if challenge.is_some() && !has_rule("signet") {
        return Err(RpcError::invalid_parameter(
            "getblocktemplate must be called with the signet rule set (call with {\"rules\": [\"segwit\", \"signet\"]})",
        ));
    }
    if !has_rule("segwit") {
        return Err(RpcError::invalid_parameter(
            "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})",
        ));
    }
    let template = call.context.chain.call(|chain| chain.client_template()).await??;
    let challenge = challenge.map(|script| HexBytes(script.to_bytes()));
    to_result(&TemplateView::new(&template, challenge))
}

fn invalid_mode() -> RpcError {
    RpcError::invalid_parameter("Invalid mode")
}

/// Whether a block could be the next, but for its proof of work (BIP23).
async fn propose(call: &Call, request: &Object) -> RpcResult {
    let data = request.raw("data").filter(|data| JsonType::of(data) == JsonType::String);
    if data.is_none() {
        return Err(RpcError::type_error("Missing data String key for proposal"));
    }
    let block = decode_block(&request.get::<String>("data")?)?;
    let answer = call.context.chain.call(move |chain| propose_block(&chain.chainstate, block)).await??;
    to_result(&answer)
}

/// On Bitcoin's main network work on an old tip is lost. Other networks live from blocks that somebody finds while nobody else
/// is there (Core: `isTestChain`).
async fn check_network(call: &Call) -> Result<(), RpcError> {
    if call.context.params.rpc_name != "main" {
        return Ok(());
    }
    if Connections::now(&call.context).count() == 0 {
        return Err(RpcError::new(RpcErrorCode::ClientNotConnected, "Cairn is not connected!"));
    }
    if call.context.chain.call(|chain| chain.chainstate.is_initial_block_download()).await? {
        let message = "Cairn is in initial sync and waiting for blocks...";
        return Err(RpcError::new(RpcErrorCode::ClientInInitialDownload, message));
    }
    Ok(())
}

/// The template that a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LongPollId {
    tip: BlockHash,
    mempool_updates: u64,
}

impl LongPollId {
    /// What the client sends. Of anything but a string it is the present template.
    async fn read(call: &Call, request: &Object) -> Result<Self, RpcError> {
        match request.raw("longpollid").map(JsonType::of) {
            Some(JsonType::String) => Self::parse(&request.get::<String>("longpollid")?),
            _ => {
                let mempool_updates = call.context.chain.call(|chain| chain.client_template_updates()).await?;
                Ok(Self { tip: call.context.chain.tip().hash, mempool_updates })
            }
        }
    }

    /// Reads [`BlockTemplate::long_poll_id`]: a hash, and a number of which what is none counts as zero.
    fn parse(text: &str) -> Result<Self, RpcError> {
        let (hash, updates) = text.split_at_checked(HASH_DIGITS).unwrap_or((text, ""));
        let hash = serde_json::value::to_raw_value(hash).map_err(|error| RpcError::internal(error.to_string()))?;
        let digits = updates.find(|character: char| !character.is_ascii_digit()).unwrap_or(updates.len());
        Ok(Self {
            tip: BlockHash::from_argument(&hash, "longpollid")?,
            mempool_updates: updates[..digits].parse().unwrap_or_default(),
        })
    }
}

/// Waits until there is another tip than the client's, or after the first and every later look at it another pool.
async fn better_template(
    chain: &ChainHandle,
    known: LongPollId,
    [first, later]: [Duration; 2],
) -> Result<(), ChainStopped> {
    let mut tips = chain.watch_tip();
    let mut patience = first;
    loop {
        let new_tip = async { tips.wait_for(|tip| tip.hash != known.tip).await.is_ok() };
        match timeout(patience, new_tip).await {
            Ok(true) => return Ok(()),
            // The chain thread has ended.
            Ok(false) => return Err(ChainStopped),
            Err(_) => {}
        }
        if chain.call(|chain| chain.mempool.updates()).await? != known.mempool_updates {
            return Ok(());
        }
        patience = later;
    }
}

#[derive(Debug, Serialize)]
struct TemplateView<'a> {
    capabilities: [&'static str; 1],
    version: i32,
    rules: Vec<&'static str>,
    vbavailable: BTreeMap<&'static str, u8>,
    vbrequired: u32,
    previousblockhash: DisplayString<BlockHash>,
    transactions: Vec<TransactionView<'a>>,
    coinbaseaux: BTreeMap<&'static str, HexBytes>,
    coinbasevalue: u64,
    longpollid: String,
    target: DisplayString<Target>,
    mintime: u32,
    mutable: [&'static str; 3],
    noncerange: &'static str,
    sigoplimit: usize,
    sizelimit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    weightlimit: Option<usize>,
    curtime: u32,
    bits: String,
    height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    signet_challenge: Option<HexBytes>,
    default_witness_commitment: Hex<'a>,
}

#[derive(Debug, Serialize)]
struct TransactionView<'a> {
    data: Hex<'a>,
    txid: DisplayString<Txid>,
    hash: DisplayString<Wtxid>,
    depends: Vec<usize>,
    fee: u64,
    sigops: usize,
    weight: usize,
}

impl<'a> TemplateView<'a> {
    fn new(template: &'a BlockTemplate, signet_challenge: Option<HexBytes>) -> Self {
        let (rules, limits) = (template.rules(), template.limits());
        let transactions = template.transactions.iter().zip(template.dependencies()).map(|(entry, depends)| {
            let tx = entry.transaction.as_ref().as_ref();
            TransactionView {
                data: Hex(tx.bytes()),
                txid: DisplayString(tx.txid()),
                hash: DisplayString(tx.wtxid()),
                depends,
                fee: entry.fee.to_sat(),
                sigops: template.sigops(entry.sigop_cost),
                weight: tx.weight(),
            }
        });
        Self {
            capabilities: ["proposal"],
            version: rules.version,
            rules: rules.rules,
            vbavailable: rules.available.into_iter().collect(),
            vbrequired: 0,
            previousblockhash: DisplayString(template.previous_block),
            transactions: transactions.collect(),
            coinbaseaux: BTreeMap::new(),
            coinbasevalue: template.coinbase.reward.to_sat(),
            longpollid: template.long_poll_id(),
            target: DisplayString(template.target()),
            mintime: template.next.minimum_time(),
            mutable: ["time", "transactions", "prevblock"],
            noncerange: "00000000ffffffff",
            sigoplimit: limits.sigops,
            sizelimit: limits.size,
            weightlimit: limits.weight,
            curtime: template.time(),
            bits: format!("{:08x}", template.bits().to_consensus()),
            height: template.height,
            signet_challenge,
            default_witness_commitment: Hex(template.coinbase.witness_commitment.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::testing::RpcTest;
    use crate::rpc::testing::coins::{Miner, hex, pay_fee};

    #[test]
    fn ids_of_templates_are_read_as_core_reads_them() {
        let hash = "11".repeat(32);
        for (text, updates) in [("", 0), ("7", 7), ("7x8", 7), ("x", 0)] {
            let id = LongPollId::parse(&format!("{hash}{text}")).unwrap();
            assert_eq!((id.tip.to_string(), id.mempool_updates), (hash.clone(), updates));
        }
        let error = LongPollId::parse("12").unwrap_err();
        assert_eq!(error.message, "longpollid must be of length 64 (not 2, for '12')");
        assert!(LongPollId::parse(&"ß".repeat(64)).is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_pool_is_seen_at_the_next_look() {
        let test = RpcTest::start(0).await;
        let mut miner = Miner::start(&test, 1).await;
        let chain = &test.context.chain;
        let mempool_updates = chain.call(|chain| chain.mempool.updates()).await.unwrap();
        let known = LongPollId { tip: chain.tip().hash, mempool_updates };
        let looks = [Duration::from_millis(300), Duration::from_millis(50)];
        let waiting = better_template(chain, known, looks);
        tokio::pin!(waiting);
        assert!(timeout(Duration::from_millis(600), &mut waiting).await.is_err(), "nothing has changed");
        test.get("sendrawtransaction", &format!("[{}]", hex(&pay_fee(miner.take(), 10_000)))).await;
        timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap();
        // Whoever comes with an old template waits for the first look.
        let start = tokio::time::Instant::now();
        better_template(chain, known, looks).await.unwrap();
        assert!(start.elapsed() >= looks[0]);
        miner.mine(&[]).await;
        better_template(chain, known, [Duration::MAX; 2]).await.unwrap();
    }
}
