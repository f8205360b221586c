//! Digits are shown as the transaction or script they stand for.

use bitcoin::hashes::{Hash, hash160};
use bitcoin::{Address, ScriptBuf};
use cairn_chain::params::AddressFormat;
use cairn_chain::script::{Instructions, TxoutType, has_valid_ops, is_unspendable, solve};
use serde::Serialize;

use super::decode::{Form, decode_hex_tx};
use crate::rpc::views::docs::TRANSACTION_FIELDS;
use crate::rpc::views::{ScriptView, TransactionView};
use crate::rpc::{
    Call, Category, DisplayString, Example, FromArgument, HexBytes, Method, Parameter, Presence, ResultDoc, RpcError,
    RpcResult, to_result,
};

/// Length of a compressed public key, in bytes.
const COMPRESSED_KEY: usize = 33;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "decoderawtransaction",
        category: Category::Rawtransactions,
        description: "Return a JSON object representing the serialized, hex-encoded transaction.",
        parameters: &[
            Parameter::hex("hexstring", Presence::Required, "The transaction hex string"),
            Parameter::boolean(
                "iswitness",
                Presence::Hint("depends on heuristic tests"),
                "Whether the transaction hex is a serialized witness transaction.\n\
                 If iswitness is not present, heuristic tests will be used in decoding.\n\
                 If true, only witness deserialization will be tried.\n\
                 If false, only non-witness deserialization will be tried.\n\
                 This boolean should reflect whether the transaction has inputs\n\
                 (e.g. fully valid, or on-chain transactions), if known by the caller.",
            ),
        ],
        results: &[ResultDoc::object("", "", TRANSACTION_FIELDS)],
        examples: &[Example::cli("\"hexstring\""), Example::rpc("\"hexstring\"")],
        handler: |call| Box::pin(decoderawtransaction(call)),
    },
    Method {
        name: "decodescript",
        category: Category::Rawtransactions,
        description: "Decode a hex-encoded script.\n",
        parameters: &[Parameter::hex("hexstring", Presence::Required, "the hex-encoded script")],
        results: &[ResultDoc::object("", "", SCRIPT_FIELDS)],
        examples: &[Example::cli("\"hexstring\""), Example::rpc("\"hexstring\"")],
        handler: |call| Box::pin(decodescript(call)),
    },
];

const SCRIPT_FIELDS: &[ResultDoc] = &[
    ResultDoc::string("asm", "Disassembly of the script"),
    ResultDoc::string("desc", "Inferred descriptor for the script"),
    ResultDoc::string(
        "type",
        "The output type (e.g. nonstandard, anchor, pubkey, pubkeyhash, scripthash, multisig, nulldata, \
         witness_v0_scripthash, witness_v0_keyhash, witness_v1_taproot, witness_unknown)",
    ),
    ResultDoc::string("address", "The Bitcoin address (only if a well-defined address exists)").optional(),
    ResultDoc::string(
        "p2sh",
        "address of P2SH script wrapping this redeem script (not returned for types that should not be wrapped)",
    )
    .optional(),
    ResultDoc::object(
        "segwit",
        "Result of a witness output script wrapping this redeem script (not returned for types that should not be wrapped)",
        &[
            ResultDoc::string("asm", "Disassembly of the output script"),
            ResultDoc::hex("hex", "The raw output script bytes, hex-encoded"),
            ResultDoc::string(
                "type",
                "The type of the output script (e.g. witness_v0_keyhash or witness_v0_scripthash)",
            ),
            ResultDoc::string("address", "The Bitcoin address (only if a well-defined address exists)").optional(),
            ResultDoc::string("desc", "Inferred descriptor for the script"),
            ResultDoc::string("p2sh-segwit", "address of the P2SH script wrapping this witness redeem script"),
        ],
    )
    .optional(),
];

async fn decoderawtransaction(call: Call) -> RpcResult {
    let form = match call.arguments.optional("iswitness")? {
        None => Form::Any,
        Some(true) => Form::WithWitness,
        Some(false) => Form::WithoutWitness,
    };
    let hex: String = call.arguments.get("hexstring")?;
    let transaction = decode_hex_tx(&hex, form).ok_or_else(|| RpcError::deserialization("TX decode failed"))?;
    to_result(&TransactionView::new(transaction.as_ref(), call.context.params.address_format).without_hex())
}

#[derive(Debug, Serialize)]
struct DecodedScript<'a> {
    #[serde(flatten)]
    script: ScriptView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p2sh: Option<DisplayString<Address>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segwit: Option<Segwit<'a>>,
}

#[derive(Debug, Serialize)]
struct Segwit<'a> {
    #[serde(flatten)]
    script: ScriptView<'a>,
    #[serde(rename = "p2sh-segwit")]
    p2sh_segwit: DisplayString<Address>,
}

async fn decodescript(call: Call) -> RpcResult {
    let digits: String = call.arguments.get("hexstring")?;
    // Empty scripts are valid.
    let bytes = match call.arguments.raw("hexstring").filter(|_| !digits.is_empty()) {
        Some(value) => HexBytes::from_argument(value, "argument")?.0,
        None => Vec::new(),
    };
    let format = call.context.params.address_format;
    let form = solve(&bytes);
    let wraps = can_wrap(&bytes, &form);
    let witness_script = if wraps { witness_output(&bytes, &form) } else { None };
    let segwit = witness_script.as_ref().map(|script| Segwit {
        script: ScriptView::new(script.as_bytes(), format),
        p2sh_segwit: DisplayString(p2sh(script.as_bytes(), format)),
    });
    to_result(&DecodedScript {
        script: ScriptView::new(&bytes, format).without_hex(),
        p2sh: wraps.then(|| DisplayString(p2sh(&bytes, format))),
        segwit,
    })
}

/// The address of a redeem script, however long it is.
fn p2sh(script: &[u8], format: AddressFormat) -> Address {
    let hash = hash160::Hash::hash(script);
    Address::p2sh_from_hash(bitcoin::ScriptHash::from_raw_hash(hash), format.kind)
}

/// Whether a script makes sense as a redeem script.
fn can_wrap(script: &[u8], form: &TxoutType<'_>) -> bool {
    let is_wrappable = match form {
        TxoutType::Multisig { .. }
        | TxoutType::Nonstandard
        | TxoutType::Pubkey(_)
        | TxoutType::PubkeyHash(_)
        | TxoutType::WitnessV0KeyHash(_)
        | TxoutType::WitnessV0ScriptHash(_) => true,
        TxoutType::NullData
        | TxoutType::ScriptHash(_)
        | TxoutType::WitnessUnknown { .. }
        | TxoutType::WitnessV1Taproot(_)
        | TxoutType::Anchor => false,
    };
    // What `OP_CHECKSIGADD` and beyond mean only tapscript knows.
    is_wrappable
        && has_valid_ops(script)
        && !is_unspendable(script)
        && Instructions::new(script).flatten().all(|instruction| !instruction.is_op_success())
}

/// The witness program of a script, if it makes sense as a witness script or its key in a witness.
fn witness_output(script: &[u8], form: &TxoutType<'_>) -> Option<ScriptBuf> {
    let is_compressed = |key: &&[u8]| key.len() == COMPRESSED_KEY;
    let key_hash = |hash: hash160::Hash| ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_raw_hash(hash));
    match form {
        TxoutType::Pubkey(key) => is_compressed(key).then(|| key_hash(hash160::Hash::hash(key))),
        TxoutType::PubkeyHash(hash) => Some(key_hash(hash160::Hash::from_byte_array(**hash))),
        TxoutType::Multisig { keys, .. } if !keys.iter().all(is_compressed) => None,
        TxoutType::Multisig { .. } | TxoutType::Nonstandard => {
            Some(ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::hash(script)))
        }
        _ => None,
    }
}
