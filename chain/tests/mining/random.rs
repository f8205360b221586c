//! Pools of all shapes.

use std::cell::RefCell;
use std::collections::HashMap;

use bitcoin::{ScriptBuf, Txid};
use cairn_chain::mempool::{FeeRate, Mempool};
use cairn_chain::mining::{BlockTemplate, TemplateOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::miner::{Coin, Miner, anyone, output, padding, spend, txids};

/// A transaction of a random pool. Coins are those that are left, by place.
#[derive(Debug, Clone)]
struct Shape {
    coins: Vec<prop::sample::Index>,
    outputs: usize,
    /// Satoshis for each coin.
    fee: u64,
    padding: usize,
    sigops: usize,
    /// What the operator pretends.
    delta: i64,
}

fn shape() -> impl Strategy<Value = Shape> {
    let coins = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    let fee = prop_oneof![Just(0), 1_u64..1000, 1000_u64..1_000_000];
    let padding = prop_oneof![4 => 1_usize..200, 1 => 200_usize..50_000];
    let sigops = prop_oneof![4 => Just(0_usize), 1 => 1_usize..3900];
    let delta = prop_oneof![8 => Just(0_i64), 1 => -1_000_000_i64..1_000_000];
    (coins, 1_usize..4, fee, padding, sigops, delta).prop_map(|(coins, outputs, fee, padding, sigops, delta)| Shape {
        coins,
        outputs,
        fee,
        padding,
        sigops,
        delta,
    })
}

/// Fills the pool. Transactions it does not want are left out.
fn fill(miner: &mut Miner, coins: &[Coin], shapes: &[Shape]) {
    miner.pool = Mempool::new(miner.pool.options().clone());
    let mut left = coins.to_vec();
    for shape in shapes {
        let mut spent: Vec<Coin> = Vec::new();
        for coin in &shape.coins {
            if !left.is_empty() {
                spent.push(left.swap_remove(coin.index(left.len())));
            }
        }
        let satoshis: u64 = spent.iter().map(|coin| coin.satoshis).sum();
        let Some(paid) = satoshis.checked_sub(shape.fee).filter(|paid| *paid > 3) else { continue };
        let mut outputs = vec![(paid / shape.outputs as u64, anyone()); shape.outputs];
        outputs.push((0, padding(shape.padding)));
        outputs.push((0, ScriptBuf::from_bytes(vec![0xac; shape.sigops])));
        let transaction = spend(&spent, &outputs);
        match miner.try_accept(&transaction) {
            Ok(txid) => {
                left.extend((0..).take(shape.outputs).map(|vout| output(&transaction, vout)));
                miner.pool.prioritise_transaction(txid, shape.delta);
            }
            // A cluster is full.
            Err(_) => left.extend(spent),
        }
    }
}

/// What every template has to be, whatever is in the pool.
fn check(miner: &Miner, template: &BlockTemplate, options: &TemplateOptions) {
    let entry = |txid: &Txid| miner.pool.get(txid).unwrap();
    let mut weight = options.block_reserved_weight;
    let mut sigop_cost = options.coinbase_output_max_additional_sigops;
    let mut places: HashMap<Txid, usize> = HashMap::new();
    let dependencies = template.dependencies();
    for (place, (txid, depends)) in (1..).zip(txids(template).iter().zip(&dependencies)) {
        let entry = entry(txid);
        weight += entry.tx().weight();
        sigop_cost += entry.sigop_cost;
        let parents: Vec<_> = entry.tx().inputs().filter(|input| miner.pool.contains(&input.prevout().txid)).collect();
        let expected: Vec<_> = parents.iter().map(|input| places[&input.prevout().txid]).collect();
        assert_eq!(depends, &expected, "parents come before their children");
        assert!(places.insert(*txid, place).is_none(), "each is mined once");
    }
    assert!(weight <= options.block_max_weight && sigop_cost < 80_000);
    assert_eq!((weight, sigop_cost), (template.weight, template.sigop_cost));
    let fees: u64 = template.transactions.iter().map(|transaction| transaction.fee.to_sat()).sum();
    assert_eq!(template.coinbase.reward.to_sat(), fees + 5_000_000_000);
    assert_eq!(template.fees().to_sat(), fees);
    for rate in &template.chunk_fee_rates {
        assert!(rate.cmp_rate(options.block_min_fee_rate).is_ge());
    }
    let is_sorted = template.chunk_fee_rates.windows(2).all(|pair| {
        // Sizes are rounded up to virtual bytes, which moves a rate by at most what one is worth.
        let best = FeeRate { size: pair[0].size - 1, ..pair[0] };
        best.cmp_rate(pair[1]).is_ge()
    });
    assert!(is_sorted, "the best chunks come first");
    assert!(template.block().weight() <= options.block_max_weight);
    // What was left out does not pay, or there is no room: nothing that pays fits beside what it needs.
    let left_out = miner.pool.entries().filter(|entry| !places.contains_key(&entry.tx().txid()));
    for entry in left_out {
        let needs = miner.pool.parents(entry).iter().all(|parent| places.contains_key(&parent.tx().txid()));
        let pays = entry.fee_rate().cmp_rate(options.block_min_fee_rate).is_ge();
        let fits = template.weight + entry.adjusted_weight() < options.block_max_weight
            && template.sigop_cost + entry.sigop_cost < 80_000;
        let is_alone = miner.pool.parents(entry).is_empty() && miner.pool.children(entry).is_empty();
        assert!(!(needs && pays && fits && is_alone), "{:?} was forgotten", entry.tx());
    }
}

#[test]
fn templates_keep_to_limits_and_order() {
    let mut miner = Miner::with_coins(1);
    let coinbase = miner.coinbases[0];
    let split = spend(&[coinbase], &vec![(10_000_000, anyone()); 100]);
    miner.accept(&split);
    miner.mine(miner.template());
    let coins: Vec<Coin> = (0..100).map(|vout| output(&split, vout)).collect();
    let miner = RefCell::new(miner);
    let strategy = (
        prop::collection::vec(shape(), 0..120),
        prop_oneof![Just(4_000_000_usize), 8000_usize..400_000],
        prop_oneof![Just(1_i64), 0_i64..20_000],
        prop_oneof![Just(400_usize), 0_usize..80_000],
    );
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(shapes, block_max_weight, min_fee, free_sigops)| {
        let mut miner = miner.borrow_mut();
        fill(&mut miner, &coins, &shapes);
        let options = TemplateOptions {
            block_max_weight,
            block_min_fee_rate: FeeRate::per_kvb(min_fee),
            coinbase_output_max_additional_sigops: free_sigops,
            ..TemplateOptions::default()
        };
        // The finished block is checked by every rule.
        let template = miner.template_with(&options);
        check(&miner, &template, &options);
        Ok(())
    });
    outcome.unwrap();
    // The last of them is as good as any to be mined.
    let mut miner = miner.into_inner();
    miner.mine(miner.template());
}
