//! `cairn network`: which networks there are, and spec files for private ones.

mod view;

use std::fmt::Write;
use std::path::PathBuf;

use bitcoin::block::Header;
use cairn_chain::params::spec_file::NetworkSpec;
use cairn_chain::params::{BUILTIN_NETWORKS, ChainParams, RegtestOptions, mine_genesis};
use clap::{Args, Subcommand};

use super::{Answer, to_json};
use view::NetworkView;

/// List networks, show their rules, check and complete spec files of private ones.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn network list\n  \
    cairn network show devnet\n  \
    cairn network show --spec acme.toml --json\n  \
    cairn network mine-genesis acme.toml\n  \
    cairn network check acme.toml")]
pub(super) struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// List the built-in networks.
    #[command(before_help = "Examples:\n  cairn network list\n  cairn network list --json")]
    List {
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Show everything about one network.
    #[command(before_help = "Examples:\n  cairn network show cairn\n  cairn network show --spec acme.toml --json")]
    Show {
        /// Name of a built-in network.
        #[arg(required_unless_present = "spec", conflicts_with = "spec")]
        name: Option<String>,
        /// Spec file of a private network.
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Check a spec file; the exit code is 0 if it is good.
    #[command(before_help = "Examples:\n  cairn network check acme.toml")]
    Check {
        /// The spec file.
        file: PathBuf,
    },
    /// Find the nonce of a spec file's genesis block and print the line to paste into the file.
    ///
    /// The file may lack the nonce or have a wrong one; everything else in it must be right. Uses all cores. A target
    /// of 0x1e00ffff takes seconds, one of 0x1d00ffff many minutes.
    #[command(before_help = "Examples:\n  cairn network mine-genesis acme.toml")]
    MineGenesis {
        /// The spec file.
        file: PathBuf,
    },
}

/// Runs a `cairn network` command.
pub(super) fn run(args: NetworkArgs) -> Answer {
    match args.command {
        NetworkCommand::List { json } => list(json),
        NetworkCommand::Show { name, spec, json } => {
            let params = match (name, spec) {
                (_, Some(file)) => ChainParams::from_spec_file(&file)?,
                (name, None) => ChainParams::select(&name.unwrap_or_default(), RegtestOptions::default())?,
            };
            let view = NetworkView::new(&params);
            Ok(if json { to_json(&view)? } else { view.to_string() })
        }
        NetworkCommand::Check { file } => {
            let params = ChainParams::from_spec_file(&file)?;
            let view = NetworkView::new(&params);
            Ok(format!("{}: network {} is good, spec hash {}\n", file.display(), view.name, view.spec_hash))
        }
        NetworkCommand::MineGenesis { file } => mine(&NetworkSpec::read(&file)?),
    }
}

fn list(json: bool) -> Answer {
    let networks: Vec<_> = BUILTIN_NETWORKS.into_iter().filter_map(ChainParams::builtin).collect();
    let views: Vec<_> = networks.iter().map(NetworkView::new).collect();
    if json {
        return to_json(&views);
    }
    let mut table =
        format!("{:<9} {:>7}  {:<8} {:>5} {:>5}  {}\n", "NAME", "SPACING", "RETARGET", "P2P", "RPC", "GENESIS");
    for view in &views {
        writeln!(
            table,
            "{:<9} {:>5} s  {:<8} {:>5} {:>5}  {}",
            view.name,
            view.target_spacing,
            view.algorithm(),
            view.p2p_port,
            view.rpc_port,
            view.genesis.hash
        )?;
    }
    Ok(table)
}

fn mine(spec: &NetworkSpec) -> Answer {
    let header = spec.genesis_header();
    let nonce = mine_genesis(&header)
        .ok_or("no nonce from 0 to 4294967295 meets the genesis bits; change 'time' or 'message' and try again")?;
    let hash = Header { nonce, ..header }.block_hash();
    Ok(format!("nonce = {nonce}  # genesis hash {hash}\n"))
}
