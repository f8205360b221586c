//! Verifying one input, against the bare calls to libsecp256k1 that it needs and against Core's verification.
//!
//! Ours starts from a decoded transaction, with no hash computed and no signature cached. The bare calls parse keys and
//! signatures and verify them over a hash that is already there; for a tapscript they tweak the internal key too. Core is
//! `bitcoinconsensus`, which decodes the transaction in the same call. The three alternate, so that a change of the
//! machine's speed hits all; ratios are medians over rounds. `CAIRN_BENCH_QUICK=1` makes the rounds short.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "what is verified here was made here")]

mod inputs;

use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{PrecomputedTransactionData, ScriptVerifyFlags, TransactionSignatureChecker, verify_script};
use inputs::{BareCalls, Case};
use secp256k1::{Message, PublicKey, Scalar, Secp256k1, VerifyOnly, XOnlyPublicKey, ecdsa, schnorr};

/// Many and short, for machines whose speed changes all the time; odd, so that there is a median.
const ROUNDS: usize = 151;

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let round = Duration::from_millis(if quick { 1 } else { 8 });
    println!("{:24} {:>10} {:>10} {:>10} {:>12} {:>12}", "", "ours", "bare", "Core's", "ours/bare", "ours/Core's");
    for case in inputs::all() {
        report(&case, round);
    }
}

fn report(case: &Case, round: Duration) {
    let secp = Secp256k1::verification_only();
    let bytes = bitcoin::consensus::serialize(&case.transaction);
    let transaction = Transaction::decode(bytes.clone()).unwrap();
    let coins = [Coin {
        amount: case.spent.value,
        script_pubkey: case.spent.script_pubkey.as_script().into(),
        height: 0,
        is_coinbase: false,
    }];

    let mut ours = || verify_ours(&transaction, &coins);
    let mut bare = || verify_bare(&secp, &case.bare);
    let mut cores = || verify_cores(&bytes, &coins[0]);
    let repetitions = u32::try_from(round.as_nanos() / time_of(100, &mut ours).as_nanos()).unwrap().max(1);
    let (mut times, mut to_bare, mut to_cores) = ([const { Vec::new() }; 3], Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let our_time = time_of(repetitions, &mut ours).as_secs_f64() * 1e6;
        let bare_time = time_of(repetitions, &mut bare).as_secs_f64() * 1e6;
        let cores_time = time_of(repetitions, &mut cores).as_secs_f64() * 1e6;
        to_bare.push(our_time / bare_time);
        to_cores.push(our_time / cores_time);
        for (times, time) in times.iter_mut().zip([our_time, bare_time, cores_time]) {
            times.push(time);
        }
    }
    let [ours, bare, cores] = times.map(median);
    let (to_bare, to_cores) = (median(to_bare), median(to_cores));
    println!("{:24} {ours:7.2} µs {bare:7.2} µs {cores:7.2} µs {to_bare:12.3} {to_cores:12.3}", case.name);
}

/// Time of one call, from many.
fn time_of(repetitions: u32, call: &mut impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..repetitions {
        assert!(black_box(call()), "a bench that verifies nothing");
    }
    start.elapsed() / repetitions
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn verify_ours(transaction: &Transaction, coins: &[Coin]) -> bool {
    let data = PrecomputedTransactionData::new(black_box(transaction).as_ref(), coins);
    let input = data.transaction().input(0).unwrap();
    let mut checker = TransactionSignatureChecker::new(&data, 0);
    let script_pubkey = coins[0].script_pubkey.as_script();
    verify_script(input.script_sig(), script_pubkey, input.witness(), ScriptVerifyFlags::MANDATORY, &mut checker)
        .is_ok()
}

fn verify_cores(bytes: &[u8], coin: &Coin) -> bool {
    let script = coin.script_pubkey.as_bytes();
    let spent = [Utxo {
        script_pubkey: script.as_ptr(),
        script_pubkey_len: u32::try_from(script.len()).unwrap(),
        value: coin.amount.to_sat().cast_signed(),
    }];
    let flags = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;
    bitcoinconsensus::verify_with_flags(script, coin.amount.to_sat(), black_box(bytes), Some(&spent), 0, flags).is_ok()
}

/// The calls to libsecp256k1, in the order and with the results of the verification.
fn verify_bare(secp: &Secp256k1<VerifyOnly>, calls: &BareCalls) -> bool {
    match black_box(calls) {
        BareCalls::Ecdsa(checks) => checks.iter().all(|check| {
            let key = PublicKey::from_slice(&check.key).unwrap();
            let mut signature = ecdsa::Signature::from_der_lax(&check.signature).unwrap();
            signature.normalize_s();
            let message = Message::from_digest(check.sighash);
            secp.verify_ecdsa(&message, &signature, &key).is_ok() == check.is_good
        }),
        BareCalls::Schnorr { key, signature, sighash, commitment } => {
            let committed = commitment.as_ref().is_none_or(|(internal_key, tweak, output_key)| {
                let internal_key = XOnlyPublicKey::from_slice(internal_key).unwrap();
                let (tweaked, _) = internal_key.add_tweak(secp, &Scalar::from_be_bytes(*tweak).unwrap()).unwrap();
                tweaked.serialize() == *output_key
            });
            let key = XOnlyPublicKey::from_slice(key).unwrap();
            let signature = schnorr::Signature::from_slice(signature).unwrap();
            committed && secp.verify_schnorr(&signature, &Message::from_digest(*sighash), &key).is_ok()
        }
    }
}
