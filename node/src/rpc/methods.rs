//! The methods, by the categories that `help` lists them under.
//!
//! A method is a record in the `METHODS` of a file here, and each file is a row of [`TABLE`]. Nothing else knows of it.

mod blockchain;
mod control;
mod fees;
#[cfg(test)]
mod for_tests;
mod hidden;
mod mempool;
mod mining;
mod network;
mod rawtransactions;
mod util;

use std::future::Future;
use std::pin::Pin;

use super::arguments::Arguments;
use super::error::RpcResult;
use super::table::Method;
use crate::context::SharedContext;

/// Every method there is.
pub(super) static TABLE: &[&[Method]] = &[
    blockchain::METHODS,
    blockchain::block::METHODS,
    blockchain::block_stats::METHODS,
    blockchain::coins::METHODS,
    blockchain::control::METHODS,
    blockchain::deployments::METHODS,
    blockchain::info::METHODS,
    blockchain::proof::METHODS,
    blockchain::scan::METHODS,
    blockchain::tips::METHODS,
    blockchain::wait::METHODS,
    control::METHODS,
    fees::METHODS,
    #[cfg(test)]
    for_tests::METHODS,
    hidden::METHODS,
    mempool::cluster::METHODS,
    mempool::entries::METHODS,
    mempool::file::METHODS,
    mempool::info::METHODS,
    mempool::priority::METHODS,
    mempool::spenders::METHODS,
    mining::METHODS[0],
    mining::METHODS[1],
    mining::METHODS[2],
    mining::METHODS[3],
    network::METHODS,
    network::added::METHODS,
    network::bans::METHODS,
    network::connections::METHODS,
    network::known_nodes::METHODS,
    network::links::METHODS,
    rawtransactions::combine::METHODS,
    rawtransactions::create::METHODS,
    rawtransactions::get::METHODS,
    rawtransactions::package::METHODS,
    rawtransactions::send::METHODS,
    rawtransactions::show::METHODS,
    rawtransactions::sign::METHODS,
    rawtransactions::test_accept::METHODS,
    util::addresses::METHODS,
    util::descriptors::METHODS,
    util::messages::METHODS,
    util::multisig::METHODS,
    util::node::METHODS,
];

/// Does what several calls of one method do, one after the other, and answers them in their order.
pub(super) type ManyHandler = fn(SharedContext, Vec<Arguments>) -> Pin<Box<dyn Future<Output = Vec<RpcResult>> + Send>>;

/// Methods that are faster when a batch has several calls of them in a row.
static TOGETHER: &[(&str, ManyHandler)] =
    &[("sendrawtransaction", |context, calls| Box::pin(rawtransactions::send::send_many(context, calls)))];

/// What handles several calls of a method in a row, if anything does better than one call after the other.
pub(super) fn handler_of_many(method: &str) -> Option<ManyHandler> {
    TOGETHER.iter().find(|(name, _)| *name == method).map(|(_, handler)| *handler)
}

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
