//! Blocks, headers, tips, coins.

use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Amount, BlockHash, FeeRate, MerkleBlock, Network, Transaction, Work};
use corepc_client::types::model::ChainTipsStatus;

use super::{connect, refusal, scene};
use crate::purse::Purse;
use crate::scene::{DIFFICULTY, FUND, FUND_FEE, SUBSIDY, Scene, TIP};

/// Whether two numbers are the same but for the last digits of a decimal text.
fn is_near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-14
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap()
}

fn work(height: usize) -> Work {
    Work::from_be_bytes(Scene::chain_work(height))
}

#[test]
fn the_tip() {
    let (scene, client) = scene();
    let header = scene.tip().header;
    assert_eq!(client.get_block_count().unwrap().0, TIP as u64);
    assert_eq!(client.best_block_hash().unwrap(), scene.hash(TIP));
    assert_eq!(client.get_best_block_hash().unwrap().into_model().unwrap().0, scene.hash(TIP));
    assert!(is_near(client.get_difficulty().unwrap().0, DIFFICULTY));

    let info = client.get_blockchain_info().unwrap().into_model().unwrap();
    assert_eq!((info.chain, info.blocks, info.headers), (Network::Regtest, number(TIP), number(TIP)));
    assert_eq!(info.best_block_hash, scene.hash(TIP));
    assert_eq!((info.bits, info.target), (Some(header.bits), Some(header.target())));
    assert!(is_near(info.difficulty, DIFFICULTY));
    assert_eq!((info.time, u64::from(info.median_time)), (Some(header.time), scene.median_time(TIP)));
    assert!((0.99..=1.0).contains(&info.verification_progress) && !info.initial_block_download);
    assert_eq!((info.chain_work, info.pruned, info.prune_height), (work(TIP), false, None));
    assert_eq!((info.signet_challenge, info.warnings), (None, Vec::new()));

    let states = client.get_chain_states().unwrap().into_model().unwrap();
    assert_eq!((states.headers, states.chain_states.len()), (number(TIP), 1));
    let state = &states.chain_states[0];
    assert_eq!((state.blocks, state.best_block_hash), (number(TIP), scene.hash(TIP)));
    assert_eq!((state.bits, state.target), (Some(header.bits), Some(header.target())));
    assert!(state.validated && state.snapshot_block_hash.is_none() && is_near(state.difficulty, DIFFICULTY));
    assert!(state.coins_tip_cache_bytes > 0 && state.coins_db_cache_bytes > 0);

    let tips = client.get_chain_tips().unwrap().into_model().unwrap().0;
    let find = |hash| tips.iter().find(|tip| tip.hash == hash).unwrap();
    let (active, lost) = (find(scene.hash(TIP)), find(scene.stale[1].block_hash()));
    assert_eq!((tips.len(), active.branch_length, lost.branch_length), (2, 0, 2));
    assert!(matches!((&active.status, &lost.status), (ChainTipsStatus::Active, ChainTipsStatus::ValidFork)));

    let stats = client.get_chain_tx_stats().unwrap().into_model().unwrap();
    let transactions: usize = scene.blocks.iter().map(|block| block.txdata.len()).sum();
    assert_eq!((stats.time, stats.tx_count), (header.time, number(transactions)));
    assert_eq!((stats.window_final_block_hash, stats.window_final_block_height), (scene.hash(TIP), Some(number(TIP))));
    assert_eq!(stats.window_block_count, number(TIP) - 1, "30 days, but not genesis");
    assert_eq!(stats.window_tx_count, Some(number(transactions) - 2));
    assert_eq!(u64::from(stats.window_interval.unwrap()), scene.median_time(TIP) - scene.median_time(1));
}

#[test]
fn blocks_and_headers() {
    let (scene, client) = scene();
    for (height, block) in scene.blocks.iter().enumerate() {
        assert_eq!(client.get_block_hash(height as u64).unwrap().into_model().unwrap().0, block.block_hash());
    }
    for height in [0, 1, FUND, TIP] {
        let block = &scene.blocks[height];
        let hash = block.block_hash();
        assert_eq!(&client.get_block(hash).unwrap(), block);
        assert_eq!(&client.get_block_verbose_zero(hash).unwrap().into_model().unwrap().0, block);
        assert_eq!(client.get_block_header(&hash).unwrap().into_model().unwrap().0, block.header);
        let confirmations = i64::try_from(TIP - height + 1).unwrap();
        let previous = (height > 0).then_some(block.header.prev_blockhash);
        let next = (height < TIP).then(|| scene.hash(height + 1));

        let one = client.get_block_verbose_one(hash).unwrap().into_model().unwrap();
        assert_eq!((one.hash, one.height, one.confirmations), (hash, number(height), confirmations));
        assert_eq!((one.size, one.weight), (number(block.total_size()), block.weight()));
        assert_eq!(u64::from(one.stripped_size.unwrap()) * 3 + u64::from(one.size), one.weight.to_wu());
        assert_eq!((one.version, one.merkle_root), (block.header.version, block.header.merkle_root));
        assert_eq!(one.tx, block.txdata.iter().map(Transaction::compute_txid).collect::<Vec<_>>());
        assert_eq!((one.time, one.nonce), (block.header.time, block.header.nonce));
        assert_eq!(u64::from(one.median_time.unwrap()), scene.median_time(height));
        assert_eq!((one.bits, one.target), (block.header.bits, Some(block.header.target())));
        assert_eq!((one.chain_work, one.n_tx), (work(height), number(block.txdata.len())));
        assert_eq!((one.previous_block_hash, one.next_block_hash), (previous, next));
        let coinbase = one.coinbase_tx.unwrap();
        let input = &block.txdata[0].input[0];
        assert_eq!((coinbase.version, coinbase.locktime), (block.txdata[0].version, block.txdata[0].lock_time));
        assert_eq!((coinbase.sequence, coinbase.coinbase), (input.sequence, input.script_sig.clone()));

        let header = client.get_block_header_verbose(&hash).unwrap().into_model().unwrap();
        assert_eq!((header.hash, header.height, header.confirmations), (hash, number(height), confirmations));
        assert_eq!((header.version, header.merkle_root), (block.header.version, block.header.merkle_root));
        assert_eq!((header.time, header.nonce), (block.header.time, block.header.nonce));
        assert_eq!((header.bits, header.target), (block.header.bits, Some(block.header.target())));
        assert_eq!((header.chain_work, header.n_tx), (work(height), number(block.txdata.len())));
        assert_eq!((header.previous_block_hash, header.next_block_hash), (previous, next));
    }
    assert_eq!(refusal(client.get_block_hash(TIP as u64 + 1)), (-8, "Block height out of range".into()));
    assert_eq!(refusal(client.get_block(BlockHash::all_zeros())), (-5, "Block not found".into()));
    let lost = scene.stale[1].block_hash();
    assert_eq!(client.get_block_verbose_one(lost).unwrap().confirmations, -1);
    assert_eq!(client.get_block_header_verbose(&lost).unwrap().confirmations, -1);
}

#[test]
fn blocks_with_their_transactions() {
    let (scene, client) = scene();
    let block = &scene.blocks[FUND];
    let two = client.get_block_verbose_two(block.block_hash()).unwrap().into_model().unwrap();
    let transactions: Vec<_> = two.tx.iter().map(|tx| tx.transaction.transaction.clone()).collect();
    assert_eq!(transactions, block.txdata);
    assert_eq!(two.tx.iter().map(|tx| tx.fee).collect::<Vec<_>>(), [None, Some(FUND_FEE)]);

    let three = client.get_block_verbose_three(block.block_hash()).unwrap().into_model().unwrap();
    let transactions: Vec<_> = three.tx.iter().map(|tx| tx.transaction.transaction.clone()).collect();
    assert_eq!(transactions, block.txdata);
    assert_eq!(three.tx[1].fee, Some(FUND_FEE));
    assert!(three.tx[0].prevouts.iter().all(Option::is_none));
    let spent = three.tx[1].prevouts[0].as_ref().unwrap();
    let coin = scene.coinbase(1).output;
    assert_eq!((spent.generated, spent.height, spent.value), (true, 1, coin.value));
    assert_eq!(spent.script_pubkey.script_pubkey, coin.script_pubkey);
    assert_eq!(spent.script_pubkey.address.clone().unwrap().assume_checked(), scene.purse.address());
}

#[test]
fn statistics_of_a_block() {
    let (scene, client) = scene();
    let fund = &scene.fund;
    let by_height = client.get_block_stats_by_height(number(FUND), None).unwrap();
    let by_hash = client.get_block_stats_by_block_hash(&scene.hash(FUND), None).unwrap();
    assert_eq!(by_height, by_hash);
    let stats = by_height.into_model().unwrap();
    assert_eq!((stats.block_hash, stats.height), (Some(scene.hash(FUND)), Some(number(FUND))));
    assert_eq!((stats.average_fee, stats.total_fee, stats.subsidy), (Some(FUND_FEE), Some(FUND_FEE), Some(SUBSIDY)));
    let rate = FeeRate::from_sat_per_vb(FUND_FEE.to_sat() * 4 / fund.weight().to_wu());
    assert_eq!((stats.average_fee_rate, stats.max_fee_rate), (rate, rate));
    assert_eq!(stats.fee_rate_percentiles.unwrap(), vec![rate; 5]);
    assert_eq!((stats.txs, stats.inputs, stats.segwit_txs), (Some(2), Some(1), Some(1)));
    // The client takes the weight for virtual bytes.
    assert_eq!((stats.total_size, stats.total_weight), (Some(number(fund.total_size())), Some(fund.weight() * 4)));
    assert_eq!(stats.total_out, Some(SUBSIDY - FUND_FEE));
    let outputs = scene.blocks[FUND].txdata.iter().flat_map(|tx| &tx.output);
    let created = i32::try_from(outputs.clone().count()).unwrap();
    assert_eq!(stats.utxo_increase, Some(created - 1));
    let data = outputs.filter(|output| output.script_pubkey.is_op_return()).count();
    assert_eq!(stats.utxo_increase_actual, Some(created - 1 - i32::try_from(data).unwrap()));

    let some =
        client.get_block_stats_by_height(number(FUND), Some(&["txs", "totalfee"])).unwrap().into_model().unwrap();
    assert_eq!((some.txs, some.total_fee, some.height), (Some(2), Some(FUND_FEE), None));
}

#[test]
fn deployments() {
    let (scene, client) = scene();
    let tip = client.get_deployment_info_tip().unwrap();
    assert_eq!(client.get_deployment_info(&scene.hash(TIP)).unwrap(), tip);
    let info = tip.into_model().unwrap();
    assert_eq!((info.hash, info.height), (scene.hash(TIP), number(TIP)));
    for buried in ["bip34", "bip65", "bip66", "csv", "segwit"] {
        let deployment = &info.deployments[buried];
        assert_eq!((deployment.deployment_type.as_str(), deployment.active), ("buried", true), "{buried}");
    }
    let flags = info.script_flags.unwrap();
    assert!(flags.iter().any(|flag| flag == "TAPROOT"), "LND looks for it in {flags:?}");
}

#[test]
fn coins() {
    let (scene, client) = scene();
    let coins = scene.coins();
    let total: Amount = coins.iter().map(|(_, coin)| coin.output.value).sum();
    let info = client.get_tx_out_set_info().unwrap().into_model().unwrap();
    assert_eq!((info.height, info.best_block), (number(TIP), scene.hash(TIP)));
    assert_eq!((info.tx_outs, info.total_amount), (number(coins.len()), total));
    assert_eq!(info.hash_serialized_3.unwrap().len(), 64);
    assert_eq!((info.muhash, info.block_info), (None, None));

    let coin = scene.coinbase(2);
    let found = client.get_tx_out(coin.outpoint.txid, 0).unwrap().into_model().unwrap();
    assert_eq!((found.best_block, found.coinbase), (scene.hash(TIP), true));
    assert_eq!((found.tx_out, found.confirmations), (coin.output, number(TIP - 2 + 1)));
    assert_eq!(found.address.unwrap().assume_checked(), scene.purse.address());

    assert_eq!(client.scan_tx_out_set_status().unwrap(), None);
    assert!(!client.scan_tx_out_set_abort().unwrap().0, "there is none to abort");
    let descriptor = format!("tr({})", scene.purse.public_key().inner.x_only_public_key().0);
    let found = client.scan_tx_out_set_start(&[&descriptor]).unwrap().into_model().unwrap();
    assert!(found.success);
    assert_eq!((found.tx_outs, found.height), (Some(coins.len() as u64), Some(TIP as u64)));
    assert_eq!((found.best_block, found.total_amount), (Some(scene.hash(TIP)), scene.fund.output[1].value));
    assert_eq!(found.unspents.len(), 1);
    let unspent = &found.unspents[0];
    assert_eq!((unspent.txid, unspent.vout), (scene.fund.compute_txid(), 1));
    assert_eq!(unspent.script_pubkey, scene.fund.output[1].script_pubkey);
    assert_eq!((unspent.height, unspent.block_hash), (FUND as u64, Some(scene.hash(FUND))));
    assert_eq!((unspent.confirmations, unspent.coinbase), (Some((TIP - FUND + 1) as u64), Some(false)));
}

#[test]
fn a_proof_that_a_block_has_a_transaction() {
    let (scene, client) = scene();
    let txid = scene.fund.compute_txid();
    let proof = client.get_tx_out_proof(&[txid]).unwrap();
    let bytes = Vec::from_hex(&proof).unwrap();
    let block: MerkleBlock = bitcoin::consensus::encode::deserialize(&bytes).unwrap();
    assert_eq!(block.header, scene.blocks[FUND].header);
    assert_eq!(client.verify_tx_out_proof(&proof).unwrap().into_model().unwrap().0, [txid]);
    // One that the test makes, of a block that lost, is right but proves nothing.
    let own = MerkleBlock::from_block_with_predicate(&scene.blocks[FUND], |id| *id == txid);
    assert_eq!(proof, bitcoin::consensus::encode::serialize_hex(&own));
    let lost = MerkleBlock::from_block_with_predicate(&scene.stale[0], |_| true);
    let lost = bitcoin::consensus::encode::serialize_hex(&lost);
    assert_eq!(refusal(client.verify_tx_out_proof(&lost)).0, -5);
}

#[test]
fn upkeep_of_the_chain() {
    let (scene, client) = scene();
    assert!(client.verify_chain().unwrap().0);
    assert_eq!(
        refusal(client.prune_blockchain(1)),
        (-1, "Cannot prune blocks because node is not in prune mode.".into())
    );
    client.sync_with_validation_interface_queue().unwrap();
    // Of branches with the same work the one that came first wins, unless another is precious.
    client.invalidate_block(scene.hash(TIP)).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.stale[1].block_hash());
    client.precious_block(scene.hash(TIP - 1)).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.hash(TIP - 1));
    client.precious_block(scene.stale[1].block_hash()).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.stale[1].block_hash());
    client.reconsider_block(scene.hash(TIP)).unwrap();
    assert_eq!(client.best_block_hash().unwrap(), scene.hash(TIP));
}

#[test]
fn waiting_for_a_block() {
    let (scene, client) = scene();
    let now = client.wait_for_block(&scene.hash(TIP)).unwrap().into_model().unwrap();
    assert_eq!((now.hash, now.height), (scene.hash(TIP), number(TIP)));
    let now = client.wait_for_block_height(3).unwrap().into_model().unwrap();
    assert_eq!((now.hash, now.height), (scene.hash(TIP), number(TIP)), "the tip is at least as high");
    std::thread::scope(|scope| {
        let other = connect(&scene);
        let waiter = scope.spawn(move || other.wait_for_new_block().unwrap().into_model().unwrap());
        // The call may begin only after a block, so that there are more until one is seen.
        while !waiter.is_finished() {
            client.generate_to_address(1, &Purse::new(3).address()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let seen = waiter.join().unwrap();
        assert!(seen.height > number(TIP));
        assert_eq!(client.get_block_hash(seen.height.into()).unwrap().into_model().unwrap().0, seen.hash);
    });
}
