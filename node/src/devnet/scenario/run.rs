//! The steps, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Scenario;
use super::expectation::{Expectation, difference};
use super::step::{Action, RpcStep, Step};
use crate::devnet::node_rpc::NodeRpc;
use crate::devnet::{Attachment, Outcome, Request, Status, ask};

/// Time between two looks at whether something is so.
const INTERVAL: Duration = Duration::from_millis(50);

/// A scenario on its way.
#[derive(Debug)]
pub(crate) struct ScenarioRun {
    scenario: Scenario,
    devnet: Attachment,
    next: usize,
    saved: BTreeMap<String, String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepOutcome {
    /// Where it stands in the file.
    pub(crate) line: usize,
    /// What was done, such as "mine".
    pub(crate) what: String,
    /// What came of it, or why it failed.
    pub(crate) result: Result<String, String>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl ScenarioRun {
    /// A scenario that is played on a devnet that runs.
    pub(crate) fn new(scenario: Scenario, devnet: Attachment) -> Self {
        Self { scenario, devnet, next: 0, saved: BTreeMap::new() }
    }

    /// Does the next step; nothing if there is none.
    pub(crate) async fn step(&mut self) -> Option<StepOutcome> {
        let (line, step) = self.scenario.steps.get(self.next)?.clone();
        self.next += 1;
        let start = Instant::now();
        let result = self.perform(&step).await;
        Some(StepOutcome { line, what: step.what, result, took: start.elapsed() })
    }

    async fn perform(&mut self, step: &Step) -> Result<String, String> {
        match step.action(Some(&self.saved))? {
            Action::Ask(request) => {
                let outcome = ask(&self.devnet, &request).await.map_err(|error| error.to_string())?;
                if let (Some(name), Outcome::Paid { txid, .. }) = (&step.save, &outcome) {
                    self.saved.insert(name.clone(), txid.clone());
                }
                Ok(outcome.to_string())
            }
            Action::Call(call) => self.call(&call).await,
            Action::Expect(expectation) => self.expect(&expectation).await,
            Action::Wait(time) => {
                sleep(time).await;
                Ok(String::new())
            }
        }
    }

    async fn call(&self, step: &RpcStep) -> Result<String, String> {
        // A node may have been added since.
        let devnet = Attachment::read_live(self.devnet.path()).ok_or("the devnet has ended")?;
        let node = devnet.node(&step.node).map_err(|error| error.to_string())?;
        let cookie =
            std::fs::read_to_string(&node.cookie).map_err(|error| format!("{} does not run: {error}", node.name))?;
        let rpc = NodeRpc::new(&node.name, node.rpc, &cookie);
        let got: serde_json::Value =
            rpc.call(&step.method, json!(step.params)).await.map_err(|error| error.to_string())?;
        match step.expect.as_ref().and_then(|expected| difference(expected, &got)) {
            Some(difference) => Err(format!("{}: {difference}", step.method)),
            None => Ok(step.method.clone()),
        }
    }

    async fn expect(&self, expectation: &Expectation) -> Result<String, String> {
        let deadline = Instant::now() + expectation.limit()?;
        loop {
            let status = self.status().await?;
            match expectation.unmet(&status) {
                None => return Ok("it is so".to_owned()),
                Some(unmet) if Instant::now() >= deadline => return Err(format!("{unmet}\n{status}")),
                Some(_) => sleep(INTERVAL).await,
            }
        }
    }

    async fn status(&self) -> Result<Status, String> {
        match ask(&self.devnet, &Request::Status).await {
            Ok(Outcome::Status(status)) => Ok(status),
            Ok(other) => Err(format!("expected the status, got {other}")),
            Err(error) => Err(error.to_string()),
        }
    }
}
