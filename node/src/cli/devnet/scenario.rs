//! `cairn devnet test`: a scenario on a devnet of its own.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::place::Place;
use super::up::cancel_on_hangup;
use crate::cli::Answer;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::run::cancel_on_signal;
use crate::config::Settings;
use crate::devnet::{Scenario, ScenarioRun, StepOutcome, Supervisor, SupervisorOptions, show_duration};

/// Seed of a scenario that has none: it is the same each time.
const SEED: u64 = 1;

/// Play a scenario on a devnet of its own, and check what it expects: exit code 0 if all of it is so.
///
/// A scenario is a TOML file: a table 'devnet' with what 'devnet up -f' takes, and tables 'step' that do what the commands of
/// 'devnet' do, call nodes (do = "rpc") or expect something (do = "expect").
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn devnet test scenario.toml\n\nA scenario:\n  \
    [devnet]\n  block_time = \"off\"\n\n  \
    [[step]]\n  do = \"partition\"\n  groups = [[\"alice\", \"bob\"], [\"carol\", \"dave\"]]\n\n  \
    [[step]]\n  do = \"mine\"\n  blocks = 2\n  node = \"alice\"\n\n  \
    [[step]]\n  do = \"expect\"\n  tips = 2\n\n  \
    [[step]]\n  do = \"heal\"\n\n  \
    [[step]]\n  do = \"expect\"\n  height = 142\n  agree = true\n  within = \"10s\"")]
pub(super) struct TestArgs {
    /// The scenario.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Runs `cairn devnet test`.
pub(super) fn run(args: &TestArgs, settings: &Settings) -> Answer {
    let scenario = Scenario::read(&args.file).map_err(|error| Failure::Usage(error.to_string()))?;
    let plan = scenario.devnet.plan(SEED).map_err(|error| Failure::Usage(error.to_string()))?;
    let (notices, _unheard) = mpsc::channel(1);
    let name = args.place.name.clone();
    let options = SupervisorOptions {
        devnets: args.place.devnets(settings)?,
        name,
        plan,
        is_described: true,
        prometheus: None,
        notices,
    };
    let _interruption = Interruption::watch()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(play(scenario, options))
}

async fn play(scenario: Scenario, options: SupervisorOptions) -> Answer {
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone())?);
    tokio::spawn(cancel_on_hangup(shutdown.clone())?);
    let started = Instant::now();
    let interrupted = || Failure::Interrupted { outcome: "the scenario did not come to its end".to_owned() };
    let supervisor = tokio::select! {
        supervisor = Supervisor::start(options) => supervisor?,
        () = shutdown.cancelled() => return Err(interrupted().into()),
    };
    say(&format!("{} nodes ready in {:.1} s", supervisor.plan().nodes.len(), started.elapsed().as_secs_f64()));
    let mut run = ScenarioRun::new(scenario, supervisor.attachment().clone());
    let ended = shutdown.clone();
    let steps = async move {
        let mut count = 0;
        while let Some(outcome) = run.step().await {
            say(&text(&outcome));
            if outcome.result.is_err() {
                return Err(outcome.line);
            }
            count += 1;
        }
        Ok(count)
    };
    let (_, outcome) = tokio::join!(supervisor.run(ended), async {
        let outcome = tokio::select! {
            outcome = steps => Some(outcome),
            () = shutdown.cancelled() => None,
        };
        shutdown.cancel();
        outcome
    });
    match outcome {
        Some(Ok(count)) => Ok(format!("all {count} steps passed\n")),
        Some(Err(line)) => Err(format!("the step in line {line} failed").into()),
        None => Err(interrupted().into()),
    }
}

fn text(outcome: &StepOutcome) -> String {
    let (mark, said) = match &outcome.result {
        Ok(said) => ("✓", said),
        Err(problem) => ("✗", problem),
    };
    let said = said.replace('\n', "\n    ");
    let took = show_duration(std::time::Duration::from_millis(u64::try_from(outcome.took.as_millis()).unwrap_or(0)));
    format!("{mark} line {} {} ({took}): {said}", outcome.line, outcome.what)
}

/// A line on standard error. If that is closed, nobody wants to know.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
