//! Nodes that import a chain.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bitcoin::BlockHash;
use cairn_tests::chain_generator::GeneratedChain;

use crate::child::{self, Usage};
use crate::{Result, THREADS};

/// Bytes of a block in a file's `st_blocks` (stat(3type)).
const DISK_BLOCK: u64 = 512;

/// A program that imports.
pub(crate) enum Node {
    Cairn,
    Bitcoind(OsString),
}

/// Figures of one import.
pub(crate) struct Figures {
    pub(crate) usage: Usage,
    /// Bytes that the data directory takes.
    pub(crate) disk: u64,
}

impl Node {
    /// Bitcoin Core, if the environment names it.
    pub(crate) fn bitcoind() -> Option<Self> {
        env::var_os("CAIRN_BITCOIND").map(Self::Bitcoind)
    }

    fn command(&self, datadir: &Path, chain: &GeneratedChain, cache: u32) -> (OsString, Vec<OsString>) {
        let (datadir, blocks) = (datadir.as_os_str(), chain.block_file());
        let joined = |option: &str, value: &OsString| {
            let mut argument = OsString::from(option);
            argument.push(value);
            argument
        };
        let (cache, threads) = (cache.to_string().into(), THREADS.to_string().into());
        match self {
            Self::Cairn => {
                let mut arguments: Vec<OsString> = ["chain", "import", "--network", "regtest"].map(Into::into).into();
                arguments.extend(["--datadir".into(), datadir.into(), "--cache".into(), cache]);
                arguments.extend(["--threads".into(), threads, "--json".into(), blocks.into()]);
                (env!("CARGO_BIN_EXE_cairn").into(), arguments)
            }
            Self::Bitcoind(program) => {
                let mut arguments: Vec<OsString> = [
                    "-regtest",
                    "-assumevalid=0",
                    "-checkblockindex=0",
                    "-stopafterblockimport",
                    "-connect=0",
                    "-listen=0",
                    "-server=0",
                    "-printtoconsole=0",
                ]
                .map(Into::into)
                .into();
                arguments.push(joined("-datadir=", &datadir.into()));
                arguments.push(joined("-loadblock=", &blocks.into()));
                arguments.push(joined("-dbcache=", &cache));
                arguments.push(joined("-par=", &threads));
                (program.clone(), arguments)
            }
        }
    }

    /// The tip an import ended with, from what it wrote.
    fn tip(&self, datadir: &Path, output: &str) -> Result<BlockHash> {
        let tip = match self {
            Self::Cairn => {
                let summary: serde_json::Value = serde_json::from_str(output)
                    .map_err(|error| format!("the import should print JSON, printed {output:?}: {error}"))?;
                summary["tip"].as_str().map(str::to_owned)
            }
            Self::Bitcoind(_) => {
                let log = fs::read_to_string(datadir.join("regtest").join("debug.log"))?;
                let best = log.lines().rev().find_map(|line| line.split_once("UpdateTip: new best="));
                best.and_then(|(_, rest)| rest.split_whitespace().next()).map(str::to_owned)
            }
        };
        Ok(tip.ok_or("the import gave no tip")?.parse()?)
    }

    /// Imports a chain into a new data directory inside `folder`.
    pub(crate) fn import(&self, folder: &Path, chain: &GeneratedChain, cache: u32) -> Result<Figures> {
        let datadir = tempfile::Builder::new().prefix("datadir-").tempdir_in(folder)?;
        let (program, arguments) = self.command(datadir.path(), chain, cache);
        let (usage, output) = child::measure(&program, &arguments)?;
        let tip = self.tip(datadir.path(), &output)?;
        if tip != chain.tip() {
            return Err(format!("the import ended at {tip}, the chain ends at {}", chain.tip()).into());
        }
        let disk = disk_usage(datadir.path())?;
        Ok(Figures { usage, disk })
    }
}

fn disk_usage(path: &Path) -> Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    let mut bytes = metadata.blocks() * DISK_BLOCK;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            bytes += disk_usage(&entry?.path())?;
        }
    }
    Ok(bytes)
}
