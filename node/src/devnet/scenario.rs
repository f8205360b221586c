//! Scenarios: steps that drive a devnet, and what must be so after them. `cairn devnet test FILE` runs one.
//!
//! ```toml
//! [devnet]                        # as in a file for `devnet up -f`
//! block_time = "off"
//!
//! [[step]]
//! do = "faucet"                   # everything that can be asked of a devnet, by the same names
//! to = "@erin"
//! amount = "1btc"
//! save = "payment"                # its transaction's id, for later steps: "$payment"
//!
//! [[step]]
//! do = "partition"
//! groups = [["alice", "bob"], ["carol", "dave"]]
//!
//! [[step]]
//! do = "expect"                   # within ten seconds, or within = "30s"
//! tips = 1                        # also: height, agree, and with a node: peers, mempool
//!
//! [[step]]
//! do = "rpc"                      # a method of a node, and what it must answer
//! node = "bob"
//! method = "getrawtransaction"
//! params = ["$payment", 1]
//! expect = { confirmations = 1 }  # of an object, the members that are named
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `step` | what a step is, and how it is read |
//! | `expectation` | what must be so |
//! | `run` | the steps, one after the other |

mod expectation;
mod run;
mod step;

use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::DevnetError;
use super::plan_file::{PlanFile, read_text};
pub(crate) use run::{ScenarioRun, StepOutcome};
use step::Step;

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scenario {
    /// What it is played on.
    pub(crate) devnet: PlanFile,
    /// The steps, with the lines on which they begin.
    steps: Vec<(usize, Step)>,
}

/// A scenario as it stands in its file: what is wrong with a step must be found in the text, which a step does not know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    #[serde(default)]
    devnet: PlanFile,
    #[serde(rename = "step")]
    steps: Vec<Spanned<Table>>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or what is wrong with it and where.
    pub(crate) fn read(path: &Path) -> Result<Self, DevnetError> {
        Self::parse(&read_text(path)?)
            .map_err(|problem| DevnetError::Plan(format!("{}: {}", path.display(), problem.trim_end())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let ScenarioFile { devnet, steps } = toml::from_str(text).map_err(|error| error.to_string())?;
        let read = |(index, spanned): (usize, Spanned<Table>)| {
            let start = spanned.span().start;
            let step = Step::try_from(spanned.into_inner()).map_err(|problem| {
                let offset = offset_of(text, index, &problem).unwrap_or(start);
                format!("line {}: {problem}", line_of(text, offset))
            })?;
            Ok((line_of(text, start), step))
        };
        let steps = steps.into_iter().enumerate().map(read).collect::<Result<_, String>>()?;
        Ok(Self { devnet, steps })
    }
}

/// Where in a text the key or the value of a step stands that a problem is about: the first that it names in backticks, as serde does.
fn offset_of(text: &str, step: usize, problem: &str) -> Option<usize> {
    let named = problem.split('`').nth(1)?;
    let table = DeTable::parse(text).ok()?;
    let steps = table.get_ref().get("step")?.get_ref().as_array()?;
    find(steps.get(step)?.get_ref(), named)
}

fn find(value: &DeValue<'_>, named: &str) -> Option<usize> {
    let table = value.as_table()?;
    let of_entry =
        table.iter().filter(|(key, value)| key.get_ref() == named || value.get_ref().as_str() == Some(named));
    let here = of_entry.map(|(key, _)| key.span().start).min();
    here.or_else(|| table.iter().find_map(|(_, value)| find(value.get_ref(), named)))
}

/// The line that the byte at `offset` is on, from 1 on.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, String> {
        Scenario::parse(text)
    }

    #[test]
    fn steps_are_requests_calls_and_expectations() {
        let scenario = parse(
            "[devnet]\nnodes = 2\n[[step]]\ndo = 'mine'\nblocks = 3\n[[step]]\ndo = 'expect'\nheight = 143\nwithin = '5s'\n\
             [[step]]\ndo = 'rpc'\nnode = 'bob'\nmethod = 'getblockcount'\nexpect = 143\n",
        )
        .unwrap();
        assert_eq!((scenario.devnet.nodes, scenario.steps.len()), (Some(2), 3));
    }

    #[test]
    fn what_cannot_be_is_said_with_its_line() {
        for (text, problem) in [
            ("[[step]]\nblocks = 3", "do = "),
            ("[[step]]\ndo = 'dance'", "unknown variant `dance`"),
            ("[[step]]\ndo = 'mine'\nblock = 3", "unknown field `block`"),
            ("[[step]]\ndo = 'expect'\nheigth = 3", "unknown field `heigth`"),
            ("[[step]]\ndo = 'expect'\nwithin = '3s'", "expects nothing"),
            ("[[step]]\ndo = 'mine'\nsave = 'x'", "a mined block has no transaction to save"),
            ("[[steps]]\ndo = 'mine'", "unknown field `steps`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem) && error.contains("line "), "{text}: {error}");
        }
    }

    #[test]
    fn the_line_is_that_of_the_file() {
        let text = "[devnet]\nnodes = 2\n\n[[step]]\ndo = 'mine'\n\n[[step]]\ndo = 'heal'\n\n[[step]]\n";
        for (step, line) in [
            ("do = 'mine'\nnode = 'bob'\nblock = 3\n", 13),
            ("do = 'dance'\n", 11),
            ("do = 'mine'\nblocks = 'many'\n", 10),
            ("do = 'link'\nbetween = ['a', 'b']\nconditions = { latency = '1s', delay = '1s' }\n", 13),
            ("do = 'expect'\n\nheigth = 3\n", 13),
            ("do = 'wait'\ntime = 'soon'\n", 10),
        ] {
            let error = parse(&format!("{text}{step}\n[[step]]\ndo = 'heal'\n")).unwrap_err();
            assert!(error.starts_with(&format!("line {line}: ")), "{step}: {error}");
        }
        assert_eq!(parse(&format!("{text}do = 'heal'")).unwrap().steps[2].0, 10);
    }
}
