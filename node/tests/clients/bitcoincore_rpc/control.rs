//! The node itself, its network, descriptors.

use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::{Address, Amount};
use bitcoincore_rpc::json::{EstimateMode, StringOrStringArray};
use bitcoincore_rpc::{Client, RpcApi};

use super::{refusal, scene};
use crate::purse::Purse;

#[test]
fn the_network() {
    let (_scene, client) = scene();
    let info = client.get_network_info().unwrap();
    assert_eq!(client.version().unwrap(), info.version);
    assert!(info.version >= 280_000, "{}", info.version);
    assert!(info.subversion.starts_with("/Satoshi:") && info.subversion.ends_with('/'), "{}", info.subversion);
    assert!(info.protocol_version >= 70_016, "{}", info.protocol_version);
    assert_eq!(info.local_services.len(), 16);
    assert!(u64::from_str_radix(&info.local_services, 16).is_ok());
    assert!(info.local_relay, "Core Lightning demands it");
    assert_eq!((info.time_offset, info.connections), (0, client.get_connection_count().unwrap()));
    assert_eq!((info.connections_in, info.connections_out), (Some(0), Some(0)));
    let names: Vec<&str> = info.networks.iter().map(|network| network.name.as_str()).collect();
    assert_eq!(names, ["ipv4", "ipv6", "onion", "i2p", "cjdns"]);
    assert_eq!((info.relay_fee, info.incremental_fee), (Amount::from_sat(100), Amount::from_sat(100)));
    assert!(info.local_addresses.is_empty());
    assert_eq!(info.warnings, StringOrStringArray::StringArray(Vec::new()));

    assert_eq!(client.get_connection_count().unwrap(), 0);
    assert_eq!(client.get_peer_info().unwrap().len(), 0);
    client.ping().unwrap();
    let totals = client.get_net_totals().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert!(now.abs_diff(totals.time_millis.into()) < 60_000);
    assert_eq!((totals.upload_target.target, totals.upload_target.time_frame), (0, 86_400));
    assert!(totals.upload_target.serve_historical_blocks && !totals.upload_target.target_reached);
}

#[test]
fn the_node() {
    let (scene, client) = scene();
    assert!(client.uptime().unwrap() < 600);
    let indices = client.get_index_info().unwrap();
    assert_eq!((indices.txindex, indices.coinstatsindex, indices.basic_block_filter_index), (None, None, None));
    let said = client.stop().unwrap();
    assert!(said.contains("stopping"), "{said}");
    let crate::scene::Scene { node, .. } = scene;
    let output = node.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn fees_without_a_history() {
    let (_scene, client) = scene();
    for mode in [None, Some(EstimateMode::Unset), Some(EstimateMode::Economical), Some(EstimateMode::Conservative)] {
        for target in [1, 2, 6, 144, 1008] {
            let fee = client.estimate_smart_fee(target, mode).unwrap();
            assert_eq!(fee.errors, None);
            assert!(fee.fee_rate.unwrap() >= Amount::from_sat(100), "{fee:?}");
            assert!((1..=1008).contains(&fee.blocks), "{fee:?}");
        }
    }
    assert_eq!(refusal(client.estimate_smart_fee(1009, None)).0, -8);
}

#[test]
fn descriptors() {
    let (_scene, client) = scene();
    let purse = Purse::new(5);
    let plain = format!("wpkh({})", purse.public_key());
    let info = client.get_descriptor_info(&plain).unwrap();
    let checksum = info.checksum.unwrap();
    assert_eq!(info.descriptor, format!("{plain}#{checksum}"));
    assert_eq!((info.is_range, info.is_solvable, info.has_private_keys), (false, true, false));
    let parsed: miniscript::Descriptor<bitcoin::PublicKey> = plain.parse().unwrap();
    assert_eq!(parsed.to_string(), info.descriptor, "one checksum (BIP380)");
    let addresses = client.derive_addresses(&info.descriptor, None).unwrap();
    assert_eq!(addresses.into_iter().map(Address::assume_checked).collect::<Vec<_>>(), [purse.address()]);

    // The root of the test vectors of BIP32, number 1.
    let ranged = "wpkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/*)";
    let info = client.get_descriptor_info(ranged).unwrap();
    assert!(info.is_range && info.is_solvable && !info.has_private_keys);
    let parsed: miniscript::Descriptor<miniscript::DescriptorPublicKey> = ranged.parse().unwrap();
    let expected: Vec<Address> = (3..=6)
        .map(|index| parsed.at_derivation_index(index).unwrap().address(bitcoin::Network::Regtest).unwrap())
        .collect();
    let addresses = client.derive_addresses(&info.descriptor, Some([3, 6])).unwrap();
    assert_eq!(addresses.into_iter().map(Address::assume_checked).collect::<Vec<_>>(), expected);
    assert_eq!(refusal(client.derive_addresses(ranged, Some([3, 6]))).0, -5, "no checksum");
}

/// The client sends the signature as hexadecimal DER, which no node takes for a signature of a message; what is told is
/// what Core tells.
#[test]
fn messages() {
    let (_scene, client) = scene();
    let purse = Purse::new(5);
    let secp = Secp256k1::new();
    let hash = Message::from_digest([7; 32]);
    let signature = secp.sign_ecdsa_low_r(&hash, &purse.private_key().inner);
    let address = purse.legacy_address();
    let text = signature.to_string();
    let answer = client.verify_message(&address, &signature, "message");
    if text.len().is_multiple_of(4) {
        assert!(!answer.unwrap());
    } else {
        let (code, message) = refusal(answer);
        assert_eq!((code, message.as_str()), (-3, "Malformed base64 encoding"));
    }
    let (code, message) = refusal(client.verify_message(&purse.address(), &signature, "message"));
    assert_eq!((code, message.as_str()), (-3, "Address does not refer to key"));
}

/// Calls of methods that the node does not have, which it says as a client understands it. A method that comes has to leave
/// this list for a test of its own.
#[test]
fn methods_that_are_missing() {
    let (scene, client) = scene();
    let hash = scene.hash(0);
    let psbt = String::new();
    type Attempt<'a> = Box<dyn Fn(&Client) -> (i32, String) + 'a>;
    let attempts: Vec<(&str, Attempt<'_>)> = vec![
        ("getblockfilter", Box::new(|client| refusal(client.get_block_filter(&hash)))),
        ("createpsbt", Box::new(|client| refusal(client.create_psbt(&[], &Default::default(), None, None)))),
        ("joinpsbts", Box::new(|client| refusal(client.join_psbt(std::slice::from_ref(&psbt))))),
        ("combinepsbt", Box::new(|client| refusal(client.combine_psbt(std::slice::from_ref(&psbt))))),
        ("finalizepsbt", Box::new(|client| refusal(client.finalize_psbt(&psbt, None)))),
        ("getzmqnotifications", Box::new(|client| refusal(client.get_zmq_notifications()))),
    ];
    let help = scene.rpc.call("help", &serde_json::json!([]));
    for (method, attempt) in attempts {
        let (code, message) = attempt(&client);
        assert!(code == -32601 && message.starts_with("Method not found"), "{method}: {code} {message}");
        assert!(!help.as_str().unwrap().lines().any(|line| line.split(' ').next() == Some(method)), "{method}");
    }
}
