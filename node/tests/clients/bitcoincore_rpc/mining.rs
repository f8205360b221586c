//! Templates, blocks that are found and submitted, reorganisations.

use std::thread;
use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, Network, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, absolute, transaction,
};
use bitcoincore_rpc::json::{
    GetBlockTemplateModes, GetBlockTemplateResulMutations, GetBlockTemplateResult, GetBlockTemplateResultCapabilities,
    GetBlockTemplateResultRules, GetBlockTemplateRules, StringOrStringArray,
};
use bitcoincore_rpc::{Client, Error, RpcApi};

use super::{connect, refusal, scene};
use crate::purse::Purse;
use crate::scene::{CHILD_FEE, DIFFICULTY, FUND, PARENT_FEE, SUBSIDY, TIP, solve};

fn template(client: &Client) -> GetBlockTemplateResult {
    client.get_block_template(GetBlockTemplateModes::Template, &[GetBlockTemplateRules::SegWit], &[]).unwrap()
}

/// The block that a miner makes of a template, the proof of work included.
fn assemble(template: &GetBlockTemplateResult, pay_to: &Purse) -> Block {
    let coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(i64::try_from(template.height).unwrap()).push_int(0).into_script(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0; 32]]),
        }],
        output: vec![
            TxOut { value: template.coinbase_value, script_pubkey: pay_to.address().script_pubkey() },
            TxOut { value: Amount::ZERO, script_pubkey: template.default_witness_commitment.clone() },
        ],
    };
    let others = template.transactions.iter().map(|entry| entry.transaction().unwrap());
    let bits = u32::from_be_bytes(template.bits.clone().try_into().unwrap());
    let header = Header {
        version: Version::from_consensus(template.version.cast_signed()),
        prev_blockhash: template.previous_block_hash,
        merkle_root: TxMerkleNode::all_zeros(),
        time: u32::try_from(template.current_time).unwrap(),
        bits: CompactTarget::from_consensus(bits),
        nonce: 0,
    };
    let mut block = Block { header, txdata: std::iter::once(coinbase).chain(others).collect() };
    seal(&mut block);
    block
}

/// Makes a block that was changed one with a proof of work again.
fn seal(block: &mut Block) {
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    solve(&mut block.header);
}

#[test]
fn a_template() {
    let (scene, client) = scene();
    let template = template(&client);
    assert_eq!((template.previous_block_hash, template.height), (scene.hash(TIP), TIP as u64 + 1));
    assert_eq!(template.bits, scene.tip().header.bits.to_consensus().to_be_bytes());
    assert_eq!(template.target, Target::from_compact(scene.tip().header.bits).to_be_bytes());
    assert_eq!(template.coinbase_value, SUBSIDY + PARENT_FEE + CHILD_FEE);
    assert_eq!(template.min_time, scene.median_time(TIP) + 1);
    assert!(template.current_time >= template.min_time);
    assert_eq!((template.sigop_limit, template.size_limit, template.weight_limit), (80_000, 4_000_000, 4_000_000));
    assert_eq!(template.version >> 29, 1, "version bits (BIP9)");
    for rule in
        [GetBlockTemplateResultRules::SegWit, GetBlockTemplateResultRules::Csv, GetBlockTemplateResultRules::Taproot]
    {
        assert!(template.rules.contains(&rule), "{:?}", template.rules);
    }
    assert_eq!(template.capabilities, [GetBlockTemplateResultCapabilities::Proposal]);
    assert_eq!(template.version_bits_required, 0);
    assert!(template.longpollid.starts_with(&scene.hash(TIP).to_string()), "{}", template.longpollid);
    let mutations = [
        GetBlockTemplateResulMutations::Time,
        GetBlockTemplateResulMutations::Transactions,
        GetBlockTemplateResulMutations::PreviousBlock,
    ];
    assert_eq!(template.mutable, mutations);
    assert_eq!(template.nonce_range, [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(template.signet_challenge, ScriptBuf::new());

    assert_eq!(template.transactions.len(), 2);
    for (entry, (transaction, fee, depends)) in
        template.transactions.iter().zip([(&scene.parent, PARENT_FEE, vec![]), (&scene.child, CHILD_FEE, vec![1])])
    {
        assert_eq!(&entry.transaction().unwrap(), transaction);
        assert_eq!((entry.txid, entry.wtxid), (transaction.compute_txid(), transaction.compute_wtxid()));
        assert_eq!((entry.fee, &entry.depends), (fee, &depends));
        assert_eq!(entry.weight as u64, transaction.weight().to_wu());
        // A P2WPKH input has one, a P2TR input none.
        assert_eq!(entry.sigops, 1);
    }

    let (code, _) = refusal(client.get_block_template(GetBlockTemplateModes::Template, &[], &[]));
    assert_eq!(code, -8, "a miner has to know of segwit");

    let info = client.get_mining_info().unwrap();
    assert_eq!((info.blocks, info.chain, info.pooled_tx), (u32::try_from(TIP).unwrap(), Network::Regtest, 2));
    assert!((info.difficulty / DIFFICULTY - 1.0).abs() < 1e-14);
    assert_eq!(info.warnings, StringOrStringArray::StringArray(Vec::new()));
    assert_eq!(info.current_block_tx, Some(2));
    assert!(info.current_block_weight.unwrap() > scene.parent.weight().to_wu() + scene.child.weight().to_wu());
    assert_eq!(info.network_hash_ps, client.get_network_hash_ps(None, None).unwrap());
}

#[test]
fn the_rate_of_hashes() {
    let (scene, client) = scene();
    // Two hashes a block, over the time between the first and the last (Core: `GetNetworkHashPS`).
    for (blocks, height) in [(1, 50), (20, TIP), (100, 101)] {
        let times = scene.blocks[height - blocks..=height].iter().map(|block| block.header.time);
        let (first, last) = (times.clone().min().unwrap(), times.max().unwrap());
        let expected = if first == last { 0.0 } else { 2.0 * blocks as f64 / f64::from(last - first) };
        let rate = client.get_network_hash_ps(Some(blocks as u64), Some(height as u64)).unwrap();
        assert!((rate - expected).abs() <= 1e-9 * expected, "{rate}, not {expected}");
    }
}

#[test]
fn blocks_that_are_submitted() {
    let (scene, client) = scene();
    let purse = Purse::new(3);
    let block = assemble(&template(&client), &purse);
    client.submit_block(&block).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), block.block_hash());
    assert_eq!(client.get_raw_mempool().unwrap(), Vec::<Txid>::new());
    let value = client.get_tx_out(&block.txdata[0].compute_txid(), 0, None).unwrap().unwrap().value;
    assert_eq!(value, SUBSIDY + PARENT_FEE + CHILD_FEE);
    assert_eq!(reason(client.submit_block(&block)), "duplicate");

    let block = assemble(&template(&client), &purse);
    client.submit_block_bytes(&serialize(&block)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), block.block_hash());
    let block = assemble(&template(&client), &purse);
    client.submit_block_hex(&bitcoin::consensus::encode::serialize_hex(&block)).unwrap();
    assert_eq!(client.get_block_count().unwrap(), TIP as u64 + 3);
    assert_eq!(client.get_block(&scene.hash(TIP)).unwrap(), *scene.tip());
}

/// Why a block was not taken.
fn reason(answer: Result<(), Error>) -> String {
    match answer {
        Err(Error::ReturnedError(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn blocks_that_are_refused() {
    let (scene, client) = scene();
    let template = template(&client);
    let good = assemble(&template, &Purse::new(3));
    type Change = fn(&mut Block);
    let changes: [(&str, Change); 7] = [
        ("bad-cb-amount", |block| block.txdata[0].output[0].value += Amount::from_sat(1)),
        ("bad-cb-height", |block| block.txdata[0].input[0].script_sig = ScriptBuf::from_bytes(vec![1, 99, 0])),
        ("bad-witness-merkle-match", |block| block.txdata[0].output[1].script_pubkey.as_mut_bytes()[7] ^= 1),
        ("bad-txns-inputs-missingorspent", |block| _ = block.txdata.remove(1)),
        ("bad-cb-missing", |block| _ = block.txdata.remove(0)),
        ("time-too-old", |block| block.header.time = 1_296_688_602),
        ("bad-diffbits", |block| block.header.bits = CompactTarget::from_consensus(0x207f_fffe)),
    ];
    for (expected, change) in changes {
        let mut block = good.clone();
        change(&mut block);
        // The commitment is that of the block, where it is not what was changed.
        if expected == "bad-txns-inputs-missingorspent" {
            let root = block.witness_root().unwrap();
            let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
            block.txdata[0].output[1].script_pubkey.as_mut_bytes()[6..38].copy_from_slice(commitment.as_byte_array());
        }
        seal(&mut block);
        assert_eq!(reason(client.submit_block(&block)), expected);
        // A block whose header is kept is judged once (Core: `BLOCK_FAILED_VALID`).
        let is_remembered = ["bad-cb-amount", "bad-cb-height", "bad-txns-inputs-missingorspent"].contains(&expected);
        let again = if is_remembered { "duplicate-invalid" } else { expected };
        assert_eq!(reason(client.submit_block(&block)), again);
    }
    let mut wrong_root = good.clone();
    wrong_root.header.merkle_root = TxMerkleNode::all_zeros();
    solve(&mut wrong_root.header);
    assert_eq!(reason(client.submit_block(&wrong_root)), "bad-txnmrklroot");
    let mut no_work = good.clone();
    while no_work.header.validate_pow(no_work.header.target()).is_ok() {
        no_work.header.nonce += 1;
    }
    assert_eq!(reason(client.submit_block(&no_work)), "high-hash");
    let mut orphan = good.clone();
    orphan.header.prev_blockhash = BlockHash::from_byte_array([1; 32]);
    seal(&mut orphan);
    assert_eq!(reason(client.submit_block(&orphan)), "prev-blk-not-found");
    let mut aside = deserialize::<Block>(&serialize(&scene.stale[1])).unwrap();
    aside.header.nonce += 1;
    solve(&mut aside.header);
    assert_eq!(reason(client.submit_block(&aside)), "inconclusive");
    assert_eq!(refusal(client.submit_block_hex("00")).0, -22);
    assert_eq!(client.get_best_block_hash().unwrap(), scene.hash(TIP));
    client.submit_block(&good).unwrap();
}

#[test]
fn blocks_that_are_found_here() {
    let (scene, client) = scene();
    let hashes = client.generate_to_address(3, &Purse::new(3).taproot_address()).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), hashes[2]);
    let block = client.get_block(&hashes[0]).unwrap();
    assert_eq!(block.header.prev_blockhash, scene.hash(TIP));
    assert_eq!(block.txdata[1..], [scene.parent.clone(), scene.child.clone()]);
    assert_eq!(block.txdata[0].output[0].script_pubkey, Purse::new(3).taproot_address().script_pubkey());
    // Core has no such method any more, but tells who calls it with arguments what came in its place.
    let (code, message) = refusal(client.generate(1, None));
    assert!(code == -1 && message.contains("replaced by the -generate cli option"), "{code} {message}");
}

#[test]
fn waiting_for_a_block() {
    let (scene, client) = scene();
    let now = client.wait_for_new_block(1).unwrap();
    assert_eq!((now.hash, now.height), (scene.hash(TIP), TIP as u64));
    let now = client.wait_for_block(&scene.hash(TIP), 60_000).unwrap();
    assert_eq!((now.hash, now.height), (scene.hash(TIP), TIP as u64));
    let found = thread::scope(|scope| {
        let other = connect(&scene);
        let miner = scope.spawn(move || {
            thread::sleep(Duration::from_millis(200));
            other.generate_to_address(1, &Purse::new(3).address()).unwrap()[0]
        });
        let seen = client.wait_for_new_block(14_000).unwrap();
        let found = miner.join().unwrap();
        assert_eq!((seen.hash, seen.height), (found, TIP as u64 + 1));
        found
    });
    assert_eq!(client.wait_for_block(&found, 1).unwrap().hash, found);
}

#[test]
fn a_reorganisation() {
    let (scene, client) = scene();
    client.invalidate_block(&scene.hash(FUND)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), scene.hash(FUND - 1));
    // What the blocks had comes back, and what spends it stays.
    let mut pool = client.get_raw_mempool().unwrap();
    let mut expected = [&scene.fund, &scene.parent, &scene.child].map(Transaction::compute_txid);
    pool.sort();
    expected.sort();
    assert_eq!(pool, expected);
    assert_eq!(client.get_block_info(&scene.hash(TIP)).unwrap().confirmations, -1);
    assert!(client.get_tx_out(&scene.coinbase(1).outpoint.txid, 0, Some(false)).unwrap().is_some());

    client.reconsider_block(&scene.hash(FUND)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), scene.hash(TIP));
    let mut pool = client.get_raw_mempool().unwrap();
    let mut expected = [&scene.parent, &scene.child].map(Transaction::compute_txid);
    pool.sort();
    expected.sort();
    assert_eq!(pool, expected);

    // A longer branch wins by itself.
    client.invalidate_block(&scene.hash(FUND + 1)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), scene.stale[1].block_hash());
    let found = client.generate_to_address(2, &Purse::new(2).address()).unwrap();
    client.reconsider_block(&scene.hash(FUND + 1)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), found[1]);
    assert_eq!(client.get_block_hash(FUND as u64 + 1).unwrap(), scene.stale[0].block_hash());
    assert_eq!(refusal(client.invalidate_block(&BlockHash::all_zeros())).0, -5);
}
