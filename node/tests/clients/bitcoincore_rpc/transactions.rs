//! Transactions in blocks, in the mempool, and those that are made.

use std::collections::{HashMap, HashSet};

use bitcoin::consensus::encode::{deserialize, serialize, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, MerkleBlock, Transaction, TxOut, Txid};
use bitcoincore_rpc::json::{
    CreateRawTransactionInput, GetMempoolEntryResult, GetTxOutResult, ScriptPubkeyType, SignRawTransactionInput,
};
use bitcoincore_rpc::{Client, RpcApi};

use super::{refusal, scene};
use crate::purse::{Coin, Purse};
use crate::scene::{CHILD_FEE, FUND, PARENT_FEE, Scene, TIP};

#[test]
fn transactions_of_the_mempool() {
    let (scene, client) = scene();
    for transaction in [&scene.parent, &scene.child] {
        let txid = transaction.compute_txid();
        assert_eq!(&client.get_raw_transaction(&txid, None).unwrap(), transaction);
        assert_eq!(&client.get_by_id::<Transaction>(&txid).unwrap(), transaction);
        assert_eq!(client.get_raw_transaction_hex(&txid, None).unwrap(), serialize_hex(transaction));
        let info = client.get_raw_transaction_info(&txid, None).unwrap();
        assert_eq!(&info.transaction().unwrap(), transaction);
        assert_eq!((info.txid, info.hash), (txid, transaction.compute_wtxid()));
        assert_eq!((info.size, info.vsize), (transaction.total_size(), transaction.vsize()));
        assert_eq!((info.version, info.locktime), (2, 0));
        assert_eq!((info.blockhash, info.confirmations, info.time, info.blocktime), (None, None, None, None));
    }
    let unknown = client.get_raw_transaction(&Txid::all_zeros(), None).unwrap_err();
    assert!(is_not_found(unknown));
}

/// What tools take for "there is none", as `bdk_bitcoind_rpc` does.
fn is_not_found(error: bitcoincore_rpc::Error) -> bool {
    refusal::<()>(Err(error)).0 == -5
}

#[test]
fn transactions_of_blocks() {
    let (scene, client) = scene();
    let txid = scene.fund.compute_txid();
    // There is no index, so that the block has to be named.
    assert!(is_not_found(client.get_raw_transaction(&txid, None).unwrap_err()));
    let hash = scene.hash(FUND);
    assert_eq!(client.get_raw_transaction(&txid, Some(&hash)).unwrap(), scene.fund);
    assert!(is_not_found(client.get_raw_transaction(&txid, Some(&scene.hash(TIP))).unwrap_err()));

    let info = client.get_raw_transaction_info(&txid, Some(&hash)).unwrap();
    let time = scene.blocks[FUND].header.time as usize;
    assert_eq!((info.in_active_chain, info.blockhash), (Some(true), Some(hash)));
    assert_eq!(info.confirmations, Some(u32::try_from(TIP - FUND + 1).unwrap()));
    assert_eq!((info.time, info.blocktime), (Some(time), Some(time)));
    assert!(!info.is_coinbase());
    let input = &info.vin[0];
    assert_eq!((input.txid, input.vout), (Some(scene.coinbase(1).outpoint.txid), Some(0)));
    assert_eq!(input.sequence, scene.fund.input[0].sequence.to_consensus_u32());
    assert_eq!(input.script_sig.as_ref().unwrap().hex, Vec::<u8>::new());
    assert_eq!(input.txinwitness.as_ref().unwrap(), &scene.fund.input[0].witness.to_vec());
    let types = [
        ScriptPubkeyType::Witness_v0_KeyHash,
        ScriptPubkeyType::Witness_v1_Taproot,
        ScriptPubkeyType::PubkeyHash,
        ScriptPubkeyType::NullData,
        ScriptPubkeyType::Witness_v0_KeyHash,
    ];
    let purse = &scene.purse;
    let addresses = [
        Some(purse.address()),
        Some(purse.taproot_address()),
        Some(purse.legacy_address()),
        None,
        Some(purse.address()),
    ];
    for (index, output) in scene.fund.output.iter().enumerate() {
        let shown = &info.vout[index];
        assert_eq!((shown.value, shown.n as usize), (output.value, index));
        assert_eq!(shown.script_pub_key.script().unwrap(), output.script_pubkey);
        assert_eq!(shown.script_pub_key.type_, Some(types[index]));
        let address = shown.script_pub_key.address.clone().map(bitcoin::Address::assume_checked);
        assert_eq!(address, addresses[index]);
    }

    let coinbase = &scene.stale[1].txdata[0];
    let lost = scene.stale[1].block_hash();
    let info = client.get_raw_transaction_info(&coinbase.compute_txid(), Some(&lost)).unwrap();
    assert_eq!((info.in_active_chain, info.confirmations), (Some(false), Some(0)));
    assert!(info.is_coinbase());
    assert_eq!(info.vin[0].coinbase.as_deref(), Some(coinbase.input[0].script_sig.as_bytes()));
}

#[test]
fn outputs() {
    let (scene, client) = scene();
    let coin = scene.coinbase(2);
    let found = client.get_tx_out(&coin.outpoint.txid, 0, None).unwrap().unwrap();
    assert_eq!((found.bestblock, found.confirmations), (scene.hash(TIP), u32::try_from(TIP - 2 + 1).unwrap()));
    assert_eq!((found.value, found.coinbase), (coin.output.value, true));
    assert_eq!(found.script_pub_key.script().unwrap(), coin.output.script_pubkey);
    assert_eq!(client.get_by_id::<Option<GetTxOutResult>>(&coin.outpoint).unwrap(), Some(found));

    let fund = scene.fund.compute_txid();
    assert_eq!(client.get_tx_out(&fund, 0, Some(true)).unwrap(), None, "the mempool spends it");
    let confirmed = client.get_tx_out(&fund, 0, Some(false)).unwrap().unwrap();
    assert_eq!((confirmed.value, confirmed.coinbase), (scene.fund.output[0].value, false));
    assert_eq!(client.get_tx_out(&fund, 3, None).unwrap(), None, "nobody can spend it");
    assert_eq!(client.get_tx_out(&scene.coinbase(1).outpoint.txid, 0, None).unwrap(), None, "a block spends it");

    let child = scene.child.compute_txid();
    let unconfirmed = client.get_tx_out(&child, 0, None).unwrap().unwrap();
    assert_eq!((unconfirmed.confirmations, unconfirmed.value), (0, scene.child.output[0].value));
    assert_eq!(client.get_tx_out(&child, 0, Some(false)).unwrap(), None);
}

#[test]
fn a_proof_that_a_block_has_a_transaction() {
    let (scene, client) = scene();
    let txid = scene.fund.compute_txid();
    for named in [Some(scene.hash(FUND)), None] {
        let proof = client.get_tx_out_proof(&[txid], named.as_ref()).unwrap();
        let proof: MerkleBlock = deserialize(&proof).unwrap();
        let (mut matches, mut indices) = (Vec::new(), Vec::new());
        proof.extract_matches(&mut matches, &mut indices).unwrap();
        assert_eq!((matches, indices), (vec![txid], vec![1]));
        assert_eq!(proof.header, scene.blocks[FUND].header);
    }
    let (code, message) = refusal(client.get_tx_out_proof(&[txid], Some(&scene.hash(TIP))));
    assert_eq!((code, message.as_str()), (-5, "Not all transactions found in specified or retrieved block"));
}

#[test]
fn the_mempool() {
    let (scene, client) = scene();
    let (parent, child) = (&scene.parent, &scene.child);
    let info = client.get_mempool_info().unwrap();
    assert_eq!((info.loaded, info.size, info.bytes), (Some(true), 2, parent.vsize() + child.vsize()));
    assert!(info.usage >= parent.total_size() + child.total_size());
    assert_eq!(info.total_fee, Some(PARENT_FEE + CHILD_FEE));
    assert_eq!(info.max_mempool, 300_000_000);
    let least = Amount::from_sat(100);
    assert_eq!((info.mempool_min_fee, info.min_relay_tx_fee, info.incremental_relay_fee), (least, least, Some(least)));
    assert_eq!((info.unbroadcast_count, info.full_rbf), (Some(2), Some(true)));

    let txids: HashSet<Txid> = client.get_raw_mempool().unwrap().into_iter().collect();
    assert_eq!(txids, HashSet::from([parent.compute_txid(), child.compute_txid()]));
    let entries = client.get_raw_mempool_verbose().unwrap();
    assert_eq!(entries.len(), 2);
    for transaction in [parent, child] {
        let txid = transaction.compute_txid();
        let entry = client.get_mempool_entry(&txid).unwrap();
        assert_eq!(entries[&txid], entry);
        assert_eq!((entry.vsize, entry.weight), (transaction.vsize() as u64, Some(transaction.weight().to_wu())));
        assert_eq!(entry.wtxid.to_string(), transaction.compute_wtxid().to_string());
        assert_eq!((entry.height, entry.bip125_replaceable, entry.unbroadcast), (TIP as u64, true, Some(true)));
        assert!(entry.time >= u64::from(scene.tip().header.time) - 60);
    }
    check_relations(&scene, &entries);
    let (code, message) = refusal(client.get_mempool_entry(&scene.fund.compute_txid()));
    assert_eq!((code, message.as_str()), (-5, "Transaction not in mempool"));
}

fn check_relations(scene: &Scene, entries: &HashMap<Txid, GetMempoolEntryResult>) {
    let (parent, child) = (&entries[&scene.parent.compute_txid()], &entries[&scene.child.compute_txid()]);
    let both = parent.vsize + child.vsize;
    assert_eq!((parent.ancestor_count, parent.ancestor_size), (1, parent.vsize));
    assert_eq!((parent.descendant_count, parent.descendant_size), (2, both));
    assert_eq!((child.ancestor_count, child.ancestor_size), (2, both));
    assert_eq!((child.descendant_count, child.descendant_size), (1, child.vsize));
    assert_eq!((&parent.depends, &parent.spent_by), (&vec![], &vec![scene.child.compute_txid()]));
    assert_eq!((&child.depends, &child.spent_by), (&vec![scene.parent.compute_txid()], &vec![]));
    let fees = |entry: &GetMempoolEntryResult| {
        [entry.fees.base, entry.fees.modified, entry.fees.ancestor, entry.fees.descendant]
    };
    assert_eq!(fees(parent), [PARENT_FEE, PARENT_FEE, PARENT_FEE, PARENT_FEE + CHILD_FEE]);
    assert_eq!(fees(child), [CHILD_FEE, CHILD_FEE, PARENT_FEE + CHILD_FEE, CHILD_FEE]);
}

/// A transaction that spends the coinbase of block 2, as the node writes it.
fn draft(scene: &Scene, client: &Client) -> (Coin, Transaction) {
    let coin = scene.coinbase(2);
    let inputs = [CreateRawTransactionInput { txid: coin.outpoint.txid, vout: coin.outpoint.vout, sequence: None }];
    let value = coin.output.value - Amount::from_sat(12_345);
    let outputs = HashMap::from([(scene.purse.taproot_address().to_string(), value)]);
    let draft = client.create_raw_transaction(&inputs, &outputs, Some(7), Some(true)).unwrap();
    let hex = client.create_raw_transaction_hex(&inputs, &outputs, Some(7), Some(true)).unwrap();
    assert_eq!(hex, serialize_hex(&draft));
    assert_eq!(draft.input.len(), 1);
    assert_eq!(draft.input[0].previous_output, coin.outpoint);
    assert!(draft.input[0].sequence.is_rbf());
    assert_eq!(draft.lock_time.to_consensus_u32(), 7);
    let script_pubkey = scene.purse.taproot_address().script_pubkey();
    assert_eq!(draft.output, [TxOut { value, script_pubkey }]);
    (coin, draft)
}

#[test]
fn transactions_that_are_made_here() {
    let (scene, client) = scene();
    let (coin, draft) = draft(&scene, &client);
    let key = scene.purse.private_key();
    // The node knows the coin; the client may tell it too.
    let told = SignRawTransactionInput {
        txid: coin.outpoint.txid,
        vout: coin.outpoint.vout,
        script_pub_key: coin.output.script_pubkey.clone(),
        redeem_script: None,
        amount: Some(coin.output.value),
    };
    let signed = client.sign_raw_transaction_with_key(&draft, &[key], None, None).unwrap();
    assert!(signed.complete);
    let all = bitcoin::sighash::EcdsaSighashType::All.into();
    let again = client.sign_raw_transaction_with_key(&draft, &[key], Some(&[told]), Some(all)).unwrap();
    assert_eq!(again, signed);
    let signed = signed.transaction().unwrap();
    // Nonces are not random (RFC 6979), so that there is one signature.
    assert_eq!(signed, scene.purse.sign(draft.clone(), &[&coin]));

    let shown = client.decode_raw_transaction(&signed, Some(true)).unwrap();
    assert_eq!((shown.txid, shown.hash), (signed.compute_txid(), signed.compute_wtxid()));
    assert_eq!((shown.size as usize, shown.vsize as usize), (signed.total_size(), signed.vsize()));
    assert_eq!((u64::from(shown.weight), shown.version, shown.locktime), (signed.weight().to_wu(), 2, 7));
    assert_eq!(shown.vout[0].value, signed.output[0].value);

    let stranger = Purse::new(9).private_key();
    let unsigned = client.sign_raw_transaction_with_key(&draft, &[stranger], None, None).unwrap();
    assert!(!unsigned.complete);
    let errors = unsigned.errors.unwrap();
    assert_eq!((errors[0].txid, errors[0].vout), (coin.outpoint.txid, 0));
    assert!(!errors[0].error.is_empty());
    let combined = client.combine_raw_transaction(&[serialize_hex(&draft), serialize_hex(&signed)]).unwrap();
    assert_eq!(combined, serialize_hex(&signed));

    let accepted = client.test_mempool_accept(&[&signed]).unwrap().remove(0);
    assert_eq!((accepted.txid, accepted.allowed, accepted.reject_reason), (signed.compute_txid(), true, None));
    assert_eq!(accepted.vsize, Some(signed.vsize() as u64));
    assert_eq!(accepted.fees.unwrap().base, Amount::from_sat(12_345));
    let refused = client.test_mempool_accept(&[&draft]).unwrap().remove(0);
    assert!(!refused.allowed);
    let reason = refused.reject_reason.unwrap();
    assert!(reason.starts_with("mempool-script-verify-flag-failed"), "{reason}");

    assert_eq!(client.send_raw_transaction(&signed).unwrap(), signed.compute_txid());
    assert_eq!(client.send_raw_transaction(&serialize(&signed)).unwrap(), signed.compute_txid(), "again is no error");
    assert_eq!(client.get_raw_transaction(&signed.compute_txid(), None).unwrap(), signed);
}

#[test]
fn transactions_that_are_refused() {
    let (scene, client) = scene();
    let spent = scene.purse.spend(&[&scene.coinbase(1)], vec![scene.fund.output[0].clone()]);
    let immature = scene.purse.spend(&[&scene.coinbase(TIP)], vec![scene.fund.output[0].clone()]);
    let coin = scene.coinbase(3);
    let dear = TxOut { value: Amount::ONE_BTC, ..coin.output.clone() };
    let free = scene.purse.spend(&[&coin], vec![coin.output.clone()]);
    let dear = scene.purse.spend(&[&coin], vec![dear]);
    for (transaction, code, message) in [
        (&spent, -25, "bad-txns-inputs-missingorspent"),
        (&immature, -26, "bad-txns-premature-spend-of-coinbase"),
        (&free, -26, "min relay fee not met"),
        (&dear, -25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"),
        (&scene.fund, -27, "Transaction outputs already in utxo set"),
    ] {
        let refused = refusal(client.send_raw_transaction(transaction));
        assert!(refused.0 == code && refused.1.starts_with(message), "{refused:?}, not {code} {message}");
    }
    assert_eq!(refusal(client.send_raw_transaction("zz")).0, -22);
    // A conflict has to pay more than what it replaces, child included.
    let elsewhere =
        TxOut { value: scene.parent.output[0].value, script_pubkey: scene.purse.legacy_address().script_pubkey() };
    let conflict = scene.purse.spend(&[&Coin::of(&scene.fund, 0), &Coin::of(&scene.fund, 1)], vec![elsewhere]);
    let refused = refusal(client.send_raw_transaction(&conflict));
    assert!(refused.0 == -26 && refused.1.starts_with("insufficient fee"), "{refused:?}");
}
