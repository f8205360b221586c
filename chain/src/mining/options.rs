//! What may be chosen about a template.

use bitcoin::ScriptBuf;
use bitcoin::opcodes::OP_TRUE;

use super::TemplateOptionsError;
use crate::mempool::FeeRate;
use crate::validation::{MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT};

/// Weight kept free for header, count and coinbase, in weight units (Core: `DEFAULT_BLOCK_RESERVED_WEIGHT`,
/// `policy/policy.h`).
pub const DEFAULT_BLOCK_RESERVED_WEIGHT: usize = 8000;
/// The least weight that has to be kept free, in weight units (Core: `MINIMUM_BLOCK_RESERVED_WEIGHT`, `policy/policy.h`).
pub const MINIMUM_BLOCK_RESERVED_WEIGHT: usize = 2000;
/// Cost of signature operations kept free for the outputs of the coinbase (Core:
/// `DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS`, `policy/policy.h`).
pub const DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS: usize = 400;
/// The least a transaction pays to be mined, in satoshis per 1000 virtual bytes (Core: `DEFAULT_BLOCK_MIN_TX_FEE`,
/// `policy/policy.h`).
pub const DEFAULT_BLOCK_MIN_FEE: i64 = 1;

/// What may be chosen about a template (Core: `BlockCreateOptions`, `node/mining_types.h`).
#[derive(Debug, Clone)]
pub struct TemplateOptions {
    /// The script the coinbase pays to.
    pub coinbase_script: ScriptBuf,
    /// Whether there are transactions of the pool in it.
    pub use_mempool: bool,
    /// The least a chunk pays for each virtual byte, as modified by the operator (Core: `-blockmintxfee`).
    pub block_min_fee_rate: FeeRate,
    /// Weight kept free for header, count and coinbase, in weight units (Core: `-blockreservedweight`).
    pub block_reserved_weight: usize,
    /// The most weight, what is kept free included, in weight units (Core: `-blockmaxweight`).
    pub block_max_weight: usize,
    /// Cost of signature operations kept free for the outputs of the coinbase.
    pub coinbase_output_max_additional_sigops: usize,
    /// Another version than the one that follows from the chain, for tests on regtest (Core: `-blockversion`).
    pub block_version: Option<i32>,
    /// Whether the finished block is checked by every rule but proof of work. It never fails unless pool and chain contradict each
    /// other; for a full block it takes many times as long as everything else.
    pub test_block_validity: bool,
}

impl Default for TemplateOptions {
    /// As Core's: a full block, whose coinbase anyone can spend.
    fn default() -> Self {
        Self {
            coinbase_script: ScriptBuf::from_bytes(vec![OP_TRUE.to_u8()]),
            use_mempool: true,
            block_min_fee_rate: FeeRate::per_kvb(DEFAULT_BLOCK_MIN_FEE),
            block_reserved_weight: DEFAULT_BLOCK_RESERVED_WEIGHT,
            block_max_weight: MAX_BLOCK_WEIGHT,
            coinbase_output_max_additional_sigops: DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS,
            block_version: None,
            test_block_validity: true,
        }
    }
}

impl TemplateOptions {
    /// Whether a block can be made with these options (Core: `CheckMiningOptions`, `node/mining_args.cpp`).
    ///
    /// # Errors
    ///
    /// The first that is out of range.
    pub fn check(&self) -> Result<(), TemplateOptionsError> {
        let (reserved, most) = (self.block_reserved_weight, self.block_max_weight);
        if reserved < MINIMUM_BLOCK_RESERVED_WEIGHT {
            return Err(TemplateOptionsError::ReservedWeightTooLow { got: reserved });
        }
        if reserved > MAX_BLOCK_WEIGHT {
            return Err(TemplateOptionsError::ReservedWeightTooHigh { got: reserved });
        }
        if most > MAX_BLOCK_WEIGHT {
            return Err(TemplateOptionsError::MaxWeightTooHigh { got: most });
        }
        if reserved > most {
            return Err(TemplateOptionsError::ReservedAboveMaxWeight { reserved, most });
        }
        let got = self.coinbase_output_max_additional_sigops;
        if got > MAX_BLOCK_SIGOPS_COST {
            return Err(TemplateOptionsError::TooManyCoinbaseSigops { got });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_sigops_have_bounds() {
        let with = |reserved, most, sigops| {
            TemplateOptions {
                block_reserved_weight: reserved,
                block_max_weight: most,
                coinbase_output_max_additional_sigops: sigops,
                ..TemplateOptions::default()
            }
            .check()
        };
        assert_eq!(TemplateOptions::default().check(), Ok(()));
        assert_eq!(with(2000, 2000, 0), Ok(()));
        assert_eq!(with(4_000_000, 4_000_000, 80_000), Ok(()));
        assert_eq!(with(1999, 4_000_000, 0), Err(TemplateOptionsError::ReservedWeightTooLow { got: 1999 }));
        let too_high = TemplateOptionsError::ReservedWeightTooHigh { got: 4_000_001 };
        assert_eq!(with(4_000_001, 4_000_001, 0), Err(too_high));
        assert_eq!(with(2000, 4_000_001, 0), Err(TemplateOptionsError::MaxWeightTooHigh { got: 4_000_001 }));
        let above = TemplateOptionsError::ReservedAboveMaxWeight { reserved: 2001, most: 2000 };
        assert_eq!(with(2001, 2000, 0), Err(above));
        assert_eq!(with(2000, 2000, 80_001), Err(TemplateOptionsError::TooManyCoinbaseSigops { got: 80_001 }));
    }
}
