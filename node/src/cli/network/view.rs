//! A network as people and programs read it.

use std::fmt;

use bitcoin::hex::DisplayHex;
use cairn_chain::params::{ActivationHeights, ChainParams, Deployment};
use cairn_chain::pow::Retarget;
use serde::Serialize;

/// A network in the words of `cairn network show`. Hashes and targets are in displayed byte order, amounts in satoshis,
/// times in seconds, intervals in blocks.
#[derive(Debug, Serialize)]
pub(super) struct NetworkView {
    pub(super) name: String,
    /// What RPC clients read in `getblockchaininfo`.
    chain: &'static str,
    pub(super) spec_hash: String,
    magic: String,
    pub(super) p2p_port: u16,
    pub(super) rpc_port: u16,
    bech32_hrp: &'static str,
    pub(super) genesis: GenesisView,
    pub(super) target_spacing: u32,
    pow_limit: String,
    retarget: RetargetView,
    subsidy_initial: u64,
    subsidy_halving_interval: u32,
    activation: Vec<ActivationView>,
    minimum_chain_work: String,
    assume_valid: Option<String>,
    signet_challenge: Option<String>,
    prune_after_height: u64,
    seeds: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct GenesisView {
    pub(super) hash: String,
    merkle_root: String,
    time: u32,
    bits: String,
    nonce: u32,
    version: i32,
    block: String,
}

#[derive(Debug, Serialize)]
#[serde(tag = "algorithm", rename_all = "snake_case")]
enum RetargetView {
    Bitcoin { timespan: u32, allow_min_difficulty_blocks: bool, enforce_bip94: bool, no_retargeting: bool },
    Asert { anchor_height: u32, anchor_bits: String, half_life: u32 },
}

#[derive(Debug, Serialize)]
struct ActivationView {
    name: &'static str,
    height: u32,
}

impl NetworkView {
    pub(super) fn new(params: &ChainParams) -> Self {
        let consensus = &params.consensus;
        let header = params.genesis.header;
        Self {
            name: params.name.clone(),
            chain: params.rpc_name,
            spec_hash: params.spec_hash().to_lower_hex_string(),
            magic: params.magic.to_lower_hex_string(),
            p2p_port: params.default_p2p_port,
            rpc_port: params.default_rpc_port,
            bech32_hrp: params.address_format.bech32_hrp(),
            genesis: GenesisView {
                hash: params.genesis.hash.to_string(),
                merkle_root: header.merkle_root.to_string(),
                time: header.time,
                bits: bits(header.bits),
                nonce: header.nonce,
                version: header.version.to_consensus(),
                block: params.genesis.block.to_lower_hex_string(),
            },
            target_spacing: consensus.pow.target_spacing,
            pow_limit: format!("{:064x}", consensus.pow.limit),
            retarget: RetargetView::new(&consensus.pow.retarget),
            subsidy_initial: consensus.subsidy_initial.to_sat(),
            subsidy_halving_interval: consensus.subsidy_halving_interval,
            activation: activation(&consensus.activation),
            minimum_chain_work: params.minimum_chain_work.to_string(),
            assume_valid: params.assume_valid.map(|hash| hash.to_string()),
            signet_challenge: consensus.signet_challenge.as_ref().map(|script| script.to_hex_string()),
            prune_after_height: params.prune_after_height,
            seeds: params.seeds.clone(),
        }
    }

    /// Name of the retargeting rule.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.retarget {
            RetargetView::Bitcoin { .. } => "bitcoin",
            RetargetView::Asert { .. } => "asert",
        }
    }
}

impl RetargetView {
    fn new(retarget: &Retarget) -> Self {
        match retarget {
            Retarget::Bitcoin(rule) => Self::Bitcoin {
                timespan: rule.target_timespan,
                allow_min_difficulty_blocks: rule.allow_min_difficulty_blocks,
                enforce_bip94: rule.enforce_bip94,
                no_retargeting: rule.no_retargeting,
            },
            Retarget::Asert(rule) => Self::Asert {
                anchor_height: rule.anchor_height,
                anchor_bits: bits(rule.anchor_bits),
                half_life: rule.half_life,
            },
        }
    }
}

impl fmt::Display for RetargetView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asert { anchor_height, anchor_bits, half_life } => {
                write!(f, "asert, half-life {half_life} s, anchor {anchor_bits} at height {anchor_height}")
            }
            Self::Bitcoin { no_retargeting: true, .. } => write!(f, "bitcoin, never changes"),
            Self::Bitcoin { timespan, allow_min_difficulty_blocks, enforce_bip94, .. } => {
                write!(f, "bitcoin, every {timespan} s")?;
                let extras = [(allow_min_difficulty_blocks, "minimum-difficulty blocks"), (enforce_bip94, "BIP94")];
                extras.iter().filter(|(on, _)| **on).try_for_each(|(_, name)| write!(f, ", {name}"))
            }
        }
    }
}

impl fmt::Display for NetworkView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heights: Vec<_> = self.activation.iter().map(|rule| format!("{} {}", rule.name, rule.height)).collect();
        let none = || "none".to_owned();
        let rows = [
            ("name", self.name.clone()),
            ("chain in RPC", self.chain.to_owned()),
            ("spec hash", self.spec_hash.clone()),
            ("magic", self.magic.clone()),
            ("ports", format!("p2p {}, rpc {}", self.p2p_port, self.rpc_port)),
            ("addresses", format!("{}1…", self.bech32_hrp)),
            ("genesis hash", self.genesis.hash.clone()),
            ("merkle root", self.genesis.merkle_root.clone()),
            ("genesis time", format!("{} (seconds since 1970)", self.genesis.time)),
            ("genesis bits", format!("{}, nonce {}", self.genesis.bits, self.genesis.nonce)),
            ("spacing", format!("{} s", self.target_spacing)),
            ("easiest target", self.pow_limit.clone()),
            ("retarget", self.retarget.to_string()),
            ("subsidy", format!("{}, halving every {} blocks", self.subsidy(), self.subsidy_halving_interval)),
            ("rules active from", heights.join(", ")),
            ("minimum work", self.minimum_chain_work.clone()),
            ("assume valid", self.assume_valid.clone().unwrap_or_else(none)),
            ("signet challenge", self.signet_challenge.clone().unwrap_or_else(none)),
            ("prune after", format!("{} blocks", self.prune_after_height)),
            ("seeds", if self.seeds.is_empty() { none() } else { self.seeds.join(" ") }),
        ];
        rows.iter().try_for_each(|(label, value)| writeln!(f, "{label:<18} {value}"))
    }
}

impl NetworkView {
    fn subsidy(&self) -> bitcoin::Amount {
        bitcoin::Amount::from_sat(self.subsidy_initial)
    }
}

fn bits(bits: bitcoin::CompactTarget) -> String {
    format!("{:08x}", bits.to_consensus())
}

fn activation(heights: &ActivationHeights) -> Vec<ActivationView> {
    let view = |deployment: Deployment| ActivationView { name: deployment.name(), height: heights.height(deployment) };
    Deployment::ALL.map(view).into()
}
