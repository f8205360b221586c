//! The docs of transactions and scripts in results.
//!
//! Methods put objects together from these: a `txid` field with a text of their own, then [`TRANSACTION_FIELDS`], [`INPUTS`],
//! [`OUTPUTS`], and what else they show.

use crate::rpc::ResultDoc;

/// The script of an output (Core: `ScriptPubKeyDoc`, `rpc/util.cpp`).
pub(in crate::rpc) const SCRIPT_PUBKEY_FIELDS: &[ResultDoc] = &[
    ResultDoc::string("asm", "Disassembly of the output script"),
    ResultDoc::string("desc", "Inferred descriptor for the output"),
    ResultDoc::hex("hex", "The raw output script bytes, hex-encoded"),
    ResultDoc::string("address", "The Bitcoin address (only if a well-defined address exists)").optional(),
    ResultDoc::string(
        "type",
        "The type (one of: nonstandard, anchor, pubkey, pubkeyhash, scripthash, multisig, nulldata, \
         witness_v0_scripthash, witness_v0_keyhash, witness_v1_taproot, witness_unknown)",
    ),
];

/// The fields of a transaction (Core: `TxDoc`, `rpc/rawtransaction_util.cpp`).
pub(in crate::rpc) const TRANSACTION_FIELDS: &[ResultDoc] =
    &[ResultDoc::hex("txid", "The transaction id"), HASH, SIZE, VSIZE, WEIGHT, VERSION, LOCK_TIME, INPUTS, OUTPUTS];

/// The same but for the `txid`, which methods describe in other words.
pub(in crate::rpc) const TRANSACTION_FIELDS_AFTER_TXID: &[ResultDoc] =
    &[HASH, SIZE, VSIZE, WEIGHT, VERSION, LOCK_TIME, INPUTS, OUTPUTS];

/// The fields of a transaction before its inputs.
pub(in crate::rpc) const TRANSACTION_FIELDS_BEFORE_INPUTS: &[ResultDoc] =
    &[ResultDoc::hex("txid", "The transaction id"), HASH, SIZE, VSIZE, WEIGHT, VERSION, LOCK_TIME];

const HASH: ResultDoc = ResultDoc::hex("hash", "The transaction hash (differs from txid for witness transactions)");
const SIZE: ResultDoc = ResultDoc::number("size", "The serialized transaction size");
const VSIZE: ResultDoc =
    ResultDoc::number("vsize", "The virtual transaction size (differs from size for witness transactions)");
const WEIGHT: ResultDoc = ResultDoc::number("weight", "The transaction's weight (between vsize*4-3 and vsize*4)");
const VERSION: ResultDoc = ResultDoc::number("version", "The version");
const LOCK_TIME: ResultDoc = ResultDoc::time("locktime", "The lock time");

/// The inputs of a transaction.
pub(in crate::rpc) const INPUTS: ResultDoc =
    ResultDoc::array("vin", "", &[ResultDoc::object("", "", INPUT_FIELDS_BEFORE_PREVOUT).and(&[SEQUENCE])]);

/// The fields of an input, but for `prevout` and `sequence`, which come behind them.
pub(in crate::rpc) const INPUT_FIELDS_BEFORE_PREVOUT: &[ResultDoc] = &[
    ResultDoc::hex("coinbase", "The coinbase value (only if coinbase transaction)").optional(),
    ResultDoc::hex("txid", "The transaction id (if not coinbase transaction)").optional(),
    ResultDoc::number("vout", "The output number (if not coinbase transaction)").optional(),
    ResultDoc::object(
        "scriptSig",
        "The script (if not coinbase transaction)",
        &[
            ResultDoc::string("asm", "Disassembly of the signature script"),
            ResultDoc::hex("hex", "The raw signature script bytes, hex-encoded"),
        ],
    )
    .optional(),
    ResultDoc::array("txinwitness", "", &[ResultDoc::hex("hex", "hex-encoded witness data (if any)")]).optional(),
];

/// The fields of what an input spends, in `prevout`.
pub(in crate::rpc) const PREVOUT_FIELDS: &[ResultDoc] = &[
    ResultDoc::boolean("generated", "Coinbase or not"),
    ResultDoc::number("height", "The height of the prevout"),
    ResultDoc::amount("value", "The value in BTC"),
    ResultDoc::object("scriptPubKey", "", SCRIPT_PUBKEY_FIELDS),
];

/// The last field of an input.
pub(in crate::rpc) const SEQUENCE: ResultDoc = ResultDoc::number("sequence", "The script sequence number");

/// The outputs of a transaction.
pub(in crate::rpc) const OUTPUTS: ResultDoc = ResultDoc::array(
    "vout",
    "",
    &[ResultDoc::object(
        "",
        "",
        &[
            ResultDoc::amount("value", "The value in BTC"),
            ResultDoc::number("n", "index"),
            ResultDoc::object("scriptPubKey", "", SCRIPT_PUBKEY_FIELDS),
        ],
    )],
);

/// The hexadecimal digits of a transaction.
pub(in crate::rpc) const TRANSACTION_HEX: ResultDoc = ResultDoc::hex("hex", "The hex-encoded transaction data");
