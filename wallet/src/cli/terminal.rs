//! Questions to the person at the keyboard.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::WalletError;
use crate::secret::Passphrase;

/// Longest text that is read from standard input or a file for a secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// Bytes that are reserved for what is read: a text that outgrows them moves, and leaves a copy behind.
const READ_AHEAD: usize = 16 << 10;

/// Whether there is somebody to ask.
pub(super) fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Says something that is no answer to a program.
pub(super) fn say(text: &str) {
    // Who closed standard error does not want to hear of it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Asks for a yes. Anything else is a no.
///
/// # Errors
///
/// When there is nobody to ask.
pub(super) fn confirm(question: &str) -> Result<bool, WalletError> {
    if !is_attended() {
        return Err(WalletError::NoTerminal("say yes with -y"));
    }
    let answer = ask(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a line.
pub(super) fn ask(question: &str) -> Result<Zeroizing<String>, WalletError> {
    let failed = |source| WalletError::Io { what: "cannot read the answer".to_owned(), source };
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
    drop(stderr);
    let mut line = Zeroizing::new(String::with_capacity(READ_AHEAD));
    io::stdin().lock().take(MAX_SECRET).read_line(&mut line).map_err(failed)?;
    Ok(line)
}

/// Asks for a line without showing what is typed.
pub(super) fn ask_hidden(question: &str) -> Result<String, WalletError> {
    rpassword::prompt_password(question)
        .map_err(|source| WalletError::Io { what: "cannot ask for the passphrase".to_owned(), source })
}

/// Everything on standard input.
pub(super) fn read_secret_input() -> Result<Zeroizing<String>, WalletError> {
    let mut text = Zeroizing::new(String::with_capacity(READ_AHEAD));
    io::stdin()
        .lock()
        .take(MAX_SECRET)
        .read_to_string(&mut text)
        .map_err(|source| WalletError::Io { what: "cannot read standard input".to_owned(), source })?;
    Ok(text)
}

/// The passphrase in a file: its first line.
pub(super) fn passphrase_in(path: &Path) -> Result<Passphrase, WalletError> {
    let failed = |source| WalletError::Io { what: format!("cannot read the passphrase in {}", path.display()), source };
    let mut text = Zeroizing::new(String::with_capacity(READ_AHEAD));
    fs::File::open(path).map_err(failed)?.take(MAX_SECRET).read_to_string(&mut text).map_err(failed)?;
    Ok(Passphrase::new(text.lines().next().unwrap_or_default().to_owned()))
}
