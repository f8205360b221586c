//! Transactions are signed with keys that a client passes.

use bitcoin::hex::DisplayHex;
use bitcoin::{Amount, Txid};
use cairn_chain::coins::{Coin, CoinScript};
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{PrecomputedTransactionData, ScriptError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::decode::{Form, decode_hex_tx};
use super::draft::{Draft, DraftInput};
use super::signing::{InputContext, Keystore, Satisfaction, SigningKey, produce_signature};
use super::spent_coins::{SpentCoins, UNKNOWN_AMOUNT, find_coins, parse_prevout};
use super::verify_ahead::off_thread;
use crate::rpc::address::decode_secret;
use crate::rpc::{
    Btc, Call, Category, DisplayString, Example, FromArgument, HexBytes, JsonType, Method, Object, Parameter, Presence,
    ResultDoc, RpcError, RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "signrawtransactionwithkey",
    category: Category::Rawtransactions,
    description: "Sign inputs for raw transaction (serialized, hex-encoded).\n\
        The second argument is an array of base58-encoded private\n\
        keys that will be the only keys used to sign the transaction.\n\
        The third optional argument (may be null) is an array of previous transaction outputs that\n\
        this transaction depends on but may not yet be in the block chain.\n",
    parameters: &[
        Parameter::string("hexstring", Presence::Required, "The transaction hex string"),
        Parameter::array(
            "privkeys",
            Presence::Required,
            "The base58-encoded private keys for signing",
            &[Parameter::hex("privatekey", Presence::Omitted, "private key in base58-encoding")],
        ),
        Parameter::array(
            "prevtxs",
            Presence::Omitted,
            "The previous dependent transaction outputs",
            &[Parameter::object("", Presence::Omitted, "", PREVOUT_KEYS)],
        ),
        Parameter::string(
            "sighashtype",
            Presence::Default("\"DEFAULT for Taproot, ALL otherwise\""),
            "The signature hash type. Must be one of:\n       \"DEFAULT\"\n       \"ALL\"\n       \"NONE\"\n       \
             \"SINGLE\"\n       \"ALL|ANYONECANPAY\"\n       \"NONE|ANYONECANPAY\"\n       \"SINGLE|ANYONECANPAY\"\n",
        ),
    ],
    results: &[ResultDoc::object(
        "",
        "",
        &[
            ResultDoc::hex("hex", "The hex-encoded raw transaction with signature(s)"),
            ResultDoc::boolean("complete", "If the transaction has a complete set of signatures"),
            ResultDoc::array(
                "errors",
                "Script verification errors (if there are any)",
                &[ResultDoc::object(
                    "",
                    "",
                    &[
                        ResultDoc::hex("txid", "The hash of the referenced, previous transaction"),
                        ResultDoc::number("vout", "The index of the output to spent and used as input"),
                        ResultDoc::array("witness", "", &[ResultDoc::hex("witness", "")]),
                        ResultDoc::hex("scriptSig", "The hex-encoded signature script"),
                        ResultDoc::number("sequence", "Script sequence number"),
                        ResultDoc::string("error", "Verification or signing error related to the input"),
                    ],
                )],
            )
            .optional(),
        ],
    )],
    examples: &[
        Example::cli("\"myhex\" \"[\\\"key1\\\",\\\"key2\\\"]\""),
        Example::rpc("\"myhex\", \"[\\\"key1\\\",\\\"key2\\\"]\""),
    ],
    handler: |call| Box::pin(signrawtransactionwithkey(call)),
}];

const PREVOUT_KEYS: &[Parameter] = &[
    Parameter::hex("txid", Presence::Required, "The transaction id"),
    Parameter::number("vout", Presence::Required, "The output number"),
    Parameter::hex("scriptPubKey", Presence::Required, "output script"),
    Parameter::hex("redeemScript", Presence::Omitted, "(required for P2SH) redeem script"),
    Parameter::hex("witnessScript", Presence::Omitted, "(required for P2WSH or P2SH-P2WSH) witness script"),
    Parameter::amount("amount", Presence::Omitted, "(required for Segwit inputs) the amount spent"),
];

/// Signatures commit to the output with the index of their input (Core: `SIGHASH_SINGLE`, `script/interpreter.h`).
const SIGHASH_SINGLE: u8 = 3;
/// Signatures commit to their own input alone (Core: `SIGHASH_ANYONECANPAY`).
const SIGHASH_ANYONECANPAY: u8 = 0x80;

/// Core: `SighashFromStr`, `core_io.cpp`.
fn parse_sighash_type(text: &str) -> Result<u8, RpcError> {
    match text {
        "DEFAULT" => Ok(0),
        "ALL" => Ok(1),
        "NONE" => Ok(2),
        "SINGLE" => Ok(SIGHASH_SINGLE),
        "ALL|ANYONECANPAY" => Ok(1 | SIGHASH_ANYONECANPAY),
        "NONE|ANYONECANPAY" => Ok(2 | SIGHASH_ANYONECANPAY),
        "SINGLE|ANYONECANPAY" => Ok(SIGHASH_SINGLE | SIGHASH_ANYONECANPAY),
        _ => Err(RpcError::invalid_parameter(format!("'{text}' is not a valid sighash parameter."))),
    }
}

#[derive(Debug, Serialize)]
struct Signed {
    hex: HexBytes,
    complete: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InputError>,
}

/// Core: `TxInErrorToJSON`, `rpc/rawtransaction_util.cpp`.
#[derive(Debug, Serialize)]
struct InputError {
    txid: DisplayString<Txid>,
    vout: u32,
    witness: Vec<HexBytes>,
    #[serde(rename = "scriptSig")]
    script_sig: HexBytes,
    sequence: u32,
    error: String,
}

impl InputError {
    fn new(input: &DraftInput, error: String) -> Self {
        Self {
            txid: DisplayString(input.prevout.txid),
            vout: input.prevout.vout,
            witness: input.witness.iter().cloned().map(HexBytes).collect(),
            script_sig: HexBytes(input.script_sig.clone()),
            sequence: input.sequence,
            error,
        }
    }
}

async fn signrawtransactionwithkey(call: Call) -> RpcResult {
    let hex: String = call.arguments.get("hexstring")?;
    let transaction = decode_hex_tx(&hex, Form::Any)
        .ok_or_else(|| RpcError::deserialization("TX decode failed. Make sure the tx has at least one input."))?;
    let mut keystore = Keystore::default();
    for text in call.arguments.get::<Vec<String>>("privkeys")? {
        let key = decode_secret(&text, call.context.params.address_format)
            .ok_or_else(|| RpcError::invalid_address_or_key("Invalid private key"))?;
        keystore.add_key(SigningKey::new(&key));
    }
    let mut coins = find_coins(&call.context.chain, transaction.as_ref()).await?;
    for prevout in call.arguments.optional::<Vec<Box<RawValue>>>("prevtxs")?.unwrap_or_default() {
        if JsonType::of(&prevout) != JsonType::Object {
            return Err(RpcError::deserialization("expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}"));
        }
        parse_prevout(&Object::from_argument(&prevout, "prevtxs")?, &mut keystore, &mut coins)?;
    }
    let hash_type = match call.arguments.optional::<String>("sighashtype")? {
        Some(text) => parse_sighash_type(&text)?,
        None => 0,
    };
    off_thread(move || to_result(&sign(&transaction, &keystore, &coins, hash_type)?)).await?
}

/// Core: `SignTransaction`, `script/sign.cpp`.
fn sign(transaction: &Transaction, keystore: &Keystore, coins: &SpentCoins, hash_type: u8) -> Result<Signed, RpcError> {
    let tx = transaction.as_ref();
    // What is not known stands for nothing; only signatures of taproot would notice.
    let unknown =
        Coin { amount: Amount::ZERO, script_pubkey: CoinScript::from(&[][..]), height: 0, is_coinbase: false };
    let known = tx.inputs().map(|input| coins.get(&input.prevout()));
    let knows_all_coins = known.clone().all(|coin| coin.is_some());
    let spent: Vec<_> = known.map(|coin| coin.unwrap_or(&unknown).clone()).collect();
    let data = PrecomputedTransactionData::new(tx, &spent);
    let mut draft = Draft::of(tx);
    let outputs = draft.outputs.len();
    let mut errors = Vec::new();
    for (index, input) in draft.inputs.iter_mut().enumerate() {
        let Some(coin) = coins.get(&input.prevout) else {
            errors.push(InputError::new(input, "Input not found or already spent".to_owned()));
            continue;
        };
        let context = InputContext::new(&data, index, coin, knows_all_coins, hash_type);
        let mut satisfaction = Satisfaction::of_input(&context, &input.script_sig, &input.witness);
        // There must be an output for a signature that commits to one.
        if hash_type & !SIGHASH_ANYONECANPAY != SIGHASH_SINGLE || index < outputs {
            produce_signature(&context, keystore, &mut satisfaction);
        }
        input.script_sig = satisfaction.script_sig;
        input.witness = satisfaction.witness;
        if coin.amount == UNKNOWN_AMOUNT && !input.witness.is_empty() {
            return Err(RpcError::type_error(format!("Missing amount for {}", output_text(coin))));
        }
        if !satisfaction.is_complete
            && let Err(error) = context.verify(&input.script_sig, &input.witness)
        {
            errors.push(InputError::new(input, explain(error)));
        }
    }
    Ok(Signed { hex: HexBytes(draft.encode()), complete: errors.is_empty(), errors })
}

/// Why an input is not satisfied, in Core's words.
fn explain(error: ScriptError) -> String {
    match error {
        ScriptError::InvalidStackOperation => {
            "Unable to sign input, invalid stack size (possibly missing key)".to_owned()
        }
        ScriptError::SigNullFail => {
            "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)".to_owned()
        }
        error => error.to_string(),
    }
}

/// Core: `CTxOut::ToString`, `primitives/transaction.cpp`.
fn output_text(coin: &Coin) -> String {
    let script = coin.script_pubkey.as_bytes();
    let start = &script[..script.len().min(15)];
    format!("CTxOut(nValue={}, scriptPubKey={})", Btc::from(coin.amount), start.as_hex())
}
