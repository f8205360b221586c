//! Counting verdicts, so that the test can tell whether it tested anything.

use std::collections::BTreeMap;

use cairn_chain::script::ScriptError;

use crate::spends::KINDS;

/// Verdicts both sides agree on.
#[derive(Default, Clone)]
pub(crate) struct Tally {
    /// Valid and invalid spends of each kind: as made, and after mutations.
    pub(crate) kinds: Vec<[[usize; 2]; 2]>,
    /// How often each rule was the one that was broken.
    errors: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { kinds: vec![[[0; 2]; 2]; KINDS.len()], errors: BTreeMap::new() }
    }

    pub(crate) fn count(&mut self, kind: usize, mutated: bool, verdict: Result<(), ScriptError>) {
        self.kinds[kind][usize::from(mutated)][usize::from(verdict.is_err())] += 1;
        if let Err(error) = verdict {
            *self.errors.entry(error.name()).or_default() += 1;
        }
    }

    pub(crate) fn add(mut self, other: &Self) -> Self {
        for (ours, theirs) in self.kinds.iter_mut().flatten().flatten().zip(other.kinds.iter().flatten().flatten()) {
            *ours += theirs;
        }
        for (name, count) in &other.errors {
            *self.errors.entry(name).or_default() += count;
        }
        self
    }

    /// Valid and invalid spends of a kind.
    pub(crate) fn verdicts(&self, kind: usize) -> [usize; 2] {
        let [made, mutated] = self.kinds[kind];
        [made[0] + mutated[0], made[1] + mutated[1]]
    }

    /// Errors that were never the first to be found, of those that consensus can give.
    pub(crate) fn missing_errors(&self) -> Vec<&'static str> {
        let names = ScriptError::ALL.iter().filter(|error| !is_policy(**error)).map(|error| error.name());
        names.filter(|name| !self.errors.contains_key(name)).collect()
    }

    pub(crate) fn print(&self) {
        println!("{:32} {:>9} {:>9}   {:>15} {:>15}", "kind", "valid", "invalid", "as made", "mutated");
        for (index, kind) in KINDS.iter().enumerate() {
            let [valid, invalid] = self.verdicts(index);
            let shares = self.kinds[index].map(|[valid, invalid]| 100 * valid / (valid + invalid).max(1));
            println!("{:32} {valid:9} {invalid:9}   {:9} % valid {:9} % valid", kind.name, shares[0], shares[1]);
        }
        println!("\nbroken rule, by how often it was the first:");
        for (name, count) in &self.errors {
            println!("{name:32} {count:9}");
        }
    }
}

/// Whether only policy flags give this error.
fn is_policy(error: ScriptError) -> bool {
    use ScriptError::*;
    matches!(
        error,
        SigHashType
            | MinimalData
            | SigHighS
            | PubkeyType
            | MinimalIf
            | SigNullFail
            | DiscourageUpgradableNops
            | DiscourageUpgradableWitnessProgram
            | DiscourageUpgradableTaprootVersion
            | DiscourageOpSuccess
            | DiscourageUpgradablePubkeyType
            | WitnessPubkeyType
            | OpCodeSeparator
            | SigFindAndDelete
    )
}
