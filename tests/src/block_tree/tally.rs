//! Counting what a comparison covered, so that it can be told whether anything was compared.

use std::collections::BTreeMap;
use std::fmt;

use super::lock::Kind;
use super::mutation;
use crate::block_judge::{Answer, Class, Failure, Judgement};

/// How often each thing occurred, by kind of thing and name.
#[derive(Debug, Clone, Default)]
pub struct Tally(BTreeMap<(&'static str, String), usize>);

impl Tally {
    pub(super) fn count(&mut self, kind: &'static str, name: &str) {
        *self.0.entry((kind, name.to_owned())).or_default() += 1;
    }

    pub(super) fn count_judgement(&mut self, judgement: &Judgement) {
        match &judgement.answer {
            Answer::Undecodable => self.count("answer", "Undecodable"),
            Answer::Rejected(failure) => {
                self.count("answer", "Rejected");
                self.count("class", &format!("{:?}", failure.class));
                self.count_reason(failure);
            }
            Answer::Known => self.count("answer", "Known"),
            Answer::Stored => self.count("answer", "Stored"),
        }
        if !judgement.failed.is_empty() {
            self.count("answer", "Stored, and a block failed to connect");
        }
        judgement.failed.iter().for_each(|(_, failure)| self.count_reason(failure));
    }

    fn count_reason(&mut self, failure: &Failure) {
        if let Some(reason) = &failure.reason {
            self.count("reason", reason);
        }
    }

    /// Adds what another comparison covered.
    pub fn add(&mut self, other: &Self) {
        for (thing, count) in &other.0 {
            *self.0.entry(thing.clone()).or_default() += count;
        }
    }

    /// What never occurred, of all that a tree of 2,000 blocks must cover.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        const REORGANIZATIONS: [&str; 5] = ["1 deep", "2 to 9 deep", "10 to 99 deep", "100 to 199 deep", "200 deep"];
        const ANSWERS: [&str; 5] =
            ["Undecodable", "Rejected", "Known", "Stored", "Stored, and a block failed to connect"];
        let kinds = || Kind::ALL.iter().map(|kind| kind.name().to_owned());
        let wanted = kinds()
            .map(|name| ("spend", name))
            .chain(kinds().map(|name| ("refusal", name)))
            .chain(mutation::all().into_iter().map(|mutation| ("mutation", mutation.name.to_owned())))
            .chain(Class::ALL.iter().map(|class| ("class", format!("{class:?}"))))
            .chain(REORGANIZATIONS.iter().map(|&name| ("reorganization", name.to_owned())))
            .chain(ANSWERS.iter().map(|&name| ("answer", name.to_owned())));
        let missing = wanted.filter(|thing| !self.0.contains_key(thing));
        missing.map(|(kind, name)| format!("{kind}: {name}")).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, name), count) in &self.0 {
            writeln!(formatter, "{kind:16} {name:60} {count:7}")?;
        }
        Ok(())
    }
}
