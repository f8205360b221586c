//! Descriptors and keys for other programs.

use bitcoin::bip32::DerivationPath;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::output::to_json;
use crate::account::show_key;
use crate::error::WalletError;
use crate::wallet::GAP_LIMIT;

/// Print what other programs need to watch the wallet. Private keys never leave it.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet export\n  \
    cairn wallet export --core\n  \
    cairn wallet export --key m/48h/1h/0h/2h")]
pub(super) struct ExportArgs {
    /// Print it as Bitcoin Core's importdescriptors takes it.
    #[arg(long, conflicts_with = "key")]
    core: bool,
    /// Print the public key at a path below the master key, with its origin, for descriptors of several signers.
    #[arg(long, value_name = "PATH")]
    key: Option<DerivationPath>,
}

#[derive(Debug, Serialize)]
struct Exported<'a> {
    descriptor: &'a str,
    external: String,
    internal: Option<String>,
    kind: &'static str,
    birthday: u32,
}

pub(super) fn export(context: &Context<'_>, args: &ExportArgs) -> Result<String, WalletError> {
    let wallet = context.open()?;
    if let Some(path) = &args.key {
        let secret = context.unseal(&wallet)?;
        let key = show_key(&secret.roots(wallet.network())?, path)?;
        return if context.json { to_json(&json!({ "key": key })) } else { Ok(key + "\n") };
    }
    let record = wallet.record();
    let (descriptors, _) = crate::account::Descriptors::parse(&record.descriptor, wallet.network())?;
    if args.core {
        return to_json(&json!([{
            "desc": record.descriptor,
            "active": true,
            "range": [0, GAP_LIMIT.max(record.gap_limit)],
            // Core looks through the whole chain: it knows heights by their times only.
            "timestamp": 0,
        }]));
    }
    if context.json {
        return to_json(&Exported {
            descriptor: &record.descriptor,
            external: descriptors.external.to_string(),
            internal: descriptors.internal.as_ref().map(ToString::to_string),
            kind: descriptors.kind(),
            birthday: record.birthday,
        });
    }
    Ok(format!("{}\n", record.descriptor))
}
