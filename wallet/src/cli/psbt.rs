//! Partially signed transactions, step by step. Only making and sending them needs a node.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use bitcoin::{Amount, Psbt};
use clap::{Args, Subcommand};
use serde_json::json;

use super::Context;
use super::output::{table, to_json};
use super::send::{DEFAULT_CEILING, PaymentArgs};
use super::summary::{in_mempool, show_unsent};
use super::terminal::{confirm, say};
use crate::amount::{parse_amount, show_amount};
use crate::error::WalletError;
use crate::psbt::{self, MAX_TEXT, PsbtView};
use crate::store::StoreError;
use crate::wallet::Wallet;

#[derive(Debug, Subcommand)]
pub(super) enum PsbtCommand {
    Create(CreateArgs),
    Inspect(InspectArgs),
    Sign(SignArgs),
    Combine(CombineArgs),
    Finalize(FinalizeArgs),
    Broadcast(BroadcastArgs),
}

/// Make a PSBT that pays.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet psbt create bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc -o payment.psbt")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Show what a PSBT does. Do so before you sign.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn wallet psbt inspect payment.psbt\n  cairn wallet psbt inspect --json < payment.psbt"
)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    input: InputArgs,
}

/// Sign a PSBT with the wallet's keys. Needs no node.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn wallet psbt sign payment.psbt -o signed.psbt\n  cairn wallet psbt sign -y < payment.psbt > signed.psbt"
)]
pub(super) struct SignArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Most that the transaction may pay as a fee.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, default_value = DEFAULT_CEILING)]
    max_fee: Amount,
}

/// Put together what several signers made of a PSBT.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet psbt combine alice.psbt bob.psbt -o both.psbt")]
pub(super) struct CombineArgs {
    /// Files; '-' is standard input.
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Make a PSBT with all its signatures ready to be sent.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet psbt finalize both.psbt -o final.psbt")]
pub(super) struct FinalizeArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Send the transaction of a PSBT with all its signatures.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn wallet psbt broadcast final.psbt")]
pub(super) struct BroadcastArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Do not ask. The fee ceiling holds all the same.
    #[arg(short, long)]
    yes: bool,
    /// Most that may be paid as a fee.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, default_value = DEFAULT_CEILING)]
    max_fee: Amount,
}

#[derive(Debug, Args)]
struct InputArgs {
    /// File with the PSBT, in base64 or binary; standard input if absent or '-'.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// File for the PSBT, instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, command: &PsbtCommand) -> Result<String, WalletError> {
    match command {
        PsbtCommand::Create(args) => create(context, args),
        PsbtCommand::Inspect(args) => inspect(context, args),
        PsbtCommand::Sign(args) => sign(context, args),
        PsbtCommand::Combine(args) => {
            let psbts = args.files.iter().map(|file| read(Some(file))).collect::<Result<Vec<_>, _>>()?;
            write_psbt(context, &psbt::combine(psbts)?, args.output.output.as_deref())
        }
        PsbtCommand::Finalize(args) => {
            let mut psbt = read(args.input.file.as_deref())?;
            psbt::finalize(&mut psbt)?;
            write_psbt(context, &psbt, args.output.output.as_deref())
        }
        PsbtCommand::Broadcast(args) => broadcast(context, args),
    }
}

fn create(context: &Context<'_>, args: &CreateArgs) -> Result<String, WalletError> {
    let recipients = args.payment.recipients(context)?;
    let (mut wallet, node) = context.open_to_spend()?;
    let draft = wallet.draft(&args.payment.request(recipients, &node)?)?;
    draft.check_fee(args.payment.max_fee())?;
    wallet.keep(&draft)?;
    match &args.output.output {
        Some(path) => write_psbt(context, &draft.psbt, Some(path)),
        None => show_unsent(context, &draft),
    }
}

fn inspect(context: &Context<'_>, args: &InspectArgs) -> Result<String, WalletError> {
    let psbt = read(args.input.file.as_deref())?;
    // Anybody may look; a wallet, if there is one, knows which outputs are its own.
    let wallet = if context.wallet.is_some() { Some(context.open()?) } else { context.open().ok() };
    let view = view(context, &psbt, wallet.as_ref())?;
    if context.json { to_json(&view) } else { Ok(show(&view)) }
}

fn sign(context: &Context<'_>, args: &SignArgs) -> Result<String, WalletError> {
    let mut psbt = read(args.input.file.as_deref())?;
    let wallet = context.open()?;
    let view = view(context, &psbt, Some(&wallet))?;
    check_ceiling(&view, args.max_fee)?;
    say(&show(&view));
    if !args.yes && !confirm("Sign?")? {
        return Err(WalletError::Declined);
    }
    let secret = context.unseal(&wallet)?;
    let count = crate::sign::sign(&mut psbt, &secret, wallet.network())?;
    say(&format!("{count} signature{} made", if count == 1 { "" } else { "s" }));
    write_psbt(context, &psbt, args.output.output.as_deref())
}

fn broadcast(context: &Context<'_>, args: &BroadcastArgs) -> Result<String, WalletError> {
    let mut psbt = read(args.input.file.as_deref())?;
    let view = view(context, &psbt, None)?;
    if !view.is_final {
        psbt::finalize(&mut psbt)?;
    }
    check_ceiling(&view, args.max_fee)?;
    let transaction = psbt::extract(psbt)?;
    if !args.yes {
        say(&show(&view));
        if !confirm("Send?")? {
            return Err(WalletError::Declined);
        }
    }
    let node = context.connect()?;
    let txid = node.broadcast(&transaction)?;
    if context.json {
        return to_json(&json!({ "txid": txid, "fee": view.fee }));
    }
    Ok(in_mempool(txid, &node))
}

fn view(context: &Context<'_>, psbt: &Psbt, wallet: Option<&Wallet>) -> Result<PsbtView, WalletError> {
    Ok(PsbtView::of(psbt, context.environment.network.addresses, wallet)?)
}

/// The weight of what is not signed yet is not known, so there is no rate to show.
fn check_ceiling(view: &PsbtView, ceiling: Amount) -> Result<(), WalletError> {
    if view.fee > ceiling {
        return Err(WalletError::PsbtFeeAboveCeiling { fee: view.fee, ceiling });
    }
    Ok(())
}

fn show(view: &PsbtView) -> String {
    let mine = |is_mine: Option<bool>| if is_mine == Some(true) { "this wallet's" } else { "" }.to_owned();
    let mut rows = Vec::new();
    for input in &view.inputs {
        let state = match input.signatures {
            _ if input.is_final => "final".to_owned(),
            0 => "not signed".to_owned(),
            count => format!("{count} signed"),
        };
        let address = input.address.clone().unwrap_or_else(|| input.outpoint.to_string());
        rows.push(["From".to_owned(), address, show_amount(input.amount), mine(input.is_mine), state]);
    }
    for output in &view.outputs {
        let address = output.address.clone().unwrap_or_else(|| "a script without an address".to_owned());
        rows.push(["To".to_owned(), address, show_amount(output.amount), mine(output.is_mine), String::new()]);
    }
    rows.push(["Fee".to_owned(), String::new(), show_amount(view.fee), String::new(), String::new()]);
    let table = table([""; 5], [false, false, true, false, false], rows);
    let mut text = table.trim_start().to_owned();
    let _ =
        writeln!(text, "Transaction {}, {}", view.txid, if view.is_final { "ready to be sent" } else { "not final" });
    text
}

/// Reads a PSBT from a file, or standard input.
fn read(file: Option<&Path>) -> Result<Psbt, WalletError> {
    let mut bytes = Vec::new();
    let read = match file.filter(|file| *file != Path::new("-")) {
        Some(file) => File::open(file).and_then(|file| file.take(MAX_TEXT).read_to_end(&mut bytes)),
        None => io::stdin().lock().take(MAX_TEXT).read_to_end(&mut bytes),
    };
    let name = file.map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
    read.map_err(|source| WalletError::Io { what: format!("cannot read {name}"), source })?;
    Ok(psbt::read(&bytes)?)
}

/// Writes a PSBT to a file that is not there yet, or standard output.
pub(super) fn write_psbt(context: &Context<'_>, psbt: &Psbt, file: Option<&Path>) -> Result<String, WalletError> {
    let text = psbt::show(psbt);
    let Some(path) = file.filter(|file| *file != Path::new("-")) else {
        return if context.json { to_json(&json!({ "psbt": text })) } else { Ok(text + "\n") };
    };
    let text = text + "\n";
    let failed = |source| WalletError::Io { what: format!("cannot write {}", path.display()), source };
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() }.into(),
            _ => failed(source),
        })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.map_err(failed)?;
    let path = path.display().to_string();
    if context.json { to_json(&json!({ "file": path })) } else { Ok(path + "\n") }
}
