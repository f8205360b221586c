//! What a client wants to be protected from: fees and burnt coins by mistake.

use bitcoin::Amount;
use cairn_chain::mempool::FeeRate;
use cairn_chain::primitives::{TransactionRef, WITNESS_SCALE_FACTOR};
use cairn_chain::script::{has_valid_ops, is_unspendable};

use crate::rpc::{Arguments, Parameter, Presence, RpcError, RpcErrorCode};

/// The parameter that limits fees.
pub(super) const MAX_FEE_RATE: Parameter = Parameter::amount(
    "maxfeerate",
    Presence::Default("\"0.10\""),
    "Reject transactions whose fee rate is higher than the specified value, expressed in BTC/kvB.\n\
     Fee rates larger than 1BTC/kvB are rejected.\nSet to 0 to accept any fee rate.",
);

/// The parameter that limits what is burnt.
pub(super) const MAX_BURN_AMOUNT: Parameter = Parameter::amount(
    "maxburnamount",
    Presence::Default("\"0.00\""),
    "Reject transactions with provably unspendable outputs (e.g. 'datacarrier' outputs that use the OP_RETURN opcode) \
     greater than the specified value, expressed in BTC.\n\
     If burning funds through unspendable outputs is desired, increase this value.\n\
     This check is based on heuristics and does not guarantee spendability of outputs.\n",
);

/// Reads [`MAX_FEE_RATE`]; nothing where any fee is right (Core: `ParseFeeRate`, `rpc/util.cpp`).
pub(super) fn max_fee_rate(arguments: &Arguments) -> Result<Option<FeeRate>, RpcError> {
    let rate: Amount = arguments.get("maxfeerate")?;
    if rate >= Amount::ONE_BTC {
        return Err(RpcError::invalid_parameter("Fee rates larger than or equal to 1BTC/kvB are not accepted"));
    }
    let rate = i64::try_from(rate.to_sat()).unwrap_or(i64::MAX);
    Ok((rate > 0).then_some(FeeRate::per_kvb(rate)))
}

/// The most a transaction may pay, in satoshis, by its size without regard to signature operations.
pub(super) fn max_fee(tx: TransactionRef<'_>, rate: Option<FeeRate>) -> Option<i64> {
    let virtual_size = tx.weight().div_ceil(WITNESS_SCALE_FACTOR);
    rate.map(|rate| rate.fee_for(u64::try_from(virtual_size).unwrap_or(u64::MAX)))
}

/// Fails when an output that nobody can spend holds more than the limit.
pub(super) fn check_burn(tx: TransactionRef<'_>, limit: Amount) -> Result<(), RpcError> {
    let burns = |script: &[u8]| is_unspendable(script) || !has_valid_ops(script);
    let limit = i64::try_from(limit.to_sat()).unwrap_or(i64::MAX);
    if tx.outputs().any(|output| output.value() > limit && burns(output.script_pubkey().as_bytes())) {
        let message = "Unspendable output exceeds maximum configured by user (maxburnamount)";
        return Err(RpcError::new(RpcErrorCode::VerifyError, message));
    }
    Ok(())
}
