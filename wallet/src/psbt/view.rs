//! What a PSBT does, for people and programs.

use bitcoin::{Address, Amount, OutPoint, Psbt, Txid};
use serde::Serialize;

use super::{PsbtError, fee, spent_outputs};
use crate::wallet::Wallet;

/// What a PSBT does. Amounts are in satoshis.
#[derive(Debug, Clone, Serialize)]
pub struct PsbtView {
    /// The transaction's id; only those with old inputs change it by signing.
    pub txid: Txid,
    /// What it spends.
    pub inputs: Vec<InputView>,
    /// What it pays.
    pub outputs: Vec<OutputView>,
    /// What it pays to be mined.
    pub fee: Amount,
    /// The height or time before which it is in no block.
    pub locktime: u32,
    /// Whether it can be sent as it is.
    pub is_final: bool,
}

/// An input of a PSBT.
#[derive(Debug, Clone, Serialize)]
pub struct InputView {
    /// What it spends.
    pub outpoint: OutPoint,
    /// The address that had it.
    pub address: Option<String>,
    /// What it is worth.
    pub amount: Amount,
    /// Whether it is the wallet's; absent without a wallet.
    pub is_mine: Option<bool>,
    /// Signatures that are there.
    pub signatures: usize,
    /// Fingerprints of the master keys that are asked to sign.
    pub signers: Vec<String>,
    /// Whether it needs no more signatures.
    pub is_final: bool,
}

/// An output of a PSBT.
#[derive(Debug, Clone, Serialize)]
pub struct OutputView {
    /// The address that gets it; scripts of other kinds have none.
    pub address: Option<String>,
    /// What it is worth.
    pub amount: Amount,
    /// Whether it is the wallet's; absent without a wallet.
    pub is_mine: Option<bool>,
}

impl PsbtView {
    /// What a PSBT does, seen from a wallet if there is one.
    ///
    /// # Errors
    ///
    /// When it does not say what it spends, or contradicts itself.
    pub fn of(psbt: &Psbt, addresses: bitcoin::Network, wallet: Option<&Wallet>) -> Result<Self, PsbtError> {
        let address = |script: &bitcoin::Script| Address::from_script(script, addresses).ok().map(|it| it.to_string());
        let is_mine = |script: &bitcoin::Script| wallet.map(|wallet| wallet.bdk.is_mine(script.to_owned()));
        let spent = spent_outputs(psbt)?;
        let inputs: Vec<_> = psbt
            .inputs
            .iter()
            .zip(&psbt.unsigned_tx.input)
            .zip(&spent)
            .map(|((input, spends), output)| {
                let ecdsa = input.bip32_derivation.values().map(|(fingerprint, _)| fingerprint);
                let schnorr = input.tap_key_origins.values().map(|(_, (fingerprint, _))| fingerprint);
                let mut signers: Vec<_> = ecdsa.chain(schnorr).map(ToString::to_string).collect();
                signers.sort();
                signers.dedup();
                InputView {
                    outpoint: spends.previous_output,
                    address: address(&output.script_pubkey),
                    amount: output.value,
                    is_mine: is_mine(&output.script_pubkey),
                    signatures: input.partial_sigs.len()
                        + input.tap_script_sigs.len()
                        + usize::from(input.tap_key_sig.is_some()),
                    signers,
                    is_final: input.final_script_sig.is_some() || input.final_script_witness.is_some(),
                }
            })
            .collect();
        let outputs = psbt.unsigned_tx.output.iter().map(|output| OutputView {
            address: address(&output.script_pubkey),
            amount: output.value,
            is_mine: is_mine(&output.script_pubkey),
        });
        Ok(Self {
            txid: psbt.unsigned_tx.compute_txid(),
            outputs: outputs.collect(),
            fee: fee(psbt)?,
            locktime: psbt.unsigned_tx.lock_time.to_consensus_u32(),
            is_final: inputs.iter().all(|input| input.is_final),
            inputs,
        })
    }
}
