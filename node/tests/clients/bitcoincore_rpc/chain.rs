//! Blocks, headers, tips, coins.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, Network, Transaction};
use bitcoincore_rpc::RpcApi;
use bitcoincore_rpc::json::{
    BlockStatsFields, GetChainTipsResultStatus, GetChainTipsResultTip, HashOrHeight, ScanTxOutRequest,
    StringOrStringArray, TxOutSetHashType,
};

use super::{refusal, scene};
use crate::scene::{DIFFICULTY, FUND, FUND_FEE, SUBSIDY, Scene, TIP};

/// Whether two numbers are the same but for the last digits of a decimal text.
fn is_near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-14
}

#[test]
fn the_tip() {
    let (scene, client) = scene();
    assert_eq!(client.get_block_count().unwrap(), TIP as u64);
    assert_eq!(client.get_best_block_hash().unwrap(), scene.hash(TIP));
    assert!(is_near(client.get_difficulty().unwrap(), DIFFICULTY));

    let info = client.get_blockchain_info().unwrap();
    assert_eq!(info.chain, Network::Regtest);
    assert_eq!((info.blocks, info.headers), (TIP as u64, TIP as u64));
    assert_eq!(info.best_block_hash, scene.hash(TIP));
    assert!(is_near(info.difficulty, DIFFICULTY));
    assert_eq!(info.median_time, scene.median_time(TIP));
    assert!((0.99..=1.0).contains(&info.verification_progress), "{}", info.verification_progress);
    assert!(!info.initial_block_download);
    assert_eq!(info.chain_work, Scene::chain_work(TIP));
    let stored: usize = scene.blocks.iter().chain(&scene.stale).map(bitcoin::Block::total_size).sum();
    assert!(info.size_on_disk >= stored as u64, "{} < {stored}", info.size_on_disk);
    assert_eq!(
        (info.pruned, info.prune_height, info.automatic_pruning, info.prune_target_size),
        (false, None, None, None)
    );
    assert_eq!(info.warnings, StringOrStringArray::StringArray(Vec::new()));

    let mut tips = client.get_chain_tips().unwrap();
    tips.sort_by_key(|tip| tip.branch_length);
    let expected = [
        GetChainTipsResultTip {
            height: TIP as u64,
            hash: scene.hash(TIP),
            branch_length: 0,
            status: GetChainTipsResultStatus::Active,
        },
        GetChainTipsResultTip {
            height: FUND as u64 + 2,
            hash: scene.stale[1].block_hash(),
            branch_length: 2,
            status: GetChainTipsResultStatus::ValidFork,
        },
    ];
    assert_eq!(tips, expected);
}

#[test]
fn blocks_and_headers() {
    let (scene, client) = scene();
    for (height, block) in scene.blocks.iter().enumerate() {
        assert_eq!(client.get_block_hash(height as u64).unwrap(), block.block_hash());
    }
    let (code, message) = refusal(client.get_block_hash(TIP as u64 + 1));
    assert_eq!((code, message.as_str()), (-8, "Block height out of range"));

    for height in [0, 1, FUND, TIP] {
        let block = &scene.blocks[height];
        let hash = block.block_hash();
        assert_eq!(&client.get_block(&hash).unwrap(), block);
        assert_eq!(&client.get_by_id::<bitcoin::Block>(&hash).unwrap(), block);
        assert_eq!(client.get_block_hex(&hash).unwrap(), serialize_hex(block));
        assert_eq!(client.get_block_header(&hash).unwrap(), block.header);
        check_descriptions(&scene, &client, height);
    }
    let (code, message) = refusal(client.get_block(&BlockHash::all_zeros()));
    assert_eq!((code, message.as_str()), (-5, "Block not found"));
}

/// What the node says of a block of the chain.
fn check_descriptions(scene: &Scene, client: &bitcoincore_rpc::Client, height: usize) {
    let block = &scene.blocks[height];
    let header = &block.header;
    let hash = block.block_hash();
    let confirmations = i32::try_from(TIP - height + 1).unwrap();
    let previous = (height > 0).then_some(header.prev_blockhash);
    let next = (height < TIP).then(|| scene.hash(height + 1));
    let version = header.version.to_consensus();

    let info = client.get_block_info(&hash).unwrap();
    assert_eq!((info.hash, info.height, info.confirmations), (hash, height, confirmations));
    assert_eq!((info.size, info.weight), (block.total_size(), block.weight().to_wu().try_into().unwrap()));
    assert_eq!(info.strippedsize.unwrap() * 3 + info.size, info.weight);
    assert_eq!((info.version, info.version_hex.unwrap()), (version, version.to_be_bytes().to_vec()));
    assert_eq!(info.merkleroot, header.merkle_root);
    assert_eq!(info.tx, block.txdata.iter().map(Transaction::compute_txid).collect::<Vec<_>>());
    assert_eq!((info.time, info.nonce), (header.time as usize, header.nonce));
    assert_eq!(info.mediantime, Some(usize::try_from(scene.median_time(height)).unwrap()));
    assert_eq!(info.bits, format!("{:08x}", header.bits.to_consensus()));
    assert!(is_near(info.difficulty, DIFFICULTY));
    assert_eq!(info.chainwork, Scene::chain_work(height));
    assert_eq!(info.n_tx, block.txdata.len());
    assert_eq!((info.previousblockhash, info.nextblockhash), (previous, next));

    let info = client.get_block_header_info(&hash).unwrap();
    assert_eq!((info.hash, info.height, info.confirmations), (hash, height, confirmations));
    assert_eq!((info.version, info.version_hex.unwrap()), (header.version, version.to_be_bytes().to_vec()));
    assert_eq!(info.merkle_root, header.merkle_root);
    assert_eq!((info.time, info.nonce), (header.time as usize, header.nonce));
    assert_eq!(info.median_time, Some(usize::try_from(scene.median_time(height)).unwrap()));
    assert_eq!(info.bits, format!("{:08x}", header.bits.to_consensus()));
    assert!(is_near(info.difficulty, DIFFICULTY));
    assert_eq!(info.chainwork, Scene::chain_work(height));
    assert_eq!(info.n_tx, block.txdata.len());
    assert_eq!((info.previous_block_hash, info.next_block_hash), (previous, next));
}

#[test]
fn blocks_that_lost() {
    let (scene, client) = scene();
    for (above, block) in scene.stale.iter().enumerate() {
        let hash = block.block_hash();
        assert_eq!(&client.get_block(&hash).unwrap(), block);
        let info = client.get_block_info(&hash).unwrap();
        assert_eq!((info.confirmations, info.height, info.nextblockhash), (-1, FUND + 1 + above, None));
        let info = client.get_block_header_info(&hash).unwrap();
        assert_eq!((info.confirmations, info.height, info.next_block_hash), (-1, FUND + 1 + above, None));
    }
}

#[test]
fn statistics_of_a_block() {
    let (scene, client) = scene();
    let fund = &scene.fund;
    let size = u32::try_from(fund.total_size()).unwrap();
    let fee_rate = FUND_FEE * 4 / fund.weight().to_wu();
    let stats = client.get_block_stats(FUND as u64).unwrap();
    assert_eq!((stats.block_hash, stats.height), (scene.hash(FUND), FUND as u64));
    assert_eq!((stats.time, stats.median_time), (scene.blocks[FUND].header.time.into(), scene.median_time(FUND)));
    assert_eq!((stats.subsidy, stats.total_fee), (SUBSIDY, FUND_FEE));
    for fee in [stats.avg_fee, stats.min_fee, stats.median_fee, stats.max_fee] {
        assert_eq!(fee, FUND_FEE);
    }
    let percentiles = &stats.fee_rate_percentiles;
    let percentiles =
        [percentiles.fr_10th, percentiles.fr_25th, percentiles.fr_50th, percentiles.fr_75th, percentiles.fr_90th];
    for rate in [stats.avg_fee_rate, stats.min_fee_rate, stats.max_fee_rate].into_iter().chain(percentiles) {
        assert_eq!(rate, fee_rate);
    }
    for of_one in [stats.avg_tx_size, stats.min_tx_size, stats.median_tx_size, stats.max_tx_size] {
        assert_eq!(of_one, size);
    }
    let weight = usize::try_from(fund.weight().to_wu()).unwrap();
    assert_eq!((stats.total_size, stats.total_weight), (fund.total_size(), weight));
    assert_eq!((stats.sw_txs, stats.sw_total_size, stats.sw_total_weight), (1, fund.total_size(), weight));
    assert_eq!(stats.total_out, SUBSIDY - FUND_FEE);
    assert_eq!((stats.txs, stats.ins), (2, 1));
    let coinbase = &scene.blocks[FUND].txdata[0];
    assert_eq!(stats.outs, coinbase.output.len() + fund.output.len());
    assert_eq!(stats.utxo_increase, i32::try_from(stats.outs).unwrap() - 1);
    // An output counts with its outpoint, its height and its flag (Core: `PER_UTXO_OVERHEAD`, `rpc/blockchain.cpp`).
    let weigh = |output: &bitcoin::TxOut| i32::try_from(output.size()).unwrap() + 40;
    let created: i32 = coinbase.output.iter().chain(&fund.output).map(weigh).sum();
    assert_eq!(stats.utxo_size_inc, created - weigh(&scene.coinbase(1).output));

    let some = client
        .get_block_stats_fields(
            FUND as u64,
            &[BlockStatsFields::TotalFee, BlockStatsFields::Height, BlockStatsFields::Txs],
        )
        .unwrap();
    assert_eq!((some.total_fee, some.height, some.txs), (Some(FUND_FEE), Some(FUND as u64), Some(2)));
    assert_eq!((some.avg_fee, some.block_hash, some.fee_rate_percentiles), (None, None, None));
}

#[test]
fn coins() {
    let (scene, client) = scene();
    let coins = scene.coins();
    let total: Amount = coins.iter().map(|(_, coin)| coin.output.value).sum();
    assert_eq!(total, SUBSIDY * TIP as u64);
    // Of each coin: its outpoint, height, amount and script (Core: `GetBogoSize`).
    let bogosize: usize = coins.iter().map(|(_, coin)| 50 + coin.output.script_pubkey.len()).sum();

    let info = client.get_tx_out_set_info(Some(TxOutSetHashType::None), None, None).unwrap();
    assert_eq!((info.height, info.best_block), (TIP as u64, scene.hash(TIP)));
    assert_eq!((info.tx_outs, info.total_amount), (coins.len() as u64, total));
    assert_eq!(info.bogosize, bogosize as u64);
    let mut txids: Vec<_> = coins.iter().map(|(_, coin)| coin.outpoint.txid).collect();
    txids.dedup();
    assert_eq!(info.transactions, Some(txids.len() as u64));
    assert_eq!((info.muhash, info.hash_serialized_2), (None, None));

    // The hash is one of the set alone: it comes back when a block does.
    let hash = || client.get_tx_out_set_info(Some(TxOutSetHashType::Muhash), None, None).unwrap().muhash.unwrap();
    let before = hash();
    client.invalidate_block(&scene.hash(TIP)).unwrap();
    assert_ne!(hash(), before);
    client.reconsider_block(&scene.hash(TIP)).unwrap();
    assert_eq!(hash(), before);
    let (code, _) =
        refusal(client.get_tx_out_set_info(Some(TxOutSetHashType::Muhash), Some(HashOrHeight::Height(1)), None));
    assert_eq!(code, -8, "the past needs an index");
}

#[test]
fn a_search_for_coins() {
    let (scene, client) = scene();
    let address = scene.purse.address();
    let found = client.scan_tx_out_set_blocking(&[ScanTxOutRequest::Single(format!("addr({address})"))]).unwrap();
    let mut expected = scene.coins();
    expected.retain(|(_, coin)| coin.output.script_pubkey == address.script_pubkey());
    assert_eq!(found.success, Some(true));
    assert_eq!((found.height, found.best_block_hash), (Some(TIP as u64), Some(scene.hash(TIP))));
    assert_eq!(found.tx_outs, Some(scene.coins().len() as u64));
    assert_eq!(found.total_amount, expected.iter().map(|(_, coin)| coin.output.value).sum());
    assert_eq!(found.unspents.len(), expected.len());
    for (height, coin) in expected {
        let unspent = found
            .unspents
            .iter()
            .find(|unspent| (unspent.txid, unspent.vout) == (coin.outpoint.txid, coin.outpoint.vout))
            .unwrap();
        assert_eq!((unspent.amount, unspent.height), (coin.output.value, height as u64));
        assert_eq!(unspent.script_pub_key, coin.output.script_pubkey);
        assert!(unspent.descriptor.starts_with("addr("), "{}", unspent.descriptor);
    }

    // A descriptor without keys to derive is the same in any range.
    let range = ScanTxOutRequest::Extended { desc: format!("addr({address})"), range: (0, 1) };
    assert_eq!(client.scan_tx_out_set_blocking(&[range]).unwrap(), found);
    let (code, _) = refusal(client.scan_tx_out_set_blocking(&[ScanTxOutRequest::Single("nothing".to_owned())]));
    assert_eq!(code, -5);
}
