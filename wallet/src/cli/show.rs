//! Wallets, balance, history, coins.

use std::fmt::Write as _;

use bitcoin::{Amount, SignedAmount, Txid};
use clap::Args;
use serde::Serialize;

use super::Context;
use super::output::{btc, show_time, signed_btc, table, to_json};
use crate::amount::show_amount;
use crate::error::WalletError;
use crate::store::Labelled;
use crate::wallet::{Coin, Status, Wallet};

/// Show what was received and sent, the newest first.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet history\n  cairn wallet history --limit 10 --json")]
pub(super) struct HistoryArgs {
    /// Show this many at most.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Show also what came to nothing: replaced, conflicted, forgotten by the node.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    descriptor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_sign: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn list(context: &Context<'_>) -> Result<String, WalletError> {
    let folder = &context.environment.folder;
    let mut wallets = Vec::new();
    for name in folder.names()? {
        // One that is damaged or in use must not hide the others.
        wallets.push(match Wallet::open(&folder.path(&name)?, &context.environment.network) {
            Ok(wallet) => Listed {
                name,
                descriptor: Some(wallet.record().descriptor.clone()),
                can_sign: Some(wallet.can_sign()),
                height: Some(wallet.tip().0),
                error: None,
            },
            Err(error) => {
                Listed { name, descriptor: None, can_sign: None, height: None, error: Some(error.to_string()) }
            }
        });
    }
    if context.json {
        return to_json(&wallets);
    }
    if wallets.is_empty() {
        return Ok("There is no wallet yet. Make one with 'cairn wallet create NAME'.\n".to_owned());
    }
    let row = |wallet: Listed| {
        let kind = match (&wallet.error, wallet.can_sign) {
            (Some(error), _) => error.clone(),
            (None, Some(true)) => "signs".to_owned(),
            (None, _) => "watches".to_owned(),
        };
        let descriptor = wallet.descriptor.unwrap_or_default();
        let function = descriptor.split('(').next().unwrap_or_default().to_owned();
        let height = wallet.height.map(|height| height.to_string()).unwrap_or_default();
        [wallet.name, function, height, kind]
    };
    let rows = wallets.into_iter().map(row).collect();
    Ok(table(["NAME", "TYPE", "HEIGHT", ""], [false, false, true, false], rows))
}

/// In satoshis. The first three make up the total.
#[derive(Debug, Serialize)]
struct BalanceView {
    spendable: Amount,
    pending: Amount,
    immature: Amount,
    total: Amount,
    height: u32,
}

pub(super) fn balance(context: &Context<'_>) -> Result<String, WalletError> {
    let wallet = context.open_synced()?;
    let coins = wallet.coins();
    let sum = |is_meant: &dyn Fn(&Coin) -> bool| coins.iter().filter(|coin| is_meant(coin)).map(Coin::amount).sum();
    let view = BalanceView {
        spendable: sum(&|coin| coin.is_spendable),
        pending: sum(&|coin| !coin.is_spendable && !coin.is_coinbase),
        immature: sum(&|coin| !coin.is_spendable && coin.is_coinbase),
        total: sum(&|_| true),
        height: wallet.tip().0,
    };
    if context.json {
        return to_json(&view);
    }
    let mut text = format!("{}  can be spent\n", show_amount(view.spendable));
    for (amount, what) in
        [(view.pending, "on the way, in no block yet"), (view.immature, "mined, and can be spent after 100 blocks")]
    {
        if amount > Amount::ZERO {
            let _ = writeln!(text, "{}  {what}", show_amount(amount));
        }
    }
    let _ = writeln!(text, "{}  in all, at height {}", show_amount(view.total), view.height);
    Ok(text)
}

#[derive(Debug, Serialize)]
struct EntryView {
    txid: Txid,
    status: &'static str,
    height: Option<u32>,
    confirmations: u32,
    time: Option<u64>,
    #[serde(with = "bitcoin::amount::serde::as_sat")]
    amount: SignedAmount,
    fee: Option<Amount>,
    label: Option<String>,
}

pub(super) fn history(context: &Context<'_>, args: &HistoryArgs) -> Result<String, WalletError> {
    let wallet = context.open_synced()?;
    let mut labels = wallet.store().labels(Labelled::Transaction)?;
    let entries: Vec<_> = wallet
        .history(args.all)
        .into_iter()
        .take(args.limit.unwrap_or(usize::MAX))
        .map(|entry| {
            let (status, height, confirmations) = match entry.status {
                Status::Confirmed { height, confirmations } => ("confirmed", Some(height), confirmations),
                Status::Pending => ("pending", None, 0),
                Status::Forgotten => ("forgotten", None, 0),
                Status::Gone => ("gone", None, 0),
            };
            EntryView {
                txid: entry.txid,
                status,
                height,
                confirmations,
                time: entry.time,
                amount: entry.amount,
                fee: entry.fee,
                label: labels.remove(&entry.txid.to_string()),
            }
        })
        .collect();
    if context.json {
        return to_json(&entries);
    }
    if entries.is_empty() {
        return Ok("Nothing was received or sent yet.\n".to_owned());
    }
    let row = |entry: EntryView| {
        [
            entry.time.map(show_time).unwrap_or_default(),
            entry.txid.to_string(),
            signed_btc(entry.amount),
            entry.fee.map(|fee| fee.to_sat().to_string()).unwrap_or_default(),
            entry.height.map_or_else(|| entry.status.to_owned(), |height| height.to_string()),
            entry.label.unwrap_or_default(),
        ]
    };
    let titles = ["TIME (UTC)", "TRANSACTION", "BTC", "FEE (SAT)", "HEIGHT", "LABEL"];
    Ok(table(titles, [false, false, true, true, true, false], entries.into_iter().map(row).collect()))
}

#[derive(Debug, Serialize)]
struct CoinView {
    outpoint: String,
    address: Option<String>,
    amount: Amount,
    height: Option<u32>,
    confirmations: u32,
    spendable: bool,
    label: Option<String>,
}

pub(super) fn utxos(context: &Context<'_>) -> Result<String, WalletError> {
    let wallet = context.open_synced()?;
    let labels = wallet.store().labels(Labelled::Address)?;
    let coins: Vec<_> = wallet
        .coins()
        .iter()
        .map(|coin| {
            let address = wallet.address_of(coin).map(|address| address.to_string());
            CoinView {
                outpoint: coin.outpoint().to_string(),
                label: address.as_ref().and_then(|address| labels.get(address)).cloned(),
                address,
                amount: coin.amount(),
                height: coin.height,
                confirmations: coin.confirmations,
                spendable: coin.is_spendable,
            }
        })
        .collect();
    if context.json {
        return to_json(&coins);
    }
    if coins.is_empty() {
        return Ok("There are no coins.\n".to_owned());
    }
    let row = |coin: CoinView| {
        [
            coin.outpoint,
            btc(coin.amount),
            coin.confirmations.to_string(),
            if coin.spendable { "" } else { "not yet" }.to_owned(),
            coin.address.unwrap_or_default(),
            coin.label.unwrap_or_default(),
        ]
    };
    let titles = ["COIN", "BTC", "CONFIRMATIONS", "", "ADDRESS", "LABEL"];
    Ok(table(titles, [false, true, true, false, false, false], coins.into_iter().map(row).collect()))
}
