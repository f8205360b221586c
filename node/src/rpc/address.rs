//! Addresses as users write them, and what is wrong with those that are none (Core: `key_io.cpp`).
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `bech32` | the text of segwit addresses | `bech32.cpp` |
//! | `locate` | which characters were mistyped | `bech32::LocateErrors` |

mod bech32;
mod locate;

use bitcoin::hashes::Hash;
use bitcoin::{Address, PrivateKey, PubkeyHash, Script, ScriptHash, WitnessProgram, WitnessVersion, base58};
use cairn_chain::params::AddressFormat;
use thiserror::Error;

use bech32::Variant;

/// Bytes of a base58 address without its checksum.
const BASE58_PAYLOAD: usize = 21;
/// The most bytes that are looked at to tell a wrong checksum from wrong characters (Core: `DecodeDestination`).
const MAX_BASE58_BYTES: usize = 100;
/// The most characters those bytes take: a leading zero byte is one character, the others take 1.37 each.
const MAX_BASE58_CHARACTERS: usize = 140;
/// White space around base58 text is ignored (Core: `IsSpace`, `util/strencodings.h`).
const WHITE_SPACE: [char; 6] = [' ', '\x0c', '\n', '\r', '\t', '\x0b'];

/// Why a text is no address of the network, in Core's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct AddressError {
    /// What is wrong.
    pub(crate) message: String,
    /// Places of the characters that are probably wrong, in bytes from the start.
    pub(crate) locations: Vec<usize>,
}

impl AddressError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), locations: Vec::new() }
    }
}

/// Reads an address of a network (Core: `DecodeDestination`).
///
/// # Errors
///
/// When it is none, or another network's.
pub(crate) fn decode_address(text: &str, format: AddressFormat) -> Result<Address, AddressError> {
    let hrp = format.bech32_hrp();
    let start = text.as_bytes().get(..hrp.len());
    if start.is_some_and(|start| start.eq_ignore_ascii_case(hrp.as_bytes())) {
        decode_segwit(text, format)
    } else {
        decode_base58(text, format)
    }
}

fn decode_base58(text: &str, format: AddressFormat) -> Result<Address, AddressError> {
    let text = text.trim_matches(WHITE_SPACE);
    let decoded = if text.len() <= MAX_BASE58_CHARACTERS { base58::decode(text).ok() } else { None };
    let Some(bytes) = decoded.filter(|bytes| bytes.len() <= MAX_BASE58_BYTES) else {
        return Err(AddressError::new("Invalid or unsupported Segwit (Bech32) or Base58 encoding."));
    };
    let payload = base58::decode_check(text).ok().filter(|payload| payload.len() <= BASE58_PAYLOAD);
    let Some(payload) = payload.filter(|_| bytes.len() >= 4) else {
        return Err(AddressError::new("Invalid checksum or length of Base58 address (P2PKH or P2SH)"));
    };
    let prefixes = [format.pubkey_prefix(), format.script_prefix()];
    match payload.split_first().filter(|(prefix, _)| prefixes.contains(prefix)) {
        None => Err(AddressError::new("Invalid or unsupported Base58-encoded address.")),
        Some((prefix, hash)) => match <[u8; 20]>::try_from(hash) {
            Err(_) => Err(AddressError::new("Invalid length for Base58 address (P2PKH or P2SH)")),
            Ok(hash) if *prefix == format.pubkey_prefix() => {
                Ok(Address::p2pkh(PubkeyHash::from_byte_array(hash), format.kind))
            }
            Ok(hash) => Ok(Address::p2sh_from_hash(ScriptHash::from_byte_array(hash), format.kind)),
        },
    }
}

fn decode_segwit(text: &str, format: AddressFormat) -> Result<Address, AddressError> {
    let Some(decoded) = bech32::decode(text) else {
        let (message, locations) = locate::locate_errors(text);
        return Err(AddressError { message: message.to_owned(), locations });
    };
    let Some((&version, symbols)) = decoded.data.split_first() else {
        return Err(AddressError::new("Empty Bech32 data section"));
    };
    let hrp = format.bech32_hrp();
    if decoded.hrp != hrp {
        let got = decoded.hrp;
        return Err(AddressError::new(format!(
            "Invalid or unsupported prefix for Segwit (Bech32) address (expected {hrp}, got {got})."
        )));
    }
    match (version, decoded.variant) {
        (0, Variant::Bech32m) => {
            return Err(AddressError::new("Version 0 witness address must use Bech32 checksum"));
        }
        (1.., Variant::Bech32) => {
            return Err(AddressError::new("Version 1+ witness address must use Bech32m checksum"));
        }
        _ => {}
    }
    let program =
        bech32::to_bytes(symbols).ok_or_else(|| AddressError::new("Invalid padding in Bech32 data section"))?;
    let size = format!("{} {}", program.len(), if program.len() == 1 { "byte" } else { "bytes" });
    if version == 0 && !matches!(program.len(), 20 | 32) {
        return Err(AddressError::new(format!("Invalid Bech32 v0 address program size ({size}), per BIP141")));
    }
    let version =
        WitnessVersion::try_from(version).map_err(|_| AddressError::new("Invalid Bech32 address witness version"))?;
    let program = WitnessProgram::new(version, &program)
        .map_err(|_| AddressError::new(format!("Invalid Bech32 address program size ({size})")))?;
    Ok(Address::from_witness_program(program, format.hrp))
}

/// The address of a script; none if it has none, such as a script that is a key itself (Core: `ExtractDestination`,
/// `addresstype.cpp`).
pub(crate) fn address_of_script(script: &Script, format: AddressFormat) -> Option<Address> {
    let bytes = script.as_bytes();
    if script.is_p2pkh() {
        let hash = PubkeyHash::from_slice(&bytes[3..23]).ok()?;
        return Some(Address::p2pkh(hash, format.kind));
    }
    if script.is_p2sh() {
        let hash = ScriptHash::from_slice(&bytes[2..22]).ok()?;
        return Some(Address::p2sh_from_hash(hash, format.kind));
    }
    let program = WitnessProgram::new(script.witness_version()?, &bytes[2..]).ok()?;
    Some(Address::from_witness_program(program, format.hrp))
}

/// Reads a private key in wallet import format; none if it is none, or another network's (Core: `DecodeSecret`).
pub(crate) fn decode_secret(text: &str, format: AddressFormat) -> Option<PrivateKey> {
    if text.len() > MAX_BASE58_CHARACTERS {
        return None;
    }
    let key = PrivateKey::from_wif(text.trim_matches(WHITE_SPACE)).ok()?;
    (key.network == format.kind).then_some(key)
}

#[cfg(test)]
mod tests;
