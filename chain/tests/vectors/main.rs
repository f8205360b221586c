//! Bitcoin Core's published test vectors against our scripts, signature hashes and taproot hashes.
//!
//! | file | holds |
//! |---|---|
//! | `script_tests` | `script_tests.json`: one script against another, with the exact error |
//! | `transactions` | `tx_valid.json`, `tx_invalid.json`: whole transactions, with the flags that decide |
//! | `sighash` | `sighash.json`: legacy signature hashes |
//! | `taproot` | `bip341_wallet_vectors.json`: script trees, output keys, key path signatures |
//! | `script_assets` | a half of Core's `script_assets_test.json`, which is acceptance data |
//! | `core_data`, `acceptance_data` | where the files are |
//! | `assembly`, `flags`, `json` | how the files write scripts, flags and bytes |
//! | `spend`, `random` | verifying an input, repeatable random flags |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../support/acceptance_data.rs"]
mod acceptance_data;
mod assembly;
mod core_data;
mod flags;
mod json;
mod random;
mod script_assets;
mod script_tests;
mod sighash;
mod spend;
mod taproot;
mod transactions;
