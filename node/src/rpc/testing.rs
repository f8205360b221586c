//! A server on a chain of its own, for tests of methods and of the server itself.

pub(crate) mod coins;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitcoin::consensus::serialize;
use cairn_chain::chainstate::{Chainstate, ChainstateOptions};
use cairn_chain::mempool::{Mempool, MempoolOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::table::check_result;
use super::{COOKIE_FILE, RpcServer, RpcServerOptions, find_method};
use crate::chain_service::{Chain, ChainService};
use crate::config::Config;
use crate::context::{NodeContext, SharedContext};
use crate::metrics::Metrics;
use crate::tx_index::TxIndex;

/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node with nothing but a chain on regtest and the RPC server.
#[derive(Debug)]
pub(crate) struct RpcTest {
    pub(crate) context: SharedContext,
    pub(crate) server: RpcServer,
    pub(crate) directory: TempDir,
}

/// Whether a node keeps an index of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxIndexing {
    /// There is none.
    Off,
    /// There is one that never learns of any block.
    Rests,
    /// There is one.
    Runs,
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// The lines of the head after the first, in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl HttpResponse {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn has_header(&self, line: &str) -> bool {
        self.headers.iter().any(|header| header == line)
    }
}

impl RpcTest {
    /// A node whose chain has that many blocks above genesis.
    pub(crate) async fn start(blocks: u32) -> Self {
        let test = Self::start_with(blocks, |_| {}).await;
        test.server.warmup().finish(Arc::clone(&test.context));
        test
    }

    /// A node that is still starting, whose server is set up otherwise.
    pub(crate) async fn start_with(blocks: u32, change: impl FnOnce(&mut RpcServerOptions)) -> Self {
        Self::prepare(ChainParams::regtest(RegtestOptions::default()), blocks, TxIndexing::Off, change).await
    }

    /// A node that keeps an index of transactions. One that runs has caught up.
    pub(crate) async fn start_with_tx_index(blocks: u32, indexing: TxIndexing) -> Self {
        let test = Self::prepare(ChainParams::regtest(RegtestOptions::default()), blocks, indexing, |_| {}).await;
        if indexing == TxIndexing::Runs {
            let index = test.context.tx_index.as_ref().unwrap();
            let synced = async {
                while !index.status().is_synced {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(PATIENCE, synced).await.unwrap();
        }
        test.server.warmup().finish(Arc::clone(&test.context));
        test
    }

    /// A node on another network, or with other rules, that knows genesis.
    pub(crate) async fn start_on(params: ChainParams) -> Self {
        let test = Self::prepare(params, 0, TxIndexing::Off, |_| {}).await;
        test.server.warmup().finish(Arc::clone(&test.context));
        test
    }

    async fn prepare(
        params: ChainParams,
        blocks: u32,
        indexing: TxIndexing,
        change: impl FnOnce(&mut RpcServerOptions),
    ) -> Self {
        let directory = TempDir::new().unwrap();
        let config = Config::of(&[&format!("--network={}", params.name)]);
        let options = ChainstateOptions { threads: 1, ..config.chainstate_options(&params) };
        let chainstate = Chainstate::open(&directory.path().join(&params.name), params.clone(), options).unwrap();
        let (_, chain) = ChainService::start(Chain::new(chainstate, Mempool::new(MempoolOptions::default()))).unwrap();
        let generated = ChainOptions { blocks, transactions_per_block: 0, coins: 0, seed: 1 };
        for block in ChainGenerator::new(generated) {
            let block = Arc::new(Block::decode(serialize(&block.block)).unwrap());
            let outcome = chain.call(|chain| chain.process_new_block(block, true)).await.unwrap();
            outcome.unwrap().unwrap();
        }
        let shutdown = CancellationToken::new();
        let is_indexed = indexing != TxIndexing::Off;
        let (tx_index, indexer) =
            is_indexed.then(|| TxIndex::open(&directory.path().join(&params.name)).unwrap()).unzip();
        if let Some(indexer) = indexer.filter(|_| indexing == TxIndexing::Runs) {
            tokio::spawn(indexer.run(chain.clone(), shutdown.clone()));
        }
        let context = Arc::new(NodeContext {
            chain,
            directory: directory.path().join(&params.name),
            started: Instant::now(),
            shutdown: shutdown.clone(),
            config,
            metrics: Metrics::new(&params.name).unwrap(),
            params,
            coin_scans: Arc::default(),
            tx_index,
            network: OnceLock::new(),
            reputation: OnceLock::new(),
            mempool_loaded: AtomicBool::new(true),
        });
        let mut options = RpcServerOptions::new(vec!["127.0.0.1:0".parse().unwrap()], &context.directory);
        options.rpc_port = 18443;
        change(&mut options);
        let server = RpcServer::start(options, shutdown).await.unwrap();
        Self { context, server, directory }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The user and password of the cookie.
    pub(crate) fn cookie(&self) -> String {
        std::fs::read_to_string(self.context.directory.join(COOKIE_FILE)).unwrap()
    }

    /// Calls a method as clients do, with `params` as JSON; checks a result against the method's docs. An error is its code
    /// and message.
    pub(crate) async fn call(&self, method: &str, params: &str) -> Result<Box<RawValue>, (i32, String)> {
        #[derive(serde::Deserialize)]
        struct Reply {
            result: Option<Box<RawValue>>,
            error: Option<Failure>,
        }
        #[derive(serde::Deserialize)]
        struct Failure {
            code: i32,
            message: String,
        }
        let name = Value::from(method);
        let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":{name},\"params\":{params}}}");
        let response = self.post(&request).await;
        let reply: Reply = serde_json::from_str(&response.body).unwrap();
        match reply.error {
            Some(Failure { code, message }) => Err((code, message)),
            None => {
                let result = reply.result.unwrap_or_else(|| RawValue::NULL.to_owned());
                check_result(find_method(method).unwrap(), &result).unwrap();
                Ok(result)
            }
        }
    }

    /// The result of a call that succeeds.
    pub(crate) async fn get(&self, method: &str, params: &str) -> Value {
        let result = self.call(method, params).await.unwrap_or_else(|error| panic!("{method} {params}: {error:?}"));
        serde_json::from_str(result.get()).unwrap()
    }

    /// The error of a call that fails.
    pub(crate) async fn error(&self, method: &str, params: &str) -> (i32, String) {
        match self.call(method, params).await {
            Ok(result) => panic!("{method} {params}: {}", result.get()),
            Err(error) => error,
        }
    }

    /// Posts a body with the cookie.
    pub(crate) async fn post(&self, body: &str) -> HttpResponse {
        self.post_as(&self.cookie(), body).await
    }

    /// Posts a body with a user and password, separated by a colon.
    pub(crate) async fn post_as(&self, user: &str, body: &str) -> HttpResponse {
        let authorization = format!("Basic {}", STANDARD.encode(user));
        self.http("POST", "/", &[("Authorization", &authorization)], body.as_bytes()).await
    }

    /// Sends any request.
    pub(crate) async fn http(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        self.raw([head.as_bytes(), body].concat()).await.unwrap()
    }

    /// Sends bytes and reads a response until the connection ends; none if there is no response.
    pub(crate) async fn raw(&self, bytes: Vec<u8>) -> Option<HttpResponse> {
        let address = self.address();
        tokio::task::spawn_blocking(move || {
            let mut stream = connect(address);
            // A server that has heard enough may close before all is sent.
            let _ = stream.write_all(&bytes);
            let mut response = Vec::new();
            let _ = stream.read_to_end(&mut response);
            parse_response(&response)
        })
        .await
        .unwrap()
    }

    /// The text of an `Authorization` header with the cookie.
    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(self.cookie()))
    }
}

/// A connection that no test waits on for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn parse_response(bytes: &[u8]) -> Option<HttpResponse> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    Some(HttpResponse { status, headers: lines.map(str::to_lowercase).collect(), body: body.to_owned() })
}
