//! Full blocks.

use bitcoin::ScriptBuf;
use cairn_chain::mempool::FeeRate;
use cairn_chain::mining::TemplateOptions;

use crate::miner::{Coin, Miner, anyone, output, padding, pay, spend, txids};

/// Weight, in weight units, of a transaction that spends one coin and has an output of nothing with `bytes` of padding.
fn weight_of(bytes: usize) -> usize {
    let coin = Coin { outpoint: bitcoin::OutPoint::null(), satoshis: 1 };
    usize::try_from(spend(&[coin], &[(0, padding(bytes))]).weight().to_wu()).unwrap()
}

fn padded(coin: Coin, bytes: usize, fee: u64) -> bitcoin::Transaction {
    assert_eq!(fee, coin.satoshis, "what is spent is the fee");
    spend(&[coin], &[(0, padding(bytes))])
}

/// Coins with these values.
fn coins(miner: &mut Miner, values: &[u64]) -> Vec<Coin> {
    let coinbase = miner.coinbases[0];
    let outputs: Vec<_> = values.iter().map(|&value| (value, anyone())).collect();
    let split = spend(&[coinbase], &outputs);
    miner.accept(&split);
    miner.mine(miner.template());
    (0..).map(|vout| output(&split, vout)).take(values.len()).collect()
}

#[test]
fn weight_stays_below_the_maximum() {
    let mut miner = Miner::with_coins(1);
    let coins = coins(&mut miner, &[40_000, 30_000, 20_000, 10_000]);
    let large = 400_000;
    for &coin in &coins {
        miner.accept(&padded(coin, large, coin.satoshis));
    }
    let options = |most| TemplateOptions { block_max_weight: most, ..TemplateOptions::default() };
    let two = 8000 + 2 * weight_of(large);
    assert_eq!(miner.template_with(&options(two + 1)).transactions.len(), 2);
    assert_eq!(miner.template_with(&options(two)).transactions.len(), 1, "exactly full is too full");
    let template = miner.template();
    assert_eq!((template.transactions.len(), template.weight), (2, two));
    let block = miner.mine(template);
    assert!(block.weight() <= 4_000_000);
    assert_eq!(miner.pool.len(), 2, "the rest waits for the next block");
    assert_eq!(miner.template().transactions.len(), 2);
}

#[test]
fn what_is_smaller_and_pays_less_fills_the_gap() {
    let mut miner = Miner::with_coins(1);
    let coins = coins(&mut miner, &[900_000, 800_000, 700_000, 100, 60]);
    for (&coin, bytes) in coins.iter().zip([480_000, 480_000, 480_000, 3000, 2000]) {
        miner.accept(&padded(coin, bytes, coin.satoshis));
    }
    let template = miner.template();
    let fees: Vec<u64> = template.transactions.iter().map(|transaction| transaction.fee.to_sat()).collect();
    assert_eq!(fees, [900_000, 800_000, 100, 60]);
    miner.mine(template);
}

#[test]
fn what_depends_on_a_chunk_that_does_not_fit_is_left_out() {
    let mut miner = Miner::with_coins(2);
    let coins = coins(&mut miner, &[9_000_000, 2_000_000, 1_000_000]);
    miner.accept(&padded(coins[0], 900_000, 9_000_000));
    // It does not fit any more, and its child, which pays less and is small, needs it.
    let parent = spend(&[coins[1]], &[(1_000_000, anyone()), (0, padding(200_000))]);
    let child = pay(output(&parent, 0), 100);
    let other = pay(coins[2], 50);
    for transaction in [&parent, &child, &other] {
        miner.accept(transaction);
    }
    let template = miner.template();
    assert_eq!(template.transactions.len(), 2);
    assert_eq!(txids(&template)[1], other.compute_txid());
    miner.mine(template);
}

#[test]
fn signature_operations_stay_below_the_maximum() {
    let mut miner = Miner::with_coins(1);
    // Each OP_CHECKSIG costs four.
    let sigops = |count: usize| ScriptBuf::from_bytes(vec![0xac; count]);
    let values: Vec<u64> = (1..=6).map(|place| place * 1_000_000).collect();
    let coins = coins(&mut miner, &values);
    // A transaction of the pool may have a fifth of a block's; 15,920 of cost each.
    for &coin in &coins {
        miner.accept(&spend(&[coin], &[(0, sigops(3980))]));
    }
    let with = |free| {
        let options = TemplateOptions { coinbase_output_max_additional_sigops: free, ..TemplateOptions::default() };
        miner.template_with(&options)
    };
    assert_eq!(with(399).transactions.len(), 5, "5 * 15,920 and 399 are 79,999");
    assert_eq!(with(399).sigop_cost, 79_999);
    assert_eq!(with(400).transactions.len(), 4, "exactly full is too full");
    assert_eq!(with(0).transactions.iter().map(|transaction| transaction.sigop_cost).sum::<usize>(), 5 * 15_920);
    miner.mine(with(0));
    assert_eq!(miner.template().transactions.len(), 1);
}

#[test]
fn a_block_that_is_nearly_full_is_not_searched_for_ever() {
    let mut miner = Miner::with_coins(1);
    // A large one, 1001 that pay less each and do not fit behind it, and a small one that would and pays least.
    let mut values = vec![40_000_000];
    values.extend([600_000; 1001]);
    values.push(20);
    let coins = coins(&mut miner, &values);
    let most = 400_000;
    let large = 97_180;
    miner.accept(&padded(coins[0], large, 40_000_000));
    for &coin in &coins[1..=1000] {
        miner.accept(&padded(coin, 2000, 600_000));
    }
    let last = spend(&[coins[1002]], &[(0, padding(5))]);
    miner.accept(&last);
    let left = most - 8000 - weight_of(large);
    assert!((weight_of(5) + 1..4000.min(weight_of(2000))).contains(&left), "{left}");
    let options = TemplateOptions { block_max_weight: most, ..TemplateOptions::default() };
    assert_eq!(miner.template_with(&options).transactions.len(), 2, "after a thousand that do not fit");
    miner.accept(&padded(coins[1001], 2000, 600_000));
    assert_eq!(miner.template_with(&options).transactions.len(), 1, "not after a thousand and one");
    // With more room than that it goes on.
    let options = TemplateOptions { block_max_weight: most + 4000 - left + 1, ..options };
    assert_eq!(miner.template_with(&options).transactions.len(), 2);
    assert!(FeeRate::new(20, last.vsize() as u64).cmp_rate(FeeRate::per_kvb(1)).is_gt());
}
