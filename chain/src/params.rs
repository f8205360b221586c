//! Everything that makes one network different from another.
//!
//! A [`ChainParams`] is complete: given one, the rest of the node needs no further knowledge of networks. Six are built
//! in ([`BUILTIN_NETWORKS`]); any number of private ones come from [spec files](spec_file). Four of the six are Bitcoin
//! Core's, value for value (`kernel/chainparams.cpp`); `cairn` and `devnet` are ours.
//!
//! ```text
//! ChainParams ── what a network is called and how it presents itself
//!   └ ConsensusParams ── what its nodes must agree on ─┐
//!        ├ ActivationHeights, one per Deployment       ├─▶ spec_hash: two networks that differ never meet
//!        └ PowParams (crate::pow)                      ┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `cairn`, `devnet`, `main`, `testnet4`, `signet`, `regtest` | one network each |
//! | `consensus`, `deployment`, `version_bits` | the rules networks differ in |
//! | `genesis`, `mine` | the first block, and finding its nonce |
//! | `address` | how addresses and keys are written |
//! | `select` | networks by name |
//! | [`spec_file`] | networks from files |
//! | `spec_hash` | the hash of everything nodes must agree on |
//! | `tx_data` | how many transactions there are, for guessing how far a download is |
//! | `headers_sync` | what is remembered of headers whose work is not known yet |
//! | `compact` | compact targets that are written the one right way |

mod address;
mod cairn;
mod compact;
mod consensus;
mod deployment;
mod devnet;
mod genesis;
mod headers_sync;
mod main;
mod mine;
mod regtest;
mod select;
mod signet;
pub mod spec_file;
mod spec_hash;
mod testnet4;
mod tx_data;
mod version_bits;

pub use address::AddressFormat;
pub use consensus::{BaseScriptRules, BlockPosition, ConsensusParams, ScriptFlagException};
pub use deployment::{
    ActivationHeights, ActivationOverride, ActivationOverrideError, Deployment, MAX_ACTIVATION_HEIGHT,
};
pub use genesis::{Genesis, GenesisParts, MAX_GENESIS_MESSAGE_BYTES};
pub use headers_sync::HeadersSyncParams;
pub(crate) use headers_sync::MAX_BLOCKS_PER_SECOND;
pub use mine::mine_genesis;
pub use regtest::RegtestOptions;
pub use select::{BUILTIN_NETWORKS, SelectNetworkError};
pub use tx_data::ChainTxData;
pub use version_bits::{DeploymentStart, VersionBitsDeployment};

use crate::pow::Work;
use bitcoin::BlockHash;

/// One network: its rules, its first block and how it presents itself.
///
/// Core: `CChainParams`, `kernel/chainparams.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainParams {
    /// The name users type, unique among the networks a node knows.
    pub name: String,
    /// The name RPC clients are told (`getblockchaininfo`, field `chain`), one of Core's, because tools choose their
    /// address format by it (Core: `ChainTypeToString`).
    pub rpc_name: &'static str,
    /// How addresses and keys are written.
    pub address_format: AddressFormat,
    /// The four bytes, in the order they are written, that open every record of a block file (Core: `pchMessageStart`).
    pub magic: [u8; 4],
    /// TCP and UDP port for peers unless configured (Core: `nDefaultPort`).
    pub default_p2p_port: u16,
    /// TCP port for JSON-RPC unless configured (Core: `CreateBaseChainParams`).
    pub default_rpc_port: u16,
    /// The first block.
    pub genesis: Genesis,
    /// What all nodes of the network must agree on.
    pub consensus: ConsensusParams,
    /// Work, in expected hashes, the best chain is known to exceed; zero where nothing is known
    /// (Core: `nMinimumChainWork`).
    pub minimum_chain_work: Work,
    /// A block whose ancestors' scripts need no check by default (Core: `defaultAssumeValid`).
    pub assume_valid: Option<BlockHash>,
    /// Whether it is for tests: clocks of nodes may be set, and an old tip says nothing (Core: `m_is_mockable_chain`).
    pub is_mockable: bool,
    /// Pruning deletes nothing before the chain has this many blocks (Core: `nPruneAfterHeight`).
    pub prune_after_height: u64,
    /// The version-bits deployment reserved for tests (Core: `DEPLOYMENT_TESTDUMMY`). It changes which version a new
    /// block carries but no rule, so it is not part of [`ConsensusParams`].
    pub testdummy: VersionBitsDeployment,
    /// How many transactions the chain is known to have (Core: `chainTxData`).
    pub chain_tx_data: ChainTxData,
    /// What is remembered of a chain of headers before its work is known (Core: `m_headers_sync_params`).
    pub headers_sync: HeadersSyncParams,
    /// Multiaddresses of nodes to meet first. Core's networks have none: their DNS seeds speak another protocol.
    pub seeds: Vec<String>,
}

/// Parses the hash in a constant of this module, in the byte order block hashes are displayed in.
fn block_hash(displayed: &str) -> BlockHash {
    displayed.parse().expect("a constant of 64 hex digits")
}

#[cfg(test)]
mod tests;
