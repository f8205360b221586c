//! The command `cairn wallet`.
//!
//! | file | holds |
//! |---|---|
//! | `bump` | paying more for what waits |
//! | `create` | new wallets, and those that are restored |
//! | `export` | descriptors and keys for other programs |
//! | `keep` | rescan and backup |
//! | `messages` | signing and verifying messages |
//! | `output` | tables and JSON |
//! | `psbt` | partially signed transactions, step by step |
//! | `receive` | addresses to be paid at |
//! | `send` | paying |
//! | `session` | an open wallet, brought up to date |
//! | `show` | wallets, balance, history, coins |
//! | `summary` | what is about to be paid, and the question whether to |
//! | `terminal` | questions to the person at the keyboard |

mod bump;
mod create;
mod export;
mod keep;
mod messages;
mod output;
mod psbt;
mod receive;
mod send;
mod session;
mod show;
mod summary;
mod terminal;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::error::WalletError;
use crate::network::Network;
use crate::node::NodeAddress;
use crate::wallet::WalletFolder;

/// Keep coins: create wallets, receive, send, sign.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  \
        cairn wallet create alice\n  \
        cairn wallet receive --label rent\n  \
        cairn wallet send bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc\n  \
        cairn wallet history --json",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct WalletArgs {
    #[command(subcommand)]
    command: WalletCommand,
    /// Wallet, where there are several.
    #[arg(short, long, global = true, value_name = "NAME")]
    wallet: Option<String>,
    /// File whose first line is the wallet's passphrase, instead of a question.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON; amounts are in satoshis.
    #[arg(long, global = true)]
    json: bool,
    /// Ask no node: use what the wallet knows already.
    #[arg(long, global = true)]
    offline: bool,
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    Create(create::CreateArgs),
    Restore(create::RestoreArgs),
    /// Show the wallets there are.
    #[command(before_help = "Examples:\n  cairn wallet list\n  cairn wallet list --json")]
    List,
    /// Show what a wallet holds.
    #[command(before_help = "Examples:\n  cairn wallet balance\n  cairn wallet balance --wallet alice --json")]
    Balance,
    Receive(receive::ReceiveArgs),
    Send(send::SendArgs),
    History(show::HistoryArgs),
    /// Show the coins of a wallet.
    #[command(before_help = "Examples:\n  cairn wallet utxos\n  cairn wallet utxos --json")]
    Utxos,
    Bump(bump::BumpArgs),
    /// Make, read, sign and send partially signed transactions (BIP174).
    #[command(
        subcommand,
        before_help = "Examples:\n  \
            cairn wallet psbt create bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 0.5btc -o payment.psbt\n  \
            cairn wallet psbt inspect payment.psbt\n  \
            cairn wallet psbt sign payment.psbt -o signed.psbt"
    )]
    Psbt(psbt::PsbtCommand),
    SignMessage(messages::SignArgs),
    VerifyMessage(messages::VerifyArgs),
    Export(export::ExportArgs),
    Rescan(keep::RescanArgs),
    Backup(keep::BackupArgs),
}

/// What the program around the wallet knows.
pub struct Environment {
    /// The network.
    pub network: Network,
    /// Where its wallets lie.
    pub folder: WalletFolder,
    /// The node to ask.
    pub node: NodeAddress,
    /// Addresses by other names, such as `@alice`.
    pub names: Box<Names>,
}

/// The address that a name stands for; nothing for what is no name.
pub type Names = dyn Fn(&str) -> Result<Option<String>, WalletError>;

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("network", &self.network).field("node", &self.node).finish_non_exhaustive()
    }
}

/// What holds for every command.
struct Context<'a> {
    environment: &'a Environment,
    wallet: Option<&'a str>,
    password_file: Option<&'a PathBuf>,
    json: bool,
    offline: bool,
}

/// Runs a command. What goes to standard output.
///
/// # Errors
///
/// Whatever went wrong; [`WalletError::exit_code`] says how the program is to end.
pub fn run(args: &WalletArgs, environment: &Environment) -> Result<String, WalletError> {
    // A crash must not write keys to disk.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .map_err(|error| WalletError::Io { what: "cannot turn off core dumps".to_owned(), source: error.into() })?;
    let context = Context {
        environment,
        wallet: args.wallet.as_deref(),
        password_file: args.password_file.as_ref(),
        json: args.json,
        offline: args.offline,
    };
    match &args.command {
        WalletCommand::Create(args) => create::create(&context, args),
        WalletCommand::Restore(args) => create::restore(&context, args),
        WalletCommand::List => show::list(&context),
        WalletCommand::Balance => show::balance(&context),
        WalletCommand::Receive(args) => receive::receive(&context, args),
        WalletCommand::Send(args) => send::send(&context, args),
        WalletCommand::History(args) => show::history(&context, args),
        WalletCommand::Utxos => show::utxos(&context),
        WalletCommand::Bump(args) => bump::bump(&context, args),
        WalletCommand::Psbt(command) => psbt::run(&context, command),
        WalletCommand::SignMessage(args) => messages::sign(&context, args),
        WalletCommand::VerifyMessage(args) => messages::verify(&context, args),
        WalletCommand::Export(args) => export::export(&context, args),
        WalletCommand::Rescan(args) => keep::rescan(&context, args),
        WalletCommand::Backup(args) => keep::backup(&context, args),
    }
}
