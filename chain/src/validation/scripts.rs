//! All scripts of a block, on all threads.

use std::sync::Arc;

use bitcoin::Amount;
use rayon::prelude::*;

use super::{BlockError, InputsCheckedBlock};
use crate::coins::Coin;
use crate::primitives::Block;
use crate::script::{
    CachePolicy, PrecomputedTransactionData, SignatureCache, TransactionSignatureChecker, verify_input,
};

/// Inputs that are handed to a thread together: enough that handing over costs nothing, few enough that no thread waits
/// long for the last.
const INPUTS_PER_JOB: usize = 4;

/// A block that obeys every rule and whose changes to the set of coins are known.
#[derive(Debug)]
pub struct ConnectableBlock {
    block: Arc<Block>,
    height: u32,
    spent: Vec<Coin>,
    fees: Amount,
}

impl ConnectableBlock {
    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The coins it spends, in the order of its inputs, the coinbase's left out: what undoing it needs.
    #[must_use]
    pub fn spent(&self) -> &[Coin] {
        &self.spent
    }

    /// The fees of all transactions together.
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.fees
    }
}

/// Verifies every script of a block on rayon's threads (Core: `CheckInputScripts`, `CCheckQueue`).
///
/// # Errors
///
/// The failure of the first input, in the order of the block, whose script fails: always the same, where Core reports the
/// one that a thread happens to find first.
pub fn check_scripts(
    block: InputsCheckedBlock,
    cache: Option<&SignatureCache>,
) -> Result<ConnectableBlock, BlockError> {
    let transactions: Vec<_> =
        block.transactions_with_spent().map(|(tx, spent)| PrecomputedTransactionData::new(tx, spent)).collect();
    let inputs: Vec<(&PrecomputedTransactionData<'_>, usize)> = transactions
        .iter()
        .flat_map(|data| (0..data.transaction().input_count()).map(move |index| (data, index)))
        .collect();
    let failure = inputs.par_iter().with_min_len(INPUTS_PER_JOB).find_map_first(|&(data, input)| {
        let mut checker = TransactionSignatureChecker::new(data, input);
        if let Some(cache) = cache {
            // The block is the last that asks: what the mempool stored can go.
            checker = checker.with_cache(cache, CachePolicy::Consume);
        }
        let source = verify_input(&mut checker, block.flags).err()?;
        Some(BlockError::Script { txid: data.transaction().txid(), input, source })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(assume_scripts_valid(block)),
    }
}

/// Takes the scripts of a block as valid without running them: for blocks below the one the network is known to have
/// accepted (Core: `-assumevalid`).
#[must_use]
pub fn assume_scripts_valid(block: InputsCheckedBlock) -> ConnectableBlock {
    let InputsCheckedBlock { block, height, spent, fees, .. } = block;
    ConnectableBlock { block, height, spent, fees }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coins::CoinScript;
    use crate::script::{ScriptError, ScriptVerifyFlags};
    use bitcoin::Script;

    /// A block of a coinbase and as many transactions as there are scripts, each of which spends one.
    fn block_spending(scripts: &[&[u8]]) -> InputsCheckedBlock {
        let transaction = |prevout: u8| {
            let mut bytes = vec![2, 0, 0, 0, 1];
            bytes.extend([prevout; 36]);
            bytes.extend([0; 5]); // empty script, sequence
            bytes.push(1);
            bytes.extend([0; 9 + 4]); // output of nothing, lock time
            bytes
        };
        let count = u8::try_from(scripts.len() + 1).unwrap();
        let mut bytes = vec![0; 80];
        bytes.push(count);
        bytes.extend((0..count).flat_map(transaction));
        let coin = |script: &&[u8]| Coin {
            amount: Amount::ZERO,
            script_pubkey: CoinScript::from(Script::from_bytes(script)),
            height: 0,
            is_coinbase: false,
        };
        InputsCheckedBlock {
            block: Arc::new(Block::decode(bytes).unwrap()),
            height: 1,
            flags: ScriptVerifyFlags::MANDATORY,
            spent: scripts.iter().map(coin).collect(),
            fees: Amount::from_sat(7),
        }
    }

    const OP_1: &[u8] = &[0x51];
    const OP_0: &[u8] = &[0x00];
    const OP_RETURN: &[u8] = &[0x6a];

    #[test]
    fn a_block_whose_scripts_succeed_can_be_connected() {
        let block = check_scripts(block_spending(&[OP_1; 100]), None).unwrap();
        assert_eq!((block.height(), block.fees().to_sat(), block.spent().len()), (1, 7, 100));
    }

    #[test]
    fn the_first_failure_is_reported_whichever_thread_finds_one() {
        let mut scripts = [OP_1; 100];
        scripts[60..].fill(OP_RETURN);
        scripts[59] = OP_0;
        for _ in 0..50 {
            let block = block_spending(&scripts);
            let expected = block.block().transaction(60).unwrap().txid();
            let error = check_scripts(block, None).unwrap_err();
            assert!(
                matches!(error, BlockError::Script { txid, input: 0, source: ScriptError::EvalFalse } if txid == expected),
                "{error}"
            );
        }
    }
}
