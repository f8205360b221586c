//! Paying more for what waits.

use bitcoin::Txid;
use clap::Args;

use super::Context;
use super::send::FeeArgs;
use super::summary::{send_draft, show_unsent};
use crate::error::WalletError;
use crate::spend::BumpKind;
use crate::store::Labelled;

/// Pay more for a transaction that waits, so that it is mined sooner.
///
/// A transaction of this wallet is replaced by one with the same payments and less change. --cpfp spends one of its outputs instead, which
/// works for what others sent, too.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet bump 4a5e1e4b…fdeda33b --fee-rate 12\n  \
    cairn wallet bump 4a5e1e4b…fdeda33b --cpfp --fee-rate 24")]
pub(super) struct BumpArgs {
    /// The transaction.
    txid: Txid,
    /// Spend one of its outputs, and pay for both.
    #[arg(long)]
    cpfp: bool,
    #[command(flatten)]
    fee: FeeArgs,
    /// Do not ask. The fee ceiling holds all the same.
    #[arg(short, long)]
    yes: bool,
    /// Send nothing: show the transaction and its PSBT.
    #[arg(long, conflicts_with_all = ["yes", "psbt"])]
    dry_run: bool,
    /// Sign and send nothing: print a PSBT for others to sign.
    #[arg(long, conflicts_with = "yes")]
    psbt: bool,
}

pub(super) fn bump(context: &Context<'_>, args: &BumpArgs) -> Result<String, WalletError> {
    let (mut wallet, node) = context.open_to_spend()?;
    let kind = if args.cpfp { BumpKind::Child } else { BumpKind::Replace };
    let mut draft = wallet.draft_bump(args.txid, kind, args.fee.rate(&node)?, &node)?;
    let label = wallet.store().labels(Labelled::Transaction)?.remove(&args.txid.to_string());
    if let Some((recipient, _)) = draft.payments.first_mut() {
        recipient.label = label;
    }
    draft.check_fee(args.fee.max_fee)?;
    if args.dry_run {
        return show_unsent(context, &draft);
    }
    if args.psbt {
        wallet.keep(&draft)?;
        return show_unsent(context, &draft);
    }
    send_draft(context, &mut wallet, &node, draft, args.yes)
}
