//! The methods, by the categories that `help` lists them under.
//!
//! A method is a record in the `METHODS` of a file here, and each file is a row of [`TABLE`]. Nothing else knows of it.

mod blockchain;
mod control;
mod hidden;
mod mining;
mod network;
mod util;

use super::table::Method;

/// Every method there is.
pub(super) static TABLE: &[&[Method]] = &[
    blockchain::METHODS,
    control::METHODS,
    hidden::METHODS,
    mining::METHODS[0],
    mining::METHODS[1],
    mining::METHODS[2],
    mining::METHODS[3],
    network::METHODS,
    util::addresses::METHODS,
    util::descriptors::METHODS,
    util::messages::METHODS,
    util::multisig::METHODS,
    util::node::METHODS,
];

/// Methods of Core that are missing here on purpose, and what clients that call them are told.
pub(super) static ELSEWHERE: &[(&[&str], &str)] = &[(
    &[
        "abandontransaction",
        "abortrescan",
        "backupwallet",
        "bumpfee",
        "createwallet",
        "createwalletdescriptor",
        "encryptwallet",
        "enumeratesigners",
        "fundrawtransaction",
        "getaddressesbylabel",
        "getaddressinfo",
        "getbalance",
        "getbalances",
        "gethdkeys",
        "getnewaddress",
        "getrawchangeaddress",
        "getreceivedbyaddress",
        "getreceivedbylabel",
        "gettransaction",
        "getwalletinfo",
        "importdescriptors",
        "importprunedfunds",
        "keypoolrefill",
        "listaddressgroupings",
        "listdescriptors",
        "listlabels",
        "listlockunspent",
        "listreceivedbyaddress",
        "listreceivedbylabel",
        "listsinceblock",
        "listtransactions",
        "listunspent",
        "listwalletdir",
        "listwallets",
        "loadwallet",
        "lockunspent",
        "migratewallet",
        "psbtbumpfee",
        "removeprunedfunds",
        "rescanblockchain",
        "restorewallet",
        "send",
        "sendall",
        "sendmany",
        "sendtoaddress",
        "setlabel",
        "setwalletflag",
        "signmessage",
        "signrawtransactionwithwallet",
        "simulaterawtransaction",
        "unloadwallet",
        "walletcreatefundedpsbt",
        "walletdisplayaddress",
        "walletlock",
        "walletpassphrase",
        "walletpassphrasechange",
        "walletprocesspsbt",
    ],
    "the node keeps no wallet",
)];
