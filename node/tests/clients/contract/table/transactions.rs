//! Transactions, scripts, addresses, descriptors.

use serde_json::json;

use super::Kind::{self, Absent, Amount, Hash, Hex, Integer, Is, List, Text};
use super::{Promise, hex, payment, promise};
use crate::scene::{FUND, Scene};

pub(super) const PROMISES: &[Promise] = &[
    promise("getrawtransaction", "in the mempool", |scene| json!([scene.child.compute_txid(), true]), TRANSACTION),
    promise(
        "getrawtransaction",
        "in a block",
        |scene| json!([scene.fund.compute_txid(), 1, scene.hash(FUND)]),
        &[
            ("in_active_chain", Is("true")),
            ("blockhash", Hash),
            ("confirmations", Integer),
            ("time", Integer),
            ("blocktime", Integer),
            ("vout[].value", Amount),
        ],
    ),
    promise(
        "getrawtransaction",
        "with what it spends",
        |scene| json!([scene.fund.compute_txid(), 2, scene.hash(FUND)]),
        &[
            ("fee", Is("0.00010000")),
            ("vin[].prevout.generated", Is("true")),
            ("vin[].prevout.height", Is("1")),
            ("vin[].prevout.value", Is("50.00000000")),
            ("vin[].prevout.scriptPubKey.asm", Text),
            ("vin[].prevout.scriptPubKey.desc", Text),
            ("vin[].prevout.scriptPubKey.hex", Hex),
            ("vin[].prevout.scriptPubKey.type", Text),
            ("vin[].prevout.scriptPubKey.address", Text),
        ],
    ),
    promise(
        "getrawtransaction",
        "of a coinbase",
        |scene| json!([scene.coinbase(3).outpoint.txid, 1, scene.hash(3)]),
        &[("vin[].coinbase", Hex), ("vin[].sequence", Integer), ("vin[].txid", Absent), ("vin[].txinwitness[]", Hash)],
    ),
    promise(
        "decoderawtransaction",
        "",
        |scene| json!([hex(&scene.child)]),
        &[
            ("txid", Hash),
            ("hash", Hash),
            ("size", Integer),
            ("vsize", Integer),
            ("weight", Integer),
            ("version", Integer),
            ("locktime", Integer),
            ("vin[].txid", Hash),
            ("vin[].vout", Integer),
            ("vout[].value", Amount),
            ("vout[].n", Integer),
            ("vin[].scriptSig.asm", Text),
            ("vin[].scriptSig.hex", Hex),
            ("vin[].txinwitness[]", Hex),
            ("vin[].sequence", Integer),
            ("vout[].scriptPubKey.asm", Text),
            ("vout[].scriptPubKey.desc", Text),
            ("vout[].scriptPubKey.hex", Hex),
            ("vout[].scriptPubKey.type", Text),
            ("vout[].scriptPubKey.address", Text),
            ("hex", Absent),
        ],
    ),
    promise(
        "decodescript",
        "",
        |scene| json!([scene.fund.output[2].script_pubkey.to_hex_string()]),
        &[
            ("asm", Text),
            ("desc", Text),
            ("type", Is("\"pubkeyhash\"")),
            ("address", Text),
            ("p2sh", Text),
            ("segwit.asm", Text),
            ("segwit.hex", Hex),
            ("segwit.type", Text),
            ("segwit.desc", Text),
            ("segwit.address", Text),
            ("segwit.p2sh-segwit", Text),
        ],
    ),
    promise(
        "signrawtransactionwithkey",
        "",
        |scene| json!([hex(&payment(scene, 1_000)), []]),
        &[("hex", Hex), ("complete", Is("true")), ("errors", Absent)],
    ),
    promise(
        "signrawtransactionwithkey",
        "that fails",
        |scene| json!([unsigned(scene), []]),
        &[
            ("complete", Is("false")),
            ("errors[].txid", Hash),
            ("errors[].vout", Integer),
            ("errors[].witness", List),
            ("errors[].scriptSig", Hex),
            ("errors[].sequence", Integer),
            ("errors[].error", Text),
        ],
    ),
    promise(
        "validateaddress",
        "",
        |scene| json!([scene.purse.address().to_string()]),
        &[
            ("isvalid", Is("true")),
            ("address", Text),
            ("scriptPubKey", Hex),
            ("isscript", Is("false")),
            ("iswitness", Is("true")),
            ("witness_version", Is("0")),
            ("witness_program", Hex),
        ],
    ),
    promise(
        "validateaddress",
        "of none",
        |_| json!(["bcrt1"]),
        &[("isvalid", Is("false")), ("error", Text), ("error_locations", List)],
    ),
    promise(
        "createmultisig",
        "",
        |scene| json!([1, [scene.purse.public_key().to_string()]]),
        &[("address", Text), ("redeemScript", Hex), ("descriptor", Text)],
    ),
    promise(
        "getdescriptorinfo",
        "",
        |scene| json!([format!("wpkh({})", scene.purse.public_key())]),
        &[
            ("descriptor", Text),
            ("checksum", Text),
            ("isrange", Is("false")),
            ("issolvable", Is("true")),
            ("hasprivatekeys", Is("false")),
        ],
    ),
];

const TRANSACTION: &[(&str, Kind)] = &[
    ("hex", Hex),
    ("txid", Hash),
    ("hash", Hash),
    ("size", Integer),
    ("vsize", Integer),
    ("weight", Integer),
    ("version", Integer),
    ("locktime", Integer),
    ("vin[].txid", Hash),
    ("vin[].vout", Integer),
    ("vin[].scriptSig.asm", Text),
    ("vin[].scriptSig.hex", Hex),
    ("vin[].txinwitness[]", Hex),
    ("vin[].sequence", Integer),
    ("vout[].value", Amount),
    ("vout[].n", Integer),
    ("vout[].scriptPubKey.asm", Text),
    ("vout[].scriptPubKey.desc", Text),
    ("vout[].scriptPubKey.hex", Hex),
    ("vout[].scriptPubKey.type", Text),
    ("vout[].scriptPubKey.address", Text),
    ("blockhash", Absent),
    ("confirmations", Absent),
    ("blocktime", Absent),
];

fn unsigned(scene: &Scene) -> String {
    let mut transaction = payment(scene, 1_000);
    transaction.input[0].witness.clear();
    hex(&transaction)
}
