use super::*;
use crate::mempool::policy::fixtures::{input, p2tr, spend, transaction, views};
use crate::primitives::Transaction;
use bitcoin::TxIn;
use std::collections::{HashMap, HashSet};

/// A pool that knows which of its transactions spend from which.
#[derive(Default)]
struct Pool {
    parents: HashMap<Txid, HashSet<Txid>>,
}

impl Pool {
    fn of(transactions: &[&Transaction]) -> Self {
        let known: HashSet<Txid> = transactions.iter().map(|tx| tx.as_ref().txid()).collect();
        let parents = |tx: &Transaction| {
            tx.as_ref().inputs().map(|input| input.prevout().txid).filter(|txid| known.contains(txid)).collect()
        };
        Self { parents: transactions.iter().map(|tx| (tx.as_ref().txid(), parents(tx))).collect() }
    }

    fn ancestors(&self, txid: &Txid) -> HashSet<Txid> {
        let mut found = HashSet::from([*txid]);
        let mut left = vec![*txid];
        while let Some(next) = left.pop() {
            left.extend(self.parents[&next].iter().filter(|parent| found.insert(**parent)));
        }
        found
    }
}

impl TrucPool for Pool {
    fn ancestor_count(&self, txid: &Txid) -> usize {
        self.ancestors(txid).len()
    }

    fn descendants(&self, txid: &Txid) -> Vec<Txid> {
        self.parents.keys().filter(|other| *other != txid && self.ancestors(other).contains(txid)).copied().collect()
    }
}

fn tx(version: i32, inputs: &[TxIn]) -> Transaction {
    transaction(version, inputs, &[(10_000, p2tr()), (10_000, p2tr()), (10_000, p2tr())])
}

fn child(version: i32, parents: &[(&Transaction, u32)]) -> Transaction {
    let inputs: Vec<_> = parents.iter().map(|(parent, vout)| spend(parent.as_ref().txid(), *vout)).collect();
    tx(version, &inputs)
}

fn named(tx: &Transaction) -> String {
    format!("tx {} (wtxid={})", tx.as_ref().txid(), tx.as_ref().wtxid())
}

/// Checks a transaction of `size` virtual bytes alone; the error's message.
fn single(pool: &[&Transaction], tx: &Transaction, parents: &[&Transaction], size: usize) -> Result<(), String> {
    single_truc_checks(&Pool::of(pool), tx.as_ref(), &views(parents), |_| false, size).map_err(|error| {
        assert_eq!(error.reject_reason(), "TRUC-violation");
        error.debug_message().unwrap()
    })
}

/// Checks a package of 200 virtual bytes each, where `parents` tells the parents in the pool; the errors' messages.
fn package(pool: &[&Transaction], package: &[&Transaction], parents: &[&[&Transaction]]) -> Vec<Result<(), String>> {
    let pool = Pool::of(pool);
    parents
        .iter()
        .enumerate()
        .map(|(index, parents)| {
            package_truc_checks(&pool, &views(package), index, &views(parents), 200).map_err(|error| error.to_string())
        })
        .collect()
}

#[test]
fn version_three_is_inherited() {
    let (two, three) = (tx(2, &[input(1, 0)]), tx(3, &[input(1, 1)]));
    let pool = [&two, &three];
    assert_eq!(single(&pool, &child(2, &[(&two, 0)]), &[&two], 200), Ok(()));
    assert_eq!(single(&pool, &child(3, &[(&three, 0)]), &[&three], 200), Ok(()));
    let non_truc = child(2, &[(&three, 0)]);
    assert_eq!(
        single(&pool, &non_truc, &[&three], 200),
        Err(format!("non-version=3 {} cannot spend from version=3 {}", named(&non_truc), named(&three)))
    );
    let truc = child(3, &[(&two, 0)]);
    assert_eq!(
        single(&pool, &truc, &[&two], 200),
        Err(format!("version=3 {} cannot spend from non-version=3 {}", named(&truc), named(&two)))
    );
    // Inheritance is looked at before the number of parents.
    let both = child(3, &[(&three, 0), (&two, 0)]);
    assert_eq!(
        single(&pool, &both, &[&three, &two], 200),
        Err(format!("version=3 {} cannot spend from non-version=3 {}", named(&both), named(&two)))
    );
}

#[test]
fn sizes() {
    let parent = tx(3, &[input(1, 0)]);
    assert_eq!(single(&[], &parent, &[], 10_000), Ok(()));
    assert_eq!(
        single(&[], &parent, &[], 10_001),
        Err(format!("version=3 {} is too big: 10001 > 10000 virtual bytes", named(&parent)))
    );
    assert_eq!(single(&[], &tx(2, &[input(1, 0)]), &[], 10_001), Ok(()), "other versions have other limits");
    let spender = child(3, &[(&parent, 0)]);
    assert_eq!(single(&[&parent], &spender, &[&parent], 1_000), Ok(()));
    assert_eq!(
        single(&[&parent], &spender, &[&parent], 1_001),
        Err(format!("version=3 child {} is too big: 1001 > 1000 virtual bytes", named(&spender)))
    );
}

#[test]
fn one_ancestor() {
    let (first, second) = (tx(3, &[input(1, 0)]), tx(3, &[input(1, 1)]));
    let of_two = child(3, &[(&first, 0), (&second, 0)]);
    assert_eq!(
        single(&[&first, &second], &of_two, &[&first, &second], 200),
        Err(format!("{} would have too many ancestors", named(&of_two)))
    );
    let middle = child(3, &[(&first, 0)]);
    let grandchild = child(3, &[(&middle, 0)]);
    assert_eq!(
        single(&[&first, &middle], &grandchild, &[&middle], 200),
        Err(format!("{} would have too many ancestors", named(&grandchild)))
    );
    // Other versions may have as many as the pool allows.
    let (first, second) = (tx(2, &[input(1, 0)]), tx(2, &[input(1, 1)]));
    let of_two = child(2, &[(&first, 0), (&second, 0)]);
    assert_eq!(single(&[&first, &second], &of_two, &[&first, &second], 2_000), Ok(()));
}

#[test]
fn one_descendant_which_may_be_evicted() {
    let parent = tx(3, &[input(1, 0)]);
    let sibling = child(3, &[(&parent, 0)]);
    let spender = child(3, &[(&parent, 1)]);
    let pool = Pool::of(&[&parent, &sibling]);
    let check = |conflicts: &[Txid]| {
        single_truc_checks(&pool, spender.as_ref(), &[parent.as_ref()], |txid| conflicts.contains(txid), 200)
    };
    let error = check(&[]).unwrap_err();
    assert_eq!(error.to_string(), format!("{} would exceed descendant count limit", named(&parent)));
    assert_eq!(error.evictable_sibling(), Some(sibling.as_ref().txid()));
    assert_eq!(check(&[parent.as_ref().txid()]), Err(error), "only the sibling makes room");
    assert_eq!(check(&[sibling.as_ref().txid()]), Ok(()));
}

#[test]
fn siblings_are_evicted_only_where_it_is_clear_which() {
    let parent = tx(3, &[input(1, 0)]);
    let spender = child(3, &[(&parent, 2)]);
    let evictable = |others: &[&Transaction]| {
        let pool = Pool::of(&[&[&parent], others].concat());
        let error = single_truc_checks(&pool, spender.as_ref(), &[parent.as_ref()], |_| false, 200).unwrap_err();
        assert_eq!(error.to_string(), format!("{} would exceed descendant count limit", named(&parent)));
        error.evictable_sibling()
    };
    let sibling = child(3, &[(&parent, 0)]);
    // After a reorganisation there may be more than one, one after the other or side by side, or one with another parent.
    assert_eq!(evictable(&[&sibling, &child(3, &[(&parent, 1)])]), None);
    assert_eq!(evictable(&[&sibling, &child(2, &[(&sibling, 0)])]), None);
    let other = tx(2, &[input(2, 0)]);
    assert_eq!(evictable(&[&other, &child(2, &[(&parent, 0), (&other, 0)])]), None);
    assert_eq!(evictable(&[&sibling]), Some(sibling.as_ref().txid()));
    // A replaced descendant makes room, although others are left.
    let second = child(3, &[(&parent, 1)]);
    let pool = Pool::of(&[&parent, &sibling, &second]);
    let replaces = |txid: &Txid| *txid == second.as_ref().txid();
    assert_eq!(single_truc_checks(&pool, spender.as_ref(), &[parent.as_ref()], replaces, 200), Ok(()));
    assert_eq!(TrucViolation::TooManyAncestors { tx: spender.as_ref().into() }.evictable_sibling(), None);
}

#[test]
fn packages_of_a_parent_and_a_child() {
    let parent = tx(3, &[input(1, 0)]);
    let spender = child(3, &[(&parent, 0)]);
    assert_eq!(package(&[], &[&parent, &spender], &[&[], &[]]), [Ok(()), Ok(())]);
    let unrelated = tx(2, &[input(2, 0)]);
    assert_eq!(package(&[], &[&parent, &unrelated, &spender], &[&[], &[], &[]]), [Ok(()), Ok(()), Ok(())]);

    let non_truc = child(2, &[(&parent, 0)]);
    let message = format!("non-version=3 {} cannot spend from version=3 {}", named(&non_truc), named(&parent));
    assert_eq!(package(&[], &[&parent, &non_truc], &[&[], &[]]), [Ok(()), Err(message.clone())]);
    assert_eq!(package(&[&parent], &[&non_truc], &[&[&parent]]), [Err(message)], "in the pool");

    let truc = child(3, &[(&unrelated, 0)]);
    let message = format!("version=3 {} cannot spend from non-version=3 {}", named(&truc), named(&unrelated));
    assert_eq!(package(&[], &[&unrelated, &truc], &[&[], &[]]), [Ok(()), Err(message.clone())]);
    assert_eq!(package(&[&unrelated], &[&truc], &[&[&unrelated]]), [Err(message)], "in the pool");
}

#[test]
fn package_sizes() {
    let parent = tx(3, &[input(1, 0)]);
    let spender = child(3, &[(&parent, 0)]);
    let both = [&parent, &spender];
    let check = |index, size| {
        package_truc_checks(&Pool::default(), &views(&both), index, &[], size).map_err(|error| error.to_string())
    };
    assert_eq!(check(0, 10_000), Ok(()));
    assert_eq!(check(0, 10_001), Err(format!("version=3 {} is too big: 10001 > 10000 virtual bytes", named(&parent))));
    assert_eq!(check(1, 1_000), Ok(()));
    assert_eq!(
        check(1, 1_001),
        Err(format!("version=3 child {} is too big: 1001 > 1000 virtual bytes", named(&spender)))
    );
}

#[test]
fn package_ancestors() {
    let too_many = |tx: &Transaction| Err(format!("{} would have too many ancestors", named(tx)));
    let grandparent = tx(3, &[input(1, 0)]);
    let parent = child(3, &[(&grandparent, 0)]);
    let spender = child(3, &[(&parent, 0)]);
    // The one in the middle has a parent and a child; its neighbours do not see further than it.
    assert_eq!(
        package(&[], &[&grandparent, &parent, &spender], &[&[], &[], &[]]),
        [Ok(()), too_many(&spender), Ok(())]
    );
    // The same with the grandparent in the pool, and with both there.
    assert_eq!(package(&[&grandparent], &[&parent, &spender], &[&[&grandparent], &[]]), [too_many(&spender), Ok(())]);
    assert_eq!(package(&[&grandparent, &parent], &[&spender], &[&[&parent]]), [too_many(&spender)]);
    // Two parents: in the package, in the pool, one in each.
    let other = tx(3, &[input(1, 1)]);
    let of_two = child(3, &[(&grandparent, 0), (&other, 0)]);
    assert_eq!(package(&[], &[&grandparent, &other, &of_two], &[&[], &[], &[]]), [Ok(()), Ok(()), too_many(&of_two)]);
    assert_eq!(package(&[&grandparent, &other], &[&of_two], &[&[&grandparent, &other]]), [too_many(&of_two)]);
    assert_eq!(package(&[&grandparent], &[&other, &of_two], &[&[], &[&grandparent]]), [Ok(()), too_many(&of_two)]);
}

#[test]
fn package_siblings() {
    let parent = tx(3, &[input(1, 0)]);
    let (first, second) = (child(3, &[(&parent, 0)]), child(3, &[(&parent, 1)]));
    let exceeded = Err(format!("{} would exceed descendant count limit", named(&parent)));
    // Both children see each other, whether the parent is in the package or in the pool.
    assert_eq!(
        package(&[], &[&parent, &first, &second], &[&[], &[], &[]]),
        [Ok(()), exceeded.clone(), exceeded.clone()]
    );
    assert_eq!(
        package(&[&parent], &[&first, &second], &[&[&parent], &[&parent]]),
        [exceeded.clone(), exceeded.clone()]
    );
    // A sibling in the pool is not evicted.
    assert_eq!(package(&[&parent, &first], &[&second], &[&[&parent]]), [exceeded]);
    let error = package_truc_checks(&Pool::of(&[&parent, &first]), &[second.as_ref()], 0, &[parent.as_ref()], 200);
    assert_eq!(error.unwrap_err().evictable_sibling(), None);
}
