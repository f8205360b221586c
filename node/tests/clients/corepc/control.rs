//! The node itself, its network, addresses, descriptors, messages.

use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Address, FeeRate, Network, ScriptBuf, sign_message};
use corepc_client::client_sync::v31::{AddNodeCommand, Client, FeeEstimateMode, SetBanCommand};

use super::{refusal, scene};
use crate::purse::Purse;

#[test]
fn the_node() {
    let (scene, client) = scene();
    assert!(client.uptime().unwrap() < 600);
    let help = client.help().unwrap();
    assert!(help.starts_with("== Blockchain ==\n") && help.contains("\ngetblockcount\n"), "{help}");
    let memory = client.get_memory_info().unwrap().0;
    assert_eq!(memory.keys().collect::<Vec<_>>(), ["locked"]);
    let commands = client.get_rpc_info().unwrap().active_commands;
    assert_eq!(commands.iter().map(|command| command.method.as_str()).collect::<Vec<_>>(), ["getrpcinfo"]);
    assert!(client.get_index_info().unwrap().0.is_empty());
    client.mock_scheduler(60).unwrap();
    assert!(client.stop().unwrap().contains("stopping"));
    let crate::scene::Scene { node, .. } = scene;
    assert_eq!(node.wait().status.code(), Some(0));
}

#[test]
fn the_network() {
    let (_scene, client) = scene();
    let info = client.get_network_info().unwrap();
    assert_eq!(client.server_version().unwrap(), info.version);
    let info = info.into_model().unwrap();
    assert!(info.version >= 280_000 && info.subversion.starts_with("/Satoshi:"), "{info:?}");
    let least = Some(FeeRate::from_sat_per_kwu(25));
    assert_eq!((info.relay_fee, info.incremental_fee, info.local_relay), (least, least, true));
    assert_eq!((info.connections, info.connections_in, info.connections_out), (0, Some(0), Some(0)));
    assert_eq!(info.networks.len(), 5);
    assert_eq!(client.get_connection_count().unwrap().0, 0);
    assert!(client.get_peer_info().unwrap().0.is_empty());
    client.ping().unwrap();
    let totals = client.get_net_totals().unwrap();
    assert_eq!(totals.upload_target.timeframe, 86_400);
}

#[test]
fn nodes_that_are_added_and_banned() {
    let (_scene, client) = scene();
    client.add_node("127.0.0.1:1", AddNodeCommand::Add).unwrap();
    let added = client.get_added_node_info().unwrap().0;
    assert_eq!((added[0].added_node.as_str(), added[0].connected), ("127.0.0.1:1", false));
    client.add_node("127.0.0.1:1", AddNodeCommand::Remove).unwrap();
    assert!(client.get_added_node_info().unwrap().0.is_empty());
    assert_eq!(refusal(client.disconnect_node("127.0.0.1:1")).0, -29);
    assert!(client.get_node_addresses().unwrap().0.is_empty());
    client.set_ban("127.0.0.2", SetBanCommand::Add).unwrap();
    assert_eq!(client.list_banned().unwrap().0[0].address, "127.0.0.2/32");
    client.set_ban("127.0.0.2", SetBanCommand::Remove).unwrap();
    client.clear_banned().unwrap();
    assert!(client.list_banned().unwrap().0.is_empty());
    client.set_network_active(true).unwrap();
}

#[test]
fn fees_without_a_history() {
    let (_scene, client) = scene();
    let plain = client.estimate_smart_fee(6).unwrap().into_model().unwrap();
    let mut answers = vec![plain];
    for mode in [FeeEstimateMode::Unset, FeeEstimateMode::Economical, FeeEstimateMode::Conservative] {
        answers.push(client.estimate_smart_fee_with_mode(6, mode).unwrap().into_model().unwrap());
    }
    for answer in answers {
        assert_eq!(answer.errors, None);
        assert!(answer.fee_rate.unwrap() >= FeeRate::from_sat_per_kwu(25));
    }
    let raw = client.estimate_raw_fee(6).unwrap();
    for horizon in [raw.short.unwrap(), raw.medium.unwrap(), raw.long] {
        assert_eq!(horizon.fee_rate, None);
        assert_eq!(horizon.errors.unwrap(), ["Insufficient data or no feerate found which meets threshold"]);
        assert!(horizon.decay > 0.9 && horizon.scale >= 1 && horizon.fail.is_some());
    }
}

#[test]
fn addresses() {
    let (_scene, client) = scene();
    let purse = Purse::new(5);
    for (address, is_script, version) in [
        (purse.address(), false, Some(0)),
        (purse.taproot_address(), true, Some(1)),
        (purse.legacy_address(), false, None),
    ] {
        let answer = client.validate_address(&address).unwrap().into_model().unwrap();
        assert!(answer.is_valid);
        assert_eq!(answer.address.assume_checked(), address);
        assert_eq!(answer.script_pubkey, address.script_pubkey());
        assert_eq!((answer.is_script, answer.is_witness), (is_script, version.is_some()));
        assert_eq!(answer.witness_version.map(bitcoin::WitnessVersion::to_num), version);
        let program = answer.witness_program.map(|program| program.program().as_bytes().to_vec());
        assert_eq!(program, address.witness_program().map(|program| program.program().as_bytes().to_vec()));
    }

    let keys = vec![Purse::new(5).public_key(), Purse::new(6).public_key()];
    let multisig = client.create_multisig(2, keys.clone()).unwrap().into_model().unwrap();
    let mut script = bitcoin::script::Builder::new().push_int(2);
    for key in &keys {
        script = script.push_key(key);
    }
    let script: ScriptBuf = script.push_int(2).push_opcode(bitcoin::opcodes::all::OP_CHECKMULTISIG).into_script();
    assert_eq!(multisig.redeem_script, script);
    assert_eq!(multisig.address.assume_checked(), Address::p2sh(&script, Network::Regtest).unwrap());
}

#[test]
fn descriptors() {
    let (_scene, client) = scene();
    let purse = Purse::new(5);
    let info = client.get_descriptor_info(&format!("wpkh({})", purse.public_key())).unwrap();
    assert!(info.descriptor.ends_with(&format!("#{}", info.checksum)) && info.multipath_expansion.is_none());
    assert!(!info.is_range && info.is_solvable && !info.has_private_keys);
    let derived = client.derive_addresses(&info.descriptor).unwrap().into_model().unwrap();
    assert_eq!(derived.addresses[0].clone().assume_checked(), purse.address());

    // The root of the test vectors of BIP32, number 1.
    let key = "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";
    let info = client.get_descriptor_info(&format!("tr({key}/<0;1>/*)")).unwrap();
    assert_eq!(info.multipath_expansion.as_ref().unwrap().len(), 2);
    let with_checksum = format!("tr({key}/<0;1>/*)#{}", info.checksum);
    let both = client.derive_addresses_multipath(&with_checksum, (0, 1)).unwrap().into_model().unwrap().addresses;
    for (branch, addresses) in both.iter().enumerate() {
        let single: miniscript::Descriptor<miniscript::DescriptorPublicKey> =
            format!("tr({key}/{branch}/*)").parse().unwrap();
        let expected: Vec<Address> = (0..=1)
            .map(|index| single.at_derivation_index(index).unwrap().address(Network::Regtest).unwrap())
            .collect();
        let derived: Vec<Address> =
            addresses.addresses.iter().map(|address| address.clone().assume_checked()).collect();
        assert_eq!(derived, expected);
    }
    assert_eq!(both.len(), 2);
}

#[test]
fn messages() {
    let (_scene, client) = scene();
    let purse = Purse::new(5);
    let address = purse.legacy_address();
    let signature = client.sign_message_with_privkey(&purse.private_key(), "hello").unwrap().into_model().unwrap().0;
    assert!(client.verify_message(&address, &signature, "hello").unwrap().0);
    assert!(!client.verify_message(&address, &signature, "hallo").unwrap().0);
    assert!(!client.verify_message(&Purse::new(6).legacy_address(), &signature, "hello").unwrap().0);
    let secp = Secp256k1::verification_only();
    let hash = sign_message::signed_msg_hash("hello");
    assert!(signature.is_signed_by_address(&secp, &address, hash).unwrap());
}

/// Calls of methods that the node does not have, which it says as a client understands it. A method that comes has to leave
/// this list for a test of its own.
#[test]
fn methods_that_are_missing() {
    let (scene, client) = scene();
    let hash = scene.hash(0);
    let transaction = &scene.fund;
    let mut unsigned = transaction.clone();
    unsigned.input.iter_mut().for_each(|input| input.witness.clear());
    let psbt = bitcoin::Psbt::from_unsigned_tx(unsigned).unwrap();
    type Attempt<'a> = Box<dyn Fn(&Client) -> (i32, String) + 'a>;
    let attempts: Vec<(&str, Attempt<'_>)> = vec![
        ("abortprivatebroadcast", Box::new(|client| refusal(client.abort_private_broadcast("")))),
        ("addconnection", Box::new(|client| refusal(client.add_connection("127.0.0.1:1", "feeler", false)))),
        ("addpeeraddress", Box::new(|client| refusal(client.add_peer_address("127.0.0.1", 1)))),
        ("analyzepsbt", Box::new(|client| refusal(client.analyze_psbt(&psbt)))),
        ("combinepsbt", Box::new(|client| refusal(client.combine_psbt(std::slice::from_ref(&psbt))))),
        ("converttopsbt", Box::new(|client| refusal(client.convert_to_psbt(transaction)))),
        ("createpsbt", Box::new(|client| refusal(client.create_psbt(&[], &[])))),
        ("decodepsbt", Box::new(|client| refusal(client.decode_psbt("")))),
        ("dumptxoutset", Box::new(|client| refusal(client.dump_tx_out_set("utxo.dat", "latest")))),
        ("finalizepsbt", Box::new(|client| refusal(client.finalize_psbt(&psbt)))),
        ("getaddrmaninfo", Box::new(|client| refusal(client.get_addr_man_info()))),
        ("getblockfilter", Box::new(|client| refusal(client.get_block_filter(hash)))),
        ("getblockfrompeer", Box::new(|client| refusal(client.get_block_from_peer(hash, 0)))),
        ("getdescriptoractivity", Box::new(|client| refusal(client.get_descriptor_activity(&[], &[])))),
        ("getorphantxs", Box::new(|client| refusal(client.get_orphan_txs()))),
        ("getprivatebroadcastinfo", Box::new(|client| refusal(client.get_private_broadcast_info()))),
        ("getrawaddrman", Box::new(|client| refusal(client.get_raw_addrman()))),
        ("getzmqnotifications", Box::new(|client| refusal(client.get_zmq_notifications()))),
        ("joinpsbts", Box::new(|client| refusal(client.join_psbts(std::slice::from_ref(&psbt))))),
        ("loadtxoutset", Box::new(|client| refusal(client.load_tx_out_set("utxo.dat")))),
        ("logging", Box::new(|client| refusal(client.logging()))),
        ("scanblocks", Box::new(|client| refusal(client.scan_blocks_status()))),
        ("utxoupdatepsbt", Box::new(|client| refusal(client.utxo_update_psbt(&psbt)))),
    ];
    let help = client.help().unwrap();
    for (method, attempt) in attempts {
        let (code, message) = attempt(&client);
        assert!(code == -32601 && message.starts_with("Method not found"), "{method}: {code} {message}");
        assert!(!help.lines().any(|line| line.split(' ').next() == Some(method)), "{method}");
    }
}
