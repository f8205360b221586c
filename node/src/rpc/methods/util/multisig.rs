//! Addresses of many keys (Core: `createmultisig`, `rpc/output_script.cpp`).

use bitcoin::hex::FromHex;
use bitcoin::{Address, PublicKey, ScriptBuf};
use serde::Serialize;

use crate::rpc::descriptor::{Descriptor, MAX_PUBKEYS_PER_MULTISIG, MAX_SCRIPT_ELEMENT_SIZE, multisig_script};
use crate::rpc::{
    Call, Category, DisplayString, Example, HexBytes, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult,
    to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "createmultisig",
    category: Category::Util,
    description: "Creates a multi-signature address with n signatures of m keys required.\n\
        It returns a json object with the address and redeemScript.\n",
    parameters: &[
        Parameter::number("nrequired", Presence::Required, "The number of required signatures out of the m keys."),
        Parameter::array(
            "keys",
            Presence::Required,
            "The hex-encoded public keys.",
            &[Parameter::hex("key", Presence::Omitted, "The hex-encoded public key")],
        ),
        Parameter::string(
            "address_type",
            Presence::Default("\"legacy\""),
            "The address type to use. Options are \"legacy\", \"p2sh-segwit\", and \"bech32\".",
        ),
    ],
    results: &[ResultDoc::object(
        "",
        "",
        &[
            ResultDoc::string("address", "The value of the new multisig address."),
            ResultDoc::hex("redeemScript", "The string value of the hex-encoded redemption script."),
            ResultDoc::string("descriptor", "The descriptor for this multisig"),
            ResultDoc::array(
                "warnings",
                "Any warnings resulting from the creation of this multisig",
                &[ResultDoc::string("", "")],
            )
            .optional(),
        ],
    )],
    examples: &[
        Example::text("\nCreate a multisig address from 2 public keys\n"),
        Example::cli(
            "2 \"[\\\"03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd\\\",\
             \\\"03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626\\\"]\"",
        ),
        Example::text("\nAs a JSON-RPC call\n"),
        Example::rpc(
            "2, [\"03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd\",\
             \"03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626\"]",
        ),
    ],
    handler: |call| Box::pin(createmultisig(call)),
}];

/// What stands between the address and the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressType {
    Legacy,
    P2shSegwit,
    Bech32,
}

impl AddressType {
    /// Core: `ParseOutputType`, `outputtype.cpp`.
    fn parse(text: &str) -> Result<Self, RpcError> {
        match text {
            "legacy" => Ok(Self::Legacy),
            "p2sh-segwit" => Ok(Self::P2shSegwit),
            "bech32" => Ok(Self::Bech32),
            "bech32m" => {
                let message = "createmultisig cannot create bech32m multisig addresses";
                Err(RpcError::invalid_address_or_key(message))
            }
            _ => Err(RpcError::invalid_address_or_key(format!("Unknown address type '{text}'"))),
        }
    }
}

async fn createmultisig(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Multisig {
        address: DisplayString<Address>,
        #[serde(rename = "redeemScript")]
        redeem_script: HexBytes,
        descriptor: DisplayString<Descriptor>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<&'static str>,
    }
    let required: i32 = call.arguments.get("nrequired")?;
    let texts: Vec<String> = call.arguments.get("keys")?;
    let keys: Vec<_> = texts.iter().map(|text| parse_key(text)).collect::<Result<_, _>>()?;
    let wanted = AddressType::parse(&call.arguments.get::<String>("address_type")?)?;
    let required = check_counts(required, keys.len())?;
    let script = multisig_script(required, &keys);
    // There is no room for long keys behind the hash of a witness script.
    let kind = if keys.iter().all(|key| key.compressed) { wanted } else { AddressType::Legacy };
    if kind == AddressType::Legacy && script.len() > MAX_SCRIPT_ELEMENT_SIZE {
        let message = format!("redeemScript exceeds size limit: {} > {MAX_SCRIPT_ELEMENT_SIZE}", script.len());
        return Err(RpcError::invalid_parameter(message));
    }
    let mut warnings = Vec::new();
    if kind != wanted {
        warnings.push("Unable to make chosen address type, please ensure no uncompressed public keys are present.");
    }
    let (is_witness, is_script_hash) = (kind != AddressType::Legacy, kind != AddressType::Bech32);
    to_result(&Multisig {
        address: DisplayString(address_of(&call, kind, &script)?),
        descriptor: DisplayString(Descriptor::multisig(required, &keys, is_witness, is_script_hash)),
        redeem_script: HexBytes(script.into_bytes()),
        warnings,
    })
}

fn address_of(call: &Call, kind: AddressType, script: &ScriptBuf) -> Result<Address, RpcError> {
    let format = call.context.params.address_format;
    let p2sh =
        |script: &ScriptBuf| Address::p2sh(script, format.kind).map_err(|error| RpcError::internal(error.to_string()));
    match kind {
        AddressType::Legacy => p2sh(script),
        AddressType::P2shSegwit => p2sh(&script.to_p2wsh()),
        AddressType::Bech32 => Ok(Address::p2wsh(script, format.hrp)),
    }
}

/// Core: `AddAndGetMultisigDestination`, `rpc/util.cpp`.
fn check_counts(required: i32, keys: usize) -> Result<usize, RpcError> {
    let Some(count) = usize::try_from(required).ok().filter(|required| *required > 0) else {
        let message = "a multisignature address must require at least one key to redeem";
        return Err(RpcError::invalid_parameter(message));
    };
    if keys < count {
        return Err(RpcError::invalid_parameter(format!(
            "not enough keys supplied (got {keys} keys, but need at least {required} to redeem)"
        )));
    }
    if keys > MAX_PUBKEYS_PER_MULTISIG {
        return Err(RpcError::invalid_parameter(format!(
            "Number of keys involved in the multisignature address creation > {MAX_PUBKEYS_PER_MULTISIG}\nReduce the number"
        )));
    }
    Ok(count)
}

/// Core: `HexToPubKey`, `rpc/util.cpp`.
fn parse_key(text: &str) -> Result<PublicKey, RpcError> {
    let wrong = |problem: &str| RpcError::invalid_address_or_key(format!("Pubkey \"{text}\" must {problem}"));
    let bytes = Vec::from_hex(text).ok().filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| wrong("be a hex string"))?;
    if !matches!(bytes.len(), 33 | 65) {
        return Err(wrong("have a length of either 33 or 65 bytes"));
    }
    PublicKey::from_slice(&bytes).map_err(|_| wrong("be cryptographically valid."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rpc::testing::RpcTest;

    const KEYS: [&str; 3] = [
        "03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd",
        "03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626",
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a6855419\
         9c47d08ffb10d4b8",
    ];

    async fn create(test: &RpcTest, params: Value) -> Result<Value, (i32, String)> {
        let result = test.call("createmultisig", &params.to_string()).await?;
        Ok(serde_json::from_str(result.get()).unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_descriptor_derives_the_address() {
        let test = RpcTest::start(0).await;
        for kind in ["legacy", "p2sh-segwit", "bech32"] {
            let made = create(&test, json!([2, &KEYS[..2], kind])).await.unwrap();
            let script = format!("5221{}21{}52ae", KEYS[0], KEYS[1]);
            assert_eq!(made["redeemScript"], script);
            let derived = test.call("deriveaddresses", &json!([made["descriptor"]]).to_string()).await.unwrap();
            assert_eq!(derived.get(), json!([made["address"]]).to_string());
            assert!(made.get("warnings").is_none());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn long_keys_are_legacy() {
        let test = RpcTest::start(0).await;
        let made = create(&test, json!([1, KEYS, "bech32"])).await.unwrap();
        assert!(made["descriptor"].as_str().unwrap().starts_with("sh(multi(1,"), "{made}");
        assert_eq!(
            made["warnings"],
            json!(["Unable to make chosen address type, please ensure no uncompressed public keys are present."])
        );
        assert!(create(&test, json!([1, KEYS])).await.unwrap().get("warnings").is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_is_told_in_cores_words() {
        let test = RpcTest::start(0).await;
        let many = vec![KEYS[0]; 21];
        for (params, code, message) in [
            (json!([0, [KEYS[0]]]), -8, "a multisignature address must require at least one key to redeem"),
            (json!([2, [KEYS[0]]]), -8, "not enough keys supplied (got 1 keys, but need at least 2 to redeem)"),
            (
                json!([2, many]),
                -8,
                "Number of keys involved in the multisignature address creation > 20\nReduce the number",
            ),
            (json!([1, vec![KEYS[0]; 16]]), -8, "redeemScript exceeds size limit: 547 > 520"),
            (json!([1, ["zz"]]), -5, "Pubkey \"zz\" must be a hex string"),
            (json!([1, ["00"]]), -5, "Pubkey \"00\" must have a length of either 33 or 65 bytes"),
            (json!([1, [KEYS[0]], "bech32m"]), -5, "createmultisig cannot create bech32m multisig addresses"),
            (json!([1, [KEYS[0]], "blah"]), -5, "Unknown address type 'blah'"),
        ] {
            assert_eq!(create(&test, params).await.unwrap_err(), (code, message.to_owned()));
        }
    }
}
