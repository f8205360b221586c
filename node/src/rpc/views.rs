//! How transactions and scripts look in results (Core: `core_io.cpp`).
//!
//! A view borrows what it shows and is written straight into the text of the result, so a block of thousands of transactions
//! takes no memory but its text.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `transaction` | a transaction, with what it spends where that is known | `TxToUniv` |
//! | `script` | the script of an output | `ScriptToUniv` |
//! | `asm` | the operations of a script | `ScriptToAsmStr` |
//! | `descriptor` | the descriptor that stands for a script, and checksums | `InferDescriptor`, `DescriptorChecksum` |
//! | `docs` | the docs of all that | `TxDoc`, `ScriptPubKeyDoc` |

mod asm;
mod descriptor;
pub(super) mod docs;
mod script;
mod transaction;

pub(super) use asm::script_asm;
pub(super) use descriptor::{descriptor_checksum, infer_descriptor};
pub(super) use script::{ScriptView, script_address};
pub(super) use transaction::TransactionView;

#[cfg(test)]
mod tests;
