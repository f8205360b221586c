//! A transaction of the pool, of a block, or of the chain where that is indexed (Core: `GetTransaction`,
//! `node/transaction.cpp`).

use std::sync::Arc;

use bitcoin::{BlockHash, Txid};
use cairn_chain::chainstate::{Chainstate, StoredBlock};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::{Block, Transaction, TransactionRef};
use serde::Serialize;

use super::verify_ahead::off_thread;
use crate::chain_service::Chain;
use crate::rpc::views::TransactionView;
use crate::rpc::views::docs::{
    INPUT_FIELDS_BEFORE_PREVOUT, OUTPUTS, PREVOUT_FIELDS, SEQUENCE, TRANSACTION_FIELDS_AFTER_TXID,
    TRANSACTION_FIELDS_BEFORE_INPUTS, TRANSACTION_HEX,
};
use crate::rpc::{
    Call, Category, DisplayString, Example, Method, Parameter, Presence, ResultDoc, RpcError, RpcResult, to_hex_result,
    to_result,
};
use crate::tx_index::IndexedTransaction;

pub(in crate::rpc::methods) const METHODS: &[Method] = &[Method {
    name: "getrawtransaction",
    category: Category::Rawtransactions,
    description: "By default, this call only returns a transaction if it is in the mempool. If -txindex is enabled\n\
        and no blockhash argument is passed, it will return the transaction if it is in the mempool or any block.\n\
        If a blockhash argument is passed, it will return the transaction if\n\
        the specified block is available and the transaction is in that block.\n\n\
        Hint: Use gettransaction for wallet transactions.\n\n\
        If verbosity is 0 or omitted, returns the serialized transaction as a hex-encoded string.\n\
        If verbosity is 1, returns a JSON Object with information about the transaction.\n\
        If verbosity is 2, returns a JSON Object with information about the transaction, including fee and prevout \
        information.",
    parameters: &[
        Parameter::hex("txid", Presence::Required, "The transaction id"),
        Parameter::number(
            "verbosity|verbose",
            Presence::Default("0"),
            "0 for hex-encoded data, 1 for a JSON object, and 2 for JSON object with fee and prevout",
        )
        .any_type(),
        Parameter::hex("blockhash", Presence::Omitted, "The block in which to look for the transaction"),
    ],
    results: &[
        ResultDoc::string("data", "The serialized transaction as a hex-encoded string for 'txid'")
            .when("if verbosity is not set or set to 0"),
        ResultDoc::object("", "", PLACE_FIELDS)
            .and(&[ResultDoc::hex("txid", "The transaction id (same as provided)")])
            .and(TRANSACTION_FIELDS_AFTER_TXID)
            .when("if verbosity is set to 1"),
        ResultDoc::object("", "", &[])
            .and_elided(PLACE_FIELDS, "Same output as verbosity = 1")
            .and(&[ResultDoc::number("fee", "transaction fee in BTC, omitted if block undo data is not available")
                .optional()])
            .and_unshown(TRANSACTION_FIELDS_BEFORE_INPUTS)
            .and(&[ResultDoc::array(
                "vin",
                "",
                &[ResultDoc::object("", "utxo being spent", &[])
                    .and_elided(INPUT_FIELDS_BEFORE_PREVOUT, "Same vin fields as verbosity = 1")
                    .and(&[ResultDoc::object(
                        "prevout",
                        "The previous output, omitted if block undo data is not available",
                        PREVOUT_FIELDS,
                    )
                    .optional()])
                    .and_unshown(&[SEQUENCE])],
            )])
            .and_unshown(&[OUTPUTS])
            .when("for verbosity = 2"),
    ],
    examples: &[
        Example::cli("\"mytxid\""),
        Example::cli("\"mytxid\" 1"),
        Example::rpc("\"mytxid\", 1"),
        Example::cli("\"mytxid\" 0 \"myblockhash\""),
        Example::cli("\"mytxid\" 1 \"myblockhash\""),
        Example::cli("\"mytxid\" 2 \"myblockhash\""),
    ],
    handler: |call| Box::pin(getrawtransaction(call)),
}];

/// What is told about where the transaction is, and the transaction itself.
const PLACE_FIELDS: &[ResultDoc] = &[
    ResultDoc::boolean(
        "in_active_chain",
        "Whether specified block is in the active chain or not (only present with explicit \"blockhash\" argument)",
    )
    .optional(),
    ResultDoc::hex("blockhash", "the block hash").optional(),
    ResultDoc::number("confirmations", "The confirmations").optional(),
    ResultDoc::time("blocktime", "The block time expressed in UNIX epoch time").optional(),
    ResultDoc::number("time", "Same as \"blocktime\"").optional(),
    TRANSACTION_HEX,
];

/// A transaction, wherever it was found.
#[derive(Debug)]
enum Found {
    InMempool(Arc<Transaction>),
    InBlock(Box<InBlock>),
}

/// A transaction of a block.
#[derive(Debug)]
struct InBlock {
    transaction: Transaction,
    /// Where it starts in the block, in bytes.
    offset: u32,
    /// Where the block is kept.
    stored: StoredBlock,
    /// The block, if it was read.
    block: Option<Block>,
}

/// Where a block stands when it is told about.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    is_active: bool,
    confirmations: i64,
    time: u32,
}

impl Standing {
    fn of(chainstate: &Chainstate, hash: &BlockHash) -> Option<Self> {
        let block = chainstate.lookup(hash)?;
        let tip = chainstate.tip();
        let is_active = block.is_active && block.height <= tip.height;
        let confirmations = if is_active { i64::from(tip.height) - i64::from(block.height) + 1 } else { 0 };
        Some(Self { is_active, confirmations, time: block.header.time })
    }
}

impl Found {
    fn tx(&self) -> TransactionRef<'_> {
        match self {
            Self::InMempool(transaction) => transaction.as_ref().as_ref(),
            Self::InBlock(found) => found.transaction.as_ref(),
        }
    }
}

impl InBlock {
    /// Looks for a transaction in a block.
    fn find(stored: StoredBlock, block: Block, txid: &Txid) -> Option<Self> {
        let found = block.transactions().find(|tx| tx.txid() == *txid)?;
        Some(Self { transaction: found.to_owned(), offset: found.offset(), stored, block: Some(block) })
    }

    /// The coins it spent; nothing for a coinbase, or where they are not kept.
    fn spent(&mut self) -> Result<Option<Vec<Coin>>, RpcError> {
        if self.transaction.as_ref().is_coinbase() || !self.stored.has_undo() {
            return Ok(None);
        }
        let damaged = || {
            RpcError::internal(
                "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a \
                 pruning event.",
            )
        };
        let mut spent = self.stored.spent().map_err(|_| damaged())?;
        let block = match self.block.take() {
            Some(block) => block,
            None => self.stored.block().map_err(|_| {
                RpcError::internal(
                    "Block data expected but can't be read. This could be due to disk corruption or a conflict with a \
                     pruning event.",
                )
            })?,
        };
        let earlier = block.transactions().skip(1).take_while(|tx| tx.offset() < self.offset);
        let before = earlier.map(TransactionRef::input_count).sum();
        if before > spent.len() {
            return Err(damaged());
        }
        let mut of_transaction = spent.split_off(before);
        let inputs = self.transaction.as_ref().input_count();
        of_transaction.truncate(inputs);
        if of_transaction.len() < inputs { Err(damaged()) } else { Ok(Some(of_transaction)) }
    }
}

#[derive(Debug, Serialize)]
struct RawTransaction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    in_active_chain: Option<bool>,
    #[serde(flatten)]
    transaction: TransactionView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blockhash: Option<DisplayString<BlockHash>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmations: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocktime: Option<u32>,
}

async fn getrawtransaction(call: Call) -> RpcResult {
    let txid: Txid = call.arguments.get_as("txid", "parameter 1")?;
    let genesis = call.context.params.genesis.header.merkle_root;
    if txid.to_raw_hash() == genesis.to_raw_hash() {
        return Err(RpcError::invalid_address_or_key(
            "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved",
        ));
    }
    let verbosity = call.arguments.verbosity("verbosity", 0, true)?;
    let block_hash: Option<BlockHash> = call.arguments.optional_as("blockhash", "parameter 3")?;
    let found = match block_hash {
        Some(hash) => find_in_block(&call, txid, hash).await?,
        None => find_anywhere(&call, txid).await?,
    };
    if verbosity <= 0 {
        return to_hex_result(found.tx().bytes());
    }
    let in_block = match found {
        Found::InMempool(transaction) => return to_result(&view(&call, transaction.as_ref().as_ref())),
        Found::InBlock(in_block) => in_block,
    };
    let hash = in_block.stored.reference.hash;
    let standing = call.context.chain.call(move |chain| Standing::of(&chain.chainstate, &hash)).await?;
    let standing = standing.unwrap_or_default();
    off_thread(move || show_in_block(&call, *in_block, block_hash.is_some(), standing, verbosity)).await?
}

fn view<'a>(call: &Call, tx: TransactionRef<'a>) -> RawTransaction<'a> {
    RawTransaction {
        in_active_chain: None,
        transaction: TransactionView::new(tx, call.context.params.address_format),
        blockhash: None,
        confirmations: None,
        time: None,
        blocktime: None,
    }
}

fn show_in_block(call: &Call, mut in_block: InBlock, was_named: bool, standing: Standing, verbosity: i32) -> RpcResult {
    let spent = if verbosity >= 2 { in_block.spent()? } else { None };
    let mut shown = view(call, in_block.transaction.as_ref());
    if let Some(spent) = &spent {
        shown.transaction = shown.transaction.with_spent(spent, true);
    }
    shown.in_active_chain = was_named.then_some(standing.is_active);
    shown.blockhash = Some(DisplayString(in_block.stored.reference.hash));
    shown.confirmations = Some(standing.confirmations);
    shown.time = standing.is_active.then_some(standing.time);
    shown.blocktime = shown.time;
    to_result(&shown)
}

fn not_found(reason: &str) -> RpcError {
    RpcError::invalid_address_or_key(format!("{reason}. Use gettransaction for wallet transactions."))
}

async fn find_in_block(call: &Call, txid: Txid, hash: BlockHash) -> Result<Found, RpcError> {
    let stored = call.context.chain.call(move |chain: &mut Chain| chain.chainstate.stored_block(&hash)).await?;
    let stored = stored.ok_or_else(|| RpcError::invalid_address_or_key("Block hash not found"))?;
    if !stored.has_body() {
        return Err(RpcError::misc("Block not available"));
    }
    let found = off_thread(move || {
        let block = stored.block().map_err(|_| RpcError::misc("Block not available"))?;
        Ok::<_, RpcError>(InBlock::find(stored, block, &txid))
    });
    found
        .await??
        .map(|found| Found::InBlock(Box::new(found)))
        .ok_or_else(|| not_found("No such transaction found in the provided block"))
}

async fn find_anywhere(call: &Call, txid: Txid) -> Result<Found, RpcError> {
    let in_mempool =
        call.context.chain.call(move |chain| chain.mempool.get(&txid).map(|entry| Arc::clone(&entry.transaction)));
    if let Some(transaction) = in_mempool.await? {
        return Ok(Found::InMempool(transaction));
    }
    let Some(index) = &call.context.tx_index else {
        return Err(not_found(
            "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries",
        ));
    };
    let chain = &call.context.chain;
    let is_synced = index.wait_until_synced(chain).await;
    match index.find(chain, txid).await? {
        Some(IndexedTransaction { transaction, offset, block }) => {
            Ok(Found::InBlock(Box::new(InBlock { transaction, offset, stored: block, block: None })))
        }
        None if is_synced => Err(not_found("No such mempool or blockchain transaction")),
        None => Err(not_found(
            "No such mempool transaction. Blockchain transactions are still in the process of being indexed",
        )),
    }
}
