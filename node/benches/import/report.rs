//! The printed figures.

use std::time::Duration;

use crate::THREADS;
use crate::child::Usage;
use crate::node::Figures;

/// What a figure may be at most.
pub(crate) struct Bar {
    pub(crate) most: f64,
    /// Written behind the number.
    pub(crate) unit: &'static str,
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    // Exact up to terabytes: kilobytes fit in a u32.
    u32::try_from(bytes / 1_000).map_or(f64::INFINITY, |kilobytes| f64::from(kilobytes) / 1e3)
}

/// The median of each figure on its own.
pub(crate) fn median_usage(figures: &[Figures]) -> Usage {
    Usage {
        wall: median(figures, |figures| figures.usage.wall),
        cpu: median(figures, |figures| figures.usage.cpu),
        peak: median(figures, |figures| figures.usage.peak),
    }
}

/// With an even number of runs, the upper of the middle two.
fn median<T: Ord + Copy>(figures: &[Figures], figure: impl Fn(&Figures) -> T) -> T {
    let mut sorted: Vec<T> = figures.iter().map(figure).collect();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Median over the imports of their time to the mean of the bare checks' right before and right after.
pub(crate) fn median_ratio(figures: &[Figures], bare: &[Usage], time: impl Fn(&Usage) -> Duration) -> f64 {
    let around = bare.windows(2).map(|pair| (time(&pair[0]) + time(&pair[1])) / 2);
    let ratio = |(figures, bare): (&Figures, Duration)| time(&figures.usage).as_secs_f64() / bare.as_secs_f64();
    let mut ratios: Vec<f64> = figures.iter().zip(around).map(ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

pub(crate) fn print_heading(cache: u32) {
    let heading = format!("cache {cache} MB, {THREADS} threads");
    println!("  {heading:30} {:>9} {:>9} {:>12} {:>12}", "wall s", "CPU s", "peak MB", "disk MB");
}

/// A line for each run, and the medians.
pub(crate) fn print_runs(program: &str, figures: &[Figures]) {
    for (run, figures) in (1..).zip(figures) {
        print_usage_and_disk(&format!("{program}, run {run}"), &figures.usage, figures.disk);
    }
    let usage = median_usage(figures);
    print_usage_and_disk(&format!("{program}, median"), &usage, median(figures, |figures| figures.disk));
}

fn print_usage_and_disk(name: &str, usage: &Usage, disk: u64) {
    println!("{} {:12.1}", usage_line(name, usage), megabytes(disk));
}

/// Lines without bytes on disk.
pub(crate) fn print_usages(name: &str, usages: &[Usage]) {
    for (number, usage) in (1..).zip(usages) {
        println!("{}", usage_line(&format!("{name} {number}"), usage));
    }
}

fn usage_line(name: &str, usage: &Usage) -> String {
    let (wall, cpu) = (usage.wall.as_secs_f64(), usage.cpu.as_secs_f64());
    format!("  {name:30} {wall:9.2} {cpu:9.2} {:12.1}", megabytes(usage.peak))
}

pub(crate) fn print_bar(name: &str, figure: f64, bar: &Bar) {
    let verdict = if figure <= bar.most { "met" } else { "MISSED" };
    println!("  {name:30} {figure:9.3}{unit}, at most {most:.3}{unit}: {verdict}", unit = bar.unit, most = bar.most);
}
