//! Script verification against Bitcoin Core's, on random spends.
//!
//! Every case is a spend of one of the kinds in `spends`, half of them changed by `mutate`, verified by
//! [`verify_input`](cairn_chain::script::verify_input) and by Core 26 as a library (`bitcoinconsensus`) under the same
//! flags. Both must call it valid, or both invalid; Core's library gives no reasons, so reasons are not compared. Spends
//! are signed over our signature hashes, so a valid one shows that those are Core's too.
//!
//! | variable | means | default |
//! |---|---|---|
//! | `CAIRN_SEED` | seed of all cases | fixed |
//! | `CAIRN_CASES` | how many cases | 3000 |
//! | `CAIRN_FIRST` | number of the first: a case is made from the seed and its number alone | 0 |
//! | `CAIRN_CORPUS` | folder to write the cases to, as inputs of the fuzz target `verify_script` | none |
//!
//! A long run: `CAIRN_CASES=200000 cargo test --release -p cairn-chain --test differential -- --nocapture`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "a test prints what it did")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the numbers here are small or random"
)]

mod corpus;
mod keys;
mod lock;
mod mutate;
mod oracle;
mod rng;
mod script;
mod spend;
mod spends;
mod tally;

use std::env;
use std::fmt::Write;
use std::path::Path;

use bitcoin::hex::DisplayHex;
use rayon::prelude::*;

use oracle::Verdicts;
use rng::Rng;
use spend::Spend;
use spends::KINDS;
use tally::Tally;

const DEFAULT_SEED: u64 = 21_000_000;
/// Enough for every kind to reach both verdicts and, with the default seed, for every rule to be broken.
const DEFAULT_CASES: u64 = 3000;
/// Disagreements that are printed in full.
const PRINTED: usize = 5;

#[test]
fn verdicts_are_cores() {
    let number = |name: &str, default: u64| {
        env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
    };
    let seed = number("CAIRN_SEED", DEFAULT_SEED);
    let first = number("CAIRN_FIRST", 0);
    let cases = number("CAIRN_CASES", DEFAULT_CASES);

    let corpus = env::var_os("CAIRN_CORPUS");
    let (tally, disagreements) = (first..first + cases)
        .into_par_iter()
        .fold(
            || (Tally::new(), Vec::new()),
            |(mut tally, mut disagreements), case| {
                let (spend, mutated) = make(seed, case);
                if let Some(folder) = &corpus {
                    corpus::write(Path::new(folder), case, &spend);
                }
                let verdicts = Verdicts::of(&spend);
                match verdicts.ours {
                    Some(ours) if verdicts.agree() => tally.count(kind_of(case), mutated, ours),
                    _ => disagreements.push(describe(seed, case, &spend, &verdicts)),
                }
                (tally, disagreements)
            },
        )
        .reduce(|| (Tally::new(), Vec::new()), |(tally, a), (other, b)| (tally.add(&other), [a, b].concat()));

    println!("seed {seed}, {cases} cases from {first}, {} disagreements", disagreements.len());
    tally.print();
    assert!(disagreements.is_empty(), "{}", disagreements[..disagreements.len().min(PRINTED)].join("\n"));
    if cases >= DEFAULT_CASES {
        require_mix(&tally);
    }
    // Some rules are broken in one case of a thousand, so that a short run with another seed may miss them.
    if cases >= DEFAULT_CASES && seed == DEFAULT_SEED || cases >= 10 * DEFAULT_CASES {
        assert_eq!(tally.missing_errors(), [""; 0], "rules that no case broke");
    }
}

fn kind_of(case: u64) -> usize {
    (case % KINDS.len() as u64) as usize
}

/// The spend of a case, and whether it was changed after it was made.
fn make(seed: u64, case: u64) -> (Spend, bool) {
    let mut rng = Rng::of_case(seed, case);
    let mut spend = Spend::random(&mut rng);
    (KINDS[kind_of(case)].make)(&mut rng, &mut spend);
    let mutated = rng.chance(50);
    if mutated {
        mutate::mutate(&mut rng, &mut spend);
    }
    (spend, mutated)
}

/// All there is to know about a case on which the two do not agree.
fn describe(seed: u64, case: u64, spend: &Spend, verdicts: &Verdicts) -> String {
    let ours = verdicts.ours.map_or("PANIC", |ours| ours.err().map_or("valid", |error| error.name()));
    let mut text = format!(
        "case {case} ({}): ours {ours}, Core's {:?}\nCAIRN_SEED={seed} CAIRN_FIRST={case} CAIRN_CASES=1\n{:?}\n",
        KINDS[kind_of(case)].name,
        verdicts.core,
        spend.flags
    );
    writeln!(text, "input {} of {}", spend.index, spend.serialize().as_hex()).unwrap();
    for input in &spend.inputs {
        writeln!(text, "spends {} {}", input.spent.value, input.spent.script_pubkey.as_hex()).unwrap();
    }
    text
}

/// A test that cannot fail is none: valid spends show that the rules permit, invalid ones that they forbid.
fn require_mix(tally: &Tally) {
    let [mut valid, mut total] = [0; 2];
    for (index, kind) in KINDS.iter().enumerate() {
        let verdicts = tally.verdicts(index);
        assert!(verdicts.iter().all(|&count| count > 0), "{}: {verdicts:?} valid and invalid", kind.name);
        valid += verdicts[0];
        total += verdicts.iter().sum::<usize>();
    }
    let percent = 100 * valid / total;
    assert!((40..=80).contains(&percent), "{percent} % are valid");
}
