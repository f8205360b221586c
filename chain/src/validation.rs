//! Whether blocks and transactions obey the rules.
//!
//! What was checked is said by the type, so a step that is skipped does not compile. Each step wants the one before, and
//! [`ConnectableBlock`], which alone may change the set of coins, comes out of nothing but the last:
//!
//! ```text
//! Header ── check_header ──▶ CheckedHeader ── contextual_check_header ──▶ ContextuallyCheckedHeader
//!            proof of work                     difficulty, time, version           │
//!                                                                                  ▼
//! Block ─── check_block ───▶ CheckedBlock ─── contextual_check_block ──▶ ContextuallyCheckedBlock
//!            merkle root, sizes,               lock times, height,                 │ check_inputs
//!            transactions                      witness commitment, weight          ▼
//!                                                                           InputsCheckedBlock
//!                                              signatures, in parallel             │ check_scripts
//!                                                                                  ▼
//!                                                                           ConnectableBlock
//! ```
//!
//! A step is handed the chain its block extends; to hand it another is a bug of the caller, and panics.
//!
//! The order within a step is Core's, so that a block that breaks several rules is rejected for the same one. Each rule is
//! a variant of [`BlockError`], [`HeaderError`], [`TransactionError`] or [`InputsError`], each of which knows Core's reject
//! reason; [`Verdict`] says what the failure means for the block's hash and for whoever sent it.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `transaction` | rules that need only the transaction | `CheckTransaction`, `consensus/tx_check.cpp` |
//! | `header` | proof of work; difficulty, time and version | `CheckBlockHeader`, `ContextualCheckBlockHeader` |
//! | `block` | rules that need only the block | `CheckBlock`, `validation.cpp` |
//! | `contextual` | rules that need the headers before it | `ContextualCheckBlock`, `validation.cpp` |
//! | `inputs` | coins, amounts, maturity, sequence locks, signature operations | `ConnectBlock`, `CheckTxInputs` |
//! | `scripts` | all scripts of a block on all threads | `CheckInputScripts`, `CCheckQueue` |
//! | `cache` | what need not be verified again | `ValidationCache` |
//! | `lock_time` | final transactions, relative lock times | `IsFinalTx`, `CalculateSequenceLocks` |
//! | `merkle`, `witness_commitment`, `signet` | roots, the commitment to witnesses, BIP325 | `consensus/merkle.cpp`, `signet.cpp` |
//! | `proposal` | a block that is looked at but not taken | `TestBlockValidity`, `validation.cpp` |
//! | `version_bits` | rules that miners vote about | `versionbits.cpp` |
//! | `rules` | which script flags and BIP30 hold where | `GetBlockScriptFlags`, `IsBIP30Repeat` |
//! | `subsidy` | what a block may create | `GetBlockSubsidy` |
//! | `error`, `verdict` | one variant for each rule, and what it means | `BlockValidationResult` |

mod block;
mod cache;
mod contextual;
mod error;
mod header;
mod inputs;
mod lock_time;
mod merkle;
mod proposal;
mod rules;
mod scripts;
mod signet;
mod subsidy;
mod transaction;
mod verdict;
mod version_bits;
mod witness_commitment;

pub use block::{CheckedBlock, check_block, check_not_mutated};
pub use cache::{ScriptExecutionCache, ValidationCache};
pub use contextual::{ContextuallyCheckedBlock, contextual_check_block};
pub use error::{BlockError, HeaderError, InputsError, TransactionError};
pub use header::{CheckedHeader, ContextuallyCheckedHeader, check_header, contextual_check_header};
pub use inputs::{InputsCheckedBlock, check_inputs, check_transaction_inputs, transaction_sigop_cost};
pub use lock_time::{SequenceLocks, is_final};
pub use merkle::{MerkleRoot, merkle_root, witness_merkle_root};
pub(crate) use merkle::{merkle_branch, root_of, root_with_branch};
pub use proposal::{ProposalChecks, check_proposal};
pub use rules::block_script_flags;
pub use scripts::{ConnectableBlock, ScriptChecks, check_scripts};
pub use subsidy::block_subsidy;
pub use transaction::check_transaction;
pub use verdict::Verdict;
pub use version_bits::{
    DeploymentInfo, DeploymentState, DeploymentStatistics, ThresholdState, compute_block_version, deployment_info,
    deployment_state,
};
pub use witness_commitment::witness_commitment;
pub(crate) use witness_commitment::{commitment_index, commitment_script};

/// The most satoshis any value or sum may be (Core: `MAX_MONEY`, `consensus/amount.h`). Not the supply: a bound that keeps
/// sums from overflowing.
pub const MAX_MONEY: i64 = 21_000_000 * 100_000_000;
/// The most weight a block may have, in weight units (Core: `MAX_BLOCK_WEIGHT`, `consensus/consensus.h`; BIP141).
pub const MAX_BLOCK_WEIGHT: usize = 4_000_000;
/// The most signature operations a block may have; one outside the witness costs four (Core: `MAX_BLOCK_SIGOPS_COST`,
/// `consensus/consensus.h`; BIP141).
pub const MAX_BLOCK_SIGOPS_COST: usize = 80_000;
/// Blocks until the outputs of a coinbase may be spent (Core: `COINBASE_MATURITY`, `consensus/consensus.h`).
pub const COINBASE_MATURITY: u32 = 100;
/// How far ahead of the clock a block may be, in seconds (Core: `MAX_FUTURE_BLOCK_TIME`, `chain.h`).
pub const MAX_FUTURE_BLOCK_TIME: u64 = 2 * 60 * 60;
/// How far the first block of a period may lie before the last of the one before, in seconds (Core: `MAX_TIMEWARP`,
/// `consensus/consensus.h`; BIP94).
pub const MAX_TIMEWARP: u32 = 600;
