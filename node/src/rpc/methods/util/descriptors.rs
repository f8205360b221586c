//! Descriptors, and the addresses they stand for (Core: `getdescriptorinfo`, `deriveaddresses`, `rpc/output_script.cpp`).

use bitcoin::Address;
use cairn_chain::params::AddressFormat;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::rpc::descriptor::{Descriptor, DescriptorError, IndexRange, required_checksum};
use crate::rpc::views::script_address;
use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result,
};

/// A descriptor for examples.
macro_rules! single_descriptor {
    () => {
        "wpkh([d34db33f/84h/0h/0h]0279be667ef9dcbbac55a06295Ce870b07029Bfcdb2dce28d959f2815b16f81798)"
    };
}

/// A descriptor of many scripts, for examples.
macro_rules! ranged_descriptor {
    () => {
        "wpkh([d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqNiUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu\
        3oaqMSzhSrHMxyyoEAmUHQbY/0/*)#cjjspncu"
    };
}

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "deriveaddresses",
        category: Category::Util,
        description: "Derives one or more addresses corresponding to an output descriptor.\n\
            Examples of output descriptors are:\n    \
            pkh(<pubkey>)                                     P2PKH outputs for the given pubkey\n    \
            wpkh(<pubkey>)                                    Native segwit P2PKH outputs for the given pubkey\n    \
            sh(multi(<n>,<pubkey>,<pubkey>,...))              P2SH-multisig outputs for the given threshold and pubkeys\n    \
            raw(<hex script>)                                 Outputs whose output script equals the specified hex-encoded \
            bytes\n    \
            tr(<pubkey>,multi_a(<n>,<pubkey>,<pubkey>,...))   P2TR-multisig outputs for the given threshold and pubkeys\n\
            \nIn the above, <pubkey> either refers to a fixed public key in hexadecimal notation, or to an xpub/xprv \
            optionally followed by one\n\
            or more path elements separated by \"/\", where \"h\" represents a hardened child key.\n\
            For more information on output descriptors, see the documentation in the doc/descriptors.md file.\n",
        parameters: &[
            Parameter::string("descriptor", Presence::Required, "The descriptor."),
            Parameter::range(
                "range",
                Presence::Omitted,
                "If a ranged descriptor is used, this specifies the end or the range (in [begin,end] notation) to derive.",
            ),
        ],
        results: &[
            ResultDoc::array("", "", &[ResultDoc::string("address", "the derived addresses")])
                .when("for single derivation descriptors"),
            ResultDoc::array(
                "",
                "The derived addresses for each of the multipath expansions of the descriptor, in multipath specifier order",
                &[ResultDoc::array(
                    "",
                    "The derived addresses for a multipath descriptor expansion",
                    &[ResultDoc::string("address", "the derived address")],
                )],
            )
            .when("for multipath descriptors"),
        ],
        examples: &[
            Example::text("First three native segwit receive addresses\n"),
            Example::cli(concat!("\"", ranged_descriptor!(), "\" \"[0,2]\"")),
            Example::rpc(concat!("\"", ranged_descriptor!(), "\", \"[0,2]\"")),
        ],
        handler: |call| Box::pin(deriveaddresses(call)),
    },
    Method {
        name: "getdescriptorinfo",
        category: Category::Util,
        description: "Analyses a descriptor.\n",
        parameters: &[Parameter::string("descriptor", Presence::Required, "The descriptor.")],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::string(
                    "descriptor",
                    "The descriptor in canonical form, without private keys. For a multipath descriptor, only the first will \
                     be returned.",
                ),
                ResultDoc::array(
                    "multipath_expansion",
                    "All descriptors produced by expanding multipath derivation elements. Only if the provided descriptor \
                     specifies multipath derivation elements.",
                    &[ResultDoc::string("", "")],
                )
                .optional(),
                ResultDoc::string("checksum", "The checksum for the input descriptor"),
                ResultDoc::boolean("isrange", "Whether the descriptor is ranged"),
                ResultDoc::boolean("issolvable", "Whether the descriptor is solvable"),
                ResultDoc::boolean(
                    "hasprivatekeys",
                    "Whether the input descriptor contained at least one private key",
                ),
            ],
        )],
        examples: &[
            Example::text("Analyse a descriptor\n"),
            Example::cli(concat!("\"", single_descriptor!(), "\"")),
            Example::rpc(concat!("\"", single_descriptor!(), "\"")),
        ],
        handler: |call| Box::pin(getdescriptorinfo(call)),
    },
];

impl From<DescriptorError> for RpcError {
    fn from(error: DescriptorError) -> Self {
        Self::invalid_address_or_key(error.to_string())
    }
}

async fn getdescriptorinfo(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct DescriptorInfo<'a> {
        descriptor: DisplayString<&'a Descriptor>,
        #[serde(skip_serializing_if = "Option::is_none")]
        multipath_expansion: Option<Vec<DisplayString<&'a Descriptor>>>,
        checksum: String,
        isrange: bool,
        issolvable: bool,
        hasprivatekeys: bool,
    }
    let text: String = call.arguments.get("descriptor")?;
    let descriptors = Descriptor::parse(&text, call.context.params.address_format, false)?;
    let first = descriptors.first().ok_or_else(|| RpcError::internal("a descriptor without alternatives"))?;
    to_result(&DescriptorInfo {
        descriptor: DisplayString(first),
        multipath_expansion: (descriptors.len() > 1).then(|| descriptors.iter().map(DisplayString).collect()),
        checksum: required_checksum(&text).unwrap_or_default(),
        isrange: first.is_range(),
        issolvable: first.is_solvable(),
        hasprivatekeys: first.has_private_keys(),
    })
}

async fn deriveaddresses(call: Call) -> RpcResult {
    let text: String = call.arguments.get("descriptor")?;
    let range: Option<IndexRange> = call.arguments.optional("range")?;
    let format = call.context.params.address_format;
    let descriptors = Descriptor::parse(&text, format, true)?;
    let is_range = descriptors.iter().any(Descriptor::is_range);
    // As in Core, a range that is null counts as one here.
    if !is_range && call.arguments.count() > 1 {
        return Err(RpcError::invalid_parameter("Range should not be specified for an un-ranged descriptor"));
    }
    if is_range && call.arguments.count() == 1 {
        return Err(RpcError::invalid_parameter("Range must be specified for a ranged descriptor"));
    }
    let range = range.unwrap_or(IndexRange { first: 0, last: 0 });
    let stopping = call.context.shutdown.clone();
    let derived = tokio::task::spawn_blocking(move || {
        descriptors.iter().map(|descriptor| derive(descriptor, range, format, &stopping)).collect::<Result<Vec<_>, _>>()
    });
    let mut addresses = derived.await.map_err(|error| RpcError::internal(error.to_string()))??;
    if addresses.len() == 1 { to_result(&addresses.swap_remove(0)) } else { to_result(&addresses) }
}

/// All addresses in a range, until the node is to stop (Core: `DeriveAddresses`).
fn derive(
    descriptor: &Descriptor,
    range: IndexRange,
    format: AddressFormat,
    stopping: &CancellationToken,
) -> Result<Vec<DisplayString<Address>>, RpcError> {
    let mut addresses = Vec::new();
    for index in range.first..=range.last {
        if stopping.is_cancelled() {
            return Err(RpcError::shutting_down());
        }
        let scripts = descriptor
            .scripts(index)
            .ok_or_else(|| RpcError::invalid_address_or_key("Cannot derive script without private keys"))?;
        for script in scripts.iter().filter(|script| !(descriptor.is_combo() && script.is_p2pk())) {
            let address = script_address(script.as_bytes(), format);
            let message = "Descriptor does not have a corresponding address";
            addresses.push(DisplayString(address.ok_or_else(|| RpcError::invalid_address_or_key(message))?));
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests;
