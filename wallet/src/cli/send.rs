//! Paying.

use std::path::PathBuf;

use bitcoin::{Amount, FeeRate, OutPoint};
use clap::Args;

use super::Context;
use super::psbt::write_psbt;
use super::summary::{send_draft, show_unsent};
use super::terminal::say;
use crate::amount::{parse_amount, parse_fee_rate, sat_per_vb};
use crate::error::WalletError;
use crate::node::Node;
use crate::spend::{Recipient, SpendRequest};

/// Most that a transaction may pay as a fee unless more is allowed.
pub(super) const DEFAULT_CEILING: &str = "0.001btc";

/// Pay. Shows what is about to be paid, and asks.
///
/// Amounts have a unit, 0.01btc or 50000sat, or are 'max'. Without --fee-rate the node is asked for one.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet send bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc\n  \
    cairn wallet send 'bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080?amount=0.25' --fee-rate 2\n  \
    cairn wallet send bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 max --dry-run")]
pub(super) struct SendArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// Do not ask. The fee ceiling holds all the same.
    #[arg(short, long)]
    yes: bool,
    /// Send nothing: show the transaction and its PSBT.
    #[arg(long, conflicts_with_all = ["yes", "psbt"])]
    dry_run: bool,
    /// Sign and send nothing: write a PSBT for others to sign.
    #[arg(long, conflicts_with = "yes")]
    psbt: bool,
    /// File for the PSBT, instead of standard output.
    #[arg(short, long, value_name = "FILE", requires = "psbt")]
    output: Option<PathBuf>,
}

/// Whom to pay, and how.
#[derive(Debug, Args)]
pub(super) struct PaymentArgs {
    /// Address and amount, again for each recipient; or a payment URI (BIP21), which may hold the amount.
    #[arg(value_name = "ADDRESS AMOUNT", required = true)]
    recipients: Vec<String>,
    #[command(flatten)]
    fee: FeeArgs,
    /// Spend these coins and no others, as TXID:INDEX; again for each.
    #[arg(long = "utxo", value_name = "COIN")]
    coins: Vec<OutPoint>,
}

/// What to pay for being mined.
#[derive(Debug, Args)]
pub(super) struct FeeArgs {
    /// Fee rate in satoshis per virtual byte, decimals allowed.
    #[arg(long, value_name = "SAT/VB", value_parser = parse_fee_rate, conflicts_with = "target")]
    pub(super) fee_rate: Option<FeeRate>,
    /// Pay as much as is likely to be mined within this many blocks.
    #[arg(long, value_name = "BLOCKS", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=1008))]
    target: u16,
    /// Most that may be paid as a fee.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, default_value = DEFAULT_CEILING)]
    pub(super) max_fee: Amount,
}

impl FeeArgs {
    /// The rate that was asked for, or what the node thinks.
    pub(super) fn rate(&self, node: &Node) -> Result<FeeRate, WalletError> {
        if let Some(rate) = self.fee_rate {
            return Ok(rate);
        }
        let (rate, is_guess) = node.estimate_fee_rate(self.target)?;
        if is_guess {
            say(&format!("the node has seen too little to estimate fees: paying {} sat/vB", sat_per_vb(rate)));
        }
        Ok(rate)
    }
}

impl PaymentArgs {
    /// Reads the recipients, before anything else is done.
    pub(super) fn recipients(&self, context: &Context<'_>) -> Result<Vec<Recipient>, WalletError> {
        let environment = context.environment;
        Recipient::parse_all(&self.recipients, &environment.network, &environment.names)
    }

    pub(super) fn request(&self, recipients: Vec<Recipient>, node: &Node) -> Result<SpendRequest, WalletError> {
        Ok(SpendRequest { recipients, fee_rate: self.fee.rate(node)?, coins: self.coins.clone() })
    }

    pub(super) fn max_fee(&self) -> Amount {
        self.fee.max_fee
    }
}

pub(super) fn send(context: &Context<'_>, args: &SendArgs) -> Result<String, WalletError> {
    let recipients = args.payment.recipients(context)?;
    let (mut wallet, node) = context.open_to_spend()?;
    let draft = wallet.draft(&args.payment.request(recipients, &node)?)?;
    draft.check_fee(args.payment.max_fee())?;
    if args.dry_run {
        return show_unsent(context, &draft);
    }
    if args.psbt {
        wallet.keep(&draft)?;
        return match &args.output {
            Some(path) => write_psbt(context, &draft.psbt, Some(path)),
            None => show_unsent(context, &draft),
        };
    }
    send_draft(context, &mut wallet, &node, draft, args.yes)
}
