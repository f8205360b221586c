//! Templates, blocks that are found and submitted, reorganisations.

use bitcoin::block::Version;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash, SignedAmount, Transaction};
use corepc_client::client_sync::Error;
use corepc_client::client_sync::v31::{TemplateRequest, TemplateRules};

use super::{connect, refusal, scene};
use crate::purse::Purse;
use crate::scene::{CHILD_FEE, DIFFICULTY, FUND, PARENT_FEE, SUBSIDY, TIP, solve};

#[test]
fn a_template() {
    let (scene, client) = scene();
    let request = TemplateRequest { rules: vec![TemplateRules::Segwit], ..TemplateRequest::default() };
    let template = client.get_block_template(&request).unwrap().into_model().unwrap();
    assert_eq!((template.previous_block_hash, template.height as usize), (scene.hash(TIP), TIP + 1));
    assert_eq!(template.bits, scene.tip().header.bits);
    assert_eq!(template.target, scene.tip().header.target().to_be_bytes());
    assert_eq!(template.version, Version::from_consensus(0x2000_0000));
    assert_eq!(template.coinbase_value, (SUBSIDY + PARENT_FEE + CHILD_FEE).to_signed().unwrap());
    assert_eq!(u64::from(template.min_time), scene.median_time(TIP) + 1);
    assert_eq!((template.sigop_limit, template.size_limit, template.weight_limit), (80_000, 4_000_000, 4_000_000));
    assert_eq!(
        (template.mutable.join(" "), template.nonce_range.as_str()),
        ("time transactions prevblock".into(), "00000000ffffffff")
    );
    assert!(template.rules.iter().any(|rule| rule == "!segwit") && template.signet_challenge.is_none());
    let entries: Vec<_> = template.transactions.iter().map(|entry| (entry.data.clone(), entry.fee)).collect();
    let fee = |fee: bitcoin::Amount| SignedAmount::from_sat(fee.to_sat().cast_signed());
    assert_eq!(entries, [(scene.parent.clone(), fee(PARENT_FEE)), (scene.child.clone(), fee(CHILD_FEE))]);
    assert_eq!(template.transactions[1].depends, [1]);
    assert_eq!(template.transactions[0].weight, scene.parent.weight());

    // A proposal is judged and not taken (BIP23).
    let block = client.generate_block(&scene.purse.address().to_string(), &[], false).unwrap();
    let mut block: Block = deserialize_hex(&block.hex.unwrap()).unwrap();
    block.txdata[0].output[0].value += bitcoin::Amount::from_sat(1);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    let proposal = TemplateRequest {
        mode: Some("proposal".into()),
        data: Some(serialize_hex(&block)),
        rules: vec![TemplateRules::Segwit],
        ..TemplateRequest::default()
    };
    let answer: serde_json::Value =
        client.call("getblocktemplate", &[serde_json::to_value(&proposal).unwrap()]).unwrap();
    assert_eq!(answer, "bad-cb-amount");

    let info = client.get_mining_info().unwrap().into_model().unwrap();
    assert_eq!((info.blocks, info.pooled_tx, info.chain.as_str()), (TIP as u64, 2, "regtest"));
    assert_eq!((info.bits, info.target), (Some(scene.tip().header.bits), Some(scene.tip().header.target())));
    let next = info.next.unwrap();
    assert_eq!((next.height, next.bits), (TIP as u64 + 1, scene.tip().header.bits));
    assert!((next.difficulty / DIFFICULTY - 1.0).abs() < 1e-14);
    assert_eq!(info.network_hash_ps, client.get_network_hash_ps().unwrap());
}

/// A miner hears of a new tip at once (BIP22).
#[test]
fn a_template_that_waits_for_a_block() {
    let (scene, client) = scene();
    let request = TemplateRequest { rules: vec![TemplateRules::Segwit], ..TemplateRequest::default() };
    let longpollid = client.get_block_template(&request).unwrap().long_poll_id;
    std::thread::scope(|scope| {
        let other = connect(&scene);
        let waiter = scope.spawn(move || {
            let request = TemplateRequest { longpollid, ..request };
            other.get_block_template(&request).unwrap().into_model().unwrap()
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!waiter.is_finished(), "nothing has happened yet");
        let found = client.generate_to_address(1, &Purse::new(3).address()).unwrap().into_model().unwrap().0[0];
        let template = waiter.join().unwrap();
        assert_eq!((template.previous_block_hash, template.height as usize), (found, TIP + 2));
        assert!(template.transactions.is_empty());
    });
}

#[test]
fn blocks_that_are_found_and_submitted() {
    let (scene, client) = scene();
    let purse = Purse::new(3);
    let hashes = client.generate_to_address(2, &purse.address()).unwrap().into_model().unwrap().0;
    let first = client.get_block(hashes[0]).unwrap();
    assert_eq!(first.txdata[1..], [scene.parent.clone(), scene.child.clone()]);
    assert_eq!(client.get_block(hashes[1]).unwrap().header.prev_blockhash, hashes[0]);
    let info = client.get_descriptor_info(&format!("wpkh({})", purse.public_key())).unwrap();
    let by_descriptor = client.generate_to_descriptor(1, &info.descriptor).unwrap().into_model().unwrap().0[0];
    let found = client.get_block(by_descriptor).unwrap();
    assert_eq!(found.txdata[0].output[0].script_pubkey, purse.address().script_pubkey());

    let payment = scene.purse.spend(&[&scene.coinbase(2)], vec![scene.coinbase(2).output]);
    let answer = client.generate_block(&purse.address().to_string(), &[serialize_hex(&payment)], false).unwrap();
    let block: Block = deserialize_hex(answer.hex.as_deref().unwrap()).unwrap();
    assert_eq!(block.block_hash().to_string(), answer.hash);
    assert_eq!(block.txdata[1], payment);
    assert_eq!(client.best_block_hash().unwrap(), by_descriptor, "it was not submitted");
    client.submit_header(&block.header).unwrap();
    assert_eq!(client.get_blockchain_info().unwrap().into_model().unwrap().headers as usize, TIP + 4);
    client.submit_block(&block).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), block.block_hash());
    let Err(Error::Returned(reason)) = client.submit_block(&block) else { panic!("taken twice") };
    assert_eq!(reason, "\"duplicate\"");
    let mut stray = block.header;
    stray.prev_blockhash = BlockHash::from_byte_array([7; 32]);
    solve(&mut stray);
    let (code, message) = refusal(client.submit_header(&stray));
    assert!(code == -25 && message.starts_with("Must submit previous header"), "{code} {message}");
    let submitted = client.generate_block(&purse.address().to_string(), &[], true).unwrap();
    assert_eq!((submitted.hex, submitted.hash), (None, client.best_block_hash().unwrap().to_string()));
}

#[test]
fn a_reorganisation() {
    let (scene, client) = scene();
    client.invalidate_block(scene.hash(FUND + 1)).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.stale[1].block_hash());
    let expected = [&scene.parent, &scene.child].map(Transaction::compute_txid);
    let pool = client.get_raw_mempool().unwrap().into_model().unwrap().0;
    assert!(pool.len() == 2 && expected.iter().all(|txid| pool.contains(txid)));
    client.reconsider_block(scene.hash(FUND + 1)).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.hash(TIP));
    assert_eq!(refusal(client.invalidate_block(BlockHash::all_zeros())), (-5, "Block not found".into()));
}
