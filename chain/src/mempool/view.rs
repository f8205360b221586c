//! The coins a transaction of the pool can spend.

use std::collections::HashMap;

use bitcoin::{Amount, OutPoint, Txid};

use super::Mempool;
use crate::chainstate::Chainstate;
use crate::coins::{Coin, CoinScript, CoinsError};
use crate::header_chain::HeaderChain;
use crate::primitives::{OutputRef, Transaction};

/// The coins of the chain, of the pool, and of the transactions of a package that come first (Core: `CCoinsViewMemPool`,
/// `txmempool.h`). Coins that others of the pool spend are there too: that is a conflict, not a missing coin.
pub(super) struct MempoolView<'a> {
    pool: &'a Mempool,
    pub(super) chain: &'a Chainstate,
    package: HashMap<OutPoint, Coin>,
    next_height: u32,
}

impl Mempool {
    /// A coin of the chain, or of a transaction of the pool; whether others of the pool spend it is another question (Core:
    /// `CCoinsViewMemPool::GetCoin`).
    ///
    /// # Errors
    ///
    /// When the coins of the chain cannot be read.
    pub fn coin(&self, chain: &Chainstate, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        MempoolView::new(self, chain).coin(outpoint)
    }
}

impl<'a> MempoolView<'a> {
    pub(super) fn new(pool: &'a Mempool, chain: &'a Chainstate) -> Self {
        Self { pool, chain, package: HashMap::new(), next_height: chain.active_chain().height() + 1 }
    }

    /// The height of the next block, which is also that of every coin that is not in the chain.
    pub(super) fn next_height(&self) -> u32 {
        self.next_height
    }

    /// Makes the outputs of a transaction known to those behind it (Core: `PackageAddTransaction`).
    pub(super) fn add_of_package(&mut self, transaction: &Transaction) {
        let tx = transaction.as_ref();
        let txid = tx.txid();
        for (vout, output) in (0u32..).zip(tx.outputs()) {
            self.package.insert(OutPoint { txid, vout }, self.unconfirmed(output));
        }
    }

    pub(super) fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        if let Some(coin) = self.package.get(outpoint) {
            return Ok(Some(coin.clone()));
        }
        if let Some(entry) = self.pool.get(&outpoint.txid) {
            let output = usize::try_from(outpoint.vout).ok().and_then(|vout| entry.tx().output(vout));
            return Ok(output.map(|output| self.unconfirmed(output)));
        }
        self.chain.coin(outpoint)
    }

    /// Whether one of a transaction's outputs is unspent in the chain, which is looked up only for the first few.
    pub(super) fn has_output_in_chain(&self, txid: Txid, outputs: usize) -> Result<bool, CoinsError> {
        /// Anybody can ask about a transaction whose inputs are gone, so the answer must not cost much.
        const LOOKED_UP: u32 = 8;
        let outputs = u32::try_from(outputs).unwrap_or(u32::MAX).min(LOOKED_UP);
        for vout in 0..outputs {
            if self.chain.coin(&OutPoint { txid, vout })?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn unconfirmed(&self, output: OutputRef<'_>) -> Coin {
        Coin {
            amount: Amount::from_sat(output.value().unsigned_abs()),
            script_pubkey: CoinScript::from(output.script_pubkey()),
            height: self.next_height,
            is_coinbase: false,
        }
    }
}
