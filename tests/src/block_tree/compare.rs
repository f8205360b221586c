//! Feeds one tree to two nodes.

use super::generator::Generator;
use super::tally::Tally;
use crate::block_judge::BlockJudge;

/// Submissions that are enough to cover everything.
const ENOUGH: usize = 2_000;

/// Submits the same `blocks` blocks to two nodes, and returns what was covered.
///
/// After each, both must have given the same answer, found the same blocks invalid for the same kind of reason, and have the
/// same tip; and all of that must be what the generator expects.
///
/// # Panics
///
/// When they disagree; when they agree on something that the generator did not expect; when `blocks` are enough to cover
/// everything, and something was not.
pub fn compare(one: &mut dyn BlockJudge, other: &mut dyn BlockJudge, seed: u64, blocks: usize) -> Tally {
    let mut generator = Generator::new(seed);
    let mut tally = Tally::default();
    for number in 1..=blocks {
        let step = generator.next();
        let (ours, theirs) = (one.submit(&step.bytes), other.submit(&step.bytes));
        let tips = [one.tip(), other.tip()];
        let agree = ours.agrees_with(&theirs) && tips[0] == tips[1];
        let expected = ours.agrees_with(&step.expected) && theirs.agrees_with(&step.expected) && tips[0] == step.tip;
        assert!(
            agree && expected,
            "step {number}, {}: {}\none   {ours:?}, tip {}\nother {theirs:?}, tip {}\nmodel {:?}, tip {}\n\
             CAIRN_SEED={seed} CAIRN_SEEDS=1 CAIRN_BLOCKS={number}\n",
            step.name,
            if agree { "the two agree, but not with the model" } else { "the two disagree" },
            tips[0],
            tips[1],
            step.expected,
            step.tip,
        );
        tally.count_judgement(&ours);
        step.covers.iter().for_each(|(kind, name)| tally.count(kind, name));
    }
    if blocks >= ENOUGH {
        assert_eq!(tally.missing(), [""; 0], "not covered; CAIRN_SEED={seed} CAIRN_BLOCKS={blocks}");
    }
    tally
}
