//! An open wallet, brought up to date.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Context;
use super::terminal::{ATTEMPTS, ask_hidden, is_attended, passphrase_in, say};
use crate::error::WalletError;
use crate::node::{Node, NodeError};
use crate::secret::{Passphrase, SealError, Secret};
use crate::sync::SyncProgress;
use crate::wallet::Wallet;

/// Blocks that are read without a bar: that takes no time worth showing.
const SILENT_BLOCKS: u32 = 200;

impl Context<'_> {
    /// Opens the wallet that is meant.
    pub(super) fn open(&self) -> Result<Wallet, WalletError> {
        let (_, path) = self.environment.folder.choose(self.wallet)?;
        Wallet::open(&path, &self.environment.network)
    }

    /// Finds the node.
    pub(super) fn connect(&self) -> Result<Node, WalletError> {
        if self.offline {
            return Err(WalletError::Usage("this needs a node, and --offline was given".to_owned()));
        }
        Ok(Node::connect(&self.environment.node, &self.environment.network)?)
    }

    /// Opens the wallet, and reads what the node knows unless the user is offline.
    pub(super) fn open_synced(&self) -> Result<Wallet, WalletError> {
        let mut wallet = self.open()?;
        if !self.offline {
            let node = self.connect()?;
            sync(&mut wallet, &node)?;
            if let Err(error @ NodeError::Syncing { .. }) = node.check_synced(&self.environment.network) {
                say(&error.to_string());
            }
        }
        Ok(wallet)
    }

    /// Opens the wallet to spend: the node has to know the whole chain.
    pub(super) fn open_to_spend(&self) -> Result<(Wallet, Node), WalletError> {
        let mut wallet = self.open()?;
        let node = self.connect()?;
        node.check_synced(&self.environment.network)?;
        sync(&mut wallet, &node)?;
        Ok((wallet, node))
    }

    /// What the wallet signs with. Asks for its passphrase if it has one.
    pub(super) fn unseal(&self, wallet: &Wallet) -> Result<Secret, WalletError> {
        let passphrase = match self.password_file {
            _ if !wallet.can_sign() => return Err(WalletError::WatchOnly),
            _ if !wallet.has_passphrase()? => Passphrase::default(),
            Some(path) => passphrase_in(path)?,
            None if is_attended() => return self.unseal_by_asking(wallet),
            None => return Err(WalletError::NoTerminal("give the passphrase with --password-file")),
        };
        wallet.unseal(&passphrase)
    }

    /// Asks again while the passphrase is wrong: the payment that it is for need not be put together anew.
    fn unseal_by_asking(&self, wallet: &Wallet) -> Result<Secret, WalletError> {
        for _ in 1..ATTEMPTS {
            match wallet.unseal(&Passphrase::new(ask_hidden("Passphrase: ")?)) {
                Err(WalletError::Seal(SealError::WrongPassphrase)) => say("wrong passphrase; try again"),
                other => return other,
            }
        }
        wallet.unseal(&Passphrase::new(ask_hidden("Passphrase: ")?))
    }

    /// The file of a wallet of that name.
    pub(super) fn path_of(&self, name: &str) -> Result<PathBuf, WalletError> {
        self.environment.folder.path(name)
    }
}

/// Reads what the node knows, with a bar if that takes long.
pub(super) fn sync(wallet: &mut Wallet, node: &Node) -> Result<(), WalletError> {
    let mut bar = Bar::default();
    wallet.sync(node, |progress| bar.show(progress))
}

/// Progress through the chain, for people alone.
#[derive(Default)]
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    first: Option<u32>,
}

impl Bar {
    pub(super) fn show(&mut self, progress: SyncProgress) {
        let first = *self.first.get_or_insert(progress.height);
        if !std::io::stderr().is_terminal() || progress.tip - first < SILENT_BLOCKS {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("blocks {wide_bar} {pos}/{len} · {per_sec} · {eta}");
            let bar = ProgressBar::with_draw_target(Some(progress.tip.into()), ProgressDrawTarget::stderr());
            bar.set_style(style.expect("the template is one"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        bar.set_length(progress.tip.into());
        bar.set_position(progress.height.into());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
