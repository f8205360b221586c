use cairn_chain::params::{ChainParams, Deployment, RegtestOptions};
use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;

/// Anybody can spend it.
const ADDRESS: &str = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85";

/// `check_signalling_deploymentinfo_result` of Core's `rpc_blockchain.py`, with the activation heights of that test.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_as_core_tells_it() {
    let mut params = ChainParams::regtest(RegtestOptions::default());
    for (deployment, height) in
        [(Deployment::Bip34, 2), (Deployment::Dersig, 3), (Deployment::Cltv, 4), (Deployment::Csv, 5)]
    {
        params.consensus.activation.set_height(deployment, height);
    }
    params.consensus.activation.set_height(Deployment::Segwit, 6);
    let test = RpcTest::start_on(params).await;
    let hashes = test.get("generatetoaddress", &json!([287, ADDRESS]).to_string()).await;
    for (height, next) in [(144, "started"), (200, "started"), (286, "started"), (287, "locked_in")] {
        let hash = &hashes[height - 1];
        let voted = height - 143;
        let expected = json!({
            "hash": hash,
            "height": height,
            "script_flags": [
                "CHECKLOCKTIMEVERIFY", "CHECKSEQUENCEVERIFY", "DERSIG", "NULLDUMMY", "P2SH", "TAPROOT", "WITNESS"
            ],
            "deployments": {
                "bip34": {"type": "buried", "active": true, "height": 2},
                "bip66": {"type": "buried", "active": true, "height": 3},
                "bip65": {"type": "buried", "active": true, "height": 4},
                "csv": {"type": "buried", "active": true, "height": 5},
                "segwit": {"type": "buried", "active": true, "height": 6},
                "testdummy": {
                    "type": "bip9",
                    "bip9": {
                        "bit": 28,
                        "start_time": 0,
                        "timeout": i64::MAX,
                        "min_activation_height": 0,
                        "status": "started",
                        "status_next": next,
                        "since": 144,
                        "statistics": {
                            "period": 144, "threshold": 108, "elapsed": voted, "count": voted, "possible": true,
                        },
                        "signalling": "#".repeat(voted),
                    },
                    "active": false,
                },
            },
        });
        assert_eq!(test.get("getdeploymentinfo", &json!([hash]).to_string()).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_come_into_force() {
    let mut params = ChainParams::regtest(RegtestOptions::default());
    params.consensus.activation.set_height(Deployment::Csv, 3);
    let test = RpcTest::start_on(params).await;
    let csv = |told: &Value| told["deployments"]["csv"].clone();
    let flag = |told: &Value| told["script_flags"].as_array().unwrap().contains(&json!("CHECKSEQUENCEVERIFY"));
    let at_genesis = test.get("getdeploymentinfo", "[]").await;
    assert_eq!(at_genesis["height"], 0);
    assert_eq!(csv(&at_genesis), json!({"type": "buried", "active": false, "height": 3}));
    assert_eq!(at_genesis["deployments"]["testdummy"]["bip9"]["status"], "defined");
    assert!(at_genesis["deployments"]["testdummy"].get("height").is_none());
    // The block after this one is held to it, and so is the pool, but not yet the block itself.
    test.get("generatetoaddress", &json!([2, ADDRESS]).to_string()).await;
    let before = test.get("getdeploymentinfo", "[]").await;
    assert_eq!((&csv(&before)["active"], flag(&before)), (&json!(true), false));
    test.get("generatetoaddress", &json!([1, ADDRESS]).to_string()).await;
    assert!(flag(&test.get("getdeploymentinfo", "[]").await));

    test.get("generatetoaddress", &json!([429, ADDRESS]).to_string()).await;
    let decided = test.get("getdeploymentinfo", "[]").await["deployments"]["testdummy"].clone();
    assert_eq!((&decided["active"], &decided["height"]), (&json!(true), &json!(432)));
    assert_eq!(decided["bip9"]["since"], 432);
    assert!(decided["bip9"].get("bit").is_none() && decided["bip9"].get("signalling").is_none());

    let unknown = format!("[\"{}\"]", "00".repeat(32));
    assert_eq!(test.error("getdeploymentinfo", &unknown).await, (-5, "Block not found".to_owned()));
    let malformed = "blockhash must be of length 64 (not 1, for '0')".to_owned();
    assert_eq!(test.error("getdeploymentinfo", "[\"0\"]").await, (-8, malformed));
}
