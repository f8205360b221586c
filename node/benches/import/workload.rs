//! The chains, and what is asked of their import.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use cairn_tests::chain_generator::{ChainOptions, GeneratedChain};

use crate::Result;
use crate::bare_checks;
use crate::child::Usage;
use crate::node::{Figures, Node};
use crate::report::{self, Bar};

/// Wall time of (a) may be this many times the bare checks'.
const BAR_TO_BARE: f64 = 1.0 / 0.9;

/// A chain, and how it is imported.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    options: ChainOptions,
    /// Budgets, in megabytes.
    caches: &'static [u32],
    /// Whether wall time is held against the bare signature checks.
    is_to_bare: bool,
    /// The most seconds.
    seconds: Option<f64>,
}

impl Workload {
    /// The three of them. (a) and (b) have the shape of the chains that Core's figures are from: (a) asks for 0.72 million
    /// verifications, which take the bare checks' 11.7 s at 33 µs each on two threads. (c) is inferred from Core's 33 s. It
    /// grows up to block 269 and spends at random in 331 more, so that it asks for 1.18 million: 28 s at Core's
    /// pace in (a), and 5 s for two million coins in memory and on disk.
    pub(crate) fn all() -> [Self; 3] {
        let options =
            |blocks, transactions_per_block, coins| ChainOptions { blocks, transactions_per_block, coins, seed: 1 };
        [
            Self { name: "a", options: options(400, 1_000, 8_000), caches: &[450], is_to_bare: true, seconds: None },
            Self { name: "b", options: options(50_000, 0, 0), caches: &[450], is_to_bare: false, seconds: Some(3.0) },
            Self {
                name: "c",
                options: options(600, 1_000, 2_000_000),
                caches: &[450, 16],
                is_to_bare: false,
                seconds: None,
            },
        ]
    }

    /// The chain, made if it is not there.
    pub(crate) fn chain(&self, folder: &Path) -> Result<GeneratedChain> {
        Ok(GeneratedChain::open_or_generate(folder, &self.options)?)
    }

    /// Imports the chain `runs` times with each cache and prints the figures.
    pub(crate) fn run(&self, folder: &Path, runs: usize) -> Result<()> {
        let start = Instant::now();
        let chain = self.chain(folder)?;
        let preparation = start.elapsed();
        // Every run finds the file in the page cache, not only the second and later ones.
        let bytes = io::copy(&mut File::open(chain.block_file())?, &mut io::sink())?;
        println!(
            "({}) {} blocks, {} transactions, {} signature checks, {} spendable coins, {:.1} MB, ready in {:.1} s",
            self.name,
            self.options.blocks,
            chain.transactions(),
            chain.signature_check_count()?,
            chain.spendable_coins(),
            report::megabytes(bytes),
            preparation.as_secs_f64(),
        );

        for &cache in self.caches {
            let (figures, bare) = self.alternate(folder, &chain, cache, runs)?;

            let median = report::median_usage(&figures);
            let wall = median.wall.as_secs_f64();
            report::print_heading(cache);
            report::print_runs("cairn", &figures);
            if self.is_to_bare {
                report::print_usages("bare checks", &bare);
                let ratio = report::median_ratio(&figures, &bare, |usage| usage.wall);
                report::print_bar("wall to bare checks", ratio, &Bar { most: BAR_TO_BARE, unit: "" });
                let ratio = report::median_ratio(&figures, &bare, |usage| usage.cpu);
                println!("  {:30} {ratio:9.3}", "CPU to bare checks");
            }
            if let Some(seconds) = self.seconds {
                report::print_bar("wall", wall, &Bar { most: seconds, unit: " s" });
            }
            let peak = report::megabytes(median.peak) - f64::from(cache);
            report::print_bar("peak memory beyond the cache", peak, &Bar { most: 300.0, unit: " MB" });

            if let Some(bitcoind) = Node::bitcoind() {
                let theirs: Vec<Figures> =
                    (0..runs).map(|_| bitcoind.import(folder, &chain, cache)).collect::<Result<_>>()?;
                report::print_runs("bitcoind", &theirs);
                let ratio = wall / report::median_usage(&theirs).wall.as_secs_f64();
                println!("  {:30} {ratio:9.3}", "wall to bitcoind's");
            }
        }
        println!();
        Ok(())
    }
    /// Figures of the imports and, if they matter, of the bare checks before the first one and after each.
    fn alternate(
        &self,
        folder: &Path,
        chain: &GeneratedChain,
        cache: u32,
        runs: usize,
    ) -> Result<(Vec<Figures>, Vec<Usage>)> {
        let measure_bare = || self.is_to_bare.then(|| bare_checks::measure(self.name)).transpose();
        let (mut figures, mut bare) = (Vec::new(), Vec::from_iter(measure_bare()?));
        for _ in 0..runs {
            figures.push(Node::Cairn.import(folder, chain, cache)?);
            bare.extend(measure_bare()?);
        }
        Ok((figures, bare))
    }
}
