//! What is about to be paid, and the question whether to.

use bitcoin::{Amount, OutPoint, Txid};
use serde::Serialize;

use super::Context;
use super::output::{table, to_json};
use super::terminal::{confirm, say};
use crate::amount::show_amount;
use crate::error::WalletError;
use crate::node::Node;
use crate::psbt;
use crate::spend::Draft;
use crate::store::Labelled;
use crate::wallet::Wallet;

/// What a draft does. Amounts are in satoshis, the fee rate in satoshis per virtual byte.
#[derive(Debug, Serialize)]
struct DraftView {
    #[serde(skip_serializing_if = "Option::is_none")]
    txid: Option<Txid>,
    payments: Vec<PaymentView>,
    inputs: Vec<OutPoint>,
    change: Option<Amount>,
    fee: Amount,
    fee_rate: f64,
    weight: u64,
    vsize: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    psbt: Option<String>,
}

#[derive(Debug, Serialize)]
struct PaymentView {
    address: String,
    amount: Amount,
}

impl DraftView {
    fn of(draft: &Draft) -> Self {
        let payment = |(recipient, amount): &(crate::spend::Recipient, Amount)| PaymentView {
            address: recipient.address.to_string(),
            amount: *amount,
        };
        Self {
            txid: None,
            payments: draft.payments.iter().map(payment).collect(),
            inputs: draft.coins.iter().map(crate::wallet::Coin::outpoint).collect(),
            change: draft.change.as_ref().map(|change| change.amount),
            fee: draft.fee,
            fee_rate: draft.fee_rate(),
            weight: draft.weight.to_wu(),
            vsize: draft.weight.to_vbytes_ceil(),
            psbt: None,
        }
    }
}

/// A draft for people, before they are asked: also whose coins these are, since networks of one's own have the same addresses.
fn show(context: &Context<'_>, draft: &Draft) -> Result<String, WalletError> {
    let (name, _) = context.environment.folder.choose(context.wallet)?;
    let mut rows = vec![["From".to_owned(), format!("{name} on {}", context.environment.network), String::new()]];
    for (recipient, amount) in &draft.payments {
        let label = recipient.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        rows.push(["To".to_owned(), format!("{}{label}", recipient.address), show_amount(*amount)]);
    }
    let coins = match draft.coins.len() {
        1 => "1 coin".to_owned(),
        count => format!("{count} coins"),
    };
    let size = format!("{:.1} sat/vB · {} vB · {coins}", draft.fee_rate(), draft.weight.to_vbytes_ceil());
    rows.push(["Fee".to_owned(), size, show_amount(draft.fee)]);
    if let Some(change) = &draft.change {
        rows.push(["Change".to_owned(), "back to this wallet".to_owned(), show_amount(change.amount)]);
    }
    Ok(table(["", "", ""], [false, false, true], rows).trim_start().to_owned())
}

/// A draft that is not sent, with its PSBT.
pub(super) fn show_unsent(context: &Context<'_>, draft: &Draft) -> Result<String, WalletError> {
    let psbt = psbt::show(&draft.psbt);
    if context.json {
        return to_json(&DraftView { psbt: Some(psbt), ..DraftView::of(draft) });
    }
    say(&show(context, draft)?);
    Ok(psbt + "\n")
}

/// What is said of a transaction that the node has taken.
pub(super) fn in_mempool(txid: Txid, node: &Node) -> String {
    match node.peers() {
        Ok(1) => format!("{txid} is in the node's mempool; it has one peer\n"),
        Ok(peers) => format!("{txid} is in the node's mempool; it has {peers} peers\n"),
        // The transaction is sent all the same.
        Err(_) => format!("{txid} is in the node's mempool\n"),
    }
}

/// Asks, signs and sends.
pub(super) fn send_draft(
    context: &Context<'_>,
    wallet: &mut Wallet,
    node: &Node,
    draft: Draft,
    is_agreed: bool,
) -> Result<String, WalletError> {
    if !wallet.can_sign() {
        return Err(WalletError::WatchOnly);
    }
    if !context.json || !is_agreed {
        say(&show(context, &draft)?);
    }
    if !is_agreed && !confirm("Send?")? {
        return Err(WalletError::Declined);
    }
    let secret = context.unseal(wallet)?;
    let mut psbt = draft.psbt.clone();
    crate::sign::sign(&mut psbt, &secret, wallet.network())?;
    drop(secret);
    psbt::finalize(&mut psbt)?;
    let transaction = psbt::extract(psbt)?;
    // Before anybody can see the change address.
    wallet.keep(&draft)?;
    let txid = node.broadcast(&transaction)?;
    // It is sent whether that can be noted or not; the next sync finds it.
    if let Err(error) = wallet.note_sent(transaction) {
        say(&format!("the payment was sent and could not be noted: {error}"));
    }
    let labels: Vec<_> = draft.payments.iter().filter_map(|(recipient, _)| recipient.label.as_deref()).collect();
    if !labels.is_empty()
        && let Err(error) = wallet.set_label(Labelled::Transaction, &txid.to_string(), &labels.join(", "))
    {
        say(&format!("the payment's label could not be noted: {error}"));
    }
    if context.json {
        return to_json(&DraftView { txid: Some(txid), ..DraftView::of(&draft) });
    }
    Ok(in_mempool(txid, node))
}
