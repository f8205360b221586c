//! Whole blocks (Core: `getblock`, `rpc/blockchain.cpp`).

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, StoredBlock};
use cairn_chain::coins::Coin;
use cairn_chain::params::AddressFormat;
use cairn_chain::primitives::{Block, TransactionRef};
use serde::{Serialize, Serializer};

use super::header::HeaderView;
use super::stored::{check_has_body, read_spent};
use crate::rpc::views::TransactionView;
use crate::rpc::views::docs::{
    INPUT_FIELDS_BEFORE_PREVOUT, OUTPUTS, PREVOUT_FIELDS, SEQUENCE, TRANSACTION_FIELDS,
    TRANSACTION_FIELDS_BEFORE_INPUTS, TRANSACTION_HEX,
};
use crate::rpc::{
    Call, Category, DisplayString, Example, Hex, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult,
    run_apart, to_hex_result, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getblock",
    category: Category::Blockchain,
    description: "If verbosity is 0, returns a string that is serialized, hex-encoded data for block 'hash'.\n\
        If verbosity is 1, returns an Object with information about block <hash>.\n\
        If verbosity is 2, returns an Object with information about block <hash> and information about each transaction.\n\
        If verbosity is 3, returns an Object with information about block <hash> and information about each transaction, \
        including prevout information for inputs (only for unpruned blocks in the current best chain).",
    parameters: &[
        Parameter::hex("blockhash", Presence::Required, "The block hash"),
        Parameter::number(
            "verbosity|verbose",
            Presence::Default("1"),
            "0 for hex-encoded data, 1 for a JSON object, 2 for JSON object with transaction data, and 3 for JSON object \
             with transaction data including prevout information for inputs",
        )
        .any_type(),
    ],
    results: &[
        ResultDoc::hex("", "A string that is serialized, hex-encoded data for block 'hash'").when("for verbosity = 0"),
        ResultDoc::object("", "", FIELDS_BEFORE_TRANSACTIONS)
            .and(&[ResultDoc::array("tx", "The transaction ids", &[ResultDoc::hex("", "The transaction id")])])
            .and(FIELDS_AFTER_TRANSACTIONS)
            .when("for verbosity = 1"),
        ResultDoc::object("", "", &[])
            .and_elided(FIELDS_BEFORE_TRANSACTIONS, "Same output as verbosity = 1")
            .and(&[ResultDoc::array("tx", "", &[DETAILED_TRANSACTION])])
            .and_unshown(FIELDS_AFTER_TRANSACTIONS)
            .when("for verbosity = 2"),
        ResultDoc::object("", "", &[])
            .and_elided(FIELDS_BEFORE_TRANSACTIONS, "Same output as verbosity = 2")
            .and(&[ResultDoc::array("tx", "", &[TRANSACTION_WITH_PREVOUTS])])
            .and_unshown(FIELDS_AFTER_TRANSACTIONS)
            .when("for verbosity = 3"),
    ],
    examples: &[
        Example::cli("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
        Example::rpc("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
    ],
    handler: |call| Box::pin(getblock(call)),
}];

/// Core: `GetBlockFields`.
const FIELDS_BEFORE_TRANSACTIONS: &[ResultDoc] = &[
    ResultDoc::hex("hash", "the block hash (same as provided)"),
    ResultDoc::number("confirmations", "The number of confirmations, or -1 if the block is not on the main chain"),
    ResultDoc::number("size", "The block size"),
    ResultDoc::number("strippedsize", "The block size excluding witness data"),
    ResultDoc::number("weight", "The block weight as defined in BIP 141"),
    ResultDoc::object(
        "coinbase_tx",
        "Coinbase transaction metadata",
        &[
            ResultDoc::number("version", "The coinbase transaction version"),
            ResultDoc::number("locktime", "The coinbase transaction's locktime (nLockTime)"),
            ResultDoc::number("sequence", "The coinbase input's sequence number (nSequence)"),
            ResultDoc::hex("coinbase", "The coinbase input's script"),
            ResultDoc::hex("witness", "The coinbase input's first (and only) witness stack element, if present")
                .optional(),
        ],
    ),
    ResultDoc::number("height", "The block height or index"),
    ResultDoc::number("version", "The block version"),
    ResultDoc::hex("versionHex", "The block version formatted in hexadecimal"),
    ResultDoc::hex("merkleroot", "The merkle root"),
];

/// The rest of them.
const FIELDS_AFTER_TRANSACTIONS: &[ResultDoc] = &[
    ResultDoc::time("time", "The block time expressed in UNIX epoch time"),
    ResultDoc::time("mediantime", "The median block time expressed in UNIX epoch time"),
    ResultDoc::number("nonce", "The nonce"),
    ResultDoc::hex("bits", "nBits: compact representation of the block difficulty target"),
    ResultDoc::hex("target", "The difficulty target"),
    ResultDoc::number("difficulty", "The difficulty"),
    ResultDoc::hex("chainwork", "Expected number of hashes required to produce the chain up to this block (in hex)"),
    ResultDoc::number("nTx", "The number of transactions in the block"),
    ResultDoc::hex("previousblockhash", "The hash of the previous block (if available)").optional(),
    ResultDoc::hex("nextblockhash", "The hash of the next block (if available)").optional(),
];

const DETAILED_TRANSACTION: ResultDoc = ResultDoc::object("", "", &[])
    .and_elided(
        TRANSACTION_FIELDS,
        "The transactions in the format of the getrawtransaction RPC. Different from verbosity = 1 \"tx\" result",
    )
    .and(&[FEE])
    .and_unshown(&[TRANSACTION_HEX]);

const FEE: ResultDoc =
    ResultDoc::number("fee", "The transaction fee in BTC, omitted if block undo data is not available").optional();

const TRANSACTION_WITH_PREVOUTS: ResultDoc = ResultDoc::object("", "", &[])
    .and_unshown(TRANSACTION_FIELDS_BEFORE_INPUTS)
    .and(&[ResultDoc::array(
        "vin",
        "",
        &[ResultDoc::object("", "", &[])
            .and_elided(INPUT_FIELDS_BEFORE_PREVOUT, "The same output as verbosity = 2")
            .and(&[ResultDoc::object("prevout", "(Only if undo information is available)", PREVOUT_FIELDS).optional()])
            .and_unshown(&[SEQUENCE])],
    )])
    .and_unshown(&[OUTPUTS, FEE, TRANSACTION_HEX]);

async fn getblock(call: Call) -> RpcResult {
    let hash: BlockHash = call.arguments.get("blockhash")?;
    let detail = match call.arguments.verbosity("verbosity", 1, true)? {
        ..=0 => None,
        1 => Some(Detail::Txids),
        2 => Some(Detail::Transactions),
        3.. => Some(Detail::Prevouts),
    };
    let Some(detail) = detail else {
        let stored = call.context.chain.call(move |chain| available(&chain.chainstate, &hash)).await??;
        return run_apart(move || to_hex_result(&read_bytes(&stored)?)).await;
    };
    let format = call.context.params.address_format;
    let found = call.context.chain.call(move |chain| {
        let stored = available(&chain.chainstate, &hash)?;
        let header = HeaderView::find(&chain.chainstate, &hash).ok_or_else(not_found)?;
        Ok::<_, RpcError>((stored, header))
    });
    let (stored, header) = found.await??;
    run_apart(move || write_block(&stored, header, detail, format)).await
}

/// What is told of the transactions of a block (Core: `TxVerbosity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Txids,
    Transactions,
    Prevouts,
}

fn not_found() -> RpcError {
    RpcError::invalid_address_or_key("Block not found")
}

fn available(chainstate: &Chainstate, hash: &BlockHash) -> Result<StoredBlock, RpcError> {
    let stored = chainstate.stored_block(hash).ok_or_else(not_found)?;
    check_has_body(chainstate, &stored)?;
    Ok(stored)
}

/// The bytes may have been pruned since they were looked for.
fn read_bytes(stored: &StoredBlock) -> Result<Vec<u8>, RpcError> {
    stored.bytes().map_err(|_| RpcError::misc("Block not found on disk"))
}

fn write_block(stored: &StoredBlock, header: HeaderView, detail: Detail, format: AddressFormat) -> RpcResult {
    let block = stored.block().map_err(|_| RpcError::misc("Block not found on disk"))?;
    let spent = if detail >= Detail::Transactions && stored.has_undo() {
        Some(read_spent(stored, &block).map_err(|error| {
            let could = "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a \
                         pruning event.";
            tracing::warn!(%error, "undo data cannot be read");
            RpcError::internal(could)
        })?)
    } else {
        None
    };
    let coinbase = block.transaction(0).ok_or_else(|| RpcError::internal("a block without transactions"))?;
    to_result(&BlockView {
        header,
        strippedsize: block.stripped_size(),
        size: block.total_size(),
        weight: block.weight(),
        coinbase_tx: CoinbaseView::of(coinbase)?,
        tx: Transactions { block: &block, spent: spent.as_deref(), detail, format },
    })
}

/// Core: `blockToJSON`.
#[derive(Serialize)]
struct BlockView<'a> {
    #[serde(flatten)]
    header: HeaderView,
    strippedsize: usize,
    size: usize,
    weight: usize,
    coinbase_tx: CoinbaseView<'a>,
    tx: Transactions<'a>,
}

/// Core: `coinbaseTxToJSON`.
#[derive(Serialize)]
struct CoinbaseView<'a> {
    version: u32,
    locktime: u32,
    sequence: u32,
    coinbase: Hex<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Hex<'a>>,
}

impl<'a> CoinbaseView<'a> {
    fn of(coinbase: TransactionRef<'a>) -> Result<Self, RpcError> {
        let input = coinbase.input(0).ok_or_else(|| RpcError::internal("a coinbase without an input"))?;
        Ok(Self {
            version: coinbase.version(),
            locktime: coinbase.lock_time(),
            sequence: input.sequence(),
            coinbase: Hex(input.script_sig().as_bytes()),
            witness: input.witness().items().next().map(Hex),
        })
    }
}

struct Transactions<'a> {
    block: &'a Block,
    /// One for each input but the coinbase's, if they are known.
    spent: Option<&'a [Coin]>,
    detail: Detail,
    format: AddressFormat,
}

impl Serialize for Transactions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let transactions = self.block.transactions();
        if self.detail == Detail::Txids {
            return serializer.collect_seq(transactions.map(|transaction| DisplayString(transaction.txid())));
        }
        let mut left = self.spent;
        serializer.collect_seq(transactions.enumerate().map(|(index, transaction)| {
            let view = TransactionView::new(transaction, self.format);
            match left.filter(|_| index > 0).map(|spent| spent.split_at(transaction.input_count())) {
                Some((spent, rest)) => {
                    left = Some(rest);
                    view.with_spent(spent, self.detail == Detail::Prevouts)
                }
                None => view,
            }
        }))
    }
}

#[cfg(test)]
mod tests;
