//! New wallets, and those that are restored.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Context;
use super::output::to_json;
use super::session::sync;
use super::terminal::{ATTEMPTS, ask, ask_hidden, is_attended, passphrase_in, read_secret_input, say};
use crate::account::{AddressType, Descriptors};
use crate::error::WalletError;
use crate::network::Stakes;
use crate::node::{Node, NodeError};
use crate::secret::{Passphrase, Secret};
use crate::wallet::{GAP_LIMIT, NewWallet, Wallet};

/// Words that are asked back.
const ASKED_BACK: usize = 3;
/// How far before the tip a new wallet begins to look, should the chain be reorganised meanwhile.
const BIRTHDAY_MARGIN: u32 = 100;

/// Create a wallet with new words.
///
/// The words are shown once: they are the only backup that survives this computer. A passphrase seals them on disk; on networks that
/// somebody runs for themselves (regtest, devnet) none is asked for.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet create alice\n  \
    cairn wallet create savings --type tr --words 24\n  \
    cairn wallet create ours --keys-of alice --descriptor 'wsh(sortedmulti(2,…/<0;1>/*,…/<0;1>/*))'")]
pub(super) struct CreateArgs {
    /// What to call it.
    name: String,
    /// How many words: 12, 15, 18, 21 or 24.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = parse_count)]
    words: usize,
    #[command(flatten)]
    account: AccountArgs,
    /// Sign with the words of another wallet.
    #[arg(long, value_name = "WALLET", requires = "descriptor")]
    keys_of: Option<String>,
    /// Height of the first block that may concern the descriptor's addresses.
    #[arg(long, value_name = "HEIGHT", requires = "descriptor")]
    birthday: Option<u32>,
    /// Print the words although there is no terminal, or in the JSON.
    #[arg(long)]
    show_secret: bool,
    /// Seal the words with no passphrase: whoever can read the file can spend.
    #[arg(long, conflicts_with = "password_file")]
    no_passphrase: bool,
}

/// Create a wallet from words that were written down.
///
/// Words come from standard input, never from the command line. With --bip39-passphrase, the line after them is the passphrase that
/// belongs to the words.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn wallet restore alice\n  \
    cairn wallet restore alice --birthday 120000 --gap-limit 100 < words.txt\n  \
    cairn wallet restore old --descriptor - < descriptor.txt")]
pub(super) struct RestoreArgs {
    /// What to call it.
    name: String,
    #[command(flatten)]
    account: AccountArgs,
    /// Height of the first block that may concern the wallet; earlier ones are not looked at.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    birthday: u32,
    /// Addresses in a row without a payment after which no more are looked for.
    #[arg(long, value_name = "N", default_value_t = GAP_LIMIT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    gap_limit: u32,
    /// The words belong together with a passphrase of their own (BIP39).
    #[arg(long)]
    bip39_passphrase: bool,
    /// Seal the words with no passphrase: whoever can read the file can spend.
    #[arg(long, conflicts_with = "password_file")]
    no_passphrase: bool,
}

#[derive(Debug, Args)]
struct AccountArgs {
    /// Kind of addresses.
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value_t)]
    kind: AddressType,
    /// Account, for several wallets with the same words.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..1 << 31))]
    account: u32,
    /// Any descriptor instead of an account; '-' reads it from standard input, where it may hold private keys. A wallet with public
    /// keys alone only watches.
    #[arg(long, value_name = "DESCRIPTOR", conflicts_with_all = ["kind", "account"])]
    descriptor: Option<String>,
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ (12 | 15 | 18 | 21 | 24)) => Ok(count),
        _ => Err("expected 12, 15, 18, 21 or 24".to_owned()),
    }
}

/// What is said of a new wallet.
#[derive(Debug, Serialize)]
struct Created<'a> {
    name: &'a str,
    network: &'a str,
    descriptor: &'a str,
    can_sign: bool,
    birthday: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

pub(super) fn create(context: &Context<'_>, args: &CreateArgs) -> Result<String, WalletError> {
    let path = context.path_of(&args.name)?;
    refuse_existing(&path)?;
    let network = &context.environment.network;
    let mut shown = None;
    let (descriptors, secret) = match &args.account.descriptor {
        Some(text) => {
            let (descriptors, keys) = read_descriptor(context, text)?;
            let keys_of = args.keys_of.as_deref().map(|name| secret_of(context, name)).transpose()?;
            if let Some(secret) = &keys_of {
                check_signs(&descriptors, secret, context)?;
            }
            (descriptors, keys_of.or(keys))
        }
        None => {
            let secret = Secret::generate(args.words)?;
            let descriptors = Descriptors::of_account(&secret, args.account.kind, args.account.account, network)?;
            let words: Vec<_> = secret.words().into_iter().flatten().collect();
            let words = Zeroizing::new(words.join(" "));
            shown = show_words(context, args, &words)?.then_some(words);
            (descriptors, Some(secret))
        }
    };
    let passphrase = new_passphrase(context, secret.is_some(), args.no_passphrase)?;
    let birthday = match &args.account.descriptor {
        // It may have been paid to before there was this wallet.
        Some(_) => args.birthday.unwrap_or(0),
        None => birthday(context)?,
    };
    let new = NewWallet {
        descriptors: &descriptors,
        secret: secret.as_ref(),
        passphrase: &passphrase,
        birthday,
        gap_limit: GAP_LIMIT,
    };
    let wallet = Wallet::create(&path, network, &new)?;
    tell(context, &args.name, &wallet, shown.as_ref().map(|words| words.as_str()))
}

pub(super) fn restore(context: &Context<'_>, args: &RestoreArgs) -> Result<String, WalletError> {
    let path = context.path_of(&args.name)?;
    refuse_existing(&path)?;
    let network = &context.environment.network;
    let (descriptors, secret) = match args.account.descriptor.as_deref() {
        Some("-") => read_descriptor(context, "-")?,
        other => {
            let secret = read_words(context, args.bip39_passphrase)?;
            let descriptors = match other {
                Some(text) => {
                    let (descriptors, _) = read_descriptor(context, text)?;
                    check_signs(&descriptors, &secret, context)?;
                    descriptors
                }
                None => Descriptors::of_account(&secret, args.account.kind, args.account.account, network)?,
            };
            (descriptors, Some(secret))
        }
    };
    let passphrase = new_passphrase(context, secret.is_some(), args.no_passphrase)?;
    let new = NewWallet {
        descriptors: &descriptors,
        secret: secret.as_ref(),
        passphrase: &passphrase,
        birthday: args.birthday,
        gap_limit: args.gap_limit,
    };
    let mut wallet = Wallet::create(&path, network, &new)?;
    if !context.offline
        && let Err(error) = context.connect().and_then(|node| sync(&mut wallet, &node))
    {
        say(&format!("the wallet is saved; its coins are looked for by the next command, since {error}"));
    }
    tell(context, &args.name, &wallet, None)
}

/// Before anything is asked or shown.
fn refuse_existing(path: &Path) -> Result<(), WalletError> {
    if path.exists() {
        return Err(crate::store::StoreError::Exists { path: path.to_owned() }.into());
    }
    Ok(())
}

/// Refuses a descriptor that a secret has no key of: whatever it received could not be spent with it.
fn check_signs(descriptors: &Descriptors, secret: &Secret, context: &Context<'_>) -> Result<(), WalletError> {
    if descriptors.is_signed_by(secret, &context.environment.network)? {
        return Ok(());
    }
    let problem =
        "none of the descriptor's keys comes from these words; 'cairn wallet export --key PATH' shows those that do";
    Err(WalletError::Usage(problem.to_owned()))
}

fn tell(context: &Context<'_>, name: &str, wallet: &Wallet, words: Option<&str>) -> Result<String, WalletError> {
    let record = wallet.record();
    if context.json {
        return to_json(&Created {
            name,
            network: &record.network,
            descriptor: &record.descriptor,
            can_sign: wallet.can_sign(),
            birthday: record.birthday,
            words,
        });
    }
    let mut text = String::new();
    if let Some(words) = words {
        let _ = writeln!(text, "Words: {words}");
    }
    let kind = match (wallet.can_sign(), wallet.has_passphrase()?) {
        (false, _) => "only watches",
        (true, true) => "sealed with a passphrase",
        (true, false) => "no passphrase",
    };
    let _ = writeln!(
        text,
        "Wallet {name} of {}: {kind}. 'cairn wallet receive -w {name}' shows an address",
        record.network
    );
    Ok(text)
}

/// Shows new words and asks for some of them. Whether they are to be printed with the answer instead.
fn show_words(context: &Context<'_>, args: &CreateArgs, words: &str) -> Result<bool, WalletError> {
    if args.show_secret {
        return Ok(true);
    }
    if !is_attended() {
        if context.environment.network.stakes == Stakes::Local {
            say(
                "the words of this wallet were not shown, since there is no terminal, and cannot be shown later: its file is all \
                 there is; 'create --show-secret' prints those of a new one",
            );
            return Ok(false);
        }
        return Err(WalletError::NoTerminal("print the words with --show-secret, and keep them safe"));
    }
    let words: Vec<_> = words.split(' ').collect();
    let mut text = Zeroizing::new("Write these words down. They are shown this once.\n\n".to_owned());
    for (index, word) in words.iter().enumerate() {
        let _ = write!(text, "{:>3} {word:<10}", index + 1);
        if (index + 1) % 4 == 0 {
            text.push('\n');
        }
    }
    say(&text);
    if context.environment.network.stakes == Stakes::Local {
        return Ok(false);
    }
    for index in places(words.len())? {
        let is_right = || -> Result<bool, WalletError> {
            let answer = ask(&format!("Word {}: ", index + 1))?;
            Ok(answer.trim().to_lowercase() == words[index])
        };
        if !try_again("that is another word", is_right)? {
            return Err(WalletError::WrongWord);
        }
    }
    Ok(false)
}

/// Which words are asked for: different ones, in order.
fn places(count: usize) -> Result<Vec<usize>, WalletError> {
    let mut places = Vec::new();
    while places.len() < ASKED_BACK {
        let random = getrandom::u32().map_err(|error| WalletError::Io {
            what: "no randomness".to_owned(),
            source: std::io::Error::other(error),
        })?;
        let place = usize::try_from(random).unwrap_or_default() % count;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    Ok(places)
}

/// Words, and the passphrase that goes with them if it is said to.
fn read_words(context: &Context<'_>, with_passphrase: bool) -> Result<Secret, WalletError> {
    let network = &context.environment.network;
    if is_attended() {
        let words = ask("Words: ")?;
        let passphrase = if with_passphrase { ask_hidden("Passphrase of the words: ")? } else { String::new() };
        return Ok(Secret::from_words(&words, &Zeroizing::new(passphrase), network)?);
    }
    let text = read_secret_input()?;
    let (words, passphrase) = match with_passphrase.then(|| text.split_once('\n')).flatten() {
        Some((words, rest)) => (words, rest.lines().next().unwrap_or_default()),
        None => (text.as_str(), ""),
    };
    Ok(Secret::from_words(words, passphrase, network)?)
}

/// A descriptor from the command line, or with private keys from standard input.
fn read_descriptor(context: &Context<'_>, text: &str) -> Result<(Descriptors, Option<Secret>), WalletError> {
    let network = &context.environment.network;
    if text == "-" {
        return Ok(Descriptors::parse(&read_secret_input()?, network)?);
    }
    let (descriptors, secret) = Descriptors::parse(text, network)?;
    if secret.is_some() {
        return Err(WalletError::Usage(
            "private keys do not belong on a command line, where others can read them; give the descriptor on standard input, \
             with --descriptor -, and take these keys for known"
                .to_owned(),
        ));
    }
    Ok((descriptors, None))
}

fn secret_of(context: &Context<'_>, name: &str) -> Result<Secret, WalletError> {
    let wallet = Wallet::open(&context.path_of(name)?, &context.environment.network)?;
    context.unseal(&wallet)
}

/// A passphrase for a new wallet, typed twice.
fn new_passphrase(context: &Context<'_>, is_needed: bool, none: bool) -> Result<Passphrase, WalletError> {
    let is_exempt = context.environment.network.stakes == Stakes::Local;
    if let Some(path) = context.password_file {
        let passphrase = passphrase_in(path)?;
        if passphrase.is_empty() {
            let problem = format!("expected a passphrase in the first line of {}", path.display());
            return Err(WalletError::Usage(problem));
        }
        return Ok(passphrase);
    }
    if !is_needed || none || is_exempt {
        return Ok(Passphrase::default());
    }
    if !is_attended() {
        return Err(WalletError::NoTerminal("give a passphrase with --password-file, or say --no-passphrase"));
    }
    let mut passphrase = Passphrase::default();
    let is_given = || -> Result<bool, WalletError> {
        passphrase = Passphrase::new(ask_hidden("New passphrase: ")?);
        if passphrase.is_empty() {
            return Err(WalletError::Usage("expected a passphrase; --no-passphrase does without".to_owned()));
        }
        Ok(Passphrase::new(ask_hidden("The same again: ")?) == passphrase)
    };
    if !try_again("these are two different passphrases", is_given)? {
        return Err(WalletError::Usage("these are two different passphrases; nothing was saved".to_owned()));
    }
    Ok(passphrase)
}

/// Asks until the answer is right, or was wrong too often: what was written down before is worth another try.
fn try_again(problem: &str, mut is_right: impl FnMut() -> Result<bool, WalletError>) -> Result<bool, WalletError> {
    for attempt in 1..=ATTEMPTS {
        if is_right()? {
            return Ok(true);
        }
        if attempt < ATTEMPTS {
            say(&format!("{problem}; try again"));
        }
    }
    Ok(false)
}

/// Where a wallet that is new may begin to look: nobody can have paid to it before.
fn birthday(context: &Context<'_>) -> Result<u32, WalletError> {
    if context.offline {
        return Ok(0);
    }
    match Node::connect(&context.environment.node, &context.environment.network) {
        Ok(node) => Ok(node.height()?.saturating_sub(BIRTHDAY_MARGIN)),
        Err(NodeError::OtherNetwork { url, ours }) => Err(NodeError::OtherNetwork { url, ours }.into()),
        Err(_) => Ok(0),
    }
}
