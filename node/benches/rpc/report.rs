//! The printed figures.

use std::time::Duration;

/// What was measured of one program.
pub(crate) struct Figures {
    program: &'static str,
    lines: Vec<String>,
}

impl Figures {
    pub(crate) fn new(program: &'static str) -> Self {
        Self { program, lines: Vec::new() }
    }

    pub(crate) fn print(&self) {
        println!("{}", self.program);
        for line in &self.lines {
            println!("  {line}");
        }
    }

    /// Time for so many transactions, and for the signature checks alone.
    pub(crate) fn against_bare(&mut self, what: &str, wall: Duration, count: usize, bare: Duration, threads: &str) {
        let each = micros(wall, count);
        let bare_each = micros(bare, count);
        let ratio = wall.as_secs_f64() / bare.as_secs_f64();
        self.lines.push(format!(
            "{what:44} {each:8.1} us each; bare checks on {threads} {bare_each:.1} us; ratio {ratio:.2}"
        ));
    }

    /// Time to connect a block, and for its signature checks alone.
    pub(crate) fn block(&mut self, what: &str, wall: Duration, bytes: usize, bare: Duration) {
        let kilobytes = bytes / 1000;
        let (wall, bare) = (wall.as_secs_f64() * 1e3, bare.as_secs_f64() * 1e3);
        self.lines.push(format!(
            "{:44} {wall:8.1} ms; bare checks on 2 threads {bare:.1} ms; ratio {:.2}",
            format!("{what}, {kilobytes} kB"),
            wall / bare
        ));
    }

    /// How often something happened in a time.
    pub(crate) fn rate(&mut self, what: &str, count: usize, wall: Duration) {
        self.lines.push(format!("{what:44} {:8.1} a second", 1e6 / micros(wall, count)));
    }

    /// The median, and the longest, of these.
    pub(crate) fn latency(&mut self, what: &str, walls: &[Duration]) {
        let mut sorted = walls.to_vec();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3;
        let longest = sorted.last().copied().unwrap_or_default().as_secs_f64() * 1e3;
        self.lines.push(format!("{what:44} {median:8.1} ms median of {}, {longest:.1} ms longest", walls.len()));
    }
}

/// Microseconds for each of so many.
fn micros(wall: Duration, count: usize) -> f64 {
    wall.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
