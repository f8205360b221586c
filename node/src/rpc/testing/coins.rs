//! Coins that anybody can spend, and transactions that spend them.

use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{serialize, serialize_hex};
use bitcoin::constants::{COINBASE_MATURITY, genesis_block};
use bitcoin::opcodes::OP_TRUE;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::assemble;

use super::RpcTest;

/// An output and its value, in satoshis.
pub(crate) type Coin = (OutPoint, u64);

/// Makes blocks and spends their coins.
#[derive(Debug)]
pub(crate) struct Miner<'a> {
    test: &'a RpcTest,
    pub(crate) tip: Header,
    pub(crate) height: u32,
    /// Coinbases that can be spent in the next block, the newest last.
    pub(crate) coins: Vec<Coin>,
    /// Coinbases with their heights.
    immature: Vec<(u32, Coin)>,
}

impl<'a> Miner<'a> {
    /// Mines on top of genesis until there are so many coins. The clock stands at the tip's time then.
    pub(crate) async fn start(test: &'a RpcTest, coins: usize) -> Self {
        let tip = genesis_block(Network::Regtest).header;
        let mut miner = Self { test, tip, height: 0, coins: Vec::new(), immature: Vec::new() };
        while miner.coins.len() < coins {
            miner.mine(&[]).await;
        }
        miner
    }

    /// Mines a block with these transactions.
    pub(crate) async fn mine(&mut self, transactions: &[Transaction]) -> bitcoin::Block {
        self.height += 1;
        let block = assemble(&self.tip, self.height, anyone(), transactions.to_vec());
        self.tip = block.header;
        let submitted = Arc::new(Block::decode(serialize(&block)).unwrap());
        let time = u64::from(block.header.time);
        let outcome = self.test.context.chain.call(move |chain| {
            chain.chainstate.set_mock_time(Some(time));
            chain.process_new_block(submitted, true)
        });
        outcome.await.unwrap().unwrap().unwrap();
        let coinbase = &block.txdata[0];
        let coin = (OutPoint::new(coinbase.compute_txid(), 0), coinbase.output[0].value.to_sat());
        self.immature.push((self.height, coin));
        let next = self.height + 1;
        let mature = |&(height, _): &(u32, Coin)| next - height >= COINBASE_MATURITY;
        self.coins.extend(self.immature.extract_if(.., |coin| mature(coin)).map(|(_, coin)| coin));
        block
    }

    /// A coin that was not taken before.
    pub(crate) fn take(&mut self) -> Coin {
        self.coins.pop().unwrap()
    }
}

/// The script that wants nothing but its preimage.
fn witness_script() -> ScriptBuf {
    Builder::new().push_opcode(OP_TRUE).into_script()
}

/// Pay-to-witness-script-hash of `OP_TRUE`.
pub(crate) fn anyone() -> ScriptBuf {
    witness_script().to_p2wsh()
}

/// A transaction of version 2 that spends coins and makes others, each of which anybody can spend.
pub(crate) fn pay(inputs: &[Coin], outputs: &[u64]) -> Transaction {
    let input = |(outpoint, _): &Coin| TxIn {
        previous_output: *outpoint,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::from_slice(&[witness_script()]),
    };
    let output = |value: &u64| TxOut { value: Amount::from_sat(*value), script_pubkey: anyone() };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}

/// A transaction with one output, which pays this fee.
pub(crate) fn pay_fee(coin: Coin, fee: u64) -> Transaction {
    pay(&[coin], &[coin.1 - fee])
}

/// An output of a transaction.
pub(crate) fn output(transaction: &Transaction, vout: u32) -> Coin {
    let value = transaction.output[vout as usize].value.to_sat();
    (OutPoint::new(transaction.compute_txid(), vout), value)
}

/// A transaction as clients send it, in quotes.
pub(crate) fn hex(transaction: &Transaction) -> String {
    format!("\"{}\"", serialize_hex(transaction))
}
