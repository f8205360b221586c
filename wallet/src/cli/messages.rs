//! Signing and verifying messages.

use clap::Args;

use super::Context;
use super::output::to_json;
use crate::error::WalletError;
use crate::message::verify_message;

/// Sign a message, to prove that an address is yours.
///
/// For addresses 1… as Bitcoin Core signs them; for bc1q… and bc1p… by BIP322, in its simple form.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn wallet sign-message bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 'I was here'"
)]
pub(super) struct SignArgs {
    /// An address of the wallet.
    address: String,
    /// The message.
    message: String,
}

/// Check who signed a message. Needs neither wallet nor node.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn wallet verify-message bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 AkcwRAIg… 'I was here'"
)]
pub(super) struct VerifyArgs {
    /// The address.
    address: String,
    /// The signature, in base64.
    signature: String,
    /// The message.
    message: String,
}

pub(super) fn sign(context: &Context<'_>, args: &SignArgs) -> Result<String, WalletError> {
    let address = context.environment.network.address(&args.address)?;
    let wallet = context.open()?;
    let secret = context.unseal(&wallet)?;
    let signature = wallet.sign_message(&address, &args.message, &secret)?;
    if context.json {
        return to_json(
            &serde_json::json!({ "address": args.address, "message": args.message, "signature": signature }),
        );
    }
    Ok(signature + "\n")
}

pub(super) fn verify(context: &Context<'_>, args: &VerifyArgs) -> Result<String, WalletError> {
    let address = context.environment.network.address(&args.address)?;
    verify_message(&address, &args.message, &args.signature)?;
    if context.json {
        return to_json(&serde_json::json!({ "address": args.address, "valid": true }));
    }
    Ok(format!("signed by the owner of {address}\n"))
}
