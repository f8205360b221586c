//! Partly signed transactions become one.

use bitcoin::Txid;
use cairn_chain::primitives::{Transaction, TransactionRef};
use cairn_chain::script::PrecomputedTransactionData;

use super::decode::{Form, decode_hex_tx};
use super::draft::Draft;
use super::signing::{InputContext, Keystore, Satisfaction, produce_signature};
use super::spent_coins::{SpentCoins, find_coins};
use super::verify_ahead::off_thread;
use crate::rpc::{
    Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode, RpcResult, to_hex_result,
};

/// Signatures commit to all inputs and outputs (Core: `SIGHASH_ALL`, `script/interpreter.h`).
const SIGHASH_ALL: u8 = 1;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "combinerawtransaction",
    category: Category::Rawtransactions,
    description: "Combine multiple partially signed transactions into one transaction.\n\
        The combined transaction may be another partially signed transaction or a \n\
        fully signed transaction.",
    parameters: &[Parameter::array(
        "txs",
        Presence::Required,
        "The hex strings of partially signed transactions",
        &[Parameter::hex("hexstring", Presence::Omitted, "A hex-encoded raw transaction")],
    )],
    results: &[ResultDoc::string("", "The hex-encoded raw transaction with signature(s)")],
    examples: &[Example::cli("'[\"myhex1\", \"myhex2\", \"myhex3\"]'")],
    handler: |call| Box::pin(combinerawtransaction(call)),
}];

async fn combinerawtransaction(call: Call) -> RpcResult {
    let digits: Vec<String> = call.arguments.get("txs")?;
    if digits.len() < 2 {
        return Err(RpcError::deserialization("Missing transactions. At least two transactions required."));
    }
    let mut variants = Vec::with_capacity(digits.len());
    for (index, hex) in digits.iter().enumerate() {
        variants.push(decode_hex_tx(hex, Form::Any).ok_or_else(|| {
            RpcError::deserialization(format!(
                "TX decode failed for tx {index}. Make sure the tx has at least one input."
            ))
        })?);
    }
    let first = unsigned_txid(variants[0].as_ref());
    for (number, variant) in (1..).zip(&variants) {
        if unsigned_txid(variant.as_ref()) != first {
            let message = format!("Transaction number {number} not compatible with first transaction");
            return Err(RpcError::invalid_parameter(message));
        }
    }
    let coins = find_coins(&call.context.chain, variants[0].as_ref()).await?;
    let combined = off_thread(move || combine(&variants, &coins)).await??;
    to_hex_result(&combined.encode())
}

/// What the txid would be without any signature.
fn unsigned_txid(tx: TransactionRef<'_>) -> Option<Txid> {
    let mut draft = Draft::of(tx);
    for input in &mut draft.inputs {
        input.script_sig.clear();
        input.witness.clear();
    }
    let transaction = Transaction::decode_without_witness(draft.encode()).ok()?;
    Some(transaction.as_ref().txid())
}

/// The first transaction with what all of them have; they are the same but for that.
fn combine(variants: &[Transaction], coins: &SpentCoins) -> Result<Draft, RpcError> {
    let tx = variants[0].as_ref();
    let spent = tx.inputs().map(|input| coins.get(&input.prevout()).cloned());
    let spent: Option<Vec<_>> = spent.collect();
    let spent = spent.ok_or_else(|| RpcError::new(RpcErrorCode::VerifyError, "Input not found or already spent"))?;
    let data = PrecomputedTransactionData::new(tx, &spent);
    let drafts: Vec<_> = variants.iter().map(|variant| Draft::of(variant.as_ref())).collect();
    let mut combined = drafts[0].clone();
    let nothing = Keystore::default();
    for (index, input) in combined.inputs.iter_mut().enumerate() {
        let context = InputContext::new(&data, index, &spent[index], true, SIGHASH_ALL);
        let mut satisfaction = Satisfaction::default();
        for variant in drafts.iter().filter_map(|draft| draft.inputs.get(index)) {
            satisfaction.merge(Satisfaction::of_input(&context, &variant.script_sig, &variant.witness));
        }
        produce_signature(&context, &nothing, &mut satisfaction);
        input.script_sig = satisfaction.script_sig;
        input.witness = satisfaction.witness;
    }
    Ok(combined)
}
