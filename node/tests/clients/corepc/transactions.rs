//! Transactions that are made, shown and sent.

use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::{Amount, FeeRate, ScriptBuf, Sequence, Transaction, TxOut, Txid, absolute};
use corepc_client::client_sync::v31::{Client, Input, Output};

use super::{refusal, scene};
use crate::purse::{Coin, Purse};
use crate::scene::Scene;

#[test]
fn transactions_that_are_known() {
    let (scene, client) = scene();
    for transaction in [&scene.parent, &scene.child] {
        let txid = transaction.compute_txid();
        assert_eq!(&client.get_raw_transaction(txid).unwrap().into_model().unwrap().0, transaction);
        let shown = client.get_raw_transaction_verbose(txid).unwrap();
        assert_eq!(
            (shown.txid.as_str(), shown.hash.as_str()),
            (txid.to_string().as_str(), transaction.compute_wtxid().to_string().as_str(),)
        );
        assert_eq!((shown.size, shown.vsize), (transaction.total_size() as u64, transaction.vsize() as u64));
        assert_eq!(shown.weight, transaction.weight().to_wu());
        let shown = shown.into_model().unwrap();
        assert_eq!(&shown.transaction, transaction);
        assert_eq!((shown.block_hash, shown.confirmations, shown.block_time), (None, None, None));
    }
    let (code, message) = refusal(client.get_raw_transaction(Txid::all_zeros()));
    assert!(code == -5 && message.starts_with("No such mempool transaction"), "{code} {message}");
    let decoded = client.decode_raw_transaction(&scene.fund).unwrap().into_model().unwrap().0;
    assert_eq!(decoded, scene.fund);
}

fn draft(scene: &Scene, client: &Client) -> (Coin, Transaction) {
    let coin = scene.coinbase(2);
    let value = coin.output.value - Amount::from_sat(12_345);
    let input = Input {
        txid: coin.outpoint.txid,
        vout: coin.outpoint.vout.into(),
        sequence: Some(Sequence::ENABLE_LOCKTIME_NO_RBF),
    };
    let output = Output::new(scene.purse.taproot_address(), value);
    let draft = client.create_raw_transaction(&[input], &[output]).unwrap().into_model().unwrap().0;
    assert_eq!(draft.lock_time, absolute::LockTime::ZERO);
    assert_eq!((draft.input.len(), draft.input[0].previous_output), (1, coin.outpoint));
    assert_eq!(draft.input[0].sequence, Sequence::ENABLE_LOCKTIME_NO_RBF);
    assert_eq!(draft.output, [TxOut { value, script_pubkey: scene.purse.taproot_address().script_pubkey() }]);
    (coin, draft)
}

#[test]
fn transactions_that_are_made_here() {
    let (scene, client) = scene();
    let (coin, draft) = draft(&scene, &client);
    let signed = client.sign_raw_transaction_with_key(&draft, &[scene.purse.private_key()]).unwrap();
    let signed = signed.into_model().unwrap();
    assert!(signed.complete && signed.errors.is_empty());
    let signed = signed.tx;
    assert_eq!(signed, scene.purse.sign(draft.clone(), &[&coin]));

    let stranger = client.sign_raw_transaction_with_key(&draft, &[Purse::new(9).private_key()]).unwrap();
    let stranger = stranger.into_model().unwrap();
    assert!(!stranger.complete);
    assert_eq!((stranger.errors[0].txid, stranger.errors[0].vout), (coin.outpoint.txid, 0));
    let combined = client.combine_raw_transaction(&[draft.clone(), signed.clone()]).unwrap().into_model().unwrap().0;
    assert_eq!(combined, signed);

    let accepted =
        client.test_mempool_accept(std::slice::from_ref(&signed)).unwrap().into_model().unwrap().results.remove(0);
    assert_eq!((accepted.txid, accepted.wtxid), (signed.compute_txid(), Some(signed.compute_wtxid())));
    assert!(accepted.allowed && accepted.reject_reason.is_none());
    assert_eq!(accepted.vsize.unwrap() as usize, signed.vsize());
    let fees = accepted.fees.unwrap();
    assert_eq!((fees.base, fees.effective_includes), (Amount::from_sat(12_345), Some(vec![signed.compute_wtxid()])));
    let per_kwu = fees.effective_fee_rate.unwrap().to_sat_per_kwu();
    assert!(per_kwu.abs_diff(12_345_000 / (4 * signed.vsize() as u64)) <= 1, "{per_kwu}");
    let refused = client.test_mempool_accept(&[draft]).unwrap().into_model().unwrap().results.remove(0);
    assert!(!refused.allowed && refused.fees.is_none());
    assert!(refused.reject_reason.unwrap().starts_with("mempool-script-verify-flag-failed"));
    assert!(refused.reject_details.is_some());

    let sent = client.send_raw_transaction(&signed).unwrap().into_model().unwrap().0;
    assert_eq!(sent, signed.compute_txid());
    let missing = scene.purse.spend(&[&scene.coinbase(1)], vec![scene.fund.output[0].clone()]);
    assert_eq!(refusal(client.send_raw_transaction(&missing)), (-25, "bad-txns-inputs-missingorspent".into()));
}

#[test]
fn packages() {
    let (scene, client) = scene();
    let coin = scene.coinbase(3);
    // A parent without a fee, which only its child makes worth taking.
    let parent = scene.purse.spend(&[&coin], vec![coin.output.clone()]);
    let fee = Amount::from_sat(3_000);
    let child = TxOut { value: coin.output.value - fee, ..coin.output.clone() };
    let child = scene.purse.spend(&[&Coin::of(&parent, 0)], vec![child]);
    assert_eq!(refusal(client.send_raw_transaction(&parent)).0, -26);
    let rate = FeeRate::from_sat_per_vb(10_000);
    for limits in [(None, None), (rate, Some(Amount::ZERO))] {
        let answer = client.submit_package(&[parent.clone(), child.clone()], limits.0, limits.1).unwrap();
        let answer = answer.into_model().unwrap();
        assert_eq!((answer.package_msg.as_str(), answer.tx_results.len()), ("success", 2));
        assert_eq!(answer.replaced_transactions, []);
        let of_parent = &answer.tx_results[&parent.compute_wtxid()];
        let of_child = &answer.tx_results[&child.compute_wtxid()];
        assert_eq!((of_parent.txid, of_child.txid), (parent.compute_txid(), child.compute_txid()));
        assert_eq!((of_parent.error.as_deref(), of_child.vsize.unwrap() as usize), (None, child.vsize()));
        let fees = of_parent.fees.as_ref().unwrap();
        assert_eq!((fees.base_fee, of_child.fees.as_ref().unwrap().base_fee), (Amount::ZERO, fee));
        // Those that are there already are not weighed again.
        if limits == (None, None) {
            assert_eq!(fees.effective_includes, [parent.compute_wtxid(), child.compute_wtxid()]);
        }
    }
    assert_eq!(
        client.get_mempool_entry(parent.compute_txid()).unwrap().into_model().unwrap().0.fees.base,
        Amount::ZERO
    );
}

#[test]
fn scripts() {
    let (scene, client) = scene();
    let purse = &scene.purse;
    for (script, kind, address) in [
        (purse.address().script_pubkey(), "witness_v0_keyhash", Some(purse.address())),
        (purse.taproot_address().script_pubkey(), "witness_v1_taproot", Some(purse.taproot_address())),
        (purse.legacy_address().script_pubkey(), "pubkeyhash", Some(purse.legacy_address())),
        (scene.fund.output[3].script_pubkey.clone(), "nulldata", None),
    ] {
        let decoded = client.decode_script(&script.to_hex_string()).unwrap();
        assert_eq!(decoded.type_, kind);
        let decoded = decoded.into_model().unwrap();
        assert_eq!(decoded.address.map(bitcoin::Address::assume_checked), address);
    }
    let lock = Builder::new().push_int(1).push_slice(PushBytesBuf::try_from(vec![2; 33]).unwrap());
    let lock = lock.push_int(1).push_opcode(bitcoin::opcodes::all::OP_CHECKMULTISIG).into_script();
    let decoded = client.decode_script(&lock.to_hex_string()).unwrap();
    let segwit = decoded.segwit.as_ref().unwrap();
    assert_eq!(segwit.hex, ScriptBuf::new_p2wsh(&lock.wscript_hash()).to_hex_string());
    let p2sh = bitcoin::Address::p2sh(&lock, bitcoin::Network::Regtest).unwrap();
    assert_eq!((decoded.type_.as_str(), decoded.p2sh.unwrap()), ("multisig", p2sh.to_string()));
}
