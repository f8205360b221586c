//! Everything that can go wrong in a wallet, and the exit code of a command that it ends.

use std::path::PathBuf;

use bitcoin::{Amount, OutPoint, Txid};

use crate::account::DescriptorError;
use crate::amount::{AmountError, show_amount};
use crate::network::AddressError;
use crate::node::NodeError;
use crate::psbt::PsbtError;
use crate::secret::{SealError, SecretError};
use crate::store::StoreError;

/// Exit code of a command that failed.
const FAILED: u8 = 1;
/// Exit code of a command that was told something that cannot be.
const WRONG_USAGE: u8 = 2;
/// Exit code of a command that nobody answers.
const UNREACHABLE: u8 = 3;
/// Exit code of a command that would spend more than there is.
const INSUFFICIENT_FUNDS: u8 = 4;
/// Exit code of a command that the user stopped.
const ABORTED: u8 = 5;
/// Exit code of a command whose node is not well.
const UNHEALTHY: u8 = 6;

/// Why a wallet did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// A name that could be no file's.
    #[error("expected a name of letters, digits, '-', '_' and '.', at most 64, got '{got}'")]
    Name {
        /// The name.
        got: String,
    },
    /// There is no wallet at all.
    #[error("there is no wallet in {}; make one with 'cairn wallet create NAME'", folder.display())]
    NoWallet {
        /// Where they would be.
        folder: PathBuf,
    },
    /// There are several.
    #[error("which wallet? choose with --wallet NAME, out of {names}")]
    WhichWallet {
        /// Their names.
        names: String,
    },
    /// The wallet's coins are on another chain.
    #[error("the wallet is of the network {theirs}, and this is {ours}")]
    OtherNetwork {
        /// The wallet's.
        theirs: String,
        /// The command's.
        ours: String,
    },
    /// BDK does not take the descriptors.
    #[error("the descriptors make no wallet: {0}")]
    Descriptors(String),
    /// There are no private keys.
    #[error(
        "this wallet only watches, it has no keys to sign with; make a PSBT with 'cairn wallet psbt create' and sign it elsewhere"
    )]
    WatchOnly,
    /// No such coin.
    #[error("the wallet has no unspent coin {outpoint}; 'cairn wallet utxos' shows what there is")]
    UnknownCoin {
        /// Where it would be.
        outpoint: OutPoint,
    },
    /// A coin that cannot be spent yet.
    #[error(
        "the coin {outpoint} cannot be spent yet: it is a coinbase younger than 100 blocks, or waits for its first block"
    )]
    UnspendableCoin {
        /// Where it is.
        outpoint: OutPoint,
    },
    /// The descriptor needs a key, a preimage or time that there is not.
    #[error(
        "no coin can be spent under the descriptor's conditions now: a lock time may not be over, or a hash be needed"
    )]
    Unsatisfiable,
    /// There is not enough.
    #[error("not enough: {} more are needed ({} are there to be spent, payments and fee take {})",
        show_amount(*needed - *available), show_amount(*available), show_amount(*needed))]
    InsufficientFunds {
        /// What payments and fee take.
        needed: Amount,
        /// What can be spent.
        available: Amount,
    },
    /// An output that no node relays.
    #[error("a payment of {} to {to} is dust that nodes do not relay; expected {} or more", show_amount(*got), show_amount(*least))]
    Dust {
        /// To whom.
        to: String,
        /// How much.
        got: Amount,
        /// The least that is relayed.
        least: Amount,
    },
    /// Nobody is to be paid.
    #[error("expected an address and an amount")]
    NoRecipient,
    /// Everything to several.
    #[error("'max' can go to one recipient only")]
    SeveralMax,
    /// A fee above what was allowed.
    #[error("the fee would be {} ({rate:.1} sat/vB), above the ceiling of {}; allow more with --max-fee", show_amount(*fee), show_amount(*ceiling))]
    FeeAboveCeiling {
        /// The fee.
        fee: Amount,
        /// Its rate, in satoshis per virtual byte.
        rate: f64,
        /// What was allowed.
        ceiling: Amount,
    },
    /// A fee above what was allowed, of a transaction whose weight is not known yet.
    #[error("the fee is {}, above the ceiling of {}; allow more with --max-fee", show_amount(*fee), show_amount(*ceiling))]
    PsbtFeeAboveCeiling {
        /// The fee.
        fee: Amount,
        /// What was allowed.
        ceiling: Amount,
    },
    /// A transaction that no node relays.
    #[error("the transaction would weigh {weight} weight units, and nodes relay 400000; send in several parts")]
    TooLarge {
        /// Its weight.
        weight: u64,
    },
    /// Nothing to bump.
    #[error("the wallet has no transaction {txid}")]
    UnknownTransaction {
        /// Its id.
        txid: Txid,
    },
    /// Another one took its place.
    #[error("{txid} was replaced by {by}; bump that one")]
    Replaced {
        /// Its id.
        txid: Txid,
        /// The id of the one that counts.
        by: Txid,
    },
    /// It is mined.
    #[error("{txid} is in block {height} already; there is nothing to speed up")]
    AlreadyConfirmed {
        /// Its id.
        txid: Txid,
        /// The height of its block.
        height: u32,
    },
    /// A transaction that cannot be replaced by this wallet.
    #[error("{txid} cannot be replaced: {problem}; try --cpfp, which spends one of its outputs")]
    NotReplaceable {
        /// Its id.
        txid: Txid,
        /// Why.
        problem: &'static str,
    },
    /// A transaction without an output of ours.
    #[error("{txid} has no output of this wallet that could be spent to pay for it")]
    NoOutputToSpend {
        /// Its id.
        txid: Txid,
    },
    /// A rate that does not help.
    #[error("a fee rate of {got:.2} sat/vB is too low: expected {least:.2} or more")]
    FeeRateTooLow {
        /// In satoshis per virtual byte.
        got: f64,
        /// In satoshis per virtual byte.
        least: f64,
    },
    /// The user said no.
    #[error("nothing was sent")]
    Declined,
    /// The user did not know the words.
    #[error("that is another word; nothing was saved, so write the words down and create the wallet again")]
    WrongWord,
    /// There is nobody to ask.
    #[error("there is no terminal to ask: {0}")]
    NoTerminal(&'static str),
    /// Arguments that do not go together.
    #[error("{0}")]
    Usage(String),
    /// A message that is not signed as it should.
    #[error("the signature is not of this address and message")]
    BadSignature,
    /// Messages cannot be signed for this kind of address.
    #[error("messages can be signed for addresses with one key, and {0} is none of this wallet")]
    CannotSignMessage(String),
    /// A file or stream that cannot be used.
    #[error("{what}: {source}")]
    Io {
        /// What was done with what.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// An amount that is none.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// An address that is none of ours.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A descriptor that is none.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// A secret that is none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret that stays sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file that cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node that does not do what it should.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A PSBT that cannot be used.
    #[error(transparent)]
    Psbt(#[from] PsbtError),
}

impl WalletError {
    /// The exit code of a command that ends so.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Name { .. }
            | Self::WhichWallet { .. }
            | Self::Dust { .. }
            | Self::NoRecipient
            | Self::SeveralMax
            | Self::NoTerminal(_)
            | Self::Usage(_)
            | Self::Amount(_)
            | Self::Address(_)
            | Self::Descriptor(_)
            | Self::Secret(_) => WRONG_USAGE,
            Self::InsufficientFunds { .. } => INSUFFICIENT_FUNDS,
            Self::Declined | Self::WrongWord => ABORTED,
            Self::Node(error) if error.is_unreachable() => UNREACHABLE,
            Self::Node(error) if error.is_unwell() => UNHEALTHY,
            Self::NoWallet { .. }
            | Self::OtherNetwork { .. }
            | Self::Descriptors(_)
            | Self::WatchOnly
            | Self::UnknownCoin { .. }
            | Self::UnspendableCoin { .. }
            | Self::Unsatisfiable
            | Self::FeeAboveCeiling { .. }
            | Self::PsbtFeeAboveCeiling { .. }
            | Self::TooLarge { .. }
            | Self::UnknownTransaction { .. }
            | Self::Replaced { .. }
            | Self::AlreadyConfirmed { .. }
            | Self::NotReplaceable { .. }
            | Self::NoOutputToSpend { .. }
            | Self::FeeRateTooLow { .. }
            | Self::BadSignature
            | Self::CannotSignMessage(_)
            | Self::Io { .. }
            | Self::Seal(_)
            | Self::Store(_)
            | Self::Node(_)
            | Self::Psbt(_) => FAILED,
        }
    }
}
