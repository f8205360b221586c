//! The script of an output.

use bitcoin::hashes::Hash;
use bitcoin::{Address, PubkeyHash, ScriptHash, WitnessProgram, WitnessVersion};
use cairn_chain::params::AddressFormat;
use cairn_chain::script::{TxoutType, solve};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::asm::script_asm;
use super::descriptor::infer_solved;
use crate::rpc::Hex;

/// The script of an output: `asm`, `desc`, `hex`, `address` if it has one, and `type` (Core: `ScriptToUniv`, `core_io.cpp`).
/// Other views flatten it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rpc) struct ScriptView<'a> {
    script: &'a [u8],
    format: AddressFormat,
    include_hex: bool,
}

impl<'a> ScriptView<'a> {
    /// Everything about a script; `format` is the network's.
    pub(in crate::rpc) fn new(script: &'a [u8], format: AddressFormat) -> Self {
        Self { script, format, include_hex: true }
    }

    /// Leaves `hex` out (Core: `include_hex`).
    #[must_use]
    pub(in crate::rpc) fn without_hex(self) -> Self {
        Self { include_hex: false, ..self }
    }
}

impl Serialize for ScriptView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = solve(self.script);
        let address = address(&form, self.format).map(|address| address.to_string());
        let mut fields = serializer.serialize_struct("ScriptView", 5)?;
        fields.serialize_field("asm", &script_asm(self.script, false))?;
        fields.serialize_field("desc", &infer_solved(self.script, &form, address.as_deref()))?;
        if self.include_hex {
            fields.serialize_field("hex", &Hex(self.script))?;
        }
        if let Some(address) = address {
            fields.serialize_field("address", &address)?;
        }
        fields.serialize_field("type", form.name())?;
        fields.end()
    }
}

/// The address that stands for an output's script, if there is one (Core: `ExtractDestination`, `addresstype.cpp`).
#[must_use]
pub(in crate::rpc) fn script_address(script: &[u8], format: AddressFormat) -> Option<Address> {
    address(&solve(script), format)
}

/// The same, of a script whose form is known.
pub(super) fn address(form: &TxoutType<'_>, format: AddressFormat) -> Option<Address> {
    let witness = |version: u8, program: &[u8]| {
        let program = WitnessProgram::new(WitnessVersion::try_from(version).ok()?, program).ok()?;
        Some(Address::from_witness_program(program, format.hrp))
    };
    match form {
        TxoutType::PubkeyHash(hash) => Some(Address::p2pkh(PubkeyHash::from_byte_array(**hash), format.kind)),
        TxoutType::ScriptHash(hash) => Some(Address::p2sh_from_hash(ScriptHash::from_byte_array(**hash), format.kind)),
        TxoutType::WitnessV0KeyHash(hash) => witness(0, *hash),
        TxoutType::WitnessV0ScriptHash(hash) => witness(0, *hash),
        TxoutType::WitnessV1Taproot(key) => witness(1, *key),
        TxoutType::Anchor => witness(1, &[0x4e, 0x73]),
        TxoutType::WitnessUnknown { version, program } => witness(*version, program),
        TxoutType::Pubkey(_) | TxoutType::Multisig { .. } | TxoutType::NullData | TxoutType::Nonstandard => None,
    }
}
