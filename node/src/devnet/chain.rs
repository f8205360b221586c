//! The chain that the nodes of a devnet keep.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cairn_chain::params::spec_file::SpecFileError;
use cairn_chain::params::{ChainParams, RegtestOptions};

use super::DevnetError;
use super::clock::Pace;
use super::plan::Rules;

/// Blocks that are mined at once: 100 until the first coinbase matures, and forty mature ones.
pub(crate) const PRE_MINE: u32 = ChainParams::DEVNET_PRE_MINE;

/// The spec file's name in the folder of the devnet.
const SPEC_FILE: &str = "spec.toml";
/// Spacing of the network devnet, in seconds.
const BUILT_IN_SPACING: u32 = 3;
/// Difficulty of the anchor's target, which is Bitcoin's easiest one times 2^16.
const ANCHOR_DIFFICULTY: f64 = 1.0 / 65_536.0;

/// The chain that the nodes keep, and how they are told.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// The network's name, which is also that of the folder of its data.
    pub(crate) network: String,
    /// The network's spec file, if it is not built in.
    pub(crate) spec: Option<PathBuf>,
    /// How the difficulty follows the clock; nothing on regtest.
    pub(crate) pace: Option<Pace>,
}

impl Chain {
    /// The chain with these rules. A spec file, if they need one, is in `directory`: that of a devnet that `was_there` is kept, for
    /// its blocks are of that network.
    ///
    /// # Errors
    ///
    /// When the file is wrong.
    pub(crate) fn of(rules: Rules, directory: &Path, was_there: bool) -> Result<Self, DevnetError> {
        let Rules::Devnet { spacing } = rules else {
            let regtest = ChainParams::regtest(RegtestOptions::default());
            return Ok(Self { network: regtest.name, spec: None, pace: None });
        };
        let half_life = half_life(spacing);
        let pace = Some(Pace { spacing, half_life, difficulty: ANCHOR_DIFFICULTY });
        if spacing == BUILT_IN_SPACING {
            return Ok(Self { network: ChainParams::devnet().name, spec: None, pace });
        }
        let path = directory.join(SPEC_FILE);
        let params = if was_there && path.exists() {
            ChainParams::from_spec_file(&path)?
        } else {
            let wrong = |source| SpecFileError::Spec { path: path.clone(), source };
            ChainParams::from_spec(&spec(spacing)).map_err(wrong)?
        };
        Ok(Self { network: params.name, spec: Some(path), pace })
    }

    /// Writes the spec file, if these rules need one.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn write_spec(&self) -> Result<(), DevnetError> {
        let (Some(path), Some(pace)) = (&self.spec, &self.pace) else { return Ok(()) };
        fs::write(path, spec(pace.spacing)).map_err(DevnetError::file("write", path))
    }

    /// Options and variables that choose this chain, for any command of ours.
    pub(crate) fn variable(&self) -> (&'static str, OsString) {
        match &self.spec {
            Some(path) => ("CAIRN_SPEC", path.into()),
            None => ("CAIRN_NETWORK", self.network.clone().into()),
        }
    }
}

/// As many blocks as in the network devnet.
fn half_life(spacing: u32) -> u32 {
    spacing.saturating_mul(ChainParams::DEVNET_HALF_LIFE / BUILT_IN_SPACING)
}

/// The network devnet with another spacing.
fn spec(spacing: u32) -> String {
    let limit = ChainParams::devnet().consensus.pow.limit;
    let with_nonce = |nonce: u32| {
        format!(
            "# The network devnet with a block every {spacing} s.\n\
             name = \"devnet-{spacing}s\"\n\
             target_spacing = {spacing}\n\
             pow_limit = \"{limit:064x}\"\n\
             mockable = true\n\n\
             [genesis]\n\
             time = 1296688602\n\
             message = \"cairn devnet, a block every {spacing} s\"\n\
             bits = 0x207fffff\n\
             nonce = {nonce}\n\n\
             [retarget]\n\
             algorithm = \"asert\"\n\
             anchor_height = {PRE_MINE}\n\
             anchor_bits = {:#010x}\n\
             half_life = {}\n\n\
             [subsidy]\n\
             initial = 50\n\
             halving_interval = 2102400\n\n\
             [ports]\n\
             p2p = 18544\n\
             rpc = 18443\n",
            ChainParams::DEVNET_ANCHOR_BITS,
            half_life(spacing),
        )
    };
    // Every other nonce will do. The first one is taken, so that the network is the same whoever makes it.
    let works = |nonce: &u32| ChainParams::from_spec(&with_nonce(*nonce)).is_ok();
    with_nonce((0..1000).find(works).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use cairn_chain::pow::Retarget;

    use super::*;

    #[test]
    fn another_spacing_is_the_same_network_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let chain = Chain::of(Rules::Devnet { spacing: 10 }, directory.path(), false).unwrap();
        chain.write_spec().unwrap();
        assert_eq!((chain.network.as_str(), chain.variable().0), ("devnet-10s", "CAIRN_SPEC"));
        let (built_in, other) =
            (ChainParams::devnet(), ChainParams::from_spec_file(chain.spec.as_deref().unwrap()).unwrap());
        assert_eq!(other.consensus.pow.target_spacing, 10);
        assert_eq!(other.consensus.pow.limit, built_in.consensus.pow.limit);
        assert_eq!(other.consensus.subsidy_halving_interval, built_in.consensus.subsidy_halving_interval);
        assert!(other.is_mockable && built_in.is_mockable);
        let (Retarget::Asert(built_in), Retarget::Asert(other)) =
            (built_in.consensus.pow.retarget, other.consensus.pow.retarget)
        else {
            panic!("both follow ASERT")
        };
        assert_eq!((other.anchor_height, other.anchor_bits), (built_in.anchor_height, built_in.anchor_bits));
        assert_eq!((other.half_life, built_in.half_life), (400, 120));
        let again = Chain::of(Rules::Devnet { spacing: 10 }, directory.path(), true).unwrap();
        assert_eq!((again.spec, again.network), (chain.spec, chain.network));
        let afresh = Chain::of(Rules::Devnet { spacing: 20 }, directory.path(), false).unwrap();
        assert_eq!(afresh.network, "devnet-20s", "a file that is no devnet's counts for nothing");
    }

    #[test]
    fn built_in_networks_need_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let devnet = Chain::of(Rules::Devnet { spacing: 3 }, directory.path(), false).unwrap();
        assert_eq!((devnet.network.as_str(), devnet.spec), ("devnet", None));
        assert_eq!(Chain::of(Rules::Regtest, directory.path(), false).unwrap().network, "regtest");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
