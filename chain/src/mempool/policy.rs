//! Which transactions a node keeps and relays, beyond what blocks may hold: Core's policy, as pure functions.
//!
//! Nothing here knows a mempool, a clock or a lock. What a rule asks about other transactions is an argument, or a question
//! to [`TrucPool`]. The order in which acceptance asks for the checks is Core's `MemPoolAccept::PreChecks`
//! (`validation.cpp`), and acceptance's to keep:
//!
//! ```text
//! one transaction   check_standard ─▶ check_nonwitness_size ─▶ check_inputs_standard ─▶ check_witness_standard
//!                   ─▶ pre_check_ephemeral_tx ─▶ check_sigop_cost ─▶ single_truc_checks ─▶ check_ephemeral_spends
//! a package         check_well_formed_package ─▶ (each transaction) ─▶ package_truc_checks ─▶ check_ephemeral_spends
//! ```
//!
//! Where [`PolicyOptions::require_standard`] is off, `check_standard`, `check_inputs_standard`, `check_witness_standard` and
//! both checks of ephemeral dust are left out; the others hold always.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `options` | [`PolicyOptions`]: what the operator may choose | `kernel/mempool_options.h` |
//! | `standard` | rules that need only the transaction | `IsStandardTx`, `policy/policy.cpp` |
//! | `inputs` | rules about what it spends, without witness | `ValidateInputsStandardness` |
//! | `witness` | rules about its witnesses | `IsWitnessStandard`, `SpendsNonAnchorWitnessProg` |
//! | `dust` | outputs that cost more to spend than they hold | `GetDustThreshold`, `GetDust` |
//! | `size` | virtual sizes that count signature operations | `GetVirtualTransactionSize` |
//! | `truc` | transactions of version 3, restricted until confirmed (BIP431) | `policy/truc_policy.cpp` |
//! | `ephemeral` | dust that is spent by the next transaction | `policy/ephemeral_policy.cpp` |
//! | `package` | transactions that are submitted together | `policy/packages.cpp` |
//! | `error`, `verdict` | one variant for each rule, and what it means | `TxValidationResult` |

mod dust;
mod ephemeral;
mod error;
#[cfg(test)]
mod fixtures;
mod inputs;
mod options;
mod package;
mod size;
mod standard;
mod truc;
mod verdict;
mod witness;

pub use dust::{dust_outputs, dust_threshold, is_dust};
pub use ephemeral::{check_ephemeral_spends, pre_check_ephemeral_tx};
pub use error::{
    EphemeralError, InputStandardnessError, PackageError, StandardnessError, TransactionIds, TrucViolation,
    WitnessStandardnessError,
};
pub use inputs::{MAX_P2SH_SIGOPS, MAX_TX_LEGACY_SIGOPS, check_inputs_standard};
pub use options::{
    DEFAULT_ACCEPT_DATACARRIER, DEFAULT_BYTES_PER_SIGOP, DEFAULT_PERMIT_BAREMULTISIG, DUST_RELAY_TX_FEE,
    MAX_OP_RETURN_RELAY, PolicyOptions,
};
pub use package::{
    MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT, check_child_with_parents, check_well_formed_package, is_child_with_parents,
    is_child_with_parents_tree, is_consistent, is_topologically_sorted, package_hash,
};
pub use size::{sigop_adjusted_weight, virtual_size};
pub use standard::{
    MAX_DUST_OUTPUTS_PER_TX, MAX_STANDARD_SCRIPTSIG_SIZE, MAX_STANDARD_TX_SIGOPS_COST, MAX_STANDARD_TX_WEIGHT,
    MIN_STANDARD_TX_NONWITNESS_SIZE, TX_MAX_STANDARD_VERSION, TX_MIN_STANDARD_VERSION, check_nonwitness_size,
    check_sigop_cost, check_standard,
};
pub use truc::{
    TRUC_ANCESTOR_LIMIT, TRUC_CHILD_MAX_VSIZE, TRUC_DESCENDANT_LIMIT, TRUC_MAX_VSIZE, TRUC_VERSION, TrucPool,
    package_truc_checks, single_truc_checks,
};
pub use verdict::TransactionVerdict;
pub use witness::{
    MAX_STANDARD_P2WSH_SCRIPT_SIZE, MAX_STANDARD_P2WSH_STACK_ITEM_SIZE, MAX_STANDARD_P2WSH_STACK_ITEMS,
    MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE, check_witness_standard, spends_non_anchor_witness_program,
};
