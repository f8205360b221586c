//! Every call of `bitcoincore-rpc` 0.19 that needs no wallet, each held against what is known of the chain.
//!
//! | file | |
//! |---|---|
//! | `chain.rs` | blocks, headers, tips, coins |
//! | `transactions.rs` | transactions in blocks, in the mempool, and those that are made |
//! | `mining.rs` | templates, blocks that are found and submitted, reorganisations |
//! | `control.rs` | the node itself, its network, descriptors |

mod chain;
mod control;
mod mining;
mod transactions;

use bitcoincore_rpc::jsonrpc::{self, error::RpcError};
use bitcoincore_rpc::{Auth, Client, Error, RpcApi};

use crate::harness::node_process::Datadir;
use crate::harness::rpc::Rpc;
use crate::scene::{Scene, TIP};

/// The client, with the cookie that it reads by itself.
fn connect(scene: &Scene) -> Client {
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    Client::new(&scene.rpc.url(), Auth::CookieFile(cookie)).unwrap()
}

/// The same scene for each test, and a client that asks about it.
fn scene() -> (Scene, Client) {
    let scene = Scene::new();
    let client = connect(&scene);
    (scene, client)
}

/// The error that the node answered, as the client tells it.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (i32, String) {
    match answer {
        Err(Error::JsonRpc(jsonrpc::Error::Rpc(RpcError { code, message, .. }))) => (code, message),
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn a_wrong_password_is_told_apart_from_a_wrong_call() {
    let (scene, _) = scene();
    let stranger = Client::new(&scene.rpc.url(), Auth::UserPass("__cookie__".into(), "wrong".into())).unwrap();
    let error = stranger.get_block_count().unwrap_err();
    let Error::JsonRpc(jsonrpc::Error::Transport(transport)) = error else { panic!("{error:?}") };
    assert!(transport.to_string().contains("401"), "{transport}");
}

#[test]
fn several_calls_in_one_request() {
    let (scene, client) = scene();
    let client = client.get_jsonrpc_client();
    let params = [serde_json::json!([1]), serde_json::json!([1_000_000]), serde_json::json!([])];
    let params = params.map(|params| serde_json::value::to_raw_value(&params).unwrap());
    let calls = [
        client.build_request("getblockhash", Some(&params[0])),
        client.build_request("getblockhash", Some(&params[1])),
        client.build_request("getblockcount", Some(&params[2])),
    ];
    let mut answers = client.send_batch(&calls).unwrap().into_iter().map(Option::unwrap);
    assert_eq!(answers.next().unwrap().result::<bitcoin::BlockHash>().unwrap(), scene.hash(1));
    let error = answers.next().unwrap().result::<bitcoin::BlockHash>().unwrap_err();
    assert!(matches!(error, jsonrpc::Error::Rpc(RpcError { code: -8, .. })), "{error}");
    assert_eq!(answers.next().unwrap().result::<usize>().unwrap(), TIP);
}

/// Tools that were written for a node with wallets name one in the address whatever they call.
#[test]
fn the_address_of_a_wallet() {
    let (scene, _) = scene();
    let cookie = scene.datadir.path().join("regtest").join(".cookie");
    let client = Client::new(&format!("{}/wallet/any", scene.rpc.url()), Auth::CookieFile(cookie)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), scene.hash(TIP));
}

#[test]
fn a_user_with_a_password() {
    let datadir = Datadir::new();
    let file = datadir.write("password", "correct horse\n");
    let args = ["--rpc-user", "alice", "--rpc-password-file", file.to_str().unwrap()];
    let node = datadir.start("regtest", &args);
    let url = format!("http://{}", node.endpoints["rpc"][0].as_str().unwrap());
    let user = |password: &str| Client::new(&url, Auth::UserPass("alice".into(), password.into())).unwrap();
    assert_eq!(user("correct horse").get_block_count().unwrap(), 0);
    assert!(user("correct").get_block_count().is_err());
    assert!(Client::new(&url, Auth::None).unwrap().get_block_count().is_err());
}

/// A client keeps nothing between calls, so that it survives a node that starts again with another cookie.
#[test]
fn the_node_starts_again_under_the_same_client_settings() {
    let (scene, client) = scene();
    let tip = client.get_best_block_hash().unwrap();
    let Scene { node, datadir, .. } = scene;
    node.stop();
    assert!(client.get_best_block_hash().is_err());
    let node = datadir.start("regtest", &[]);
    let rpc = Rpc::of(&datadir, "regtest", &node);
    let cookie = datadir.path().join("regtest").join(".cookie");
    let client = Client::new(&rpc.url(), Auth::CookieFile(cookie)).unwrap();
    assert_eq!(client.get_best_block_hash().unwrap(), tip);
    assert_eq!(client.get_raw_mempool().unwrap().len(), 2);
}
