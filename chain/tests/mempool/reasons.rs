//! Every rule about one transaction, with Core's reason and the words Core says beside it.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_DROP, OP_PUSHNUM_1};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{Amount, CompressedPublicKey, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, Txid, Witness};
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{MempoolError, MempoolOptions, PackageOutcome};

use crate::node::{COIN, Node};
use crate::transactions::{Coin, anyone, coin_of, coins_of, output, pay, spend, split, truc};

#[test]
fn rules_about_a_transaction_alone() {
    let mut node = Node::new();
    let coin = node.coin();
    let mut nothing = spend(&[coin], 100);
    nothing.output.clear();
    assert_eq!(node.refuse(&nothing, "bad-txns-vout-empty", None), TransactionVerdict::Invalid);
    let mut coinbase = spend(&[coin], 100);
    coinbase.input[0].previous_output = OutPoint::null();
    coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![1, 1]);
    assert_eq!(node.refuse(&coinbase, "coinbase", None), TransactionVerdict::Invalid);
    let mut version = spend(&[coin], 100);
    version.version = Version(4);
    assert_eq!(node.refuse(&version, "version", None), TransactionVerdict::NotStandard);
    let mut small = spend(&[coin], 100);
    small.output = vec![TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(vec![0x6a]) }];
    small.input[0].witness.clear();
    assert_eq!(node.refuse(&small, "tx-size-small", None), TransactionVerdict::NotStandard);
}

#[test]
fn rules_about_time() {
    let mut node = Node::new();
    let coin = node.coin();
    let height = node.chain.tip().height;
    let at_height = |height: u32| {
        let mut tx = spend(&[coin], 100);
        tx.lock_time = LockTime::from_consensus(height);
        tx.input[0].sequence = Sequence::ZERO;
        tx
    };
    assert_eq!(node.refuse(&at_height(height + 1), "non-final", None), TransactionVerdict::PrematureSpend);
    node.accept(&at_height(height));
    // The coin was made by the tip, so it has one block beneath the next.
    let after = |blocks: u16, coin| {
        let mut tx = spend(&[coin], 100);
        tx.input[0].sequence = Sequence::from_height(blocks);
        tx
    };
    let coin = node.coin();
    assert_eq!(node.refuse(&after(2, coin), "non-BIP68-final", None), TransactionVerdict::PrematureSpend);
    let accepted = after(1, coin);
    node.accept(&accepted);
    // A coin of the pool counts as one of the next block.
    node.refuse(&after(1, coin_of(&accepted)), "non-BIP68-final", None);
    node.accept(&after(0, coin_of(&accepted)));
}

#[test]
fn what_is_known_already() {
    let mut node = Node::new();
    let tx = spend(&[node.coin()], 100);
    node.accept(&tx);
    assert_eq!(node.refuse(&tx, "txn-already-in-mempool", None), TransactionVerdict::Conflict);
    let mut other = tx.clone();
    other.input[0].witness = Witness::from_slice(&[&[1][..], anyone().as_bytes()]);
    let verdict = node.refuse(&other, "txn-same-nonwitness-data-in-mempool", None);
    assert_eq!(verdict, TransactionVerdict::Conflict);
    node.mine_pool();
    assert_eq!(node.refuse(&tx, "txn-already-known", None), TransactionVerdict::Conflict);
    let next = spend(&[coin_of(&tx)], 100);
    node.accept(&next);
    node.mine_pool();
    let verdict = node.refuse(&tx, "bad-txns-inputs-missingorspent", None);
    assert_eq!(verdict, TransactionVerdict::MissingInputs, "nothing is left of it");
}

#[test]
fn rules_about_coins() {
    let mut node = Node::new();
    let coin = node.coin();
    let nowhere = Coin { outpoint: OutPoint { txid: Txid::all_zeros(), vout: 0 }, value: COIN };
    let verdict = node.refuse(&spend(&[coin, nowhere], 100), "bad-txns-inputs-missingorspent", None);
    assert_eq!(verdict, TransactionVerdict::MissingInputs);
    let parent = spend(&[coin], 100);
    node.accept(&parent);
    let beyond = Coin { outpoint: OutPoint { vout: 1, ..coin_of(&parent).outpoint }, value: COIN };
    node.refuse(&spend(&[beyond], 100), "bad-txns-inputs-missingorspent", None);

    node.mine(&[]);
    let coinbase = node.coinbase(104);
    let verdict = node.refuse(
        &spend(&[coinbase], 100),
        "bad-txns-premature-spend-of-coinbase",
        Some("tried to spend coinbase at depth 1"),
    );
    assert_eq!(verdict, TransactionVerdict::PrematureSpend);
    let coin = node.coin();
    let verdict = node.refuse(
        &pay(&[coin], &[COIN + 1]),
        "bad-txns-in-belowout",
        Some("value in (0.20) < value out (0.20000001)"),
    );
    assert_eq!(verdict, TransactionVerdict::Invalid);
}

#[test]
fn rules_about_what_is_spent() {
    let mut node = Node::new();
    let mut nonstandard = spend(&[node.coin()], 100);
    nonstandard.output[0].script_pubkey = ScriptBuf::from_bytes(vec![OP_PUSHNUM_1.to_u8()]);
    assert_eq!(node.refuse(&nonstandard, "scriptpubkey", None), TransactionVerdict::NotStandard);
    node.mine(std::slice::from_ref(&nonstandard));
    let mut tx = spend(&[coin_of(&nonstandard)], 100);
    tx.input[0].witness.clear();
    let verdict = node.refuse(&tx, "bad-txns-nonstandard-inputs", Some("input 0 script unknown"));
    assert_eq!(verdict, TransactionVerdict::InputsNotStandard);

    let mut padded_witness = spend(&[node.coin()], 100);
    padded_witness.input[0].witness = Witness::from_slice(&[&[0; 81][..], anyone().as_bytes()]);
    let verdict = node.refuse(&padded_witness, "bad-witness-nonstandard", None);
    assert_eq!(verdict, TransactionVerdict::WitnessMutated);

    // 3,600 signature operations each, which count as much in a witness as they are.
    let script = ScriptBuf::from(vec![OP_CHECKSIG.to_u8(); 3600]);
    let mut many = split(&[node.coin()], 5, 300);
    for output in &mut many.output {
        output.script_pubkey = script.to_p2wsh();
    }
    node.accept(&many);
    let mut spender = spend(&coins_of(&many), 50_000);
    for input in &mut spender.input {
        input.witness = Witness::from_slice(&[script.as_bytes()]);
    }
    let verdict = node.refuse(&spender, "bad-txns-too-many-sigops", Some("18000"));
    assert_eq!(verdict, TransactionVerdict::NotStandard);
}

#[test]
fn dust_must_be_without_fee() {
    let mut node = Node::new();
    let coin = node.coin();
    let dusty = |fee: u64| pay(&[coin], &[COIN - fee - 1, 1]);
    let verdict = node.refuse(&dusty(100), "dust", Some("tx with dust output must be 0-fee"));
    assert_eq!(verdict, TransactionVerdict::NotStandard);
    let free = dusty(0);
    node.refuse(&free, "min relay fee not met", Some("0 < 14"));
    // What the operator pretends counts as a fee too.
    node.pool.prioritise_transaction(free.compute_txid(), 1000);
    node.refuse(&free, "dust", Some("tx with dust output must be 0-fee"));
}

#[test]
fn a_child_spends_all_dust_of_its_parent() {
    let mut node = Node::with(MempoolOptions {
        min_relay_fee_rate: cairn_chain::mempool::FeeRate::per_kvb(0),
        ..MempoolOptions::default()
    });
    let coin = node.coin();
    let parent = pay(&[coin], &[COIN - 1, 1]);
    node.accept(&parent);
    let [change, dust] = coins_of(&parent)[..] else { panic!("two outputs") };
    let child = spend(&[change], 1000);
    let words =
        format!("tx {} (wtxid={}) did not spend parent's ephemeral dust", child.compute_txid(), child.compute_wtxid());
    assert_eq!(node.refuse(&child, "missing-ephemeral-spends", Some(&words)), TransactionVerdict::MempoolPolicy);
    node.accept(&spend(&[change, dust], 1000));
}

#[test]
fn version_3_is_inherited() {
    let mut node = Node::new();
    let ids = |tx: &Transaction| format!("tx {} (wtxid={})", tx.compute_txid(), tx.compute_wtxid());
    let plain = spend(&[node.coin()], 100);
    node.accept(&plain);
    let child = truc(spend(&[coin_of(&plain)], 100));
    let words = format!("version=3 {} cannot spend from non-version=3 {}", ids(&child), ids(&plain));
    assert_eq!(node.refuse(&child, "TRUC-violation", Some(&words)), TransactionVerdict::MempoolPolicy);
    let restricted = truc(spend(&[node.coin()], 100));
    node.accept(&restricted);
    let child = spend(&[coin_of(&restricted)], 100);
    let words = format!("non-version=3 {} cannot spend from version=3 {}", ids(&child), ids(&restricted));
    node.refuse(&child, "TRUC-violation", Some(&words));
    let child = truc(spend(&[coin_of(&restricted)], 100));
    node.accept(&child);
    let grandchild = truc(spend(&[coin_of(&child)], 100));
    node.refuse(&grandchild, "TRUC-violation", Some(&format!("{} would have too many ancestors", ids(&grandchild))));
    // Of several parents that are wrong, Core names the one with the lowest txid.
    let mut parents: Vec<_> = node.coins(6).iter().map(|coin| spend(&[*coin], 100)).collect();
    parents.iter().for_each(|parent| drop(node.accept(parent)));
    let child = truc(spend(&parents.iter().map(coin_of).collect::<Vec<_>>(), 1000));
    parents.sort_by_key(Transaction::compute_txid);
    let words = format!("version=3 {} cannot spend from non-version=3 {}", ids(&child), ids(&parents[0]));
    node.refuse(&child, "TRUC-violation", Some(&words));
}

/// Signs the only input of a transaction, which spends an output to the key's hash.
fn sign(tx: &mut Transaction, key: &SecretKey, value: u64) {
    let secp = Secp256k1::new();
    let public = CompressedPublicKey(key.public_key(&secp));
    let script = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
    let sighash = SighashCache::new(&*tx)
        .p2wpkh_signature_hash(0, &script, Amount::from_sat(value), EcdsaSighashType::All)
        .unwrap();
    let signature = secp.sign_ecdsa(&Message::from_digest(sighash.to_byte_array()), key);
    let signature = bitcoin::ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All };
    tx.input[0].witness = Witness::p2wpkh(&signature, &public.0);
}

#[test]
fn scripts() {
    let mut node = Node::new();
    let key = SecretKey::from_slice(&[7; 32]).unwrap();
    let public = CompressedPublicKey(key.public_key(&Secp256k1::new()));
    let mut funding = spend(&[node.coin()], 100);
    funding.output[0].script_pubkey = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
    node.accept(&funding);
    let coin = coin_of(&funding);
    let words = |tx: &Transaction| {
        let (txid, wtxid, spent) = (tx.compute_txid(), tx.compute_wtxid(), tx.input[0].previous_output);
        format!("input 0 of {txid} (wtxid {wtxid}), spending {}:{}", spent.txid, spent.vout)
    };

    let mut signed = spend(&[coin], 500);
    sign(&mut signed, &key, coin.value);
    let mut stripped = signed.clone();
    stripped.input[0].witness.clear();
    let reason = "mempool-script-verify-flag-failed (Witness program hash mismatch)";
    assert_eq!(node.refuse(&stripped, reason, Some(&words(&stripped))), TransactionVerdict::WitnessStripped);

    let mut stripped = spend(&[node.coin()], 500);
    stripped.input[0].witness.clear();
    let reason = "mempool-script-verify-flag-failed (Witness program was passed an empty witness)";
    assert_eq!(node.refuse(&stripped, reason, Some(&words(&stripped))), TransactionVerdict::WitnessStripped);

    let mut wrong = signed.clone();
    sign(&mut wrong, &key, coin.value + 1);
    let reason = "mempool-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)";
    assert_eq!(node.refuse(&wrong, reason, Some(&words(&wrong))), TransactionVerdict::NotStandard);

    let mut stranger = spend(&[node.coin()], 500);
    stranger.input[0].witness = Witness::from_slice(&[[OP_DROP.to_u8()]]);
    let reason = "mempool-script-verify-flag-failed (Witness program hash mismatch)";
    node.refuse(&stranger, reason, Some(&words(&stranger)));
    node.accept(&signed);
}

#[test]
fn where_nothing_may_be_replaced() {
    let mut node = Node::new();
    let (coin, other) = (node.coin(), node.coin());
    node.accept(&spend(&[coin], 100));
    let conflict = spend(&[coin], 10_000);
    let result = node.test_package(&[&conflict, &spend(&[other], 100)]);
    assert_eq!(result.error.unwrap().reject_reason(), "transaction failed");
    let PackageOutcome::Rejected(rejection) = &result.transactions[&conflict.compute_wtxid()] else { panic!("in") };
    assert_eq!(rejection.error.reject_reason(), "bip125-replacement-disallowed");
    assert_eq!(rejection.error.verdict(), TransactionVerdict::MempoolPolicy);
    assert_eq!(result.transactions.len(), 1, "the rest was not looked at");
}

/// On networks without value, what is not standard may be let in; consensus and the size that merkle trees ask for stay.
#[test]
fn without_standardness() {
    let mut options = MempoolOptions::default();
    options.policy.require_standard = false;
    let mut node = Node::with(options);
    let mut tx = spend(&[node.coin()], 100);
    tx.version = Version(4);
    tx.output[0].script_pubkey = anyone();
    tx.output.push(output(0));
    node.accept(&tx);
    let mut child = spend(&[coin_of(&tx)], 100);
    child.input[0].witness.clear();
    child.output = vec![output(1), output(2), output(COIN - 300)];
    node.accept(&child);
    let mut small = spend(&[node.coin()], 100);
    small.output[0] = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(vec![0x6a]) };
    node.refuse(&small, "tx-size-small", None);
}

#[test]
fn what_cannot_be_read_is_our_own_fault() {
    let broken = cairn_chain::coins::CoinsError(std::sync::Arc::new(std::io::Error::other("a disk")));
    let error = MempoolError::from(broken);
    assert_eq!(error.verdict(), TransactionVerdict::OurFault);
    assert_eq!(error.debug_message(), None);
}
