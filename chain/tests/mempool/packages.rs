//! Several transactions at once.

use bitcoin::{Transaction, Witness};
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{FeeRate, MempoolOptions, PackageOutcome, PackageResult, Rejection};

use crate::clusters::chain;
use crate::node::{COIN, Node};
use crate::transactions::{anyone, coin_of, coins_of, padded, pay, spend, split, truc};

fn outcome<'a>(result: &'a PackageResult, tx: &Transaction) -> &'a PackageOutcome {
    &result.transactions[&tx.compute_wtxid()]
}

#[track_caller]
fn rejection<'a>(result: &'a PackageResult, tx: &Transaction) -> &'a Rejection {
    match outcome(result, tx) {
        PackageOutcome::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

/// Reason of the package and of each transaction; nothing for those that are in, a dash for those nobody looked at.
#[track_caller]
fn reasons(result: &PackageResult, package: &[&Transaction]) -> (Option<String>, Vec<String>) {
    let reason = |tx: &&Transaction| match result.transactions.get(&tx.compute_wtxid()) {
        None => "-".to_owned(),
        Some(PackageOutcome::Rejected(rejection)) => rejection.error.reject_details(),
        Some(PackageOutcome::AlreadyInMempool { .. }) => "known".to_owned(),
        Some(PackageOutcome::DifferentWitness { .. }) => "other witness".to_owned(),
        Some(PackageOutcome::Admitted(_)) => String::new(),
    };
    let error = result.error.as_ref().map(|error| error.reject_details());
    (error, package.iter().map(reason).collect())
}

#[track_caller]
fn assert_reasons(result: &PackageResult, package: &[&Transaction], error: Option<&str>, each: &[&str]) {
    let (got, got_each) = reasons(result, package);
    assert_eq!((got.as_deref(), got_each.iter().map(String::as_str).collect::<Vec<_>>()), (error, each.to_vec()));
}

#[test]
fn a_child_pays_for_its_parent() {
    let mut node = Node::new();
    let parent = spend(&[node.coin()], 0);
    let child = spend(&[coin_of(&parent)], 20);
    node.refuse(&parent, "min relay fee not met", Some("0 < 10"));
    node.refuse(&child, "bad-txns-inputs-missingorspent", None);
    let poor = spend(&[coin_of(&parent)], 19);
    let result = node.submit_package(&[&parent, &poor], None);
    assert_reasons(
        &result,
        &[&parent, &poor],
        Some("transaction failed"),
        &["min relay fee not met, 0 < 10", "min relay fee not met, 19 < 20"],
    );
    let (rate, includes) = rejection(&result, &poor).effective.as_ref().unwrap();
    assert_eq!((rate.fee, rate.size, includes.len()), (19, 192, 2));
    assert!(node.pool.is_empty());

    let result = node.submit_package(&[&parent, &child], None);
    assert_reasons(&result, &[&parent, &child], None, &["", ""]);
    for tx in [&parent, &child] {
        let PackageOutcome::Admitted(admitted) = outcome(&result, tx) else { panic!("out") };
        assert_eq!(admitted.effective_fee_rate, FeeRate::new(20, 192));
        assert_eq!(admitted.effective_includes, [parent.compute_wtxid(), child.compute_wtxid()]);
    }
    assert_eq!(node.pool.len(), 2);
}

#[test]
fn what_gets_in_alone_does_not_pay_for_others() {
    let mut node = Node::new();
    let (poor, rich) = (spend(&[node.coin()], 0), spend(&[node.coin()], 10_000));
    let child = spend(&[coin_of(&poor), coin_of(&rich)], 0);
    let package = [&poor, &rich, &child];
    let result = node.submit_package(&package, None);
    let each = ["min relay fee not met, 0 < 10", "", "min relay fee not met, 0 < 24"];
    assert_reasons(&result, &package, Some("transaction failed"), &each);
    assert!(node.has(&rich) && node.pool.len() == 1);
    // What is there already stays out of the sum as well.
    let child = spend(&[coin_of(&poor), coin_of(&rich)], 100);
    let package = [&poor, &rich, &child];
    let result = node.submit_package(&package, None);
    assert_reasons(&result, &package, None, &["", "known", ""]);
    let PackageOutcome::Admitted(admitted) = outcome(&result, &child) else { panic!("out") };
    assert_eq!(admitted.effective_includes.len(), 2);
    let PackageOutcome::AlreadyInMempool { virtual_size: 96, base_fee } = outcome(&result, &rich) else {
        panic!("out")
    };
    assert_eq!(base_fee.to_sat(), 10_000);
}

#[test]
fn packages_have_a_form() {
    let mut node = Node::new();
    let parent = split(&[node.coin()], 2, 100);
    let [left, right] = coins_of(&parent)[..] else { panic!("two outputs") };
    let (child, other) = (spend(&[left], 100), spend(&[right], 100));
    let conflict = spend(&[left], 200);
    for (package, reason) in [
        (&[&child, &parent][..], "package-not-sorted"),
        (&[&parent, &child, &parent], "package-contains-duplicates"),
        (&[&parent, &child, &conflict], "conflict-in-package"),
    ] {
        assert_reasons(&node.submit_package(package, None), package, Some(reason), &vec!["-"; package.len()]);
        assert_reasons(&node.test_package(package), package, Some(reason), &vec!["-"; package.len()]);
    }
    let family = [&parent, &child, &other];
    assert_reasons(&node.submit_package(&family, None), &family, Some("package-not-child-with-parents"), &["-"; 3]);
    assert_reasons(&node.test_package(&family), &family, None, &[""; 3]);
    let long = chain(&mut node, 26, 100);
    let long: Vec<_> = long.iter().collect();
    assert_reasons(&node.test_package(&long), &long, Some("package-too-many-transactions"), &["-"; 26]);
    assert_reasons(&node.test_package(&long[..25]), &long[..25], None, &[""; 25]);
    let heavy = padded(spend(&[node.coin()], 100_000), 99_000);
    let child = padded(spend(&[coin_of(&heavy)], 100_000), 2_002);
    assert_reasons(&node.test_package(&[&heavy, &child]), &[&heavy, &child], Some("package-too-large"), &["-"; 2]);
    assert!(node.submit_package(&[], None).error.is_none() && node.test_package(&[]).error.is_none());
    assert!(node.pool.is_empty());
}

#[test]
fn one_alone_is_a_package_too() {
    let mut node = Node::new();
    let coin = node.coin();
    let tx = spend(&[coin], 9);
    let result = node.submit_package(&[&tx], None);
    assert_reasons(&result, &[&tx], Some("transaction failed"), &["min relay fee not met, 9 < 10"]);
    let tx = spend(&[coin], 100);
    assert_reasons(&node.test_package(&[&tx]), &[&tx], None, &[""]);
    assert!(node.pool.is_empty());
    assert_reasons(&node.submit_package(&[&tx], None), &[&tx], None, &[""]);
    // Alone it may replace, also when it is only tested.
    let new = spend(&[coin], 1000);
    assert_reasons(&node.test_package(&[&new]), &[&new], None, &[""]);
    assert!(node.has(&tx));
    let result = node.submit_package(&[&new], None);
    let PackageOutcome::Admitted(admitted) = outcome(&result, &new) else { panic!("out") };
    assert_eq!(admitted.replaced.len(), 1);
}

#[test]
fn another_witness_is_no_other_transaction() {
    let mut node = Node::new();
    let parent = spend(&[node.coin()], 100);
    node.accept(&parent);
    let mut twin = parent.clone();
    twin.input[0].witness = Witness::from_slice(&[&[1][..], anyone().as_bytes()]);
    let child = spend(&[coin_of(&parent)], 100);
    let result = node.submit_package(&[&twin, &child], None);
    assert_reasons(&result, &[&twin, &child], None, &["other witness", ""]);
    let PackageOutcome::DifferentWitness { wtxid } = outcome(&result, &twin) else { panic!("out") };
    assert_eq!(*wtxid, parent.compute_wtxid());
}

#[test]
fn a_failure_that_no_fee_helps_ends_it() {
    let mut node = Node::new();
    let poor = spend(&[node.coin()], 0);
    let mut bad = spend(&[node.coin()], 100);
    bad.input[0].witness = Witness::from_slice(&[[0x51, 0x51]]);
    let good = spend(&[node.coin()], 100);
    let child = spend(&[coin_of(&poor), coin_of(&bad), coin_of(&good)], 10_000);
    let package = [&poor, &bad, &good, &child];
    let result = node.submit_package(&package, None);
    let (error, each) = reasons(&result, &package);
    assert_eq!(error.as_deref(), Some("transaction failed"));
    assert!(each[1].starts_with("mempool-script-verify-flag-failed (Witness program hash mismatch)"));
    assert_eq!((each[0].as_str(), each[2].as_str()), ("min relay fee not met, 0 < 10", ""));
    assert_eq!(each[3], "bad-txns-inputs-missingorspent");
    assert!(node.has(&good) && node.pool.len() == 1);
}

#[test]
fn a_limit_on_fees_protects_whoever_submits() {
    let mut node = Node::new();
    let limit = Some(FeeRate::per_kvb(100_000));
    let tx = spend(&[node.coin()], 9601);
    let result = node.submit_package(&[&tx], limit);
    assert_reasons(&result, &[&tx], Some("transaction failed"), &["max feerate exceeded"]);
    assert_eq!(rejection(&result, &tx).error.verdict(), TransactionVerdict::MempoolPolicy);
    let tx = spend(&[node.coin()], 9600);
    assert_reasons(&node.submit_package(&[&tx], limit), &[&tx], None, &[""]);
    let parent = spend(&[node.coin()], 0);
    let child = spend(&[coin_of(&parent)], 9601);
    let result = node.submit_package(&[&parent, &child], limit);
    let each = ["min relay fee not met, 0 < 10", "max feerate exceeded"];
    assert_reasons(&result, &[&parent, &child], Some("transaction failed"), &each);
    assert_eq!(node.pool.len(), 1);
}

#[test]
fn dust_and_the_child_that_spends_it_come_together() {
    let mut node = Node::new();
    let parent = pay(&[node.coin()], &[COIN - 1, 1]);
    let [change, dust] = coins_of(&parent)[..] else { panic!("two outputs") };
    let careless = spend(&[change], 1000);
    let package = [&parent, &careless];
    let result = node.submit_package(&package, None);
    let words = format!(
        "missing-ephemeral-spends, tx {} (wtxid={}) did not spend parent's ephemeral dust",
        careless.compute_txid(),
        careless.compute_wtxid()
    );
    assert_reasons(&result, &package, Some("unspent-dust"), &["min relay fee not met, 0 < 14", &words]);
    let child = spend(&[change, dust], 1000);
    assert_reasons(&node.submit_package(&[&parent, &child], None), &[&parent, &child], None, &["", ""]);
    // The rule holds for whoever would take the child's place.
    let careless = spend(&[change], 5000);
    let words = format!(
        "tx {} (wtxid={}) did not spend parent's ephemeral dust",
        careless.compute_txid(),
        careless.compute_wtxid()
    );
    node.refuse(&careless, "missing-ephemeral-spends", Some(&words));
}

#[test]
fn restricted_packages() {
    let mut node = Node::new();
    let parent = truc(split(&[node.coin()], 2, 0));
    let [left, right] = coins_of(&parent)[..] else { panic!("two outputs") };
    let child = spend(&[left], 1000);
    let result = node.submit_package(&[&parent, &child], None);
    let ids = |tx: &Transaction| format!("tx {} (wtxid={})", tx.compute_txid(), tx.compute_wtxid());
    let words = format!("TRUC-violation, non-version=3 {} cannot spend from version=3 {}", ids(&child), ids(&parent));
    let each = ["min relay fee not met, 0 < 14", "bad-txns-inputs-missingorspent"];
    assert_reasons(&result, &[&parent, &child], Some(&words), &each);
    let child = truc(spend(&[left], 1000));
    assert_reasons(&node.submit_package(&[&parent, &child], None), &[&parent, &child], None, &["", ""]);
    // The parent is there, so the sibling comes alone, and may evict.
    let sibling = truc(spend(&[right], 2000));
    let result = node.submit_package(&[&parent, &sibling], None);
    assert_reasons(&result, &[&parent, &sibling], None, &["known", ""]);
    assert!(!node.has(&child));
}

#[test]
fn a_package_replaces() {
    let mut node = Node::new();
    let coin = node.coin();
    let old = spend(&[coin], 1000);
    node.accept(&old);
    let parent = pay(&[coin], &[COIN]);
    let child = |fee| spend(&[coin_of(&parent)], fee);
    let poor = child(999);
    let submit = |node: &mut Node, child: &Transaction| node.submit_package(&[&parent, child], None);
    let alone = "min relay fee not met, 0 < 10";
    let missing = "bad-txns-inputs-missingorspent";
    let words = |child: &Transaction, words: &str| {
        format!(
            "package RBF failed: insufficient anti-DoS fees, rejecting replacement {}, {words}",
            child.compute_txid()
        )
    };
    let result = submit(&mut node, &poor);
    let error = words(&poor, "less fees than conflicting txs; 0.00000999 < 0.00001");
    assert_reasons(&result, &[&parent, &poor], Some(&error), &[alone, missing]);
    let poor = child(1019);
    let result = submit(&mut node, &poor);
    let error = words(&poor, "not enough additional fees to relay; 0.00000019 < 0.0000002");
    assert_reasons(&result, &[&parent, &poor], Some(&error), &[alone, missing]);
    let poor = child(1020);
    let error = "package RBF failed: insufficient feerate: does not improve feerate diagram";
    assert_reasons(&submit(&mut node, &poor), &[&parent, &poor], Some(error), &[alone, missing]);
    assert!(node.has(&old));
    let rich = child(5000);
    let result = submit(&mut node, &rich);
    assert_reasons(&result, &[&parent, &rich], None, &["", ""]);
    assert!(!node.has(&old));
    let PackageOutcome::Admitted(first) = outcome(&result, &parent) else { panic!("out") };
    assert_eq!(first.replaced.len(), 1);
}

#[test]
fn packages_that_replace_are_two_without_ancestors() {
    let mut node = Node::new();
    let coins = node.coins(3);
    node.accept(&spend(&coins[..1], 1000));
    let parents = [pay(&coins[..1], &[COIN]), pay(&coins[1..2], &[COIN])];
    let child = spend(&[coin_of(&parents[0]), coin_of(&parents[1])], 10_000);
    let result = node.submit_package(&[&parents[0], &parents[1], &child], None);
    let error = result.error.unwrap().reject_details();
    assert_eq!(error, "package RBF failed: package must be 1-parent-1-child");
    let grandparent = spend(&coins[2..], 100);
    node.accept(&grandparent);
    let child = spend(&[coin_of(&parents[0]), coin_of(&grandparent)], 10_000);
    let result = node.submit_package(&[&parents[0], &child], None);
    let error = result.error.unwrap().reject_details();
    assert_eq!(error, "package RBF failed: new transaction cannot have mempool ancestors");
}

#[test]
fn a_package_that_replaces_pays_more_than_its_parent() {
    let mut node = Node::new();
    let coin = node.coin();
    node.accept(&spend(&[coin], 1000));
    // The parent fails alone because it does not pay enough for replacing; the child pays that, at a lower rate.
    let parent = spend(&[coin], 1005);
    let child = padded(spend(&[coin_of(&parent)], 1000), 200);
    let result = node.submit_package(&[&parent, &child], None);
    let error = result.error.unwrap().reject_details();
    assert_eq!(
        error,
        "package RBF failed: package feerate is less than or equal to parent feerate, \
         package feerate 0.00006773 BTC/kvB <= parent feerate is 0.00010468 BTC/kvB"
    );
}

#[test]
fn a_package_replaces_at_most_100_clusters() {
    let mut node = Node::new();
    let coins = node.coins(101);
    coins.iter().for_each(|coin| drop(node.accept(&spend(&[*coin], 100))));
    let parent = spend(&coins[..100], 0);
    let child = spend(&[coin_of(&parent), coins[100]], 1_000_000);
    let result = node.submit_package(&[&parent, &child], None);
    assert_eq!(
        result.error.unwrap().reject_details(),
        format!(
            "package RBF failed: too many potential replacements, rejecting replacement {}; \
             too many conflicting clusters (101 > 100)",
            child.compute_txid()
        )
    );
    let child = spend(&[coin_of(&parent)], 1_000_000);
    assert!(node.submit_package(&[&parent, &child], None).error.is_none());
    assert_eq!(node.pool.len(), 3);
}

#[test]
fn a_package_joins_no_more_than_fit() {
    let mut node = Node::new();
    let chain = chain(&mut node, 63, 100);
    chain.iter().for_each(|tx| drop(node.accept(tx)));
    let parent = spend(&[coin_of(&chain[62])], 0);
    let child = spend(&[coin_of(&parent)], 1000);
    let result = node.submit_package(&[&parent, &child], None);
    assert_eq!(result.error.unwrap().reject_details(), "too-large-cluster");
    assert_eq!(node.pool.len(), 63);
}

#[test]
fn what_is_only_tested_leaves_no_trace() {
    let mut node = Node::new();
    let coin = node.coin();
    let old = spend(&[coin], 100);
    node.accept(&old);
    node.events();
    let state = |node: &Node| (node.pool.sequence(), node.pool.updates(), node.pool.memory(), node.pool.len());
    let before = state(&node);
    let parent = spend(&[node.coin()], 100);
    let child = spend(&[coin_of(&parent), coin_of(&old)], 100);
    assert_reasons(&node.test_package(&[&parent, &child]), &[&parent, &child], None, &["", ""]);
    assert_reasons(&node.test_package(&[&spend(&[coin], 10_000)]), &[&spend(&[coin], 10_000)], None, &[""]);
    let poor = spend(&[node.coin()], 0);
    let rich = spend(&[coin_of(&poor)], 10_000);
    let result = node.test_package(&[&poor, &rich]);
    let each = ["min relay fee not met, 0 < 10", "-"];
    assert_reasons(&result, &[&poor, &rich], Some("transaction failed"), &each);
    assert!(rejection(&result, &poor).effective.is_none(), "it was not compared alone");
    assert_eq!(before, state(&node));
    assert!(node.events().is_empty());
    node.check();
}

#[test]
fn what_is_evicted_at_once_is_told_so() {
    let mut node = Node::with(MempoolOptions { max_bytes: 100_000, ..MempoolOptions::default() });
    let first = padded(spend(&[node.coin()], 100_000), 10_000);
    node.accept(&first);
    let each = node.pool.memory();
    while node.pool.memory() + each <= 100_000 {
        let tx = padded(spend(&[node.coin()], 100_000), 10_000);
        node.accept(&tx);
    }
    let (before, known) = (node.pool.len(), first);
    let parent = padded(spend(&[node.coin()], 0), 5_000);
    let child = padded(spend(&[coin_of(&parent), coin_of(&known)], 10_000), 10_000);
    let package = [&parent, &child];
    let result = node.submit_package(&package, None);
    assert_reasons(&result, &package, Some("transaction failed"), &["mempool full"; 2]);
    // In Core it counts as policy here, and as one to reconsider when it came alone.
    assert_eq!(rejection(&result, &child).error.verdict(), TransactionVerdict::MempoolPolicy);
    assert_eq!(node.pool.len(), before);
    let alone = padded(spend(&[node.coin()], 14_000), 10_000);
    let result = node.submit_package(&[&alone], None);
    assert_reasons(&result, &[&alone], Some("transaction failed"), &["mempool full"]);
    assert_eq!(rejection(&result, &alone).error.verdict(), TransactionVerdict::MempoolPolicy);
}
