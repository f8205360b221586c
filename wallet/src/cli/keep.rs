//! Rescan and backup.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use super::output::to_json;
use super::session::Bar;
use crate::amount::show_amount;
use crate::error::WalletError;
use crate::wallet::Coin;

/// Look through the chain again, for payments that were missed.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet rescan\n  cairn wallet rescan --from 0")]
pub(super) struct RescanArgs {
    /// Height to begin at, if that is before the wallet's birthday, which is where it begins otherwise.
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u32>,
}

/// Write a copy of the wallet's file. It holds the sealed secret, labels, and which addresses were shown.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet backup alice-2026-11.wallet")]
pub(super) struct BackupArgs {
    /// The copy, which must not be there yet.
    file: PathBuf,
}

pub(super) fn rescan(context: &Context<'_>, args: &RescanArgs) -> Result<String, WalletError> {
    let wallet = context.open()?;
    let node = context.connect()?;
    let birthday = wallet.record().birthday;
    let from = args.from.map_or(birthday, |from| from.min(birthday));
    let mut bar = Bar::default();
    let wallet = wallet.rescan(from, &node, |progress| bar.show(progress))?;
    drop(bar);
    let (height, _) = wallet.tip();
    let total = wallet.coins().iter().map(Coin::amount).sum();
    if context.json {
        return to_json(&serde_json::json!({ "from": from, "height": height, "total": total }));
    }
    Ok(format!("blocks {from} to {height} read again: {} in all\n", show_amount(total)))
}

pub(super) fn backup(context: &Context<'_>, args: &BackupArgs) -> Result<String, WalletError> {
    let wallet = context.open()?;
    wallet.store().backup(&args.file)?;
    let path = args.file.display().to_string();
    if context.json { to_json(&serde_json::json!({ "file": path })) } else { Ok(path + "\n") }
}
