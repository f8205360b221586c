//! Cases as inputs of the fuzz target `verify_script`, whose file describes the form.

use std::fs;
use std::path::Path;

use cairn_chain::script::ScriptVerifyFlags;

use crate::spend::Spend;

/// Writes a case to a file named by its number.
pub(crate) fn write(folder: &Path, case: u64, spend: &Spend) {
    let chosen = |(bit, flag)| u8::from(spend.flags.contains(flag)) << bit;
    let flags: u8 = ScriptVerifyFlags::MANDATORY.iter().enumerate().map(chosen).sum();
    let transaction = spend.serialize();
    let mut bytes = vec![flags, spend.index as u8];
    bytes.extend((transaction.len() as u32).to_le_bytes());
    bytes.extend(transaction);
    for input in &spend.inputs {
        bytes.extend(input.spent.value.to_le_bytes());
        bytes.extend((input.spent.script_pubkey.len() as u16).to_le_bytes());
        bytes.extend(&input.spent.script_pubkey);
    }
    fs::write(folder.join(format!("case-{case}")), bytes).expect("the folder of CAIRN_CORPUS can be written to");
}
