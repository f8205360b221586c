//! Which chain a wallet belongs to.

use std::error::Error;
use std::fmt;

use bitcoin::address::{NetworkUnchecked, ParseError};
use bitcoin::bech32::segwit;
use bitcoin::{Address, BlockHash, NetworkKind, base58};

/// A network, as far as a wallet needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name, such as `cairn` or `regtest`.
    pub name: String,
    /// Whose addresses it has. Our own networks have regtest's.
    pub addresses: bitcoin::Network,
    /// The hash of its first block, which tells it from all others.
    pub genesis: BlockHash,
    /// What its coins are.
    pub stakes: Stakes,
}

/// What is lost when a wallet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stakes {
    /// Coins that people may have worked or paid for.
    Money,
    /// Coins of a public test network.
    Test,
    /// Coins of a network that somebody runs for themselves, on one machine.
    Local,
}

impl Network {
    /// Reads an address of this network.
    ///
    /// # Errors
    ///
    /// When it is no address, or another network's; then both are named.
    pub fn address(&self, text: &str) -> Result<Address, AddressError> {
        let address: Address<NetworkUnchecked> = text.parse().map_err(|error| malformed(text, &error))?;
        if address.is_valid_for_network(self.addresses) {
            return Ok(address.assume_checked());
        }
        let theirs = networks_of(&address);
        Err(AddressError::OtherNetwork { got: text.to_owned(), theirs, ours: self.name.clone() })
    }

    /// The number of the coin in derivation paths (SLIP-44): 0 for Bitcoin's main network, 1 for all others.
    #[must_use]
    pub fn coin_type(&self) -> u32 {
        match NetworkKind::from(self.addresses) {
            NetworkKind::Main => 0,
            NetworkKind::Test => 1,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Characters that an address in base58 has at least.
const SHORTEST_BASE58: usize = 26;

/// Why a text is no address: by the format that its beginning says it has.
fn malformed(text: &str, error: &ParseError) -> AddressError {
    let got = text.to_owned();
    let is_segwit = ["bc1", "tb1", "bcrt1"].iter().any(|start| text.to_ascii_lowercase().starts_with(start));
    match segwit::decode(text) {
        Err(error) if is_segwit => AddressError::Mistyped { got, problem: innermost(&error) },
        _ => match error {
            // Nearly any short word is base58.
            ParseError::Base58(base58::Error::IncorrectChecksum(_)) if text.len() >= SHORTEST_BASE58 => {
                AddressError::Mistyped { got, problem: "its checksum is wrong".to_owned() }
            }
            _ => AddressError::Malformed { got },
        },
    }
}

/// What is wrong in the end: the errors around it say only what was tried.
fn innermost(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// The networks that an address could be of.
fn networks_of(address: &Address<NetworkUnchecked>) -> &'static str {
    if address.is_valid_for_network(bitcoin::Network::Bitcoin) {
        return "main";
    }
    match (
        address.is_valid_for_network(bitcoin::Network::Regtest),
        address.is_valid_for_network(bitcoin::Network::Testnet),
    ) {
        (true, true) => "testnet4, signet, regtest, devnet or cairn",
        (true, false) => "regtest, devnet, cairn or a private network",
        (false, _) => "testnet4 or signet",
    }
}

/// Why a text is no address to pay.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no address at all.
    #[error("'{got}' is no address")]
    Malformed {
        /// The text.
        got: String,
    },
    /// It looks like one, and is not: a letter is wrong or missing.
    #[error("'{got}' is no address: {problem}; compare it with the original")]
    Mistyped {
        /// The text.
        got: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It is one of another network, where the coins would be lost.
    #[error("'{got}' is an address of {theirs}, and this wallet is of {ours}")]
    OtherNetwork {
        /// The text.
        got: String,
        /// Where it belongs.
        theirs: &'static str,
        /// Where the wallet belongs.
        ours: String,
    },
}
