use std::collections::HashMap;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, Txid};
use proptest::prelude::*;

use super::*;
use crate::coins::CoinScript;

type Store = HashMap<OutPoint, Coin>;

fn outpoint(number: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([number / 4; 32]), vout: u32::from(number % 4) }
}

fn coin(amount: u64) -> Coin {
    // Some scripts are too long to be held in place.
    let script = vec![0x51; usize::try_from(amount % 50).unwrap()];
    Coin {
        amount: Amount::from_sat(amount),
        script_pubkey: CoinScript::from(&script[..]),
        height: 1,
        is_coinbase: false,
    }
}

fn merge(store: &mut Store, generation: &Generation) {
    for change in generation.changes() {
        match &change.coin {
            Some(coin) => store.insert(change.outpoint, coin.clone()),
            None => store.remove(&change.outpoint),
        };
    }
}

#[test]
fn coins_that_are_born_and_die_between_flushes_leave_nothing() {
    let mut cache = CoinsCache::new(Store::new(), CoinSalt([1; 16]));
    for number in 0..100 {
        cache.add(outpoint(number), coin(49));
    }
    for number in 0..100 {
        assert_eq!(cache.spend(&outpoint(number)).unwrap(), Some(coin(49)));
        assert_eq!(cache.spend(&outpoint(number)).unwrap(), None);
    }
    assert_eq!(cache.changes(), 0);
    assert_eq!(cache.freeze().changes().count(), 0);
}

#[test]
fn a_coin_spent_while_its_generation_is_frozen_stays_spent() {
    let mut cache = CoinsCache::new(Store::new(), CoinSalt([1; 16]));
    cache.add(outpoint(1), coin(5));
    let first = cache.freeze();
    assert_eq!(cache.spend(&outpoint(1)).unwrap(), Some(coin(5)));
    merge(&mut cache.store, &first);
    assert!(!cache.have_coin(&outpoint(1)).unwrap(), "the mark hides the coin that the merge brought");
    let second = cache.freeze();
    merge(&mut cache.store, &second);
    assert!(cache.store.is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Add(u8, u64),
    Overwrite(u8, u64),
    Spend(u8),
    Freeze,
    Merge,
    Remember(u8),
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40u8, 0..1_000u64).prop_map(|(number, amount)| Step::Add(number, amount)),
        1 => (0..40u8, 0..1_000u64).prop_map(|(number, amount)| Step::Overwrite(number, amount)),
        4 => (0..40u8).prop_map(Step::Spend),
        1 => Just(Step::Freeze),
        1 => Just(Step::Merge),
        3 => (0..40u8).prop_map(Step::Remember),
        1 => Just(Step::Forget),
    ]
}

proptest! {
    /// Whatever happens when, the cache shows what a plain map shows.
    #[test]
    fn behaves_as_a_map(steps in prop::collection::vec(step(), 0..300)) {
        let mut cache = CoinsCache::new(Store::new(), CoinSalt([7; 16]));
        let mut map = Store::new();
        let mut unmerged: Option<Arc<Generation>> = None;
        for step in steps {
            match step {
                Step::Add(number, amount) if !map.contains_key(&outpoint(number)) => {
                    cache.add(outpoint(number), coin(amount));
                    map.insert(outpoint(number), coin(amount));
                }
                Step::Add(..) => {}
                Step::Overwrite(number, amount) => {
                    cache.overwrite(outpoint(number), coin(amount));
                    map.insert(outpoint(number), coin(amount));
                }
                Step::Spend(number) => {
                    prop_assert_eq!(cache.spend(&outpoint(number)).unwrap(), map.remove(&outpoint(number)));
                }
                Step::Freeze => {
                    if let Some(generation) = unmerged.take() {
                        merge(&mut cache.store, &generation);
                    }
                    unmerged = Some(cache.freeze());
                }
                Step::Remember(number) => {
                    if let Some(coin) = cache.coin(&outpoint(number)).unwrap() {
                        cache.remember(outpoint(number), coin);
                    }
                }
                Step::Forget => cache.forget(),
                Step::Merge => {
                    if let Some(generation) = unmerged.take() {
                        merge(&mut cache.store, &generation);
                    }
                }
            }
            for number in 0..40 {
                let expected = map.get(&outpoint(number)).cloned();
                prop_assert_eq!(cache.coin(&outpoint(number)).unwrap(), expected);
            }
        }
        if let Some(generation) = unmerged {
            merge(&mut cache.store, &generation);
        }
        let last = cache.freeze();
        merge(&mut cache.store, &last);
        prop_assert_eq!(cache.store, map);
        let heap: usize = last.changes().filter_map(|change| change.coin.as_ref()).map(|coin| coin.script_pubkey.heap_bytes()).sum();
        prop_assert!(last.memory() >= heap);
    }
}
