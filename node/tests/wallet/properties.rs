//! Random coins and payments: the fee is exact, change is never dust, nothing is lost, and the node's mempool takes everything.

use std::collections::HashMap;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, FeeRate, Network as Addresses, Psbt};
use cairn_wallet::account::{AddressType, Descriptors};
use cairn_wallet::amount::Payout;
use cairn_wallet::error::WalletError;
use cairn_wallet::network::{Network, Stakes};
use cairn_wallet::node::{Node, NodeAddress};
use cairn_wallet::psbt;
use cairn_wallet::secret::{Passphrase, Secret};
use cairn_wallet::sign::sign;
use cairn_wallet::spend::{Draft, Recipient, SpendRequest};
use cairn_wallet::wallet::{NewWallet, Wallet};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::scene::{ABANDON, Scene};

/// Where payments go: a script of each kind.
const RECIPIENTS: [&str; 5] = [
    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
    "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6",
    "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85",
    "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
];

/// What is asked of a wallet.
#[derive(Debug, Clone)]
struct Payment {
    /// To whom, and how much; nothing for all that is left.
    to: Vec<(usize, Option<u64>)>,
    sat_per_kwu: u64,
    /// Coins of the wallet by number, if they are chosen.
    coins: Vec<usize>,
}

fn payments() -> impl Strategy<Value = Payment> {
    // Amounts of every size, evenly by their logarithm.
    let amount = (9..31_u32, 0..u64::from(u32::MAX)).prop_map(|(bits, rest)| (1 << bits) + rest % (1 << bits));
    let recipient = (0..RECIPIENTS.len(), amount.prop_map(Some));
    let several = proptest::collection::vec(recipient, 1..8);
    let coins = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(0..60_usize, 1..12)];
    (several, prop::bool::weighted(0.15), 250_u64..20_000, coins).prop_map(|(mut to, is_max, sat_per_kwu, coins)| {
        if is_max {
            to[0].1 = None;
        }
        Payment { to, sat_per_kwu, coins }
    })
}

struct Purse {
    wallet: Wallet,
    secret: Secret,
    network: Network,
}

impl Purse {
    /// A wallet with about sixty coins, from a few hundred satoshis to several bitcoins.
    fn filled(scene: &Scene, node: &Node, kind: AddressType) -> Self {
        let genesis = scene.rpc.call("getblockhash", &json!([0])).as_str().unwrap().parse().unwrap();
        let network =
            Network { name: "regtest".to_owned(), addresses: Addresses::Regtest, genesis, stakes: Stakes::Local };
        let secret = Secret::from_words(ABANDON, "", &network).unwrap();
        let descriptors = Descriptors::of_account(&secret, kind, 0, &network).unwrap();
        let path = scene.datadir.path().join(format!("{kind:?}.wallet"));
        let passphrase = Passphrase::default();
        let new = NewWallet {
            descriptors: &descriptors,
            secret: Some(&secret),
            passphrase: &passphrase,
            birthday: 0,
            gap_limit: 100,
        };
        let mut wallet = Wallet::create(&path, &network, &new).unwrap();
        let address = wallet.receive(None).unwrap().to_string();
        scene.mine_to(1, &address);
        scene.mine(100);
        wallet.sync(node, |_| ()).unwrap();
        let mut purse = Self { wallet, secret, network };
        let recipients = (0..59)
            .map(|number| {
                let address = purse.wallet.receive(None).unwrap().address;
                let payout = Payout::Exactly(Amount::from_sat(700 + (1 << (number / 2)) + number));
                Recipient { address, payout, label: None }
            })
            .collect();
        let fee_rate = FeeRate::from_sat_per_kwu(250);
        let draft = purse.wallet.draft(&SpendRequest { recipients, fee_rate, coins: Vec::new() }).unwrap();
        let transaction = purse.finish(&draft);
        node.broadcast(&transaction).unwrap();
        scene.mine(1);
        purse.wallet.sync(node, |_| ()).unwrap();
        assert_eq!(purse.wallet.coins().len(), 60);
        purse
    }

    fn finish(&self, draft: &Draft) -> bitcoin::Transaction {
        let mut psbt: Psbt = draft.psbt.clone();
        sign(&mut psbt, &self.secret, &self.network).unwrap();
        psbt::finalize(&mut psbt).unwrap();
        psbt::extract(psbt).unwrap()
    }

    fn request(&self, payment: &Payment) -> SpendRequest {
        let coins = self.wallet.coins();
        let recipient = |(to, amount): &(usize, Option<u64>)| Recipient {
            address: self.network.address(RECIPIENTS[*to]).unwrap(),
            payout: amount.map_or(Payout::Max, |amount| Payout::Exactly(Amount::from_sat(amount))),
            label: None,
        };
        SpendRequest {
            recipients: payment.to.iter().map(recipient).collect(),
            fee_rate: FeeRate::from_sat_per_kwu(payment.sat_per_kwu),
            coins: payment.coins.iter().map(|coin| coins[coin % coins.len()].outpoint()).collect(),
        }
    }
}

/// What must hold for a draft and the transaction that is made of it.
fn check(purse: &Purse, payment: &Payment, draft: &Draft, scene: &Scene) {
    let transaction = purse.finish(draft);
    assert_eq!(transaction.weight(), draft.weight, "what was weighed is what is sent");
    let inputs: Amount = draft.coins.iter().map(cairn_wallet::wallet::Coin::amount).sum();
    let outputs: Amount = transaction.output.iter().map(|output| output.value).sum();
    assert_eq!(inputs, outputs + draft.fee);
    let worth: HashMap<_, _> = purse.wallet.coins().iter().map(|coin| (coin.outpoint(), coin.amount())).collect();
    assert_eq!(transaction.input.iter().map(|input| worth[&input.previous_output]).sum::<Amount>(), inputs);

    for ((recipient, amount), (to, asked)) in draft.payments.iter().zip(&payment.to) {
        assert_eq!(recipient.address.to_string(), RECIPIENTS[*to]);
        assert!(asked.is_none_or(|asked| *amount == Amount::from_sat(asked)));
        let script = recipient.address.script_pubkey();
        assert!(transaction.output.iter().any(|output| output.script_pubkey == script && output.value == *amount));
    }
    for output in &transaction.output {
        assert!(output.value >= output.script_pubkey.minimal_non_dust(), "{output:?} is dust");
    }

    let vsize = draft.weight.to_vbytes_ceil();
    let exact = Amount::from_sat((vsize * 4 * payment.sat_per_kwu).div_ceil(1000));
    if draft.change.is_some() || payment.to[0].1.is_none() {
        assert_eq!(draft.fee, exact, "{vsize} vB");
    } else {
        // What is too little to come back: less than the output and spending it cost, or dust.
        let worthless = Amount::from_sat(payment.sat_per_kwu * 4 * (34 + 148) / 1000 + 546);
        assert!(draft.fee >= exact && draft.fee <= exact + worthless, "{} for {vsize} vB", draft.fee);
    }
    let verdict = scene.rpc.call("testmempoolaccept", &json!([[serialize_hex(&transaction)], 0]));
    assert_eq!(verdict[0]["allowed"], true, "{verdict} {payment:?}");
    assert_eq!(verdict[0]["vsize"], vsize);
}

/// Not enough is said only when it is true: coins that bring more than they cost, less what the transaction itself costs.
fn check_insufficient(purse: &Purse, payment: &Payment) {
    // The largest input there is, and more than the largest output.
    let cost = |bytes: u64| (bytes * 4 * payment.sat_per_kwu).div_ceil(1000);
    let coins = purse.wallet.coins();
    let is_meant =
        |index: usize| payment.coins.is_empty() || payment.coins.iter().any(|coin| coin % coins.len() == index);
    let meant = coins.iter().enumerate().filter(|(index, _)| is_meant(*index)).map(|(_, coin)| coin.amount().to_sat());
    let brings: u64 = if payment.coins.is_empty() {
        meant.map(|amount| amount.saturating_sub(cost(149))).sum()
    } else {
        let (count, sum) = meant.fold((0, 0), |(count, sum), amount| (count + 1, sum + amount));
        sum.saturating_sub(cost(149 * count))
    };
    let asked: u64 = payment.to.iter().filter_map(|(_, amount)| *amount).sum();
    let enough = asked + cost(12 + 44 * (payment.to.len() as u64 + 1)) + 1_000;
    assert!(brings < enough, "{brings} of {enough} were there: {payment:?}");
}

fn every_transaction_is_exact(kind: AddressType) {
    let scene = Scene::open();
    let cookie = std::fs::read_to_string(scene.datadir.path().join("regtest/.cookie")).unwrap();
    let address =
        NodeAddress { url: scene.rpc.url(), user_password: Some(cookie.trim().to_owned().into()), timeout: None };
    let genesis = scene.rpc.call("getblockhash", &json!([0])).as_str().unwrap().parse().unwrap();
    let network = Network { name: "regtest".to_owned(), addresses: Addresses::Regtest, genesis, stakes: Stakes::Local };
    let node = Node::connect(&address, &network).unwrap();
    let purse = Purse::filled(&scene, &node, kind);
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(Config::default().cases.min(400)) });
    let outcome = runner.run(&payments(), |payment| {
        let dust = payment.to.iter().any(|(to, amount)| {
            let least = purse.network.address(RECIPIENTS[*to]).unwrap().script_pubkey().minimal_non_dust();
            amount.is_some_and(|amount| Amount::from_sat(amount) < least)
        });
        prop_assume!(!dust);
        match purse.wallet.draft(&purse.request(&payment)) {
            Ok(draft) => check(&purse, &payment, &draft, &scene),
            Err(WalletError::InsufficientFunds { .. }) => check_insufficient(&purse, &payment),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn from_native_segwit() {
    every_transaction_is_exact(AddressType::Wpkh);
}

#[test]
fn from_taproot() {
    every_transaction_is_exact(AddressType::Tr);
}

#[test]
fn from_segwit_in_script_hash() {
    every_transaction_is_exact(AddressType::ShWpkh);
}

#[test]
fn from_old_addresses() {
    every_transaction_is_exact(AddressType::Pkh);
}
