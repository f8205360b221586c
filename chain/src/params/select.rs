//! Networks by name.

use super::ChainParams;
use super::regtest::RegtestOptions;

/// Names of the networks that need no spec file, ours first.
pub const BUILTIN_NETWORKS: [&str; 6] = ["cairn", "devnet", "main", "testnet4", "signet", "regtest"];

/// Why a network could not be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectNetworkError {
    /// No built-in network of that name.
    #[error("expected a network out of {}, got '{got}'", BUILTIN_NETWORKS.join(", "))]
    UnknownName {
        /// The name asked for.
        got: String,
    },
    /// Options of regtest for another network.
    #[error("only regtest can change {option}, got '{got}'")]
    RegtestOnly {
        /// What was to be changed.
        option: &'static str,
        /// The name asked for.
        got: String,
    },
}

impl ChainParams {
    /// The built-in network of that name, as it is without options.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        match name {
            "cairn" => Some(Self::cairn()),
            "devnet" => Some(Self::devnet()),
            "main" => Some(Self::main()),
            "testnet4" => Some(Self::testnet4()),
            "signet" => Some(Self::signet()),
            "regtest" => Some(Self::regtest(RegtestOptions::default())),
            _ => None,
        }
    }

    /// The built-in network of that name; rules may be changed on regtest alone.
    ///
    /// # Errors
    ///
    /// When there is no such network, or `options` asks something of another than regtest.
    pub fn select(name: &str, options: RegtestOptions) -> Result<Self, SelectNetworkError> {
        if name == "regtest" {
            return Ok(Self::regtest(options));
        }
        let params = Self::builtin(name).ok_or_else(|| SelectNetworkError::UnknownName { got: name.to_owned() })?;
        let regtest_only = |option| SelectNetworkError::RegtestOnly { option, got: name.to_owned() };
        if !options.activation_heights.is_empty() {
            return Err(regtest_only("an activation height"));
        }
        if options.enforce_bip94 {
            return Err(regtest_only("bip94"));
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_name_selects_the_network_of_that_name() {
        for name in BUILTIN_NETWORKS {
            assert_eq!(ChainParams::select(name, RegtestOptions::default()).unwrap().name, name);
        }
        assert_eq!(
            ChainParams::select("testnet3", RegtestOptions::default()).unwrap_err().to_string(),
            "expected a network out of cairn, devnet, main, testnet4, signet, regtest, got 'testnet3'"
        );
    }

    #[test]
    fn only_regtest_has_options() {
        let heights = RegtestOptions { activation_heights: vec!["csv@5".parse().unwrap()], ..Default::default() };
        let bip94 = RegtestOptions { enforce_bip94: true, ..Default::default() };
        assert_eq!(ChainParams::select("regtest", heights.clone()).unwrap().consensus.activation.csv, 5);
        assert_eq!(
            ChainParams::select("main", heights).unwrap_err().to_string(),
            "only regtest can change an activation height, got 'main'"
        );
        assert_eq!(
            ChainParams::select("devnet", bip94).unwrap_err().to_string(),
            "only regtest can change bip94, got 'devnet'"
        );
    }
}
