use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, TxIn, Witness};

use super::*;

fn empty(lock_time: u32) -> Psbt {
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = TxOut { value: Amount::from_sat(5), script_pubkey: ScriptBuf::new() };
    let lock_time = LockTime::from_consensus(lock_time);
    let transaction = Transaction { version: Version::TWO, lock_time, input: vec![input], output: vec![output] };
    Psbt::from_unsigned_tx(transaction).unwrap()
}

#[test]
fn text_and_binary_are_read() {
    let psbt = empty(1);
    let text = show(&psbt);
    assert_eq!(read(text.as_bytes()).unwrap(), psbt);
    assert_eq!(read(format!("{}\n{}\n", &text[..10], &text[10..]).as_bytes()).unwrap(), psbt);
    assert_eq!(read(&psbt.serialize()).unwrap(), psbt);
    for bytes in [&b""[..], b"psbt", b"psbt\xff", b"cHNidA==", b"\xff\xfe", &psbt.serialize()[..20]] {
        assert!(matches!(read(bytes), Err(PsbtError::Malformed(_))));
    }
}

#[test]
fn different_transactions_are_not_combined() {
    assert!(combine([empty(1), empty(1)]).is_ok());
    assert!(matches!(combine([empty(1), empty(2)]), Err(PsbtError::Different(_))));
    assert!(matches!(combine([]), Err(PsbtError::Malformed(_))));
}

#[test]
fn what_is_spent_has_to_be_said() {
    let mut psbt = empty(1);
    assert!(matches!(fee(&psbt), Err(PsbtError::NoUtxo { index: 0 })));
    psbt.inputs[0].witness_utxo = Some(TxOut { value: Amount::from_sat(4), script_pubkey: ScriptBuf::new() });
    assert!(matches!(fee(&psbt), Err(PsbtError::NegativeFee)));
    psbt.inputs[0].witness_utxo = Some(TxOut { value: Amount::from_sat(9), script_pubkey: ScriptBuf::new() });
    assert_eq!(fee(&psbt).unwrap(), Amount::from_sat(4));
    assert!(matches!(extract(psbt), Err(PsbtError::Incomplete(_))));
}
