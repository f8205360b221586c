//! Coins that are not there, not yet, or not enough.

use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, OutPoint, ScriptBuf, TxOut, Txid};

use super::super::coin::LockedCoin;
use super::super::draft::Draft;
use super::super::forge::Forge;
use super::super::lock::{Kind, Lock};
use super::super::spend::{Payment, Spend};
use super::{Effect, Mutation, mutation};

const MISSING: Effect = Effect::Unconnectable("bad-txns-inputs-missingorspent");
const PREMATURE: Effect = Effect::Unconnectable("bad-txns-premature-spend-of-coinbase");

/// A version of no valid transaction here, lest one that spends what is spent be the very one that spent it.
const OTHER_VERSION: i32 = 7;

pub(super) const ALL: &[Mutation] = &[
    mutation("coin that never was", MISSING, coin_that_never_was),
    mutation("output that does not exist", MISSING, output_that_does_not_exist),
    mutation("coin spent twice in the block", MISSING, spent_twice),
    mutation("coin spent in an earlier block", MISSING, spent_earlier),
    mutation("transaction of an earlier block again", Effect::Unconnectable("bad-txns-BIP30"), transaction_again),
    mutation("coin of another branch", MISSING, coin_of_another_branch),
    mutation("output of a later transaction", MISSING, output_of_later_transaction),
    mutation("output nobody can spend", MISSING, output_nobody_can_spend),
    mutation("coinbase spent after 99 blocks", PREMATURE, coinbase_after_99),
    mutation("coinbase spent after 100 blocks", Effect::Valid, coinbase_after_100),
    mutation("coinbase spent in its own block", PREMATURE, own_coinbase),
    mutation(
        "outputs exceed inputs by a satoshi",
        Effect::Unconnectable("bad-txns-in-belowout"),
        outputs_exceed_inputs,
    ),
    mutation("a chain of transactions", Effect::Valid, chain_of_transactions),
];

fn finish_with(forge: &mut Forge, draft: &mut Draft, spend: &Spend) -> Option<()> {
    forge.add(draft, spend);
    draft.finish();
    Some(())
}

fn coin_that_never_was(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let mut spend = forge.spend(draft)?;
    spend.inputs[0].0.outpoint.txid = Txid::from_byte_array(forge.rng.array());
    finish_with(forge, draft, &spend)
}

fn output_that_does_not_exist(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let mut spend = forge.spend(draft)?;
    spend.inputs[0].0.outpoint.vout += 1_000;
    finish_with(forge, draft, &spend)
}

fn spent_twice(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let spend = forge.spend(draft)?;
    forge.add(draft, &spend);
    let again = Spend { version: OTHER_VERSION, ..Spend::pay_all(spend.inputs[0].0.clone()) };
    finish_with(forge, draft, &again)
}

fn spent_earlier(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let mut node = draft.parent;
    for _ in 0..forge.rng.below(8) {
        node = forge.tree.nodes[node].parent;
    }
    let spent = &forge.tree.nodes[node].spent;
    let coin = spent.get(forge.rng.below(spent.len().max(1)))?.clone();
    finish_with(forge, draft, &Spend { version: OTHER_VERSION, ..Spend::pay_all(coin) })
}

/// BIP30: the outputs that the transaction would create are looked at before the inputs that are gone. BIP34 keeps only
/// coinbases from being repeated.
fn transaction_again(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = forge.coin_where(draft, |coin| !coin.is_coinbase)?;
    let node = forge.tree.ancestor(draft.parent, coin.height);
    let block: Block = encode::deserialize(&forge.tree.nodes[node].bytes).unwrap();
    let tx = block.txdata.into_iter().find(|tx| tx.compute_txid() == coin.outpoint.txid)?;
    draft.block.txdata.push(tx);
    draft.finish();
    Some(())
}

fn coin_of_another_branch(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    const TRIES: usize = 50;
    for _ in 0..TRIES {
        let node = forge.rng.below(forge.tree.nodes.len());
        let coin = forge.tree.nodes[node].created.iter().find(|coin| !coin.is_coinbase);
        if let Some(coin) = coin.cloned()
            && !forge.tree.is_ancestor(node, draft.parent)
            // The same transaction may be on both branches.
            && !forge.tree.coins.contains(&coin.outpoint)
            && coin.height <= draft.height
        {
            return finish_with(forge, draft, &Spend::pay_all(coin));
        }
    }
    None
}

/// A transaction that anyone can spend, and the coin it creates.
fn open_transaction(forge: &mut Forge, draft: &mut Draft, script_pubkey: ScriptBuf) -> Option<LockedCoin> {
    let coin = forge.coin_where(draft, |_| true)?;
    let mut spend = forge.spend_coins(draft, vec![coin]);
    let value = Amount::from_sat(spend.value_in());
    let output = TxOut { value, script_pubkey };
    spend.outputs = vec![Payment { output: output.clone(), lock: None }];
    forge.add(draft, &spend);
    let outpoint = OutPoint { txid: draft.block.txdata.last()?.compute_txid(), vout: 0 };
    let lock = Lock { kind: Kind::AnyoneCanSpend, keys: [0; 3], number: 0 };
    Some(LockedCoin { outpoint, output, height: draft.height, is_coinbase: false, lock })
}

fn output_of_later_transaction(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = open_transaction(forge, draft, ScriptBuf::from(vec![0x51]))?;
    forge.add(draft, &Spend::pay_all(coin));
    let last = draft.block.txdata.len() - 1;
    draft.block.txdata.swap(last - 1, last);
    draft.finish();
    Some(())
}

/// It would succeed if it were run, so it must not be a coin at all.
fn output_nobody_can_spend(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let script = forge.rng.pick(&[&[0x6a][..], &[0x6a, 1, 1], &[0x51; 10_001]]);
    let coin = open_transaction(forge, draft, ScriptBuf::from(script.to_vec()))?;
    finish_with(forge, draft, &Spend::pay_all(coin))
}

fn coinbase_of_depth(forge: &mut Forge, draft: &Draft, depth: u32) -> Option<LockedCoin> {
    let coins = &forge.tree.coins;
    let fits = |coin: &LockedCoin| {
        let untaken = !draft.taken.contains(&coin.outpoint);
        coin.is_coinbase && coin.height + depth == draft.height && untaken
    };
    coins.pick_where(&mut forge.rng, fits).cloned()
}

fn coinbase_after_99(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let depth = forge.rng.pick(&[99, 99, 1, 50]);
    let coin = coinbase_of_depth(forge, draft, depth)?;
    finish_with(forge, draft, &Spend::pay_all(coin))
}

fn coinbase_after_100(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = coinbase_of_depth(forge, draft, 100)?;
    if !forge.is_ready(draft, &coin) {
        return None;
    }
    let spend = forge.spend_coins(draft, vec![coin]);
    finish_with(forge, draft, &spend)
}

fn own_coinbase(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    *draft = forge.draft(draft.parent);
    let script_pubkey = ScriptBuf::from(vec![0x51]);
    draft.coinbase().output[0].script_pubkey = script_pubkey;
    draft.pay();
    let output = draft.coinbase().output[0].clone();
    let outpoint = OutPoint { txid: draft.block.txdata[0].compute_txid(), vout: 0 };
    let lock = Lock { kind: Kind::AnyoneCanSpend, keys: [0; 3], number: 0 };
    let coin = LockedCoin { outpoint, output, height: draft.height, is_coinbase: true, lock };
    // No fee and no witness, so the coinbase stays as it is.
    forge.add(draft, &Spend::pay_all(coin));
    draft.seal();
    Some(())
}

fn outputs_exceed_inputs(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let coin = forge.coin_where(draft, |_| true)?;
    let mut spend = forge.spend_coins(draft, vec![coin]);
    spend.outputs.truncate(1);
    spend.set_value(0, spend.value_in() + 1);
    finish_with(forge, draft, &spend)
}

fn chain_of_transactions(forge: &mut Forge, draft: &mut Draft) -> Option<()> {
    let mut coin = forge.coin_where(draft, |coin| coin.output.value > Amount::ZERO)?;
    for _ in 0..forge.rng.between(2, 25) {
        let kind =
            forge.rng.pick(&[Kind::P2wpkh, Kind::TaprootKeyPath, Kind::P2sh, Kind::P2pkh, Kind::TaprootCheckSig]);
        let lock = Lock::of_kind(&mut forge.rng, kind, draft.height, draft.median);
        let mut spend = forge.spend_coins(draft, vec![coin]);
        let output =
            TxOut { value: Amount::from_sat(spend.value_in()), script_pubkey: lock.script_pubkey(&forge.keys) };
        spend.outputs = vec![Payment { output, lock: Some(lock) }];
        forge.add(draft, &spend);
        coin = draft.fresh.last()?.clone();
    }
    draft.finish();
    Some(())
}
