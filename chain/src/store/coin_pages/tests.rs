use std::collections::HashMap;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, Txid};
use proptest::prelude::*;

use super::*;
use crate::coins::CoinScript;

const SALT: CoinSalt = CoinSalt([3; 16]);

fn tree() -> sled::Tree {
    let db = sled::Config::new().temporary(true).flush_every_ms(None).open().unwrap();
    db.open_tree("coins").unwrap()
}

/// A file to sync: what a test writes need not be durable.
fn file() -> File {
    tempfile::tempfile().unwrap()
}

fn outpoint(number: u32) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array(crate::hash::sha256(&(number / 3).to_le_bytes())), vout: number % 3 }
}

fn coin(number: u32) -> Coin {
    let script = vec![0x51; usize::try_from(number % 200).unwrap()];
    Coin {
        amount: Amount::from_sat(number.into()),
        script_pubkey: CoinScript::from(&script[..]),
        height: number,
        is_coinbase: number.is_multiple_of(2),
    }
}

fn generation(added: impl Iterator<Item = u32>, spent: impl Iterator<Item = u32>) -> Generation {
    let hasher = CoinHasher::new(CoinSalt([9; 16]));
    let mut generation = Generation::default();
    for number in added {
        generation.add(&hasher, outpoint(number), coin(number), false);
    }
    for number in spent {
        generation.mark_spent(&hasher, outpoint(number));
    }
    generation
}

fn all(pages: &CoinPages) -> HashMap<OutPoint, Coin> {
    let mut coins = HashMap::new();
    pages
        .scan(&mut |outpoint, coin| {
            assert!(coins.insert(*outpoint, coin.clone()).is_none(), "a coin is visited once");
            Ok(())
        })
        .unwrap();
    coins
}

#[test]
fn pages_split_and_keep_every_coin() {
    let tree = tree();
    let pages = CoinPages::open(tree.clone(), file(), SALT, &[0]).unwrap();
    pages.merge(&generation(0..20_000, 0..0)).unwrap();
    pages.merge(&generation(20_000..30_000, 0..10_000)).unwrap();
    assert!(pages.depths().len() > 100, "{} pages", pages.depths().len());
    for value in tree.iter().values() {
        assert!(value.unwrap().len() <= MAX_PAGE_SIZE);
    }
    let reopened = CoinPages::open(tree, file(), SALT, &pages.depths()).unwrap();
    assert_eq!(*reopened.directory.read().unwrap(), *pages.directory.read().unwrap());
    for number in 0..30_000 {
        let expected = (number >= 10_000).then(|| coin(number));
        assert_eq!(reopened.coin(&outpoint(number)).unwrap(), expected, "{number}");
    }
    assert_eq!(all(&reopened), (10_000..30_000).map(|number| (outpoint(number), coin(number))).collect());
}

#[test]
fn a_directory_that_lags_behind_finds_every_coin() {
    let tree = tree();
    let pages = CoinPages::open(tree.clone(), file(), SALT, &[0]).unwrap();
    pages.merge(&generation(0..3_000, 0..0)).unwrap();
    let lagging = CoinPages::open(tree, file(), SALT, &pages.depths()).unwrap();
    pages.merge(&generation(3_000..30_000, 0..0)).unwrap();
    for number in 0..30_000 {
        assert_eq!(lagging.coin(&outpoint(number)).unwrap(), Some(coin(number)));
    }
}

/// One coin that is larger than a page does not make pages without end.
#[test]
fn large_coins_have_pages_of_their_own() {
    let pages = CoinPages::open(tree(), file(), SALT, &[0]).unwrap();
    let hasher = CoinHasher::new(SALT);
    let mut generation = Generation::default();
    let large = Coin { script_pubkey: CoinScript::from(&vec![0x51; 10_000][..]), ..coin(1) };
    for number in 0..20 {
        generation.add(&hasher, outpoint(number), large.clone(), true);
    }
    pages.merge(&generation).unwrap();
    assert_eq!(all(&pages).len(), 20);
    assert!(pages.depths().len() < 100, "{} pages", pages.depths().len());
}

#[test]
fn directories_that_cannot_be_are_refused() {
    for depths in [&[][..], &[1], &[0, 0], &[1, 1, 1], &[65], &[2, 1]] {
        assert!(directory_of(depths).is_err(), "{depths:?}");
    }
    assert_eq!(directory_of(&[1, 2, 2]).unwrap(), [0, 1 << 63, 3 << 62]);
}

/// A split of which only the upper half was written, and changes that lie in that half alone.
#[test]
fn half_a_split_is_taken_back_even_where_no_change_leads_to_it() {
    let tree = tree();
    let pages = CoinPages::open(tree.clone(), file(), SALT, &[0]).unwrap();
    pages.merge(&generation(0..20, 0..0)).unwrap();
    assert_eq!(pages.depths(), [0]);
    let whole = tree.get([0; 8]).unwrap().unwrap();
    let is_upper = |number: &u32| pages.hasher.hash(&outpoint(*number)) >= 1 << 63;
    let changes = generation((20..200).filter(is_upper).take(40), 0..0);
    pages.merge(&changes).unwrap();
    let expected = all(&pages);
    assert!(pages.depths().len() > 1);

    tree.insert([0; 8], whole).unwrap();
    let reopened = CoinPages::open(tree.clone(), file(), SALT, &[0]).unwrap();
    reopened.rebuild_directory().unwrap();
    reopened.merge(&changes).unwrap();
    assert_eq!(all(&reopened), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// A merge that a crash cut short anywhere is put right by merging again, from the directory before.
    #[test]
    fn merging_again_after_a_crash_gives_the_same(
        first in prop::collection::vec(0..5_000u32, 0..2_000),
        added in prop::collection::vec(0..5_000u32, 0..2_000),
        spent in prop::collection::vec(5_000..9_000u32, 0..500),
        cut: prop::sample::Index,
    ) {
        let tree = tree();
        let pages = CoinPages::open(tree.clone(), file(), SALT, &[0]).unwrap();
        pages.merge(&generation(first.iter().copied().chain(5_000..9_000), 0..0)).unwrap();
        let before: HashMap<_, _> = tree.iter().map(|entry| entry.unwrap()).collect();
        let depths = pages.depths();
        // A subscriber that nobody listens to would stop the merge.
        let mut events = tree.watch_prefix([]);
        let (done, is_done) = std::sync::mpsc::sync_channel(1);
        let listener = std::thread::spawn(move || {
            let mut writes = Vec::new();
            loop {
                match events.next_timeout(std::time::Duration::from_millis(5)) {
                    Ok(sled::Event::Insert { key, value }) => writes.push((key, value)),
                    Ok(sled::Event::Remove { .. }) => {}
                    Err(_) if is_done.try_recv().is_ok() => return writes,
                    Err(_) => {}
                }
            }
        });
        let changes = generation(added.iter().copied(), spent.iter().copied());
        pages.merge(&changes).unwrap();
        let expected = all(&pages);

        done.send(()).unwrap();
        let writes = listener.join().unwrap();

        // The tree as it was, and then as many of the writes as the crash let through.
        for entry in tree.iter().keys() {
            tree.remove(entry.unwrap()).unwrap();
        }
        for (key, value) in before.into_iter().chain(writes.iter().take(cut.index(writes.len() + 1)).cloned()) {
            tree.insert(key, value).unwrap();
        }
        let reopened = CoinPages::open(tree.clone(), file(), SALT, &depths).unwrap();
        for number in 5_000..9_000u32 {
            // What the merge does not touch is found all the time.
            if !spent.contains(&number) {
                prop_assert_eq!(reopened.coin(&outpoint(number)).unwrap(), Some(coin(number)));
            }
        }
        reopened.rebuild_directory().unwrap();
        reopened.merge(&changes).unwrap();
        prop_assert_eq!(all(&reopened), expected);
        let again = CoinPages::open(tree.clone(), file(), SALT, &reopened.depths()).unwrap();
        prop_assert_eq!(again.directory.read().unwrap().len(), tree.len());
    }
}
