//! Partially signed transactions (BIP174, BIP371): reading, checking, combining, finishing.
//!
//! | file | holds |
//! |---|---|
//! | `view` | what a PSBT does, for people and programs |

mod view;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bdk_wallet::miniscript::psbt::PsbtExt;
use bitcoin::{Amount, Psbt, Transaction, TxOut};
use secp256k1::Secp256k1;

pub use view::{InputView, OutputView, PsbtView};

use crate::secret::SecretError;
use crate::sign::commits_to_all;

/// Longest PSBT that is read, in bytes of its text: far above what a standard transaction needs.
pub const MAX_TEXT: u64 = 32 << 20;
/// First bytes of the binary form.
const MAGIC: &[u8] = b"psbt\xff";

/// Why a PSBT cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PsbtError {
    /// It is none.
    #[error("expected a PSBT in base64 or binary: {0}")]
    Malformed(String),
    /// It does not say what it spends.
    #[error("input {index} does not say what it spends")]
    NoUtxo {
        /// Its place.
        index: usize,
    },
    /// It contradicts itself.
    #[error("input {index} is not to be trusted: {problem}")]
    Input {
        /// Its place.
        index: usize,
        /// What is wrong.
        problem: String,
    },
    /// A signature that could be used for other transactions.
    #[error(
        "input {index} asks for a signature with the sighash type {asked}, which leaves parts of the transaction open; only ALL is signed"
    )]
    Sighash {
        /// Its place.
        index: usize,
        /// What it asks for.
        asked: String,
    },
    /// There is nothing for us to sign.
    #[error("none of the PSBT's keys is this wallet's; it signs for {}", signers.join(", "))]
    NotOurs {
        /// Fingerprints of the wallet's master keys.
        signers: Vec<String>,
    },
    /// PSBTs of different transactions.
    #[error("the PSBTs are of different transactions: {0}")]
    Different(String),
    /// Signatures are missing.
    #[error("the PSBT is not complete: {0}")]
    Incomplete(String),
    /// It spends less than it pays.
    #[error("its outputs are worth more than its inputs")]
    NegativeFee,
    /// A descriptor does not fit.
    #[error("a descriptor does not fit the transaction: {0}")]
    Descriptor(String),
    /// A key cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Reads a PSBT, in base64 or binary.
///
/// # Errors
///
/// When it is none.
pub fn read(bytes: &[u8]) -> Result<Psbt, PsbtError> {
    let malformed = |error: &dyn std::fmt::Display| PsbtError::Malformed(error.to_string());
    let decoded;
    let binary = if bytes.starts_with(MAGIC) {
        bytes
    } else {
        let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        decoded = STANDARD.decode(text).map_err(|error| malformed(&error))?;
        &decoded
    };
    Psbt::deserialize(binary).map_err(|error| malformed(&error))
}

/// A PSBT in base64.
#[must_use]
pub fn show(psbt: &Psbt) -> String {
    STANDARD.encode(psbt.serialize())
}

/// Puts together what several signers made of one PSBT.
///
/// # Errors
///
/// When they are of different transactions.
pub fn combine(psbts: impl IntoIterator<Item = Psbt>) -> Result<Psbt, PsbtError> {
    let mut psbts = psbts.into_iter();
    let mut combined = psbts.next().ok_or_else(|| PsbtError::Malformed("there is none".to_owned()))?;
    for psbt in psbts {
        combined.combine(psbt).map_err(|error| PsbtError::Different(error.to_string()))?;
    }
    Ok(combined)
}

/// Makes of the signatures what goes into the transaction.
///
/// # Errors
///
/// When some are missing.
pub fn finalize(psbt: &mut Psbt) -> Result<(), PsbtError> {
    spent_outputs(psbt)?;
    psbt.finalize_mut(&Secp256k1::verification_only()).map_err(|errors| {
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        PsbtError::Incomplete(texts.join("; "))
    })
}

/// The transaction of a finished PSBT.
///
/// # Errors
///
/// When it is not finished.
pub fn extract(psbt: Psbt) -> Result<Transaction, PsbtError> {
    let is_final =
        |input: &bitcoin::psbt::Input| input.final_script_sig.is_some() || input.final_script_witness.is_some();
    if let Some(index) = psbt.inputs.iter().position(|input| !is_final(input)) {
        return Err(PsbtError::Incomplete(format!("input {index} is not finalized")));
    }
    fee(&psbt)?;
    Ok(psbt.extract_tx_unchecked_fee_rate())
}

/// What a PSBT pays to be mined.
///
/// # Errors
///
/// When it does not say what it spends, or spends less than it pays.
pub fn fee(psbt: &Psbt) -> Result<Amount, PsbtError> {
    let sum = |outputs: &[TxOut]| {
        outputs.iter().try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value)).ok_or(PsbtError::NegativeFee)
    };
    sum(&spent_outputs(psbt)?)?.checked_sub(sum(&psbt.unsigned_tx.output)?).ok_or(PsbtError::NegativeFee)
}

/// The outputs that the inputs spend, as far as the PSBT proves them.
pub(crate) fn spent_outputs(psbt: &Psbt) -> Result<Vec<TxOut>, PsbtError> {
    (0..psbt.inputs.len()).map(|index| spent_output(psbt, index)).collect()
}

/// The output that an input spends. A whole transaction proves it by its id; an output alone is what a signature commits to.
fn spent_output(psbt: &Psbt, index: usize) -> Result<TxOut, PsbtError> {
    let wrong = |problem: &str| PsbtError::Input { index, problem: problem.to_owned() };
    let input = &psbt.inputs[index];
    let spends = psbt.unsigned_tx.input.get(index).ok_or(PsbtError::NoUtxo { index })?.previous_output;
    let proven = match &input.non_witness_utxo {
        Some(transaction) if transaction.compute_txid() != spends.txid => {
            return Err(wrong("the transaction that it shows is not the one that it spends"));
        }
        Some(transaction) => {
            let place = usize::try_from(spends.vout).unwrap_or(usize::MAX);
            Some(transaction.output.get(place).ok_or_else(|| wrong("it spends an output that there is not"))?.clone())
        }
        None => None,
    };
    match (proven, &input.witness_utxo) {
        (Some(proven), Some(claimed)) if proven != *claimed => Err(wrong("it shows two different outputs")),
        (Some(proven), _) => Ok(proven),
        (None, Some(claimed)) => Ok(claimed.clone()),
        (None, None) => Err(PsbtError::NoUtxo { index }),
    }
}

/// Whether an input may be signed: its scripts are those that its output names, and the signature commits to everything.
pub(crate) fn check_input(psbt: &Psbt, index: usize) -> Result<(), PsbtError> {
    let wrong = |problem: &str| PsbtError::Input { index, problem: problem.to_owned() };
    let input = &psbt.inputs[index];
    let output = spent_output(psbt, index)?;
    let script = &output.script_pubkey;
    if !commits_to_all(input, script.is_p2tr()) {
        let asked = input.sighash_type.map(|asked| asked.to_string()).unwrap_or_default();
        return Err(PsbtError::Sighash { index, asked });
    }
    let redeem = match &input.redeem_script {
        Some(redeem) if !script.is_p2sh() || redeem.to_p2sh() != *script => {
            return Err(wrong("its redeem script is not the one that its output names"));
        }
        Some(redeem) => redeem,
        None => script,
    };
    if let Some(witness_script) = &input.witness_script
        && (!redeem.is_p2wsh() || witness_script.to_p2wsh() != *redeem)
    {
        return Err(wrong("its witness script is not the one that its output names"));
    }
    // Only taproot's signatures commit to all amounts: with others, two lies about two inputs make one transaction with a fee that
    // nobody was shown (CVE-2020-14199).
    if input.non_witness_utxo.is_none() && !script.is_p2tr() {
        return Err(wrong("it does not show the transaction that it spends, so that its amount cannot be checked"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
