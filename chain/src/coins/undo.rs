//! Taking a block's changes back, and repeating them.

use bitcoin::{Amount, OutPoint};

use super::{Coin, CoinScript, CoinsError, CoinsViewMut};
use crate::primitives::{Block, TransactionRef};
use crate::script::is_unspendable;

/// Whether a block could be taken back exactly (Core: `DisconnectResult`, `validation.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum DisconnectOutcome {
    /// Every coin was as the block left it (Core: `DISCONNECT_OK`).
    Clean,
    /// Some coin was missing, different, or there already. So it is with blocks excepted from BIP30; with all others, the
    /// coins or the undo data are damaged (Core: `DISCONNECT_UNCLEAN`).
    Unclean,
}

/// Takes the changes of a block's transactions back, the last first (Core: `DisconnectBlock`, `validation.cpp`).
///
/// `spent` are the coins the block spent, in the order of its inputs, the coinbase's left out.
///
/// # Errors
///
/// When the coins could not be read; the view is then left halfway.
///
/// # Panics
///
/// When there are not as many coins as inputs.
pub fn disconnect_block(
    block: &Block,
    height: u32,
    spent: &[Coin],
    coins: &mut impl CoinsViewMut,
) -> Result<DisconnectOutcome, CoinsError> {
    let clean = disconnect_transactions(block, block.transactions().len(), height, spent, coins)?;
    Ok(if clean { DisconnectOutcome::Clean } else { DisconnectOutcome::Unclean })
}

/// Takes the changes of the first `count` transactions of a block back, the last first, and of the inputs of the next one as
/// far as `spent` goes on: what is left of a block that turns out invalid there. Says whether every coin was as expected.
pub(crate) fn disconnect_transactions(
    block: &Block,
    count: usize,
    height: u32,
    spent: &[Coin],
    coins: &mut impl CoinsViewMut,
) -> Result<bool, CoinsError> {
    let mut clean = true;
    let spenders = || block.transactions().enumerate().filter(|(index, _)| *index > 0).map(|(_, tx)| tx);
    let done = spenders().take(count.saturating_sub(1)).map(TransactionRef::input_count).sum();
    let (mut left, begun) = spent.split_at(done);
    if let Some(tx) = block.transaction(count).filter(|_| count > 0) {
        for (input, coin) in tx.inputs().zip(begun) {
            clean &= restore(input.prevout(), coin.clone(), coins)?;
        }
    } else {
        assert!(begun.is_empty(), "one coin for each input");
    }
    for index in (0..count).rev() {
        let tx = block.transaction(index).expect("an index below the number of transactions");
        clean &= remove_outputs(tx, height, coins)?;
        if index > 0 {
            let (rest, spent) = left.split_at(left.len() - tx.input_count());
            left = rest;
            for (input, coin) in tx.inputs().zip(spent) {
                clean &= restore(input.prevout(), coin.clone(), coins)?;
            }
        }
    }
    Ok(clean)
}

/// Removes the outputs of a transaction; false when one was not as the transaction made it.
fn remove_outputs(tx: TransactionRef<'_>, height: u32, coins: &mut impl CoinsViewMut) -> Result<bool, CoinsError> {
    let mut clean = true;
    for (outpoint, coin) in created_coins(tx, height) {
        clean &= coins.spend(&outpoint)? == Some(coin);
    }
    Ok(clean)
}

/// Puts a spent coin back; false when there was one in its place (Core: `ApplyTxInUndo`).
fn restore(outpoint: OutPoint, coin: Coin, coins: &mut impl CoinsViewMut) -> Result<bool, CoinsError> {
    let clean = !coins.have_coin(&outpoint)?;
    if clean {
        coins.add(outpoint, coin);
    } else {
        coins.overwrite(outpoint, coin);
    }
    Ok(clean)
}

/// The coins a transaction creates at `height`: its outputs, but for those that can never be spent (Core: `AddCoins`,
/// `coins.cpp`).
pub(crate) fn created_coins(tx: TransactionRef<'_>, height: u32) -> impl Iterator<Item = (OutPoint, Coin)> {
    let (txid, is_coinbase) = (tx.txid(), tx.is_coinbase());
    (0u32..).zip(tx.outputs()).filter_map(move |(vout, output)| {
        let script = output.script_pubkey().as_bytes();
        if is_unspendable(script) {
            return None;
        }
        let amount = Amount::from_sat(output.value().unsigned_abs());
        Some((OutPoint { txid, vout }, Coin { amount, script_pubkey: CoinScript::from(script), height, is_coinbase }))
    })
}
