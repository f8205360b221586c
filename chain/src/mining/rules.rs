//! What a miner has to know about the rules of a template.

use super::BlockTemplate;
use crate::primitives::WITNESS_SCALE_FACTOR;
use crate::validation::{MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, ThresholdState};

/// The most bytes a block has when it is serialized with witnesses, as clients are told (Core: `MAX_BLOCK_SERIALIZED_SIZE`,
/// `consensus/consensus.h`).
pub const MAX_BLOCK_SERIALIZED_SIZE: usize = 4_000_000;

/// The deployment for tests (Core: `VersionBitsDeploymentInfo`, `deploymentinfo.cpp`). Clients may ignore it.
const TESTDUMMY: &str = "testdummy";

/// What `getblocktemplate` says about rules (BIP9, "getblocktemplate changes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRules {
    /// Version of the block.
    pub version: i32,
    /// Rules that hold, those that a miner has to know marked with an exclamation mark.
    pub rules: Vec<&'static str>,
    /// Rules that miners vote about, and the bit of the version that is a vote.
    pub available: Vec<(&'static str, u8)>,
}

/// The most a block may have, as `getblocktemplate` says it (BIP22, BIP145).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateLimits {
    /// Signature operations: their cost, or before segwit their number.
    pub sigops: usize,
    /// Bytes.
    pub size: usize,
    /// Weight units; nothing before segwit.
    pub weight: Option<usize>,
}

impl BlockTemplate {
    /// The rules the block is made by (Core: `getblocktemplate`, `rpc/mining.cpp`).
    #[must_use]
    pub fn rules(&self) -> TemplateRules {
        let mut rules = vec!["csv"];
        if self.has_segwit {
            rules.extend(["!segwit", "taproot"]);
        }
        if self.is_signet {
            rules.push("!signet");
        }
        let mut version = self.version;
        let mut available = Vec::new();
        let (testdummy, state) = &self.testdummy;
        match state {
            ThresholdState::Defined | ThresholdState::Failed => {}
            ThresholdState::Started => available.push((TESTDUMMY, testdummy.bit)),
            ThresholdState::LockedIn => {
                version |= testdummy.mask();
                available.push((TESTDUMMY, testdummy.bit));
            }
            ThresholdState::Active => rules.push(TESTDUMMY),
        }
        TemplateRules { version, rules, available }
    }

    /// The most the block may have (Core: `getblocktemplate`, `rpc/mining.cpp`).
    #[must_use]
    pub fn limits(&self) -> TemplateLimits {
        TemplateLimits {
            sigops: self.sigops(MAX_BLOCK_SIGOPS_COST),
            size: if self.has_segwit {
                MAX_BLOCK_SERIALIZED_SIZE
            } else {
                MAX_BLOCK_SERIALIZED_SIZE / WITNESS_SCALE_FACTOR
            },
            weight: self.has_segwit.then_some(MAX_BLOCK_WEIGHT),
        }
    }

    /// The cost of signature operations as clients are told: before segwit it is their number.
    #[must_use]
    pub fn sigops(&self, cost: usize) -> usize {
        if self.has_segwit { cost } else { cost / WITNESS_SCALE_FACTOR }
    }
}
