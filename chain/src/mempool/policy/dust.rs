//! Outputs that cost more to spend than they hold.

use bitcoin::Script;

use crate::primitives::{OutputRef, TransactionRef, WITNESS_SCALE_FACTOR};
use crate::script::{is_unspendable, witness_program};
use crate::serialize::compact_size;

/// Size of an output's value, in bytes.
const VALUE_SIZE: usize = 8;
/// Size of an input without what satisfies the script: outpoint, length of the scriptSig, sequence. In bytes.
const INPUT_SIZE: usize = 32 + 4 + 1 + 4;
/// Size of a signature and a compressed public key with their lengths, the typical satisfaction, in bytes.
const SATISFACTION_SIZE: usize = 107;

/// The least an output must hold not to be dust, in satoshis: the fee, at `dust_relay_fee` satoshis per 1000 virtual bytes,
/// of the output and of a typical input that spends it (Core: `GetDustThreshold`, `policy/policy.cpp`).
///
/// Nothing is dust that can never be spent. For every witness program the typical input is that of P2WPKH, although a
/// taproot key path takes less.
#[must_use]
pub fn dust_threshold(script_pubkey: &Script, dust_relay_fee: u64) -> u64 {
    let script = script_pubkey.as_bytes();
    if is_unspendable(script) {
        return 0;
    }
    let output_size = VALUE_SIZE + compact_size(script.len()).1 + script.len();
    let satisfaction_size =
        if witness_program(script).is_some() { SATISFACTION_SIZE / WITNESS_SCALE_FACTOR } else { SATISFACTION_SIZE };
    fee(dust_relay_fee, output_size + INPUT_SIZE + satisfaction_size)
}

/// Whether an output holds less than its [`dust_threshold`] (Core: `IsDust`, `policy/policy.cpp`).
#[must_use]
pub fn is_dust(output: OutputRef<'_>, dust_relay_fee: u64) -> bool {
    u64::try_from(output.value()).map_or(true, |value| value < dust_threshold(output.script_pubkey(), dust_relay_fee))
}

/// The indexes of the outputs that are dust, ascending (Core: `GetDust`, `policy/policy.cpp`).
pub fn dust_outputs(tx: TransactionRef<'_>, dust_relay_fee: u64) -> impl Iterator<Item = usize> {
    tx.outputs().enumerate().filter(move |(_, output)| is_dust(*output, dust_relay_fee)).map(|(index, _)| index)
}

/// The fee of `size` virtual bytes at `rate` satoshis per 1000, rounded up (Core: `CFeeRate::GetFee`,
/// `policy/feerate.cpp`).
fn fee(rate: u64, size: usize) -> u64 {
    let size = u128::try_from(size).expect("no usize has more than 128 bits");
    u64::try_from((u128::from(rate) * size).div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::DUST_RELAY_TX_FEE;
    use super::super::fixtures::{self, input, transaction};
    use super::*;

    fn threshold(script: &[u8], rate: u64) -> u64 {
        dust_threshold(Script::from_bytes(script), rate)
    }

    #[test]
    fn thresholds_are_those_wallets_know() {
        for (script, expected) in [
            (fixtures::p2pkh(), 546),
            (fixtures::p2sh(&[]), 540),
            (fixtures::p2wpkh(), 294),
            (fixtures::p2wsh(), 330),
            (fixtures::p2tr(), 330),
            (fixtures::anchor(), 240),
            (fixtures::p2pk(33), 576),
            (fixtures::p2pk(65), 672),
            (vec![0x6a, 1, 1], 0),
            (vec![0x51; 10_001], 0),
            (vec![0x51; 10_000], 3 * (8 + 3 + 10_000 + 148)),
        ] {
            assert_eq!(threshold(&script, DUST_RELAY_TX_FEE), expected, "{script:?}");
        }
    }

    #[test]
    fn fees_are_rounded_up() {
        for (rate, expected) in [(0, 0), (1, 1), (1000, 182), (1001, 183), (1005, 183), (1006, 184), (3702, 674)] {
            assert_eq!(threshold(&fixtures::p2pkh(), rate), expected, "{rate}");
        }
        assert_eq!(threshold(&vec![0; 9_000], u64::MAX), u64::MAX);
    }

    #[test]
    fn dust_is_what_lies_below() {
        let outputs = [
            (546, fixtures::p2pkh()),
            (545, fixtures::p2pkh()),
            (0, vec![0x6a]),
            (0, fixtures::anchor()),
            (239, fixtures::anchor()),
            (240, fixtures::anchor()),
            (i64::MIN, fixtures::p2pkh()),
        ];
        let tx = transaction(2, &[input(1, 0)], &outputs);
        assert_eq!(dust_outputs(tx.as_ref(), DUST_RELAY_TX_FEE).collect::<Vec<_>>(), [1, 3, 4, 6]);
        assert_eq!(dust_outputs(tx.as_ref(), 0).collect::<Vec<_>>(), [6]);
        assert!(!is_dust(tx.as_ref().output(2).unwrap(), u64::MAX), "never spent, never dust");
    }
}
