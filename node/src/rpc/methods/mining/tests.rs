use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::script::PushBytesBuf;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, absolute, transaction,
};
use cairn_chain::params::ChainParams;
use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Miner, hex, output, pay_fee};

const REQUEST: &str = "[{\"rules\":[\"segwit\"]}]";
const ADDRESS: &str = "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv";
const SCRIPT: &str = "00145ec3eaf488f0555e43f85c20c96dfa0503715483";

/// What a pool does with a template: a coinbase of its own, a merkle root, and a nonce.
fn block_of(template: &Value) -> Block {
    let height = template["height"].as_i64().unwrap();
    let height = bitcoin::script::Builder::new().push_int(height).push_slice(PushBytesBuf::from([7; 4])).into_script();
    let text = |name: &str| template[name].as_str().unwrap().to_owned();
    let number = |name: &str| u32::try_from(template[name].as_u64().unwrap()).unwrap();
    let coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: height,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0; 32]]),
        }],
        output: vec![
            TxOut {
                value: Amount::from_sat(template["coinbasevalue"].as_u64().unwrap()),
                script_pubkey: ScriptBuf::from_hex(SCRIPT).unwrap(),
            },
            TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_hex(&text("default_witness_commitment")).unwrap(),
            },
        ],
    };
    let others = template["transactions"].as_array().unwrap().iter();
    let others = others.map(|entry| deserialize_hex(entry["data"].as_str().unwrap()).unwrap());
    let mut block = Block {
        header: Header {
            version: Version::from_consensus(template["version"].as_i64().unwrap().try_into().unwrap()),
            prev_blockhash: text("previousblockhash").parse().unwrap(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: number("curtime"),
            bits: CompactTarget::from_hex(&format!("0x{}", text("bits"))).unwrap(),
            nonce: 0,
        },
        txdata: std::iter::once(coinbase).chain(others).collect(),
    };
    solve(&mut block);
    block
}

fn solve(block: &mut Block) {
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
}

fn quoted(block: &Block) -> String {
    format!("[\"{}\"]", serialize_hex(block))
}

fn proposal(block: &Block) -> String {
    json!([{"mode": "proposal", "data": serialize_hex(block), "rules": ["segwit"]}]).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_has_what_core_says() {
    let test = RpcTest::start(2).await;
    let tip = test.get("getbestblockhash", "[]").await;
    let template = test.get("getblocktemplate", REQUEST).await;
    let expected = json!({
        "capabilities": ["proposal"],
        "version": 0x2000_0000,
        "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": tip,
        "transactions": [],
        "coinbaseaux": {},
        "coinbasevalue": 5_000_000_000_u64,
        "longpollid": template["longpollid"],
        "target": format!("7fffff{}", "0".repeat(58)),
        "mintime": template["mintime"],
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": 80_000,
        "sizelimit": 4_000_000,
        "weightlimit": 4_000_000,
        "curtime": template["curtime"],
        "bits": "207fffff",
        "height": 3,
        "default_witness_commitment":
            "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9",
    });
    assert_eq!(template, expected);
    assert!(template["longpollid"].as_str().unwrap().starts_with(tip.as_str().unwrap()));
    assert!(template["curtime"].as_u64() >= template["mintime"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_core_refuses_are_refused() {
    let test = RpcTest::start(0).await;
    let segwit = "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})";
    for (request, code, message) in [
        ("{}", -8, segwit),
        ("{\"rules\":[]}", -8, segwit),
        ("{\"rules\":5}", -8, segwit),
        ("{\"rules\":[1]}", -3, "JSON value of type number is not of expected type string"),
        ("{\"mode\":1}", -8, "Invalid mode"),
        ("{\"mode\":\"x\"}", -8, "Invalid mode"),
        ("{\"mode\":\"proposal\"}", -3, "Missing data String key for proposal"),
        ("{\"mode\":\"proposal\",\"data\":\"00\"}", -22, "Block decode failed"),
        ("{\"rules\":[\"segwit\"],\"longpollid\":\"0\"}", -8, "longpollid must be of length 64 (not 1, for '0')"),
    ] {
        let error = test.error("getblocktemplate", &format!("[{request}]")).await;
        assert_eq!(error, (code, message.to_owned()), "{request}");
    }
}

/// On Bitcoin's main network nobody mines alone.
#[tokio::test(flavor = "multi_thread")]
async fn only_on_main_a_node_has_to_be_connected() {
    let main = RpcTest::start_on(ChainParams::main()).await;
    assert_eq!(main.error("getblocktemplate", REQUEST).await, (-9, "Cairn is not connected!".to_owned()));
    for params in [ChainParams::cairn(), ChainParams::devnet()] {
        let test = RpcTest::start_on(params).await;
        assert_eq!(test.get("getblocktemplate", REQUEST).await["height"], 1);
    }
    let signet = RpcTest::start_on(ChainParams::signet()).await;
    let error = signet.error("getblocktemplate", REQUEST).await;
    assert!(error.1.starts_with("getblocktemplate must be called with the signet rule set"), "{error:?}");
    let template = signet.get("getblocktemplate", "[{\"rules\":[\"segwit\",\"signet\"]}]").await;
    assert_eq!(template["rules"], json!(["csv", "!segwit", "taproot", "!signet"]));
    let challenge = ChainParams::signet().consensus.signet_challenge.unwrap();
    assert_eq!(template["signet_challenge"], format!("{challenge:x}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_transactions_becomes_a_block() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let parent = pay_fee(miner.take(), 1000);
    let child = pay_fee(output(&parent, 0), 5000);
    for transaction in [&parent, &child] {
        test.get("sendrawtransaction", &format!("[{}]", hex(transaction))).await;
    }
    let template = test.get("getblocktemplate", REQUEST).await;
    let entry = |transaction: &Transaction, depends: Value, fee: u64| {
        json!({
            "data": serialize_hex(transaction),
            "txid": transaction.compute_txid().to_string(),
            "hash": transaction.compute_wtxid().to_string(),
            "depends": depends,
            "fee": fee,
            "sigops": 0,
            "weight": transaction.weight().to_wu(),
        })
    };
    assert_eq!(template["transactions"], json!([entry(&parent, json!([]), 1000), entry(&child, json!([1]), 5000)]));
    assert_eq!(template["coinbasevalue"], 5_000_000_000_u64 + 6000);

    let block = block_of(&template);
    assert_eq!(test.get("getblocktemplate", &proposal(&block)).await, Value::Null);
    assert_eq!(test.get("submitblock", &quoted(&block)).await, Value::Null);
    assert_eq!(test.get("getbestblockhash", "[]").await, block.block_hash().to_string());
    assert_eq!(test.get("getblocktemplate", REQUEST).await["transactions"], json!([]));
    assert_eq!(test.get("submitblock", &quoted(&block)).await, "duplicate");
    assert_eq!(test.get("getblocktemplate", &proposal(&block)).await, "duplicate");
}

/// A template is kept for five seconds although the pool changes, and not although the tip does.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_kept_for_a_while() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let now = u64::from(miner.tip.time) + 1;
    test.get("setmocktime", &format!("[{now}]")).await;
    let count = async || {
        let template = test.get("getblocktemplate", REQUEST).await;
        (template["transactions"].as_array().unwrap().len(), template["curtime"].as_u64().unwrap())
    };
    let (_, first) = count().await;
    test.get("sendrawtransaction", &format!("[{}]", hex(&pay_fee(miner.take(), 1000)))).await;
    assert_eq!(count().await, (0, first));
    test.get("setmocktime", &format!("[{}]", now + 5)).await;
    let (transactions, time) = count().await;
    assert_eq!(transactions, 0);
    assert!(time > first, "the time goes on");
    test.get("setmocktime", &format!("[{}]", now + 6)).await;
    assert_eq!(count().await.0, 1);

    test.get("sendrawtransaction", &format!("[{}]", hex(&pay_fee(miner.take(), 1000)))).await;
    assert_eq!(count().await.0, 1);
    let block = test.get("generateblock", &json!([ADDRESS, []]).to_string()).await;
    let template = test.get("getblocktemplate", REQUEST).await;
    assert_eq!(template["previousblockhash"], block["hash"]);
    assert_eq!(template["transactions"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_waits_hears_of_a_new_tip_and_of_the_end() {
    let test = RpcTest::start(1).await;
    let request = |id: Value| json!([{"rules": ["segwit"], "longpollid": id}]).to_string();
    let template = test.get("getblocktemplate", REQUEST).await;
    // A template of another tip is outdated already.
    let old = format!("{}0", "00".repeat(32));
    assert_eq!(test.get("getblocktemplate", &request(old.into())).await["height"], 2);
    for id in [template["longpollid"].clone(), json!(5)] {
        let height = test.get("getblockcount", "[]").await.as_u64().unwrap();
        let request = request(id);
        let waiting = test.get("getblocktemplate", &request);
        let generating = async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            test.get("generatetoaddress", &json!([1, ADDRESS]).to_string()).await
        };
        let (better, generated) = tokio::join!(waiting, generating);
        assert_eq!((&better["previousblockhash"], &better["height"]), (&generated[0], &(height + 2).into()));
    }
    let request = request(test.get("getblocktemplate", REQUEST).await["longpollid"].clone());
    let waiting = test.error("getblocktemplate", &request);
    let stopping = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        test.context.shutdown.cancel();
    };
    let (error, ()) = tokio::join!(waiting, stopping);
    assert_eq!(error, (-9, "Shutting down".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn proposals_are_judged_but_for_their_proof_of_work() {
    let test = RpcTest::start(1).await;
    let good = block_of(&test.get("getblocktemplate", REQUEST).await);
    let judged = async |block: &Block| test.get("getblocktemplate", &proposal(block)).await;
    let mut without_work = good.clone();
    while without_work.header.validate_pow(without_work.header.target()).is_ok() {
        without_work.header.nonce += 1;
    }
    assert_eq!(judged(&without_work).await, Value::Null);
    let mut greedy = good.clone();
    greedy.txdata[0].output[0].value += Amount::ONE_SAT;
    greedy.header.merkle_root = greedy.compute_merkle_root().unwrap();
    assert_eq!(judged(&greedy).await, "bad-cb-amount");
    let mut elsewhere = good.clone();
    elsewhere.header.prev_blockhash = BlockHash::all_zeros();
    assert_eq!(judged(&elsewhere).await, "inconclusive-not-best-prevblk");
    let mut wrong_root = good.clone();
    wrong_root.header.merkle_root = TxMerkleNode::all_zeros();
    assert_eq!(judged(&wrong_root).await, "bad-txnmrklroot");
    assert_eq!(test.get("getblockcount", "[]").await, 1, "nothing was connected");

    solve(&mut greedy);
    assert_eq!(test.get("submitblock", &quoted(&greedy)).await, "bad-cb-amount");
    assert_eq!(judged(&greedy).await, "duplicate-invalid");
    assert_eq!(test.get("submitblock", &quoted(&good)).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_submitted_with_or_without_the_witness_of_the_coinbase() {
    let test = RpcTest::start(1).await;
    let mut block = block_of(&test.get("getblocktemplate", REQUEST).await);
    block.txdata[0].input[0].witness = Witness::new();
    // What follows a block is ignored, as is a second argument.
    let params = format!("[\"{}ff\",\"x\"]", serialize_hex(&block));
    assert_eq!(test.get("submitblock", &params).await, Value::Null);
    assert_eq!(test.get("getbestblockhash", "[]").await, block.block_hash().to_string());
    for wrong in ["", "0", "zz", "00"] {
        let error = test.error("submitblock", &format!("[\"{wrong}\"]")).await;
        assert_eq!(error, (-22, "Block decode failed".to_owned()), "{wrong:?}");
    }
    // A block beside the chain is kept, and says nothing.
    let template = json!({
        "height": 1,
        "coinbasevalue": 5_000_000_000_u64,
        "default_witness_commitment":
            "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9",
        "transactions": [],
        "version": 0x2000_0000,
        "previousblockhash": test.get("getblockhash", "[0]").await,
        "curtime": 1_700_000_000,
        "bits": "207fffff",
    });
    assert_eq!(test.get("submitblock", &quoted(&block_of(&template))).await, "inconclusive");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_submitted() {
    let test = RpcTest::start(1).await;
    let block = block_of(&test.get("getblocktemplate", REQUEST).await);
    let params = |header: &Header| format!("[\"{}\"]", serialize_hex(header));
    assert_eq!(test.get("submitheader", &params(&block.header)).await, Value::Null);
    let known = test.get("getblockheader", &format!("[\"{}\"]", block.block_hash())).await;
    assert_eq!((&known["height"], &known["confirmations"]), (&json!(2), &json!(-1)));
    for wrong in ["", "zz", "00"] {
        let error = test.error("submitheader", &format!("[\"{wrong}\"]")).await;
        assert_eq!(error, (-22, "Block header decode failed".to_owned()));
    }
    let orphan = Header { prev_blockhash: BlockHash::all_zeros(), ..block.header };
    let error = test.error("submitheader", &params(&orphan)).await;
    assert_eq!(error, (-25, format!("Must submit previous header ({}) first", BlockHash::all_zeros())));
    let easy = Header { bits: CompactTarget::from_consensus(0x2100_ffff), ..block.header };
    assert_eq!(test.error("submitheader", &params(&easy)).await, (-25, "high-hash".to_owned()));
    let mut early = block.clone();
    early.header.time = 0;
    solve(&mut early);
    assert_eq!(test.error("submitheader", &params(&early.header)).await, (-25, "time-too-old".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_found_on_the_spot() {
    let test = RpcTest::start(1).await;
    let hashes = test.get("generatetoaddress", &json!([3, ADDRESS]).to_string()).await;
    assert_eq!((hashes.as_array().unwrap().len(), &test.get("getbestblockhash", "[]").await), (3, &hashes[2]));
    let pays = async |hash: &Value| {
        let hash: BlockHash = hash.as_str().unwrap().parse().unwrap();
        let block = test.context.chain.call(move |chain| chain.block(&hash)).await.unwrap().unwrap();
        block.transaction(0).unwrap().output(0).unwrap().script_pubkey().to_hex_string()
    };
    assert_eq!(pays(&hashes[0]).await, SCRIPT);
    for (descriptor, script) in [
        (format!("addr({ADDRESS})"), SCRIPT),
        ("raw(51)".to_owned(), "51"),
        (
            "combo(02e3af28965693b9ce1228f9d468149b831d6a0540b25e8a9900f71372c11fb277)".to_owned(),
            "00141e51fcdc14be9a148bb0aaec9197eb47c83776fb",
        ),
    ] {
        let hashes = test.get("generatetodescriptor", &json!([1, descriptor]).to_string()).await;
        assert_eq!(pays(&hashes[0]).await, script);
    }
    let height = test.get("getblockcount", "[]").await;
    for params in [json!([0, ADDRESS]), json!([-1, ADDRESS]), json!([1, ADDRESS, 0])] {
        assert_eq!(test.get("generatetoaddress", &params.to_string()).await, json!([]));
    }
    assert_eq!(test.get("getblockcount", "[]").await, height);
    let error = test.error("generatetoaddress", "[1,\"x\"]").await;
    assert_eq!(error, (-5, "Error: Invalid address".to_owned()));
    for (descriptor, code, message) in [
        ("x", -5, "'x' is not a valid descriptor function"),
        (
            "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosU\
             CJZL5B/*)",
            -8,
            "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?",
        ),
        (
            "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosU\
             CJZL5B/<0;1>)",
            -8,
            "Multipath descriptor not accepted",
        ),
        (
            "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosU\
             CJZL5B/1h)",
            -5,
            "Cannot derive script without private keys",
        ),
    ] {
        let error = test.error("generatetodescriptor", &json!([1, descriptor]).to_string()).await;
        assert_eq!(error, (code, message.to_owned()));
    }
    let (code, help) = test.error("generate", "[]").await;
    assert_eq!(code, -32601);
    assert!(help.starts_with("generate\n\nhas been replaced by the -generate cli option."), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_of_chosen_transactions() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 3).await;
    let pooled = pay_fee(miner.take(), 1000);
    test.get("sendrawtransaction", &format!("[{}]", hex(&pooled))).await;
    let raw = pay_fee(output(&pooled, 0), 1000);
    let texts = json!([pooled.compute_txid().to_string(), serialize_hex(&raw)]);

    // Not submitted, it is shown.
    let shown = test.get("generateblock", &json!([ADDRESS, texts, false]).to_string()).await;
    let block: Block = deserialize_hex(shown["hex"].as_str().unwrap()).unwrap();
    assert_eq!(shown["hash"], block.block_hash().to_string());
    assert_eq!(block.txdata[1..], [pooled.clone(), raw]);
    assert_eq!(block.txdata[0].output[0].value, Amount::from_sat(5_000_000_000), "fees are not collected");
    assert_eq!(test.get("submitblock", &quoted(&block)).await, Value::Null);

    let transaction = pay_fee(miner.take(), 1000);
    let made = test.get("generateblock", &json!(["raw(51)", [serialize_hex(&transaction)]]).to_string()).await;
    assert!(made.get("hex").is_none());
    assert_eq!(test.get("getbestblockhash", "[]").await, made["hash"]);

    let txid = pooled.compute_txid();
    for (params, code, message) in [
        (json!(["x", []]), -5, "Error: Invalid address or descriptor".to_owned()),
        (json!([ADDRESS, [txid.to_string()]]), -5, format!("Transaction {txid} not in mempool.")),
        (
            json!([ADDRESS, ["0000"]]),
            -22,
            "Transaction decode failed for 0000. Make sure the tx has at least one input.".to_owned(),
        ),
        (json!([ADDRESS, [serialize_hex(&transaction)]]), -25, "TestBlockValidity failed: bad-txns-BIP30".to_owned()),
    ] {
        let error = test.error("generateblock", &params.to_string()).await;
        assert!(error.0 == code && error.1.starts_with(&message), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_how_hard_mining_is() {
    let test = RpcTest::start(1).await;
    let before = test.get("getmininginfo", "[]").await;
    let difficulty = "{\"bits\":\"207fffff\",\"difficulty\":4.656542373906925e-10,\"target\":\"7fffff";
    assert!(before.get("currentblockweight").is_none() && before.get("currentblocktx").is_none());
    test.get("generatetoaddress", &json!([1, ADDRESS]).to_string()).await;
    let text = test.call("getmininginfo", "[]").await.unwrap();
    let info: Value = serde_json::from_str(text.get()).unwrap();
    assert_eq!(info["blocks"], 2);
    assert_eq!((&info["currentblockweight"], &info["currentblocktx"]), (&json!(8000), &json!(0)));
    assert_eq!((&info["pooledtx"], &info["chain"], &info["warnings"]), (&json!(0), &json!("regtest"), &json!([])));
    assert!(text.get().contains("\"blockmintxfee\":0.00000001,"), "{}", text.get());
    assert!(text.get().contains(&difficulty[1..]), "{}", text.get());
    assert!(text.get().contains(&format!("\"next\":{{\"height\":3,{}", &difficulty[1..])), "{}", text.get());
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_per_second_are_work_over_time() {
    let test = RpcTest::start(10).await;
    let mut times = Vec::new();
    for height in 0..=10 {
        let hash = test.get("getblockhash", &format!("[{height}]")).await;
        times.push(test.get("getblockheader", &format!("[{hash}]")).await["time"].as_f64().unwrap());
    }
    let rate = async |params: &str| test.get("getnetworkhashps", params).await.as_f64().unwrap();
    // Each block is worth two hashes.
    let expected = |first: usize, last: usize| {
        2.0 * f64::from(u32::try_from(last - first).unwrap()) / (times[last] - times[first])
    };
    assert!((rate("[3]").await / expected(7, 10) - 1.0).abs() < 1e-12);
    assert!((rate("[3,5]").await / expected(2, 5) - 1.0).abs() < 1e-12);
    assert!((rate("[]").await / expected(0, 10) - 1.0).abs() < 1e-12);
    assert!((rate("[-1,9]").await / expected(0, 9) - 1.0).abs() < 1e-12);
    assert_eq!(test.call("getnetworkhashps", "[3,0]").await.unwrap().get(), "0");
    for (params, message) in [
        ("[0]", "Invalid nblocks. Must be a positive number or -1."),
        ("[-2]", "Invalid nblocks. Must be a positive number or -1."),
        ("[1,11]", "Block does not exist at specified height"),
        ("[1,-2]", "Block does not exist at specified height"),
    ] {
        assert_eq!(test.error("getnetworkhashps", params).await, (-8, message.to_owned()));
    }
}
