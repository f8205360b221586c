//! All coins after some block, to be read on any thread.

use std::ops::ControlFlow;
use std::sync::Arc;

use bitcoin::OutPoint;

use super::{BlockReference, Chainstate, ChainstateError};
use crate::coins::{Coin, CoinsError, CoinsHashType, CoinsScan, CoinsStatistics, ScanProgress, StatisticsError};
use crate::store::{CoinPages, PagesHold};

/// All coins after some block. While it is there, coins of later blocks stay in memory: what is to be written waits for it.
#[derive(Debug)]
pub struct CoinsSnapshot {
    /// The last block whose coins are among them.
    pub tip: BlockReference,
    pages: Arc<CoinPages>,
    _hold: PagesHold,
}

impl CoinsSnapshot {
    /// Statistics of the coins (Core: `gettxoutsetinfo`). Sorting takes `memory` bytes.
    ///
    /// # Errors
    ///
    /// When the disk fails, or `progress` asks to stop.
    pub fn statistics(
        &self,
        hash_type: CoinsHashType,
        memory: usize,
        progress: &mut dyn FnMut(ScanProgress) -> ControlFlow<()>,
    ) -> Result<CoinsStatistics, ChainstateError> {
        CoinsStatistics::compute(&*self.pages, hash_type, memory, progress).map_err(|error| match error {
            StatisticsError::Coins(error) => error.into(),
            StatisticsError::Interrupted => ChainstateError::Interrupted,
            changed @ StatisticsError::CoinsChanged { .. } => CoinsError(Arc::new(changed)).into(),
        })
    }

    /// Visits every coin, in no order that means anything. `progress` is told now and then how much of all is done, from 0 to 1.
    ///
    /// # Errors
    ///
    /// When the disk fails, or `progress` asks to stop.
    pub fn visit(
        &self,
        visit: &mut dyn FnMut(&OutPoint, &Coin),
        progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<(), ChainstateError> {
        let mut visit = |outpoint: &OutPoint, coin: &Coin| {
            visit(outpoint, coin);
            Ok(())
        };
        match self.pages.visit(&mut visit, progress)? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ChainstateError::Interrupted),
        }
    }
}

impl CoinsScan for CoinsSnapshot {
    fn scan(&self, visit: &mut dyn FnMut(&OutPoint, &Coin) -> Result<(), CoinsError>) -> Result<(), CoinsError> {
        self.pages.scan(visit)
    }
}

impl Chainstate {
    /// All coins as they are, for another thread. Everything is written first, for which an older snapshot has to be dropped:
    /// otherwise this waits for it.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn coins_snapshot(&mut self) -> Result<CoinsSnapshot, ChainstateError> {
        self.flush()?;
        let pages = Arc::clone(self.coins.store());
        Ok(CoinsSnapshot { tip: self.tip(), _hold: pages.hold(), pages })
    }

    /// Statistics of all coins (Core: `gettxoutsetinfo`). Everything is written first; sorting takes `memory` bytes.
    ///
    /// # Errors
    ///
    /// When the disk fails, or `progress` asks to stop.
    pub fn coins_statistics(
        &mut self,
        hash_type: CoinsHashType,
        memory: usize,
        progress: &mut dyn FnMut(ScanProgress) -> ControlFlow<()>,
    ) -> Result<CoinsStatistics, ChainstateError> {
        self.coins_snapshot()?.statistics(hash_type, memory, progress)
    }
}
