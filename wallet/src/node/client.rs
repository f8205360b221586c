//! Calls, and the mempool's transactions fetched many at a time.

use std::cell::RefCell;
use std::collections::HashMap;

use bdk_bitcoind_rpc::bitcoincore_rpc::jsonrpc::Request;
use bdk_bitcoind_rpc::bitcoincore_rpc::{self, RpcApi};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// Transactions that are asked for at once.
const BATCH: usize = 200;

/// A client of a node.
///
/// `bdk_bitcoind_rpc` asks for the mempool's transactions one by one. Whenever it asks which there are, this fetches those that are
/// new in batches, so that it finds them here.
#[derive(Debug)]
pub(crate) struct Client {
    client: bitcoincore_rpc::Client,
    /// Answers of `getrawtransaction` that nobody has asked for yet, by txid.
    fetched: RefCell<HashMap<String, Box<RawValue>>>,
}

impl Client {
    pub(super) fn new(client: bitcoincore_rpc::Client) -> Self {
        Self { client, fetched: RefCell::default() }
    }

    /// Fetches transactions of the mempool. Those that have left it since are left out.
    fn fetch(&self, txids: &[String]) -> bitcoincore_rpc::Result<()> {
        let client = self.client.get_jsonrpc_client();
        for txids in txids.chunks(BATCH) {
            let arguments: Vec<_> = txids.iter().map(|txid| to_raw_value(&[txid])).collect::<Result<_, _>>()?;
            let requests: Vec<Request<'_>> =
                arguments.iter().map(|arguments| client.build_request("getrawtransaction", Some(arguments))).collect();
            for (txid, response) in txids.iter().zip(client.send_batch(&requests)?) {
                if let Some(result) = response.and_then(|response| response.result) {
                    self.fetched.borrow_mut().insert(txid.clone(), result);
                }
            }
        }
        Ok(())
    }
}

impl RpcApi for Client {
    fn call<T: for<'a> Deserialize<'a>>(&self, method: &str, arguments: &[Value]) -> bitcoincore_rpc::Result<T> {
        match (method, arguments.first()) {
            ("getrawmempool", _) => {
                let answer: Value = self.client.call(method, arguments)?;
                if let Ok(txids) = Vec::<String>::deserialize(&answer) {
                    let fetched = self.fetched.borrow();
                    let new: Vec<_> = txids.into_iter().filter(|txid| !fetched.contains_key(txid)).collect();
                    drop(fetched);
                    self.fetch(&new)?;
                }
                Ok(serde_json::from_value(answer)?)
            }
            ("getrawtransaction", Some(Value::String(txid))) => match self.fetched.borrow_mut().remove(txid) {
                Some(answer) => Ok(serde_json::from_str(answer.get())?),
                None => self.client.call(method, arguments),
            },
            _ => self.client.call(method, arguments),
        }
    }
}
