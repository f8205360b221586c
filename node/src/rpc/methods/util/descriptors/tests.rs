use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;

const XPUB: &str =
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B";
const XPRV: &str =
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";
const KEY: &str = "02e3af28965693b9ce1228f9d468149b831d6a0540b25e8a9900f71372c11fb277";

async fn call(test: &RpcTest, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let result = test.call(method, &params.to_string()).await?;
    Ok(serde_json::from_str(result.get()).unwrap())
}

/// `rpc_deriveaddresses.py` of Core.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_those_that_core_derives() {
    let test = RpcTest::start(0).await;
    let derive = |params| call(&test, "deriveaddresses", params);
    let desc = format!("wpkh({XPRV}/1/1/0)#t6wfjs64");
    let address = "bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5";
    assert_eq!(derive(json!([desc])).await.unwrap(), json!([address]));

    let desc = format!("wpkh({XPUB}/1/1/0)#s9ga3alw");
    assert_eq!(derive(json!([desc])).await.unwrap(), json!([address]));

    let ranged = format!("wpkh({XPRV}/1/1/*)#kft60nuy");
    let second = "bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy";
    let third = "bcrt1qpgptk2gvshyl0s9lqshsmx932l9ccsv265tvaq";
    assert_eq!(derive(json!([ranged, [1, 2]])).await.unwrap(), json!([second, third]));
    assert_eq!(derive(json!([ranged, 2])).await.unwrap(), json!([address, second, third]));
    assert_eq!(derive(json!([ranged, [0, 0]])).await.unwrap(), json!([address]));

    let multipath = format!("wpkh({XPRV}/1/<1;2>/*)");
    let sum = call(&test, "getdescriptorinfo", json!([multipath])).await.unwrap()["checksum"].clone();
    let got = derive(json!([format!("{multipath}#{}", sum.as_str().unwrap()), [1, 2]])).await.unwrap();
    assert_eq!(got[0], json!([second, third]));
    assert_eq!((got.as_array().unwrap().len(), got[1].as_array().unwrap().len()), (2, 2));

    let combo = format!("combo({XPRV}/1/1/0)#3ne3y67s");
    let expected = json!(["mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ", address, "2NDvEwGfpEqJWfybzpKPHF2XH3jwoQV3D7x"]);
    let got = derive(json!([combo])).await;
    match got {
        Ok(got) => assert_eq!(got, expected),
        Err((_, message)) => panic!("{message}"),
    }
}

/// `rpc_deriveaddresses.py` of Core.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_have_to_fit() {
    let test = RpcTest::start(0).await;
    let ranged = format!("wpkh({XPRV}/1/1/*)#kft60nuy");
    let single = format!("wpkh({XPUB}/1/1/0)#s9ga3alw");
    for (params, code, message) in [
        (json!(["a"]), -5, "Missing checksum"),
        (json!([format!("wpkh({XPUB}/1/1/0)")]), -5, "Missing checksum"),
        (json!([single, [0, 2]]), -8, "Range should not be specified for an un-ranged descriptor"),
        (json!([ranged]), -8, "Range must be specified for a ranged descriptor"),
        (json!([ranged, 10_000_000_000_i64]), -8, "End of range is too high"),
        (json!([ranged, [1_000_000_000_i64, 2_000_000_000_i64]]), -8, "Range is too large"),
        (json!([ranged, [2, 0]]), -8, "Range specified as [begin,end] must not have begin after end"),
        (json!([ranged, [-1, 0]]), -8, "Range should be greater or equal than 0"),
        (json!([ranged, [0]]), -8, "Range must be specified as end or as [begin,end]"),
        (json!([ranged, "0"]), -8, "Range must be specified as end or as [begin,end]"),
    ] {
        let error = call(&test, "deriveaddresses", params).await.unwrap_err();
        assert_eq!(error, (code, message.to_owned()));
    }
    let with_checksum = async |desc: String| {
        let info = call(&test, "getdescriptorinfo", json!([desc])).await.unwrap();
        format!("{desc}#{}", info["checksum"].as_str().unwrap())
    };
    let hardened = with_checksum(format!("wpkh({XPUB}/1'/1/0)")).await;
    let error = call(&test, "deriveaddresses", json!([hardened])).await.unwrap_err();
    assert_eq!(error, (-5, "Cannot derive script without private keys".to_owned()));
    let bare = with_checksum(format!("multi(1,{KEY})")).await;
    let error = call(&test, "deriveaddresses", json!([bare])).await.unwrap_err();
    assert_eq!(error, (-5, "Descriptor does not have a corresponding address".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_descriptor_is_shown_without_its_secrets() {
    let test = RpcTest::start(0).await;
    let info = async |desc: String| call(&test, "getdescriptorinfo", json!([desc])).await.unwrap();
    let plain = info(format!("wpkh([d34db33f/84'/0'/0']{KEY})")).await;
    let expected = json!({
        "descriptor": format!("wpkh([d34db33f/84'/0'/0']{KEY})#{}", plain["checksum"].as_str().unwrap()),
        "checksum": plain["checksum"],
        "isrange": false,
        "issolvable": true,
        "hasprivatekeys": false,
    });
    assert_eq!(plain, expected);
    let secret = info(format!("tr({XPRV}/1h/<0;1>/*)")).await;
    assert_eq!((&secret["hasprivatekeys"], &secret["isrange"]), (&json!(true), &json!(true)));
    let shown = secret["multipath_expansion"].as_array().unwrap();
    assert_eq!((shown.len(), &secret["descriptor"]), (2, &shown[0]));
    assert!(shown[1].as_str().unwrap().starts_with(&format!("tr({XPUB}/1h/1/*)#")), "{secret}");
    let address = info("addr(bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5)".to_owned()).await;
    assert_eq!(address["issolvable"], json!(false));
    let error = call(&test, "getdescriptorinfo", json!([""])).await.unwrap_err();
    assert_eq!(error, (-5, "'' is not a valid descriptor function".to_owned()));
}
