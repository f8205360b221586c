//! Messages signed with the key of an address (Core: `rpc/signmessage.cpp`, `common/signmessage.cpp`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::{PubkeyHash, PublicKey, sign_message};

use crate::rpc::address::{decode_address, decode_secret};
use crate::rpc::{Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_result};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "signmessagewithprivkey",
        category: Category::Util,
        description: "Sign a message with the private key of an address\n",
        parameters: &[
            Parameter::string("privkey", Presence::Required, "The private key to sign the message with."),
            Parameter::string("message", Presence::Required, "The message to create a signature of."),
        ],
        results: &[ResultDoc::string("signature", "The signature of the message encoded in base 64")],
        examples: &[
            Example::text("\nCreate the signature\n"),
            Example::cli("\"privkey\" \"my message\""),
            Example::text("\nVerify the signature\n"),
            Example::cli_of("verifymessage", "\"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX\" \"signature\" \"my message\""),
            Example::text("\nAs a JSON-RPC call\n"),
            Example::rpc("\"privkey\", \"my message\""),
        ],
        handler: |call| Box::pin(signmessagewithprivkey(call)),
    },
    Method {
        name: "verifymessage",
        category: Category::Util,
        description: "Verify a signed message.",
        parameters: &[
            Parameter::string("address", Presence::Required, "The bitcoin address to use for the signature."),
            Parameter::string(
                "signature",
                Presence::Required,
                "The signature provided by the signer in base 64 encoding (see signmessagewithprivkey).",
            ),
            Parameter::string("message", Presence::Required, "The message that was signed."),
        ],
        results: &[ResultDoc::boolean("", "If the signature is verified or not.")],
        examples: &[
            Example::text("\nCreate the signature\n"),
            Example::cli_of("signmessagewithprivkey", "\"privkey\" \"my message\""),
            Example::text("\nVerify the signature\n"),
            Example::cli("\"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX\" \"signature\" \"my message\""),
            Example::text("\nAs a JSON-RPC call\n"),
            Example::rpc("\"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX\", \"signature\", \"my message\""),
        ],
        handler: |call| Box::pin(verifymessage(call)),
    },
];

/// Bytes of a signature from which the key can be recovered, the first of which says how.
const COMPACT_SIGNATURE: usize = 65;
/// What the first byte counts from (Core: `CKey::SignCompact`).
const RECOVERY_OFFSET: u8 = 27;
/// The bit of the first byte that says that the key is written in its short form.
const IS_COMPRESSED: u8 = 4;

async fn signmessagewithprivkey(call: Call) -> RpcResult {
    let (key, message): (String, String) = (call.arguments.get("privkey")?, call.arguments.get("message")?);
    let key = decode_secret(&key, call.context.params.address_format)
        .ok_or_else(|| RpcError::invalid_address_or_key("Invalid private key"))?;
    let signature = Secp256k1::signing_only().sign_ecdsa_recoverable(&digest(&message), &key.inner);
    let (recovery, bytes) = signature.serialize_compact();
    let recovery = u8::try_from(recovery.to_i32()).unwrap_or_default();
    let first = RECOVERY_OFFSET + recovery + if key.compressed { IS_COMPRESSED } else { 0 };
    to_result(&STANDARD.encode([&[first], &bytes[..]].concat()))
}

async fn verifymessage(call: Call) -> RpcResult {
    let address: String = call.arguments.get("address")?;
    let signature: String = call.arguments.get("signature")?;
    let message: String = call.arguments.get("message")?;
    let address = decode_address(&address, call.context.params.address_format)
        .map_err(|_| RpcError::invalid_address_or_key("Invalid address"))?;
    let Some(hash) = address.pubkey_hash() else {
        return Err(RpcError::type_error("Address does not refer to key"));
    };
    let signature = STANDARD.decode(&signature).map_err(|_| RpcError::type_error("Malformed base64 encoding"))?;
    to_result(&(signer(&signature, &message) == Some(hash)))
}

/// What is signed: the message below a heading that no transaction begins with (Core: `MessageHash`).
fn digest(message: &str) -> Message {
    Message::from_digest(*sign_message::signed_msg_hash(message).as_ref())
}

/// The hash of the key that signed a message (Core: `CPubKey::RecoverCompact`).
fn signer(signature: &[u8], message: &str) -> Option<PubkeyHash> {
    let signature: &[u8; COMPACT_SIGNATURE] = signature.try_into().ok()?;
    let (first, bytes) = signature.split_first()?;
    // Core, too, takes any first byte and looks at three bits.
    let form = first.wrapping_sub(RECOVERY_OFFSET);
    let recovery = RecoveryId::from_i32(i32::from(form & 3)).ok()?;
    let signature = RecoverableSignature::from_compact(bytes, recovery).ok()?;
    let inner = Secp256k1::verification_only().recover_ecdsa(&digest(message), &signature).ok()?;
    Some(PublicKey { compressed: form & IS_COMPRESSED != 0, inner }.pubkey_hash())
}

#[cfg(test)]
mod tests {
    use crate::rpc::testing::RpcTest;

    const KEY: &str = "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N";
    const ADDRESS: &str = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB";
    const SIGNATURE: &str = "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=";

    /// `rpc_signmessagewithprivkey.py` of Core.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_message_is_signed_as_core_signs_it() {
        let test = RpcTest::start(0).await;
        let params = format!("[\"{KEY}\",\"This is just a test message\"]");
        let signed = test.call("signmessagewithprivkey", &params).await.unwrap();
        assert_eq!(signed.get(), format!("\"{SIGNATURE}\""));
        for (message, verified) in [("This is just a test message", "true"), ("This is another", "false")] {
            let params = format!("[\"{ADDRESS}\",\"{SIGNATURE}\",\"{message}\"]");
            assert_eq!(test.call("verifymessage", &params).await.unwrap().get(), verified);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_signed_or_verified_is_told() {
        let test = RpcTest::start(0).await;
        let error = test.call("signmessagewithprivkey", "[\"invalid_key\",\"m\"]").await.unwrap_err();
        assert_eq!(error, (-5, "Invalid private key".to_owned()));
        let main = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn";
        let error = test.call("signmessagewithprivkey", &format!("[\"{main}\",\"m\"]")).await.unwrap_err();
        assert_eq!(error.0, -5, "another network's");
        for (address, signature, expected) in [
            ("invalid_addr", SIGNATURE, (-5, "Invalid address")),
            ("2N2JD6wb56AfK4tfmM6PwdVmoYk2dCKf4Br", SIGNATURE, (-3, "Address does not refer to key")),
            (ADDRESS, "invalid_sig", (-3, "Malformed base64 encoding")),
        ] {
            let params = format!("[\"{address}\",\"{signature}\",\"m\"]");
            let error = test.call("verifymessage", &params).await.unwrap_err();
            assert_eq!(error, (expected.0, expected.1.to_owned()));
        }
        // Base64, but no signature.
        let params = format!("[\"{ADDRESS}\",\"AAAA\",\"m\"]");
        assert_eq!(test.call("verifymessage", &params).await.unwrap().get(), "false");
    }
}
