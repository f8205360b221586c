//! Rules that were added to Bitcoin and the heights from which they hold.

use std::fmt;
use std::str::FromStr;

/// The highest activation height, and the same bound as Core's: its heights are 32-bit signed and the largest one
/// means "never" (`chainparams.cpp`, `-testactivationheight`).
pub const MAX_ACTIVATION_HEIGHT: u32 = 2_147_483_646;

/// A rule that holds from a known height on (Core: `Consensus::BuriedDeployment`; BIP90).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deployment {
    /// Segregated witness: BIP141, BIP143 and BIP147. The script rules themselves hold in all blocks, see
    /// [`BaseScriptRules`](super::BaseScriptRules).
    Segwit,
    /// The height in the coinbase: BIP34.
    Bip34,
    /// Strict signature encoding: BIP66.
    Dersig,
    /// `OP_CHECKLOCKTIMEVERIFY`: BIP65.
    Cltv,
    /// Relative lock times and median time for lock times: BIP68, BIP112 and BIP113.
    Csv,
}

impl Deployment {
    /// All of them, in the order Core's help lists them.
    pub const ALL: [Self; 5] = [Self::Segwit, Self::Bip34, Self::Dersig, Self::Cltv, Self::Csv];

    /// The name on the command line (Core: `GetBuriedDeployment`, `-testactivationheight`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Segwit => "segwit",
            Self::Bip34 => "bip34",
            Self::Dersig => "dersig",
            Self::Cltv => "cltv",
            Self::Csv => "csv",
        }
    }

    /// The name RPC clients read in `getdeploymentinfo` (Core: `DeploymentName`).
    #[must_use]
    pub fn rpc_name(self) -> &'static str {
        match self {
            Self::Segwit => "segwit",
            Self::Bip34 => "bip34",
            Self::Dersig => "bip66",
            Self::Cltv => "bip65",
            Self::Csv => "csv",
        }
    }

    /// The deployment with that [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deployment| deployment.name() == name)
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first height, in blocks, at which each rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivationHeights {
    /// [`Deployment::Bip34`] (Core: `BIP34Height`).
    pub bip34: u32,
    /// [`Deployment::Cltv`] (Core: `BIP65Height`).
    pub bip65: u32,
    /// [`Deployment::Dersig`] (Core: `BIP66Height`).
    pub bip66: u32,
    /// [`Deployment::Csv`] (Core: `CSVHeight`).
    pub csv: u32,
    /// [`Deployment::Segwit`] (Core: `SegwitHeight`).
    pub segwit: u32,
}

impl ActivationHeights {
    /// Every rule from the first block after genesis, as on regtest: a genesis block carries no height in its coinbase
    /// and cannot be asked to.
    pub const FROM_THE_START: Self = Self { bip34: 1, bip65: 1, bip66: 1, csv: 1, segwit: 0 };

    /// The first height at which `deployment` holds (Core: `Consensus::Params::DeploymentHeight`).
    #[must_use]
    pub fn height(&self, deployment: Deployment) -> u32 {
        match deployment {
            Deployment::Segwit => self.segwit,
            Deployment::Bip34 => self.bip34,
            Deployment::Dersig => self.bip66,
            Deployment::Cltv => self.bip65,
            Deployment::Csv => self.csv,
        }
    }

    /// Sets the first height at which `deployment` holds.
    pub fn set_height(&mut self, deployment: Deployment, height: u32) {
        *match deployment {
            Deployment::Segwit => &mut self.segwit,
            Deployment::Bip34 => &mut self.bip34,
            Deployment::Dersig => &mut self.bip66,
            Deployment::Cltv => &mut self.bip65,
            Deployment::Csv => &mut self.csv,
        } = height;
    }

    /// Whether `deployment` holds in the block at `height` (Core: `DeploymentActiveAt`, `deploymentstatus.h`).
    #[must_use]
    pub fn is_active_at(&self, deployment: Deployment, height: u32) -> bool {
        height >= self.height(deployment)
    }

    /// Whether `deployment` holds in the child of the block at `prev_height` (Core: `DeploymentActiveAfter`,
    /// `deploymentstatus.h`).
    #[must_use]
    pub fn is_active_after(&self, deployment: Deployment, prev_height: u32) -> bool {
        self.is_active_at(deployment, prev_height.saturating_add(1))
    }
}

/// A new activation height for one rule, written `NAME@HEIGHT` as for Core's `-testactivationheight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivationOverride {
    /// The rule.
    pub deployment: Deployment,
    /// The first height, in blocks, at which it holds.
    pub height: u32,
}

/// Why a text is not a `NAME@HEIGHT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActivationOverrideError {
    /// No `@`.
    #[error("expected NAME@HEIGHT, got '{got}'")]
    Format {
        /// The whole text.
        got: String,
    },
    /// No rule of that name.
    #[error("expected segwit, bip34, dersig, cltv or csv before '@', got '{got}'")]
    Name {
        /// The text before the `@`.
        got: String,
    },
    /// Not a height.
    #[error("expected a height from 0 to {MAX_ACTIVATION_HEIGHT} after '{deployment}@', got '{got}'")]
    Height {
        /// The rule named.
        deployment: Deployment,
        /// The text after the `@`.
        got: String,
    },
}

impl FromStr for ActivationOverride {
    type Err = ActivationOverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, height) =
            text.split_once('@').ok_or_else(|| ActivationOverrideError::Format { got: text.to_owned() })?;
        let deployment =
            Deployment::from_name(name).ok_or_else(|| ActivationOverrideError::Name { got: name.to_owned() })?;
        // Rust's own parser takes a leading '+', Core's does not.
        let digits = Some(height).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let height = digits
            .and_then(|digits| digits.parse().ok())
            .filter(|height| *height <= MAX_ACTIVATION_HEIGHT)
            .ok_or_else(|| ActivationOverrideError::Height { deployment, got: height.to_owned() })?;
        Ok(Self { deployment, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_from_its_height_on() {
        let heights = ActivationHeights { csv: 432, ..ActivationHeights::FROM_THE_START };
        assert!(!heights.is_active_at(Deployment::Csv, 431));
        assert!(heights.is_active_at(Deployment::Csv, 432));
        assert!(!heights.is_active_after(Deployment::Csv, 430));
        assert!(heights.is_active_after(Deployment::Csv, 431));
        assert!(heights.is_active_after(Deployment::Csv, u32::MAX));
        assert!(heights.is_active_at(Deployment::Segwit, 0));
        assert!(!heights.is_active_at(Deployment::Bip34, 0));
    }

    #[test]
    fn each_deployment_has_its_own_height_and_names() {
        let mut heights = ActivationHeights::FROM_THE_START;
        for (height, deployment) in (100..).zip(Deployment::ALL) {
            heights.set_height(deployment, height);
        }
        assert_eq!(heights, ActivationHeights { segwit: 100, bip34: 101, bip66: 102, bip65: 103, csv: 104 });
        assert_eq!(Deployment::ALL.map(|deployment| heights.height(deployment)), [100, 101, 102, 103, 104]);
        assert_eq!(Deployment::ALL.map(Deployment::rpc_name), ["segwit", "bip34", "bip66", "bip65", "csv"]);
        assert_eq!(
            Deployment::ALL.map(|deployment| Deployment::from_name(deployment.name()).unwrap()),
            Deployment::ALL
        );
    }

    #[test]
    fn overrides_parse_or_say_what_is_wrong() {
        assert_eq!("cltv@1351".parse(), Ok(ActivationOverride { deployment: Deployment::Cltv, height: 1351 }));
        let last = format!("csv@{MAX_ACTIVATION_HEIGHT}");
        assert_eq!(last.parse::<ActivationOverride>().map(|parsed| parsed.height), Ok(MAX_ACTIVATION_HEIGHT));
        let height =
            |name: &str, got: &str| format!("expected a height from 0 to 2147483646 after '{name}@', got '{got}'");
        for (text, message) in [
            ("", "expected NAME@HEIGHT, got ''".to_owned()),
            ("csv", "expected NAME@HEIGHT, got 'csv'".to_owned()),
            ("bip65@1", "expected segwit, bip34, dersig, cltv or csv before '@', got 'bip65'".to_owned()),
            ("csv@", height("csv", "")),
            ("csv@+1", height("csv", "+1")),
            ("csv@-1", height("csv", "-1")),
            ("csv@1@2", height("csv", "1@2")),
            ("segwit@2147483647", height("segwit", "2147483647")),
            ("segwit@99999999999", height("segwit", "99999999999")),
        ] {
            assert_eq!(text.parse::<ActivationOverride>().unwrap_err().to_string(), message);
        }
    }
}
