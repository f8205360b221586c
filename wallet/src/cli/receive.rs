//! Addresses to be paid at.

use bitcoin::{Address, Amount};
use clap::Args;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Serialize;

use super::Context;
use super::output::to_json;
use super::terminal::{is_attended, say};
use crate::amount::parse_amount;
use crate::error::WalletError;

/// Show an address to be paid at; each time another one.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn wallet receive\n  cairn wallet receive --amount 0.5btc --label 'rent of May'"
)]
pub(super) struct ReceiveArgs {
    /// What is to be paid, for the payment URI.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    amount: Option<Amount>,
    /// What the payment is for; kept in the wallet, and told in the URI.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Draw no QR code.
    #[arg(long)]
    no_qr: bool,
}

#[derive(Debug, Serialize)]
struct Received {
    address: String,
    index: u32,
    uri: String,
}

pub(super) fn receive(context: &Context<'_>, args: &ReceiveArgs) -> Result<String, WalletError> {
    let mut wallet = context.open()?;
    let shown = wallet.receive(args.label.as_deref())?;
    let unpaid = wallet.unpaid_addresses();
    if unpaid > wallet.record().gap_limit {
        say(&format!(
            "the last {unpaid} addresses were not paid to: to find payments to this one, a wallet restored from the words needs \
             --gap-limit {unpaid} or more"
        ));
    }
    let uri = uri(&shown.address, args);
    if context.json {
        return to_json(&Received { address: shown.address.to_string(), index: shown.index, uri });
    }
    let mut text = format!("{}\n", shown.address);
    if args.amount.is_some() || args.label.is_some() {
        text += &format!("{uri}\n");
    }
    if !args.no_qr && is_attended() {
        text += &qr(&uri);
    }
    Ok(text)
}

fn uri(address: &Address, args: &ReceiveArgs) -> String {
    let mut uri = bip21::Uri::new(address.clone());
    uri.amount = args.amount;
    uri.label = args.label.as_deref().map(Into::into);
    uri.to_string()
}

/// A QR code of two modules a character, light on dark as terminals mostly are.
fn qr(text: &str) -> String {
    // What is too long for one is shown as text alone.
    let Ok(code) = QrCode::new(text) else { return String::new() };
    code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build() + "\n"
}
