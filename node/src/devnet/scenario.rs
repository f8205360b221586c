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

use super::DevnetError;
use super::plan_file::{PlanFile, read_text, wrong};
pub(crate) use run::{ScenarioRun, StepOutcome};
use step::Step;

/// A scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it is played on.
    #[serde(default)]
    pub(crate) devnet: PlanFile,
    /// The steps.
    #[serde(rename = "step")]
    steps: Vec<toml::Spanned<Step>>,
    /// The text that it was read from, by which steps have lines.
    #[serde(skip)]
    text: String,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or what is wrong with it and where.
    pub(crate) fn read(path: &Path) -> Result<Self, DevnetError> {
        Self::parse(read_text(path)?).map_err(|error| wrong(path, &error))
    }

    fn parse(text: String) -> Result<Self, toml::de::Error> {
        let mut scenario: Self = toml::from_str(&text)?;
        scenario.text = text;
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, String> {
        Scenario::parse(text.to_owned()).map_err(|error| error.to_string())
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
}
