//! How far a long command has come: a bar on a terminal, elsewhere a line every ten seconds.

mod smoothed_rate;

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, HumanDuration, ProgressBar, ProgressFinish, ProgressStyle};

use super::interruption::Interruption;
use smoothed_rate::SmoothedRate;

/// Time between two status lines.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Time between two looks at how far it is.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What a command counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    Bytes,
    /// Things, by their plural.
    Things(&'static str),
}

/// How far a command is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    pub(super) done: u64,
    /// Nothing while nobody knows.
    pub(super) total: Option<u64>,
    pub(super) height: Option<u32>,
    pub(super) transactions: Option<u64>,
}

/// Shows on standard error how far a command is, and tells the command when to stop.
#[derive(Debug)]
pub(super) struct Progress {
    /// What is done, such as "importing".
    activity: &'static str,
    unit: Unit,
    interruption: Interruption,
    display: Display,
    next_look: Instant,
    speed: SmoothedRate,
    transaction_speed: SmoothedRate,
    is_stopping: bool,
}

#[derive(Debug)]
enum Display {
    Bar(ProgressBar),
    Lines { next: Instant },
}

impl Progress {
    pub(super) fn new(activity: &'static str, unit: Unit, interruption: Interruption) -> Self {
        let now = Instant::now();
        let display = if io::stderr().is_terminal() {
            Display::Bar(ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear))
        } else {
            Display::Lines { next: now + LINE_INTERVAL }
        };
        let (speed, transaction_speed) = (SmoothedRate::default(), SmoothedRate::default());
        Self { activity, unit, interruption, display, next_look: now, speed, transaction_speed, is_stopping: false }
    }

    /// Takes note of a position, shows it when it is time to, and says whether to go on.
    pub(super) fn report(&mut self, position: Position) -> ControlFlow<()> {
        if self.interruption.is_requested() {
            self.say_stopping();
            return ControlFlow::Break(());
        }
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + LOOK_INTERVAL;
            self.show(now, position);
        }
        ControlFlow::Continue(())
    }

    fn show(&mut self, now: Instant, position: Position) {
        self.speed.observe(now, position.done);
        if let Some(transactions) = position.transactions {
            self.transaction_speed.observe(now, transactions);
        }
        let text = self.text(position);
        match &mut self.display {
            Display::Bar(bar) => {
                if let (Some(total), None) = (position.total, bar.length()) {
                    bar.set_length(total);
                    bar.set_style(
                        ProgressStyle::with_template("{msg} {wide_bar}").expect("the template is well-formed"),
                    );
                }
                if let Some(total) = position.total {
                    bar.set_length(total);
                }
                bar.set_position(position.done);
                bar.set_message(text);
            }
            Display::Lines { next } if now >= *next => {
                *next = now + LINE_INTERVAL;
                say(&text);
            }
            Display::Lines { .. } => {}
        }
    }

    fn text(&self, position: Position) -> String {
        let mut parts = vec![match position.total {
            Some(total) => format!("{} of {}", self.unit.quantity(position.done), self.unit.quantity(total)),
            None => self.unit.quantity(position.done),
        }];
        if let Some(percent) = position.total.and_then(|total| position.done.saturating_mul(100).checked_div(total)) {
            parts.insert(0, format!("{percent}%"));
        }
        parts.extend(position.height.map(|height| format!("height {height}")));
        if position.transactions.is_some() {
            parts.extend(self.transaction_speed.per_second().map(|speed| format!("{speed:.0} tx/s")));
        }
        let rest = position.total.and_then(|total| self.speed.time_for(total.saturating_sub(position.done)));
        parts.extend(rest.map(|time| format!("ETA {:#}", HumanDuration(time))));
        format!("{}: {}", self.activity, parts.join(", "))
    }

    fn say_stopping(&mut self) {
        if !std::mem::replace(&mut self.is_stopping, true) {
            let text = "stopping cleanly; a second signal stops at once";
            match &self.display {
                Display::Bar(bar) => bar.set_message(text),
                Display::Lines { .. } => say(text),
            }
        }
    }
}

impl Unit {
    fn quantity(self, count: u64) -> String {
        match self {
            Self::Bytes => DecimalBytes(count).to_string(),
            Self::Things(name) => format!("{} {name}", HumanCount(count)),
        }
    }
}

/// A line on standard error. If that is closed, nobody wants to know.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_is_known() {
        let mut progress = Progress::new("importing", Unit::Bytes, Interruption::watch().unwrap());
        let start = Instant::now();
        let position = Position { total: Some(40_000_000), height: Some(0), transactions: Some(0), done: 0 };
        progress.show(start, position);
        assert_eq!(progress.text(position), "importing: 0%, 0 B of 40.00 MB, height 0");
        let position = Position { done: 10_000_000, height: Some(812), transactions: Some(4_000), ..position };
        progress.show(start + Duration::from_secs(2), position);
        let expected = "importing: 25%, 10.00 MB of 40.00 MB, height 812, 2000 tx/s, ETA 6s";
        assert_eq!(progress.text(position), expected);

        let progress = Progress::new("counting", Unit::Things("coins"), Interruption::watch().unwrap());
        let text = progress.text(Position { done: 12_345, ..Position::default() });
        assert_eq!(text, "counting: 12,345 coins");
        let text = progress.text(Position { total: Some(0), ..Position::default() });
        assert_eq!(text, "counting: 0 coins of 0 coins");
    }
}
