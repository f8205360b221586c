//! Questions to the person at the keyboard.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use zeroize::Zeroizing;

use crate::error::WalletError;
use crate::secret::Passphrase;

/// Longest text that is read from standard input or a file for a secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// How often somebody may mistype before a question is given up.
pub(super) const ATTEMPTS: usize = 3;

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

/// Asks for a line without showing what is typed. Whoever interrupts the question gets back a terminal that shows it again.
pub(super) fn ask_hidden(question: &str) -> Result<String, WalletError> {
    let failed = |source| WalletError::Io { what: "cannot ask for the passphrase".to_owned(), source };
    restore_when_interrupted().map_err(failed)?;
    rpassword::prompt_password(question).map_err(failed)
}

/// From now on, whatever ends this process leaves the terminal as it is now. This lasts: the system's own handlers do not come back
/// once there was another.
fn restore_when_interrupted() -> io::Result<()> {
    static WATCHED: OnceLock<()> = OnceLock::new();
    if WATCHED.get().is_some() {
        return Ok(());
    }
    let settings = tcgetattr(io::stdin()).ok();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(settings) = &settings {
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
            }
            // What was typed stands in a line of its own.
            let _ = writeln!(io::stderr());
            let _ = emulate_default_handler(signal);
        }
    });
    let _ = WATCHED.set(());
    Ok(())
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
