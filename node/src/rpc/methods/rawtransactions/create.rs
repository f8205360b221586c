//! Unsigned transactions (Core: `ConstructTransaction`, `rpc/rawtransaction_util.cpp`).

use std::collections::{HashMap, HashSet};

use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::{Amount, OutPoint, ScriptBuf, Txid};
use cairn_chain::mempool::policy::{TX_MAX_STANDARD_VERSION, TX_MIN_STANDARD_VERSION};
use cairn_chain::params::AddressFormat;
use cairn_chain::script::append_push;
use serde_json::value::RawValue;

use super::draft::{Draft, DraftInput};
use crate::rpc::address::decode_address;
use crate::rpc::{
    Arguments, Call, Category, Example, FromArgument, HexBytes, JsonType, Method, Object, Parameter, Presence,
    ResultDoc, RpcError, RpcResult, to_hex_result,
};

/// An input with a lower sequence can be replaced (Core: `MAX_BIP125_RBF_SEQUENCE`, `util/rbf.h`).
const MAX_BIP125_RBF_SEQUENCE: u32 = 0xffff_fffd;
/// An input with a lower sequence lets the lock time count (Core: `CTxIn::MAX_SEQUENCE_NONFINAL`).
const MAX_SEQUENCE_NONFINAL: u32 = 0xffff_fffe;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "createrawtransaction",
    category: Category::Rawtransactions,
    description: "Create a transaction spending the given inputs and creating new outputs.\n\
        Outputs can be addresses or data.\n\
        Returns hex-encoded raw transaction.\n\
        Note that the transaction's inputs are not signed, and\n\
        it is not stored in the wallet or transmitted to the network.\n",
    parameters: &[
        Parameter::array(
            "inputs",
            Presence::Required,
            "The inputs",
            &[Parameter::object(
                "",
                Presence::Omitted,
                "",
                &[
                    Parameter::hex("txid", Presence::Required, "The transaction id"),
                    Parameter::number("vout", Presence::Required, "The output number"),
                    Parameter::number(
                        "sequence",
                        Presence::Hint("depends on the value of the 'replaceable' and 'locktime' arguments"),
                        "The sequence number",
                    ),
                ],
            )],
        ),
        Parameter::array(
            "outputs",
            Presence::Required,
            "The outputs specified as key-value pairs.\n\
             Each key may only appear once, i.e. there can only be one 'data' output, and no address may be duplicated.\n\
             At least one output of either type must be specified.\n\
             For compatibility reasons, a dictionary, which holds the key-value pairs directly, is also\n                             \
             accepted as second parameter.",
            &[
                Parameter::user_keys(
                    "",
                    Presence::Omitted,
                    "",
                    &[Parameter::amount(
                        "address",
                        Presence::Required,
                        "A key-value pair. The key (string) is the bitcoin address, the value (float or string) is the \
                         amount in BTC",
                    )],
                ),
                Parameter::object(
                    "",
                    Presence::Omitted,
                    "",
                    &[Parameter::hex(
                        "data",
                        Presence::Required,
                        "A key-value pair. The key must be \"data\", the value is hex-encoded data that becomes a part \
                         of an OP_RETURN output",
                    )],
                ),
            ],
        )
        .any_type(),
        Parameter::number(
            "locktime",
            Presence::Default("0"),
            "Raw locktime. Non-0 value also locktime-activates inputs",
        ),
        Parameter::boolean(
            "replaceable",
            Presence::Default("true"),
            "Marks this transaction as BIP125-replaceable.\n\
             Allows this transaction to be replaced by a transaction with higher fees. If provided, it is an error if \
             explicit sequence numbers are incompatible.",
        ),
        Parameter::number("version", Presence::Default("2"), "Transaction version"),
    ],
    results: &[ResultDoc::hex("transaction", "hex string of the transaction")],
    examples: &[
        Example::cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"address\\\":0.01}]\""),
        Example::cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"data\\\":\\\"00010203\\\"}]\""),
        Example::rpc("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"address\\\":0.01}]\""),
        Example::rpc("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"data\\\":\\\"00010203\\\"}]\""),
    ],
    handler: |call| Box::pin(createrawtransaction(call)),
}];

async fn createrawtransaction(call: Call) -> RpcResult {
    let draft = construct_transaction(&call.arguments, call.context.params.address_format)?;
    to_hex_result(&draft.encode())
}

/// Core: `ConstructTransaction`.
fn construct_transaction(arguments: &Arguments, format: AddressFormat) -> Result<Draft, RpcError> {
    let replaceable: Option<bool> = arguments.optional("replaceable")?;
    let version: u32 = arguments.get("version")?;
    let lock_time = u32::try_from(arguments.get::<i64>("locktime")?)
        .map_err(|_| RpcError::invalid_parameter("Invalid parameter, locktime out of range"))?;
    if !(TX_MIN_STANDARD_VERSION..=TX_MAX_STANDARD_VERSION).contains(&version) {
        return Err(RpcError::invalid_parameter(format!(
            "Invalid parameter, version out of range({TX_MIN_STANDARD_VERSION}~{TX_MAX_STANDARD_VERSION})"
        )));
    }
    let default_sequence = match replaceable {
        None | Some(true) => MAX_BIP125_RBF_SEQUENCE,
        Some(false) if lock_time != 0 => MAX_SEQUENCE_NONFINAL,
        Some(false) => u32::MAX,
    };
    let inputs: Vec<Object> = arguments.get("inputs")?;
    let inputs = inputs.iter().map(|input| parse_input(input, default_sequence)).collect::<Result<Vec<_>, _>>()?;
    let outputs = arguments.raw("outputs").unwrap_or(RawValue::NULL);
    let outputs = parse_outputs(&normalize_outputs(outputs)?, format)?;
    let signals = |input: &DraftInput| input.sequence <= MAX_BIP125_RBF_SEQUENCE;
    if replaceable == Some(true) && !inputs.is_empty() && !inputs.iter().any(signals) {
        return Err(RpcError::invalid_parameter(
            "Invalid parameter combination: Sequence number(s) contradict replaceable option",
        ));
    }
    Ok(Draft { version, inputs, outputs, lock_time })
}

/// Core: `AddInputs`.
fn parse_input(input: &Object, default_sequence: u32) -> Result<DraftInput, RpcError> {
    let txid: Txid = input.get("txid")?;
    let is_number = |key| input.raw(key).is_some_and(|value| JsonType::of(value) == JsonType::Number);
    if !is_number("vout") {
        return Err(RpcError::invalid_parameter("Invalid parameter, missing vout key"));
    }
    let vout = u32::try_from(input.get::<i32>("vout")?)
        .map_err(|_| RpcError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
    let sequence = if is_number("sequence") {
        u32::try_from(input.get::<i64>("sequence")?)
            .map_err(|_| RpcError::invalid_parameter("Invalid parameter, sequence number is out of range"))?
    } else {
        default_sequence
    };
    Ok(DraftInput { prevout: OutPoint { txid, vout }, script_sig: Vec::new(), sequence, witness: Vec::new() })
}

/// Keys and values, in their order. Of a key that comes twice the first value counts each time, as in Core (Core:
/// `NormalizeOutputs`).
fn normalize_outputs(outputs: &RawValue) -> Result<Vec<(String, Box<RawValue>)>, RpcError> {
    let pairs = |object: &Object| -> Vec<(String, Box<RawValue>)> {
        let mut first: HashMap<&str, &RawValue> = HashMap::new();
        let value = |(key, value)| (String::from(key), (*first.entry(key).or_insert(value)).to_owned());
        object.iter().map(value).collect()
    };
    match JsonType::of(outputs) {
        JsonType::Null => Err(RpcError::invalid_parameter("Invalid parameter, output argument must be non-null")),
        JsonType::Object => Ok(pairs(&Object::from_argument(outputs, "outputs")?)),
        _ => {
            let mut all = Vec::new();
            for output in Vec::<Box<RawValue>>::from_argument(outputs, "outputs")? {
                if JsonType::of(&output) != JsonType::Object {
                    let message = "Invalid parameter, key-value pair not an object as expected";
                    return Err(RpcError::invalid_parameter(message));
                }
                let pair = pairs(&Object::from_argument(&output, "outputs")?);
                if pair.len() != 1 {
                    let message = "Invalid parameter, key-value pair must contain exactly one key";
                    return Err(RpcError::invalid_parameter(message));
                }
                all.extend(pair);
            }
            Ok(all)
        }
    }
}

/// Core: `ParseOutputs`.
fn parse_outputs(outputs: &[(String, Box<RawValue>)], format: AddressFormat) -> Result<Vec<(i64, Vec<u8>)>, RpcError> {
    let mut destinations: HashSet<ScriptBuf> = HashSet::new();
    let mut has_data = false;
    let mut parsed = Vec::with_capacity(outputs.len());
    for (name, value) in outputs {
        if name == "data" {
            if std::mem::replace(&mut has_data, true) {
                return Err(RpcError::invalid_parameter("Invalid parameter, duplicate key: data"));
            }
            let mut script = vec![OP_RETURN.to_u8()];
            append_push(&mut script, &parse_data(value)?);
            parsed.push((0, script));
            continue;
        }
        let destination = decode_address(name, format);
        let amount = Amount::from_argument(value, name)?;
        let script = destination
            .map_err(|_| RpcError::invalid_address_or_key(format!("Invalid Bitcoin address: {name}")))?
            .script_pubkey();
        if !destinations.insert(script.clone()) {
            return Err(RpcError::invalid_parameter(format!("Invalid parameter, duplicated address: {name}")));
        }
        parsed.push((i64::try_from(amount.to_sat()).unwrap_or(i64::MAX), script.into_bytes()));
    }
    Ok(parsed)
}

/// Bytes in hexadecimal digits. A number is taken for its digits, as in Core.
fn parse_data(value: &RawValue) -> Result<Vec<u8>, RpcError> {
    if JsonType::of(value) == JsonType::Number {
        let digits = serde_json::value::to_raw_value(value.get());
        let digits = digits.map_err(|error| RpcError::internal(error.to_string()))?;
        return Ok(HexBytes::from_argument(&digits, "Data")?.0);
    }
    Ok(HexBytes::from_argument(value, "Data")?.0)
}
