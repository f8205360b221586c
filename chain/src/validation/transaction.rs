//! Rules that need only the transaction.

use super::{MAX_BLOCK_WEIGHT, MAX_MONEY, TransactionError};
use crate::primitives::{TransactionRef, WITNESS_SCALE_FACTOR};

/// Checks a transaction on its own (Core: `CheckTransaction`, `consensus/tx_check.cpp`).
///
/// Afterwards each output, and all of them together, are worth 0 to [`MAX_MONEY`] satoshis.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
pub fn check_transaction(tx: TransactionRef<'_>) -> Result<(), TransactionError> {
    if tx.input_count() == 0 {
        return Err(TransactionError::NoInputs);
    }
    if tx.outputs().len() == 0 {
        return Err(TransactionError::NoOutputs);
    }
    // Without the witness, which is not yet known to be what the sender meant.
    if tx.stripped_size() * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT {
        return Err(TransactionError::Oversize { got: tx.stripped_size() });
    }
    check_outputs(tx)?;
    check_duplicate_inputs(tx)?;
    if tx.is_coinbase() {
        let got = tx.inputs().map(|input| input.script_sig().len()).sum();
        if !(2..=100).contains(&got) {
            return Err(TransactionError::CoinbaseScriptLength { got });
        }
    } else if let Some(index) = tx.inputs().position(|input| input.prevout().is_null()) {
        return Err(TransactionError::NullPrevout { index });
    }
    Ok(())
}

fn check_outputs(tx: TransactionRef<'_>) -> Result<(), TransactionError> {
    let mut total = 0;
    for (index, output) in tx.outputs().enumerate() {
        let got = output.value();
        if got < 0 {
            return Err(TransactionError::NegativeOutput { index, got });
        }
        if got > MAX_MONEY {
            return Err(TransactionError::OutputTooLarge { index, got });
        }
        // Both are at most MAX_MONEY, so their sum fits.
        total += got;
        if total > MAX_MONEY {
            return Err(TransactionError::OutputTotalTooLarge { got: total });
        }
    }
    Ok(())
}

fn check_duplicate_inputs(tx: TransactionRef<'_>) -> Result<(), TransactionError> {
    // Most transactions have few inputs, where comparing each with each is fastest and needs no memory.
    const FEW: usize = 8;
    let duplicate = if tx.input_count() <= FEW {
        tx.inputs()
            .enumerate()
            .find(|(index, input)| {
                tx.inputs().take(*index).any(|earlier| earlier.prevout_bytes() == input.prevout_bytes())
            })
            .map(|(_, input)| input.prevout())
    } else {
        let mut inputs: Vec<_> = tx.inputs().collect();
        inputs.sort_unstable_by_key(|input| input.prevout_bytes());
        inputs.windows(2).find(|pair| pair[0].prevout_bytes() == pair[1].prevout_bytes()).map(|pair| pair[0].prevout())
    };
    duplicate.map_or(Ok(()), |outpoint| Err(TransactionError::DuplicateInputs { outpoint }))
}

/// The sum of the outputs of a checked transaction, in satoshis.
pub(super) fn value_out(tx: TransactionRef<'_>) -> i64 {
    tx.outputs().map(|output| output.value()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::Transaction;
    use bitcoin::absolute::LockTime;
    use bitcoin::hashes::Hash;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, OutPoint, ScriptBuf, TxIn, TxOut, consensus::encode};

    fn outpoint(index: u32) -> OutPoint {
        OutPoint { txid: bitcoin::Txid::from_byte_array([3; 32]), vout: index }
    }

    fn transaction(prevouts: &[OutPoint], values: &[i64]) -> bitcoin::Transaction {
        bitcoin::Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: prevouts.iter().map(|&previous_output| TxIn { previous_output, ..TxIn::default() }).collect(),
            output: values
                .iter()
                .map(|&value| TxOut { value: Amount::from_sat(value.cast_unsigned()), script_pubkey: ScriptBuf::new() })
                .collect(),
        }
    }

    fn check(tx: &bitcoin::Transaction) -> Result<(), &'static str> {
        let decoded = Transaction::decode(encode::serialize(tx)).unwrap();
        check_transaction(decoded.as_ref()).map_err(|error| error.reject_reason())
    }

    #[test]
    fn values() {
        let with = |values: &[i64]| check(&transaction(&[outpoint(0)], values));
        assert_eq!(with(&[0, MAX_MONEY]), Ok(()));
        assert_eq!(with(&[]), Err("bad-txns-vout-empty"));
        assert_eq!(with(&[-1]), Err("bad-txns-vout-negative"));
        assert_eq!(with(&[MAX_MONEY + 1]), Err("bad-txns-vout-toolarge"));
        assert_eq!(with(&[MAX_MONEY, 1]), Err("bad-txns-txouttotal-toolarge"));
        assert_eq!(with(&[i64::MAX, i64::MAX]), Err("bad-txns-vout-toolarge"));
        assert_eq!(with(&[1, i64::MIN]), Err("bad-txns-vout-negative"));
    }

    #[test]
    fn inputs_differ_however_many_there_are() {
        for count in [2, 8, 9, 40] {
            let mut prevouts: Vec<_> = (0..count).map(outpoint).collect();
            assert_eq!(check(&transaction(&prevouts, &[1])), Ok(()));
            let last = prevouts.len() - 1;
            prevouts[last] = prevouts[0];
            assert_eq!(check(&transaction(&prevouts, &[1])), Err("bad-txns-inputs-duplicate"), "{count}");
        }
    }

    #[test]
    fn only_a_coinbase_spends_nothing() {
        let mut coinbase = transaction(&[OutPoint::null()], &[1]);
        for (length, expected) in [(1, Err("bad-cb-length")), (2, Ok(())), (100, Ok(())), (101, Err("bad-cb-length"))] {
            coinbase.input[0].script_sig = ScriptBuf::from(vec![0; length]);
            assert_eq!(check(&coinbase), expected, "{length}");
        }
        assert_eq!(check(&transaction(&[outpoint(0), OutPoint::null()], &[1])), Err("bad-txns-prevout-null"));
    }

    #[test]
    fn the_witness_does_not_count_as_size() {
        let mut tx = transaction(&[outpoint(0)], &[1]);
        tx.output[0].script_pubkey = ScriptBuf::from(vec![0; 999_936]);
        assert_eq!(tx.base_size(), 1_000_000);
        tx.input[0].witness.push([0; 1000]);
        assert_eq!(check(&tx), Ok(()));
        tx.output[0].script_pubkey = ScriptBuf::from(vec![0; 999_937]);
        assert_eq!(check(&tx), Err("bad-txns-oversize"));
    }
}
