//! A transaction.

use bitcoin::{BlockHash, Txid, Wtxid};
use cairn_chain::coins::Coin;
use cairn_chain::params::AddressFormat;
use cairn_chain::primitives::{InputRef, OutputRef, TransactionRef, WITNESS_SCALE_FACTOR, WitnessRef};
use serde::{Serialize, Serializer};

use super::asm::script_asm;
use super::script::ScriptView;
use crate::rpc::{Btc, DisplayString, Hex};

/// A transaction (Core: `TxToUniv`, `core_io.cpp`). Other views flatten it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::rpc) struct TransactionView<'a> {
    txid: DisplayString<Txid>,
    hash: DisplayString<Wtxid>,
    version: u32,
    size: usize,
    vsize: usize,
    weight: usize,
    locktime: u32,
    vin: Inputs<'a>,
    vout: Outputs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Btc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blockhash: Option<DisplayString<BlockHash>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<Hex<'a>>,
}

impl<'a> TransactionView<'a> {
    /// A transaction with its hexadecimal digits; `format` is the network's.
    pub(in crate::rpc) fn new(transaction: TransactionRef<'a>, format: AddressFormat) -> Self {
        let weight = transaction.weight();
        Self {
            txid: DisplayString(transaction.txid()),
            hash: DisplayString(transaction.wtxid()),
            version: transaction.version(),
            size: transaction.total_size(),
            vsize: weight.div_ceil(WITNESS_SCALE_FACTOR),
            weight,
            locktime: transaction.lock_time(),
            vin: Inputs { transaction, format, prevouts: &[] },
            vout: Outputs { transaction, format },
            fee: None,
            blockhash: None,
            hex: Some(Hex(transaction.bytes())),
        }
    }

    /// Shows the fee, and with `show_prevouts` the coins the transaction spends: one for each input, in their order. Not for
    /// coinbases. (Core: `txundo` and `TxVerbosity::SHOW_DETAILS_AND_PREVOUT`.)
    #[must_use]
    pub(in crate::rpc) fn with_spent(mut self, spent: &'a [Coin], show_prevouts: bool) -> Self {
        let transaction = self.vout.transaction;
        self.fee = Some(Btc(fee(transaction, spent)));
        self.vin.prevouts = if show_prevouts { spent } else { &[] };
        self
    }

    /// Says which block it is in.
    #[must_use]
    #[cfg(test)]
    pub(in crate::rpc) fn with_block_hash(mut self, hash: BlockHash) -> Self {
        self.blockhash = Some(DisplayString(hash));
        self
    }

    /// Leaves its hexadecimal digits out (Core: `include_hex`).
    #[must_use]
    pub(in crate::rpc) fn without_hex(mut self) -> Self {
        self.hex = None;
        self
    }
}

/// What the inputs are worth more than the outputs, in satoshis. The transaction was checked, so nothing overflows.
fn fee(transaction: TransactionRef<'_>, spent: &[Coin]) -> i64 {
    let spent: u64 = spent.iter().map(|coin| coin.amount.to_sat()).sum();
    let created: i64 = transaction.outputs().map(OutputRef::value).sum();
    i64::try_from(spent).unwrap_or(i64::MAX).saturating_sub(created)
}

#[derive(Debug, Clone, Copy)]
struct Inputs<'a> {
    transaction: TransactionRef<'a>,
    format: AddressFormat,
    /// As many coins as inputs, or none.
    prevouts: &'a [Coin],
}

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_coinbase = self.transaction.is_coinbase();
        serializer.collect_seq(self.transaction.inputs().enumerate().map(|(index, input)| {
            let prevout = self.prevouts.get(index).map(|coin| Prevout::of(coin, self.format));
            InputView::of(input, is_coinbase, prevout)
        }))
    }
}

#[derive(Serialize)]
struct InputView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    coinbase: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txid: Option<DisplayString<Txid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vout: Option<u32>,
    #[serde(rename = "scriptSig", skip_serializing_if = "Option::is_none")]
    script_sig: Option<ScriptSig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txinwitness: Option<Witness<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevout: Option<Prevout<'a>>,
    sequence: u32,
}

impl<'a> InputView<'a> {
    fn of(input: InputRef<'a>, is_coinbase: bool, prevout: Option<Prevout<'a>>) -> Self {
        let script_sig = input.script_sig().as_bytes();
        let spent = Some(input.prevout()).filter(|_| !is_coinbase);
        let witness = input.witness();
        Self {
            coinbase: is_coinbase.then_some(Hex(script_sig)),
            txid: spent.map(|outpoint| DisplayString(outpoint.txid)),
            vout: spent.map(|outpoint| outpoint.vout),
            script_sig: spent.map(|_| ScriptSig { asm: script_asm(script_sig, true), hex: Hex(script_sig) }),
            txinwitness: (!witness.is_empty()).then_some(Witness(witness)),
            prevout,
            sequence: input.sequence(),
        }
    }
}

#[derive(Serialize)]
struct ScriptSig<'a> {
    asm: String,
    hex: Hex<'a>,
}

struct Witness<'a>(WitnessRef<'a>);

impl Serialize for Witness<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.items().map(Hex))
    }
}

#[derive(Serialize)]
struct Prevout<'a> {
    generated: bool,
    height: u32,
    value: Btc,
    #[serde(rename = "scriptPubKey")]
    script_pubkey: ScriptView<'a>,
}

impl<'a> Prevout<'a> {
    fn of(coin: &'a Coin, format: AddressFormat) -> Self {
        Self {
            generated: coin.is_coinbase,
            height: coin.height,
            value: coin.amount.into(),
            script_pubkey: ScriptView::new(coin.script_pubkey.as_bytes(), format),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Outputs<'a> {
    transaction: TransactionRef<'a>,
    format: AddressFormat,
}

impl Serialize for Outputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct OutputView<'a> {
            value: Btc,
            n: u32,
            #[serde(rename = "scriptPubKey")]
            script_pubkey: ScriptView<'a>,
        }
        serializer.collect_seq((0..).zip(self.transaction.outputs()).map(|(n, output)| OutputView {
            value: Btc(output.value()),
            n,
            script_pubkey: ScriptView::new(output.script_pubkey().as_bytes(), self.format),
        }))
    }
}
